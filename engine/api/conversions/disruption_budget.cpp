// An empty selector meant no pods in policy/v1beta1, and means all pods of the namespace since.
#include "engine/api/conversions/conversions.h"

namespace ph::api::conversions {
namespace {

constexpr const char* kNone = "pdb.kubernetes.io/deprecated-v1beta1-empty-selector-match";

bool empty(const JsonObject& selector) {
  for (auto& kv : selector) {
    auto& v = kv.value();
    if (auto* o = v.if_object(); o && !o->empty()) return false;
    if (auto* a = v.if_array(); a && !a->empty()) return false;
  }
  return true;
}

// By a label that nobody sets: no pods (Exists), or all of them (DoesNotExist).
Json marker(const char* op) { return JsonArray{JsonObject{{"key", kNone}, {"operator", op}}}; }

bool isMarker(const JsonObject& selector, const char* op) {
  auto* expressions = selector.if_contains("matchExpressions");
  return expressions && *expressions == marker(op) && !selector.contains("matchLabels");
}

void toStored(Json& budget) {
  auto* selector = objectIn(budget, "spec.selector");
  if (!selector) return;
  if (isMarker(*selector, "DoesNotExist")) {
    selector->erase("matchExpressions");
  } else if (empty(*selector)) {
    selector->erase("matchLabels");
    (*selector)["matchExpressions"] = marker("Exists");
  }
}

void fromStored(Json& budget) {
  auto* selector = objectIn(budget, "spec.selector");
  if (!selector) return;
  if (empty(*selector)) (*selector)["matchExpressions"] = marker("DoesNotExist");
  else if (isMarker(*selector, "Exists")) selector->erase("matchExpressions");
}

}  // namespace

const Conversion disruptionBudgetV1beta1{toStored, fromStored};

}  // namespace ph::api::conversions
