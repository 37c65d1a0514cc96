// The bookkeeping of field ownership inside the verbs.
// What is tracked: objects that clients from outside create or apply, and every later write to such an object, whoever makes
// it. Objects that the engine's own parts and nodes create (pods of a ReplicaSet, Leases, Endpoints...) carry no
// managedFields until someone applies to them; then what they hold counts as set "before-first-apply".
// Threads: as PendingWrite.
#pragma once

#include <memory>

#include "engine/server/apply/managed_fields.h"
#include "engine/server/pending_write.h"

namespace ph::server {

// An apply on its way.
struct PendingApply {
  Json config;         // as sent
  FieldSet fields;     // what it names, without what the server owns
  ManagedFields managed;
  bool takesAll = false;  // force
};

// Checks the manager's name and what goes only with apply (422 about CreateOptions and the like).
Result<> checkWriteOptions(const ApiRequest& request);

// The managedFields of an object that is being made of `tree` (a conforming one), or null.
Json trackCreate(const PendingWrite& p, const Json& tree, const Json& asked);
// Sets next's metadata.managedFields: `old` became `next`, which may carry what the client wants there.
void trackUpdate(const PendingWrite& p, const Json& old, Json& next);

// Reads p.tree as an apply's configuration into p.apply.
Result<> readApply(PendingWrite& p);
// The object that the configuration makes of `live`; p.apply keeps the owners.
Result<Json> mergeApply(PendingWrite& p, const Json& live);
// After defaulting: conflicts (409), or next's metadata.managedFields.
Result<> settleApply(PendingWrite& p, const Json& old, Json& next);

}  // namespace ph::server
