// PodWorker: brings one pod to what the API wants of it, the latest wish only. A state machine: step() looks at the wish and at
// the runtime's view, begins what is missing and returns; each completion, event and timer calls step() again.
// Threads: the node's strand.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "agents/pods/node_context.h"
#include "agents/pods/pod_view.h"
#include "agents/probes/container_probes.h"

namespace ph::agents {

class PodWorker : public std::enable_shared_from_this<PodWorker> {
 public:
  // `onDone` is called once, when nothing of the pod is left on the node.
  PodWorker(std::shared_ptr<NodeContext> node, api::ObjectPtr pod, std::function<void(const std::string& uid)> onDone);

  // Takes over what an earlier life of the agent left running. Before the first step. Newest sandbox and containers last.
  void adopt(const std::vector<Sandbox>& sandboxes, const std::vector<Container>& containers);
  void update(api::ObjectPtr pod);
  // Ends it. `inApi`: the API still has the object, so its final status and its deletion are written.
  void terminate(Duration grace, bool inApi);
  void wake();

  bool owns(const std::string& id) const;       // a sandbox or container of this pod
  void runtimeChanged(const std::string& id);   // it ended
  void observe(const std::vector<Container>& containers, const std::vector<Sandbox>& sandboxes);  // a relist

  const api::ObjectPtr& pod() const { return pod_; }
  const PodView& view() const { return view_; }
  bool terminating() const { return view_.terminating; }
  bool ended() const { return ended_; }
  // For a force-deleted pod that must be known by its uid only.
  const std::string& uid() const { return uid_; }

 private:
  struct Slot {  // what goes on around one container, beside its view
    bool init = false;
    size_t index = 0;
    bool starting = false;   // from the back-off check until it runs, or until that failed
    bool creating = false;   // the part of starting that can't be abandoned
    bool stopping = false, recheck = false;
    int rechecks = 0;
    uint64_t generation = 0;
    std::string pendingId;   // created, not yet in the view
    MonoTime endedAt{}, startedAt{};
    Backoff backoff;
    MonoTime notBefore{};    // no attempt to start before this
    std::shared_ptr<ContainerProbes> probes;
    std::string knownHash;
  };
  enum class EventType { Normal, Warning };
  enum class Ending { Containers, Sandboxes, Removal, Inputs, Finish, Done };

  const api::core::PodSpec& spec() const { return pod_->as<api::core::Pod>().spec; }
  const api::core::Container& specOf(const Slot& slot) const;
  ContainerView& viewOf(const Slot& slot) { return slot.init ? view_.init[slot.index] : view_.main[slot.index]; }
  Slot* slotOf(const std::string& containerId);
  std::string podIp() const;
  std::string fieldPath(const Slot& slot) const;
  void event(EventType type, const std::string& reason, const std::string& message, const Slot* slot = nullptr);
  void wakeAfter(Duration delay);
  void step();
  void publish();
  void tellAddress();
  template <class T, class F> Done<T> then(F f);  // guards against the worker's end; does not wake

  // pod_worker.cpp
  bool stepInputs();
  bool stepSandbox();
  void makeSandbox();
  void dropSandbox(const std::string& why);
  bool stepInit();
  void stepMain();
  void stepEnded();
  bool deadlineExceeded();
  void resize();

  // pod_containers.cpp
  void maybeStart(Slot& slot);
  void imageReady(Slot& slot, uint64_t generation, ImageManager::Answer answer);
  void create(Slot& slot, const ImageInfo& image);
  void started(Slot& slot, const std::string& id);
  void settleStart(Slot& slot, Container container);
  void startFailed(Slot& slot, const std::string& reason, const std::string& message, Duration retry);
  void beginProbes(Slot& slot);
  void endProbes(Slot& slot);
  void refresh(const std::string& id, int looksLeft = 0);
  void checkSandbox(const std::string& id, int looksLeft);
  void apply(Slot& slot, Container container);
  void stop(Slot& slot, Duration grace, const std::string& why);
  void stopNow(Slot& slot, Duration grace);

  // pod_termination.cpp
  void stepTermination();
  Duration remainingGrace() const;
  void stopAll();
  void stopSandboxes();
  void removeSandboxes();
  void tearDown();
  void finish();

  std::shared_ptr<NodeContext> node_;
  api::ObjectPtr pod_;
  const std::string uid_;
  std::function<void(const std::string&)> onDone_;
  PodView view_;
  std::vector<Slot> slots_;  // init containers, then the others
  std::vector<std::string> sandboxes_;  // every sandbox of the pod that may still exist, oldest first
  uint32_t nextAttempt_ = 0;
  bool queued_ = false, busy_ = false, inputsReady_ = false, ended_ = false, endedSettled_ = false;
  bool inApi_ = true;
  Ending ending_ = Ending::Containers;
  MonoTime deadline_{};
  Timer wakeTimer_;
  MonoTime wakeAt_{};
  int sandboxFailures_ = 0;
  std::string toldAddress_;
};

template <class T, class F> Done<T> PodWorker::then(F f) {
  return [weak = weak_from_this(), f = std::move(f)](Result<T> result) mutable {
    if (auto self = weak.lock()) f(std::move(result));
  };
}

}  // namespace ph::agents
