// What a node may read because a pod bound to it names it. Threads: pure over a snapshot.
#pragma once

#include <string_view>

#include "engine/server/core.h"

namespace ph::server {

std::string_view nodeNameOf(const api::Object& pod);
enum class PodUse { Secret, ConfigMap, Claim, ServiceAccount };
// True when a pod on `node` in `ns` names this object.
bool podOnNodeUses(const Core& core, std::string_view node, std::string_view ns, PodUse use, std::string_view name);
// True when a pod names any object of that sort.
bool podUsesAny(const Core& core, const api::Json& pod, PodUse use);

}  // namespace ph::server
