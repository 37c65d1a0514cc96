// The schema of a custom kind as OpenAPI documents show it. Threads: pure.
#pragma once

#include "engine/api/schema.h"

namespace ph::api::custom {

// From an openAPIV3Schema. `v2`: without what Swagger 2.0 does not have, and loose where kubectl would refuse what the server
// takes (nullable values, unknown fields that are kept).
Json publish(const Json& schema, bool v2);

}  // namespace ph::api::custom
