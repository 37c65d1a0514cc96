// Impersonation: a request that acts as somebody else (Impersonate-User, -Group, -Uid, -Extra-KEY), as Kubernetes documents it
// under "User impersonation". Every part that is taken on needs the verb "impersonate" on it. Threads: any.
#pragma once

#include "engine/net/http.h"
#include "engine/server/api_request.h"
#include "engine/server/core.h"

namespace ph::server {

// The user that the request acts as: `user` itself without such headers; 403 when they may not, 400 when the headers make no
// sense.
Result<User> impersonated(const Core& core, const net::Headers& headers, User user);

}  // namespace ph::server
