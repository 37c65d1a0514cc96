// NodeLoad: how busy each machine is, measured: asks each ready node for its summary
// (nodes/NAME/proxy/stats/summary). Bounded: at most `kAtOnce` questions under way, each node at most every 5
// s. Threads: GUI thread; answers come on the client's executor and are carried over.
#pragma once

#include <QObject>
#include <QTimer>
#include <memory>

#include "models/cluster_state.h"

namespace ph::client {
class Client;
}

namespace ph::models {

struct Load {
  int64_t cpuMilli = 0;
  int64_t memoryBytes = 0;
  int64_t at = 0;  // ms since the epoch
};

class NodeLoad : public QObject {
  Q_OBJECT
 public:
  static constexpr int kAtOnce = 16;
  static constexpr int kEveryMs = 5000;

  explicit NodeLoad(ClusterState* state, QObject* parent = nullptr);
  ~NodeLoad() override;

  void start(std::shared_ptr<client::Client> client);
  void stop();
  // Null when there is no measurement younger than 20 s.
  const Load* of(const QString& node) const;
  void put(const QString& node, Load load);  // also the way in for tests

 signals:
  void changed();

 private:
  void round();
  void next();

  ClusterState* state_;
  std::shared_ptr<client::Client> client_;
  QHash<QString, Load> loads_;
  QHash<QString, std::shared_ptr<void>> asking_;
  QStringList queue_;
  QTimer timer_, tell_;
};

}  // namespace ph::models
