#include "tests/sim/watcher.h"

#include <fmt/format.h>

#include "engine/api/quantity.h"

namespace ph::sim {

using api::Json;

namespace {

constexpr std::string_view kPods = "/registry/core/pods/";
constexpr std::string_view kNodes = "/registry/core/nodes/";
constexpr std::string_view kSets = "/registry/apps/replicasets/";
// Events that old may still be on their way to the controllers.
constexpr Duration kLately = std::chrono::seconds(15);

std::string text(const Json& tree, std::string_view path) {
  auto* v = api::at(tree, path);
  return v && v->is_string() ? std::string(v->as_string()) : std::string();
}

int64_t milli(const std::string& text) {
  auto q = api::Quantity::parse(text);
  return q ? q->milli() : 0;
}

int64_t requestOf(const Json& pod) {
  int64_t sum = 0;
  if (auto* list = api::at(pod, "spec.containers"); list && list->is_array())
    for (auto& c : list->as_array()) sum += milli(text(c, "resources.requests.cpu"));
  return sum;
}

}  // namespace

void Watcher::fail(std::string what) {
  if (broken_.empty())
    broken_ = fmt::format("{} at {} ms: {}", revision_,
                          sim_->monoNow().time_since_epoch() / std::chrono::milliseconds(1), what);
}

void Watcher::see(int64_t revision, const store::Op& op) {
  if (revision <= revision_) fail(fmt::format("revision {} after {}", revision, revision_));
  revision_ = revision;
  trace_.emplace_back(
      std::hash<std::string_view>()(op.value ? std::string_view(*op.value) : std::string_view()), op.key);
  if (!tell.empty() && op.key.find(tell) != op.key.npos)
    fmt::print(stderr, "{} {} ms {} {}\n", revision,
               sim_->monoNow().time_since_epoch() / std::chrono::milliseconds(1), op.key,
               op.value ? *op.value : "gone");
  bool pod = op.key.starts_with(kPods), node = op.key.starts_with(kNodes), set = op.key.starts_with(kSets);
  if (!pod && !node && !set) return;
  Json tree;
  if (op.value) {
    auto parsed = api::parseJson(*op.value);
    if (!parsed.ok()) return fail(op.key + " is no JSON");
    tree = std::move(*parsed);
  }
  if (pod) seePod(op.key.substr(kPods.size()), op.value ? &tree : nullptr);
  if (node) seeNode(op.key.substr(kNodes.size()), op.value ? &tree : nullptr);
  if (set) seeSet(op.value ? &tree : nullptr);
}

void Watcher::account(const Pod& pod, int sign) {
  if (!pod.set.empty() && pod.active) sets_[pod.set].active += sign;
  if (pod.node.empty() || !pod.counted) return;
  Node& n = nodes_[pod.node];
  n.usedCpu += sign * pod.cpu;
  n.usedPods += sign;
}

void Watcher::seePod(const std::string& key, const Json* tree) {
  auto it = pods_.find(key);
  Pod before;
  bool known = it != pods_.end();
  if (known) {
    before = it->second;
    account(before, -1);
    pods_.erase(it);
  }
  if (!tree) return;
  Pod pod;
  pod.uid = text(*tree, "metadata.uid");
  pod.node = text(*tree, "spec.nodeName");
  if (text(*tree, "metadata.ownerReferences.0.kind") == "ReplicaSet")
    pod.set = text(*tree, "metadata.ownerReferences.0.uid");
  pod.cpu = requestOf(*tree);
  std::string phase = text(*tree, "status.phase");
  pod.counted = phase != "Succeeded" && phase != "Failed";
  pod.active = pod.counted && text(*tree, "metadata.deletionTimestamp").empty();
  if (known && before.uid != pod.uid) fail("pod " + key + " became another one without being deleted");
  if (known && !before.node.empty() && before.node != pod.node)
    fail("pod " + key + " was bound to " + before.node + ", then to " + pod.node);
  account(pod, +1);
  pods_[key] = pod;
  if (!pod.node.empty() && before.node.empty()) {
    ++bindings_;
    Node& n = nodes_[pod.node];
    if (n.pods >= 0 && (n.usedPods > n.pods || n.usedCpu > n.cpu))
      fail(fmt::format("{} holds {} pods of {}, {}m CPU of {}m after {}", pod.node, n.usedPods, n.pods,
                       n.usedCpu, n.cpu, key));
  }
  if (known) return;
  ++podsMade_;
  if (pod.set.empty()) return;
  Set& s = sets_[pod.set];
  int most = s.wanted;
  MonoTime old = sim_->monoNow() - kLately;
  for (auto& [since, wanted] : s.lately)
    if (since >= old) most = std::max(most, wanted);
  if (s.active > most)
    fail(fmt::format("the set of {} has {} pods, but wanted at most {}", key, s.active, most));
}

void Watcher::seeNode(const std::string& name, const Json* tree) {
  if (!tree) return;
  Node& n = nodes_[name];
  std::string pods = text(*tree, "status.allocatable.pods");
  if (pods.empty()) return;
  n.pods = std::stoll(pods);
  n.cpu = milli(text(*tree, "status.allocatable.cpu"));
}

void Watcher::seeSet(const Json* tree) {
  if (!tree) return;
  Set& s = sets_[text(*tree, "metadata.uid")];
  auto* v = api::at(*tree, "spec.replicas");
  int wanted = v && v->is_int64() ? int(v->as_int64()) : 1;
  if (wanted == s.wanted) return;
  s.lately[sim_->monoNow()] = std::max(s.wanted, wanted);
  s.wanted = wanted;
}

}  // namespace ph::sim
