#include "models/events_model.h"

#include <algorithm>

#include "models/object_ref.h"

#include "models/words.h"

namespace ph::models {

EventsModel::EventsModel(ClusterState* state, QObject* parent) : QAbstractListModel(parent), state_(state) {
  connect(state, &ClusterState::changed, this, &EventsModel::onChanged);
}

void EventsModel::setSubject(const Subject& subject) {
  if (subject == subject_) return;
  subject_ = subject;
  machineNode_ = subject.key;
  if (subject.kind == Subject::Kind::Machine) {
    if (auto* m = state_->machine(subject.key); m && !m->node.isEmpty()) machineNode_ = m->node;
  }
  reload();
}

bool EventsModel::concerns(const EventFacts& e) const {
  switch (subject_.kind) {
    case Subject::Kind::Pod:
      return e.kind == u"Pod" && e.objectNs + '/' + e.objectName == subject_.key;
    case Subject::Kind::Machine:
      return (e.kind == u"Machine" && e.objectName == subject_.key) ||
             (e.kind == u"Node" && e.objectName == machineNode_);
    case Subject::Kind::App: {
      if (e.objectNs != appNamespace(subject_.key)) return false;
      const QString name = appName(subject_.key);
      if (e.kind == appKind(subject_.key)) return e.objectName == name;
      if (e.kind == u"ReplicaSet")
        return e.objectName.startsWith(name + '-') && !e.objectName.mid(name.size() + 1).contains('-');
      if (e.kind != u"Pod") return false;
      if (auto* pod = state_->pod(e.objectNs + '/' + e.objectName)) return pod->app == subject_.key;
      // A pod that has gone: two parts follow the application's name.
      return e.objectName.startsWith(name + '-') && e.objectName.mid(name.size() + 1).count('-') == 1;
    }
    case Subject::Kind::Object: {
      const ObjectRef ref = ObjectRef::of(subject_.key);
      return e.kind == ref.kind && e.objectName == ref.name && (ref.ns.isEmpty() || e.objectNs == ref.ns);
    }
    case Subject::Kind::None:
      return false;
  }
  return false;
}

void EventsModel::reload() {
  beginResetModel();
  rows_.clear();
  for (auto& [key, e] : state_->events()) {
    if (concerns(e)) rows_.append(e);
  }
  std::sort(rows_.begin(), rows_.end(),
            [](auto& a, auto& b) { return a.last != b.last ? a.last > b.last : a.key < b.key; });
  if (rows_.size() > kMaxRows) rows_.resize(kMaxRows);
  endResetModel();
}

void EventsModel::remove(const QString& key) {
  for (int i = 0; i < rows_.size(); ++i) {
    if (rows_[i].key != key) continue;
    beginRemoveRows({}, i, i);
    rows_.removeAt(i);
    endRemoveRows();
    return;
  }
}

void EventsModel::put(const EventFacts& e) {
  remove(e.key);
  const auto at = std::find_if(rows_.begin(), rows_.end(), [&](auto& r) {
    return r.last < e.last || (r.last == e.last && r.key > e.key);
  });
  const int row = int(at - rows_.begin());
  if (row >= kMaxRows) return;
  beginInsertRows({}, row, row);
  rows_.insert(row, e);
  endInsertRows();
  if (rows_.size() > kMaxRows) {
    beginRemoveRows({}, kMaxRows, int(rows_.size()) - 1);
    rows_.resize(kMaxRows);
    endRemoveRows();
  }
}

void EventsModel::onChanged(const ChangeSet& changes) {
  if (!subject_) return;
  for (auto& c : changes.events) {
    if (!c.now)
      remove(c.before->key);
    else if (concerns(*c.now))
      put(*c.now);
  }
}

int EventsModel::rowCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : int(rows_.size());
}

QVariant EventsModel::data(const QModelIndex& index, int role) const {
  if (!index.isValid() || index.row() >= rows_.size()) return {};
  auto& e = rows_[index.row()];
  const QString message = e.count > 1 ? tr("%1 (%n times)", nullptr, e.count).arg(e.message) : e.message;
  switch (role) {
    case Qt::DisplayRole:
      return QStringLiteral("%1: %2").arg(e.reason, message);
    case WhenRole:
      return words::clock(e.last);
    case WarningRole:
      return e.warning;
    case ReasonRole:
      return e.reason;
    case MessageRole:
      return message;
    case AboutRole:
      return QStringLiteral("%1/%2").arg(e.kind.toLower(), e.objectName);
    default:
      return {};
  }
}

}  // namespace ph::models
