// Discovery: what the server serves, in Kubernetes' legacy and aggregated forms, made from the registry.
// Threads: pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/api/registry.h"

namespace ph::server {

struct Subresource {
  std::string_view name, group, version, kind;
  std::vector<std::string_view> verbs;
};
// What of a kind's subresources this server serves.
std::vector<Subresource> subresourcesOf(const api::ResourceInfo& info);

struct DiscoveryAnswer {
  std::string body, contentType;
};
// For GET of /api, /apis, /apis/G, /api/V, /apis/G/V; nullopt: no such group or version.
std::optional<DiscoveryAnswer> discover(const api::Registry& registry, const std::vector<std::string>& segments,
                                        std::string_view accept);

}  // namespace ph::server
