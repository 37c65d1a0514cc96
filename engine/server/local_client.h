// LocalClient: the Client of what runs inside the engine: the same verbs and admission as over HTTP, without HTTP.
// Threads: as client.h. Callbacks come on `executor`; those of one watch one at a time, in order.
#pragma once

#include <memory>

#include "engine/client/client.h"
#include "engine/server/api_server.h"

namespace ph::server {

// `server` answers raw(); null: raw() is refused.
std::shared_ptr<client::Client> makeLocalClient(std::shared_ptr<Core> core, std::shared_ptr<Executor> executor,
                                                std::shared_ptr<ApiServer> server, User user = systemAdmin());

}  // namespace ph::server
