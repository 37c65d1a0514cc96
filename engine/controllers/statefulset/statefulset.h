// StatefulSet: keeps pods with a lasting identity: NAME-ORDINAL, each with claims of its own that outlive it. The rules
// (order of start, end and update, partition, claims' retention, history) are Kubernetes' own, so that kubectl rollout
// status, history and undo work. Threads: pure.
#pragma once

#include "engine/controllers/runner.h"

namespace ph::controllers {

Plan reconcileStatefulSet(const Snapshot& snapshot, const Key& key, Moment now);
ControllerSpec statefulSetController(const Kinds& kinds);

}  // namespace ph::controllers
