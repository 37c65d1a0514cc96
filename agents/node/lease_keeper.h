// LeaseKeeper: renews the node's Lease in kube-node-lease, the heartbeat by which the engine knows that the node lives.
// Threads: the node's strand.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "engine/base/executor.h"
#include "engine/client/client.h"

namespace ph::agents {

class LeaseKeeper : public std::enable_shared_from_this<LeaseKeeper> {
 public:
  // Renewed four times in each `duration`.
  LeaseKeeper(client::Client& client, std::shared_ptr<Executor> strand, std::string node, Duration duration);
  void start(std::string nodeUid);
  void stop() { stopped_ = true; timer_.cancel(); }
  // Called on the first renewal that succeeds, and on each that succeeds after half a duration without one: the engine may
  // have judged the node meanwhile.
  void onBack(std::function<void()> callback) { onBack_ = std::move(callback); }

 private:
  void renew();
  void create();
  void settle(bool ok);

  client::Client& client_;
  std::shared_ptr<Executor> strand_;
  const std::string node_;
  const Duration duration_;
  const client::ResourceInfo* info_;
  std::string nodeUid_;
  std::function<void()> onBack_;
  Timer timer_;
  MonoTime lastOk_{}, began_{};
  bool everOk_ = false, busy_ = false, stopped_ = false;
};

}  // namespace ph::agents
