// ProbeChecker: one check of one probe, now. Threads: the node's strand; callbacks too, never inline.
#pragma once

#include <string>

#include "agents/runtime/runtime.h"
#include "engine/api/types/core.h"

namespace ph::agents {

struct ProbeOutcome {
  bool ok = false;
  std::string text;  // why not, in kubelet's words
};

struct ProbeTarget {
  std::string containerId, podIp;
  const api::core::Container* container = nullptr;  // for named ports; valid during the call
};

class ProbeChecker {
 public:
  virtual ~ProbeChecker() = default;
  // Answers within the probe's timeout (at least a second) in any case.
  virtual void check(const api::core::Probe& probe, const ProbeTarget& target, Done<ProbeOutcome> done) = 0;
  // A preStop or postStart hook; `limit` bounds it.
  virtual void hook(const api::core::LifecycleHandler& hook, const ProbeTarget& target, Duration limit, Done<ProbeOutcome> done) = 0;
};

}  // namespace ph::agents
