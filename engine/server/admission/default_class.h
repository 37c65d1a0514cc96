// Classes of which one may be marked by an annotation as what is meant when none is named. Threads: any.
#pragma once

#include <span>
#include <string_view>

#include "engine/server/core.h"

namespace ph::server {

// The marked one; of several, the newest, and of those made in the same second the first by name. Null: none.
api::ObjectPtr defaultClass(const Core& core, std::string_view group, std::string_view plural, std::span<const std::string_view> annotations);

}  // namespace ph::server
