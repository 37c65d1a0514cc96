// MachineInfo: what a node says of its machine. Threads: a plain value.
#pragma once

#include <cstdint>
#include <string>

namespace ph::agents {

struct MachineInfo {
  std::string hostname, machineId, systemUuid, bootId, kernel, osImage, os = "linux", arch;
  int64_t cpuMilli = 0, memoryBytes = 0, diskBytes = 0;
  int maxPods = 110;
};

// What presses on the machine right now.
struct MachinePressure {
  bool memory = false, disk = false, pids = false;
};

}  // namespace ph::agents
