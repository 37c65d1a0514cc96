// UsageSource: what nodes and pods use now; engine/metrics collects it, the server answers metrics.k8s.io from it.
// Threads: any.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/base/time.h"

namespace ph::client {

struct Use {
  uint64_t cpuNanoCores = 0, memoryBytes = 0;  // memory: the working set
};

struct NodeUse {
  Use use;
  WallTime at{};
  Duration window{};  // over which the CPU's rate was taken
};

struct PodUse {
  struct ContainerUse {
    std::string name;
    Use use;
  };
  std::vector<ContainerUse> containers;
  WallTime at{};
  Duration window{};
};

class UsageSource {
 public:
  virtual ~UsageSource() = default;
  // nullopt: not known, or too old to be told as if it were now.
  virtual std::optional<NodeUse> node(const std::string& name) const = 0;
  virtual std::optional<PodUse> pod(const std::string& uid) const = 0;
};

}  // namespace ph::client
