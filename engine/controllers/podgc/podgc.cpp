#include "engine/controllers/podgc/podgc.h"

#include <algorithm>

#include "engine/controllers/common/pods.h"

namespace ph::controllers {

namespace {
// A pod may be bound a moment before we hear of its Node.
constexpr Duration kNodeMayCome = std::chrono::seconds(2);
constexpr Duration kSweep = std::chrono::seconds(20);
constexpr size_t kMostAtOnce = 500;

bool ended(const ObjectPtr& pod) {
  auto& phase = podOf(pod).status.phase;
  return phase == "Succeeded" || phase == "Failed";
}

bool suspect(const Snapshot& snapshot, const ObjectPtr& pod) {
  auto& node = podOf(pod).spec.nodeName;
  return node.empty() ? pod->meta().deleting : !snapshot.get(snapshot.kinds().nodes, node);
}
}  // namespace

Plan collectPod(const Snapshot& snapshot, const Key& key, Moment now) {
  Plan plan;
  ObjectPtr pod = snapshot.get(snapshot.kinds().pods, key.text);
  if (!pod || !suspect(snapshot, pod)) return plan;
  auto& node = podOf(pod).spec.nodeName;
  auto about = client::ObjectReference::to(*pod);
  if (node.empty()) {
    if (!pod->meta().finalizers.empty()) return plan;
    plan.remove(*pod, 0);
    return plan;
  }
  Duration left =
      pod->meta().created + std::chrono::duration_cast<WallTime::duration>(kNodeMayCome) - now.wall;
  if (left > Duration::zero()) {
    plan.lookAgain(left);
    return plan;
  }
  if (pod->meta().deleting && pod->meta().deletionGraceSeconds == 0) return plan;  // it waits for a finalizer
  plan.absences.push_back({snapshot.kinds().nodes, {}, node, {}});
  Step& s = plan.remove(*pod, 0);
  s.ok = Note{about, "Normal", "NodeGone", "Pod is removed: its node " + node + " is no longer there", true};
  return plan;
}

ControllerSpec podGcController(const Kinds& kinds) {
  ControllerSpec spec;
  spec.name = "pod-garbage-collector";
  auto pod = [](const Snapshot& snapshot, const client::Change& c, Keys& keys) {
    if (c.now && suspect(snapshot, c.now)) keys.push_back(c.now->key());
  };
  auto node = [](const Snapshot& snapshot, const client::Change& c, Keys& keys) {
    if (c.now) return;
    for (auto& [key, pod] : snapshot.podsOn(c.old->name())) keys.push_back(key);
  };
  spec.watches = {{kinds.pods, pod}, {kinds.nodes, node}};
  spec.reconcile = collectPod;
  return spec;
}

Plan collectEnded(const Snapshot& snapshot, size_t limit) {
  Plan plan;
  plan.lookAgain(kSweep);
  auto& pods = snapshot.all(snapshot.kinds().pods);
  if (pods.size() <= limit) return plan;
  std::vector<ObjectPtr> list;
  for (auto& [key, pod] : pods)
    if (ended(pod) && !pod->meta().deleting) list.push_back(pod);
  if (list.size() <= limit) return plan;
  size_t count = std::min(list.size() - limit, kMostAtOnce);
  std::stable_sort(list.begin(), list.end(),
                   [](auto& a, auto& b) { return a->meta().created < b->meta().created; });
  for (size_t i = 0; i < count; ++i) plan.remove(*list[i], 0);
  return plan;
}

ControllerSpec endedPodsController(const Kinds& kinds, size_t limit) {
  ControllerSpec spec;
  spec.name = "ended-pods-collector";
  spec.watches = {{kinds.pods, [](const Snapshot&, const client::Change&, Keys&) {}}};
  spec.reconcile = [limit](const Snapshot& s, const Key&, Moment) { return collectEnded(s, limit); };
  spec.initialKeys = {"sweep"};
  return spec;
}

}  // namespace ph::controllers
