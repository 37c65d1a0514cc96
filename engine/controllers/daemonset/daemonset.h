// DaemonSet: keeps one pod of a template on every node that the template fits, and rolls new templates out
// node by node. The rules (which nodes, tolerations, limits of an update, status, history) are Kubernetes'
// own, so that kubectl rollout status, history, undo and restart work. Threads: pure.
#pragma once

#include "engine/controllers/runner.h"

namespace ph::controllers {

Plan reconcileDaemonSet(const Snapshot& snapshot, const Key& key, Moment now);
ControllerSpec daemonSetController(const Kinds& kinds);

}  // namespace ph::controllers
