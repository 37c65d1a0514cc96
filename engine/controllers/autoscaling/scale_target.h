// What an autoscaler scales: any kind that has a scale, built in or custom.
// Threads: pure.
#pragma once

#include <string>

#include "engine/api/selector.h"
#include "engine/api/types/autoscaling_v2.h"
#include "engine/controllers/snapshot.h"

namespace ph::controllers::autoscaling {

struct ScaleTarget {
  ObjectPtr object;
  const ResourceInfo* kind = nullptr;  // as it is now, to write by
  int32_t replicas = 0;                // wanted
  // Of its pods. Fails when it has none, or none that can be read.
  Result<api::LabelSelector> selector;
};

using Reference = api::autoscaling_v2::CrossVersionObjectReference;

// Fails when the kind is unknown or has no scale, or there is no such object; as unavailable when that is not known yet. Any version
// of the kind serves.
Result<ScaleTarget> findTarget(const Snapshot& snapshot, const Reference& reference, const std::string& ns);
bool names(const Reference& reference, const api::Object& object);

}  // namespace ph::controllers::autoscaling
