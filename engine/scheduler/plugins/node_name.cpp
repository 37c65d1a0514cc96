#include "engine/scheduler/plugins/plugins.h"

namespace ph::scheduler {
namespace {

// A pod that names its node fits nowhere else.
class NodeName : public FilterPlugin {
 public:
  std::string_view name() const override { return "NodeName"; }
  uint32_t wakeOn() const override { return kNodeAdded; }
  bool prepare(const PodInfo& pod, Cluster&, PreparedPtr&) const override { return !pod.nodeName.empty(); }
  bool fits(const PodInfo& pod, const Prepared*, const NodeInfo& node, int) const override {
    return pod.nodeName == node.name;
  }
  void reasons(const PodInfo&, const Prepared*, const NodeInfo&, int, std::vector<std::string>& out) const override {
    out.push_back("node(s) didn't match the requested node name");
  }
};

}  // namespace
std::unique_ptr<FilterPlugin> makeNodeName() { return std::make_unique<NodeName>(); }
}  // namespace ph::scheduler
