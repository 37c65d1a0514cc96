// Secrets of type kubernetes.io/service-account-token: filled with a token, the CA's certificate and the namespace, and
// removed with their account. Threads: pure.
#pragma once

#include <functional>
#include <string>

#include "engine/controllers/runner.h"

namespace ph::controllers {

// A token of this account that holds as long as the secret of this name has it.
using SignSecretToken = std::function<Result<std::string>(const api::Object& account, const std::string& secret)>;

Plan reconcileTokenSecret(const Snapshot& snapshot, const Key& key, const std::string& rootCa, const SignSecretToken& sign);
ControllerSpec tokenSecretsController(const Kinds& kinds, std::string rootCa, SignSecretToken sign);

// For programs of the time before Kubernetes 1.24, which expect that each account names a secret with a token of its own.
Plan reconcileAccountSecret(const Snapshot& snapshot, const Key& key);
ControllerSpec accountSecretsController(const Kinds& kinds);

}  // namespace ph::controllers
