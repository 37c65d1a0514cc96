#include "agents/pods/pod_worker.h"

#include <fmt/format.h>

#include <algorithm>

#include "agents/pods/pod_status.h"
#include "engine/base/log.h"

namespace ph::agents {

using std::chrono::seconds;
namespace core = api::core;

PodWorker::PodWorker(std::shared_ptr<NodeContext> node, api::ObjectPtr pod, std::function<void(const std::string&)> onDone)
    : node_(std::move(node)), pod_(std::move(pod)), uid_(pod_->uid()), onDone_(std::move(onDone)) {
  resize();
  auto& status = pod_->as<core::Pod>().status;
  view_.startTime = status.startTime ? *status.startTime : node_->strand->wallNow();
  if (status.phase == "Succeeded" || status.phase == "Failed") ended_ = true;
  // Counts go on from what the API was told last, for containers whose traces are gone.
  auto restore = [](const std::vector<core::ContainerStatus>& from, const std::vector<core::Container>& specs, std::vector<ContainerView>& to) {
    for (auto& s : from)
      for (size_t i = 0; i < specs.size(); ++i)
        if (specs[i].name == s.name) to[i].restarts = int(s.restartCount);
  };
  restore(status.initContainerStatuses, spec().initContainers, view_.init);
  restore(status.containerStatuses, spec().containers, view_.main);
}

void PodWorker::resize() {
  view_.init.resize(spec().initContainers.size());
  view_.main.resize(spec().containers.size());
  size_t wanted = view_.init.size() + view_.main.size();
  if (slots_.size() == wanted) return;  // containers of a pod never come or go
  slots_.resize(wanted);
  for (size_t i = 0; i < wanted; ++i) {
    slots_[i].init = i < view_.init.size();
    slots_[i].index = slots_[i].init ? i : i - view_.init.size();
  }
}

const core::Container& PodWorker::specOf(const Slot& slot) const {
  return slot.init ? spec().initContainers[slot.index] : spec().containers[slot.index];
}

PodWorker::Slot* PodWorker::slotOf(const std::string& id) {
  for (auto& slot : slots_) {
    auto& view = viewOf(slot);
    if (slot.pendingId == id || (view.current && view.current->id == id)) return &slot;
  }
  return nullptr;
}

bool PodWorker::owns(const std::string& id) const {
  for (auto& s : sandboxes_)
    if (s == id) return true;
  return const_cast<PodWorker*>(this)->slotOf(id) != nullptr;
}

std::string PodWorker::podIp() const {
  if (spec().hostNetwork) return node_->hostIp;
  return view_.sandbox && !view_.sandbox->ips.empty() ? view_.sandbox->ips.front() : std::string();
}

std::string PodWorker::fieldPath(const Slot& slot) const {
  return fmt::format("spec.{}{{{}}}", slot.init ? "initContainers" : "containers", specOf(slot).name);
}

void PodWorker::event(EventType type, const std::string& reason, const std::string& message, const Slot* slot) {
  if (!node_->events) return;
  node_->events->event(client::ObjectReference::to(*pod_, slot ? fieldPath(*slot) : std::string()),
                       type == EventType::Normal ? "Normal" : "Warning", reason, message);
}

void PodWorker::adopt(const std::vector<Sandbox>& sandboxes, const std::vector<Container>& containers) {
  for (auto& s : sandboxes) {
    sandboxes_.push_back(s.id);
    nextAttempt_ = std::max(nextAttempt_, s.attempt + 1);
    if (!view_.sandbox || s.attempt >= view_.sandbox->attempt) view_.sandbox = s;
  }
  for (auto& c : containers) {
    for (auto& slot : slots_) {
      if (specOf(slot).name != c.name) continue;
      auto& view = viewOf(slot);
      if (view.current && view.current->attempt > c.attempt) continue;
      view.previous = std::move(view.current);
      view.current = c;
      view.restarts = std::max(view.restarts, int(c.attempt));
      slot.endedAt = node_->strand->monoNow();
      if (auto hash = c.annotations.find(annotationHash); hash != c.annotations.end()) slot.knownHash = hash->second;
    }
  }
  auto now = node_->strand->wallNow();
  for (auto& slot : slots_) {
    auto& view = viewOf(slot);
    if (!view.running()) continue;
    slot.startedAt = node_->strand->monoNow() - std::max<Duration>(Duration(now - view.current->started), Duration::zero());
    // What was ready stays so until a probe says otherwise: a restart of the agent must not take a service down.
    auto& status = pod_->as<core::Pod>().status;
    for (auto& s : status.containerStatuses)
      if (s.name == specOf(slot).name) view.ready = s.ready && !slot.init;
  }
}

void PodWorker::update(api::ObjectPtr pod) {
  pod_ = std::move(pod);
  resize();
  if (node_->inputs) node_->inputs->update(pod_);
  wake();
}

void PodWorker::wake() {
  if (queued_) return;
  queued_ = true;
  std::weak_ptr<PodWorker> weak = weak_from_this();
  node_->strand->post([weak] {
    if (auto self = weak.lock()) {
      self->queued_ = false;
      self->step();
    }
  });
}

void PodWorker::wakeAfter(Duration delay) {
  auto at = node_->strand->monoNow() + delay;
  if (wakeTimer_.armed() && wakeAt_ <= at && wakeAt_ > node_->strand->monoNow()) return;
  wakeAt_ = at;
  std::weak_ptr<PodWorker> weak = weak_from_this();
  wakeTimer_ = node_->strand->after(delay, [weak] {
    if (auto self = weak.lock()) {
      self->wakeTimer_.cancel();
      self->wake();
    }
  });
}

void PodWorker::step() {
  if (view_.terminating) return stepTermination();
  if (busy_) return;
  if (!ended_ && (deadlineExceeded() || podPhase(spec(), view_) == "Succeeded" || podPhase(spec(), view_) == "Failed")) ended_ = true;
  if (ended_) return stepEnded();
  if (stepInputs() && stepSandbox() && stepInit()) stepMain();
  publish();
}

void PodWorker::tellAddress() {
  bool up = view_.sandbox && view_.sandbox->ready && !view_.sandbox->ips.empty();
  auto ip = up ? view_.sandbox->ips.front() : std::string();
  if (!node_->podAddress || ip == toldAddress_) return;
  toldAddress_ = ip;
  node_->podAddress(*pod_, ip);
}

void PodWorker::publish() {
  tellAddress();
  StatusContext context{node_->hostIp, node_->runtimeName, node_->strand->wallNow()};
  bool settled = ended_ || view_.terminating;
  for (auto& view : view_.main) settled = settled || view.current || !view.waitingReason.empty();
  node_->status->set(pod_, podStatus(*pod_, view_, context), settled ? Duration::zero() : node_->statusDelay);
}

bool PodWorker::deadlineExceeded() {
  if (!spec().activeDeadlineSeconds) return false;
  auto left = Duration(view_.startTime - node_->strand->wallNow()) + seconds(*spec().activeDeadlineSeconds);
  if (left > Duration::zero()) {
    wakeAfter(left);
    return false;
  }
  view_.reason = "DeadlineExceeded";
  view_.message = "Pod was active on the node longer than the specified deadline";
  return true;
}

bool PodWorker::stepInputs() {
  if (inputsReady_ || !node_->inputs) return true;
  busy_ = true;
  node_->inputs->prepare(pod_, then<void>([this](Result<> result) {
    busy_ = false;
    if (result.ok()) {
      inputsReady_ = true;
      return wake();
    }
    event(EventType::Warning, "FailedMount", result.status().message);
    wakeAfter(seconds(2));
    if (view_.terminating) wake();
  }));
  return false;
}

bool PodWorker::stepSandbox() {
  if (view_.sandbox && view_.sandbox->ready) return true;
  if (view_.sandbox) {
    dropSandbox("Pod sandbox changed, it will be killed and re-created.");
    return false;
  }
  makeSandbox();
  return false;
}

void PodWorker::makeSandbox() {
  busy_ = true;
  auto attempt = nextAttempt_++;
  node_->runtime->runSandbox(sandboxSpec(node_->config, *pod_, attempt), then<Sandbox>([this](Result<Sandbox> result) {
    busy_ = false;
    if (result.ok()) {
      sandboxFailures_ = 0;
      sandboxes_.push_back(result->id);
      view_.sandbox = std::move(*result);
      return wake();
    }
    event(EventType::Warning, "FailedCreatePodSandBox", "Failed to create pod sandbox: " + result.status().message);
    PH_LOG(Warn, "pod", "{}: sandbox: {}", pod_->key(), result.status().message);
    wakeAfter(seconds(std::min(30, 1 << std::min(sandboxFailures_++, 5))));
    if (view_.terminating) wake();
  }));
}

// The sandbox is gone or died: its containers have lost their network, so all are ended and made again in a new one.
void PodWorker::dropSandbox(const std::string& why) {
  busy_ = true;
  event(EventType::Normal, "SandboxChanged", why);
  auto id = view_.sandbox->id;
  node_->runtime->stopSandbox(id, then<void>([this, id](Result<> stopped) {
    if (!stopped.ok()) {
      busy_ = false;
      PH_LOG(Warn, "pod", "{}: stopping the old sandbox: {}", pod_->key(), stopped.status().message);
      wakeAfter(seconds(2));
      if (view_.terminating) wake();
      return;
    }
    node_->runtime->removeSandbox(id, then<void>([this, id](Result<> removed) {
      busy_ = false;
      if (!removed.ok()) {
        PH_LOG(Warn, "pod", "{}: removing the old sandbox: {}", pod_->key(), removed.status().message);
        wakeAfter(seconds(2));
        if (view_.terminating) wake();
        return;
      }
      std::erase(sandboxes_, id);
      view_.sandbox.reset();
      for (auto& slot : slots_) {
        auto& view = viewOf(slot);
        endProbes(slot);
        slot.stopping = false;
        if (!view.current) continue;
        // Gone with the sandbox; an init container that had ended well runs again, as the new sandbox is a new start.
        view.previous = std::move(view.current);
        view.current.reset();
        if (view.previous->state != ContainerState::Exited) {
          view.previous->state = ContainerState::Exited;
          view.previous->exitCode = 137;
          view.previous->reason = "ContainerStatusUnknown";
          view.previous->message = "The container was lost with its sandbox";
          view.previous->finished = node_->strand->wallNow();
        }
        ++view.restarts;
      }
      wake();
    }));
  }));
}

bool PodWorker::stepInit() {
  bool mainRan = std::any_of(view_.main.begin(), view_.main.end(), [](auto& v) { return v.current.has_value(); });
  if (mainRan) return true;
  for (auto& slot : slots_) {
    if (!slot.init) break;
    auto& view = viewOf(slot);
    if (view.ended() && view.current->exitCode == 0) continue;
    if (!view.running()) maybeStart(slot);
    return false;
  }
  return true;
}

void PodWorker::stepMain() {
  auto policy = restartPolicy(spec());
  for (auto& slot : slots_) {
    if (slot.init) continue;
    auto& view = viewOf(slot);
    if (view.running()) {
      if (!slot.probes) beginProbes(slot);
      if (!slot.stopping && !slot.knownHash.empty() && containerHash(specOf(slot)) != slot.knownHash)
        stop(slot, seconds(terminationGrace(*pod_)), fmt::format("Container {} definition changed, will be restarted", specOf(slot).name));
      continue;
    }
    if (wantsRestart(policy, view)) maybeStart(slot);
  }
}

// Nothing of the pod is to run any more, but its object stays: the sandbox is stopped, the containers stay for their logs.
void PodWorker::stepEnded() {
  bool running = false;
  for (auto& slot : slots_) {
    auto& view = viewOf(slot);
    if (view.running()) {
      running = true;
      if (!slot.stopping) stop(slot, seconds(terminationGrace(*pod_)), fmt::format("Stopping container {}", specOf(slot).name));
    }
  }
  publish();
  if (running || endedSettled_) return;
  if (view_.sandbox && view_.sandbox->ready) {
    busy_ = true;
    auto id = view_.sandbox->id;
    node_->runtime->stopSandbox(id, then<void>([this](Result<> result) {
      busy_ = false;
      if (result.ok() && view_.sandbox) view_.sandbox->ready = false;
      if (result.ok())
        wake();
      else
        wakeAfter(seconds(2));
      if (view_.terminating) wake();
    }));
    return;
  }
  endedSettled_ = true;
}

}  // namespace ph::agents
