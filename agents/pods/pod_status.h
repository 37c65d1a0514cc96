// What the API is told of a pod: phase, conditions and container statuses, computed from what the agent sees.
// The rules are kubelet's. Threads: pure.
#pragma once

#include <string>

#include "agents/pods/pod_view.h"
#include "engine/api/object.h"
#include "engine/api/types/core.h"

namespace ph::agents {

enum class RestartPolicy { Always, OnFailure, Never };
RestartPolicy restartPolicy(const api::core::PodSpec& spec);
// "Guaranteed", "Burstable" or "BestEffort".
std::string qosClass(const api::core::PodSpec& spec);
bool wantsRestart(RestartPolicy policy, const ContainerView& container);
// All init containers have ended well.
bool initialized(const PodView& view);
// "Pending", "Running", "Succeeded" or "Failed".
std::string podPhase(const api::core::PodSpec& spec, const PodView& view);

struct StatusContext {
  std::string hostIp, runtimeName;
  WallTime now{};
};
// The whole status object. Conditions of others (readiness gates, disruption) are kept from the pod's object.
api::Json podStatus(const api::Object& pod, const PodView& view, const StatusContext& context);

}  // namespace ph::agents
