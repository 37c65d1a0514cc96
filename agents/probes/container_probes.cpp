#include "agents/probes/container_probes.h"

#include <algorithm>

namespace ph::agents {

using std::chrono::seconds;

const char* probeName(ProbeKind kind) {
  return kind == ProbeKind::Startup ? "Startup" : kind == ProbeKind::Liveness ? "Liveness" : "Readiness";
}

ContainerProbes::ContainerProbes(std::shared_ptr<Executor> strand, std::shared_ptr<ProbeChecker> checker, api::ObjectPtr pod,
                                 const api::core::Container& container, std::string containerId, std::string podIp,
                                 ProbeEvents events)
    : strand_(std::move(strand)), checker_(std::move(checker)), pod_(std::move(pod)), container_(container),
      containerId_(std::move(containerId)), podIp_(std::move(podIp)), events_(std::move(events)) {
  if (container_.startupProbe) startup_.probe = &*container_.startupProbe;
  if (container_.livenessProbe) liveness_.probe = &*container_.livenessProbe;
  if (container_.readinessProbe) readiness_.probe = &*container_.readinessProbe;
}

void ContainerProbes::start(Duration runningFor) {
  began_ = strand_->monoNow() - runningFor;
  if (startup_.probe && checker_)
    schedule(startup_, seconds(startup_.probe->initialDelaySeconds) - runningFor);
  else
    afterStartup(runningFor);
}

void ContainerProbes::afterStartup(Duration runningFor) {
  startup_.state = true;
  if (events_.started) events_.started();
  if (stopped_) return;
  if (!readiness_.probe || !checker_) {
    if (events_.ready) events_.ready(true);
  } else {
    schedule(readiness_, seconds(readiness_.probe->initialDelaySeconds) - runningFor);
  }
  if (liveness_.probe && checker_) schedule(liveness_, seconds(liveness_.probe->initialDelaySeconds) - runningFor);
}

void ContainerProbes::schedule(One& one, Duration delay) {
  std::weak_ptr<ContainerProbes> weak = weak_from_this();
  one.timer = strand_->after(std::max(delay, Duration::zero()), [weak, kind = one.kind] {
    if (auto self = weak.lock()) self->run(kind);
  });
}

void ContainerProbes::run(ProbeKind kind) {
  if (stopped_) return;
  std::weak_ptr<ContainerProbes> weak = weak_from_this();
  checker_->check(*of(kind).probe, {containerId_, podIp_, &container_}, [weak, kind](Result<ProbeOutcome> outcome) {
    if (auto self = weak.lock()) self->settle(kind, std::move(outcome));
  });
}

void ContainerProbes::settle(ProbeKind kind, Result<ProbeOutcome> outcome) {
  if (stopped_) return;
  auto keep = shared_from_this();
  One& one = of(kind);
  bool ok = outcome.ok() && outcome->ok;
  auto period = seconds(std::max(1, int(one.probe->periodSeconds)));
  if (ok) {
    one.failures = 0;
    ++one.successes;
  } else {
    one.successes = 0;
    ++one.failures;
    if (events_.unhealthy) events_.unhealthy(kind, outcome.ok() ? outcome->text : outcome.status().message);
  }
  bool up = one.successes >= std::max(1, int(one.probe->successThreshold));
  bool down = one.failures >= std::max(1, int(one.probe->failureThreshold));
  if (kind == ProbeKind::Startup && up) return afterStartup(strand_->monoNow() - began_);
  if (kind == ProbeKind::Readiness && (up || down) && one.state != up) {
    one.state = up;
    if (events_.ready) events_.ready(up);
  }
  if (kind != ProbeKind::Readiness && down) {
    stopped_ = true;
    if (events_.dead) events_.dead(kind);
    return;
  }
  if (!stopped_) schedule(one, period);
}

}  // namespace ph::agents
