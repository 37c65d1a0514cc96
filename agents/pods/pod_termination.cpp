// How a PodWorker ends: containers, sandboxes, volumes and traces, the last status, the delete.
#include <fmt/format.h>

#include <algorithm>

#include "agents/pods/pod_worker.h"
#include "engine/base/log.h"

namespace ph::agents {

using std::chrono::seconds;

void PodWorker::terminate(Duration grace, bool inApi) {
  auto end = node_->strand->monoNow() + grace;
  inApi_ = inApi;
  if (!view_.terminating) {
    view_.terminating = true;
    deadline_ = end;
    for (auto& slot : slots_) endProbes(slot);
    return wake();
  }
  if (end >= deadline_) return wake();
  deadline_ = end;
  // A second, shorter wish: the runtime takes the shorter of two stops.
  for (auto& slot : slots_)
    if (slot.stopping && viewOf(slot).running()) stopNow(slot, remainingGrace());
  wake();
}

Duration PodWorker::remainingGrace() const { return std::max(deadline_ - node_->strand->monoNow(), Duration::zero()); }

void PodWorker::stepTermination() {
  if (busy_ || ending_ == Ending::Done) return;
  for (auto& slot : slots_) {
    if (slot.creating) return;  // its completion wakes
    slot.starting = false;
  }
  switch (ending_) {
    case Ending::Containers: return stopAll();
    case Ending::Sandboxes: return stopSandboxes();
    case Ending::Removal: return removeSandboxes();
    case Ending::Inputs: return tearDown();
    case Ending::Finish: return finish();
    case Ending::Done: return;
  }
}

void PodWorker::stopAll() {
  bool running = false;
  for (auto& slot : slots_) {
    if (!viewOf(slot).running()) continue;
    running = true;
    stop(slot, remainingGrace(), fmt::format("Stopping container {}", specOf(slot).name));
  }
  if (running) return;
  ending_ = Ending::Sandboxes;
  publish();
  stepTermination();
}

void PodWorker::stopSandboxes() {
  if (!view_.sandbox || !view_.sandbox->ready) {
    ending_ = Ending::Removal;
    return stepTermination();
  }
  busy_ = true;
  node_->runtime->stopSandbox(view_.sandbox->id, then<void>([this](Result<> result) {
    busy_ = false;
    if (!result.ok()) {
      PH_LOG(Warn, "pod", "{}: stopping the sandbox: {}", pod_->key(), result.status().message);
      return wakeAfter(seconds(1));
    }
    view_.sandbox->ready = false;
    tellAddress();
    wake();
  }));
}

void PodWorker::removeSandboxes() {
  if (sandboxes_.empty()) {
    ending_ = Ending::Inputs;
    return stepTermination();
  }
  busy_ = true;
  auto id = sandboxes_.back();
  node_->runtime->removeSandbox(id, then<void>([this, id](Result<> result) {
    busy_ = false;
    if (!result.ok()) {
      PH_LOG(Warn, "pod", "{}: removing the sandbox: {}", pod_->key(), result.status().message);
      return wakeAfter(seconds(1));
    }
    std::erase(sandboxes_, id);
    wake();
  }));
}

void PodWorker::tearDown() {
  auto next = [this] {
    if (node_->removeHostTraces) node_->removeHostTraces(uid_);
    ending_ = Ending::Finish;
    wake();
  };
  if (!node_->inputs) return next();
  busy_ = true;
  node_->inputs->tearDown(uid_, then<void>([this, next](Result<> result) {
    busy_ = false;
    if (!result.ok()) {
      PH_LOG(Warn, "pod", "{}: removing its volumes: {}", pod_->key(), result.status().message);
      event(EventType::Warning, "FailedUnMount", result.status().message);
      return wakeAfter(seconds(2));
    }
    next();
  }));
}

void PodWorker::finish() {
  ending_ = Ending::Done;
  std::weak_ptr<PodWorker> weak = weak_from_this();
  auto gone = [weak] {
    if (auto self = weak.lock())
      if (self->onDone_) self->onDone_(self->uid_);
  };
  if (inApi_) return node_->status->finish(pod_, gone);
  node_->status->forget(uid_);
  node_->strand->post(gone);
}

}  // namespace ph::agents
