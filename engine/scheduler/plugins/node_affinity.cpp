#include <algorithm>

#include "engine/scheduler/plugins/plugins.h"

namespace ph::scheduler {
namespace {

class NodeAffinity : public FilterPlugin {
 public:
  std::string_view name() const override { return "NodeAffinity"; }
  uint32_t wakeOn() const override { return kNodeAdded | kNodeLabels; }
  bool prepare(const PodInfo& pod, Cluster&, PreparedPtr&) const override {
    return !pod.nodeSelector.empty() || pod.hasRequiredNodeTerms;
  }
  bool fits(const PodInfo& pod, const Prepared*, const NodeInfo& node, int) const override {
    for (auto& [key, value] : pod.nodeSelector) {
      auto& labels = node.labels();
      auto it = std::lower_bound(labels.begin(), labels.end(), key, [](auto& a, auto& b) { return a.first < b; });
      if (it == labels.end() || it->first != key || it->second != value) return false;
    }
    return !pod.hasRequiredNodeTerms || std::any_of(pod.requiredNodeTerms.begin(), pod.requiredNodeTerms.end(),
                                                    [&](auto& term) { return nodeTermMatches(term, node); });
  }
  void reasons(const PodInfo&, const Prepared*, const NodeInfo&, int, std::vector<std::string>& out) const override {
    out.push_back("node(s) didn't match Pod's node affinity/selector");
  }
  Remedy remedy(const PodInfo& pod, const Prepared*, const NodeInfo& node, int) const override {
    std::string missing;
    for (auto& [key, value] : pod.nodeSelector)
      if (node.label(key) != value) missing += (missing.empty() ? "" : ",") + key + "=" + value;
    if (missing.empty()) return {"give " + node.name + " a label that the pod's node affinity asks for", 4};
    return {"label " + node.name + " with " + missing, 3};
  }
};

class NodeAffinityScore : public ScorePlugin {
 public:
  std::string_view name() const override { return "NodeAffinity"; }
  double weight() const override { return 2; }
  Normalize normalize() const override { return Normalize::UpToMax; }
  bool prepare(const PodInfo& pod, Cluster&, PreparedPtr&) const override { return !pod.preferredNodeTerms.empty(); }
  double score(const PodInfo& pod, const Prepared*, const NodeInfo& node, int) const override {
    double sum = 0;
    for (auto& term : pod.preferredNodeTerms)
      if (nodeTermMatches(term, node)) sum += term.weight;
    return sum;
  }
};

}  // namespace
std::unique_ptr<FilterPlugin> makeNodeAffinity() { return std::make_unique<NodeAffinity>(); }
std::unique_ptr<ScorePlugin> makeNodeAffinityScore() { return std::make_unique<NodeAffinityScore>(); }
}  // namespace ph::scheduler
