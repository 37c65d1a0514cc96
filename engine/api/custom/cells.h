// Printer columns: where their values stand, and how they are shown. Threads: immutable.
#pragma once

#include <string>
#include <vector>

#include "engine/api/custom/json_path.h"
#include "engine/api/registry.h"

namespace ph::api::custom {

struct Column {
  std::string type;
  JsonPath path;
};

// null where the object has nothing, or nothing of the column's type.
Json cellOf(const Column& column, const Json& object, WallTime now);

}  // namespace ph::api::custom
