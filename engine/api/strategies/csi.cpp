#include "engine/api/strategies/common.h"

namespace ph::api::strategies {
namespace {

void resetAttachment(Json& a, const WriteContext&) { a.get_object()["status"] = JsonObject{{"attached", false}}; }
void sameAttachment(const Json& a, const Json& old, const WriteContext&, ErrorList& errors) { immutable(a, old, "spec", errors); }
void validateAttachment(const Json& a, const WriteContext& context, ErrorList& errors) {
  if (context.subresource == "status") return;
  bool named = has(a, "spec.source.persistentVolumeName"), inlined = has(a, "spec.source.inlineVolumeSpec");
  if (!named && !inlined) errors.required("spec.source", "must specify either inlineVolumeSpec or persistentVolumeName");
  if (named && inlined) errors.forbidden("spec.source", "must specify exactly one of inlineVolumeSpec and persistentVolumeName");
}
void cellsOfAttachment(const Json& a, WallTime, std::vector<Json>& out) {
  out.emplace_back(text(str(a, "spec.source.persistentVolumeName")));
  out.emplace_back(flag(a, "status.attached"));
}

void prepareDriver(Json& d, const WriteContext&) {
  if (list(d, "spec.volumeLifecycleModes").empty()) ensureObject(d, "spec")["volumeLifecycleModes"] = JsonArray{"Persistent"};
}
void cellsOfDriver(const Json& d, WallTime, std::vector<Json>& out) {
  out.emplace_back(!has(d, "spec.attachRequired") || flag(d, "spec.attachRequired"));
  out.emplace_back(flag(d, "spec.podInfoOnMount"));
  out.emplace_back(flag(d, "spec.storageCapacity"));
  std::string audiences, modes;
  for (auto& t : list(d, "spec.tokenRequests")) audiences += (audiences.empty() ? "" : ",") + text(str(t, "audience"));
  for (auto& m : list(d, "spec.volumeLifecycleModes"))
    if (m.is_string()) modes += (modes.empty() ? "" : ",") + text(view(m.get_string()));
  out.emplace_back(audiences.empty() ? "<unset>" : audiences);
  out.emplace_back(flag(d, "spec.requiresRepublish"));
  out.push_back(orNone(modes));
}

void validateNode(const Json& n, const WriteContext&, ErrorList& errors) {
  std::vector<std::string> seen;
  auto& drivers = list(n, "spec.drivers");
  for (size_t i = 0; i < drivers.size(); ++i) {
    auto name = text(str(drivers[i], "name"));
    for (auto& s : seen)
      if (s == name) errors.duplicate(indexed("spec.drivers", i) + ".name", name);
    seen.push_back(name);
  }
}
void cellsOfNode(const Json& n, WallTime, std::vector<Json>& out) { out.emplace_back(list(n, "spec.drivers").size()); }

void cellsOfCapacity(const Json& c, WallTime, std::vector<Json>& out) { out.push_back(orUnset(at(c, "capacity"))); }
void sameClass(const Json& c, const Json& old, const WriteContext&, ErrorList& errors) {
  immutable(c, old, "nodeTopology", errors);
  immutable(c, old, "storageClassName", errors);
}

}  // namespace

const Strategy volumeAttachmentStrategy{
    .prepareCreate = resetAttachment, .validate = validateAttachment, .validateUpdate = sameAttachment, .cells = cellsOfAttachment};
const Strategy csiDriverStrategy{.prepareCreate = prepareDriver, .cells = cellsOfDriver};
const Strategy csiNodeStrategy{.validate = validateNode, .cells = cellsOfNode};
const Strategy csiStorageCapacityStrategy{.validateUpdate = sameClass, .cells = cellsOfCapacity};

}  // namespace ph::api::strategies
