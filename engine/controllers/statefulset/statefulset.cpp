#include "engine/controllers/statefulset/statefulset.h"

#include <fmt/format.h>

#include <set>

#include "engine/controllers/common/pods.h"
#include "engine/controllers/statefulset/look.h"

namespace ph::controllers {

using namespace statefulset;

namespace statefulset {

namespace {

// Null unless a pod can be made of it: people can write revisions too.
Json usableTemplate(const api::Object& revision) {
  Json pod = templateOf(revision);
  if (!pod.is_object() || !api::at(pod, "spec")) return nullptr;
  return api::fromJson<api::core::PodTemplateSpec>(pod).ok() ? pod : Json(nullptr);
}

void readRevisions(Look& l) {
  if (l.history.current) l.status.updateRevision = l.history.currentName;
  if (l.history.collisionCount) l.status.collisionCount = l.history.collisionCount;
  ObjectPtr old;
  for (auto& r : l.history.revisions)
    if (r->name() == l.status.currentRevision) old = r;
  if (old && old != l.history.current) l.oldTemplate = usableTemplate(*old);
  // A first version, or one that nobody knows any more.
  if (!old) l.status.currentRevision = l.status.updateRevision;
}

// As common claim(), but only pods that bear the set's name are adopted.
std::vector<ObjectPtr> claimPods(Look& l) {
  auto* kind = l.snapshot.kinds().pods;
  Plan claims;
  auto pods = claim(l.snapshot, l.object, kind, selectorOf(l.set.spec.selector.orEmpty()), claims);
  for (auto& step : claims.steps) {
    ObjectPtr pod = l.snapshot.get(kind, l.object->ns() + "/" + step.write.name);
    bool adopts = !pod->meta().controller();
    if (adopts && !ordinalOf(l.object->name(), pod->name())) continue;
    l.plan.steps.push_back(std::move(step));
    l.claiming = true;
  }
  return pods;
}

}  // namespace

Look::Look(const Snapshot& snapshot, ObjectPtr o, const Key& key, Moment now)
    : snapshot(snapshot),
      object(std::move(o)),
      set(object->as<api::apps::StatefulSet>()),
      key(key),
      now(now),
      status(set.status) {
  history = keepHistory(snapshot, object, selectorOf(set.spec.selector.orEmpty()),
                        set.status.collisionCount.value_or(0), plan);
  readRevisions(*this);
  newTemplate = object->tree().at("spec").at("template");
  for (auto& pod : claimPods(*this))
    if (auto ordinal = ordinalOf(object->name(), pod->name())) pods[*ordinal] = pod;
}

bool Look::healthy(const ObjectPtr& pod) const {
  return !pod->meta().deleting && podOf(pod).status.phase == "Running" &&
         podAvailable(pod, std::chrono::seconds(set.spec.minReadySeconds), now.wall);
}

Note Look::note(std::string type, std::string reason, std::string message) const {
  Note n{client::ObjectReference::to(*object), std::move(type), std::move(reason), std::move(message)};
  n.whole = true;
  return n;
}

void Look::told(Step& step, const std::string& reason, const std::string& what) const {
  step.tell(client::ObjectReference::to(*object), reason, what + " successful", what + " failed error: ");
  step.ok->whole = true;
}

void Look::remove(const ObjectPtr& pod) {
  told(plan.remove(*pod), "Delete", fmt::format("delete Pod {} in StatefulSet {}", pod->name(), object->name()));
}

void Look::blocked(const std::string& pod, const std::string& why) {
  plan.notes.push_back(note("Warning", "FailedCreate",
                            fmt::format("create Pod {} in StatefulSet {} failed error: {}", pod, object->name(), why)));
}

}  // namespace statefulset

namespace {

void scaleAndUpdate(Look& l) {
  bool whole = scaleUp(l);
  if (!whole && l.ordered()) return;
  if (scaleDown(l) && whole) roll(l);
}

void trim(Look& l) {
  if (!l.set.spec.revisionHistoryLimit) return;
  std::set<std::string> inUse{l.set.status.currentRevision, l.status.currentRevision, l.status.updateRevision};
  for (auto& [ordinal, pod] : l.pods) inUse.emplace(pod->meta().label(kRevisionHash));
  trimHistory(l.history, *l.set.spec.revisionHistoryLimit, inUse, l.plan);
}

}  // namespace

Plan reconcileStatefulSet(const Snapshot& snapshot, const Key& key, Moment now) {
  ObjectPtr object = snapshot.get(snapshot.kinds().statefulSets, key.text);
  if (!object) return {};
  // It would claim every pod.
  if (selectorOf(object->as<api::apps::StatefulSet>().spec.selector.orEmpty()).empty()) return {};
  Look l(snapshot, object, key, now);
  if (object->meta().deleting) {
    countStatus(l);
  } else if (l.history.current) {
    if (!l.claiming) scaleAndUpdate(l);
    countStatus(l);
    trim(l);
  }
  l.plan.patchStatus(*l.object, l.set.status, l.status);
  return std::move(l.plan);
}

namespace {

constexpr std::string_view kKind = "StatefulSet";

void addOwner(const ObjectPtr& object, Keys& keys) {
  auto* c = object->meta().controller();
  if (c && c->kind == kKind) keys.push_back(object->ns() + "/" + c->name);
}

void addIfThere(const Snapshot& snapshot, std::string key, Keys& keys) {
  if (snapshot.get(snapshot.kinds().statefulSets, key)) keys.push_back(std::move(key));
}

// Of a pod's name or the like, what stands before the last dash.
std::string_view beforeOrdinal(std::string_view name) {
  auto dash = name.rfind('-');
  return dash == name.npos ? std::string_view() : name.substr(0, dash);
}

// A pod's set, and the one whose name it bears: it may be adopted, or be in the way.
void keysOfPod(const Snapshot& snapshot, const client::Change& change, Keys& keys) {
  for (auto& pod : {change.old, change.now})
    if (pod) addOwner(pod, keys);
  auto& pod = change.any();
  std::string name(beforeOrdinal(pod->name()));
  if (!name.empty()) addIfThere(snapshot, pod->ns() + "/" + name, keys);
}

// TEMPLATE-SET-ORDINAL: template and set may have dashes of their own.
void keysOfClaim(const Snapshot& snapshot, const client::Change& change, Keys& keys) {
  auto& claim = change.any();
  std::string_view name = beforeOrdinal(claim->name());
  for (auto dash = name.find('-'); dash != name.npos; dash = name.find('-', dash + 1)) {
    std::string key = claim->ns() + "/" + std::string(name.substr(dash + 1));
    ObjectPtr object = snapshot.get(snapshot.kinds().statefulSets, key);
    if (!object) continue;
    for (auto& t : object->as<api::apps::StatefulSet>().spec.volumeClaimTemplates)
      if (t.metadata.name == name.substr(0, dash)) keys.push_back(key);
  }
}

void keysOfRevision(const Snapshot& snapshot, const client::Change& change, Keys& keys) {
  for (auto& revision : {change.old, change.now})
    if (revision) addOwner(revision, keys);
  if (!change.now || change.now->meta().controller()) return;
  std::string prefix = change.now->ns() + "/";
  for (auto& [key, object] : snapshot.all(snapshot.kinds().statefulSets).prefix(prefix)) {
    auto s = selectorOf(object->as<api::apps::StatefulSet>().spec.selector.orEmpty());
    if (!s.empty() && s.matches(change.now->meta().labels)) keys.push_back(key);
  }
}

}  // namespace

ControllerSpec statefulSetController(const Kinds& kinds) {
  ControllerSpec spec;
  spec.name = "statefulset-controller";
  spec.watches = {{kinds.statefulSets, keySelf},
                  {kinds.pods, keysOfPod},
                  {kinds.controllerRevisions, keysOfRevision},
                  {kinds.claims, keysOfClaim}};
  spec.reconcile = reconcileStatefulSet;
  return spec;
}

}  // namespace ph::controllers
