// Sends a list: small ones whole, large ones piece by piece as the client takes them.
// Threads: any; goes on by itself on net threads.
#pragma once

#include "engine/server/call.h"
#include "engine/server/reads.h"

namespace ph::server {

void sendList(const std::shared_ptr<Core>& core, const ResourceInfo& info, Listing listing, const CallPtr& call);

}  // namespace ph::server
