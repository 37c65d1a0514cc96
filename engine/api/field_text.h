// The text of a scalar at a dotted path of an object, for field selectors.
// Threads: pure.
#pragma once

#include <string>
#include <string_view>

#include "engine/api/object.h"

namespace ph::api {

// "" when absent; booleans are "true" or "false" (false when absent). Reads the decoded struct where the kind has one.
std::string fieldText(const Object& object, std::string_view path);

}  // namespace ph::api
