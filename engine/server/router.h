// Router: paths of resources to requests on registry entries. Threads: pure.
#pragma once

#include <string>
#include <vector>

#include "engine/server/api_request.h"

namespace ph::server {

// Splits an encoded path into decoded segments; false when an escape is malformed or there are too many.
bool splitPath(std::string_view path, std::vector<std::string>& segments);

// segments[at...] is what follows the version: [watch/] [namespaces/NS/] RESOURCE [/NAME [/SUBRESOURCE [/...]]].
// Fills verb, info, ns, name, subresource, subpath. 404 for what is not served, 405 for a verb that does not fit.
Result<> routeResource(const api::Registry& registry, std::string_view group, std::string_view version,
                       const std::vector<std::string>& segments, size_t at, std::string_view method, ApiRequest& request);

// log, exec, attach, portforward, proxy: answered by the node.
bool isConnect(const ApiRequest& request);
Status noSuchResource();

}  // namespace ph::server
