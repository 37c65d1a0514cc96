// Requests that only the node can answer (logs, exec, attach, port-forward, node proxy), passed on to its agent.
// Threads: any; goes on by itself on net threads.
#pragma once

#include "engine/client/node_dialer.h"
#include "engine/server/call.h"
#include "engine/server/core.h"

namespace ph::server {

// Answers the call. `dialer` may be null: no node can be reached.
void connectNode(const std::shared_ptr<Core>& core, std::shared_ptr<client::NodeDialer> dialer, const CallPtr& call,
                 ApiRequest request);

// The container that a log or exec request means, in Kubernetes' way; 400 when it must be named.
Result<std::string> chooseContainer(const api::Object& pod, std::string_view asked);

}  // namespace ph::server
