// A hollow node: the agent's own code over a runtime that only pretends. For simulation, scale tests and benches.
// Threads: the given executor; a SimExecutor makes it deterministic.
#pragma once

#include <memory>
#include <string>

#include "agents/node/node_agent.h"
#include "agents/runtime/fake_runtime.h"

namespace ph::agents {

struct HollowOptions {
  std::string name = "hollow-0";
  uint32_t number = 0;                 // distinct per node: gives it its addresses
  int64_t cpuMilli = 32000, memoryBytes = int64_t(128) << 30;
  int maxPods = 110;
  StringMap labels;
  std::vector<Taint> taints;
  Duration leaseDuration = std::chrono::seconds(8);
  Duration statusInterval = std::chrono::seconds(60);
  Duration startDelay{};               // of a container
  Duration stopDelay{};
  bool events = false;                 // whether it writes Events about its pods
};

class HollowNode {
 public:
  virtual ~HollowNode() = default;     // stops it; nothing is told to the API (as a machine whose power fails)
  virtual const std::string& name() const = 0;
  virtual bool registered() const = 0;
  virtual size_t podCount() const = 0;
  virtual size_t runningContainers() const = 0;
  // To make containers end or fail. Strand only.
  virtual FakeRuntime& runtime() = 0;
  virtual PodManager& pods() = 0;
};

// Starts at once. `client` must outlive it.
std::unique_ptr<HollowNode> makeHollowNode(client::Client& client, std::shared_ptr<Executor> executor, HollowOptions options);

}  // namespace ph::agents
