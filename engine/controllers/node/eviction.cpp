#include "engine/controllers/node/eviction.h"

#include <algorithm>

#include "engine/api/node_match.h"
#include "engine/api/types/core.h"
#include "engine/controllers/common/pods.h"

namespace ph::controllers {

using api::core::Node;
using api::core::Taint;

namespace {

// When the pod has to go; nullopt: it may stay.
std::optional<WallTime> goesAt(const api::core::Pod& pod, const std::vector<const Taint*>& taints,
                               WallTime now) {
  std::optional<WallTime> at;
  for (auto* taint : taints) {
    WallTime added = taint->timeAdded.value_or(now);
    bool tolerated = false;
    std::optional<WallTime> until;
    for (auto& t : pod.spec.tolerations) {
      if (!api::tolerates(t, *taint)) continue;
      tolerated = true;
      if (!t.tolerationSeconds) continue;  // for ever, unless another one is shorter
      WallTime then = added + std::chrono::seconds(std::max<int64_t>(0, *t.tolerationSeconds));
      if (!until || then < *until) until = then;
    }
    if (!tolerated) until = added;
    if (until && (!at || *until < *at)) at = until;
  }
  return at;
}

std::vector<const Taint*> evicting(const Node& node) {
  std::vector<const Taint*> out;
  for (auto& t : node.spec.taints)
    if (t.effect == "NoExecute") out.push_back(&t);
  return out;
}

}  // namespace

Plan evictFromNode(const Snapshot& snapshot, const Key& key, Moment now, Duration settle) {
  Plan plan;
  ObjectPtr object = snapshot.get(snapshot.kinds().nodes, key.text);
  if (!object) return plan;
  auto taints = evicting(object->as<Node>());
  if (taints.empty()) return plan;
  Duration early = snapshot.steadySince() + settle - now.mono;
  for (auto& [podKey, pod] : snapshot.podsOn(key.text)) {
    if (!podActive(pod)) continue;
    auto at = goesAt(podOf(pod), taints, now.wall);
    if (!at) continue;
    Duration left = std::max<Duration>(*at - now.wall, early);
    if (left > Duration::zero()) {
      plan.lookAgain(left);
      continue;
    }
    Step& s = plan.remove(*pod);
    s.ok = Note{client::ObjectReference::to(*pod), "Normal", "TaintManagerEviction",
                "Marking for deletion Pod " + podKey, true};
  }
  return plan;
}

ControllerSpec evictionController(const Kinds& kinds, Duration settle) {
  ControllerSpec spec;
  spec.name = "taint-eviction-controller";
  auto node = [](const Snapshot&, const client::Change& c, Keys& keys) {
    if (c.now && !evicting(c.now->as<Node>()).empty()) keys.push_back(c.now->name());
  };
  auto pod = [](const Snapshot& snapshot, const client::Change& c, Keys& keys) {
    if (!c.now || !podActive(c.now)) return;
    auto& name = podOf(c.now).spec.nodeName;
    ObjectPtr node = name.empty() ? nullptr : snapshot.get(snapshot.kinds().nodes, name);
    if (node && !evicting(node->as<Node>()).empty()) keys.push_back(name);
  };
  spec.watches = {{kinds.nodes, node}, {kinds.pods, pod}};
  spec.reconcile = [settle](const Snapshot& s, const Key& key, Moment now) {
    return evictFromNode(s, key, now, settle);
  };
  return spec;
}

}  // namespace ph::controllers
