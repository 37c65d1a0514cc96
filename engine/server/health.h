// /healthz, /livez and /readyz with their parts. Source: Kubernetes, "API health endpoints". Threads: pure.
#pragma once

#include <vector>

#include "engine/server/call.h"

namespace ph::server {

struct HealthCheck {
  std::string_view name;
  bool fine;
};

bool isHealth(const Call& call);
// False: there is no such check (nothing was sent).
bool answerHealth(Call& call, const std::vector<HealthCheck>& checks);

}  // namespace ph::server
