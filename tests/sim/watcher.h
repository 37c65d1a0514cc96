// Watcher: sees each durable change as it happens, and holds the cluster to what must always be true:
// - a pod, once bound, is never bound elsewhere;
// - no node is given more pods, or more CPU, than it has;
// - no ReplicaSet makes more pods than it lately wanted (a plan made on an old picture would);
// - revisions only grow.
// Threads: the simulation's.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "engine/api/codec.h"
#include "engine/base/executor.h"
#include "engine/store/store.h"

namespace ph::sim {

class Watcher {
 public:
  explicit Watcher(std::shared_ptr<SimExecutor> sim) : sim_(std::move(sim)) {}
  void see(int64_t revision, const store::Op& op);
  // Tells each change of keys that contain this.
  std::string tell;
  const std::string& broken() const { return broken_; }  // the first thing that was not true; empty: none
  // One number a change, over its key and bytes: two runs of one seed must agree.
  const std::vector<std::pair<uint64_t, std::string>>& trace() const { return trace_; }
  int podsMade() const { return podsMade_; }
  int bindings() const { return bindings_; }

 private:
  struct Pod {
    std::string uid, node, set;
    int64_t cpu = 0;
    bool active = true, counted = true;  // wanted by its set; takes room on its node
  };
  struct Node {
    int64_t cpu = -1, pods = -1;  // allocatable; -1: not yet known
    int64_t usedCpu = 0, usedPods = 0;
  };
  struct Set {
    int wanted = 0;
    std::map<MonoTime, int> lately;  // since when it wanted as many
    int active = 0;
  };
  void seePod(const std::string& key, const api::Json* tree);
  void seeNode(const std::string& name, const api::Json* tree);
  void seeSet(const api::Json* tree);
  void account(const Pod& pod, int sign);
  void fail(std::string what);

  std::shared_ptr<SimExecutor> sim_;
  int64_t revision_ = 0;
  std::map<std::string, Pod> pods_;
  std::map<std::string, Node> nodes_;
  std::map<std::string, Set> sets_;  // by uid
  std::string broken_;
  std::vector<std::pair<uint64_t, std::string>> trace_;
  int podsMade_ = 0, bindings_ = 0;
};

}  // namespace ph::sim
