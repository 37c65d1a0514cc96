#include <algorithm>
#include <charconv>

#include "engine/api/strategies/containers.h"

namespace ph::api::strategies {
namespace {

void validateNodeExpressions(const JsonArray& expressions, const std::string& path, bool fields, ErrorList& errors) {
  for (size_t i = 0; i < expressions.size(); ++i) {
    auto& e = expressions[i];
    auto at = indexed(path, i);
    auto op = str(e, "operator");
    auto& values = list(e, "values");
    auto key = text(str(e, "key"));
    if (fields) {
      if (!key.empty() && key != "metadata.name") errors.invalid(at + ".key", key, "not a valid field selector key");
      if (values.size() != 1) errors.required(at + ".values", "must be only one value when `operator` is 'In' or 'NotIn' for node field selector");
      continue;
    }
    if (op == "In" || op == "NotIn") {
      if (values.empty()) errors.required(at + ".values", "must be specified when `operator` is 'In' or 'NotIn'");
    } else if (op == "Exists" || op == "DoesNotExist") {
      if (!values.empty()) errors.forbidden(at + ".values", "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
    } else if (op == "Gt" || op == "Lt") {
      if (values.size() != 1) errors.required(at + ".values", "must be specified single value when `operator` is 'Lt' or 'Gt'");
    }
    if (key.empty()) continue;
    if (auto why = checkQualifiedName(key); !why.empty()) errors.invalid(at + ".key", key, why);
  }
}

void validateNodeTerm(const Json& term, const std::string& path, ErrorList& errors) {
  validateNodeExpressions(list(term, "matchExpressions"), path + ".matchExpressions", false, errors);
  validateNodeExpressions(list(term, "matchFields"), path + ".matchFields", true, errors);
}

void validateNodeAffinity(const Json& affinity, const std::string& path, ErrorList& errors) {
  if (has(affinity, "requiredDuringSchedulingIgnoredDuringExecution")) {
    auto base = path + ".requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms";
    auto& terms = list(affinity, "requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms");
    for (size_t i = 0; i < terms.size(); ++i) validateNodeTerm(terms[i], indexed(base, i), errors);
  }
  auto& preferred = list(affinity, "preferredDuringSchedulingIgnoredDuringExecution");
  for (size_t i = 0; i < preferred.size(); ++i)
    if (auto* term = at(preferred[i], "preference"))
      validateNodeTerm(*term, indexed(path + ".preferredDuringSchedulingIgnoredDuringExecution", i) + ".preference", errors);
}

void validatePodTerm(const Json& term, const std::string& path, ErrorList& errors) {
  for (auto* selector : {"labelSelector", "namespaceSelector"})
    if (auto* s = at(term, selector)) checkLabelSelector(*s, path + "." + selector, errors);
  auto& namespaces = list(term, "namespaces");
  for (size_t i = 0; i < namespaces.size(); ++i)
    if (namespaces[i].is_string()) {
      auto name = text(view(namespaces[i].get_string()));
      if (auto why = checkDnsLabel(name); !why.empty()) errors.invalid(path + ".namespace", name, why);
    }
  auto key = text(str(term, "topologyKey"));
  if (key.empty()) return;
  if (auto why = checkQualifiedName(key); !why.empty()) errors.invalid(path + ".topologyKey", key, why);
}

void validatePodAffinity(const Json& affinity, const std::string& path, ErrorList& errors) {
  auto& required = list(affinity, "requiredDuringSchedulingIgnoredDuringExecution");
  for (size_t i = 0; i < required.size(); ++i)
    validatePodTerm(required[i], indexed(path + ".requiredDuringSchedulingIgnoredDuringExecution", i), errors);
  auto& preferred = list(affinity, "preferredDuringSchedulingIgnoredDuringExecution");
  for (size_t i = 0; i < preferred.size(); ++i)
    if (auto* term = at(preferred[i], "podAffinityTerm"))
      validatePodTerm(*term, indexed(path + ".preferredDuringSchedulingIgnoredDuringExecution", i) + ".podAffinityTerm", errors);
}

}  // namespace

void validateAffinity(const Json& affinity, const std::string& path, ErrorList& errors) {
  if (auto* a = at(affinity, "nodeAffinity")) validateNodeAffinity(*a, path + ".nodeAffinity", errors);
  if (auto* a = at(affinity, "podAffinity")) validatePodAffinity(*a, path + ".podAffinity", errors);
  if (auto* a = at(affinity, "podAntiAffinity")) validatePodAffinity(*a, path + ".podAntiAffinity", errors);
}

void validateTolerations(const JsonArray& tolerations, const std::string& path, ErrorList& errors) {
  for (size_t i = 0; i < tolerations.size(); ++i) {
    auto& t = tolerations[i];
    auto at = indexed(path, i);
    auto key = text(str(t, "key")), op = text(str(t, "operator")), value = text(str(t, "value"));
    if (!key.empty())
      if (auto why = checkQualifiedName(key); !why.empty()) errors.invalid(at + ".key", key, why);
    if (key.empty() && op != "Exists")
      errors.invalid(at + ".operator", op, "operator must be Exists when `key` is empty, which means \"match all values and all keys\"");
    if (has(t, "tolerationSeconds") && str(t, "effect") != "NoExecute")
      errors.invalid(at + ".effect", text(str(t, "effect")), "effect must be 'NoExecute' when `tolerationSeconds` is set");
    if (op == "Exists" && !value.empty()) errors.invalid(at + ".operator", value, "value must be empty when `operator` is 'Exists'");
    if (op != "Exists")
      if (auto why = checkLabelValue(value); !why.empty()) errors.invalid(at + ".operator", value, why);
  }
}

void validateSpread(const JsonArray& constraints, const std::string& path, ErrorList& errors) {
  Names seen;
  for (size_t i = 0; i < constraints.size(); ++i) {
    auto& c = constraints[i];
    auto at = indexed(path, i);
    if (num(c, "maxSkew") <= 0) errors.invalidRaw(at + ".maxSkew", std::to_string(num(c, "maxSkew")), "must be greater than zero");
    auto key = text(str(c, "topologyKey")), when = text(str(c, "whenUnsatisfiable"));
    if (!seen.insert(key + "|" + when).second) errors.duplicate(at + ".{topologyKey, whenUnsatisfiable}", "{" + key + ", " + when + "}");
    if (auto* s = api::at(c, "labelSelector")) checkLabelSelector(*s, at + ".labelSelector", errors);
  }
}

}  // namespace ph::api::strategies
