#include "engine/api/quantity.h"
#include "engine/api/strategies/common.h"

namespace ph::api::strategies {
namespace {

// "RWO,ROX": access modes as kubectl shows them.
std::string modesText(const JsonArray& modes) {
  static constexpr std::pair<std::string_view, std::string_view> kShort[] = {
      {"ReadWriteOnce", "RWO"}, {"ReadOnlyMany", "ROX"}, {"ReadWriteMany", "RWX"}, {"ReadWriteOncePod", "RWOP"}};
  std::string out;
  for (auto& [name, brief] : kShort)
    for (auto& m : modes)
      if (m.is_string() && view(m.get_string()) == name) {
        out.append(out.empty() ? "" : ",").append(brief);
        break;
      }
  return out;
}

void checkModes(const Json& o, const std::string& path, ErrorList& errors) {
  auto& modes = list(o, path);
  if (modes.empty()) errors.required(path, "at least 1 access mode is required");
  bool single = false;
  for (auto& m : modes) {
    auto mode = m.is_string() ? text(view(m.get_string())) : toText(m);
    single = single || mode == "ReadWriteOncePod";
    if (mode != "ReadWriteOnce" && mode != "ReadOnlyMany" && mode != "ReadWriteMany" && mode != "ReadWriteOncePod")
      errors.notSupported(path, mode, {"ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"});
  }
  if (single && modes.size() > 1) errors.forbidden(path, "may not use ReadWriteOncePod with other access modes");
}

void checkSize(const Json& o, const std::string& path, ErrorList& errors) {
  if (!has(o, path)) return errors.required(path);
  auto q = Quantity::parse(str(o, path));
  if (q && (q->negative() || q->isZero())) errors.invalid(path, text(str(o, path)), "must be greater than zero");
}

std::string classOf(const Json& o) {
  if (auto* v = object(o, "metadata.annotations").if_contains("volume.beta.kubernetes.io/storage-class"); v && v->is_string())
    return text(view(v->get_string()));
  return text(str(o, "spec.storageClassName"));
}

void prepareVolume(Json& v, const WriteContext&) {
  auto& spec = ensureObject(v, "spec");
  setDefault(spec, "persistentVolumeReclaimPolicy", "Retain");
  if (auto* path = member(v, "spec") ? spec.if_contains("hostPath") : nullptr; path && path->is_object()) setDefault(path->get_object(), "type", "");
  v.get_object()["status"] = JsonObject{{"phase", "Pending"}};
}

// Members of the spec that are no source.
bool isSource(std::string_view name) {
  static constexpr std::string_view kOthers[] = {"capacity", "accessModes", "claimRef", "persistentVolumeReclaimPolicy", "storageClassName",
                                                 "mountOptions", "volumeMode", "nodeAffinity", "volumeAttributesClassName"};
  for (auto o : kOthers)
    if (o == name) return false;
  return true;
}

void validateVolume(const Json& v, const WriteContext& context, ErrorList& errors) {
  if (context.subresource == "status") return;
  checkModes(v, "spec.accessModes", errors);
  checkSize(v, "spec.capacity.storage", errors);
  int sources = 0;
  for (auto& kv : object(v, "spec")) {
    if (!isSource(view(kv.key()))) continue;
    if (++sources > 1) errors.forbidden("spec." + text(view(kv.key())), "may not specify more than 1 volume type");
  }
  if (!sources) errors.required("spec", "must specify a volume type");
  if (has(v, "spec.local") && !has(v, "spec.nodeAffinity")) errors.required("spec.nodeAffinity", "Local volume requires node affinity");
  if (auto name = text(str(v, "spec.storageClassName")); !name.empty())
    if (auto why = checkDnsSubdomain(name); !why.empty()) errors.invalid("spec.storageClassName", name, why);
}

void validateVolumeUpdate(const Json& v, const Json& old, const WriteContext& context, ErrorList& errors) {
  if (context.subresource == "status") return;
  for (auto& kv : object(old, "spec"))
    if (isSource(view(kv.key())) && !(at(v, "spec") && object(v, "spec").contains(kv.key()) && *object(v, "spec").if_contains(kv.key()) == kv.value())) {
      errors.forbidden("spec.persistentvolumesource", "spec.persistentvolumesource is immutable after creation");
      break;
    }
  immutable(v, old, "spec.volumeMode", errors);
}

std::string phaseText(const Json& o) {
  auto phase = text(str(o, "status.phase"));
  return has(o, "metadata.deletionTimestamp") ? "Terminating" : phase;
}

void cellsOfVolume(const Json& v, WallTime, std::vector<Json>& out) {
  out.emplace_back(text(str(v, "spec.capacity.storage")));
  out.emplace_back(modesText(list(v, "spec.accessModes")));
  out.emplace_back(phaseText(v));
  out.emplace_back(has(v, "spec.claimRef") ? text(str(v, "spec.claimRef.namespace")) + "/" + text(str(v, "spec.claimRef.name")) : "");
  out.emplace_back(classOf(v));
  out.push_back(orUnset(at(v, "spec.volumeAttributesClassName")));
  out.push_back(orUnset(at(v, "spec.volumeMode")));
}

void prepareClaim(Json& c, const WriteContext&) {
  setDefault(ensureObject(c, "spec"), "volumeMode", "Filesystem");
  c.get_object()["status"] = JsonObject{{"phase", "Pending"}};
}
void updateClaim(Json& c, const Json&, const WriteContext&) { setDefault(ensureObject(c, "spec"), "volumeMode", "Filesystem"); }

void validateClaim(const Json& c, const WriteContext& context, ErrorList& errors) {
  if (context.subresource == "status") return;
  checkModes(c, "spec.accessModes", errors);
  checkSize(c, "spec.resources.requests.storage", errors);
  if (auto* s = at(c, "spec.selector")) checkLabelSelector(*s, "spec.selector", errors);
  if (auto name = text(str(c, "spec.storageClassName")); !name.empty())
    if (auto why = checkDnsSubdomain(name); !why.empty()) errors.invalid("spec.storageClassName", name, why);
}

void validateClaimUpdate(const Json& c, const Json& old, const WriteContext& context, ErrorList& errors) {
  if (context.subresource == "status") return;
  auto rest = [&](const Json& from) {
    JsonObject spec = object(from, "spec");
    for (auto* free : {"resources", "volumeAttributesClassName"}) spec.erase(free);
    // The controllers name the volume and the class of a claim that has none.
    if (str(old, "spec.volumeName").empty()) spec.erase("volumeName");
    if (!has(old, "spec.storageClassName")) spec.erase("storageClassName");
    return spec;
  };
  if (rest(c) != rest(old))
    errors.forbidden("spec", "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims");
  auto now = Quantity::parse(str(c, "spec.resources.requests.storage")), was = Quantity::parse(str(old, "spec.resources.requests.storage"));
  if (now && was && *now < *was && str(c, "status.phase") == "Bound")
    errors.forbidden("spec.resources.requests.storage", "field can not be less than previous value");
}

void cellsOfClaim(const Json& c, WallTime, std::vector<Json>& out) {
  bool bound = !str(c, "spec.volumeName").empty();
  out.emplace_back(phaseText(c));
  out.emplace_back(bound ? text(str(c, "status.capacity.storage")) : "");
  out.emplace_back(bound ? modesText(list(c, "status.accessModes")) : "");
  out.emplace_back(classOf(c));
  out.push_back(orUnset(at(c, "spec.volumeAttributesClassName")));
  out.push_back(orUnset(at(c, "spec.volumeMode")));
}

void validateClass(const Json& c, const WriteContext&, ErrorList& errors) {
  auto provisioner = text(str(c, "provisioner"));
  std::string lower = provisioner;
  for (char& ch : lower) ch = static_cast<char>(tolower(static_cast<unsigned char>(ch)));
  if (!provisioner.empty())
    if (auto why = checkQualifiedName(lower); !why.empty()) errors.invalid("provisioner", provisioner, why);
  for (auto& kv : object(c, "parameters"))
    if (kv.key().empty()) errors.invalid("parameters", "", "field can not be empty.");
}

void validateClassUpdate(const Json& c, const Json& old, const WriteContext&, ErrorList& errors) {
  for (auto* field : {"provisioner", "reclaimPolicy", "volumeBindingMode"}) immutable(c, old, field, errors);
  auto *now = at(c, "parameters"), *was = at(old, "parameters");
  if (now ? !was || *now != *was : was != nullptr) errors.forbidden("parameters", "updates to parameters are forbidden.");
}

void cellsOfClass(const Json& c, WallTime, std::vector<Json>& out) {
  out.push_back(orUnset(at(c, "reclaimPolicy")));
  out.push_back(orUnset(at(c, "volumeBindingMode")));
  out.emplace_back(flag(c, "allowVolumeExpansion"));
}

constexpr std::string_view kByName[] = {""};

}  // namespace

const Strategy persistentVolumeStrategy{
    .prepareCreate = prepareVolume, .validate = validateVolume, .validateUpdate = validateVolumeUpdate, .cells = cellsOfVolume, .selectableFields = kByName};
const Strategy persistentVolumeClaimStrategy{.prepareCreate = prepareClaim,
                                             .prepareUpdate = updateClaim,
                                             .validate = validateClaim,
                                             .validateUpdate = validateClaimUpdate,
                                             .cells = cellsOfClaim,
                                             .selectableFields = kByName};
const Strategy storageClassStrategy{.validate = validateClass, .validateUpdate = validateClassUpdate, .cells = cellsOfClass};

}  // namespace ph::api::strategies
