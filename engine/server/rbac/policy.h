// The roles and bindings that every cluster has, as facts: which users, groups and controllers may do what by default. They carry
// the names and meaning of Kubernetes' default roles, so that manifests which bind "view" or "edit" work; the selection is ours.
// Words are separated by spaces; the group "core" is the API group "". Threads: constant.
#pragma once

#include <string_view>
#include <vector>

namespace ph::server {

struct RuleFact {
  std::string_view verbs, groups, resources, names, paths;
};

struct RoleFact {
  std::string_view name;
  std::vector<RuleFact> rules;
  std::string_view ns;           // empty: a ClusterRole
  std::string_view aggregateTo;  // "view": its rules become part of the role of this name
  bool aggregates = false;       // its rules are those of the roles that aggregate to it
};

struct BindingFact {
  std::string_view name, role;
  std::string_view users, groups, accounts;  // accounts: NS/NAME
  std::string_view ns;                       // empty: a ClusterRoleBinding, of a ClusterRole
  std::string_view roleKind = "ClusterRole";
};

const std::vector<RoleFact>& defaultRoles();
const std::vector<BindingFact>& defaultBindings();

}  // namespace ph::server
