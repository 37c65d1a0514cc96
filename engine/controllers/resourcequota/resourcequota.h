// ResourceQuota: shows in the status what a namespace uses. What enforces quotas is the server's ledger; both count alike.
// Threads: pure.
#pragma once

#include "engine/controllers/runner.h"

namespace ph::controllers {

Plan reconcileResourceQuota(const Snapshot& snapshot, const Key& key, Moment now);
ControllerSpec resourceQuotaController(const Kinds& kinds);

}  // namespace ph::controllers
