// The image of pod sandboxes, made by the agent itself: no registry is needed to start a pod. Threads: pure.
#pragma once

#include <string>

namespace ph::agents {

inline constexpr const char* pauseImage = "docker.io/pilothouse/pause:1";
// A Docker archive that holds only the pause program; the same bytes each time.
std::string pauseArchive(const std::string& architecture);

}  // namespace ph::agents
