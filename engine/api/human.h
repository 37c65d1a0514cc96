// Short words for people: ages and durations as kubectl prints them.
// Threads: pure.
#pragma once

#include <string>

#include "engine/base/time.h"

namespace ph::api {

// "5s", "2m3s", "3h", "2d5h": two units only while the first is small.
std::string humanDuration(Duration d);
// The time since `then`; "<unknown>" for the epoch (never set).
std::string humanAge(WallTime then, WallTime now);

}  // namespace ph::api
