// The answers the net layer gives itself (limits, malformed input), in the form Kubernetes clients
// understand. Threads: pure.
#pragma once

#include "engine/net/http.h"

namespace ph::net {

// A meta/v1 Status as JSON.
std::string statusJson(const Status& status);
Response statusResponse(const Status& status);
// The reason phrase of HTTP/1.1's status line; "Status" when unknown.
std::string_view reasonPhrase(int status);

}  // namespace ph::net
