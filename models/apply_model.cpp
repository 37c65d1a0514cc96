#include "models/apply_model.h"

#include <QFileInfo>
#include <QPointer>
#include <QUrl>
#include <algorithm>

#include "engine/base/executor.h"
#include "engine/client/client.h"
#include "models/gui_thread.h"
#include "models/json_read.h"
#include "models/object_ref.h"
#include "models/yaml_text.h"

namespace ph::models {

namespace {

namespace bj = boost::json;
using What = ApplyRow::What;
constexpr const char* kApply = "application/apply-patch+yaml";  // JSON is YAML

// What only the server may say.
void dropKept(bj::object& metadata) {
  for (auto* key : {"managedFields", "resourceVersion", "generation", "uid", "creationTimestamp", "selfLink"}) metadata.stable_erase(key);
}

// Without what the server keeps for itself.
bj::value bare(bj::value tree) {
  auto* o = tree.if_object();
  if (!o) return tree;
  o->stable_erase("status");
  if (auto* m = o->if_contains("metadata"); m && m->is_object()) dropKept(m->get_object());
  return tree;
}

// What people compare. A Secret's values stay hidden; `before` tells which of them are new.
QString readable(const bj::value& object, const bj::value* before = nullptr) {
  bj::value tree = inReadingOrder(bare(object));
  if (before) tree = orderedLike(std::move(tree), inReadingOrder(*before));
  if (json::view(&tree, {"kind"}) != "Secret") return toYaml(tree);
  for (std::string_view part : {"data", "stringData"}) {
    auto* data = tree.get_object().if_contains(part);
    if (!data || !data->is_object()) continue;
    for (auto& [key, value] : data->get_object()) {
      auto* old = json::find(before, {part, key});
      value = !old || *old == value ? "(hidden)" : "(hidden, another value)";
    }
  }
  return toYaml(tree);
}

QString pathOf(const api::ResourceInfo& info, const QString& ns, const QString& name) {
  auto encoded = [](const QString& s) { return QString::fromUtf8(QUrl::toPercentEncoding(s)); };
  auto text = [](const std::string& s) { return QString::fromStdString(s); };
  return ObjectRef{text(info.group), text(info.version), text(info.kind), text(info.plural),
                   info.namespaced ? encoded(ns) : QString(), encoded(name)}
      .path();
}

}  // namespace

struct ApplyModel::Target {
  QString path;
  std::string body;
};

QString whatWord(What what) {
  switch (what) {
    case What::Checking:
      return ApplyModel::tr("checking");
    case What::Make:
      return ApplyModel::tr("new");
    case What::Change:
      return ApplyModel::tr("changes");
    case What::Same:
      return ApplyModel::tr("no change");
    case What::Later:
      return ApplyModel::tr("new, checked later");
    case What::Load:
      return ApplyModel::tr("image archive");
    case What::Wrong:
      return ApplyModel::tr("wrong");
    case What::Applying:
      return ApplyModel::tr("applying");
    case What::Made:
      return ApplyModel::tr("made");
    case What::Changed:
      return ApplyModel::tr("changed");
    case What::AsItWas:
      return ApplyModel::tr("as it was");
    case What::Loaded:
      return ApplyModel::tr("loaded");
    case What::Failed:
      return ApplyModel::tr("failed");
    case What::LeftOut:
      return ApplyModel::tr("left out");
  }
  return {};
}

ApplyModel::ApplyModel(ClusterState* state, Actions* actions, QObject* parent)
    : QAbstractListModel(parent), state_(state), actions_(actions) {
  wait_.setSingleShot(true);
  wait_.setInterval(250);
  connect(&wait_, &QTimer::timeout, this, &ApplyModel::applyNext);
}
ApplyModel::~ApplyModel() = default;

void ApplyModel::read(std::shared_ptr<client::Client> client, std::shared_ptr<Executor> executor,
                      const QStringList& paths) {
  client_ = std::move(client);
  given_ = paths;
  phase_ = Phase::Reading;
  emit changed();
  QPointer<ApplyModel> self(this);
  auto work = [self, paths] {
    auto set = std::make_shared<ManifestSet>(readManifests(paths));
    onGui([self, set] {
      if (self) self->take(std::move(*set));
    });
  };
  // Without one (nothing is connected) the reading still happens, later on this thread.
  if (executor)
    executor->post(work);
  else
    onGui(work);
}

void ApplyModel::take(ManifestSet set) {
  beginResetModel();
  rows_.clear();
  for (auto& path : set.archives) {
    ApplyRow row;
    row.archive = path;
    row.what = What::Load;
    rows_.push_back(row);
  }
  for (auto& doc : set.docs) {
    ApplyRow row;
    row.doc = std::move(doc);
    rows_.push_back(std::move(row));
  }
  notes_ = set.notes;
  endResetModel();
  check();
}

void ApplyModel::setNamespace(const QString& ns) {
  if (ns == ns_ || phase_ == Phase::Applying) return;
  ns_ = ns;
  check();
}

void ApplyModel::send(const char* method, const QString& path, const std::string& body,
                      std::function<void(const Result<bj::value>&)> done) {
  const quint64 serial = ++serial_;
  QPointer<ApplyModel> self(this);
  auto answer = [self, serial, done](Result<std::string> text) {
    auto shared = std::make_shared<Result<bj::value>>(json::parsed(text));
    onGui([self, serial, done, shared] {
      if (!self) return;
      self->handles_.remove(serial);
      done(*shared);
    });
  };
  if (!client_) {
    answer(Status::unavailable(tr("not connected").toStdString()));
    return;
  }
  handles_[serial] = nullptr;
  auto handle = client_->raw(method, path.toStdString(), body, body.empty() ? "" : kApply, nullptr, answer);
  if (handles_.contains(serial)) handles_[serial] = std::move(handle);
}

// ---- what would happen

void ApplyModel::check() {
  if (phase_ == Phase::Applying) return;
  ++round_;
  next_ = open_ = 0;
  phase_ = Phase::Checking;
  for (int i = 0; i < int(rows_.size()); ++i) {
    auto& r = rows_[size_t(i)];
    r.takes.clear();
    r.diff = {};
    r.existed = false;
    if (!r.archive.isEmpty())
      set(i, What::Load, tr("is copied to the machines that need it"));
    else if (!r.doc.problem.isEmpty())
      set(i, What::Wrong, r.doc.problem);
    else
      set(i, What::Checking);
  }
  checkNext();
  emit changed();
}

void ApplyModel::checkNext() {
  while (phase_ == Phase::Checking && open_ < kAtOnce && next_ < int(rows_.size())) {
    const int row = next_++;
    if (rows_[size_t(row)].what == What::Checking) checkRow(row);
  }
  if (phase_ == Phase::Checking && open_ == 0 && next_ >= int(rows_.size())) {
    phase_ = Phase::Checked;
    emit changed();
  }
}

bool ApplyModel::comesWithTheSet(const ManifestDoc& doc) const {
  const QString group = doc.apiVersion.contains('/') ? doc.apiVersion.section('/', 0, 0) : QString();
  return std::any_of(rows_.begin(), rows_.end(), [&](auto& r) {
    return r.doc.kind == u"CustomResourceDefinition" && json::text(&r.doc.tree, {"spec", "group"}) == group &&
           json::text(&r.doc.tree, {"spec", "names", "kind"}) == doc.kind;
  });
}

bool ApplyModel::makesNamespace(const QString& ns) const {
  return std::any_of(rows_.begin(), rows_.end(), [&](auto& r) {
    return r.doc.kind == u"Namespace" && r.doc.name == ns && r.what != What::Wrong && r.what != What::Failed;
  });
}

QString ApplyModel::namespaceOf(const ManifestDoc& doc, bool namespaced) const {
  return !namespaced ? QString() : doc.ns.isEmpty() ? ns_ : doc.ns;
}

// False when its kind is not served; the row says so then.
bool ApplyModel::target(ApplyRow& row, Target& out) {
  auto& doc = row.doc;
  const QString group = doc.apiVersion.contains('/') ? doc.apiVersion.section('/', 0, 0) : QString();
  auto* info = client_ ? client_->registry().findKind(group.toStdString(), doc.apiVersion.section('/', -1).toStdString(),
                                                      doc.kind.toStdString())
                       : nullptr;
  if (!info) return false;
  const QString ns = namespaceOf(doc, info->namespaced);
  bj::value tree = doc.tree;
  auto& metadata = tree.get_object()["metadata"].get_object();
  if (info->namespaced) metadata["namespace"] = ns.toStdString();
  dropKept(metadata);  // files that were read from a cluster hold it, and an apply refuses it
  out.path = pathOf(*info, ns, doc.name);
  out.body = bj::serialize(tree);
  return true;
}

void ApplyModel::checkRow(int row) {
  Target t;
  auto& r = rows_[size_t(row)];
  if (!target(r, t)) {
    if (comesWithTheSet(r.doc))
      set(row, What::Later, tr("its kind comes with this set"));
    else
      set(row, What::Wrong, tr("the cluster knows no kind %1 of %2").arg(r.doc.kind, r.doc.apiVersion));
    return;
  }
  ++open_;
  send("GET", t.path, {}, [this, row, t, round = round_](const Result<bj::value>& live) {
    if (round != round_) return;
    if (!live.ok() && !live.status().isNotFound()) {
      --open_;
      refused(row, live.status());
      return checkNext();
    }
    dryRun(row, t, live.ok() ? std::optional<bj::value>(*live) : std::nullopt, false);
  });
}

void ApplyModel::dryRun(int row, const Target& t, std::optional<bj::value> live, bool force) {
  const QString path = t.path + QStringLiteral("?fieldManager=pilothouse&fieldValidation=Strict&dryRun=All") +
                       (force ? QStringLiteral("&force=true") : QString());
  send("PATCH", path, t.body, [this, row, live, force, round = round_](const Result<bj::value>& dry) {
    checked(row, round, live, dry, force);
  });
}

void ApplyModel::checked(int row, int round, std::optional<bj::value> live, const Result<bj::value>& dry, bool force) {
  if (round != round_) return;
  auto& r = rows_[size_t(row)];
  if (!dry.ok() && dry.status().code == 409 && !force) {
    // Others set fields of it. Said, and what comes of it if they are taken over.
    for (auto& c : dry.status().causes)
      r.takes << tr("%1 (%2)").arg(QString::fromStdString(c.field), QString::fromStdString(c.message));
    if (r.takes.isEmpty()) r.takes << QString::fromStdString(dry.status().message);
    Target t;
    if (target(r, t)) return dryRun(row, t, std::move(live), true);
  }
  --open_;
  if (!dry.ok()) {
    refused(row, dry.status());
    return checkNext();
  }
  r.existed = live.has_value();
  r.diff = diffTexts(live ? readable(*live) : QString(), readable(*dry, live ? &*live : nullptr), live ? 3 : -1);
  const QString note = r.takes.isEmpty() ? QString() : tr("takes over what others set: %1").arg(r.takes.join(QStringLiteral(", ")));
  set(row, !live ? What::Make : r.diff.same() ? What::Same : What::Change, note);
  checkNext();
}

void ApplyModel::refused(int row, const Status& status) {
  auto& r = rows_[size_t(row)];
  const QString ns = r.doc.ns.isEmpty() ? ns_ : r.doc.ns;
  if (status.isNotFound() && makesNamespace(ns)) return set(row, What::Later, tr("its namespace comes with this set"));
  if (status.isNotFound()) return set(row, What::Wrong, tr("there is no namespace %1").arg(ns));
  set(row, What::Wrong, Actions::explain(status));
}

// ---- the apply

void ApplyModel::apply() {
  if (phase_ != Phase::Checked) return;
  ++round_;
  phase_ = Phase::Applying;
  next_ = open_ = waited_ = 0;
  stop_ = false;
  for (int i = 0; i < int(rows_.size()); ++i) {
    if (rows_[size_t(i)].what == What::Wrong) set(i, What::LeftOut, rows_[size_t(i)].words);
  }
  emit changed();
  applyNext();
}

void ApplyModel::cancel() {
  stop_ = true;
  if (phase_ == Phase::Applying && open_ == 0) applyNext();
}

void ApplyModel::applyNext() {
  if (phase_ != Phase::Applying || open_ > 0) return;
  while (next_ < int(rows_.size()) && rows_[size_t(next_)].what == What::LeftOut) ++next_;
  if (stop_) {
    for (int i = next_; i < int(rows_.size()); ++i) set(i, What::LeftOut, tr("stopped before it"));
    next_ = int(rows_.size());
  }
  if (next_ >= int(rows_.size())) return finish();
  const int row = next_;
  auto& r = rows_[size_t(row)];
  set(row, What::Applying, r.words);
  emit changed();
  QPointer<ApplyModel> self(this);
  if (!r.archive.isEmpty()) {
    ++open_;
    ++next_;
    actions_->loadArchive(r.archive, [self, row](const Result<QStringList>& images) {
      if (!self) return;
      --self->open_;
      if (images.ok())
        self->set(row, What::Loaded, images->join(QStringLiteral(", ")));
      else
        self->set(row, What::Failed, Actions::explain(images.status()));
      self->applyNext();
    });
    return;
  }
  Target t;
  if (!target(r, t)) {
    // Its definition was just applied: the kind is served in a moment.
    waited_ += wait_.interval();
    if (waited_ <= kWaitForKindMs && comesWithTheSet(r.doc)) return wait_.start();
    ++next_;
    waited_ = 0;
    set(row, What::Failed, tr("the cluster knows no kind %1 of %2").arg(r.doc.kind, r.doc.apiVersion));
    return applyNext();
  }
  waited_ = 0;
  ++open_;
  ++next_;
  send("GET", t.path, {}, [this, row, t](const Result<bj::value>& live) {
    const bj::value before = live.ok() ? bare(*live) : bj::value();
    rows_[size_t(row)].existed = live.ok();
    send("PATCH", t.path + QStringLiteral("?fieldManager=pilothouse&fieldValidation=Strict&force=true"), t.body,
         [this, row, before](const Result<bj::value>& answer) { applied(row, answer, before); });
  });
}

void ApplyModel::applied(int row, const Result<bj::value>& answer, const bj::value& before) {
  --open_;
  auto& r = rows_[size_t(row)];
  if (!answer.ok()) {
    set(row, What::Failed, Actions::explain(answer.status()));
  } else if (!r.existed) {
    set(row, What::Made);
  } else {
    set(row, bare(*answer) == before ? What::AsItWas : What::Changed);
  }
  applyNext();
}

void ApplyModel::finish() {
  phase_ = Phase::Done;
  const int failed = count(What::Failed);
  emit actions_->finished(tr("Apply %n object(s)", nullptr, int(rows_.size())), command(), failed == 0,
                          failed ? tr("%n of them failed.", nullptr, failed) : QString());
  emit changed();
}

void ApplyModel::set(int row, What what, const QString& words) {
  auto& r = rows_[size_t(row)];
  r.what = what;
  r.words = words;
  emit dataChanged(index(row), index(row));
}

int ApplyModel::count(What what) const {
  return int(std::count_if(rows_.begin(), rows_.end(), [&](auto& r) { return r.what == what; }));
}
int ApplyModel::settled() const {
  return int(std::count_if(rows_.begin(), rows_.end(), [](auto& r) { return r.what > What::Applying; }));
}

QString ApplyModel::summary() const {
  QStringList parts;
  auto add = [&](What what, auto text) {
    if (const int n = count(what)) parts << text(n);
  };
  switch (phase_) {
    case Phase::Reading:
      return tr("Reading…");
    case Phase::Checking:
      return tr("Asking the cluster what would change…");
    case Phase::Applying:
      return tr("Applying: %1 of %2 done.").arg(settled()).arg(rows_.size());
    default:
      break;
  }
  add(What::Make, [](int n) { return tr("%n new", nullptr, n); });
  add(What::Later, [](int n) { return tr("%n new, checked as they are made", nullptr, n); });
  add(What::Change, [](int n) { return tr("%n to change", nullptr, n); });
  add(What::Same, [](int n) { return tr("%n as they are", nullptr, n); });
  add(What::Load, [](int n) { return tr("%n image archive(s)", nullptr, n); });
  add(What::Wrong, [](int n) { return tr("%n wrong", nullptr, n); });
  add(What::Made, [](int n) { return tr("%n made", nullptr, n); });
  add(What::Changed, [](int n) { return tr("%n changed", nullptr, n); });
  add(What::AsItWas, [](int n) { return tr("%n as they were", nullptr, n); });
  add(What::Loaded, [](int n) { return tr("%n image archive(s) loaded", nullptr, n); });
  add(What::Failed, [](int n) { return tr("%n failed", nullptr, n); });
  add(What::LeftOut, [](int n) { return tr("%n left out", nullptr, n); });
  return parts.isEmpty() ? tr("There is no object in it.") : parts.join(QStringLiteral(", ")) + '.';
}

QString ApplyModel::command() const {
  QString line = QStringLiteral("kubectl apply --server-side");
  if (std::any_of(rows_.begin(), rows_.end(), [](auto& r) { return !r.takes.isEmpty(); }))
    line += QStringLiteral(" --force-conflicts");
  if (ns_ != u"default") line += QStringLiteral(" -n ") + ns_;
  for (auto& path : given_) {
    if (isImageArchive(path)) continue;
    const QString name = QFileInfo(path).fileName() + (QFileInfo(path).isDir() ? QStringLiteral("/") : QString());
    line += QStringLiteral(" -f ") + (name.contains(' ') ? '\'' + name + '\'' : name);
  }
  return line;
}

int ApplyModel::rowCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : int(rows_.size());
}

QVariant ApplyModel::data(const QModelIndex& index, int role) const {
  if (!index.isValid() || index.row() >= rowCount()) return {};
  auto& r = rows_[size_t(index.row())];
  const bool archive = !r.archive.isEmpty();
  switch (role) {
    case Qt::DisplayRole:
      return archive ? QFileInfo(r.archive).fileName() : r.doc.name.isEmpty() ? r.doc.file : r.doc.name;
    case WhatRole:
      return whatWord(r.what);
    case WordsRole:
      return r.what == What::Wrong && r.doc.problemLine > 0 ? tr("line %1 %2").arg(r.doc.problemLine).arg(r.words)
                                                            : r.words;
    case KindRole:
      return archive ? tr("Image archive") : r.doc.kind;
    case PlaceRole:
      return archive ? QFileInfo(r.archive).fileName()
                     : QStringLiteral("%1:%2").arg(r.doc.file).arg(r.doc.problemLine > 0 ? r.doc.problemLine : r.doc.line);
    case NamespaceRole:
      return r.doc.ns;
    case ToneRole:
      switch (r.what) {
        case What::Wrong:
        case What::Failed:
          return int(Tone::Error);
        case What::Change:
        case What::LeftOut:
          return int(Tone::Warn);
        case What::Make:
        case What::Made:
        case What::Changed:
        case What::Loaded:
          return int(Tone::Ok);
        case What::Applying:
        case What::Later:
        case What::Load:
          return int(Tone::Info);
        default:
          return int(Tone::Plain);
      }
    case Qt::AccessibleTextRole:
      return QStringList{r.doc.kind, data(index, Qt::DisplayRole).toString(), whatWord(r.what), r.words}.join(' ');
    default:
      return {};
  }
}

}  // namespace ph::models
