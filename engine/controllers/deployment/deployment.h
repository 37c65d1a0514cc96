// Deployment: rolls a template out over ReplicaSets, one for each version of it, and keeps their history for
// undo. The rules (surge, unavailability, proportional scaling, conditions and their reasons, annotations)
// are Kubernetes' own, so that kubectl rollout status, history, undo, pause and restart work. Threads: pure.
#pragma once

#include "engine/controllers/runner.h"

namespace ph::controllers {

Plan reconcileDeployment(const Snapshot& snapshot, const Key& key, Moment now);
ControllerSpec deploymentController(const Kinds& kinds);

}  // namespace ph::controllers
