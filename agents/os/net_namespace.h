// Sockets in another network namespace, as a pod's. Threads: blocking, quick; the calling thread is in its own namespace again after.
#pragma once

#include <string>

#include "engine/base/result.h"

namespace ph::agents {

// A non-blocking TCP socket that belongs to the namespace of this file ("/run/netns/NAME", "/proc/PID/ns/net"); empty: to our own.
Result<int> tcpSocketIn(const std::string& namespaceFile, bool v6);

}  // namespace ph::agents
