// Session: one cluster as the window holds it: its state, the models over it, its actions, and the feed that
// keeps it current. Threads: GUI thread only.
#pragma once

#include <QObject>
#include <memory>

#include "models/actions.h"
#include "models/cluster_state.h"
#include "models/drain_model.h"
#include "models/map_model.h"
#include "models/node_load.h"
#include "models/now_model.h"
#include "models/scale_preview.h"

namespace ph {
class Executor;
}

namespace ph::models {

class ClusterFeed;

// What the window says about where it is connected.
struct Place {
  QString cluster;        // "lab-bench-3"
  QString address;        // "https://127.0.0.1:6443"
  QString kubeconfig;     // path
  QString dataDir;        // path; empty: the engine is elsewhere
  bool ownEngine = true;  // closing the window stops the engine
};

class Session : public QObject {
  Q_OBJECT
 public:
  explicit Session(QObject* parent = nullptr);
  ~Session() override;

  // `executor` runs the decoding; the client's callbacks may come on any thread.
  void connectTo(std::shared_ptr<client::Client> client, std::shared_ptr<Executor> executor);
  void disconnectFrom();
  const std::shared_ptr<client::Client>& client() const { return client_; }
  const std::shared_ptr<Executor>& executor() const { return executor_; }
  // Runs what may take a while, such as reading files, off the GUI thread; here and now when nothing is connected.
  void inBackground(std::function<void()> work);

  void setPlace(const Place& place);
  const Place& place() const { return place_; }

  // The drain of a node: made when first asked for, kept while the session lives, so that it goes on without its
  // dialog.
  DrainModel* drain(const QString& node);

  ClusterState state;
  NodeLoad load{&state};
  MapModel map{&state};
  NowModel now{&state};
  ScalePreview scale{&map};
  Actions actions{&state};

 signals:
  void placeChanged();
  void connectionChanged();  // there is a client, or none any more: who holds one lets go of it

 private:
  Place place_;
  std::shared_ptr<client::Client> client_;
  std::shared_ptr<Executor> executor_;
  std::unique_ptr<ClusterFeed> feed_;
  QHash<QString, DrainModel*> drains_;
};

}  // namespace ph::models
