#include "engine/controllers/daemonset/daemonset.h"

#include <algorithm>
#include <optional>
#include <set>
#include <string_view>
#include <tuple>
#include <utility>

#include "engine/controllers/common/pods.h"
#include "engine/controllers/daemonset/look.h"
#include "engine/controllers/replicaset/replicas.h"

namespace ph::controllers {

using namespace daemonset;

namespace daemonset {

namespace {

auto rank(const ObjectPtr& pod) {
  return std::tuple(podOf(pod).spec.nodeName.empty(), pod->meta().created, std::string_view(pod->name()));
}

// Both limits of a rolling update in nodes; they may not both be zero, or nothing could ever move.
void setLimits(Look& l) {
  if (!l.rolling()) return;
  auto& update = l.set.spec.updateStrategy.rollingUpdate.orEmpty();
  auto nodes = [&](const std::optional<api::IntOrString>& amount, int64_t otherwise) {
    int64_t n = amount.value_or(api::IntOrString(otherwise)).resolve(l.desired, true).value_or(0);
    return int(std::clamp<int64_t>(n, 0, l.desired));
  };
  l.maxSurge = nodes(update.maxSurge, 0);
  l.maxUnavailable = nodes(update.maxUnavailable, 1);
  if (l.maxSurge == 0 && l.maxUnavailable == 0) l.maxUnavailable = 1;
}

}  // namespace

std::string hashOf(const api::Object& revision, const std::string& owner) {
  auto label = revision.meta().label(kRevisionHash);
  if (!label.empty()) return std::string(label);
  return revision.name().starts_with(owner + "-") ? revision.name().substr(owner.size() + 1)
                                                  : revision.name();
}

Look::Look(const Snapshot& snapshot, ObjectPtr o, const Key& key, Moment now)
    : snapshot(snapshot),
      object(std::move(o)),
      set(object->as<api::apps::DaemonSet>()),
      key(key),
      now(now),
      demand(set.spec.template_.spec) {
  auto selector = selectorOf(set.spec.selector.orEmpty());
  history = keepHistory(snapshot, object, selector, set.status.collisionCount.value_or(0), plan);
  hash = history.current ? hashOf(*history.current, object->name())
                         : history.currentName.substr(object->name().size() + 1);
  size_t before = plan.steps.size();
  pods = claim(snapshot, object, snapshot.kinds().pods, selector, plan);
  claiming = plan.steps.size() != before;
  std::sort(pods.begin(), pods.end(), [](auto& a, auto& b) { return rank(a) < rank(b); });
  for (auto& [name, node] : snapshot.all(snapshot.kinds().nodes)) {
    Fit fit = places[name].fit = demand.on(node);
    desired += fit == Fit::Run;
  }
  setLimits(*this);
  for (auto& pod : pods)
    if (auto at = places.find(nodeOf(pod)); at != places.end() && !(ended(pod) && pod->meta().deleting))
      at->second.pods.push_back(pod);
}

bool Look::available(const ObjectPtr& pod) {
  std::optional<Duration> until;
  bool is = podAvailable(pod, std::chrono::seconds(set.spec.minReadySeconds), now.wall, &until);
  if (until) plan.lookAgain(*until);
  return is;
}

}  // namespace daemonset

namespace {

// At most as many pods are made, and as many deleted, by one plan.
constexpr size_t kBurst = 250;

void createPods(Look& l) {
  // After a failure one pod goes first, to see whether the reason still holds.
  size_t most = l.key.failures > 0 ? 1 : kBurst;
  std::optional<PodMaker> maker;
  auto about = client::ObjectReference::to(*l.object);
  for (auto& [node, place] : l.places) {
    if (!place.wanted) continue;
    if (most == 0) break;
    --most;
    if (!maker) maker.emplace(*l.object, l.hash, l.demand);
    Step& s = l.plan.create(l.snapshot.kinds().pods, l.object->ns(), maker->forNode(node, place.failures));
    s.tell(about, "Create", "Created pod: ", "Error creating: ");
  }
}

void deletePods(Look& l) {
  auto about = client::ObjectReference::to(*l.object);
  for (size_t i = 0; i < std::min(l.unwanted.size(), kBurst); ++i)
    l.plan.remove(*l.unwanted[i]).tell(about, "Delete", "Deleted pod: ", "Error deleting: ");
}

// Of each node's pods the first one counts.
api::apps::DaemonSetStatus count(Look& l) {
  auto s = l.set.status;
  s.observedGeneration = l.object->meta().generation;
  s.desiredNumberScheduled = l.desired;
  s.currentNumberScheduled = s.numberMisscheduled = s.numberReady = s.numberAvailable =
      s.updatedNumberScheduled = 0;
  for (auto& [node, place] : l.places) {
    if (place.pods.empty()) continue;
    if (place.fit != Fit::Run) {
      ++s.numberMisscheduled;
      continue;
    }
    auto& pod = place.pods.front();
    ++s.currentNumberScheduled;
    s.numberReady += podReady(pod);
    s.numberAvailable += l.available(pod);
    s.updatedNumberScheduled += l.updated(pod);
  }
  s.numberUnavailable = s.desiredNumberScheduled - s.numberAvailable;
  if (l.history.collisionCount > 0) s.collisionCount = l.history.collisionCount;
  return s;
}

// Those whose pods still run are kept whatever their age.
void forget(Look& l) {
  std::set<std::string_view> hashes;
  for (auto& pod : l.pods) hashes.insert(pod->meta().label(kRevisionHash));
  std::set<std::string> inUse;
  for (auto& r : l.history.revisions)
    if (hashes.contains(hashOf(*r, l.object->name()))) inUse.insert(r->name());
  trimHistory(l.history, l.set.spec.revisionHistoryLimit.value_or(10), inUse, l.plan);
}

struct DaemonSetForm {
  using Object = api::apps::DaemonSet;
  static constexpr std::string_view word = "DaemonSet";
  static const ResourceInfo* kind(const Kinds& kinds) { return kinds.daemonSets; }
  static api::LabelSelector selector(const Object& set) { return selectorOf(set.spec.selector.orEmpty()); }
};

// A heartbeat of a node changes nothing here.
void keysOfNode(const Snapshot& snapshot, const client::Change& change, Keys& keys) {
  bool same = change.old && change.now && change.old->uid() == change.now->uid();
  for (auto& [key, set] : snapshot.all(snapshot.kinds().daemonSets)) {
    Demand demand(set->as<api::apps::DaemonSet>().spec.template_.spec);
    if (!same || demand.on(change.old) != demand.on(change.now)) keys.push_back(key);
  }
}

}  // namespace

Plan reconcileDaemonSet(const Snapshot& snapshot, const Key& key, Moment now) {
  ObjectPtr object = snapshot.get(snapshot.kinds().daemonSets, key.text);
  if (!object || object->meta().deleting) return {};
  if (DaemonSetForm::selector(object->as<api::apps::DaemonSet>()).empty()) {
    Plan plan;
    plan.notes.push_back({client::ObjectReference::to(*object), "Warning", "SelectingAll",
                          "This daemon set selects all pods; it needs a selector that is not empty."});
    return plan;
  }
  Look l(snapshot, object, key, now);
  auto status = count(l);
  // Until the template has its revision, nobody knows which pods are old; adopted ones count before others
  // are made.
  if (l.history.current && !l.claiming) {
    tend(l);
    rollOut(l);
    createPods(l);
    deletePods(l);
    forget(l);
  }
  l.plan.patchStatus(*l.object, l.set.status, status);
  return std::move(l.plan);
}

ControllerSpec daemonSetController(const Kinds& kinds) {
  ControllerSpec spec;
  spec.name = "daemonset-controller";
  auto dependent = replicas::keysOfPod<DaemonSetForm>;
  spec.watches = {{kinds.daemonSets, keySelf},
                  {kinds.pods, dependent},
                  {kinds.controllerRevisions, dependent},
                  {kinds.nodes, keysOfNode}};
  spec.reconcile = reconcileDaemonSet;
  return spec;
}

}  // namespace ph::controllers
