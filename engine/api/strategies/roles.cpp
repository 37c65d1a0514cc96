#include "engine/api/strategies/common.h"

namespace ph::api::strategies {
namespace {

constexpr const char* kGroup = "rbac.authorization.k8s.io";

void validateRule(const Json& rule, const std::string& path, bool namespaced, ErrorList& errors) {
  bool urls = !list(rule, "nonResourceURLs").empty();
  bool kinds = !list(rule, "apiGroups").empty() || !list(rule, "resources").empty() || !list(rule, "resourceNames").empty();
  if (urls && namespaced) errors.invalidRaw(path + ".nonResourceURLs", toText(*at(rule, "nonResourceURLs")), "namespaced rules cannot apply to non-resource URLs");
  if (urls && kinds) errors.invalidRaw(path + ".nonResourceURLs", toText(*at(rule, "nonResourceURLs")), "rules cannot apply to both regular resources and non-resource URLs");
  if (urls) return;
  if (list(rule, "apiGroups").empty()) errors.required(path + ".apiGroups", "resource rules must supply at least one api group");
  if (list(rule, "resources").empty()) errors.required(path + ".resources", "resource rules must supply at least one resource");
}

void validateRole(const Json& role, const WriteContext& context, ErrorList& errors) {
  auto& rules = list(role, "rules");
  for (size_t i = 0; i < rules.size(); ++i) validateRule(rules[i], indexed("rules", i), context.info->namespaced, errors);
  auto& selectors = list(role, "aggregationRule.clusterRoleSelectors");
  if (has(role, "aggregationRule") && selectors.empty())
    errors.required("aggregationRule.clusterRoleSelectors", "at least one clusterRoleSelector required if aggregationRule is non-nil");
  for (size_t i = 0; i < selectors.size(); ++i) checkLabelSelector(selectors[i], indexed("aggregationRule.clusterRoleSelectors", i), errors);
}

void prepareBinding(Json& binding, const WriteContext&) {
  auto* subjects = member(binding, "subjects");
  if (!subjects || !subjects->is_array()) return;
  for (auto& s : subjects->get_array()) {
    if (!s.is_object()) continue;
    auto kind = str(s, "kind");
    if (kind == "User" || kind == "Group") setDefault(s.get_object(), "apiGroup", kGroup);
  }
}
void updateBinding(Json& binding, const Json&, const WriteContext& context) { prepareBinding(binding, context); }

void validateSubject(const Json& s, const std::string& path, ErrorList& errors) {
  auto kind = text(str(s, "kind")), group = text(str(s, "apiGroup"));
  if (kind == "ServiceAccount") {
    if (!group.empty()) errors.notSupported(path + ".apiGroup", group, {""});
    if (str(s, "namespace").empty()) errors.required(path + ".namespace");
    if (auto why = checkDnsSubdomain(str(s, "name")); !str(s, "name").empty() && !why.empty()) errors.invalid(path + ".name", text(str(s, "name")), why);
  } else if (kind == "User" || kind == "Group") {
    if (group != kGroup) errors.notSupported(path + ".apiGroup", group, {kGroup});
  } else if (!kind.empty()) {
    errors.notSupported(path + ".kind", kind, {"ServiceAccount", "User", "Group"});
  }
}

void validateBinding(const Json& binding, const WriteContext& context, ErrorList& errors) {
  auto kind = text(str(binding, "roleRef.kind"));
  if (str(binding, "roleRef.apiGroup") != kGroup) errors.notSupported("roleRef.apiGroup", text(str(binding, "roleRef.apiGroup")), {kGroup});
  if (!kind.empty() && kind != "ClusterRole" && !(kind == "Role" && context.info->namespaced))
    errors.notSupported("roleRef.kind", kind, context.info->namespaced ? std::vector<std::string>{"Role", "ClusterRole"} : std::vector<std::string>{"ClusterRole"});
  if (auto why = checkPathSegment(str(binding, "roleRef.name")); !why.empty()) errors.invalid("roleRef.name", text(str(binding, "roleRef.name")), why);
  auto& subjects = list(binding, "subjects");
  for (size_t i = 0; i < subjects.size(); ++i) validateSubject(subjects[i], indexed("subjects", i), errors);
}

void validateBindingUpdate(const Json& binding, const Json& old, const WriteContext&, ErrorList& errors) {
  auto *now = at(binding, "roleRef"), *before = at(old, "roleRef");
  if (now && before && *now != *before) errors.invalidRaw("roleRef", toText(*now), "cannot change roleRef");
}

void cells(const Json& binding, WallTime, std::vector<Json>& out) {
  out.emplace_back(text(str(binding, "roleRef.kind")) + "/" + text(str(binding, "roleRef.name")));
  for (auto* kind : {"User", "Group", "ServiceAccount"}) {
    std::string all;
    for (auto& s : list(binding, "subjects")) {
      if (str(s, "kind") != kind) continue;
      auto ns = str(s, "namespace");
      all += (all.empty() ? "" : ", ") + (ns.empty() || str(s, "kind") != "ServiceAccount" ? "" : text(ns) + "/") + text(str(s, "name"));
    }
    out.emplace_back(all);
  }
}

}  // namespace

const Strategy roleStrategy{.validate = validateRole, .checkName = checkPathSegment};
const Strategy roleBindingStrategy{.prepareCreate = prepareBinding,
                                   .prepareUpdate = updateBinding,
                                   .validate = validateBinding,
                                   .validateUpdate = validateBindingUpdate,
                                   .checkName = checkPathSegment,
                                   .cells = cells};

}  // namespace ph::api::strategies
