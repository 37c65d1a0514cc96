// How a pod is, in the words that kubectl uses (Running, CrashLoopBackOff, Init:0/1, Terminating...).
// Threads: pure.
#pragma once

#include <string>

#include "engine/api/schema.h"

namespace ph::api {

struct PodSummary {
  int ready = 0, total = 0;  // containers
  std::string reason;        // the STATUS column
  int64_t restarts = 0;
  WallTime lastRestart{};    // the epoch: never
};

PodSummary summarizePod(const Json& pod);

}  // namespace ph::api
