// A TCP connection with a time limit, and what went wrong in words a user can act on.
// Threads: any; blocks up to the timeout.
#pragma once

#include <string>

#include "engine/base/result.h"
#include "engine/base/time.h"

namespace ph::fleet {

// A connected, blocking socket (owned by the caller). Tries each address of the name in turn.
Result<int> dialTcp(const std::string& address, int port, Duration timeout);

}  // namespace ph::fleet
