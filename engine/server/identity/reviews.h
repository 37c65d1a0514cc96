// TokenReview: whose is this token? SelfSubjectReview: who am I? Both of authentication.k8s.io, answered and not kept.
// Threads: any; answered at once.
#pragma once

#include <memory>

#include "engine/server/api_request.h"
#include "engine/server/core.h"

namespace ph::server {

void reviewToken(std::shared_ptr<Core> core, ApiRequest request, Json body, WriteDone done);

}  // namespace ph::server
