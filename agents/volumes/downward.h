// The downward API: what a pod may know of itself, by field path or by resource.
// Threads: pure.
#pragma once

#include <string>
#include <vector>

#include "agents/pods/pod_inputs.h"
#include "engine/api/object.h"
#include "engine/api/types/core.h"
#include "engine/base/result.h"

namespace ph::agents {

struct DownwardContext {
  std::string nodeName;
  PodAddresses addresses;
  int64_t cpuMilli = 0, memoryBytes = 0, diskBytes = 0;  // of the node, for limits that are not set
};

// metadata.name, metadata.labels['x'], metadata.labels, status.podIP, spec.nodeName...
Result<std::string> fieldValue(const api::Object& pod, const std::string& path, const DownwardContext& context);
// limits.cpu, requests.memory... in units of the divisor, rounded up.
Result<std::string> resourceValue(const api::core::PodSpec& spec, const std::string& container, const api::core::ResourceFieldSelector& selector,
                                  const DownwardContext& context);

}  // namespace ph::agents
