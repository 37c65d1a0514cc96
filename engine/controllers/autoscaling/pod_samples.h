// What the pods of an autoscaler's target use and request of one resource, and which of them count.
// Threads: pure, but for the source, which any thread may ask.
#pragma once

#include <string>
#include <vector>

#include "engine/base/result.h"
#include "engine/base/time.h"
#include "engine/client/usage_source.h"
#include "engine/controllers/autoscaling/replica_count.h"
#include "engine/controllers/snapshot.h"

namespace ph::controllers::autoscaling {

struct Measure {
  std::string resource;   // cpu, memory
  std::string container;  // empty: all of the pod
  bool requests = false;  // they are needed too
};

// Pods that have ended or are being deleted are left out. Fails where there are none, the resource or the container is not known,
// or a request is needed and missing. `usage` may be null.
Result<std::vector<Sample>> samplesOf(const std::vector<ObjectPtr>& pods, const client::UsageSource* usage, const Measure& measure,
                                      WallTime now);

}  // namespace ph::controllers::autoscaling
