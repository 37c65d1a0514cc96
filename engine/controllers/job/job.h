// Job: runs pods until enough of them have ended well, or too much went wrong. Every ended pod counts once: its uid
// stands in status.uncountedTerminatedPods (or its index in completedIndexes) before its finalizer goes, and becomes a
// number only after that. Source of the rules: Kubernetes documentation, "Jobs". Threads: pure.
#pragma once

#include "engine/api/types/batch.h"
#include "engine/controllers/runner.h"

namespace ph::controllers {

namespace job {
// Complete or Failed; null while it runs.
const api::batch::JobCondition* finished(const api::batch::JobStatus& status);
}  // namespace job

Plan reconcileJob(const Snapshot& snapshot, const Key& key, Moment now);
ControllerSpec jobController(const Kinds& kinds);

// A pod that no Job will ever count gives up the finalizer that Jobs put on pods, or it could not be deleted.
Plan releaseStrayPod(const Snapshot& snapshot, const Key& key);
ControllerSpec strayJobPodsController(const Kinds& kinds);

}  // namespace ph::controllers
