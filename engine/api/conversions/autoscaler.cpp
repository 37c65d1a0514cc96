// HorizontalPodAutoscaler v1 knows one target, the use of CPU; the rest stands in annotations, as Kubernetes writes them.
#include "engine/api/conversions/conversions.h"

namespace ph::api::conversions {
namespace {

using strategies::str;

constexpr const char *kMetrics = "autoscaling.alpha.kubernetes.io/metrics", *kBehavior = "autoscaling.alpha.kubernetes.io/behavior",
                     *kConditions = "autoscaling.alpha.kubernetes.io/conditions",
                     *kCurrent = "autoscaling.alpha.kubernetes.io/current-metrics";

// Where each kind of metric keeps its source, and how v1's annotation names its targets.
struct Source {
  const char *member, *value, *average, *utilization;
};
const Source* sourceOf(std::string_view type) {
  static constexpr std::pair<std::string_view, Source> kSources[] = {
      {"Resource", {"resource", nullptr, "targetAverageValue", "targetAverageUtilization"}},
      {"ContainerResource", {"containerResource", nullptr, "targetAverageValue", "targetAverageUtilization"}},
      {"Pods", {"pods", nullptr, "targetAverageValue", nullptr}},
      {"Object", {"object", "targetValue", "averageValue", nullptr}},
      {"External", {"external", "targetValue", "targetAverageValue", nullptr}}};
  for (auto& [name, source] : kSources)
    if (name == type) return &source;
  return nullptr;
}

bool isCpuUtilization(const Json& metric) {
  return str(metric, "type") == "Resource" && str(metric, "resource.name") == "cpu" && str(metric, "resource.target.type") == "Utilization";
}

void move(JsonObject& from, const char* name, JsonObject& to, const char* as) {
  if (name && as)
    if (Json v = take(from, name); !v.is_null()) to[as] = std::move(v);
}

// {metric: {name, selector}, target: {type, ...}} <-> {metricName, selector, targetValue...}
void metricToAnnotation(Json& metric) {
  auto* source = sourceOf(str(metric, "type"));
  auto* o = source ? objectIn(metric, source->member) : nullptr;
  if (!o) return;
  Json target = take(*o, "target"), named = take(*o, "metric"), described = take(*o, "describedObject");
  if (auto* t = target.if_object()) {
    move(*t, "value", *o, source->value);
    move(*t, "averageValue", *o, source->average);
    move(*t, "averageUtilization", *o, source->utilization);
  }
  if (auto* n = named.if_object()) {
    move(*n, "name", *o, "metricName");
    move(*n, "selector", *o, std::string_view(source->member) == "external" ? "metricSelector" : "selector");
  }
  if (described.is_object()) (*o)["target"] = std::move(described);
}

void metricFromAnnotation(Json& metric) {
  auto* source = sourceOf(str(metric, "type"));
  auto* o = source ? objectIn(metric, source->member) : nullptr;
  if (!o) return;
  if (Json described = take(*o, "target"); described.is_object()) (*o)["describedObject"] = std::move(described);
  JsonObject target, named;
  if (source->value) move(*o, source->value, target, "value");
  move(*o, source->average, target, "averageValue");
  if (source->utilization) move(*o, source->utilization, target, "averageUtilization");
  target["type"] = target.contains("averageUtilization") ? "Utilization" : target.contains("averageValue") ? "AverageValue" : "Value";
  move(*o, "metricName", named, "name");
  move(*o, std::string_view(source->member) == "external" ? "metricSelector" : "selector", named, "selector");
  if (!named.empty()) (*o)["metric"] = std::move(named);
  (*o)["target"] = std::move(target);
}

void toStored(Json& hpa) {
  Json metrics = takeAnnotation(hpa, kMetrics), behavior = takeAnnotation(hpa, kBehavior), conditions = takeAnnotation(hpa, kConditions);
  takeAnnotation(hpa, kCurrent);
  auto* spec = objectIn(hpa, "spec");
  if (spec) {
    if (!metrics.is_array()) metrics.emplace_array();
    for (auto& m : metrics.get_array()) metricFromAnnotation(m);
    if (Json percent = take(*spec, "targetCPUUtilizationPercentage"); !percent.is_null()) {
      Json target = JsonObject{{"type", "Utilization"}, {"averageUtilization", std::move(percent)}};
      Json cpu = JsonObject{{"type", "Resource"}, {"resource", JsonObject{{"name", "cpu"}, {"target", std::move(target)}}}};
      metrics.get_array().insert(metrics.get_array().begin(), std::move(cpu));
    }
    if (!metrics.get_array().empty()) (*spec)["metrics"] = std::move(metrics);
    if (behavior.is_object()) (*spec)["behavior"] = std::move(behavior);
  }
  auto* status = objectIn(hpa, "status");
  if (!status) return;
  if (conditions.is_array()) (*status)["conditions"] = std::move(conditions);
  if (Json percent = take(*status, "currentCPUUtilizationPercentage"); !percent.is_null()) {
    Json current = JsonObject{{"averageUtilization", std::move(percent)}};
    Json cpu = JsonObject{{"type", "Resource"}, {"resource", JsonObject{{"name", "cpu"}, {"current", std::move(current)}}}};
    (*status)["currentMetrics"] = JsonArray{std::move(cpu)};
  }
}

void statusFromStored(Json& hpa) {
  auto* status = objectIn(hpa, "status");
  if (!status) return;
  Json conditions = take(*status, "conditions"), current = take(*status, "currentMetrics");
  if (auto* list = current.if_array())
    for (auto& m : *list)
      if (str(m, "resource.name") == "cpu")
        if (auto* percent = at(m, "resource.current.averageUtilization")) (*status)["currentCPUUtilizationPercentage"] = *percent;
  if (conditions.is_array() && !conditions.get_array().empty()) setAnnotation(hpa, kConditions, conditions);
}

void fromStored(Json& hpa) {
  if (auto* spec = objectIn(hpa, "spec")) {
    Json metrics = take(*spec, "metrics"), behavior = take(*spec, "behavior");
    JsonArray others;
    if (auto* list = metrics.if_array())
      for (auto& m : *list) {
        if (isCpuUtilization(m) && !spec->contains("targetCPUUtilizationPercentage")) {
          if (auto* percent = at(m, "resource.target.averageUtilization")) (*spec)["targetCPUUtilizationPercentage"] = *percent;
          continue;
        }
        metricToAnnotation(m);
        others.push_back(std::move(m));
      }
    if (!others.empty()) setAnnotation(hpa, kMetrics, others);
    if (behavior.is_object()) setAnnotation(hpa, kBehavior, behavior);
  }
  statusFromStored(hpa);
}

}  // namespace

const Conversion autoscalerV1{toStored, fromStored};

}  // namespace ph::api::conversions
