// Status on the wire: the meta/v1 Status object. Threads: pure.
#pragma once

#include <string>

#include "engine/server/api_request.h"

namespace ph::server {

std::string statusJson(const Status& status);
Json statusTree(const Status& status);
// "Success" with the details of what was acted on.
std::string successJson(const ResourceInfo& info, std::string_view name, std::string_view uid);

}  // namespace ph::server
