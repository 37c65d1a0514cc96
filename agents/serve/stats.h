// Stats: what the node and its pods use, in the shape of kubelet's /stats/summary.
// Threads: the node's strand.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "agents/pods/node_context.h"
#include "agents/pods/pod_manager.h"
#include "engine/api/schema.h"

namespace ph::agents {

class Stats : public std::enable_shared_from_this<Stats> {
 public:
  Stats(std::shared_ptr<NodeContext> node, std::shared_ptr<PodManager> pods, std::string diskFolder);
  // Rates need two looks: when the last one is too old or too young, the answer comes half a second later.
  void summary(std::function<void(Result<api::Json>)> done);

 private:
  struct Sample {
    MonoTime at{};
    WallTime wall{};
    int64_t nodeCpu = 0;
    std::map<std::string, ContainerUsage> containers;
  };
  void take(std::function<void(Result<Sample>)> done);
  api::Json build(const Sample& before, const Sample& now) const;

  std::shared_ptr<NodeContext> node_;
  std::weak_ptr<PodManager> pods_;
  const std::string diskFolder_;
  Sample last_;
};

}  // namespace ph::agents
