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

Json matchNone() {
  return JsonArray{JsonObject{{"key", kNone}, {"operator", "Exists"}}};
}

void toStored(Json& budget) {
  auto* selector = objectIn(budget, "spec.selector");
  if (!selector || !empty(*selector)) return;
  selector->erase("matchLabels");
  (*selector)["matchExpressions"] = matchNone();
}

void fromStored(Json& budget) {
  auto* selector = objectIn(budget, "spec.selector");
  if (!selector) return;
  if (empty(*selector)) {
    // All pods, in a version where {} means none: those without a label that nobody sets.
    (*selector)["matchExpressions"] = JsonArray{JsonObject{{"key", kNone}, {"operator", "DoesNotExist"}}};
    return;
  }
  auto* expressions = selector->if_contains("matchExpressions");
  if (expressions && *expressions == matchNone() && !selector->contains("matchLabels")) selector->erase("matchExpressions");
}

}  // namespace

const Conversion disruptionBudgetV1beta1{toStored, fromStored};

}  // namespace ph::api::conversions
