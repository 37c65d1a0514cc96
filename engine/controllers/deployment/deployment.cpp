#include "engine/controllers/deployment/deployment.h"

#include <algorithm>
#include <limits>

#include "engine/controllers/common/pods.h"
#include "engine/controllers/deployment/rollout.h"

namespace ph::controllers {

using namespace deployment;

namespace deployment {

Rollout::Rollout(const Snapshot& snapshot, ObjectPtr o, const Key& key, Moment now)
    : snapshot(snapshot),
      object(std::move(o)),
      d(object->as<api::apps::Deployment>()),
      key(key),
      now(now),
      status(d.status) {
  auto found =
      claim(snapshot, object, snapshot.kinds().replicaSets, selectorOf(d.spec.selector.orEmpty()), plan);
  claiming = !plan.empty();
  std::sort(found.begin(), found.end(), [](auto& a, auto& b) {
    return a->meta().created != b->meta().created ? a->meta().created < b->meta().created
                                                  : a->name() < b->name();
  });
  for (auto& rs : found) {
    auto& typed = rs->as<api::apps::ReplicaSet>();
    Set& s = sets.emplace_back();
    s.object = rs;
    s.name = rs->name();
    s.replicas = typed.spec.replicas.value_or(1);
    s.status = typed.status;
  }
}

namespace {

// Both limits of a rolling update in pods; they may not both be zero, or nothing could ever move.
std::pair<int32_t, int32_t> limits(const Rollout& r) {
  if (!r.rolling()) return {0, 0};
  auto& update = r.d.spec.strategy.rollingUpdate.orEmpty();
  int64_t surge = update.maxSurge.value_or(api::IntOrString("25%")).resolve(r.wanted(), true).value_or(0);
  int64_t unavailable =
      update.maxUnavailable.value_or(api::IntOrString("25%")).resolve(r.wanted(), false).value_or(0);
  if (surge <= 0 && unavailable <= 0) unavailable = 1;
  return {int32_t(std::max<int64_t>(surge, 0)), int32_t(std::clamp<int64_t>(unavailable, 0, r.wanted()))};
}

}  // namespace

int32_t Rollout::maxSurge() const {
  return limits(*this).first;
}
int32_t Rollout::maxUnavailable() const {
  return limits(*this).second;
}

bool Rollout::hasDeadline() const {
  return d.spec.progressDeadlineSeconds &&
         *d.spec.progressDeadlineSeconds != std::numeric_limits<int32_t>::max();
}

std::vector<Set*> Rollout::old() {
  std::vector<Set*> out;
  for (auto& s : sets)
    if (&s != current) out.push_back(&s);
  return out;
}

std::vector<Set*> Rollout::active() {
  std::vector<Set*> out;
  for (auto& s : sets)
    if (s.replicas > 0) out.push_back(&s);
  return out;
}

}  // namespace deployment

namespace {

void roll(Rollout& r) {
  bool moved = r.rolling() ? rollForward(r) : recreate(r);
  countStatus(r);
  if (!moved && complete(r, r.status)) cleanUp(r);
  progressStatus(r);
}

}  // namespace

Plan reconcileDeployment(const Snapshot& snapshot, const Key& key, Moment now) {
  ObjectPtr object = snapshot.get(snapshot.kinds().deployments, key.text);
  if (!object) return {};
  auto& d = object->as<api::apps::Deployment>();
  if (selectorOf(d.spec.selector.orEmpty()).empty()) {
    Plan plan;
    plan.notes.push_back({client::ObjectReference::to(*object), "Warning", "SelectingAll",
                          "This deployment is selecting all pods. A non-empty selector is required."});
    return plan;
  }
  Rollout r(snapshot, object, key, now);
  if (r.claiming) return std::move(r.plan);
  if (object->meta().deleting) {
    syncSets(r, false);
    countStatus(r);
  } else {
    checkPaused(r);
    bool onlyScale = d.spec.paused || isScaling(r);
    // Under Recreate a new set must wait until the old pods are gone.
    syncSets(r, !onlyScale && r.rolling());
    if (onlyScale) {
      scaleProportionally(r);
      if (d.spec.paused) cleanUp(r);
      countStatus(r);
    } else {
      roll(r);
    }
  }
  writeSets(r);
  writeStatus(r);
  return std::move(r.plan);
}

namespace {

void keysOfSet(const Snapshot& snapshot, const client::Change& change, Keys& keys) {
  for (auto& object : {change.old, change.now}) {
    if (!object) continue;
    auto* c = object->meta().controller();
    if (c && c->kind == "Deployment") keys.push_back(object->ns() + "/" + c->name);
  }
  if (!change.now || change.now->meta().controller()) return;
  std::string prefix = change.now->ns() + "/";
  for (auto& [key, d] : snapshot.all(snapshot.kinds().deployments).prefix(prefix)) {
    auto s = selectorOf(d->as<api::apps::Deployment>().spec.selector.orEmpty());
    if (!s.empty() && s.matches(change.now->meta().labels)) keys.push_back(key);
  }
}

// A Recreate rollout waits for the last old pod.
void keysOfPod(const Snapshot& snapshot, const client::Change& change, Keys& keys) {
  if (change.now) return;
  auto* c = change.old->meta().controller();
  if (!c || c->kind != "ReplicaSet") return;
  ObjectPtr rs = snapshot.owner(*c, change.old->ns());
  auto* owner = rs ? rs->meta().controller() : nullptr;
  if (!owner || owner->kind != "Deployment") return;
  std::string key = rs->ns() + "/" + owner->name;
  ObjectPtr d = snapshot.get(snapshot.kinds().deployments, key);
  if (d && d->as<api::apps::Deployment>().spec.strategy.type == "Recreate") keys.push_back(std::move(key));
}

}  // namespace

ControllerSpec deploymentController(const Kinds& kinds) {
  ControllerSpec spec;
  spec.name = "deployment-controller";
  spec.watches = {{kinds.deployments, keySelf}, {kinds.replicaSets, keysOfSet}, {kinds.pods, keysOfPod}};
  spec.reconcile = reconcileDeployment;
  return spec;
}

}  // namespace ph::controllers
