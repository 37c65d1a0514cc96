// What Kubernetes' kinds allow an update to do, as its own strategies say. Threads: pure.
#pragma once

#include <string_view>

#include "engine/server/api_request.h"

namespace ph::server {

// A PUT of what doesn't exist makes it.
bool createsOnUpdate(const ResourceInfo& info);
// A PUT must say which version it replaces.
bool needsRevision(const ResourceInfo& info);
// The members of metadata that clients write.
inline constexpr std::string_view kWrittenMetadata[] = {"labels", "annotations", "finalizers", "ownerReferences"};
// A write of the status may change this one of them too. None of a custom kind's or a definition's.
bool writableThroughStatus(const ResourceInfo& info, std::string_view member);

}  // namespace ph::server
