// Rules of RBAC: what a rule allows, and whether some rules hold what others would give away. As Kubernetes'
// rbac.authorization.k8s.io/v1 documents PolicyRule. Threads: plain values, pure functions.
#pragma once

#include <string>
#include <vector>

#include "engine/server/authz.h"

namespace ph::server {

struct Rule {
  std::vector<std::string> verbs, apiGroups, resources, resourceNames, nonResourceUrls;
  bool operator==(const Rule&) const = default;
};
using Rules = std::vector<Rule>;

// The list at a role's "rules"; what is not of the form is left out.
Rules rulesFromJson(const Json* list);
Json toJson(const Rule& rule);

bool allows(const Rule& rule, const Attributes& attributes);

// Of `wanted`, what `held` does not hold: rules of one verb on one resource or path each, at most kMostMissing of them. A rule
// with more combinations than kMostCombinations counts as missing as a whole.
inline constexpr size_t kMostMissing = 200, kMostCombinations = 20'000;
Rules missingFrom(const Rules& held, const Rules& wanted);

// `{APIGroups:["apps"], Resources:["deployments"], Verbs:["get" "list"]}`, a line a resource, sorted: for the message of 403.
std::string describe(const Rules& missing);

// `"a" "b"` in brackets, as Go's %q writes a list.
std::string quotedList(const std::vector<std::string>& list);

}  // namespace ph::server
