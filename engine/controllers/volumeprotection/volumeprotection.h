// Claims that pods use, and volumes that claims hold, stay until these have gone: takes the finalizers off that admission put
// on (StorageObjectInUseProtection). Threads: pure.
#pragma once

#include "engine/controllers/runner.h"

namespace ph::controllers {

Plan reconcileClaimProtection(const Snapshot& snapshot, const Key& key, Moment now);
Plan reconcileVolumeProtection(const Snapshot& snapshot, const Key& key, Moment now);
ControllerSpec claimProtectionController(const Kinds& kinds);
ControllerSpec volumeProtectionController(const Kinds& kinds);

}  // namespace ph::controllers
