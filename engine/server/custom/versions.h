// Objects as a version of their kind shows them.
// Threads: pure.
#pragma once

#include "engine/api/object.h"

namespace ph::server {

using api::ObjectPtr;
using api::ResourceInfo;

// The object in another version of its kind, at the same revision; the object itself when it is that already. A custom kind
// that was changed since the object was made is brought to what its schema says now.
ObjectPtr inVersion(const ObjectPtr& object, const ResourceInfo& want);

// Callers inside the engine hold entries for long; a custom kind's may have been replaced. The one that holds now, or the given
// one when its kind has gone.
const ResourceInfo& newest(const api::Registry& registry, const ResourceInfo& info);

}  // namespace ph::server
