// What this machine is and has: /proc, /sys, /etc and the cgroup's limits. Threads: blocking, quick.
#pragma once

#include <string>
#include <vector>

#include "engine/base/random.h"

namespace ph::agents {

struct MachineFacts {
  std::string hostname, machineId, systemUuid, bootId, kernel, osImage, arch;
  int64_t cpuMilli = 0, memoryBytes = 0;
};

// `stateFolder` keeps a machine id made by us where the machine has none.
MachineFacts readMachine(const std::string& stateFolder, Random& random);

struct MemoryUse { int64_t total = 0, available = 0; };
// The smaller of the machine's and of the cgroup's that the agent lives in.
MemoryUse readMemory();
// Folder of our cgroup in a v1 hierarchy ("memory", "cpu"); empty when it is not mounted.
std::string ownCgroup(const std::string& controller);
// The mount point of a v1 hierarchy; empty: none. `unified` is the v2 hierarchy when it has that controller.
std::string cgroupMount(const std::string& controller);
bool cgroupV2();
bool pidsScarce();  // less than a twentieth of the process ids is free
int64_t cpuNanosecondsUsed();  // by the whole machine (or its cgroup) since it started

struct Resolv { std::vector<std::string> nameservers, searches; };
Resolv readResolv(const std::string& path = "/etc/resolv.conf");

// The address by which others reach this machine: of the interface with the default route; else the first that is not
// loopback. Empty: none.
std::string primaryAddress();

}  // namespace ph::agents
