// Volume binding: brings PersistentVolumeClaims and PersistentVolumes together, makes volumes of the provisioner
// pilothouse.io/local (a folder on the machine where the claim's first pod runs), and keeps the phases of both.
// Two controllers: one looks at claims, the other at volumes; each writes what the other waits for.
// Source: Kubernetes' documentation of PersistentVolumes and StorageClasses. Threads: pure.
#pragma once

#include "engine/controllers/runner.h"

namespace ph::controllers {

Plan reconcileClaim(const Snapshot& snapshot, const Key& key, Moment now);
Plan reconcileVolume(const Snapshot& snapshot, const Key& key, Moment now);
ControllerSpec claimBindingController(const Kinds& kinds);
ControllerSpec volumeBindingController(const Kinds& kinds);

}  // namespace ph::controllers
