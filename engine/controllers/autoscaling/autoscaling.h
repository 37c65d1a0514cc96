// HorizontalPodAutoscaler: four times a minute, asks what the target's pods use and sets the target's number of replicas.
// Resource and ContainerResource metrics are measured; nothing here serves Pods, Object and External metrics: they fail as they do
// in a cluster without an adapter, and the rest may still scale up.
// Threads: pure, but for the memory that is handed in: it is the controller's own, confined to the runner's strand. After a start it
// is empty, so that nothing is scaled down before the window of stabilization has passed.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "engine/api/selector.h"
#include "engine/api/types/autoscaling_v2.h"
#include "engine/client/usage_source.h"
#include "engine/controllers/autoscaling/behavior.h"
#include "engine/controllers/runner.h"

namespace ph::controllers {

namespace autoscaling {

// A change of the target's size that was sent; the next look knows whether it was done, and says so in `status`.
struct Order {
  int32_t from = 0, to = 0;
  Moment at;
  api::autoscaling_v2::HorizontalPodAutoscalerStatus status;
};

struct Remembered {
  std::string uid;  // of the autoscaler
  History history;
  std::optional<api::LabelSelector> selector;  // of its target, at the last look
  std::optional<Order> order;
};

// By the autoscaler's key; forgotten when it goes.
using Memory = std::map<std::string, Remembered, std::less<>>;

}  // namespace autoscaling

// `usage` may be null: then no metric is known.
Plan reconcileAutoscaler(const Snapshot& snapshot, const Key& key, Moment now, const client::UsageSource* usage,
                         autoscaling::Memory& memory);
ControllerSpec autoscalingController(const Kinds& kinds, std::shared_ptr<const client::UsageSource> usage);

}  // namespace ph::controllers
