// ContainerProbes: the startup, liveness and readiness probes of one running container, with their delays and thresholds.
// Threads: the node's strand. Destroying it ends them.
#pragma once

#include <functional>
#include <memory>

#include "agents/probes/probe_checker.h"
#include "engine/api/object.h"
#include "engine/base/executor.h"

namespace ph::agents {

enum class ProbeKind { Startup, Liveness, Readiness };
const char* probeName(ProbeKind kind);  // "Startup", "Liveness", "Readiness"

struct ProbeEvents {
  std::function<void()> started;                                       // the startup probe passed
  std::function<void(bool ready)> ready;                               // readiness changed
  std::function<void(ProbeKind, const std::string& text)> unhealthy;   // one failed check
  std::function<void(ProbeKind)> dead;                                 // startup or liveness failed for good
};

class ContainerProbes : public std::enable_shared_from_this<ContainerProbes> {
 public:
  // `pod` keeps `container` alive. Begins with start(); `running` is when the container started.
  ContainerProbes(std::shared_ptr<Executor> strand, std::shared_ptr<ProbeChecker> checker, api::ObjectPtr pod,
                  const api::core::Container& container, std::string containerId, std::string podIp, ProbeEvents events);
  void start(Duration runningFor);
  void stop() { stopped_ = true; }

 private:
  struct One {
    ProbeKind kind;
    const api::core::Probe* probe = nullptr;
    int successes = 0, failures = 0;
    bool state = false;
    Timer timer;
  };
  void schedule(One& one, Duration delay);
  void run(ProbeKind kind);
  void settle(ProbeKind kind, Result<ProbeOutcome> outcome);
  void afterStartup(Duration runningFor);
  One& of(ProbeKind kind) { return kind == ProbeKind::Startup ? startup_ : kind == ProbeKind::Liveness ? liveness_ : readiness_; }

  std::shared_ptr<Executor> strand_;
  std::shared_ptr<ProbeChecker> checker_;
  api::ObjectPtr pod_;
  const api::core::Container& container_;
  std::string containerId_, podIp_;
  ProbeEvents events_;
  One startup_{ProbeKind::Startup}, liveness_{ProbeKind::Liveness}, readiness_{ProbeKind::Readiness};
  MonoTime began_{};
  bool stopped_ = false;
};

}  // namespace ph::agents
