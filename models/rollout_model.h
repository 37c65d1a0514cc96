// Rollouts: how far a workload's change is, and the revisions that it can go back to, newest first: ReplicaSets
// of a Deployment, ControllerRevisions of a StatefulSet or DaemonSet. Threads: GUI thread only; answers come on
// the client's executor and are carried over.
#pragma once

#include <QAbstractListModel>
#include <QTimer>
#include <boost/json.hpp>
#include <memory>

#include "models/cluster_state.h"
#include "models/text_diff.h"
#include "models/words.h"

namespace ph::client {
class Client;
}

namespace ph::models {

// A change's progress in numbers and in words.
struct RolloutState {
  QString sentence;
  Tone tone = Tone::Plain;
  int wanted = 0, updated = 0, ready = 0, old = 0;
  double part = 1;  // 0..1
  bool done = true;
};
RolloutState rolloutState(const WorkloadFacts& workload);

struct ContainerImage {
  QString name, image;
  bool init = false;
  bool operator==(const ContainerImage&) const = default;
};
// The containers of a workload's template, those that run before the others last.
QList<ContainerImage> containersOf(const WorkloadFacts& workload);
// What an image's name may be, in one sentence; empty when it is fine.
QString imageProblem(const QString& image);

struct Revision {
  int64_t number = 0;
  QString name;  // of the ReplicaSet or ControllerRevision
  QStringList images;
  QString cause;  // kubernetes.io/change-cause
  int64_t created = 0;
  int pods = 0;
  bool current = false;
  boost::json::value podTemplate;
};

class RolloutModel : public QAbstractListModel {
  Q_OBJECT
 public:
  enum Role { NumberRole = Qt::UserRole + 1, ImagesRole, CreatedRole, CauseRole, CurrentRole, PodsRole };
  enum class State : uint8_t { Loading, Ready, Failed };
  explicit RolloutModel(ClusterState* state, QObject* parent = nullptr);

  // Asks for the revisions of a workload (AppKey), and again whenever the workload changes.
  void follow(std::shared_ptr<client::Client> client, const QString& app);
  const QString& app() const { return app_; }
  State state() const { return reading_; }
  QString problem() const { return problem_; }
  const Revision& revision(int row) const { return revisions_[size_t(row)]; }
  int currentRow() const;
  // What would change if one went from the current revision to this one.
  TextDiff diff(int row) const;

  int rowCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role) const override;

 signals:
  void loaded();

 private:
  void ask();
  void take(std::vector<Revision> revisions);

  ClusterState* state_;
  std::shared_ptr<client::Client> client_;
  QString app_, problem_;
  State reading_ = State::Loading;
  std::vector<Revision> revisions_;
  QTimer again_;
  int question_ = 0;
};

}  // namespace ph::models
