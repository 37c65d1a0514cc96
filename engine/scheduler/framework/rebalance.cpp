#include "engine/scheduler/framework/rebalance.h"

#include <algorithm>

namespace ph::scheduler {
namespace {

// So much fuller a node has to be than the other will be: less is not worth a restart.
constexpr double kWorth = 0.1;

// How full a node is, 0 to 1 and above; 1 when it has nothing to give.
double use(const NodeInfo& node, int64_t cpu, int64_t memory, size_t pods) {
  auto& all = node.allocatable;
  if (all.milliCpu <= 0 || all.memory <= 0 || all.pods <= 0) return 1;
  return std::max({double(cpu) / double(all.milliCpu), double(memory) / double(all.memory), double(pods) / double(all.pods)});
}

double use(const NodeInfo& node) { return use(node, node.scoredCpu, node.scoredMemory, node.pods.size()); }

bool newer(const PodInfoPtr& a, const PodInfoPtr& b) {
  auto x = a->object->meta().created, y = b->object->meta().created;
  return x != y ? x > y : a->key < b->key;
}

// One pod of each application on this node, the newest: its others would get the same answer.
std::vector<PodInfoPtr> candidatesOn(const NodeInfo& node, const std::function<bool(const PodInfo&)>& movable) {
  std::vector<PodInfoPtr> out;
  for (auto& pod : node.pods) {
    if (pod->owner.empty() || pod->nominated || !movable(*pod)) continue;
    auto same = std::find_if(out.begin(), out.end(), [&](auto& p) { return p->owner == pod->owner; });
    if (same == out.end()) out.push_back(pod);
    else if (newer(pod, *same)) *same = pod;
  }
  // In an order that looking does not change, so that the next look can go on.
  std::sort(out.begin(), out.end(), [](auto& a, auto& b) { return a->owner < b->owner; });
  return out;
}

std::optional<Relocation> better(const PodInfoPtr& pod, int slot, Cluster& cluster, Chooser& chooser) {
  Relocation r;
  const NodeInfo& from = *cluster.node(slot);
  r.pod = pod;
  r.from = from.name;
  r.fromUse = use(from);
  r.fromCopies = from.ofOwner(pod->owner);
  PodInfo open = *pod;
  open.nodeName.clear();
  cluster.removePod(pod->uid);
  Verdict verdict = chooser.choose(open, cluster);
  bool good = false;
  if (verdict.slot >= 0 && verdict.node != r.from) {
    const NodeInfo& to = *cluster.node(verdict.slot);
    r.to = to.name;
    r.toUse = use(to);
    r.toCopies = to.ofOwner(pod->owner);
    double then = use(to, to.scoredCpu + pod->scoredCpu, to.scoredMemory + pod->scoredMemory, to.pods.size() + 1);
    good = r.spreads() || (r.fromCopies > r.toCopies && r.fromUse - then >= kWorth);
  }
  cluster.setPod(pod, r.from);
  if (!good) return std::nullopt;
  return r;
}

}  // namespace

std::optional<Relocation> findRelocation(Cluster& cluster, Chooser& chooser, const std::function<bool(const PodInfo&)>& movable,
                                         size_t tries, size_t& skip) {
  std::vector<std::pair<double, int>> nodes;
  double least = 1;
  for (size_t slot = 0; slot < cluster.nodes().size(); ++slot) {
    auto* node = cluster.node(int(slot));
    if (!node) continue;
    nodes.emplace_back(use(*node), int(slot));
    if (!node->unschedulable) least = std::min(least, nodes.back().first);
  }
  std::sort(nodes.begin(), nodes.end(), [](auto& a, auto& b) { return a.first != b.first ? a.first > b.first : a.second < b.second; });
  size_t seen = 0, tried = 0;
  for (auto& [full, slot] : nodes) {
    for (auto& pod : candidatesOn(*cluster.node(slot), movable)) {
      if (full - least < kWorth && cluster.node(slot)->ofOwner(pod->owner) < 2) continue;  // nothing to win
      if (seen++ < skip) continue;
      if (tried++ == tries) {
        skip = seen - 1;
        return std::nullopt;
      }
      if (auto r = better(pod, slot, cluster, chooser)) return r;
    }
  }
  skip = 0;
  return std::nullopt;
}

}  // namespace ph::scheduler
