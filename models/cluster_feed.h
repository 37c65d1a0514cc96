// ClusterFeed: brings the cluster to the window. Reflectors list and watch each kind on the engine's
// executor; their objects are decoded there, and what changed is coalesced (each key once) into one diff a
// frame or two, handed to the GUI thread; after a quiet moment at once. Threads: made and destroyed on the GUI thread; decoding runs on a
// strand of the executor. The GUI thread takes a finished diff by a swap and never waits for decoding.
#pragma once

#include <QElapsedTimer>
#include <QObject>
#include <memory>

#include "models/cluster_state.h"

namespace ph {
class Executor;
}
namespace ph::client {
class Client;
}

namespace ph::models {

class ClusterFeed : public QObject {
  Q_OBJECT
 public:
  static constexpr int kFrameMs = 25;  // from one diff to the next, at least
  ClusterFeed(ClusterState* state, std::shared_ptr<client::Client> client, std::shared_ptr<Executor> executor,
              QObject* parent = nullptr);
  ~ClusterFeed() override;

 private:
  struct Inbox;
  void deliver();

  ClusterState* state_;
  std::shared_ptr<Inbox> inbox_;
  QElapsedTimer delivered_;  // since the last diff; invalid before the first
};

}  // namespace ph::models
