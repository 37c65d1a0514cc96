// What the generator and the strategies hand to the registry.
// Threads: pure.
#pragma once

#include <string_view>
#include <vector>

#include "engine/api/registry.h"

namespace ph::api {

std::vector<ResourceInfo> builtinResources();  // generated; without strategies
// The strategy of a kind by its storageGroupKind; an empty one for kinds that need none.
const Strategy* strategyFor(std::string_view storageGroupKind);

}  // namespace ph::api
