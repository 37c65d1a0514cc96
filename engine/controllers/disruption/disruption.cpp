#include "engine/controllers/disruption/disruption.h"

#include <fmt/format.h>

#include <charconv>
#include <map>

#include "engine/api/conditions.h"
#include "engine/api/types/apps.h"
#include "engine/api/types/policy.h"
#include "engine/controllers/common/pods.h"

namespace ph::controllers {

using api::policy::PodDisruptionBudget;

namespace {

// An eviction that was allowed, but after which its pod is still there for so long, no longer counts as on its way.
constexpr auto kDeletionTimeout = std::chrono::minutes(2);

struct Expected {
  int64_t pods = 0, healthy = 0;
  std::string problem;  // why they can't be known
};

std::vector<ObjectPtr> podsOf(const Snapshot& snapshot, const ObjectPtr& budget) {
  std::vector<ObjectPtr> out;
  auto& selected = budget->as<PodDisruptionBudget>().spec.selector;
  if (!selected) return out;
  auto selector = selectorOf(*selected);
  std::string prefix = budget->ns() + "/";
  for (auto& [key, pod] : snapshot.all(snapshot.kinds().pods).prefix(prefix))
    if (selector.matches(pod->meta().labels)) out.push_back(pod);
  return out;
}

// How many pods the top of a pod's owners wants; nullopt: it has none that says so.
std::optional<std::pair<std::string, int64_t>> scaleOf(const Snapshot& snapshot, const ObjectPtr& pod) {
  auto* ref = pod->meta().controller();
  auto owner = ref ? snapshot.owner(*ref, pod->ns()) : nullptr;
  if (!owner) return std::nullopt;
  auto& kinds = snapshot.kinds();
  auto* kind = &owner->info();
  if (kind == kinds.replicaSets) {
    auto* above = owner->meta().controller();
    auto deployment = above ? snapshot.owner(*above, pod->ns()) : nullptr;
    if (deployment && &deployment->info() == kinds.deployments)
      return std::pair{deployment->uid(), int64_t(deployment->as<api::apps::Deployment>().spec.replicas.value_or(1))};
    return std::pair{owner->uid(), int64_t(owner->as<api::apps::ReplicaSet>().spec.replicas.value_or(1))};
  }
  if (kind == kinds.statefulSets)
    return std::pair{owner->uid(), int64_t(owner->as<api::apps::StatefulSet>().spec.replicas.value_or(1))};
  if (kind == kinds.replicationControllers)
    return std::pair{owner->uid(), int64_t(owner->as<api::core::ReplicationController>().spec.replicas.value_or(1))};
  return std::nullopt;
}

// The sum over the pods' controllers; pods without one are not part of it.
int64_t expectedScale(const Snapshot& snapshot, const std::vector<ObjectPtr>& pods, std::string& problem) {
  std::map<std::string, int64_t> scales;
  for (auto& pod : pods) {
    if (!pod->meta().controller()) continue;
    if (auto scale = scaleOf(snapshot, pod))
      scales.insert(*scale);
    else
      problem = fmt::format("found no controllers for pod \"{}\"", pod->name());
  }
  int64_t sum = 0;
  for (auto& [uid, n] : scales) sum += n;
  return sum;
}

// A number, or a percentage of `of`, rounded up; nullopt: neither.
std::optional<int64_t> scaled(const api::IntOrString& value, int64_t of) {
  if (!value.isString) return value.i;
  std::string_view text = value.s;
  int64_t percent = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), percent);
  if (error != std::errc() || std::string_view(end, size_t(text.data() + text.size() - end)) != "%") return std::nullopt;
  return (of * percent + 99) / 100;
}

Expected expect(const Snapshot& snapshot, const PodDisruptionBudget& budget, const std::vector<ObjectPtr>& pods) {
  Expected out;
  out.pods = int64_t(pods.size());
  auto fraction = [&](const api::IntOrString& value) {
    auto n = scaled(value, out.pods);
    if (!n && out.problem.empty()) out.problem = fmt::format("\"{}\" is neither a number nor a percentage", value.s);
    return n.value_or(0);
  };
  if (auto& most = budget.spec.maxUnavailable) {
    out.pods = expectedScale(snapshot, pods, out.problem);
    out.healthy = std::max<int64_t>(0, out.pods - fraction(*most));
  } else if (auto& least = budget.spec.minAvailable) {
    if (least->isString) out.pods = expectedScale(snapshot, pods, out.problem);
    out.healthy = fraction(*least);
  }
  return out;
}

void setCondition(api::policy::PodDisruptionBudgetStatus& status, const std::string& problem, int64_t generation, WallTime now) {
  bool allowed = problem.empty() && status.disruptionsAllowed > 0;
  auto* c = api::findCondition(status.conditions, "DisruptionAllowed");
  if (!c) {
    c = &status.conditions.emplace_back();
    c->type = "DisruptionAllowed";
  }
  std::string state = allowed ? "True" : "False";
  if (c->status != state) c->lastTransitionTime = now;
  c->status = state;
  c->reason = !problem.empty() ? "SyncFailed" : allowed ? "SufficientPods" : "InsufficientPods";
  c->message = problem;
  c->observedGeneration = generation;
}

}  // namespace

Plan reconcileDisruption(const Snapshot& snapshot, const Key& key, Moment now) {
  Plan plan;
  ObjectPtr object = snapshot.get(snapshot.kinds().disruptionBudgets, key.text);
  if (!object || object->meta().deleting) return plan;
  auto& budget = object->as<PodDisruptionBudget>();
  auto pods = podsOf(snapshot, object);
  auto expected = expect(snapshot, budget, pods);
  auto status = budget.status;
  status.disruptedPods.clear();
  status.currentHealthy = 0;
  for (auto& pod : pods) {
    if (pod->meta().deleting) continue;
    if (auto since = budget.status.disruptedPods.find(pod->name()); since != budget.status.disruptedPods.end()) {
      auto left = since->second.value_or(WallTime{}) + kDeletionTimeout - now.wall;
      if (left > Duration::zero()) {
        status.disruptedPods.insert(*since);
        plan.lookAgain(std::chrono::duration_cast<Duration>(left));
        continue;
      }
    }
    status.currentHealthy += podReady(pod);
  }
  // While no pods are expected none may go: the first ones come before this is looked at again.
  int64_t allowed = status.currentHealthy - expected.healthy;
  status.disruptionsAllowed = int32_t(expected.pods <= 0 || allowed < 0 || !expected.problem.empty() ? 0 : allowed);
  status.desiredHealthy = int32_t(expected.healthy);
  status.expectedPods = int32_t(expected.pods);
  status.observedGeneration = object->meta().generation;
  setCondition(status, expected.problem, object->meta().generation, now.wall);
  // An eviction may have counted one down in the meantime: only on the state that this was reckoned from.
  plan.patchStatus(*object, budget.status, status, Onto::Same);
  return plan;
}

namespace {

void keysOfPod(const Snapshot& snapshot, const client::Change& change, Keys& keys) {
  std::string prefix = change.any()->ns() + "/";
  for (auto& [key, budget] : snapshot.all(snapshot.kinds().disruptionBudgets).prefix(prefix)) {
    auto& selected = budget->as<PodDisruptionBudget>().spec.selector;
    if (!selected) continue;
    auto selector = selectorOf(*selected);
    if ((change.old && selector.matches(change.old->meta().labels)) || (change.now && selector.matches(change.now->meta().labels)))
      keys.push_back(key);
  }
}

// A workload's size counts for the budgets of its namespace.
void keysOfNamespace(const Snapshot& snapshot, const client::Change& change, Keys& keys) {
  if (change.old && change.now && change.old->meta().generation == change.now->meta().generation) return;
  std::string prefix = change.any()->ns() + "/";
  for (auto& [key, budget] : snapshot.all(snapshot.kinds().disruptionBudgets).prefix(prefix)) keys.push_back(key);
}

}  // namespace

ControllerSpec disruptionController(const Kinds& kinds) {
  ControllerSpec spec;
  spec.name = "controllermanager";
  spec.watches = {{kinds.disruptionBudgets, keySelf},
                  {kinds.pods, keysOfPod},
                  {kinds.replicaSets, keysOfNamespace},
                  {kinds.deployments, keysOfNamespace},
                  {kinds.replicationControllers, keysOfNamespace},
                  {kinds.statefulSets, keysOfNamespace}};
  spec.reconcile = reconcileDisruption;
  return spec;
}

}  // namespace ph::controllers
