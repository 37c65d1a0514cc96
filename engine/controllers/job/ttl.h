// TTL: deletes a Job some time after it ended, as its spec.ttlSecondsAfterFinished says. Threads: pure.
#pragma once

#include "engine/controllers/runner.h"

namespace ph::controllers {

Plan reconcileTtl(const Snapshot& snapshot, const Key& key, Moment now);
ControllerSpec ttlController(const Kinds& kinds);

}  // namespace ph::controllers
