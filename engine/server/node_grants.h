// What a node may read because a pod bound to it names it. Threads: pure over a snapshot.
#pragma once

#include <string_view>

#include "engine/server/core.h"

namespace ph::server {

std::string_view nodeNameOf(const api::Object& pod);
// True when a pod on `node` in `ns` uses the ConfigMap or Secret (`kind`) of this name.
bool podOnNodeNames(const Core& core, std::string_view node, std::string_view ns, std::string_view kind,
                    std::string_view name);

// True when a pod on `node` in `ns` runs as this service account.
bool podOnNodeRunsAs(const Core& core, std::string_view node, std::string_view ns, std::string_view account);

}  // namespace ph::server
