// What the scheduler and the timelines know, offered as kinds of the API (pilothouse.io/v1).
// Threads: called at start and stop; what it offers answers from any thread.
#pragma once

#include <memory>

#include "engine/scheduler/scheduler.h"
#include "engine/server/core.h"
#include "engine/timeline/pod_timelines.h"

namespace ph::runtime {

// Either may be null: then nobody answers for its kinds. They live until withdrawInsight().
void offerInsight(const std::shared_ptr<server::Core>& core, scheduler::Scheduler* scheduler, timeline::PodTimelines* timelines);
void withdrawInsight(server::Core& core);

}  // namespace ph::runtime
