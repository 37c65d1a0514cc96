#include "models/kind_list.h"

#include <QPointer>
#include <algorithm>

#include "engine/client/client.h"
#include "models/gui_thread.h"
#include "models/json_read.h"

namespace ph::models {

namespace {

// Which heading a kind stands under; the order is that of the list.
enum Heading { Workloads, Network, Configuration, Storage, Access, Cluster, Custom };

Heading headingOf(const KindRef& k) {
  static const QHash<QString, Heading> byGroup{
      {"apps", Workloads}, {"batch", Workloads}, {"autoscaling", Workloads}, {"policy", Workloads},
      {"networking.k8s.io", Network}, {"discovery.k8s.io", Network}, {"gateway.networking.k8s.io", Network},
      {"storage.k8s.io", Storage}, {"snapshot.storage.k8s.io", Storage},
      {"rbac.authorization.k8s.io", Access}, {"certificates.k8s.io", Access},
      {"fleet.pilothouse.io", Cluster}, {"pilothouse.io", Cluster}};
  static const QHash<QString, Heading> core{
      {"pods", Workloads}, {"replicationcontrollers", Workloads}, {"podtemplates", Workloads},
      {"services", Network}, {"endpoints", Network},
      {"configmaps", Configuration}, {"secrets", Configuration}, {"resourcequotas", Configuration},
      {"limitranges", Configuration},
      {"persistentvolumeclaims", Storage}, {"persistentvolumes", Storage},
      {"serviceaccounts", Access}};
  if (k.group.isEmpty()) return core.value(k.plural, Cluster);
  if (auto it = byGroup.find(k.group); it != byGroup.end()) return *it;
  return k.group.endsWith(u".k8s.io") || k.group.endsWith(u".pilothouse.io") ? Cluster : Custom;
}

QString headingName(Heading heading, const KindRef& kind) {
  switch (heading) {
    case Workloads:
      return KindList::tr("Workloads");
    case Network:
      return KindList::tr("Network");
    case Configuration:
      return KindList::tr("Configuration");
    case Storage:
      return KindList::tr("Storage");
    case Access:
      return KindList::tr("Access");
    case Cluster:
      return KindList::tr("Cluster");
    case Custom:
      break;
  }
  return kind.group;
}

// What is asked for most stands first under its heading.
int rank(const KindRef& k) {
  static const QStringList first{"pods", "deployments", "statefulsets", "daemonsets", "jobs", "cronjobs", "replicasets",
                                 "services", "ingresses", "configmaps", "secrets", "persistentvolumeclaims",
                                 "machines", "nodes", "namespaces", "events"};
  const int at = int(first.indexOf(k.plural));
  return at < 0 ? int(first.size()) : at;
}

}  // namespace

QList<KindInfo> kindsOf(const std::string& body) {
  QList<KindInfo> out;
  boost::system::error_code failed;
  const auto tree = boost::json::parse(body, failed);
  if (failed) return out;
  const QString version = json::text(&tree, {"groupVersion"});
  for (auto& r : json::list(&tree, {"resources"})) {
    KindInfo k;
    k.kind.plural = json::text(&r, {"name"});
    if (k.kind.plural.isEmpty() || k.kind.plural.contains('/')) continue;  // a subresource
    bool list = false, watch = false;
    for (auto& v : json::list(&r, {"verbs"})) {
      list |= json::text(&v) == u"list";
      watch |= json::text(&v) == u"watch";
    }
    if (!list) continue;
    k.watchable = watch;
    k.kind.kind = json::text(&r, {"kind"});
    k.kind.namespaced = json::flag(&r, {"namespaced"});
    k.kind.group = version.contains('/') ? version.section('/', 0, 0) : QString();
    k.kind.version = version.section('/', -1);
    for (auto& s : json::list(&r, {"shortNames"})) k.shortNames << json::text(&s);
    const Heading h = headingOf(k.kind);
    k.order = h;
    k.group = headingName(h, k.kind);
    out << k;
  }
  return out;
}

// One round of questions; answers come on the client's executor and are counted on the GUI thread.
struct KindList::Asked {
  std::vector<std::shared_ptr<void>> calls;
  int open = 0;
  QList<KindInfo> found;
  QString problem;
};

KindList::KindList(QObject* parent) : QAbstractListModel(parent) {}
KindList::~KindList() = default;

void KindList::setClient(std::shared_ptr<client::Client> client) {
  client_ = std::move(client);
  asked_.reset();
}

void KindList::refresh() {
  if (!client_ || asked_) return;
  auto asked = asked_ = std::make_shared<Asked>();
  QPointer<KindList> self(this);
  std::weak_ptr<Asked> weak = asked;
  auto ask = [self, weak](const std::string& path, auto then) {
    auto asked = weak.lock();
    if (!asked || !self->client_) return;
    ++asked->open;
    asked->calls.push_back(self->client_->raw("GET", path, {}, {}, nullptr, [self, weak, then](Result<std::string> r) {
      auto answer = std::make_shared<Result<std::string>>(std::move(r));
      onGui([self, weak, then, answer] {
        auto asked = weak.lock();
        if (!self || !asked) return;
        if (answer->ok())
          then(**answer);
        else if (!answer->status().isNotFound())
          asked->problem = QString::fromStdString(answer->status().message);
        if (--asked->open > 0) return;
        self->problem_ = asked->problem;
        if (self->asked_ == asked) self->asked_.reset();
        if (!asked->found.isEmpty())
          self->setKinds(asked->found);
        else
          emit self->changed();
      });
    }));
  };
  auto kinds = [weak](const std::string& body) {
    if (auto asked = weak.lock()) asked->found += kindsOf(body);
  };
  ask("/api/v1", kinds);
  ask("/apis", [ask, kinds](const std::string& body) {
    boost::system::error_code failed;
    const auto tree = boost::json::parse(body, failed);
    if (failed) return;
    for (auto& g : json::list(&tree, {"groups"})) {
      const QString version = json::text(&g, {"preferredVersion", "groupVersion"});
      if (!version.isEmpty()) ask("/apis/" + version.toStdString(), kinds);
    }
  });
}

void KindList::setKinds(QList<KindInfo> kinds) {
  // The events of the core group and of their own are the same objects, and so are ingresses of where they were first.
  kinds.removeIf([](auto& k) { return k.kind.group == u"events.k8s.io" || k.kind.group == u"extensions"; });
  std::sort(kinds.begin(), kinds.end(), [](auto& a, auto& b) {
    auto key = [](const KindInfo& k) { return std::tuple(k.order, k.order == Custom ? k.group : QString(), rank(k.kind), k.kind.kind); };
    return key(a) < key(b);
  });
  if (kinds == kinds_) {
    emit changed();
    return;
  }
  kinds_ = std::move(kinds);
  filter();
  emit changed();
}

void KindList::setFilter(const QString& text) {
  if (text == text_) return;
  text_ = text;
  filter();
}

void KindList::filter() {
  beginResetModel();
  rows_.clear();
  QString heading;
  for (int i = 0; i < kinds_.size(); ++i) {
    auto& k = kinds_[i];
    const bool fits = text_.isEmpty() || k.kind.plural.contains(text_, Qt::CaseInsensitive) ||
                      k.shortNames.contains(text_, Qt::CaseInsensitive) || k.kind.group.contains(text_, Qt::CaseInsensitive);
    if (!fits) continue;
    if (k.group != heading) {
      heading = k.group;
      rows_.append(Row{-1, heading});
    }
    rows_.append(Row{i, {}});
  }
  endResetModel();
}

const KindInfo* KindList::at(int row) const {
  return row >= 0 && row < rows_.size() && rows_[row].kind >= 0 ? &kinds_[rows_[row].kind] : nullptr;
}

int KindList::rowOf(const KindRef& kind) const {
  for (int i = 0; i < rows_.size(); ++i) {
    if (auto* k = at(i); k && k->kind.plural == kind.plural && k->kind.group == kind.group) return i;
  }
  return -1;
}

const KindInfo* KindList::find(const QString& plural, const QString& group) const {
  for (auto& k : kinds_) {
    if (k.kind.plural == plural && k.kind.group == group) return &k;
  }
  return nullptr;
}

int KindList::rowCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : int(rows_.size());
}

QVariant KindList::data(const QModelIndex& index, int role) const {
  if (!index.isValid() || index.row() >= rows_.size()) return {};
  auto* k = at(index.row());
  switch (role) {
    case Qt::DisplayRole:
      return k ? k->kind.kind : rows_[index.row()].heading;
    case Qt::ToolTipRole:
      return k ? QVariant(QStringLiteral("%1 · %2").arg(k->kind.plural, k->kind.apiVersion())) : QVariant();
    case HeadingRole:
      return !k;
    case DetailRole:
      return k ? k->shortNames.join(QStringLiteral(", ")) : QString();
    default:
      return {};
  }
}

Qt::ItemFlags KindList::flags(const QModelIndex& index) const {
  return at(index.row()) ? Qt::ItemIsEnabled | Qt::ItemIsSelectable : Qt::NoItemFlags;
}

}  // namespace ph::models
