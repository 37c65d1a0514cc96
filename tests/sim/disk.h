// Disk: what survives the simulated engine's death; and a Store on it that dies with its engine.
// A commit takes a moment ("fsync"); a crash loses what had not become durable, and nothing else.
// Threads: the simulation's.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>

#include "engine/base/executor.h"
#include "engine/store/store.h"

namespace ph::sim {

class Disk {
 public:
  explicit Disk(std::shared_ptr<SimExecutor> sim);
  // Called for each change that became durable, in order.
  std::function<void(int64_t revision, const store::Op&)> onDurable;
  // A store for one life of the engine.
  std::shared_ptr<store::Store> open();
  // The power fails: the store that is open now forgets what it had not written, and never answers again.
  void crash();
  int64_t revision() const { return kept_->revision(); }

 private:
  class Life;
  std::shared_ptr<SimExecutor> sim_;
  std::unique_ptr<store::Store> kept_;
  std::shared_ptr<Life> life_;
};

}  // namespace ph::sim
