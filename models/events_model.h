// EventsModel: the API's events about one subject (a pod, an application with its pods, a machine), newest
// first. Threads: GUI thread only.
#pragma once

#include <QAbstractListModel>

#include "models/cluster_state.h"

namespace ph::models {

class EventsModel : public QAbstractListModel {
  Q_OBJECT
 public:
  static constexpr int kMaxRows = 500;
  enum Role { WhenRole = Qt::UserRole + 1, WarningRole, ReasonRole, MessageRole, AboutRole };
  explicit EventsModel(ClusterState* state, QObject* parent = nullptr);

  void setSubject(const Subject& subject);
  int rowCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role) const override;

 private:
  bool concerns(const EventFacts& event) const;
  void onChanged(const ChangeSet& changes);
  void reload();
  void put(const EventFacts& event);
  void remove(const QString& key);

  ClusterState* state_;
  Subject subject_;
  QString machineNode_;
  QList<EventFacts> rows_;
};

}  // namespace ph::models
