// Preemption: which less important pods would have to leave which node, so that a pod that fits nowhere fits there.
// Source: Kubernetes, "Pod Priority and Preemption"; the order among nodes is that of its default preemption.
// Threads: none of its own; the scheduler's strand. The cluster is changed while it looks, and is as it was afterwards.
#pragma once

#include <string>
#include <vector>

#include "engine/api/selector.h"
#include "engine/scheduler/framework/chooser.h"

namespace ph::scheduler {

// A disruption budget: kept where that is possible, broken where it is not.
struct Budget {
  std::string ns;
  api::LabelSelector selector;
  int64_t allowed = 0;                 // pods that may still go
  std::vector<std::string> disrupted;  // names of pods on their way out, counted already; sorted
};

struct Preemption {
  std::string node;                 // empty: there is no such node
  std::vector<PodInfoPtr> victims;  // the most important first
  int violations = 0;               // victims whose budgets are broken
};

Preemption findPreemption(const PodInfo& pod, Cluster& cluster, const Chooser& chooser, const std::vector<Budget>& budgets);

}  // namespace ph::scheduler
