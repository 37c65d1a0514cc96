// ObjectTableModel: one kind as a table, kept current row by row. Threads: GUI thread only.
#pragma once

#include <QAbstractTableModel>

#include "models/cluster_state.h"
#include "models/words.h"

namespace ph::models {

class ObjectTableModel : public QAbstractTableModel {
  Q_OBJECT
 public:
  enum class Kind { Pods, Machines, Applications, Services, Events };
  enum Role { SortRole = Qt::UserRole + 1, SubjectRole, ToneRole, MonoRole, NumberRole };

  explicit ObjectTableModel(ClusterState* state, QObject* parent = nullptr);
  void setKind(Kind kind);
  Kind kind() const { return kind_; }

  int rowCount(const QModelIndex& parent = {}) const override;
  int columnCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role) const override;
  QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

 private:
  struct Cell {
    QString text;
    QVariant sort;  // empty: by the text
    Tone tone = Tone::Plain;
    bool mono = false, toned = false, number = false;
  };
  Cell cell(const QString& key, int column) const;
  Cell podCell(const PodFacts& pod, int column) const;
  Cell machineCell(const QString& key, int column) const;
  Cell appCell(const WorkloadFacts& app, int column) const;
  Cell serviceCell(const ServiceFacts& service, int column) const;
  Cell eventCell(const EventFacts& event, int column) const;
  void onChanged(const ChangeSet& changes);
  void reload();
  void put(const QString& key);
  void remove(const QString& key);
  QString machineKey(const QString& node) const;

  ClusterState* state_;
  Kind kind_ = Kind::Pods;
  QList<QString> rows_;
  QHash<QString, int> rowOf_;
};

}  // namespace ph::models
