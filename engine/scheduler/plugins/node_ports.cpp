#include <fmt/format.h>

#include <algorithm>

#include "engine/scheduler/plugins/plugins.h"

namespace ph::scheduler {
namespace {

class NodePorts : public FilterPlugin {
 public:
  std::string_view name() const override { return "NodePorts"; }
  uint32_t wakeOn() const override { return kNodeAdded | kPodGone; }
  bool prepare(const PodInfo& pod, Cluster&, PreparedPtr&) const override { return !pod.hostPorts.empty(); }
  bool fits(const PodInfo& pod, const Prepared*, const NodeInfo& node, int) const override {
    return std::none_of(pod.hostPorts.begin(), pod.hostPorts.end(), [&](const HostPort& wanted) {
      return std::any_of(node.usedPorts.begin(), node.usedPorts.end(),
                         [&](const HostPort& used) { return wanted.conflicts(used); });
    });
  }
  void reasons(const PodInfo&, const Prepared*, const NodeInfo&, int, std::vector<std::string>& out) const override {
    out.push_back("node(s) didn't have free ports for the requested pod ports");
  }
  Remedy remedy(const PodInfo& pod, const Prepared*, const NodeInfo& node, int) const override {
    for (auto& wanted : pod.hostPorts)
      for (auto& used : node.usedPorts)
        if (wanted.conflicts(used)) return {fmt::format("free host port {} on {}", wanted.port, node.name), 2};
    return {};
  }
};

}  // namespace
std::unique_ptr<FilterPlugin> makeNodePorts() { return std::make_unique<NodePorts>(); }
}  // namespace ph::scheduler
