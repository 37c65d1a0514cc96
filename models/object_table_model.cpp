#include "models/object_table_model.h"

#include "models/map_model.h"
#include "models/now_model.h"

namespace ph::models {

ObjectTableModel::ObjectTableModel(ClusterState* state, QObject* parent)
    : QAbstractTableModel(parent), state_(state) {
  connect(state, &ClusterState::changed, this, &ObjectTableModel::onChanged);
  reload();
}

void ObjectTableModel::setKind(Kind kind) {
  if (kind == kind_) return;
  kind_ = kind;
  reload();
}

QString ObjectTableModel::machineKey(const QString& node) const {
  auto* m = state_->machineOfNode(node);
  return m ? m->key : node;
}

void ObjectTableModel::reload() {
  beginResetModel();
  rows_.clear();
  rowOf_.clear();
  auto all = [&](const auto& map) {
    for (auto& [key, f] : map) rows_ << key;
  };
  switch (kind_) {
    case Kind::Pods:
      all(state_->pods());
      break;
    case Kind::Machines: {
      QSet<QString> keys;
      for (auto& [key, m] : state_->machines()) keys.insert(key);
      for (auto& [key, n] : state_->nodes()) keys.insert(machineKey(key));
      rows_ = keys.values();
      break;
    }
    case Kind::Applications:
      all(state_->workloads());
      break;
    case Kind::Services:
      all(state_->services());
      break;
    case Kind::Events:
      all(state_->events());
      break;
  }
  std::sort(rows_.begin(), rows_.end());
  for (int i = 0; i < rows_.size(); ++i) rowOf_[rows_[i]] = i;
  endResetModel();
}

void ObjectTableModel::put(const QString& key) {
  if (auto it = rowOf_.find(key); it != rowOf_.end()) {
    emit dataChanged(index(*it, 0), index(*it, columnCount() - 1));
    return;
  }
  const int row = int(rows_.size());
  beginInsertRows({}, row, row);
  rows_ << key;
  rowOf_[key] = row;
  endInsertRows();
}

void ObjectTableModel::remove(const QString& key) {
  auto it = rowOf_.find(key);
  if (it == rowOf_.end()) return;
  const int row = *it, last = int(rows_.size()) - 1;
  // The last row takes the place of the one that goes: no other row moves. Its own order is the view's to
  // sort.
  if (row != last) {
    rows_[row] = rows_[last];
    rowOf_[rows_[row]] = row;
    rows_[last] = key;
    emit dataChanged(index(row, 0), index(row, columnCount() - 1));
  }
  beginRemoveRows({}, last, last);
  rows_.removeLast();
  rowOf_.remove(key);
  endRemoveRows();
}

void ObjectTableModel::onChanged(const ChangeSet& changes) {
  auto each = [&](const auto& list) {
    if (list.size() > 2000) {
      reload();
      return;
    }
    for (auto& c : list) c.now ? put(c.now->key) : remove(c.before->key);
  };
  switch (kind_) {
    case Kind::Pods:
      each(changes.pods);
      break;
    case Kind::Applications:
      each(changes.workloads);
      break;
    case Kind::Services:
      each(changes.services);
      break;
    case Kind::Events:
      each(changes.events);
      break;
    case Kind::Machines:
      for (auto& c : changes.machines) {
        if (c.now || state_->node(c.before->key))
          put(c.any().key);
        else
          remove(c.before->key);
      }
      for (auto& c : changes.nodes) {
        const QString key = machineKey(c.any().name);
        if (key != c.any().name) remove(c.any().name);
        if (c.now || state_->machine(key))
          put(key);
        else
          remove(key);
      }
      break;
  }
}

int ObjectTableModel::rowCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : int(rows_.size());
}

int ObjectTableModel::columnCount(const QModelIndex& parent) const {
  if (parent.isValid()) return 0;
  switch (kind_) {
    case Kind::Pods:
      return 7;
    case Kind::Machines:
      return 8;
    case Kind::Applications:
      return 5;
    case Kind::Services:
      return 5;
    case Kind::Events:
      return 5;
  }
  return 0;
}

QVariant ObjectTableModel::headerData(int section, Qt::Orientation orientation, int role) const {
  if (orientation != Qt::Horizontal) return {};
  if (role == Qt::TextAlignmentRole && !rows_.isEmpty()) {
    // A column of numbers has its name at the right too.
    return int(Qt::AlignVCenter |
               (data(index(0, section), NumberRole).toBool() ? Qt::AlignRight : Qt::AlignLeft));
  }
  if (role != Qt::DisplayRole) return {};
  QStringList names;
  switch (kind_) {
    case Kind::Pods:
      names = {tr("Name"),    tr("Namespace"), tr("State"), tr("Restarts"),
               tr("Machine"), tr("Address"),   tr("Age")};
      break;
    case Kind::Machines:
      names = {tr("Name"),   tr("State"),  tr("Pods"),    tr("CPU"),
               tr("Memory"), tr("System"), tr("Address"), tr("Zone")};
      break;
    case Kind::Applications:
      names = {tr("Name"), tr("Namespace"), tr("Ready"), tr("Image"), tr("Age")};
      break;
    case Kind::Services:
      names = {tr("Name"), tr("Namespace"), tr("Address"), tr("Ports"), tr("Age")};
      break;
    case Kind::Events:
      names = {tr("When"), tr("About"), tr("Reason"), tr("Message"), tr("Times")};
      break;
  }
  return names.value(section);
}

ObjectTableModel::Cell ObjectTableModel::podCell(const PodFacts& p, int column) const {
  const int64_t age = state_->now() - p.created;
  switch (column) {
    case 0:
      return {p.name, {}, Tone::Plain, true};
    case 1:
      return {p.ns};
    case 2:
      return {words::podState(p.state), int(p.state), words::podTone(p.state), false, true};
    case 3:
      return {QString::number(p.restarts),
              p.restarts,
              p.restarts ? Tone::Warn : Tone::Plain,
              false,
              p.restarts > 0,
              true};
    case 4:
      return {p.node.isEmpty() ? QStringLiteral("–") : p.node};
    case 5:
      return {p.address, {}, Tone::Plain, true};
    default:
      return {words::span(age), qint64(age), Tone::Plain, false, false, true};
  }
}

ObjectTableModel::Cell ObjectTableModel::machineCell(const QString& key, int column) const {
  auto* machine = state_->machine(key);
  auto* node = state_->node(machine && !machine->node.isEmpty() ? machine->node : key);
  switch (column) {
    case 0:
      return {key, {}, Tone::Plain, true};
    case 1: {
      const auto view = words::machineView(machine, node);
      return {view.title, {}, view.tone, false, true};
    }
    case 2: {
      const int pods = node ? int(state_->podsOnNode(node->name).size()) : 0;
      return {QString::number(pods), pods, Tone::Plain, false, false, true};
    }
    case 3:
      return node ? Cell{words::cores(node->cpu), qint64(node->cpu), Tone::Plain, false, false, true}
                  : Cell{};
    case 4:
      return node ? Cell{words::memory(node->memory), qint64(node->memory), Tone::Plain, false, false, true}
                  : Cell{};
    case 5:
      return node ? Cell{node->os.isEmpty() ? node->arch : node->os + QStringLiteral(", ") + node->arch}
                  : Cell{};
    case 6:
      return {machine ? machine->address : node ? node->address : QString(), {}, Tone::Plain, true};
    default:
      return {node && !node->zone.isEmpty() ? node->zone : machine ? machine->zone : QString()};
  }
}

ObjectTableModel::Cell ObjectTableModel::appCell(const WorkloadFacts& w, int column) const {
  const int64_t age = state_->now() - w.created;
  switch (column) {
    case 0:
      return {w.name, {}, Tone::Plain, true};
    case 1:
      return {w.ns};
    case 2:
      return {tr("%1 of %2").arg(w.ready).arg(w.wanted), w.wanted ? double(w.ready) / w.wanted : 1.0,
              w.ready >= w.wanted ? Tone::Ok : Tone::Warn, false, true};
    case 3:
      return {w.images.join(QStringLiteral(", ")), {}, Tone::Plain, true};
    default:
      return {words::span(age), qint64(age), Tone::Plain, false, false, true};
  }
}

ObjectTableModel::Cell ObjectTableModel::serviceCell(const ServiceFacts& s, int column) const {
  const int64_t age = state_->now() - s.created;
  switch (column) {
    case 0:
      return {s.name, {}, Tone::Plain, true};
    case 1:
      return {s.ns};
    case 2:
      return {s.clusterIp, {}, Tone::Plain, true};
    case 3: {
      QStringList ports;
      for (auto& p : s.ports)
        ports << QStringLiteral("%1 → %2").arg(p.port).arg(p.target.isEmpty() ? QString::number(p.port)
                                                                              : p.target);
      return {ports.join(QStringLiteral(", ")), {}, Tone::Plain, true};
    }
    default:
      return {words::span(age), qint64(age), Tone::Plain, false, false, true};
  }
}

ObjectTableModel::Cell ObjectTableModel::eventCell(const EventFacts& e, int column) const {
  switch (column) {
    case 0:
      return {words::clock(e.last), qint64(e.last), Tone::Plain, true};
    case 1:
      return {e.kind.toLower() + '/' + e.objectName, {}, Tone::Plain, true};
    case 2:
      return {e.reason, {}, e.warning ? Tone::Warn : Tone::Plain, false, e.warning};
    case 3:
      return {e.message};
    default:
      return {QString::number(e.count), e.count, Tone::Plain, false, false, true};
  }
}

ObjectTableModel::Cell ObjectTableModel::cell(const QString& key, int column) const {
  switch (kind_) {
    case Kind::Pods:
      if (auto* p = state_->pod(key)) return podCell(*p, column);
      break;
    case Kind::Machines:
      return machineCell(key, column);
    case Kind::Applications:
      if (auto* w = state_->workload(key)) return appCell(*w, column);
      break;
    case Kind::Services:
      if (auto it = state_->services().find(key); it != state_->services().end())
        return serviceCell(it->second, column);
      break;
    case Kind::Events:
      if (auto it = state_->events().find(key); it != state_->events().end())
        return eventCell(it->second, column);
      break;
  }
  return {};
}

QVariant ObjectTableModel::data(const QModelIndex& index, int role) const {
  if (!index.isValid() || index.row() >= rows_.size()) return {};
  const QString& key = rows_[index.row()];
  if (role == SubjectRole) {
    Subject s;
    if (kind_ == Kind::Pods)
      s = {Subject::Kind::Pod, key};
    else if (kind_ == Kind::Machines)
      s = {Subject::Kind::Machine, key};
    else if (kind_ == Kind::Applications)
      s = {Subject::Kind::App, key};
    return QVariant::fromValue(s);
  }
  if (role != Qt::DisplayRole && role != SortRole && role != ToneRole && role != MonoRole &&
      role != NumberRole && role != Qt::ToolTipRole)
    return {};
  const Cell c = cell(key, index.column());
  switch (role) {
    case Qt::DisplayRole:
      return c.text;
    case Qt::ToolTipRole:
      return kind_ == Kind::Events && index.column() == 3 ? QVariant(c.text) : QVariant();
    case SortRole:
      return c.sort.isValid() ? c.sort : QVariant(c.text);
    case ToneRole:
      return c.toned ? QVariant(int(c.tone)) : QVariant();
    case MonoRole:
      return c.mono;
    case NumberRole:
      return c.number;
    default:
      return {};
  }
}

}  // namespace ph::models
