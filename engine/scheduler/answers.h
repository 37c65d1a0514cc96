// What the scheduler knows, as objects of the API (pilothouse.io/v1). Threads: pure.
#pragma once

#include "engine/scheduler/scheduler.h"

namespace ph::scheduler {

inline constexpr size_t kDecisionRows = 5000;

// A SchedulingDecision.
api::Json decisionTree(const Explanation& explanation);
// A SchedulingPreview's status.
api::Json previewStatus(const std::vector<std::string>& places);
// A DrainPreview's status.
api::Json drainStatus(const std::vector<Move>& moves);

}  // namespace ph::scheduler
