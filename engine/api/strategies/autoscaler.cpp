#include "engine/api/quantity.h"
#include "engine/api/strategies/common.h"

namespace ph::api::strategies {
namespace {

void defaultRules(JsonObject& behavior, const char* direction, int64_t window, JsonArray policies) {
  auto& rules = ensureObject(behavior, direction);
  if (window >= 0) setDefault(rules, "stabilizationWindowSeconds", window);
  setDefault(rules, "selectPolicy", "Max");
  setDefault(rules, "policies", std::move(policies));
}

Json policy(const char* type, int value) { return JsonObject{{"type", type}, {"value", value}, {"periodSeconds", 15}}; }

void defaults(Json& hpa) {
  auto& spec = ensureObject(hpa, "spec");
  setDefault(spec, "minReplicas", 1);
  if (list(hpa, "spec.metrics").empty()) {
    Json target = JsonObject{{"type", "Utilization"}, {"averageUtilization", 80}};
    Json cpu = JsonObject{{"type", "Resource"}, {"resource", JsonObject{{"name", "cpu"}, {"target", std::move(target)}}}};
    spec["metrics"] = JsonArray{std::move(cpu)};
  }
  if (!has(hpa, "spec.behavior")) return;
  auto& behavior = ensureObject(spec, "behavior");
  defaultRules(behavior, "scaleUp", 0, {policy("Pods", 4), policy("Percent", 100)});
  defaultRules(behavior, "scaleDown", -1, {policy("Percent", 100)});
}

void prepareCreate(Json& hpa, const WriteContext&) {
  defaults(hpa);
  hpa.get_object()["status"] = JsonObject{{"desiredReplicas", 0}};
}

void prepareUpdate(Json& hpa, const Json&, const WriteContext& context) {
  if (context.subresource.empty()) defaults(hpa);
}

const char* memberOf(std::string_view type) {
  if (type == "Resource") return "resource";
  if (type == "ContainerResource") return "containerResource";
  if (type == "Pods") return "pods";
  return type == "Object" ? "object" : "external";
}

bool positive(std::string_view text) {
  auto amount = Quantity::parse(text);
  return !amount || Quantity() < *amount;  // what is no amount at all, the schema has told
}

// One direction of spec.behavior.
void validateRules(const Json& hpa, const char* direction, ErrorList& errors) {
  std::string path = std::string("spec.behavior.") + direction;
  auto* rules = at(hpa, path);
  if (!rules || !rules->is_object()) return;
  auto number = [&](const Json& from, const std::string& where, const char* name, int64_t least, int64_t most) {
    if (!has(from, name)) return;
    auto n = num(from, name);
    if (n < least) errors.invalidRaw(where + "." + name, std::to_string(n), least == 0 ? "must be greater than or equal to zero" : "must be greater than zero");
    if (n > most) errors.invalidRaw(where + "." + name, std::to_string(n), "must be less than or equal to " + std::to_string(most));
  };
  number(*rules, path, "stabilizationWindowSeconds", 0, 3600);
  auto& policies = list(*rules, "policies");
  if (policies.empty()) errors.required(path + ".policies", "must specify at least one Policy");
  for (size_t i = 0; i < policies.size(); ++i) {
    auto where = indexed(path + ".policies", i);
    number(policies[i], where, "value", 1, INT32_MAX);
    number(policies[i], where, "periodSeconds", 1, 1800);
  }
}

void validateMetric(const Json& metric, const std::string& path, ErrorList& errors) {
  auto type = str(metric, "type");
  if (type.empty()) return;  // the schema has said so
  auto* name = memberOf(type);
  auto* source = at(metric, name);
  if (!source) return errors.required(path + "." + name, "must populate information for the given metric source");
  auto where = path + "." + name + ".target";
  auto kind = str(*source, "target.type");
  if (kind.empty()) return errors.required(where + ".type", "must specify a metric target type");
  auto* field = kind == "Utilization" ? "averageUtilization" : kind == "AverageValue" ? "averageValue" : "value";
  if (!has(*source, std::string("target.") + field)) errors.required(where + "." + field, "must specify a positive target");
  else if (kind != "Utilization" && !positive(str(*source, std::string("target.") + field)))
    errors.invalidRaw(where + "." + field, toText(*at(*source, std::string("target.") + field)), "must be positive");
  else if (kind == "Utilization" && num(*source, "target.averageUtilization") < 1)
    errors.invalidRaw(where + ".averageUtilization", std::to_string(num(*source, "target.averageUtilization")), "must be greater than 0");
}

void validate(const Json& hpa, const WriteContext& context, ErrorList& errors) {
  if (context.subresource == "status") return;
  auto least = num(hpa, "spec.minReplicas", 1), most = num(hpa, "spec.maxReplicas");
  if (least < 1) errors.invalidRaw("spec.minReplicas", std::to_string(least), "must be greater than or equal to 1");
  if (most < 1) errors.invalidRaw("spec.maxReplicas", std::to_string(most), "must be greater than 0");
  else if (most < least) errors.invalidRaw("spec.maxReplicas", std::to_string(most), "must be greater than or equal to `minReplicas`");
  auto& metrics = list(hpa, "spec.metrics");
  for (size_t i = 0; i < metrics.size(); ++i) validateMetric(metrics[i], indexed("spec.metrics", i), errors);
  validateRules(hpa, "scaleUp", errors);
  validateRules(hpa, "scaleDown", errors);
}

std::string percentOr(const Json* percent) { return percent && percent->is_int64() ? std::to_string(percent->get_int64()) + "%" : "<unknown>"; }

// "cpu: 20%/80%": what is measured, and what is aimed at.
std::string targetText(const Json& metric, const Json* now) {
  auto type = str(metric, "type");
  std::string name = memberOf(type);
  auto* source = at(metric, name);
  if (!source) return "<unknown type>";
  auto kind = str(*source, "target.type");
  auto* field = kind == "Utilization" ? "averageUtilization" : kind == "AverageValue" ? "averageValue" : "value";
  auto *wanted = at(*source, std::string("target.") + field), *current = now ? at(*now, name + ".current." + field) : nullptr;
  std::string label = type == "Resource" || type == "ContainerResource" ? text(str(*source, "name")) + ": " : "";
  if (kind == "Utilization") return label + percentOr(current) + "/" + percentOr(wanted);
  auto value = [](const Json* v) { return v && v->is_string() ? text(view(v->get_string())) : std::string("<unknown>"); };
  return label + value(current) + "/" + value(wanted) + (kind == "AverageValue" && label.empty() && type != "Pods" ? " (avg)" : "");
}

void cells(const Json& hpa, WallTime, std::vector<Json>& out) {
  out.emplace_back(text(str(hpa, "spec.scaleTargetRef.kind")) + "/" + text(str(hpa, "spec.scaleTargetRef.name")));
  auto &metrics = list(hpa, "spec.metrics"), &current = list(hpa, "status.currentMetrics");
  std::vector<std::string> texts;
  for (size_t i = 0; i < metrics.size(); ++i) texts.push_back(targetText(metrics[i], i < current.size() ? &current[i] : nullptr));
  std::string all;
  for (size_t i = 0; i < texts.size() && i < 2; ++i) all += (i ? ", " : "") + texts[i];
  if (texts.size() > 2) all += " + " + std::to_string(texts.size() - 2) + " more...";
  out.push_back(orNone(all));
  out.push_back(orUnset(at(hpa, "spec.minReplicas")));
}

void cellsOfBudget(const Json& budget, WallTime, std::vector<Json>& out) {
  for (auto* path : {"spec.minAvailable", "spec.maxUnavailable"}) {
    auto* v = at(budget, path);
    out.emplace_back(!v ? Json("N/A") : v->is_string() ? *v : Json(toText(*v)));
  }
}

void prepareBudget(Json& budget, const WriteContext&) {
  auto& status = budget.get_object()["status"].emplace_object();
  for (auto* field : {"disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods"}) status[field] = 0;
}

void validateBudget(const Json& budget, const WriteContext& context, ErrorList& errors) {
  if (context.subresource == "status") return;
  if (has(budget, "spec.minAvailable") && has(budget, "spec.maxUnavailable"))
    errors.invalidRaw("spec", toText(*at(budget, "spec")), "minAvailable and maxUnavailable cannot be both set");
  checkAmount(budget, "spec.minAvailable", true, errors);
  checkAmount(budget, "spec.maxUnavailable", true, errors);
  if (auto* selector = at(budget, "spec.selector")) checkLabelSelector(*selector, "spec.selector", errors);
}

}  // namespace

const Strategy autoscalerStrategy{.prepareCreate = prepareCreate, .prepareUpdate = prepareUpdate, .validate = validate, .cells = cells};
const Strategy disruptionBudgetStrategy{.prepareCreate = prepareBudget, .validate = validateBudget, .cells = cellsOfBudget};

}  // namespace ph::api::strategies
