#include "models/resource_table.h"

#include <QPointer>
#include <algorithm>

#include "engine/base/executor.h"
#include "models/gui_thread.h"
#include "models/json_read.h"
#include "models/words.h"

namespace ph::models {

ResourceTable::ResourceTable(ClusterState* state, QObject* parent) : QAbstractTableModel(parent), state_(state) {}

void ResourceTable::setServerColumns(const boost::json::array& definitions) {
  if (definitions.empty() || definitions == definitions_) return;
  definitions_ = definitions;
  makeColumns();
}

void ResourceTable::setWide(bool on) {
  if (on == wide_) return;
  wide_ = on;
  makeColumns();
}

void ResourceTable::makeColumns() {
  std::vector<TableColumn> columns;
  int cell = 0;
  for (auto& d : definitions_) {
    const QString name = json::text(&d, {"name"});
    const auto type = json::view(&d, {"type"});
    if (wide_ || json::number(&d, {"priority"}) == 0) {
      TableColumn c{name, json::text(&d, {"description"}), type == "integer" || type == "number"};
      c.age = name.compare(u"age", Qt::CaseInsensitive) == 0;
      c.state = name == u"Status" || name == u"Phase" || name == u"State" || name == u"Health";
      c.cell = cell;
      columns.push_back(c);
      if (cell == 0 && kind_.namespaced && ns_.isEmpty()) columns.push_back({tr("Namespace"), {}, false, false, false, -1});
    }
    ++cell;
  }
  if (columns == columns_) return;
  const QString sorted = sortColumn_ < int(columns_.size()) ? columns_[size_t(sortColumn_)].name : QString();
  beginResetModel();
  columns_ = std::move(columns);
  sortColumn_ = 0;
  for (int i = 0; i < int(columns_.size()); ++i) {
    if (columns_[size_t(i)].name == sorted) sortColumn_ = i;
  }
  setOrder();
  endResetModel();
  emit columnsChanged();
  compute();
}

void ResourceTable::setOrder() {
  order_ = {};
  order_.descending = sortOrder_ == Qt::DescendingOrder;
  if (sortColumn_ >= int(columns_.size())) return;
  const TableColumn& c = columns_[size_t(sortColumn_)];
  order_.cell = c.cell;
  order_.by = c.cell < 0  ? TableOrder::By::Namespace
              : c.age     ? TableOrder::By::Created
              : c.number  ? TableOrder::By::Number
                          : TableOrder::By::Text;
}

void ResourceTable::sort(int column, Qt::SortOrder order) {
  if (column == sortColumn_ && order == sortOrder_) return;
  sortColumn_ = std::max(0, column);
  sortOrder_ = order;
  compute();
}

void ResourceTable::setFilter(const QString& text) {
  std::vector<std::string> words;
  for (auto& w : text.toLower().split(' ', Qt::SkipEmptyParts)) words.push_back(w.toStdString());
  if (words == words_) return;
  words_ = std::move(words);
  compute();
}

// Order and filter are taken when a computation begins: until then the rows shown keep to the order that they have.
void ResourceTable::compute() {
  if (computing_) {
    again_ = true;
    return;
  }
  computing_ = true;
  again_ = false;
  std::vector<TableRowPtr> rows;
  rows.reserve(all_.size());
  for (auto& [key, row] : all_) rows.push_back(row);
  const auto before = order_;
  setOrder();
  const TableOrder order = std::exchange(order_, before);
  if (!executor_ || rows.size() <= size_t(kFewChanges)) {
    order_ = order;
    take(arrange(std::move(rows), words_, order));
    return;
  }
  executor_->post([self = QPointer<ResourceTable>(this), generation = generation_, order, words = words_,
                   rows = std::make_shared<std::vector<TableRowPtr>>(std::move(rows))] {
    *rows = arrange(std::move(*rows), words, order);
    onGui([self, generation, order, rows] {
      if (!self || generation != self->generation_) return;
      self->order_ = order;
      self->take(std::move(*rows));
    });
  });
}

void ResourceTable::take(std::vector<TableRowPtr> rows) {
  if (rows.size() == shown_.size() && !rows.empty()) {
    emit layoutAboutToBeChanged({}, VerticalSortHint);
    QModelIndexList from = persistentIndexList(), to;
    std::vector<TableRowPtr> at;
    for (auto& i : from) at.push_back(shown_[size_t(i.row())]);
    shown_ = std::move(rows);
    for (qsizetype i = 0; i < from.size(); ++i) {
      auto it = all_.find(at[size_t(i)]->key());
      const int row = it == all_.end() ? -1 : indexOf(*it->second);
      to << (row < 0 ? QModelIndex() : index(row, from[i].column()));
    }
    changePersistentIndexList(from, to);
    emit layoutChanged({}, VerticalSortHint);
  } else {
    beginResetModel();
    shown_ = std::move(rows);
    endResetModel();
  }
  computing_ = false;
  if (again_) compute();
  if (!computing_) emit arranged();
  emit stateChanged();
}

int ResourceTable::placeOf(const TableRow& row) const {
  return int(std::lower_bound(shown_.begin(), shown_.end(), row,
                              [&](auto& a, const TableRow& b) { return rowLess(*a, b, order_); }) -
             shown_.begin());
}

int ResourceTable::indexOf(const TableRow& row) const {
  const int at = placeOf(row);
  return at < int(shown_.size()) && shown_[size_t(at)]->key() == row.key() ? at : -1;
}

void ResourceTable::applyOne(const std::string& key, const TableRowPtr& row) {
  auto it = all_.find(key);
  const TableRowPtr old = it == all_.end() ? nullptr : it->second;
  const int from = old ? indexOf(*old) : -1;
  if (it != all_.end()) all_.erase(it);
  if (row) all_.emplace(row->key(), row);
  const bool shows = row && rowFits(*row, words_);
  if (from >= 0 && shows) {
    // Where it stays between its neighbours, it is changed in place.
    const bool left = from == 0 || rowLess(*shown_[size_t(from) - 1], *row, order_);
    const bool right = from + 1 == int(shown_.size()) || rowLess(*row, *shown_[size_t(from) + 1], order_);
    if (left && right) {
      shown_[size_t(from)] = row;
      emit dataChanged(index(from, 0), index(from, columnCount() - 1));
      return;
    }
  }
  if (from >= 0) {
    beginRemoveRows({}, from, from);
    shown_.erase(shown_.begin() + from);
    endRemoveRows();
  }
  if (shows) {
    const int to = placeOf(*row);
    beginInsertRows({}, to, to);
    shown_.insert(shown_.begin() + to, row);
    endInsertRows();
  }
}

void ResourceTable::apply(Changes changes) {
  if (changes.empty()) return;
  if (!computing_ && int(changes.size()) <= kFewChanges) {
    for (auto& [key, row] : changes) applyOne(key, row);
    emit stateChanged();
    return;
  }
  for (auto& [key, row] : changes) {
    if (auto it = all_.find(key); it != all_.end()) all_.erase(it);
    if (row) all_.emplace(row->key(), row);
  }
  compute();
}

ObjectRef ResourceTable::refAt(int row) const {
  if (row < 0 || row >= int(shown_.size())) return {};
  const TableRow& r = *shown_[size_t(row)];
  return ObjectRef::of(kind_, QString::fromUtf8(r.ns().data(), qsizetype(r.ns().size())),
                       QString::fromUtf8(r.name().data(), qsizetype(r.name().size())));
}

Subject ResourceTable::subjectAt(int row) const {
  const ObjectRef ref = refAt(row);
  return ref.name.isEmpty() ? Subject{} : subjectOf(*state_, ref);
}

QString ResourceTable::keyAt(int row) const {
  if (row < 0 || row >= int(shown_.size())) return {};
  const auto key = shown_[size_t(row)]->key();
  return QString::fromUtf8(key.data(), qsizetype(key.size()));
}

int ResourceTable::rowOf(const QString& key) const {
  const std::string k = key.toStdString();
  auto it = all_.find(std::string_view(k));
  return it == all_.end() ? -1 : indexOf(*it->second);
}

int ResourceTable::rowCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : int(shown_.size());
}

int ResourceTable::columnCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : int(columns_.size());
}

QVariant ResourceTable::headerData(int section, Qt::Orientation orientation, int role) const {
  if (orientation != Qt::Horizontal || section >= int(columns_.size())) return {};
  const TableColumn& c = columns_[size_t(section)];
  if (role == Qt::DisplayRole) return c.name;
  if (role == Qt::ToolTipRole) return c.description;
  if (role == Qt::TextAlignmentRole) return int(Qt::AlignVCenter | (c.number || c.age ? Qt::AlignRight : Qt::AlignLeft));
  return {};
}

QString ResourceTable::text(const TableRow& row, const TableColumn& column) const {
  const auto cell = column.cell < 0 ? row.ns() : row.cell(column.cell);
  // Ages go on counting here; the server's word was true when it was said.
  if (column.age && row.created() > 0) return words::span(state_->now() - row.created());
  return QString::fromUtf8(cell.data(), qsizetype(cell.size()));
}

QVariant ResourceTable::data(const QModelIndex& index, int role) const {
  if (!index.isValid() || index.row() >= int(shown_.size()) || index.column() >= int(columns_.size())) return {};
  const TableRow& row = *shown_[size_t(index.row())];
  const TableColumn& column = columns_[size_t(index.column())];
  switch (role) {
    case Qt::DisplayRole:
      return text(row, column);
    case Qt::ToolTipRole: {
      const QString s = text(row, column);
      return s.size() > 24 ? QVariant(s) : QVariant();
    }
    case ObjectTableModel::SubjectRole:
      return QVariant::fromValue(subjectAt(index.row()));
    case ObjectTableModel::ToneRole: {
      if (!column.state) return {};
      const Tone tone = stateTone(row.cell(column.cell));
      return tone == Tone::Plain ? QVariant() : QVariant(int(tone));
    }
    case ObjectTableModel::MonoRole:
      return column.cell == 0;
    case ObjectTableModel::NumberRole:
      return column.number || column.age;
    default:
      return {};
  }
}

Tone stateTone(std::string_view w) {
  auto starts = [&](std::string_view s) { return w.substr(0, s.size()) == s; };
  for (auto good : {"Running", "Ready", "Active", "Bound", "Complete", "Succeeded", "Established", "Available", "Healthy", "Approved"}) {
    if (w == good) return Tone::Ok;
  }
  if (starts("Ready,")) return Tone::Warn;  // "Ready,SchedulingDisabled"
  for (auto bad : {"NotReady", "Failed", "Error", "CrashLoopBackOff", "ImagePullBackOff", "ErrImagePull", "OOMKilled", "Evicted",
                   "Lost", "Unknown", "CreateContainer", "InvalidImageName", "Init:Error", "Init:CrashLoop", "Denied"}) {
    if (starts(bad)) return Tone::Error;
  }
  for (auto going : {"Pending", "ContainerCreating", "PodInitializing", "Terminating", "Init:", "Released", "Suspended", "Joining"}) {
    if (starts(going)) return Tone::Warn;
  }
  return Tone::Plain;
}

}  // namespace ph::models
