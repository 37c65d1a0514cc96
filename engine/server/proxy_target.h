// ProxyTarget: where the proxy of a pod or a service leads: the address, and the node whose agent can reach it.
// Source: the names that the API's proxy paths take, [SCHEME:]NAME[:PORT]. Threads: reads snapshots; any.
#pragma once

#include <string>
#include <string_view>

#include "engine/server/api_request.h"
#include "engine/server/core.h"

namespace ph::server {

struct ProxyName {
  std::string scheme = "http", name, port;  // port: a number, a name, or empty
};
// 400 when it has other parts.
Result<ProxyName> parseProxyName(std::string_view text);

struct ProxyTarget {
  std::string scheme, endpoint;  // "10.1.2.3:8080", "[fd00::1]:80"
  std::string node;              // empty: any node will do
};
// `request` names a pod or a service, in the form above.
Result<ProxyTarget> proxyTarget(const Core& core, const ApiRequest& request);

// What follows "proxy" in a path, still encoded ("/a%20b/"); empty when nothing does.
std::string_view afterProxy(std::string_view path, size_t segmentsBefore);

}  // namespace ph::server
