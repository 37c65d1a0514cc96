// Scheduler: binds pods without a node to the best node. Reads through reflectors, writes bindings, PodScheduled=False
// conditions and events through the Client.
// Threads: start(), stop() and the readers from any thread; everything else on a strand of the executor, nothing blocks.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/base/executor.h"
#include "engine/client/client.h"
#include "engine/scheduler/framework/chooser.h"
#include "engine/scheduler/plugins/plugins.h"

namespace ph::scheduler {

struct Options {
  std::string name = "default-scheduler";  // pods with another spec.schedulerName are left alone
  Packing packing = Packing::Spread;
  int batch = 256;                         // pods decided in one go, bound as one batch
  int maxInFlight = 4096;                  // bindings not yet answered
};

// A decision that was made, kept for a while (bounded).
struct Decision {
  std::string pod, uid;   // "NS/NAME"
  WallTime time{};
  Verdict verdict;
};

// The same in full, decided anew on the present cluster.
struct Explanation {
  std::string pod, uid, node;  // node: where the pod is now; empty when nowhere
  WallTime time{};
  Matrix matrix;
};

// Where a pod would go that has to leave its node.
struct Move {
  std::string pod;           // "NS/NAME"
  std::string node, reason;  // node empty: it fits nowhere, and this is why
};

class Scheduler {
 public:
  virtual ~Scheduler() = default;
  // `client` must outlive stop(). The Scheduler's executor must run on until stop()'s tasks are done.
  static std::unique_ptr<Scheduler> make(client::Client& client, std::shared_ptr<Executor> executor, Options options = {});
  virtual void start() = 0;
  virtual void stop() = 0;
  // Why a pod is where it is, or why it is nowhere: decided anew on the present cluster without changing it.
  // `limit`: of nodes.
  virtual void explain(std::string podKey, size_t limit, std::function<void(Result<Explanation>)> done) = 0;
  // The last decision made for a pod, as the cluster was then; the last 1,000 are kept. 404 when there is none. The best five
  // nodes are there when the scheduler was not in a hurry (small queue, or a small cluster).
  virtual void lastDecision(std::string podKey, std::function<void(Result<Decision>)> done) = 0;
  // Where `copies` pods like this one would go, one after another, if they were made now. Changes nothing.
  // An empty name stands for a copy that fits nowhere.
  virtual void whatIf(api::ObjectPtr pod, int copies, std::function<void(std::vector<std::string>)> done) = 0;
  // Where the pods of a node would go, one after another, the important first, if the node were not there. Pods that belong to
  // the node itself (a DaemonSet's, static ones) are left out. Changes nothing. 404 when there is no such node.
  virtual void without(std::string node, std::function<void(Result<std::vector<Move>>)> done) = 0;
};

}  // namespace ph::scheduler
