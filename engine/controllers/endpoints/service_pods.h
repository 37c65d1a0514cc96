// Which pods stand behind a service, and by which ports: for Endpoints and EndpointSlices. Threads: pure.
#pragma once

#include "engine/api/types/core.h"
#include "engine/controllers/runner.h"

namespace ph::controllers {

bool selects(const api::core::Service& service, const api::Labels& labels);
// The service's ports as this pod has them; those that it lacks (by name) are left out.
std::vector<api::core::EndpointPort> portsIn(const api::core::Pod& pod, const api::core::Service& service);
// The services that a pod's change concerns.
void keysOfServicePod(const Snapshot& snapshot, const client::Change& change, Keys& keys);

}  // namespace ph::controllers
