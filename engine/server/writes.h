// Writes: each becomes one cache mutation; its decision runs on the key's newest state, so patches need no retries.
// Threads: any; `done` comes on the caller's or the store's thread and must not block.
#pragma once

#include <memory>
#include <vector>

#include "engine/server/api_request.h"
#include "engine/server/core.h"

namespace ph::server {

// Create, Update, Patch, Delete, and the subresources that write. Not DeleteCollection.
void write(const std::shared_ptr<Core>& core, ApiRequest request, WriteDone done);
// Submitted together; results in order.
void writeAll(const std::shared_ptr<Core>& core, std::vector<ApiRequest> requests,
              std::function<void(std::vector<Result<WriteAnswer>>)> done);
// Deletes all that match; answers the list of what was deleted.
void deleteCollection(const std::shared_ptr<Core>& core, ApiRequest request, WriteDone done);

}  // namespace ph::server
