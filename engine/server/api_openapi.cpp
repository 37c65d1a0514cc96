#include "engine/server/api_server.h"

namespace ph::server {

bool ApiServer::openApi(const CallPtr& call) {
  (void)call;
  return false;
}

}  // namespace ph::server
