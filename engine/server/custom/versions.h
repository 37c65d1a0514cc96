// Entries of custom kinds over time. Threads: pure.
#pragma once

#include "engine/api/registry.h"

namespace ph::server {

using api::ResourceInfo;

// Callers inside the engine hold entries for long; a custom kind's may have been replaced. The one that holds now, or the given
// one when its kind has gone.
inline const ResourceInfo& newest(const api::Registry& registry, const ResourceInfo& info) {
  if (!info.custom) return info;
  auto* now = registry.find(info.group, info.version, info.plural);
  return now ? *now : info;
}

}  // namespace ph::server
