#include <algorithm>

#include "engine/api/quantity.h"
#include "engine/api/strategies/common.h"

namespace ph::api::strategies {
namespace {

void checkQuantities(const Json& o, const std::string& path, ErrorList& errors) {
  for (auto& kv : object(o, path)) {
    auto name = text(view(kv.key()));
    auto q = kv.value().is_string() ? Quantity::parse(view(kv.value().get_string())) : std::nullopt;
    if (auto why = checkQualifiedName(name.starts_with("count/") ? std::string_view(name).substr(6) : name); !why.empty())
      errors.invalid(path + "[" + name + "]", name, why);
    if (q && q->negative()) errors.invalid(path + "[" + name + "]", q->text(), "must be greater than or equal to 0");
  }
}

void resetQuota(Json& quota, const WriteContext&) { quota.get_object()["status"] = JsonObject(); }

void validateQuota(const Json& quota, const WriteContext& context, ErrorList& errors) {
  static const std::vector<std::string> kScopes = {"Terminating",   "NotTerminating",           "BestEffort",
                                                   "NotBestEffort", "PriorityClass", "CrossNamespacePodAffinity"};
  if (context.subresource == "status") {
    checkQuantities(quota, "status.hard", errors);
    return checkQuantities(quota, "status.used", errors);
  }
  checkQuantities(quota, "spec.hard", errors);
  auto check = [&](const std::string& path, std::string_view scope) {
    if (std::find(kScopes.begin(), kScopes.end(), scope) == kScopes.end()) errors.notSupported(path, text(scope), kScopes);
  };
  auto& scopes = list(quota, "spec.scopes");
  for (size_t i = 0; i < scopes.size(); ++i)
    if (scopes[i].is_string()) check(indexed("spec.scopes", i), view(scopes[i].get_string()));
  auto& terms = list(quota, "spec.scopeSelector.matchExpressions");
  for (size_t i = 0; i < terms.size(); ++i) {
    auto path = indexed("spec.scopeSelector.matchExpressions", i);
    check(path + ".scopeName", str(terms[i], "scopeName"));
    auto op = str(terms[i], "operator");
    bool values = !list(terms[i], "values").empty();
    if ((op == "In" || op == "NotIn") && !values) errors.required(path + ".values", "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector");
    if ((op == "Exists" || op == "DoesNotExist") && values) errors.invalidRaw(path + ".values", toText(*at(terms[i], "values")), "must be no value when `operator` is 'Exists' or 'DoesNotExist' for scope selector");
  }
}

void sameScopes(const Json& quota, const Json& old, const WriteContext& context, ErrorList& errors) {
  if (context.subresource != "status") immutable(quota, old, "spec.scopes", errors);
}

void cells(const Json& quota, WallTime, std::vector<Json>& out) {
  std::string requests, limits;
  std::vector<std::string> names;
  for (auto& kv : object(quota, "status.hard")) names.push_back(text(view(kv.key())));
  std::sort(names.begin(), names.end());
  for (auto& name : names) {
    auto& into = name.starts_with("limits.") ? limits : requests;
    auto *used = object(quota, "status.used").if_contains(name), *hard = object(quota, "status.hard").if_contains(name);
    into += (into.empty() ? "" : ", ") + name + ": " + (used && used->is_string() ? text(view(used->get_string())) : "0") + "/" +
            (hard && hard->is_string() ? text(view(hard->get_string())) : "0");
  }
  out.emplace_back(requests);
  out.emplace_back(limits);
}

const Json* quantityAt(const Json& item, const char* map, boost::json::string_view name) { return object(item, map).if_contains(name); }

// Limits that a container gets when it names none.
void defaultRange(Json& range, const WriteContext&) {
  auto* spec = member(range, "spec");
  auto* items = spec ? member(*spec, "limits") : nullptr;
  if (!items || !items->is_array()) return;
  for (auto& item : items->get_array()) {
    if (str(item, "type") != "Container") continue;
    auto fill = [&](const char* into, const char* from) {
      JsonObject source = object(item, from);
      for (auto& kv : source) setDefault(ensureObject(item, into), view(kv.key()), kv.value());
    };
    fill("default", "max");
    fill("defaultRequest", "default");
    fill("defaultRequest", "min");
  }
}
void defaultRangeAgain(Json& range, const Json&, const WriteContext& context) { defaultRange(range, context); }

void validateItem(const Json& item, const std::string& path, ErrorList& errors) {
  bool pod = str(item, "type") == "Pod";
  for (auto* map : {"default", "defaultRequest"})
    if (pod && has(item, map)) errors.forbidden(path + "." + map, "may not be specified when `type` is 'Pod'");
  if (str(item, "type") == "PersistentVolumeClaim" && !quantityAt(item, "min", "storage") && !quantityAt(item, "max", "storage"))
    errors.required(path + ".limits", "either minimum or maximum storage value is required, but neither was provided");
  // Each must not be more than the next: min <= defaultRequest <= default <= max.
  static constexpr const char* kOrder[] = {"min", "defaultRequest", "default", "max"};
  for (int low = 0; low < 4; ++low)
    for (int high = low + 1; high < 4; ++high)
      for (auto& kv : object(item, kOrder[low])) {
        auto* other = quantityAt(item, kOrder[high], kv.key());
        auto a = kv.value().is_string() ? Quantity::parse(view(kv.value().get_string())) : std::nullopt;
        auto b = other && other->is_string() ? Quantity::parse(view(other->get_string())) : std::nullopt;
        if (a && b && *b < *a)
          errors.invalid(path + "." + kOrder[low] + "[" + text(view(kv.key())) + "]", a->text(),
                         std::string(kOrder[low]) + " value " + a->text() + " is greater than " + kOrder[high] + " value " + b->text());
      }
}

void validateRange(const Json& range, const WriteContext&, ErrorList& errors) {
  auto& items = list(range, "spec.limits");
  std::vector<std::string> seen;
  for (size_t i = 0; i < items.size(); ++i) {
    auto type = text(str(items[i], "type"));
    auto path = indexed("spec.limits", i);
    if (std::find(seen.begin(), seen.end(), type) != seen.end()) errors.duplicate(path + ".type", type);
    seen.push_back(type);
    validateItem(items[i], path, errors);
  }
}

}  // namespace

const Strategy resourceQuotaStrategy{.prepareCreate = resetQuota, .validate = validateQuota, .validateUpdate = sameScopes, .cells = cells};
const Strategy limitRangeStrategy{.prepareCreate = defaultRange, .prepareUpdate = defaultRangeAgain, .validate = validateRange};

}  // namespace ph::api::strategies
