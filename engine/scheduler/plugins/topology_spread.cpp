#include <algorithm>
#include <climits>

#include "engine/scheduler/plugins/plugins.h"

namespace ph::scheduler {
namespace {

bool eligible(const PodInfo& pod, const NodeInfo& node) {
  static const std::unique_ptr<FilterPlugin> affinity = makeNodeAffinity();
  return affinity->fits(pod, nullptr, node, -1);
}

struct Constraint {
  const SpreadTerm* spread;
  const TermCount* count;
  int least;  // over the domains that the pod may use; 0 when there are fewer than minDomains
};

struct SpreadState : Prepared {
  std::vector<Constraint> constraints;
};

// Pods in the emptiest domain that the pod could use. Source: Kubernetes' documentation of topologySpreadConstraints
// (nodeAffinityPolicy Honor, nodeTaintsPolicy Ignore: the defaults).
int leastOf(const PodInfo& pod, const SpreadTerm& spread, const TermCount& count, const Cluster& cluster) {
  const Topology& t = *count.topology;
  std::vector<char> usable(t.values.size(), 0);
  if (pod.nodeSelector.empty() && !pod.hasRequiredNodeTerms) {
    for (size_t d = 0; d < usable.size(); ++d) usable[d] = t.nodes[d] > 0;
  } else {
    for (size_t slot = 0; slot < t.domainOf.size(); ++slot)
      if (t.domainOf[slot] >= 0 && cluster.node(int(slot)) && eligible(pod, *cluster.node(int(slot))))
        usable[size_t(t.domainOf[slot])] = 1;
  }
  int least = INT_MAX, domains = 0;
  for (size_t d = 0; d < usable.size(); ++d)
    if (usable[d]) {
      ++domains;
      least = std::min(least, d < count.count.size() ? count.count[d] : 0);
    }
  return domains == 0 || domains < spread.minDomains ? 0 : least;
}

class PodTopologySpread : public FilterPlugin {
 public:
  std::string_view name() const override { return "PodTopologySpread"; }
  uint32_t wakeOn() const override { return kNodeAdded | kNodeLabels | kPodGone | kPodPlaced; }
  bool nodeLocal() const override { return false; }
  bool prepare(const PodInfo& pod, Cluster& cluster, PreparedPtr& out) const override {
    auto state = std::make_unique<SpreadState>();
    for (auto& s : pod.spread)
      if (s.hard) {
        auto& count = cluster.countOf(s.term);
        state->constraints.push_back({&s, &count, leastOf(pod, s, count, cluster)});
      }
    if (state->constraints.empty()) return false;
    out = std::move(state);
    return true;
  }
  bool fits(const PodInfo&, const Prepared* prepared, const NodeInfo&, int slot) const override {
    for (auto& c : static_cast<const SpreadState*>(prepared)->constraints)
      if (lacksLabel(c, slot) || skewed(c, slot)) return false;
    return true;
  }
  void reasons(const PodInfo&, const Prepared* prepared, const NodeInfo&, int slot,
               std::vector<std::string>& out) const override {
    for (auto& c : static_cast<const SpreadState*>(prepared)->constraints) {
      if (lacksLabel(c, slot)) {
        out.push_back("node(s) didn't match pod topology spread constraints (missing required label)");
        return;
      }
      if (skewed(c, slot)) {
        out.push_back("node(s) didn't match pod topology spread constraints");
        return;
      }
    }
  }

 private:
  static bool lacksLabel(const Constraint& c, int slot) { return c.count->topology->domainOf[size_t(slot)] < 0; }
  static bool skewed(const Constraint& c, int slot) {
    return c.count->at(slot) + (c.spread->selfMatch ? 1 : 0) - c.least > c.spread->maxSkew;
  }
};

// Softly: fewer matching pods in the node's domains are better.
class TopologySpreadScore : public ScorePlugin {
 public:
  std::string_view name() const override { return "PodTopologySpread"; }
  double weight() const override { return 2; }
  Normalize normalize() const override { return Normalize::Reverse; }
  bool nodeLocal() const override { return false; }
  bool prepare(const PodInfo& pod, Cluster& cluster, PreparedPtr& out) const override {
    auto state = std::make_unique<SpreadState>();
    for (auto& s : pod.spread)
      if (!s.hard) state->constraints.push_back({&s, &cluster.countOf(s.term), 0});
    if (state->constraints.empty()) return false;
    out = std::move(state);
    return true;
  }
  double score(const PodInfo&, const Prepared* prepared, const NodeInfo&, int slot) const override {
    double sum = 0;
    for (auto& c : static_cast<const SpreadState*>(prepared)->constraints) {
      bool without = c.count->topology->domainOf[size_t(slot)] < 0;
      sum += without ? c.count->total : c.count->at(slot);  // a node outside the topology comes last
    }
    return sum;
  }
};

// Without constraints of their own, pods of one controller still spread over nodes.
class OwnerSpread : public ScorePlugin {
 public:
  std::string_view name() const override { return "DefaultSpread"; }
  double weight() const override { return 2; }
  bool prepare(const PodInfo& pod, Cluster&, PreparedPtr&) const override {
    return !pod.owner.empty() && pod.spread.empty();
  }
  double score(const PodInfo& pod, const Prepared*, const NodeInfo& node, int) const override {
    return 100.0 / (1 + node.ofOwner(pod.owner));
  }
};

}  // namespace
std::unique_ptr<FilterPlugin> makePodTopologySpread() { return std::make_unique<PodTopologySpread>(); }
std::unique_ptr<ScorePlugin> makeTopologySpreadScore() { return std::make_unique<TopologySpreadScore>(); }
std::unique_ptr<ScorePlugin> makeOwnerSpread() { return std::make_unique<OwnerSpread>(); }
}  // namespace ph::scheduler
