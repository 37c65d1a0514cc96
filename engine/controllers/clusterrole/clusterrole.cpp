#include "engine/controllers/clusterrole/clusterrole.h"

#include <algorithm>

#include "engine/api/selector.h"

namespace ph::controllers {
namespace {

const JsonArray* listAt(const Json& tree, std::string_view path) {
  auto* found = api::at(tree, path);
  return found ? found->if_array() : nullptr;
}

// What cannot be parsed selects nothing: validation lets no such thing in.
std::vector<api::LabelSelector> selectorsOf(const Json& role) {
  std::vector<api::LabelSelector> out;
  auto* list = listAt(role, "aggregationRule.clusterRoleSelectors");
  if (!list) return out;
  for (auto& v : *list)
    if (auto selector = api::LabelSelector::fromJson(&v); selector.ok()) out.push_back(std::move(*selector));
  return out;
}

void addRules(JsonArray& to, const Json& role) {
  auto* rules = listAt(role, "rules");
  if (!rules) return;
  for (auto& rule : *rules)
    if (std::find(to.begin(), to.end(), rule) == to.end()) to.push_back(rule);
}

// Any ClusterRole may be part of any that aggregates: those are looked at again (there are few).
void keysOfAggregating(const Snapshot& snapshot, const client::Change& change, Keys& keys) {
  keySelf(snapshot, change, keys);
  for (auto& [key, role] : snapshot.all(snapshot.kinds().clusterRoles))
    if (role->stored().find("\"aggregationRule\"") != std::string::npos) keys.push_back(key);
}

}  // namespace

Plan reconcileClusterRole(const Snapshot& snapshot, const Key& key, Moment) {
  Plan plan;
  auto* kind = snapshot.kinds().clusterRoles;
  ObjectPtr role = snapshot.get(kind, key.text);
  if (!role || role->meta().deleting) return plan;
  Json tree = role->tree();
  auto selectors = selectorsOf(tree);
  if (selectors.empty()) return plan;
  JsonArray rules;
  for (auto& selector : selectors)
    for (auto& [name, other] : snapshot.all(kind))
      if (name != key.text && selector.matches(other->meta().labels)) addRules(rules, other->tree());
  auto* now = listAt(tree, "rules");
  if (now ? *now == rules : rules.empty()) return plan;
  plan.patch(*role, JsonObject{{"rules", std::move(rules)}});
  return plan;
}

ControllerSpec clusterRoleController(const Kinds& kinds) {
  ControllerSpec spec;
  spec.name = "clusterrole-aggregation-controller";
  spec.watches = {{kinds.clusterRoles, keysOfAggregating}};
  spec.reconcile = reconcileClusterRole;
  return spec;
}

}  // namespace ph::controllers
