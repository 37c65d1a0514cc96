// A status' list of conditions, of whatever kind: PodCondition, NodeCondition, DeploymentCondition...
// Source: Kubernetes' API conventions. Threads: pure.
#pragma once

#include <string_view>
#include <vector>

namespace ph::api {

// Null: there is none of this type.
template <class C>
const C* findCondition(const std::vector<C>& conditions, std::string_view type) {
  for (auto& c : conditions)
    if (c.type == type) return &c;
  return nullptr;
}
template <class C>
C* findCondition(std::vector<C>& conditions, std::string_view type) {
  for (auto& c : conditions)
    if (c.type == type) return &c;
  return nullptr;
}

template <class C>
bool conditionTrue(const std::vector<C>& conditions, std::string_view type) {
  auto* c = findCondition(conditions, type);
  return c && c->status == "True";
}

}  // namespace ph::api
