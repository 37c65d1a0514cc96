// DecisionModel: why a pod is where it is, or why it fits nowhere: every node against every rule of the scheduler (kind
// schedulingdecisions of pilothouse.io/v1), as the cluster is now. Asked again when the pod changes, and while it waits
// when machines do. Threads: GUI thread only.
#pragma once

#include <QObject>
#include <memory>

#include "models/cluster_state.h"
#include "models/question.h"

namespace ph::models {

struct DecisionRule {
  QString key;          // the plugin: "NodeResourcesFit"
  QString name, what;   // "Room", and a sentence
  bool filters = false, scores = false;
  double best = 0;      // the highest score that it gave
};

struct DecisionRow {
  static constexpr double kNone = -1e9;
  QString node;
  bool fits = false, here = false;
  double total = 0;
  std::vector<double> scores;  // by rule; kNone: it gave none
  QStringList refusals;        // by rule; empty: it has nothing against this node
  QString why;                 // the refusals as one sentence
};

// What would let a pod fit, and how that is done where it is a command.
struct Remedy {
  QString text;      // in words
  QString command;   // kubectl line; empty: there is none
  QString uncordon;  // the node to take pods again; empty: the remedy is another
  bool operator==(const Remedy&) const = default;
};

class DecisionModel : public QObject {
  Q_OBJECT
 public:
  enum class State : uint8_t { Empty, Loading, Ready, Unknown, Failed };
  static constexpr int kAskEveryMs = 500;

  explicit DecisionModel(ClusterState* state, QObject* parent = nullptr);

  void setClient(std::shared_ptr<client::Client> client);
  void setPod(const QString& key);  // empty: none, and nothing is asked
  const QString& pod() const { return pod_; }
  void read(const Result<boost::json::value>& answer);  // what the API says; the way in for tests too

  State state() const { return status_; }
  const std::vector<DecisionRule>& rules() const { return rules_; }
  const std::vector<DecisionRow>& rows() const { return rows_; }  // those that fit first, best first
  int fitting() const { return fitting_; }                        // how many of the rows fit
  int nodes() const { return nodes_; }                            // in the cluster; rows() may hold less
  int feasible() const { return feasible_; }
  const QString& node() const { return node_; }  // where it is; empty: it waits
  bool waits() const { return node_.isEmpty(); }
  const Remedy& remedy() const { return remedy_; }
  // The outcome in a sentence.
  QString summary() const;
  QString command() const;
  // What a row says, for those who can't see it.
  QString describe(int row) const;

 signals:
  void changed();

 private:
  void ask();
  void onChanged(const ChangeSet& changes);
  void readRemedy(const QString& text);
  QString refusedCounts() const;

  ClusterState* state_;
  std::shared_ptr<client::Client> client_;
  QString pod_, node_, problem_;
  State status_ = State::Empty;
  std::vector<DecisionRule> rules_;
  std::vector<DecisionRow> rows_;
  Remedy remedy_;
  int nodes_ = 0, feasible_ = 0, fitting_ = 0;
  Question question_;
};

}  // namespace ph::models
