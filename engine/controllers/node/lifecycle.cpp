#include "engine/controllers/node/lifecycle.h"

#include <algorithm>

#include "engine/api/conditions.h"
#include "engine/api/types/core.h"
#include "engine/api/types/fleet.h"
#include "engine/controllers/common/pods.h"

namespace ph::controllers {

using api::core::Node;
using api::core::NodeCondition;
using api::core::Taint;

namespace {

constexpr std::string_view kNotReady = "node.kubernetes.io/not-ready";
constexpr std::string_view kUnreachable = "node.kubernetes.io/unreachable";
constexpr std::string_view kUnschedulable = "node.kubernetes.io/unschedulable";
constexpr std::pair<std::string_view, std::string_view> kPressures[] = {
    {"MemoryPressure", "node.kubernetes.io/memory-pressure"},
    {"DiskPressure", "node.kubernetes.io/disk-pressure"},
    {"PIDPressure", "node.kubernetes.io/pid-pressure"},
    {"NetworkUnavailable", "node.kubernetes.io/network-unavailable"},
};
// How often a lost node is looked at again while its eviction is held back.
constexpr Duration kHeldAgain = std::chrono::seconds(1);

// What we know of a node's silence.
struct Silence {
  MonoTime since;   // from then on it should have been heard
  MonoTime lostAt;  // when it counts as lost, if it stays silent
};

Silence silenceOf(const Snapshot& snapshot, const std::string& node, const NodeLifecycleOptions& o) {
  MonoTime heard = std::max(snapshot.heard(node), snapshot.steadySince());
  // Leases are renewed at least twice within the grace.
  Silence s{heard + o.grace / 2, heard + o.grace};
  if (auto down = snapshot.linkDown(node)) {
    MonoTime from = std::max(*down, heard);
    if (from + o.linkGrace < s.lostAt) s = {from, from + o.linkGrace};
  }
  return s;
}

// The fault is likely ours, or the network's: evicting would tear down what still runs.
bool manyVanished(const Snapshot& snapshot, const std::string& self, const Silence& silence,
                  const NodeLifecycleOptions& o) {
  int alive = 0, gone = 1;
  for (auto& [name, node] : snapshot.all(snapshot.kinds().nodes)) {
    if (name == self) continue;
    MonoTime heard = snapshot.heard(name);
    if (heard > silence.since)
      ++alive;
    else if (heard + o.together > silence.since)
      ++gone;
  }
  return alive == 0 || (gone > 2 && gone >= o.disruptedShare * (alive + gone));
}

Json conditionsWhenLost(const ObjectPtr& object, WallTime now) {
  auto conditions = object->as<Node>().status.conditions;
  for (std::string_view type : {"Ready", "MemoryPressure", "DiskPressure", "PIDPressure"}) {
    auto* c = api::findCondition(conditions, type);
    if (!c) {
      c = &conditions.emplace_back();
      c->type = type;
    }
    if (c->status == "Unknown") continue;
    c->status = "Unknown";
    c->reason = "NodeStatusUnknown";
    c->message = "The node's agent stopped renewing its lease.";
    c->lastTransitionTime = now;
  }
  JsonArray out;
  for (auto& c : conditions) out.push_back(api::toJson(c));
  return out;
}

struct WantedTaint {
  std::string_view key, effect;
};

std::vector<WantedTaint> wantedTaints(const Node& node, bool hold) {
  std::vector<WantedTaint> out;
  auto* ready = api::findCondition(node.status.conditions, "Ready");
  // A node that never said anything is not ready yet; it has no pods to evict.
  std::string_view status = ready ? std::string_view(ready->status) : "False";
  if (status != "True") {
    std::string_view key = status == "False" ? kNotReady : kUnreachable;
    out.push_back({key, "NoSchedule"});
    if (ready && !hold) out.push_back({key, "NoExecute"});
  }
  for (auto& [type, key] : kPressures) {
    if (api::conditionTrue(node.status.conditions, type)) out.push_back({key, "NoSchedule"});
  }
  if (node.spec.unschedulable) out.push_back({kUnschedulable, "NoSchedule"});
  return out;
}

bool ours(const Taint& t) {
  if (t.effect == "NoExecute") return t.key == kNotReady || t.key == kUnreachable;
  if (t.effect != "NoSchedule") return false;
  if (t.key == kNotReady || t.key == kUnreachable || t.key == kUnschedulable) return true;
  return std::any_of(std::begin(kPressures), std::end(kPressures),
                     [&](auto& p) { return p.second == t.key; });
}

// Null when the taints are as they should be.
std::optional<Json> changedTaints(const Node& node, bool hold, WallTime now) {
  auto wanted = wantedTaints(node, hold);
  std::vector<Taint> taints;
  bool changed = false;
  for (auto& t : node.spec.taints) {
    auto it = std::find_if(wanted.begin(), wanted.end(),
                           [&](auto& w) { return w.key == t.key && w.effect == t.effect; });
    // One that evicts already stays while eviction is held: what is done is done.
    bool keepHeld = hold && t.effect == "NoExecute" && t.key == kUnreachable;
    if (!ours(t) || it != wanted.end() || keepHeld) {
      taints.push_back(t);
      if (it != wanted.end()) wanted.erase(it);
    } else {
      changed = true;
    }
  }
  for (auto& w : wanted) {
    Taint& t = taints.emplace_back();
    t.key = w.key;
    t.effect = w.effect;
    t.timeAdded = now;
    changed = true;
  }
  if (!changed) return std::nullopt;
  JsonArray out;
  for (auto& t : taints) out.push_back(api::toJson(t));
  return out;
}

// Nobody there can say whether they still serve: services must not send anyone to them.
void markPodsNotReady(const Snapshot& snapshot, const std::string& node, WallTime now, Plan& plan) {
  for (auto& [key, pod] : snapshot.podsOn(node)) {
    if (!podReady(pod)) continue;
    auto conditions = podOf(pod).status.conditions;
    JsonArray out;
    for (auto& c : conditions) {
      if (c.type == "Ready") {
        c.status = "False";
        c.reason = "NodeLost";
        c.message = "The node of this pod does not answer.";
        c.lastTransitionTime = now;
      }
      out.push_back(api::toJson(c));
    }
    plan.patch(*pod, JsonObject{{"status", JsonObject{{"conditions", std::move(out)}}}}, "status");
  }
}

}  // namespace

Plan reconcileNode(const Snapshot& snapshot, const Key& key, Moment now, const NodeLifecycleOptions& o) {
  Plan plan;
  const std::string& name = key.text;
  ObjectPtr object = snapshot.get(snapshot.kinds().nodes, name);
  if (!object) return plan;
  auto& node = object->as<Node>();
  Silence silence = silenceOf(snapshot, name, o);
  bool lost = now.mono >= silence.lostAt;
  if (!lost) plan.lookAgain(silence.lostAt - now.mono);
  auto about = client::ObjectReference::to(*object);
  auto* ready = api::findCondition(node.status.conditions, "Ready");
  if (lost && (!ready || ready->status != "Unknown")) {
    JsonObject status{{"conditions", conditionsWhenLost(object, now.wall)}};
    Step& s = plan.patch(*object, JsonObject{{"status", std::move(status)}}, "status");
    s.ok = Note{about, "Normal", "NodeNotReady", "Node is lost: its agent stopped renewing its lease", true};
    return plan;  // the taints follow what is written here
  }
  bool unknown = ready && ready->status == "Unknown";
  bool hold = unknown && manyVanished(snapshot, name, silence, o);
  if (hold) plan.lookAgain(kHeldAgain);
  // It was lost and is heard of again, but has not said how it is: its agent's status comes any moment.
  if (auto taints = changedTaints(node, hold, now.wall)) {
    Step& s = plan.patch(*object, JsonObject{{"spec", JsonObject{{"taints", std::move(*taints)}}}});
    if (hold)
      s.ok = Note{about, "Warning", "EvictionHeld",
                  "Most nodes fell silent at once: no pod is moved away until some answer", true};
  }
  if (unknown && lost && !hold) markPodsNotReady(snapshot, name, now.wall, plan);
  return plan;
}

ControllerSpec nodeLifecycleController(const Kinds& kinds, NodeLifecycleOptions options) {
  ControllerSpec spec;
  spec.name = "node-controller";
  // A lease's renewal by itself needs no look: the node comes up again when its time would have run out.
  auto lease = [](const Snapshot&, const client::Change&, Keys&) {};
  auto machine = [](const Snapshot& snapshot, const client::Change& c, Keys& keys) {
    if (!c.now) return;
    auto& node = c.now->as<api::fleet::Machine>().status.nodeName;
    const std::string& name = node.empty() ? c.now->name() : node;
    if (snapshot.linkDown(name)) keys.push_back(name);
  };
  auto pod = [](const Snapshot& snapshot, const client::Change& c, Keys& keys) {
    if (!c.now || !podReady(c.now)) return;
    auto& name = podOf(c.now).spec.nodeName;
    ObjectPtr node = name.empty() ? nullptr : snapshot.get(snapshot.kinds().nodes, name);
    auto* ready = node ? api::findCondition(node->as<Node>().status.conditions, "Ready") : nullptr;
    if (ready && ready->status == "Unknown") keys.push_back(name);
  };
  spec.watches = {{kinds.nodes, keySelf}, {kinds.leases, lease}, {kinds.pods, pod}};
  if (kinds.machines) spec.watches.push_back({kinds.machines, machine});
  spec.reconcile = [options](const Snapshot& s, const Key& key, Moment now) {
    return reconcileNode(s, key, now, options);
  };
  return spec;
}

}  // namespace ph::controllers
