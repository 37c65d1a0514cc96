// From a pod's spec to what the runtime is asked for: sandbox and containers, without what pod_inputs.h adds.
// Threads: pure.
#pragma once

#include <string>

#include "agents/runtime/runtime.h"
#include "engine/api/object.h"
#include "engine/api/types/core.h"

namespace ph::agents {

struct ConfigContext {
  std::string nodeName;
  std::string logRoot = "/var/log/pods";
  std::string cgroupRoot = "/pilothouse";   // empty: no cgroup parents of our own
  std::string clusterDns = "10.96.0.10", clusterDomain = "cluster.local";
  std::vector<std::string> hostNameservers, hostSearches;  // of the node's resolv.conf, for dnsPolicy Default
  int64_t memoryCapacity = 0;               // bytes; for the OOM scores
};

std::string podLogDirectory(const ConfigContext& context, const api::Object& pod);
std::string podCgroup(const ConfigContext& context, const api::Object& pod);
std::string podHostname(const api::Object& pod);
SandboxSpec sandboxSpec(const ConfigContext& context, const api::Object& pod, uint32_t attempt);
ContainerSpec containerSpec(const ConfigContext& context, const api::Object& pod, const api::core::Container& container,
                            const ImageInfo& image, uint32_t attempt);
// Changes when anything in the container's spec does that needs it to be made anew (all but probes' results).
std::string containerHash(const api::core::Container& container);
// A container that must not run as root but would; empty when fine.
std::string rootViolation(const api::core::PodSpec& spec, const api::core::Container& container, const ImageInfo& image);
// The effective grace period of a pod, seconds.
int64_t terminationGrace(const api::Object& pod);

}  // namespace ph::agents
