// Every namespace has a ServiceAccount named "default". Threads: pure.
#pragma once

#include "engine/controllers/runner.h"

namespace ph::controllers {

Plan reconcileServiceAccount(const Snapshot& snapshot, const Key& key, Moment now);
ControllerSpec serviceAccountController(const Kinds& kinds);

}  // namespace ph::controllers
