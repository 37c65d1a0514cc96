#include "engine/scheduler/framework/preemption.h"

#include <algorithm>
#include <tuple>
#include <unordered_set>

namespace ph::scheduler {
namespace {

// Source: kube-scheduler's minCandidateNodesAbsolute; a tenth of a large cluster.
size_t candidatesWanted(size_t nodes) { return std::max<size_t>(100, nodes / 10); }

WallTime startedAt(const PodInfo& pod) {
  auto& started = pod.object->as<api::core::Pod>().status.startTime;
  return started ? *started : pod.object->meta().created;
}

bool moreImportant(const PodInfoPtr& a, const PodInfoPtr& b) {
  if (a->priority != b->priority) return a->priority > b->priority;
  auto since = startedAt(*a), other = startedAt(*b);
  return since != other ? since < other : a->key < b->key;
}

// Uids of the pods that can't all go without breaking a budget.
std::unordered_set<std::string> overBudget(const std::vector<PodInfoPtr>& pods, const std::vector<Budget>& budgets) {
  std::unordered_set<std::string> out;
  std::vector<int64_t> left;
  for (auto& b : budgets) left.push_back(b.allowed);
  for (auto& pod : pods) {
    for (size_t i = 0; i < budgets.size(); ++i) {
      auto& b = budgets[i];
      if (b.ns != pod->ns || b.selector.empty() || !b.selector.matches(pod->labels())) continue;
      if (std::binary_search(b.disrupted.begin(), b.disrupted.end(), pod->object->name())) continue;
      if (--left[i] < 0) out.insert(pod->uid);
    }
  }
  return out;
}

// What this node would have to give up; a node of empty name when the pod would not fit there all the same.
Preemption onNode(const PodInfo& pod, Cluster& cluster, const Chooser& chooser, int slot, const std::vector<Budget>& budgets) {
  const std::string node = cluster.node(slot)->name;
  std::vector<PodInfoPtr> lower;
  for (auto& p : cluster.node(slot)->pods)
    if (p->priority < pod.priority && !p->nominated) lower.push_back(p);
  if (lower.empty()) return {};
  std::sort(lower.begin(), lower.end(), moreImportant);
  for (auto& p : lower) cluster.removePod(p->uid);
  Preemption out;
  if (chooser.fits(pod, cluster, slot)) {
    out.node = node;
    // As many as possible stay: first those whose budget is at stake, then the important.
    auto risky = overBudget(lower, budgets);
    auto order = lower;
    std::stable_partition(order.begin(), order.end(), [&](auto& p) { return risky.contains(p->uid); });
    for (auto& p : order) {
      cluster.setPod(p, node);
      if (chooser.fits(pod, cluster, slot)) continue;
      cluster.removePod(p->uid);
      out.victims.push_back(p);
      out.violations += risky.contains(p->uid);
    }
    std::sort(out.victims.begin(), out.victims.end(), moreImportant);
  }
  for (auto& p : lower)
    if (!cluster.placeOf(p->uid)) cluster.setPod(p, node);
  return out;
}

// Smaller is better: broken budgets, the most important victim, the sum of importance, their number, and how long the most
// important have run (the younger goes).
auto cost(const Preemption& p) {
  int64_t highest = INT64_MIN, sum = 0;
  WallTime earliest = WallTime::max();
  for (auto& v : p.victims) {
    highest = std::max<int64_t>(highest, v->priority);
    sum += v->priority + (int64_t(1) << 31);  // each counts, negative ones too
  }
  for (auto& v : p.victims)
    if (v->priority == highest) earliest = std::min(earliest, startedAt(*v));
  return std::tuple(p.violations, highest, sum, p.victims.size(), -earliest.time_since_epoch().count());
}

}  // namespace

Preemption findPreemption(const PodInfo& pod, Cluster& cluster, const Chooser& chooser, const std::vector<Budget>& budgets) {
  Preemption best;
  size_t found = 0, wanted = candidatesWanted(cluster.nodeCount());
  for (int slot : chooser.whereLeavingHelps(pod, cluster)) {
    if (found == wanted) break;
    Preemption here = onNode(pod, cluster, chooser, slot, budgets);
    if (here.node.empty()) continue;
    ++found;
    if (best.node.empty() || cost(here) < cost(best)) best = std::move(here);
  }
  return best;
}

}  // namespace ph::scheduler
