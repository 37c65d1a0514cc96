#include <algorithm>

#include "engine/api/strategies/common.h"

namespace ph::api::strategies {
namespace {

void defaults(Json& set) {
  defaultTemplate(set);
  auto* spec = member(set, "spec");
  if (!spec || !spec->is_object()) return;
  auto& update = ensureObject(*spec, "updateStrategy");
  setDefault(update, "type", "RollingUpdate");
  if (update["type"] == "RollingUpdate") setDefault(ensureObject(update, "rollingUpdate"), "partition", 0);
  auto& keep = ensureObject(*spec, "persistentVolumeClaimRetentionPolicy");
  setDefault(keep, "whenDeleted", "Retain");
  setDefault(keep, "whenScaled", "Retain");
  if (auto* claims = member(*spec, "volumeClaimTemplates"); claims && claims->is_array())
    for (auto& claim : claims->get_array()) {
      if (!claim.is_object()) continue;
      setDefault(claim.get_object(), "apiVersion", "v1");
      setDefault(claim.get_object(), "kind", "PersistentVolumeClaim");
      setDefault(ensureObject(claim, "spec"), "volumeMode", "Filesystem");
      ensureObject(claim, "status")["phase"] = "Pending";
    }
}

void prepareCreate(Json& set, const WriteContext&) {
  defaults(set);
  set.get_object()["status"] = JsonObject{{"replicas", 0}, {"availableReplicas", 0}};
}

void prepareUpdate(Json& set, const Json&, const WriteContext& context) {
  if (context.subresource.empty()) defaults(set);
}

// As each pod will have it: a claim's template stands for the volume of its name.
Json withClaims(const Json& set) {
  Json out = set;
  Json& volumes = ensureObject(ensureObject(ensureObject(out, "spec"), "template"), "spec")["volumes"];
  if (!volumes.is_array()) volumes.emplace_array();
  auto& all = volumes.get_array();
  for (auto& claim : list(set, "spec.volumeClaimTemplates")) {
    auto name = str(claim, "metadata.name");
    bool there = std::any_of(all.begin(), all.end(), [&](auto& v) { return str(v, "name") == name; });
    if (!there) all.push_back(JsonObject{{"name", name}, {"persistentVolumeClaim", JsonObject{{"claimName", name}}}});
  }
  return out;
}

void validate(const Json& set, const WriteContext& context, ErrorList& errors) {
  if (context.subresource == "status") return;
  bool claims = !list(set, "spec.volumeClaimTemplates").empty();
  validateTemplate(claims ? withClaims(set) : set, "statefulset", errors);
  if (str(set, "spec.updateStrategy.type") == "OnDelete" && has(set, "spec.updateStrategy.rollingUpdate"))
    errors.invalidRaw("spec.updateStrategy.rollingUpdate", toText(*at(set, "spec.updateStrategy.rollingUpdate")),
                      "only allowed for updateStrategy 'RollingUpdate'");
}

void validateUpdate(const Json& set, const Json& old, const WriteContext& context, ErrorList& errors) {
  if (context.subresource == "status") return;
  static constexpr std::string_view kFree[] = {"replicas",       "ordinals",        "template",       "updateStrategy",
                                               "minReadySeconds", "persistentVolumeClaimRetentionPolicy", "revisionHistoryLimit"};
  auto without = [](const Json& from) {
    JsonObject rest = object(from, "spec");
    for (auto name : kFree) rest.erase(boosted(name));
    return rest;
  };
  if (without(set) != without(old))
    errors.forbidden("spec", "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', "
                             "'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden");
}

void cells(const Json& set, WallTime, std::vector<Json>& out) {
  out.emplace_back(std::to_string(num(set, "status.readyReplicas")) + "/" + std::to_string(num(set, "spec.replicas")));
  containerCells(set, "spec.template.spec", out);
}

}  // namespace

const Strategy statefulSetStrategy{
    .prepareCreate = prepareCreate, .prepareUpdate = prepareUpdate, .validate = validate, .validateUpdate = validateUpdate, .cells = cells};

}  // namespace ph::api::strategies
