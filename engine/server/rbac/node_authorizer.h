// What a node may do: its own Node, Lease and CSINode, the pods bound to it, and what these pods name (secrets, config maps,
// volumes, tokens of their service accounts). After Kubernetes' Node authorizer and its rules for system:node; where those let a
// node read the pods of others, this does not. What a write says in its body is judged by node_restriction.h.
// Threads: reads immutable snapshots; any thread.
#pragma once

#include "engine/server/authz.h"

namespace ph::server {

Verdict mayNode(const Core& core, const User& user, std::string_view node, const Attributes& attributes);

}  // namespace ph::server
