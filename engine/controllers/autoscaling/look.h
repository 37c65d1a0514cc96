// One look at one autoscaler: what it sees, its status as it is going to be, and the plan that comes of it.
// Threads: pure.
#pragma once

#include <optional>
#include <string>

#include "engine/controllers/autoscaling/autoscaling.h"
#include "engine/controllers/autoscaling/scale_target.h"

namespace ph::controllers::autoscaling {

struct Look {
  const Snapshot& snapshot;
  const Key& key;
  Moment now;
  const client::UsageSource* usage;
  Memory& memory;
  Remembered& mine;
  ObjectPtr object;
  const api::autoscaling_v2::HorizontalPodAutoscaler& hpa;
  api::autoscaling_v2::HorizontalPodAutoscalerStatus status;
  Plan plan;

  void tell(std::string type, std::string reason, std::string message);
  void setCondition(std::string type, bool holds, std::string reason, std::string message);
};

struct Wanted {
  int32_t replicas = 0;
  std::string metric;  // that asks for them
};

// metrics.cpp. The most that a metric asks for, which may be too much; sets status.currentMetrics and ScalingActive. nullopt: it
// can't be told.
std::optional<Wanted> wantedByMetrics(Look& look, const ScaleTarget& target);

}  // namespace ph::controllers::autoscaling
