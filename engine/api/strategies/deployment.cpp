#include "engine/api/int_or_string.h"
#include "engine/api/strategies/common.h"

namespace ph::api::strategies {
namespace {

void defaults(Json& d) {
  auto* spec = member(d, "spec");
  if (!spec || !spec->is_object()) return;
  if (auto* tmpl = member(*spec, "template"))
    if (auto* podSpec = member(*tmpl, "spec")) defaultPodSpec(*podSpec);
  auto& strategy = ensureObject(*spec, "strategy");
  setDefault(strategy, "type", "RollingUpdate");
  if (strategy["type"] != "RollingUpdate") return;
  auto& rolling = ensureObject(strategy, "rollingUpdate");
  setDefault(rolling, "maxUnavailable", "25%");
  setDefault(rolling, "maxSurge", "25%");
}

void prepareCreate(Json& d, const WriteContext&) {
  defaults(d);
  d.get_object()["status"] = JsonObject();
}

void prepareUpdate(Json& d, const Json&, const WriteContext& context) {
  if (context.subresource.empty()) defaults(d);
}

void validate(const Json& d, const WriteContext& context, ErrorList& errors) {
  if (context.subresource == "status") return;
  validateTemplate(d, "deployment", errors);
  const bool recreate = str(d, "spec.strategy.type") == "Recreate";
  if (recreate && has(d, "spec.strategy.rollingUpdate"))
    errors.forbidden("spec.strategy.rollingUpdate", "may not be specified when strategy `type` is 'Recreate'");
  if (!recreate) {
    auto *down = "spec.strategy.rollingUpdate.maxUnavailable", *up = "spec.strategy.rollingUpdate.maxSurge";
    checkAmount(d, down, true, errors);
    checkAmount(d, up, false, errors);
    if (amount(d, down).resolve(100, false) == 0 && amount(d, up).resolve(100, true) == 0)
      errors.invalidRaw(down, toText(*at(d, down)), "may not be 0 when `maxSurge` is 0");
  }
  if (has(d, "spec.progressDeadlineSeconds") && num(d, "spec.progressDeadlineSeconds") <= num(d, "spec.minReadySeconds"))
    errors.invalidRaw("spec.progressDeadlineSeconds", std::to_string(num(d, "spec.progressDeadlineSeconds")), "must be greater than minReadySeconds");
}

void validateUpdate(const Json& d, const Json& old, const WriteContext&, ErrorList& errors) { immutable(d, old, "spec.selector", errors); }

void cells(const Json& d, WallTime, std::vector<Json>& out) {
  out.emplace_back(std::to_string(num(d, "status.readyReplicas")) + "/" + std::to_string(num(d, "spec.replicas")));
  out.emplace_back(num(d, "status.updatedReplicas"));
  out.emplace_back(num(d, "status.availableReplicas"));
  containerCells(d, "spec.template.spec", out);
  out.emplace_back(selectorText(d, "spec.selector"));
}

}  // namespace

const Strategy deploymentStrategy{
    .prepareCreate = prepareCreate, .prepareUpdate = prepareUpdate, .validate = validate, .validateUpdate = validateUpdate, .cells = cells};

}  // namespace ph::api::strategies
