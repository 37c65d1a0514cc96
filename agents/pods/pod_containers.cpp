// The containers of a PodWorker: start, probes, ends, restarts.
#include <fmt/format.h>

#include <algorithm>

#include "agents/pods/pod_status.h"
#include "agents/pods/pod_worker.h"
#include "engine/base/log.h"

namespace ph::agents {

using std::chrono::seconds;
namespace core = api::core;

namespace {

PullPolicy pullPolicy(const core::Container& c) {
  if (c.imagePullPolicy == "Always") return PullPolicy::Always;
  if (c.imagePullPolicy == "Never") return PullPolicy::Never;
  if (c.imagePullPolicy == "IfNotPresent") return PullPolicy::IfNotPresent;
  auto slash = c.image.rfind('/');
  auto tag = c.image.find(':', slash == std::string::npos ? 0 : slash);
  bool latest = c.image.find('@') == std::string::npos && (tag == std::string::npos || c.image.substr(tag) == ":latest");
  return latest ? PullPolicy::Always : PullPolicy::IfNotPresent;
}

std::string seconds3(Duration d) { return fmt::format("{:.3f}s", double(d.count()) / 1e9); }

}  // namespace

void PodWorker::maybeStart(Slot& slot) {
  auto& view = viewOf(slot);
  if (slot.starting || slot.stopping || view_.terminating) return;
  auto now = node_->strand->monoNow();
  if (slot.notBefore > now) return wakeAfter(slot.notBefore - now);
  bool again = view.current && view.current->state != ContainerState::Created;
  if (again) {
    auto wait = slot.backoff.remaining(slot.endedAt, now);
    if (wait > Duration::zero()) {
      if (view.waitingReason != "CrashLoopBackOff") {
        auto& c = specOf(slot);
        view.waitingReason = "CrashLoopBackOff";
        view.waitingMessage = fmt::format("back-off {}s restarting failed container={} pod={}_{}({})",
                                          slot.backoff.wait() / seconds(1), c.name, pod_->name(), pod_->ns(), uid_);
        event(EventType::Warning, "BackOff", fmt::format("Back-off restarting failed container {} in pod {}_{}({})", c.name, pod_->name(), pod_->ns(), uid_), &slot);
      }
      return wakeAfter(wait);
    }
    slot.backoff.next(slot.endedAt, now, node_->crashBackoff);
  }
  slot.starting = true;
  auto generation = ++slot.generation;
  auto& container = specOf(slot);
  ImageAuth auth = node_->inputs ? node_->inputs->imageAuth(pod_, container.image) : ImageAuth{};
  std::weak_ptr<PodWorker> weak = weak_from_this();
  auto number = size_t(&slot - slots_.data());
  node_->images->ensure(
      container.image, pullPolicy(container), std::move(auth),
      [weak, number] {
        if (auto self = weak.lock())
          self->event(EventType::Normal, "Pulling", fmt::format("Pulling image \"{}\"", self->specOf(self->slots_[number]).image), &self->slots_[number]);
      },
      [weak, number, generation](ImageManager::Answer answer) {
        if (auto self = weak.lock()) self->imageReady(self->slots_[number], generation, std::move(answer));
      });
}

void PodWorker::imageReady(Slot& slot, uint64_t generation, ImageManager::Answer answer) {
  if (generation != slot.generation || !slot.starting) return;
  if (view_.terminating || ended_) {
    slot.starting = false;
    return wake();
  }
  auto& image = specOf(slot).image;
  if (!answer.outcome) {
    auto& f = answer.failure;
    if (f.reason == "ImagePullBackOff") {
      if (viewOf(slot).waitingReason != f.reason) event(EventType::Normal, "BackOff", fmt::format("Back-off pulling image \"{}\"", image), &slot);
    } else {
      event(EventType::Warning, f.reason == "ErrImageNeverPull" ? "ErrImageNeverPull" : f.reason == "InvalidImageName" ? "InspectFailed" : "Failed",
            f.reason == "ErrImagePull" ? fmt::format("Failed to pull image \"{}\": {}", image, f.message) : f.message, &slot);
      event(EventType::Warning, "Failed", "Error: " + f.reason, &slot);
    }
    // While it backs off the user still sees what went wrong; the first look after a failure shows it as kubelet does.
    return startFailed(slot, f.reason, f.message, f.reason == "ErrImagePull" ? std::min<Duration>(f.retryAfter, seconds(2)) : f.retryAfter);
  }
  if (answer.outcome->pulled)
    event(EventType::Normal, "Pulled", fmt::format("Successfully pulled image \"{}\" in {}", image, seconds3(answer.outcome->took)), &slot);
  else
    event(EventType::Normal, "Pulled", fmt::format("Container image \"{}\" already present on machine", image), &slot);
  create(slot, answer.outcome->image);
}

void PodWorker::startFailed(Slot& slot, const std::string& reason, const std::string& message, Duration retry) {
  auto& view = viewOf(slot);
  slot.starting = slot.creating = false;
  view.waitingReason = reason;
  view.waitingMessage = message;
  slot.notBefore = node_->strand->monoNow() + retry;
  if (view_.terminating) return wake();
  publish();
  wakeAfter(retry);
}

void PodWorker::create(Slot& slot, const ImageInfo& image) {
  auto& container = specOf(slot);
  auto& view = viewOf(slot);
  if (!view_.sandbox || !view_.sandbox->ready) {
    slot.starting = false;
    return wake();
  }
  if (auto why = rootViolation(spec(), container, image); !why.empty()) {
    event(EventType::Warning, "Failed", "Error: " + why, &slot);
    return startFailed(slot, "CreateContainerConfigError", why, seconds(10));
  }
  uint32_t attempt = view.current ? std::max(view.current->attempt + 1, uint32_t(view.restarts + 1)) : uint32_t(view.restarts);
  auto spec = containerSpec(node_->config, *pod_, container, image, attempt);
  if (node_->inputs) {
    PodAddresses addresses{view_.sandbox->ips, node_->hostIp};
    if (addresses.podIps.empty() && !node_->hostIp.empty()) addresses.podIps = {node_->hostIp};
    auto filled = node_->inputs->fill(pod_, container.name, attempt, addresses, spec);
    if (!filled.ok()) {
      event(EventType::Warning, "Failed", "Error: " + filled.status().message, &slot);
      return startFailed(slot, "CreateContainerConfigError", filled.status().message, seconds(5));
    }
  }
  slot.creating = true;
  auto number = size_t(&slot - slots_.data());
  auto hash = spec.annotations[annotationHash];
  auto sandbox = sandboxSpec(node_->config, *pod_, view_.sandbox->attempt);
  node_->runtime->createContainer(view_.sandbox->id, std::move(spec), std::move(sandbox), then<std::string>([this, number, hash](Result<std::string> id) {
    auto& slot = slots_[number];
    auto& name = specOf(slot).name;
    if (!id.ok()) {
      event(EventType::Warning, "Failed", "Error: " + id.status().message, &slot);
      PH_LOG(Warn, "pod", "{}: creating {}: {}", pod_->key(), name, id.status().message);
      return startFailed(slot, "CreateContainerError", id.status().message, seconds(5));
    }
    slot.pendingId = *id;
    slot.recheck = false;
    slot.rechecks = 0;
    slot.knownHash = hash;
    event(EventType::Normal, "Created", "Created container " + name, &slot);
    node_->runtime->startContainer(*id, then<void>([this, number, id = *id](Result<> result) {
      auto& slot = slots_[number];
      if (!result.ok()) {
        event(EventType::Warning, "Failed", "Error: " + result.status().message, &slot);
        PH_LOG(Warn, "pod", "{}: starting {}: {}", pod_->key(), specOf(slot).name, result.status().message);
        // The runtime keeps the container with its end (128, StartError): it counts as one that ended.
      } else {
        event(EventType::Normal, "Started", "Started container " + specOf(slot).name, &slot);
      }
      started(slot, id);
    }));
  }));
}

void PodWorker::started(Slot& slot, const std::string& id) {
  auto number = size_t(&slot - slots_.data());
  node_->runtime->containerStatus(id, then<Container>([this, number, id](Result<Container> status) {
    auto& slot = slots_[number];
    // It ended while the answer was on its way; the runtime's own view may be a moment behind.
    if (slot.recheck && status.ok() && status->state == ContainerState::Running && slot.rechecks++ < 50) {
      node_->strand->after(std::chrono::milliseconds(20), [weak = weak_from_this(), number, id] {
        if (auto self = weak.lock()) self->started(self->slots_[number], id);
      }).detach();
      return;
    }
    if (!status.ok()) {
      slot.pendingId.clear();
      return startFailed(slot, "RunContainerError", status.status().message, seconds(2));
    }
    settleStart(slot, std::move(*status));
  }));
}

void PodWorker::settleStart(Slot& slot, Container container) {
  auto& view = viewOf(slot);
  if (view.previous && view.previous->id != container.id)
    node_->runtime->removeContainer(view.previous->id, [](Result<>) {});
  if (view.current) view.previous = std::move(view.current);
  view.restarts = std::max(view.restarts, int(container.attempt));
  view.waitingReason.clear();
  view.waitingMessage.clear();
  view.ready = view.started = false;
  view.current.reset();
  slot.pendingId.clear();
  slot.starting = slot.creating = false;
  slot.startedAt = node_->strand->monoNow();
  if (container.state == ContainerState::Created) {
    // Start failed before the runtime kept an end.
    container.state = ContainerState::Exited;
    container.exitCode = 128;
    container.reason = "StartError";
    container.finished = node_->strand->wallNow();
  }
  apply(slot, std::move(container));
  auto& c = specOf(slot);
  if (view.running() && c.lifecycle && c.lifecycle->postStart && node_->checker) {
    auto number = size_t(&slot - slots_.data());
    node_->checker->hook(*c.lifecycle->postStart, {view.current->id, podIp(), &c}, seconds(60), then<ProbeOutcome>([this, number](Result<ProbeOutcome> outcome) {
      auto& slot = slots_[number];
      if (outcome.ok() && outcome->ok) return;
      event(EventType::Warning, "FailedPostStartHook", outcome.ok() ? outcome->text : outcome.status().message, &slot);
      if (viewOf(slot).running() && !slot.stopping && !view_.terminating)
        stop(slot, seconds(terminationGrace(*pod_)), fmt::format("FailedPostStartHook: container {} will be restarted", specOf(slot).name));
    }));
  }
}

// The runtime's newest word on the current container.
void PodWorker::apply(Slot& slot, Container container) {
  auto& view = viewOf(slot);
  bool wasEnded = view.ended();
  if (container.state == ContainerState::Exited && !wasEnded) {
    endProbes(slot);
    view.ready = view.started = false;
    slot.stopping = false;
    slot.endedAt = node_->strand->monoNow();
    if (node_->inputs && container.message.empty()) container.message = node_->inputs->terminationMessage(pod_, container);
  }
  view.current = std::move(container);
  if (view.running() && !slot.probes && !view_.terminating && !ended_) beginProbes(slot);
  if (view_.terminating || ended_ || view.ended()) wake();
  if (!view_.terminating && !view.ended()) {
    wake();
  }
}

void PodWorker::beginProbes(Slot& slot) {
  if (slot.init) {
    viewOf(slot).started = true;
    return;
  }
  auto number = size_t(&slot - slots_.data());
  std::weak_ptr<PodWorker> weak = weak_from_this();
  auto with = [weak, number](auto f) {
    auto self = weak.lock();
    if (self && self->slots_[number].probes) f(*self, self->slots_[number]);
  };
  ProbeEvents events;
  events.started = [with] {
    with([](PodWorker& w, Slot& s) {
      w.viewOf(s).started = true;
      w.wake();
    });
  };
  events.ready = [with](bool ready) {
    with([ready](PodWorker& w, Slot& s) {
      w.viewOf(s).ready = ready;
      w.wake();
    });
  };
  events.unhealthy = [with](ProbeKind kind, const std::string& text) {
    with([&](PodWorker& w, Slot& s) { w.event(EventType::Warning, "Unhealthy", fmt::format("{} probe failed: {}", probeName(kind), text), &s); });
  };
  events.dead = [with](ProbeKind kind) {
    with([kind](PodWorker& w, Slot& s) {
      auto& c = w.specOf(s);
      auto& probe = kind == ProbeKind::Startup ? c.startupProbe : c.livenessProbe;
      auto grace = probe && probe->terminationGracePeriodSeconds ? *probe->terminationGracePeriodSeconds : terminationGrace(*w.pod_);
      w.stop(s, seconds(grace), fmt::format("Container {} failed {} probe, will be restarted", c.name, kind == ProbeKind::Startup ? "startup" : "liveness"));
    });
  };
  slot.probes = std::make_shared<ContainerProbes>(node_->strand, node_->checker, pod_, specOf(slot), viewOf(slot).current->id, podIp(), std::move(events));
  auto running = node_->strand->monoNow() - slot.startedAt;
  slot.probes->start(running);
}

void PodWorker::endProbes(Slot& slot) {
  if (slot.probes) slot.probes->stop();
  slot.probes.reset();
}

void PodWorker::stop(Slot& slot, Duration grace, const std::string& why) {
  if (slot.stopping) return;
  slot.stopping = true;
  endProbes(slot);
  event(EventType::Normal, "Killing", why, &slot);
  auto& c = specOf(slot);
  auto number = size_t(&slot - slots_.data());
  if (c.lifecycle && c.lifecycle->preStop && node_->checker && grace > Duration::zero()) {
    auto began = node_->strand->monoNow();
    auto done = then<ProbeOutcome>([this, number, grace, began](Result<ProbeOutcome> outcome) {
      auto& slot = slots_[number];
      if (!outcome.ok() || !outcome->ok)
        event(EventType::Warning, "FailedPreStopHook", outcome.ok() ? outcome->text : outcome.status().message, &slot);
      // The hook's time counts; two seconds are left in any case.
      stopNow(slot, std::max<Duration>(grace - (node_->strand->monoNow() - began), seconds(2)));
    });
    node_->checker->hook(*c.lifecycle->preStop, {viewOf(slot).current->id, podIp(), &c}, grace, std::move(done));
    return;
  }
  stopNow(slot, grace);
}

void PodWorker::stopNow(Slot& slot, Duration grace) {
  if (!viewOf(slot).running()) return;
  auto id = viewOf(slot).current->id;
  auto number = size_t(&slot - slots_.data());
  node_->runtime->stopContainer(id, grace, then<void>([this, id, number](Result<> result) {
    if (!result.ok() && result.status().code != 404) {
      PH_LOG(Warn, "pod", "{}: stopping {}: {}", pod_->key(), specOf(slots_[number]).name, result.status().message);
      node_->strand->after(seconds(1), [weak = weak_from_this(), id, number] {
        auto self = weak.lock();
        if (self && self->viewOf(self->slots_[number]).running() && self->viewOf(self->slots_[number]).current->id == id)
          self->stopNow(self->slots_[number], seconds(0));
      }).detach();
      return;
    }
    refresh(id);
  }));
}

void PodWorker::runtimeChanged(const std::string& id) {
  if (auto* slot = slotOf(id)) {
    if (slot->pendingId == id) {
      slot->recheck = true;
      return;
    }
    if (viewOf(*slot).ended()) return;
    return refresh(id, 8);
  }
  if (view_.sandbox && view_.sandbox->id == id) checkSandbox(id, 6);
}

void PodWorker::checkSandbox(const std::string& id, int looksLeft) {
  node_->runtime->sandboxStatus(id, then<Sandbox>([this, id, looksLeft](Result<Sandbox> result) {
    if (!view_.sandbox || view_.sandbox->id != id || !view_.sandbox->ready) return;
    bool gone = !result.ok() && result.status().code == 404;
    if (gone || (result.ok() && !result->ready)) {
      view_.sandbox->ready = false;
      return wake();
    }
    if (looksLeft == 0) return;
    node_->strand->after(std::chrono::milliseconds(20) * (1 << (6 - looksLeft)), [weak = weak_from_this(), id, looksLeft] {
      if (auto self = weak.lock()) self->checkSandbox(id, looksLeft - 1);
    }).detach();
  }));
}

// `looksLeft`: the container is known to have ended, so a status that still says running is asked for again, ever later.
void PodWorker::refresh(const std::string& id, int looksLeft) {
  node_->runtime->containerStatus(id, then<Container>([this, id, looksLeft](Result<Container> status) {
    auto* slot = slotOf(id);
    if (!slot || slot->pendingId == id || viewOf(*slot).ended()) return;
    if (status.ok() && status->state == ContainerState::Running && looksLeft > 0) {
      node_->strand->after(std::chrono::milliseconds(20) * (1 << (8 - looksLeft)), [weak = weak_from_this(), id, looksLeft] {
        if (auto self = weak.lock()) self->refresh(id, looksLeft - 1);
      }).detach();
      return;
    }
    if (status.ok()) return apply(*slot, std::move(*status));
    if (status.status().code != 404) {
      PH_LOG(Warn, "pod", "{}: status of {}: {}", pod_->key(), specOf(*slot).name, status.status().message);
      return;  // the next relist asks again
    }
    Container lost = *viewOf(*slot).current;
    lost.state = ContainerState::Exited;
    lost.exitCode = 137;
    lost.reason = "ContainerStatusUnknown";
    lost.message = "The container could not be located";
    lost.finished = node_->strand->wallNow();
    apply(*slot, std::move(lost));
  }));
}

void PodWorker::observe(const std::vector<Container>& containers, const std::vector<Sandbox>& sandboxes) {
  for (auto& slot : slots_) {
    auto& view = viewOf(slot);
    if (!view.running()) continue;
    auto it = std::find_if(containers.begin(), containers.end(), [&](auto& c) { return c.id == view.current->id; });
    if (it == containers.end() || it->state != ContainerState::Running) refresh(view.current->id);
  }
  if (view_.sandbox && view_.sandbox->ready) {
    auto it = std::find_if(sandboxes.begin(), sandboxes.end(), [&](auto& s) { return s.id == view_.sandbox->id; });
    if (it == sandboxes.end() || !it->ready) runtimeChanged(view_.sandbox->id);
  }
}

}  // namespace ph::agents
