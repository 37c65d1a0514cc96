#include <fmt/format.h>

#include "engine/api/node_match.h"
#include "engine/scheduler/plugins/plugins.h"

namespace ph::scheduler {
namespace {

const api::core::Taint* untolerated(const PodInfo& pod, const NodeInfo& node) {
  for (auto& taint : node.taints)
    if ((taint.effect == "NoSchedule" || taint.effect == "NoExecute") && !api::tolerates(pod.tolerations, taint)) return &taint;
  return nullptr;
}

class TaintToleration : public FilterPlugin {
 public:
  std::string_view name() const override { return "TaintToleration"; }
  uint32_t wakeOn() const override { return kNodeAdded | kNodeTaints; }
  bool prepare(const PodInfo&, Cluster&, PreparedPtr&) const override { return true; }
  bool fits(const PodInfo& pod, const Prepared*, const NodeInfo& node, int) const override {
    return node.taints.empty() || !untolerated(pod, node);
  }
  void reasons(const PodInfo& pod, const Prepared*, const NodeInfo& node, int,
               std::vector<std::string>& out) const override {
    auto* taint = untolerated(pod, node);
    out.push_back(fmt::format("node(s) had untolerated taint {{{}: {}}}", taint->key, taint->value));
  }
  Remedy remedy(const PodInfo& pod, const Prepared*, const NodeInfo& node, int) const override {
    auto* taint = untolerated(pod, node);
    auto name = taint->key + (taint->value.empty() ? "" : "=" + taint->value) + ":" + taint->effect;
    // As NodeUnschedulable says: the taint goes with the mark.
    if (node.unschedulable && taint->key == "node.kubernetes.io/unschedulable") return {"uncordon " + node.name, 0};
    // What the system puts there goes with its cause, not by hand.
    if (taint->key.starts_with("node.kubernetes.io/")) return {fmt::format("wait until {} is well again ({})", node.name, name), 6};
    return {fmt::format("let the pod tolerate {}, or take that taint from {}", name, node.name), 2};
  }
};

// Fewer PreferNoSchedule taints that the pod does not tolerate are better.
class TaintScore : public ScorePlugin {
 public:
  std::string_view name() const override { return "TaintToleration"; }
  double weight() const override { return 3; }
  bool prepare(const PodInfo&, Cluster&, PreparedPtr&) const override { return true; }
  double score(const PodInfo& pod, const Prepared*, const NodeInfo& node, int) const override {
    int bad = 0;
    for (auto& taint : node.taints)
      if (taint.effect == "PreferNoSchedule" && !api::tolerates(pod.tolerations, taint)) ++bad;
    return 100.0 / (1 + bad);
  }
};

}  // namespace
std::unique_ptr<FilterPlugin> makeTaintToleration() { return std::make_unique<TaintToleration>(); }
std::unique_ptr<ScorePlugin> makeTaintScore() { return std::make_unique<TaintScore>(); }
}  // namespace ph::scheduler
