#include <algorithm>

#include "engine/api/node_match.h"
#include "engine/scheduler/plugins/plugins.h"

namespace ph::scheduler {
namespace {

// A cordoned node takes only pods that tolerate it.
class NodeUnschedulable : public FilterPlugin {
 public:
  std::string_view name() const override { return "NodeUnschedulable"; }
  uint32_t wakeOn() const override { return kNodeAdded | kNodeTaints; }
  bool prepare(const PodInfo& pod, Cluster&, PreparedPtr&) const override {
    api::core::Taint taint;
    taint.key = "node.kubernetes.io/unschedulable";
    taint.effect = "NoSchedule";
    return !api::tolerates(pod.tolerations, taint);
  }
  bool fits(const PodInfo&, const Prepared*, const NodeInfo& node, int) const override { return !node.unschedulable; }
  void reasons(const PodInfo&, const Prepared*, const NodeInfo&, int, std::vector<std::string>& out) const override {
    out.push_back("node(s) were unschedulable");
  }
  Remedy remedy(const PodInfo&, const Prepared*, const NodeInfo& node, int) const override {
    return {"uncordon " + node.name, 1};
  }
};

}  // namespace
std::unique_ptr<FilterPlugin> makeNodeUnschedulable() { return std::make_unique<NodeUnschedulable>(); }
}  // namespace ph::scheduler
