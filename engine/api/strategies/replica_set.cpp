#include "engine/api/strategies/common.h"

namespace ph::api::strategies {
namespace {

void defaults(Json& rs) {
  if (auto* spec = member(rs, "spec"))
    if (auto* tmpl = member(*spec, "template"))
      if (auto* podSpec = member(*tmpl, "spec")) defaultPodSpec(*podSpec);
}

void prepareCreate(Json& rs, const WriteContext&) {
  defaults(rs);
  rs.get_object()["status"] = JsonObject{{"replicas", 0}};
}

void prepareUpdate(Json& rs, const Json&, const WriteContext& context) {
  if (context.subresource.empty()) defaults(rs);
}

void validate(const Json& rs, const WriteContext& context, ErrorList& errors) {
  if (context.subresource != "status") validateTemplate(rs, "replicaset", errors);
}

void validateStatus(const Json& rs, ErrorList& errors) {
  auto all = num(rs, "status.replicas"), ready = num(rs, "status.readyReplicas"), available = num(rs, "status.availableReplicas");
  for (auto* field : {"replicas", "fullyLabeledReplicas", "readyReplicas", "availableReplicas"}) {
    auto path = std::string("status.") + field;
    if (num(rs, path) < 0) errors.invalidRaw(path, std::to_string(num(rs, path)), "must be greater than or equal to 0");
  }
  if (ready > all) errors.invalidRaw("status.readyReplicas", std::to_string(ready), "cannot be greater than status.replicas");
  if (available > all) errors.invalidRaw("status.availableReplicas", std::to_string(available), "cannot be greater than status.replicas");
  if (available > ready) errors.invalidRaw("status.availableReplicas", std::to_string(available), "cannot be greater than readyReplicas");
}

void validateUpdate(const Json& rs, const Json& old, const WriteContext& context, ErrorList& errors) {
  immutable(rs, old, "spec.selector", errors);
  if (context.subresource == "status") validateStatus(rs, errors);
}

void cells(const Json& rs, WallTime, std::vector<Json>& out) {
  out.emplace_back(num(rs, "spec.replicas"));
  out.emplace_back(num(rs, "status.replicas"));
  out.emplace_back(num(rs, "status.readyReplicas"));
  containerCells(rs, "spec.template.spec", out);
  out.emplace_back(selectorText(rs, "spec.selector"));
}

constexpr std::string_view kSelectable[] = {"status.replicas", ""};

}  // namespace

const Strategy replicaSetStrategy{.prepareCreate = prepareCreate,
                                  .prepareUpdate = prepareUpdate,
                                  .validate = validate,
                                  .validateUpdate = validateUpdate,
                                  .cells = cells,
                                  .selectableFields = kSelectable};

}  // namespace ph::api::strategies
