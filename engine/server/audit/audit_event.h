// What the audit log says about a request, and of which requests it does. Threads: pure.
#pragma once

#include <string>
#include <string_view>

#include "engine/server/call.h"

namespace ph::server {

// All changes; reads of secrets; connections into pods; whatever was refused (401, 403, 429) or done in another's name. Left
// out: health, discovery, other reads, Events, and what nodes say about themselves every few seconds.
bool auditWanted(const Call& call, int code);
// One audit.k8s.io/v1 Event at level Metadata: never a body, so never a secret's content.
std::string auditEvent(const Call& call, int code, std::string_view auditId, WallTime now);

}  // namespace ph::server
