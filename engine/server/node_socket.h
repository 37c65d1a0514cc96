// exec, attach and port-forward: the client's WebSocket and the agent's, joined. Threads: any; driven by net threads.
#pragma once

#include "engine/client/node_dialer.h"
#include "engine/server/call.h"
#include "engine/server/core.h"

namespace ph::server {

void connectSocket(std::shared_ptr<client::NodeDialer> dialer, const CallPtr& call, const ApiRequest& request,
                   const api::Object& pod);

}  // namespace ph::server
