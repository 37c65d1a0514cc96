// PodView: what the agent knows of one pod's sandbox and containers. Threads: a plain value.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "agents/runtime/runtime.h"

namespace ph::agents {

struct ContainerView {
  std::optional<Container> current;   // the newest
  std::optional<Container> previous;  // the one before it, ended
  std::string waitingReason, waitingMessage;  // why the next one does not run yet; empty: no reason beyond the usual
  int restarts = 0;
  bool ready = false, started = false;

  bool running() const { return current && current->state == ContainerState::Running; }
  bool ended() const { return current && current->state == ContainerState::Exited; }
};

struct PodView {
  std::optional<Sandbox> sandbox;  // the newest
  std::vector<ContainerView> init, main;  // in the order of the pod's spec
  WallTime startTime{};
  std::string reason, message;  // why the pod as a whole failed (DeadlineExceeded...)
  bool terminating = false;     // no container is started any more
};

}  // namespace ph::agents
