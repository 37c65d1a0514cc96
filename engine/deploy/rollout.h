// Rollout: whether a workload's new version runs yet, and what keeps a pod from running, in words. Threads: pure.
#pragma once

#include <string>

#include "engine/deploy/api.h"

namespace ph::deploy {

struct Progress {
  bool done = false;
  std::string text;     // "2 of 3 replicas are available"
  std::string failure;  // it can't become done; empty: it may
};
// Deployments, StatefulSets, DaemonSets, Jobs and bare Pods; all else is done at once.
Progress progressOf(const Json& object);

struct PodTrouble {
  std::string text;       // empty: none
  bool fatal = false;     // waiting longer is of no use
  std::string container;  // whose last words would explain it; empty: nobody's
};
PodTrouble troubleOf(const Json& pod);

}  // namespace ph::deploy
