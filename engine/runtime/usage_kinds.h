// metrics.k8s.io: NodeMetrics and PodMetrics, made from what a UsageSource knows when they are asked for.
// Threads: any.
#pragma once

#include <memory>

#include "engine/client/usage_source.h"
#include "engine/server/core.h"

namespace ph::runtime {

void serveUsage(const std::shared_ptr<server::Core>& core, std::shared_ptr<client::UsageSource> usage);
void stopServingUsage(server::Core& core);

}  // namespace ph::runtime
