// What pods leave on a machine beside their volumes: log folders and cgroups. Threads: blocking.
#pragma once

#include <string>

namespace ph::agents {

// Of one pod that is gone.
void removeHostTraces(const std::string& logRoot, const std::string& cgroupRoot, const std::string& uid);
// Every cgroup below the agent's root, in every hierarchy. False when one is still in use.
bool removeCgroups(const std::string& cgroupRoot);

}  // namespace ph::agents
