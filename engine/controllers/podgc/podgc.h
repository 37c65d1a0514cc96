// Pod garbage: pods whose Node is gone, pods that end without ever having had one, and the oldest ended pods
// beyond a limit. Threads: pure.
#pragma once

#include "engine/controllers/runner.h"

namespace ph::controllers {

Plan collectPod(const Snapshot& snapshot, const Key& key, Moment now);
ControllerSpec podGcController(const Kinds& kinds);

Plan collectEnded(const Snapshot& snapshot, size_t limit);
ControllerSpec endedPodsController(const Kinds& kinds, size_t limit);

}  // namespace ph::controllers
