// What ReplicaSets and ReplicationControllers have in common: keeping as many pods of a template as wanted. A Form says how one
// of the two is built: its struct (Object), kind(), its name (word), selector() and the template's labels().
// Threads: pure.
#pragma once

#include <algorithm>

#include "engine/api/conditions.h"
#include "engine/controllers/common/pods.h"
#include "engine/controllers/runner.h"

namespace ph::controllers::replicas {

// At most as many pods are made or deleted by one plan.
inline constexpr int kBurst = 500;

inline Json podFrom(const api::Object& object) {
  Json tree = object.tree();
  Json& pod = tree.at("spec").at("template");
  JsonObject meta{{"generateName", object.name() + "-"}, {"namespace", object.ns()}};
  takeMeta(pod, {"labels", "annotations", "finalizers"}, meta);
  meta["ownerReferences"] = JsonArray{controllerReference(object)};
  return JsonObject{{"apiVersion", "v1"},
                    {"kind", "Pod"},
                    {"metadata", std::move(meta)},
                    {"spec", std::move(pod.at("spec"))}};
}

inline void createPods(const ObjectPtr& object, int count, const Key& key, const Snapshot& snapshot, Plan& plan) {
  // After a failure one pod goes first, to see whether the reason still holds.
  count = key.failures > 0 ? 1 : std::min(count, kBurst);
  std::string body = api::toText(podFrom(*object));
  auto about = client::ObjectReference::to(*object);
  for (int i = 0; i < count; ++i) {
    Step& s = plan.steps.emplace_back();
    s.write.verb = client::Verb::Create;
    s.write.info = snapshot.kinds().pods;
    s.write.ns = object->ns();
    s.write.body = body;
    s.tell(about, "Create", "Created pod: ", "Error creating: ");
  }
}

// The active pods of all sets of the same owner: where these are crowded, pods go first.
template <class Form>
std::vector<ObjectPtr> neighboursOf(const Snapshot& snapshot, const ObjectPtr& object,
                                    const std::vector<ObjectPtr>& own) {
  auto* owner = object->meta().controller();
  if (!owner) return own;
  std::vector<ObjectPtr> out;
  for (auto& [key, sibling] : snapshot.dependents(owner->uid, Form::kind(snapshot.kinds())))
    for (auto& [podKey, pod] : snapshot.dependents(sibling->uid(), snapshot.kinds().pods))
      if (podActive(pod)) out.push_back(pod);
  return out;
}

template <class Form>
void deletePods(const Snapshot& snapshot, const ObjectPtr& object, std::vector<ObjectPtr> pods, int count,
                Plan& plan) {
  count = std::min(count, kBurst);
  if (count < int(pods.size())) sortForDeletion(pods, neighboursOf<Form>(snapshot, object, pods));
  auto about = client::ObjectReference::to(*object);
  for (int i = 0; i < count; ++i) plan.remove(*pods[size_t(i)]).tell(about, "Delete", "Deleted pod: ", "Error deleting: ");
}

inline bool hasLabels(const ObjectPtr& pod, const auto& labels) {
  for (auto& [k, v] : labels)
    if (pod->meta().label(k) != v) return false;
  return true;
}

// The condition stays as it was first written: each try fails for a pod of another name, and a status that named it would be
// another one each time, whose change would have us try again at once.
template <class Status>
void reportFailure(Status& status, const Key& key, WallTime now) {
  if (key.lastError.empty()) {
    std::erase_if(status.conditions, [](auto& c) { return c.type == "ReplicaFailure"; });
    return;
  }
  if (api::findCondition(status.conditions, "ReplicaFailure")) return;
  auto& c = status.conditions.emplace_back();
  c.type = "ReplicaFailure";
  c.status = "True";
  c.reason = "FailedCreate";
  c.message = key.lastError;
  c.lastTransitionTime = now;
}

template <class Form>
void writeStatus(const ObjectPtr& object, const std::vector<ObjectPtr>& pods, const Key& key, Moment now,
                 Plan& plan) {
  auto& rs = object->as<typename Form::Object>();
  auto status = rs.status;
  status.observedGeneration = object->meta().generation;
  status.replicas = int(pods.size());
  status.fullyLabeledReplicas = status.readyReplicas = status.availableReplicas = 0;
  auto minReady = std::chrono::seconds(rs.spec.minReadySeconds);
  std::optional<Duration> until;
  for (auto& pod : pods) {
    status.fullyLabeledReplicas += hasLabels(pod, Form::labels(rs));
    status.readyReplicas += podReady(pod);
    status.availableReplicas += podAvailable(pod, minReady, now.wall, &until);
  }
  if (until) plan.lookAgain(*until);
  reportFailure(status, key, now.wall);
  plan.patchStatus(*object, rs.status, status);
}

template <class Form>
Plan reconcile(const Snapshot& snapshot, const Key& key, Moment now) {
  Plan plan;
  ObjectPtr object = snapshot.get(Form::kind(snapshot.kinds()), key.text);
  if (!object) return plan;
  auto& rs = object->as<typename Form::Object>();
  auto selector = Form::selector(rs);
  if (selector.empty()) return plan;  // it would claim every pod
  std::vector<ObjectPtr> pods = claim(snapshot, object, snapshot.kinds().pods, selector, plan);
  bool claiming = !plan.empty();
  std::erase_if(pods, [](auto& p) { return !podActive(p); });
  // Adopted pods count before others are made.
  if (!object->meta().deleting && !claiming) {
    int missing = rs.spec.replicas.value_or(1) - int(pods.size());
    if (missing > 0) createPods(object, missing, key, snapshot, plan);
    if (missing < 0) deletePods<Form>(snapshot, object, pods, -missing, plan);
  }
  writeStatus<Form>(object, pods, key, now, plan);
  return plan;
}

// A pod's controller; for a pod without one, whoever selects it.
template <class Form>
void keysOfPod(const Snapshot& snapshot, const client::Change& change, Keys& keys) {
  const ResourceInfo* kind = Form::kind(snapshot.kinds());
  auto add = [&](const ObjectPtr& pod) {
    auto* c = pod->meta().controller();
    if (c && c->kind == Form::word) keys.push_back(pod->ns() + "/" + c->name);
  };
  if (change.old && change.now) {
    auto *a = change.old->meta().controller(), *b = change.now->meta().controller();
    if (a && (!b || a->uid != b->uid)) add(change.old);
  }
  add(change.any());
  if (!change.now || change.now->meta().controller()) return;
  std::string prefix = change.now->ns() + "/";
  for (auto& [key, rs] : snapshot.all(kind).prefix(prefix))
    if (auto s = Form::selector(rs->template as<typename Form::Object>());
        !s.empty() && s.matches(change.now->meta().labels))
      keys.push_back(key);
}

}  // namespace ph::controllers::replicas
