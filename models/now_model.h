// NowModel: the feed of what is going on, newest first, in sentences that say what happened and what comes
// next. One line an episode (a join, a loss, a rollout, a failing pod): it is rewritten while the episode
// lasts, and stays when it ends. Threads: GUI thread only.
#pragma once

#include <QAbstractListModel>
#include <QTimer>

#include "models/cluster_state.h"
#include "models/words.h"

namespace ph::models {

class NowModel : public QAbstractListModel {
  Q_OBJECT
 public:
  static constexpr int kMaxEntries = 200;
  enum Role { TimeRole = Qt::UserRole + 1, ToneRole, SubjectRole, LinkRole };

  explicit NowModel(ClusterState* state, QObject* parent = nullptr);

  int rowCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role) const override;
  QHash<int, QByteArray> roleNames() const override;

 private:
  struct Entry {
    QString topic;
    int64_t at = 0;
    Tone tone = Tone::Plain;
    QString text, link;
    Subject subject;
    bool open = true;       // the episode still lasts: news rewrites it
    bool counting = false;  // its text holds a countdown
  };
  struct AppEpisode {
    enum class Kind { Start, Scale, Rollout } kind = Kind::Start;
    int64_t start = 0;
    int from = 0;
  };
  struct LossEpisode {
    int64_t start = 0;
    QSet<QString> apps;
    QMap<QString, int> elsewhere;  // machine -> pods
    int count = 0;                 // of the pods that were there
  };

  void onChanged(const ChangeSet& changes);
  void machines(const ChangeSet& changes);
  void nodes(const ChangeSet& changes);
  void workloads(const ChangeSet& changes);
  void pods(const ChangeSet& changes);
  void events(const ChangeSet& changes);
  void judge(const QString& node, bool first);
  void tellLoss(const QString& node);
  void tellApp(const WorkloadFacts& w);
  void tellWaiting(const QString& app);
  void tellFailing(const PodFacts& pod);
  void recount();
  QString machineName(const QString& node) const;

  Entry* find(const QString& topic);
  // Rewrites the topic's open entry, or adds one.
  void say(const QString& topic, Tone tone, const QString& text, const Subject& subject,
           const QString& link = {}, bool counting = false);
  void close(const QString& topic);

  ClusterState* state_;
  QList<Entry> entries_;  // newest first
  QHash<QString, AppEpisode> apps_;
  QHash<QString, LossEpisode> losses_;
  QHash<QString, bool> up_;          // node -> as it was told last
  QHash<QString, int64_t> joins_;    // card key -> start
  QHash<QString, QString> failing_;  // pod -> topic
  QSet<QString> waitingApps_;
  QTimer second_;
};

}  // namespace ph::models

Q_DECLARE_METATYPE(ph::models::Subject)
