// DrainModel: "what if this machine goes?": every pod of a node with what would become of it, and then the
// drain itself: the node is cordoned, each pod is evicted through the API (so that PodDisruptionBudgets are kept),
// and what a budget refuses (429) is asked again: after the time that the server names, else every 5 s, as the
// eviction API's documentation tells. At most kAtOnce evictions are under way. Threads: GUI thread only; answers
// come on the client's executor and are carried over.
#pragma once

#include <QAbstractListModel>
#include <QTimer>
#include <boost/json.hpp>
#include <memory>

#include "models/actions.h"
#include "models/map_model.h"

namespace ph::models {

// What would become of a pod.
enum class Fate : uint8_t {
  Moves,    // one like it starts elsewhere
  Unknown,  // its controller makes another; nobody could say where
  Waits,    // its controller makes another, which fits nowhere
  Held,     // a disruption budget does not let it go now
  Lost,     // nothing makes another
  Ends,     // it has finished already
  Stays,    // it belongs to the machine (a DaemonSet's, static)
};

struct DrainPod {
  enum class Step : uint8_t { None, Asked, Again, Leaving, Gone, Failed };
  QString pod, uid, app;
  Fate fate = Fate::Unknown;
  QString to, why;     // node; in words
  bool loses = false;  // data in emptyDir volumes
  Step step = Step::None;
  int tries = 0;
  int64_t next = 0;  // of Again: ms since the epoch
  QString answer;    // what the API said
};

class DrainModel : public QAbstractListModel {
  Q_OBJECT
 public:
  enum class Phase : uint8_t { Idle, Asking, Previewed, Draining, Cancelled, Done, Failed };
  enum Role { FateRole = Qt::UserRole + 1, WhyRole, ToRole, StepRole, AppRole, SubjectRole, ToneRole };
  static constexpr int kAtOnce = 8;
  static constexpr int kRetryMs = 5000;

  DrainModel(ClusterState* state, Actions* actions, QObject* parent = nullptr);
  ~DrainModel() override;

  // Asks what would happen; changes nothing. Not while it drains.
  void preview(std::shared_ptr<client::Client> client, const QString& node);
  void start();
  // Whether pods that nothing makes again are evicted as well; else they stay where they are.
  void setLose(bool lose);
  bool lose() const { return lose_; }
  void cancel();  // no more evictions; the node stays cordoned

  const QString& node() const { return node_; }
  Phase phase() const { return phase_; }
  // Why nobody could say where the pods go, or why the drain could not begin; empty: all is well.
  QString problem() const { return problem_; }
  int count(Fate fate) const;
  int leaving() const;  // those that a drain moves, as it is set
  int gone() const;
  bool losesData() const;
  const std::vector<DrainPod>& pods() const { return pods_; }
  QString summary() const;  // "11 pods find a place elsewhere, 1 fits nowhere now."
  QString command() const;  // the kubectl line

  // What would come, and where: node -> application of each copy.
  QHash<QString, QStringList> ghosts() const;

  int rowCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role) const override;

 signals:
  void changed();

 private:
  bool stays(const DrainPod& pod) const {
    return pod.fate == Fate::Stays || (pod.fate == Fate::Lost && !lose_);
  }
  struct Budget {
    QString ns, name;
    boost::json::value selector;
    int allowed = 0;
  };
  void gather();
  void askPlaces();
  void askBudgets();
  void judge();
  void tick();
  void evict(int row);
  void evicted(const QString& pod, const QString& uid, const Status* status);
  void onChanged(const ChangeSet& changes);
  void touch(int row);
  void finish(Phase phase);

  ClusterState* state_;
  Actions* actions_;
  std::shared_ptr<client::Client> client_;
  QString node_, problem_;
  Phase phase_ = Phase::Idle;
  std::vector<DrainPod> pods_;
  QHash<QString, QPair<QString, QString>> places_;  // pod -> node, reason
  bool placesKnown_ = false, lose_ = false;
  QList<Budget> budgets_;
  int question_ = 0, open_ = 0;  // answers that are still to come
  QTimer tick_;
};

QString fateWord(Fate fate);
Tone fateTone(Fate fate);

}  // namespace ph::models
