#include "engine/api/strategies/common.h"

namespace ph::api::strategies {
namespace {

void defaults(Json& set) {
  defaultTemplate(set);
  auto* spec = member(set, "spec");
  if (!spec || !spec->is_object()) return;
  auto& update = ensureObject(*spec, "updateStrategy");
  setDefault(update, "type", "RollingUpdate");
  if (update["type"] != "RollingUpdate") return;
  auto& rolling = ensureObject(update, "rollingUpdate");
  setDefault(rolling, "maxUnavailable", 1);
  setDefault(rolling, "maxSurge", 0);
}

void prepareCreate(Json& set, const WriteContext&) {
  defaults(set);
  auto& status = set.get_object()["status"].emplace_object();
  for (auto* field : {"currentNumberScheduled", "numberMisscheduled", "desiredNumberScheduled", "numberReady"}) status[field] = 0;
}

void prepareUpdate(Json& set, const Json&, const WriteContext& context) {
  if (context.subresource.empty()) defaults(set);
}

void validate(const Json& set, const WriteContext& context, ErrorList& errors) {
  if (context.subresource == "status") return;
  validateTemplate(set, "daemonset", errors);
  if (str(set, "spec.updateStrategy.type") != "RollingUpdate") return;
  auto *down = "spec.updateStrategy.rollingUpdate.maxUnavailable", *up = "spec.updateStrategy.rollingUpdate.maxSurge";
  checkAmount(set, down, true, errors);
  checkAmount(set, up, true, errors);
  bool noneDown = amount(set, down).resolve(100, true) == 0, noneUp = amount(set, up).resolve(100, true) == 0;
  if (noneDown && noneUp) errors.invalidRaw(down, toText(*at(set, down)), "cannot be 0 when maxSurge is 0");
  if (!noneDown && !noneUp) errors.invalidRaw(up, toText(*at(set, up)), "may not be set when maxUnavailable is non-zero");
}

void validateUpdate(const Json& set, const Json& old, const WriteContext&, ErrorList& errors) { immutable(set, old, "spec.selector", errors); }

void cells(const Json& set, WallTime, std::vector<Json>& out) {
  for (auto* field : {"desiredNumberScheduled", "currentNumberScheduled", "numberReady", "updatedNumberScheduled", "numberAvailable"})
    out.emplace_back(num(set, std::string("status.") + field));
  out.emplace_back(labelsText(object(set, "spec.template.spec.nodeSelector")));
  containerCells(set, "spec.template.spec", out);
  out.emplace_back(selectorText(set, "spec.selector"));
}

}  // namespace

const Strategy daemonSetStrategy{
    .prepareCreate = prepareCreate, .prepareUpdate = prepareUpdate, .validate = validate, .validateUpdate = validateUpdate, .cells = cells};

}  // namespace ph::api::strategies
