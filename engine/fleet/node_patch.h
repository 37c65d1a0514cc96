// The patch that makes a Node follow its Machine.
// Threads: pure.
#pragma once

#include <string>

#include "engine/api/object.h"
#include "engine/api/types/fleet.h"

namespace ph::fleet {

// On the Node: what its Machine put there.
inline constexpr const char* kAppliedAnnotation = "fleet.pilothouse.io/applied";

// A merge patch; empty when the Node follows already. It is only right for this version of the Node (taints are one list).
std::string nodePatch(const api::Object& node, const api::fleet::MachineSpec& spec);

}  // namespace ph::fleet
