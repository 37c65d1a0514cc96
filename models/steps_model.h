// StepsModel: the ten steps of one pod, from the request to its being in service, as the engine saw them (kind
// podtimelines of pilothouse.io/v1), in words for people. Asked again when the pod changes, until all are done.
// Threads: GUI thread only.
#pragma once

#include <QObject>
#include <QTimer>
#include <memory>

#include "models/cluster_state.h"
#include "models/question.h"

namespace ph::models {

struct Step {
  // Passed: it did not happen by itself, what follows it did (a pod that was asked for by itself has no controller).
  enum class State : uint8_t { Done, Passed, UnderWay, ToCome };
  QString key;   // as the API calls it
  QString name;  // "Machine chosen"
  QString who;   // the component that does it
  QString what;  // one sentence for learning
  State state = State::ToCome;
  double from = 0, at = 0;  // ms since the first step: when the one before was done, when this one was
  int64_t time = 0;         // ms since the epoch when it was done
  double took() const { return at - from; }
};

class StepsModel : public QObject {
  Q_OBJECT
 public:
  // NotKept: the pod is older than what the engine remembers. Unknown: this cluster keeps no timelines.
  enum class State : uint8_t { Empty, Loading, Ready, NotKept, Unknown, Failed };
  static constexpr int kSteps = 10;

  explicit StepsModel(ClusterState* state, QObject* parent = nullptr);

  void setClient(std::shared_ptr<client::Client> client);
  void setPod(const QString& key);  // empty: none, and nothing is asked
  const QString& pod() const { return pod_; }
  void read(const Result<boost::json::value>& answer);  // what the API says; the way in for tests too

  State state() const { return status_; }
  const std::vector<Step>& steps() const { return steps_; }
  bool complete() const;
  double total() const;  // ms to the last step that is done
  const QString& cause() const { return cause_; }
  // One sentence: how far it is and how long it took. `now`: ms since the epoch.
  QString summary(int64_t now) const;
  // Of the step under way, ms until `now`; 0 when there is none.
  double underWay(int64_t now) const;
  QString command() const;

  // The pods of a subject, the newest first: the pod itself, or an application's.
  static QStringList podsOf(const ClusterState& state, const Subject& subject);
  static QString took(double ms);  // "0.4 ms", "12 ms", "1.24 s"

 signals:
  void changed();

 private:
  void ask();
  void onChanged(const ChangeSet& changes);

  ClusterState* state_;
  std::shared_ptr<client::Client> client_;
  QString pod_, cause_, node_, problem_;
  State status_ = State::Empty;
  std::vector<Step> steps_;
  Question question_;
  QTimer again_;  // while it is under way: a step that is seen elsewhere than in the pod is seen too
};

}  // namespace ph::models
