// Namespace: when one is deleted, all that it holds of every kind goes first; then its own finalizer.
// Threads: pure.
#pragma once

#include "engine/controllers/runner.h"

namespace ph::controllers {

Plan reconcileNamespace(const Snapshot& snapshot, const Key& key, Moment now);
ControllerSpec namespaceController(const Kinds& kinds);

}  // namespace ph::controllers
