// ResourceTable: all objects of one kind, or those of a namespace, with the columns and cells that the server
// gives (as kubectl shows them), kept current by a watch. Sorting and filtering of many rows happens on the
// executor; a change of a few rows finds its place at once. Threads: GUI thread only; rows are read on a strand
// of the executor.
#pragma once

#include <QAbstractTableModel>
#include <QTimer>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "models/cluster_state.h"
#include "models/object_ref.h"
#include "models/object_table_model.h"
#include "models/table_rows.h"

namespace ph {
class Executor;
}
namespace ph::client {
class Client;
}

namespace ph::models {

struct TableColumn {
  QString name, description;
  bool number = false, age = false, state = false;
  int cell = 0;  // -1: the namespace
  bool operator==(const TableColumn&) const = default;
};

class ResourceTable : public QAbstractTableModel {
  Q_OBJECT
 public:
  using Role = ObjectTableModel::Role;
  enum class Phase { Idle, Loading, Live, Offline, Refused };
  static constexpr int kFewChanges = 256;  // more at once are sorted in the background
  static constexpr int kFrameMs = 50;

  explicit ResourceTable(ClusterState* state, QObject* parent = nullptr);
  ~ResourceTable() override;

  // Begins anew. Without an executor (tests) sorting is done at once.
  void follow(std::shared_ptr<client::Client> client, std::shared_ptr<Executor> executor, const KindRef& kind,
              const QString& ns, bool watchable = true);
  void stop();
  const KindRef& kind() const { return kind_; }
  const QString& ns() const { return ns_; }
  void setWide(bool on);  // also the columns that kubectl shows with -o wide
  void setFilter(const QString& text);
  void sort(int column, Qt::SortOrder order = Qt::AscendingOrder) override;

  Phase phase() const { return phase_; }
  QString problem() const { return problem_; }
  bool sorting() const { return computing_; }
  int total() const { return int(all_.size()); }
  const std::vector<TableColumn>& columns() const { return columns_; }
  ObjectRef refAt(int row) const;
  Subject subjectAt(int row) const;
  int rowOf(const QString& key) const;  // "ns/name"; -1: none, or filtered out
  QString keyAt(int row) const;

  // What the feed brings; also the way in for tests and benchmarks. A null row: the key is gone.
  using Changes = std::vector<std::pair<std::string, TableRowPtr>>;
  void setServerColumns(const boost::json::array& definitions);
  void apply(Changes changes);

  int rowCount(const QModelIndex& parent = {}) const override;
  int columnCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role) const override;
  QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

 signals:
  void stateChanged();
  void columnsChanged();
  void arranged();  // a sort or filter in the background is done

 private:
  struct Inbox;
  void deliver();
  void makeColumns();
  void setOrder();
  void applyOne(const std::string& key, const TableRowPtr& row);
  void compute();
  void take(std::vector<TableRowPtr> rows);
  int placeOf(const TableRow& row) const;
  int indexOf(const TableRow& row) const;  // of exactly this one
  QString text(const TableRow& row, const TableColumn& column) const;

  ClusterState* state_;
  std::shared_ptr<Executor> executor_;
  std::shared_ptr<Inbox> inbox_;
  KindRef kind_;
  QString ns_;
  Phase phase_ = Phase::Idle;
  QString problem_;
  bool wide_ = false, computing_ = false, again_ = false;
  uint64_t generation_ = 0;
  boost::json::array definitions_;
  std::vector<TableColumn> columns_;
  int sortColumn_ = 0;
  Qt::SortOrder sortOrder_ = Qt::AscendingOrder;
  TableOrder order_;
  std::vector<std::string> words_;
  std::unordered_map<std::string_view, TableRowPtr> all_;  // keys live in their rows
  std::vector<TableRowPtr> shown_;
};

// How good or bad a word of a Status or Phase column is; Plain when it says neither.
Tone stateTone(std::string_view word);

}  // namespace ph::models
