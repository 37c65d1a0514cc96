#include "engine/server/eviction/eviction.h"

#include "engine/api/codec.h"
#include "engine/api/conditions.h"
#include "engine/api/types/core.h"
#include "engine/api/types/policy.h"
#include "engine/server/json_util.h"

namespace ph::server {

using api::core::Pod;
using api::policy::PodDisruptionBudget;

namespace {

// More pods than this may not be on their way out at the same time: their controller does not keep up.
constexpr size_t kMaxDisrupted = 2000;
constexpr int kLookAgain = 10;  // seconds, when the budget's status is behind

// It serves nobody: its going disrupts nothing.
bool idle(const ObjectPtr& pod) {
  if (pod->meta().deleting) return true;
  auto& phase = pod->as<Pod>().status.phase;
  return phase == "Succeeded" || phase == "Failed" || phase == "Pending" || phase.empty();
}

Status refused(const std::string& why, int retryAfter) {
  Status status = Status::tooManyRequests("Cannot evict pod as it would violate the pod's disruption budget.", retryAfter);
  status.causes.push_back({"DisruptionBudget", why, ""});
  return status;
}

Status behind(const std::string& budget) {
  return refused("The disruption budget " + budget + " is still being processed by the server.", kLookAgain);
}

// The budget that has to be asked about this pod; null: none.
Result<ObjectPtr> budgetOf(const Core& core, const ObjectPtr& pod) {
  auto* info = core.registry->storage("policy", "poddisruptionbudgets");
  ObjectPtr found;
  if (!info || idle(pod)) return found;
  std::string prefix = pod->ns() + "/";
  auto snapshot = core.cache->snapshot(*info);
  for (auto& [key, budget] : snapshot.objects.prefix(prefix)) {
    Json tree = budget->tree();
    auto* wanted = api::at(tree, "spec.selector");
    auto selector = api::LabelSelector::fromJson(wanted);
    if (!wanted || !selector.ok() || !selector->matches(pod->meta().labels)) continue;
    if (found)
      return Status::internal("This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.");
    found = budget;
  }
  if (!found || api::conditionTrue(pod->as<Pod>().status.conditions, "Ready")) return found;
  // One that is not ready does not count as healthy; it may go while enough others are.
  auto& budget = found->as<PodDisruptionBudget>();
  auto& status = budget.status;
  bool enough = status.currentHealthy >= status.desiredHealthy && status.desiredHealthy > 0;
  if (budget.spec.unhealthyPodEvictionPolicy == "AlwaysAllow" || enough) return ObjectPtr();
  return found;
}

void noMoreAllowed(JsonObject& status, WallTime now) {
  auto* list = status.if_contains("conditions");
  if (!list || !list->is_array()) return;
  for (auto& c : list->get_array()) {
    if (textAt(c.if_object(), "type") != "DisruptionAllowed") continue;
    auto& condition = c.get_object();
    condition["status"] = "False";
    condition["reason"] = "InsufficientPods";
    condition["lastTransitionTime"] = formatTime(now);
  }
}

// Takes one disruption from the budget for this pod, or says why there is none.
Result<Decision> take(const Core& core, const ObjectPtr& current, const std::string& pod) {
  if (!current) return Decision{Decision::Kind::NoChange, current};
  auto& budget = current->as<PodDisruptionBudget>();
  auto& status = budget.status;
  if (status.observedGeneration < current->meta().generation) return behind(current->name());
  if (status.disruptionsAllowed < 0) return forbidden(current->info(), current->name(), "pdb disruptions allowed is negative");
  if (status.disruptedPods.size() > kMaxDisrupted)
    return forbidden(current->info(), current->name(), "DisruptedPods map too big - too many evictions not confirmed by PDB controller");
  if (status.disruptionsAllowed == 0)
    return refused("The disruption budget " + current->name() + " needs " + std::to_string(status.desiredHealthy) +
                       " healthy pods and has " + std::to_string(status.currentHealthy) + " currently",
                   0);
  Json tree = current->tree();
  makeObject(tree, "metadata").erase("resourceVersion");
  auto& next = makeObject(tree, "status");
  next["disruptionsAllowed"] = status.disruptionsAllowed - 1;
  makeObject(next, "disruptedPods")[pod] = formatTime(core.now());
  if (status.disruptionsAllowed == 1) noMoreAllowed(next, core.now());
  return Decision{Decision::Kind::Put, api::Object::make(&current->info(), tree, 0)};
}

Result<Decision> decideEviction(PendingWrite& p, const ObjectPtr& current) {
  // It may have become one that counts since it was planned.
  if (current && !p.granted) {
    PH_ASSIGN(auto budget, budgetOf(*p.core, current));
    if (budget) return behind(budget->name());
  }
  auto decision = decideDelete(p, current);
  p.reply = PendingWrite::Reply::Status;
  return decision;
}

Result<> checkBody(const PendingWrite& p) {
  auto* root = p.tree.if_object();
  auto version = textAt(root, "apiVersion"), kind = textAt(root, "kind");
  bool known = (version.empty() || version == "policy/v1" || version == "policy/v1beta1") && (kind.empty() || kind == "Eviction");
  if (!root || !known)
    return Status::badRequest("the object provided is unrecognized (must be an Eviction of policy/v1 or policy/v1beta1)");
  auto name = textAt(objectAt(p.tree, "metadata"), "name");
  if (!name.empty() && name != p.request.name)
    return Status::badRequest("name in URL does not match name in Eviction object: " + p.request.name + " != " + std::string(name));
  return {};
}

}  // namespace

Result<> planEviction(PendingWrite& p) {
  if (p.request.verb != Verb::Create) return Status::methodNotAllowed("an eviction can only be created");
  PH_ASSIGN(p.tree, readBody(*p.core, p.request, nullptr));
  PH_TRY(checkBody(p));
  if (auto* options = member(&p.tree, "deleteOptions"); options && !options->is_null())
    PH_TRY(readDeleteOptions(*options, p.request.options));
  p.code = 201;
  p.decide = decideEviction;
  auto pod = p.core->cache->get(*p.info, p.key);
  if (!pod) return {};  // said when it is decided
  PH_ASSIGN(auto budget, budgetOf(*p.core, pod));
  if (!budget) return {};
  p.before = cache::Mutation{&budget->info(), budget->key(),
                             [core = p.core, name = pod->name()](const ObjectPtr& current) { return take(*core, current, name); },
                             nullptr};
  return {};
}

}  // namespace ph::server
