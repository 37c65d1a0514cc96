// serviceaccounts/NAME/token: a token for a service account, perhaps bound to a pod, a secret or a node (TokenRequest of
// authentication.k8s.io/v1). Nothing is stored. Threads: reads immutable snapshots; any thread.
#pragma once

#include "engine/server/api_request.h"
#include "engine/server/core.h"

namespace ph::server {

bool isTokenRequest(const ApiRequest& request);
Result<WriteAnswer> createToken(const Core& core, const ApiRequest& request);
// The token of a Secret of type kubernetes.io/service-account-token.
Result<std::string> secretToken(const Core& core, const api::Object& account, const std::string& secret);

}  // namespace ph::server
