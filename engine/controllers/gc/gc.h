// Garbage collection by owner, for every kind. Keys are "KEYPREFIX|OBJECTKEY" (gcKey).
// Background: an object all of whose owners are gone is deleted, after the API itself said that they are
// gone. Foreground: an owner with the foregroundDeletion finalizer goes after the dependents that block it.
// Orphan: an owner with the orphan finalizer lets go of its dependents first.
// Threads: pure.
#pragma once

#include "engine/controllers/runner.h"

namespace ph::controllers {

std::string gcKey(const api::Object& object);
Plan collectGarbage(const Snapshot& snapshot, const Key& key, Moment now);
void gcKeys(const Snapshot& snapshot, const client::Change& change, Keys& keys);
ControllerSpec gcController();

}  // namespace ph::controllers
