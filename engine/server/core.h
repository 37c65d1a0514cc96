// Core: what all parts of the server share. Made once; outlives every request.
// Threads: members are set before the first request, then only used; each is thread-safe by itself.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/api/registry.h"
#include "engine/base/executor.h"
#include "engine/cache/cache.h"
#include "engine/server/service_addresses.h"

namespace ph::server {

using api::ResourceInfo;

// Where the API is: its port, and the addresses at which nodes and pods reach it. None: only this machine does.
struct Advertised {
  Advertised(uint16_t p, std::vector<std::string> all = {}) : port(p), addresses(std::move(all)) {}
  uint16_t port;
  std::vector<std::string> addresses;
};

class RbacIndex;       // rbac/: roles and bindings, ready to be asked
class TokenAuthority;  // identity/: signs and checks service account tokens
class QuotaLedger;     // admission/: what quotas allow and what is used or about to be
class CustomKinds;     // custom/: keeps the registry in step with the stored CustomResourceDefinitions
class ClusterCa;       // identity/: the cluster's certificate authority
class WriteTimes;      // write_times.h: when recent writes were asked for, and when they were durable
class VirtualSources;  // virtual_sources.h: kinds that other parts of the engine answer for

struct Core {
  std::shared_ptr<api::Registry> registry;
  std::shared_ptr<Executor> executor;
  ServiceAddresses addresses;
  // Set by makeCore() or the runtime before the first request; null in tests that need none of it.
  std::shared_ptr<RbacIndex> rbac;
  std::shared_ptr<TokenAuthority> tokens;
  std::shared_ptr<QuotaLedger> quota;
  std::shared_ptr<CustomKinds> customKinds;
  std::shared_ptr<ClusterCa> ca;
  std::shared_ptr<VirtualSources> sources;  // never null
  std::shared_ptr<WriteTimes> writeTimes;   // never null
  const ResourceInfo* namespaces = nullptr;
  const ResourceInfo* pods = nullptr;
  const ResourceInfo* services = nullptr;
  const ResourceInfo* nodes = nullptr;
  // Last, so that it goes first: writes still under way call back into the members above.
  std::unique_ptr<cache::Cache> cache;

  WallTime now() const { return executor->wallNow(); }
};

// Core over an open cache, with the addresses that stored services hold.
Result<std::shared_ptr<Core>> makeCore(std::shared_ptr<api::Registry> registry, std::shared_ptr<Executor> executor,
                                       std::unique_ptr<cache::Cache> cache);
// The namespaces, and the service "kubernetes", that every cluster has. Ends when all are durable.
void createDefaults(const std::shared_ptr<Core>& core, Advertised api, std::function<void(Result<>)> done);

}  // namespace ph::server
