// What Kubernetes' kinds allow an update to do, as its own strategies say. Threads: pure.
#pragma once

#include "engine/server/api_request.h"

namespace ph::server {

// A PUT of what doesn't exist makes it.
bool createsOnUpdate(const ResourceInfo& info);
// A PUT must say which version it replaces.
bool needsRevision(const ResourceInfo& info);
// A write of the status may change this member of the metadata too: labels, annotations, finalizers, ownerReferences. None of a
// custom kind's or a definition's.
bool writableThroughStatus(const ResourceInfo& info, std::string_view member);

}  // namespace ph::server
