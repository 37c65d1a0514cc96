// Every namespace has a ConfigMap kube-root-ca.crt: the certificate that the API's is checked against. Threads: pure.
#pragma once

#include <string>

#include "engine/controllers/runner.h"

namespace ph::controllers {

Plan reconcileRootCa(const Snapshot& snapshot, const Key& key, const std::string& rootCa);
ControllerSpec rootCaController(const Kinds& kinds, std::string rootCa);  // PEM

}  // namespace ph::controllers
