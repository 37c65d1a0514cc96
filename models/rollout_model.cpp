#include "models/rollout_model.h"

#include <QCoreApplication>
#include <QPointer>
#include <QRegularExpression>
#include <algorithm>

#include "engine/client/client.h"
#include "models/actions.h"
#include "models/gui_thread.h"
#include "models/json_read.h"
#include "models/yaml_text.h"

namespace ph::models {

namespace {

namespace bj = boost::json;

struct Rollouts {
  Q_DECLARE_TR_FUNCTIONS(Rollouts)
};

constexpr const char* kHash = "pod-template-hash";

QStringList imagesOf(const bj::value& podTemplate) {
  QStringList out;
  for (auto& c : json::list(&podTemplate, {"spec", "containers"})) out << json::text(&c, {"image"});
  return out;
}

// A ReplicaSet's template without what the Deployment's controller put into it.
bj::value templateOf(const bj::value& owner) {
  const bj::value* found = json::find(&owner, {"spec", "template"});
  bj::value out = found ? *found : bj::value(bj::object{});
  auto* metadata = out.if_object() ? out.get_object().if_contains("metadata") : nullptr;
  if (!metadata || !metadata->is_object()) return out;
  metadata->get_object().stable_erase("creationTimestamp");
  auto* labels = metadata->get_object().if_contains("labels");
  if (labels && labels->is_object()) labels->get_object().stable_erase(kHash);
  return out;
}

bool ownedBy(const api::Object& object, const std::string& uid) {
  for (auto& o : object.meta().owners) {
    if (o.uid == uid) return true;
  }
  return false;
}

Revision ofReplicaSet(const api::Object& set) {
  const bj::value tree = set.tree();
  Revision r;
  r.number = json::text(&tree, {"metadata", "annotations", "deployment.kubernetes.io/revision"}).toLongLong();
  r.cause = json::text(&tree, {"metadata", "annotations", "kubernetes.io/change-cause"});
  r.pods = int(json::number(&tree, {"status", "replicas"}));
  r.podTemplate = templateOf(tree);
  return r;
}

Revision ofControllerRevision(const api::Object& kept) {
  const bj::value tree = kept.tree();
  Revision r;
  r.number = json::number(&tree, {"revision"});
  r.cause = json::text(&tree, {"metadata", "annotations", "kubernetes.io/change-cause"});
  if (auto* data = json::find(&tree, {"data"})) r.podTemplate = templateOf(*data);
  if (auto* o = r.podTemplate.if_object()) o->stable_erase("$patch");
  return r;
}

}  // namespace

RolloutState rolloutState(const WorkloadFacts& w) {
  RolloutState s;
  s.wanted = w.wanted;
  s.updated = std::min(w.updated, w.wanted);
  s.ready = w.ready;
  s.old = std::max(0, w.total - w.updated);
  // Each copy counts half when it is of the new version, and wholly when that serves.
  const int serving = std::min({w.updated, w.available, w.wanted});
  s.part = w.wanted > 0 ? (0.5 * s.updated + 0.5 * serving) / w.wanted : 1;
  s.done = w.settled && w.updated >= w.wanted && w.available >= w.wanted && s.old == 0;
  if (s.done) s.part = 1;
  if (w.paused) {
    s.tone = Tone::Warn;
    s.sentence = s.old > 0 ? Rollouts::tr("Paused between two versions: %1 new, %2 old. Resume to go on.")
                                 .arg(s.updated)
                                 .arg(s.old)
                           : Rollouts::tr("Paused: changes wait until it is resumed.");
  } else if (!w.problem.isEmpty() && !s.done) {
    s.tone = Tone::Error;
    s.sentence = Rollouts::tr("Stuck: %1").arg(w.problem);
  } else if (s.done) {
    s.tone = Tone::Ok;
    s.sentence = w.wanted == 0 ? Rollouts::tr("No copies are wanted.")
                               : Rollouts::tr("All %n run the newest version.", nullptr, w.wanted);
  } else if (!w.settled) {
    s.tone = Tone::Info;
    s.sentence = Rollouts::tr("The change is noted; its first pods come next.");
  } else if (s.updated < w.wanted) {
    s.tone = Tone::Info;
    s.sentence = Rollouts::tr("%1 of %2 are of the new version; old ones serve meanwhile.")
                     .arg(s.updated)
                     .arg(w.wanted);
  } else if (s.old > 0) {
    s.tone = Tone::Info;
    s.sentence = Rollouts::tr("All new ones are there; %n old one(s) are on the way out.", nullptr, s.old);
  } else {
    s.tone = Tone::Info;
    s.sentence =
        Rollouts::tr("%1 of %2 serve; the others are starting.").arg(std::min(w.available, w.wanted)).arg(w.wanted);
  }
  return s;
}

QList<ContainerImage> containersOf(const WorkloadFacts& w) {
  QList<ContainerImage> out;
  if (!w.object) return out;
  const bj::value tree = w.object->tree();
  const bj::value* spec = json::find(&tree, {"spec", "template", "spec"});
  for (auto& c : json::list(spec, {"containers"}))
    out.append({json::text(&c, {"name"}), json::text(&c, {"image"}), false});
  for (auto& c : json::list(spec, {"initContainers"}))
    out.append({json::text(&c, {"name"}), json::text(&c, {"image"}), true});
  return out;
}

QString imageProblem(const QString& image) {
  // [HOST[:PORT]/]PATH[:TAG][@sha256:HEX]
  static const QRegularExpression form(QStringLiteral(
      "^(?:(?:[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?)(?::[0-9]{1,5})?/)?"
      "[a-z0-9]+(?:(?:\\.|_{1,2}|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\\.|_{1,2}|-+)[a-z0-9]+)*)*"
      "(?::[A-Za-z0-9_][A-Za-z0-9._-]{0,127})?(?:@sha256:[a-f0-9]{64})?$"));
  if (image.isEmpty()) return Rollouts::tr("Name an image.");
  if (!form.match(image).hasMatch()) return Rollouts::tr("Not an image's name. For example: shop/web:2.4");
  return {};
}

RolloutModel::RolloutModel(ClusterState* state, QObject* parent) : QAbstractListModel(parent), state_(state) {
  // A rollout changes its workload many times a second; its revisions are asked for less often.
  again_.setSingleShot(true);
  again_.setInterval(300);
  connect(&again_, &QTimer::timeout, this, &RolloutModel::ask);
  connect(state, &ClusterState::changed, this, [this](const ChangeSet& changes) {
    for (auto& c : changes.workloads) {
      if (c.any().key == app_ && !again_.isActive()) again_.start();
    }
  });
}

void RolloutModel::follow(std::shared_ptr<client::Client> client, const QString& app) {
  client_ = std::move(client);
  if (app != app_) take({});
  app_ = app;
  reading_ = State::Loading;
  problem_.clear();
  ask();
}

void RolloutModel::ask() {
  auto* w = state_->workload(app_);
  if (!w || !w->object) return;
  const bool deployment = w->kind == u"Deployment";
  auto* info = client_ ? client_->registry().find("apps", "v1", deployment ? "replicasets" : "controllerrevisions")
                       : nullptr;
  if (!info) {
    reading_ = State::Failed;
    problem_ = tr("Not connected.");
    emit loaded();
    return;
  }
  client::ListOptions options;
  options.ns = w->ns.toStdString();
  QStringList labels;
  for (auto& [key, value] : w->selector) labels << key + '=' + value;
  options.labelSelector = labels.join(',').toStdString();
  const int question = ++question_;
  QPointer<RolloutModel> self(this);
  client_->list(*info, options,
                [self, question, deployment, uid = w->object->uid()](Result<client::ListResult> r) {
                  std::vector<Revision> found;
                  QString problem;
                  if (!r.ok()) problem = Actions::explain(r.status());
                  for (auto& object : r.ok() ? r->items : std::vector<client::ObjectPtr>()) {
                    if (!ownedBy(*object, uid)) continue;
                    Revision one = deployment ? ofReplicaSet(*object) : ofControllerRevision(*object);
                    one.name = QString::fromStdString(object->name());
                    one.created = std::chrono::duration_cast<std::chrono::milliseconds>(
                                      object->meta().created.time_since_epoch())
                                      .count();
                    one.images = imagesOf(one.podTemplate);
                    found.push_back(std::move(one));
                  }
                  onGui([self, question, problem, found = std::move(found)]() mutable {
                    if (!self || question != self->question_) return;
                    self->problem_ = problem;
                    self->reading_ = problem.isEmpty() ? State::Ready : State::Failed;
                    if (problem.isEmpty()) self->take(std::move(found));
                    emit self->loaded();
                  });
                });
}

void RolloutModel::take(std::vector<Revision> revisions) {
  std::sort(revisions.begin(), revisions.end(), [](auto& a, auto& b) { return a.number > b.number; });
  if (!revisions.empty()) revisions.front().current = true;
  bool same = revisions.size() == revisions_.size();
  for (size_t i = 0; same && i < revisions.size(); ++i)
    same = revisions[i].name == revisions_[i].name && revisions[i].number == revisions_[i].number;
  if (same) {
    revisions_ = std::move(revisions);
    if (!revisions_.empty()) emit dataChanged(index(0), index(int(revisions_.size()) - 1));
    return;
  }
  beginResetModel();
  revisions_ = std::move(revisions);
  endResetModel();
}

int RolloutModel::currentRow() const {
  for (size_t i = 0; i < revisions_.size(); ++i) {
    if (revisions_[i].current) return int(i);
  }
  return -1;
}

TextDiff RolloutModel::diff(int row) const {
  const int current = currentRow();
  if (row < 0 || row >= rowCount() || current < 0) return {};
  auto& now = revisions_[size_t(current)].podTemplate;
  return diffTexts(toYaml(now), toYaml(orderedLike(revisions_[size_t(row)].podTemplate, now)));
}

int RolloutModel::rowCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : int(revisions_.size());
}

QVariant RolloutModel::data(const QModelIndex& index, int role) const {
  if (!index.isValid() || index.row() >= rowCount()) return {};
  auto& r = revisions_[size_t(index.row())];
  switch (role) {
    case Qt::DisplayRole:
      return tr("Revision %1").arg(r.number);
    case NumberRole:
      return qint64(r.number);
    case ImagesRole:
      return r.images;
    case CreatedRole:
      return qint64(r.created);
    case CauseRole:
      return r.cause;
    case CurrentRole:
      return r.current;
    case PodsRole:
      return r.pods;
    case Qt::AccessibleTextRole:
      return tr("Revision %1, %2%3")
          .arg(r.number)
          .arg(r.images.join(QStringLiteral(", ")), r.current ? tr(", the current one") : QString());
    default:
      return {};
  }
}

}  // namespace ph::models
