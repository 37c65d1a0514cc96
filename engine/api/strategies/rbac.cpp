#include "engine/api/strategies/common.h"

namespace ph::api::strategies {
namespace {

constexpr std::string_view kGroup = "rbac.authorization.k8s.io";

// ---- roles ----------------------------------------------------------------------------------------------------------

void validateRules(const Json& role, bool namespaced, ErrorList& errors) {
  auto& rules = list(role, "rules");
  for (size_t i = 0; i < rules.size(); ++i) {
    auto& rule = rules[i];
    std::string at = indexed("rules", i);
    auto& paths = list(rule, "nonResourceURLs");
    if (!paths.empty()) {
      std::string value = toText(Json(paths));
      if (namespaced)
        errors.invalidRaw(at + ".nonResourceURLs", value, "namespaced rules cannot apply to non-resource URLs");
      if (!list(rule, "apiGroups").empty() || !list(rule, "resources").empty() || !list(rule, "resourceNames").empty())
        errors.invalidRaw(at + ".nonResourceURLs", value,
                          "rules cannot apply to both regular resources and non-resource URLs");
      continue;
    }
    if (list(rule, "apiGroups").empty())
      errors.required(at + ".apiGroups", "resource rules must supply at least one api group");
    if (list(rule, "resources").empty())
      errors.required(at + ".resources", "resource rules must supply at least one resource");
  }
}

void validateRole(const Json& role, const WriteContext&, ErrorList& errors) { validateRules(role, true, errors); }

void validateClusterRole(const Json& role, const WriteContext&, ErrorList& errors) {
  validateRules(role, false, errors);
  if (!has(role, "aggregationRule")) return;
  auto& selectors = list(role, "aggregationRule.clusterRoleSelectors");
  if (selectors.empty())
    errors.required("aggregationRule.clusterRoleSelectors",
                    "at least one clusterRoleSelector required if aggregationRule is non-nil");
  for (size_t i = 0; i < selectors.size(); ++i)
    checkLabelSelector(selectors[i], indexed("aggregationRule.clusterRoleSelectors", i), errors);
}

// ---- bindings -------------------------------------------------------------------------------------------------------

// The group of a subject follows from its kind.
void defaultSubjects(Json& binding, const WriteContext&) {
  auto* subjects = member(binding, "subjects");
  auto* items = subjects ? subjects->if_array() : nullptr;
  if (!items) return;
  for (auto& s : *items) {
    auto kind = str(s, "kind");
    if ((kind == "User" || kind == "Group") && str(s, "apiGroup").empty() && s.is_object())
      s.get_object()["apiGroup"] = kGroup;
  }
}

void defaultSubjectsAgain(Json& binding, const Json&, const WriteContext& context) { defaultSubjects(binding, context); }

void validateSubject(const Json& s, bool namespaced, const std::string& at, ErrorList& errors) {
  auto kind = text(str(s, "kind")), name = text(str(s, "name")), group = text(str(s, "apiGroup"));
  if (kind == "ServiceAccount") {
    if (auto why = name.empty() ? std::string() : checkDnsSubdomain(name); !why.empty()) errors.invalid(at + ".name", name, why);
    if (!group.empty()) errors.notSupported(at + ".apiGroup", group, {""});
    if (!namespaced && str(s, "namespace").empty()) errors.required(at + ".namespace");
  } else if (kind == "User" || kind == "Group") {
    if (group != kGroup) errors.notSupported(at + ".apiGroup", group, {text(kGroup)});
  } else if (!kind.empty()) {
    errors.notSupported(at + ".kind", kind, {"ServiceAccount", "User", "Group"});
  }
}

void validateAnyBinding(const Json& binding, bool namespaced, ErrorList& errors) {
  auto group = text(str(binding, "roleRef.apiGroup")), kind = text(str(binding, "roleRef.kind")),
       name = text(str(binding, "roleRef.name"));
  if (group != kGroup) errors.notSupported("roleRef.apiGroup", group, {text(kGroup)});
  bool known = kind == "ClusterRole" || (namespaced && kind == "Role");
  if (!known && !kind.empty())
    errors.notSupported("roleRef.kind", kind,
                        namespaced ? std::vector<std::string>{"Role", "ClusterRole"} : std::vector<std::string>{"ClusterRole"});
  if (auto why = name.empty() ? std::string() : checkPathSegment(name); !why.empty()) errors.invalid("roleRef.name", name, why);
  auto& subjects = list(binding, "subjects");
  for (size_t i = 0; i < subjects.size(); ++i) validateSubject(subjects[i], namespaced, indexed("subjects", i), errors);
}

void validateRoleBinding(const Json& b, const WriteContext&, ErrorList& errors) { validateAnyBinding(b, true, errors); }
void validateClusterRoleBinding(const Json& b, const WriteContext&, ErrorList& errors) {
  validateAnyBinding(b, false, errors);
}

// Who may change the subjects could else change what they get.
void keepRoleRef(const Json& binding, const Json& old, const WriteContext&, ErrorList& errors) {
  auto &now = object(binding, "roleRef"), &was = object(old, "roleRef");
  if (now != was) errors.invalidRaw("roleRef", toText(Json(now)), "cannot change roleRef");
}

void cells(const Json& binding, WallTime, std::vector<Json>& out) {
  out.emplace_back(text(str(binding, "roleRef.kind")) + "/" + text(str(binding, "roleRef.name")));
  std::string users, groups, accounts;
  auto add = [](std::string& to, std::string s) { to += (to.empty() ? "" : ", ") + std::move(s); };
  for (auto& s : list(binding, "subjects")) {
    auto kind = str(s, "kind"), name = str(s, "name");
    if (kind == "User") add(users, text(name));
    if (kind == "Group") add(groups, text(name));
    if (kind == "ServiceAccount") add(accounts, text(str(s, "namespace")) + "/" + text(name));
  }
  out.emplace_back(users);
  out.emplace_back(groups);
  out.emplace_back(accounts);
}

}  // namespace

const Strategy roleStrategy{.validate = validateRole, .checkName = checkPathSegment};
const Strategy clusterRoleStrategy{.validate = validateClusterRole, .checkName = checkPathSegment};
const Strategy roleBindingStrategy{.prepareCreate = defaultSubjects,
                                   .prepareUpdate = defaultSubjectsAgain,
                                   .validate = validateRoleBinding,
                                   .validateUpdate = keepRoleRef,
                                   .checkName = checkPathSegment,
                                   .cells = cells};
const Strategy clusterRoleBindingStrategy{.prepareCreate = defaultSubjects,
                                          .prepareUpdate = defaultSubjectsAgain,
                                          .validate = validateClusterRoleBinding,
                                          .validateUpdate = keepRoleRef,
                                          .checkName = checkPathSegment,
                                          .cells = cells};

}  // namespace ph::api::strategies
