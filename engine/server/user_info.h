// A user as reviews, certificate requests and the audit log write it (UserInfo of authentication.k8s.io/v1). Threads: pure.
#pragma once

#include "engine/server/api_request.h"

namespace ph::server {

JsonObject userInfo(const User& user);

}  // namespace ph::server
