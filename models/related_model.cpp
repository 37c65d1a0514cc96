#include "models/related_model.h"

#include <QPointer>
#include <algorithm>

#include "engine/base/executor.h"
#include "engine/client/client.h"
#include "models/gui_thread.h"
#include "models/json_read.h"
#include "models/path_watch.h"

namespace ph::models {

namespace {
enum Group { OwnedBy, Owns, Services, Uses, RunsOn, UsedBy, Groups };
constexpr int kMaxDepth = 6;  // of owners' owners
}  // namespace

// One look around: questions and what they have answered so far.
struct RelatedModel::Round {
  ObjectRef ref;
  boost::json::value tree;
  std::vector<std::shared_ptr<void>> calls;
  int open = 0;
  bool first = true;  // the object itself was not there
  QList<RelatedRow> rows[Groups];
  QString problem;
};

RelatedModel::RelatedModel(Session* session, QObject* parent) : QObject(parent), session_(session) {
  again_.setInterval(kRefreshMs);
  connect(&again_, &QTimer::timeout, this, &RelatedModel::refresh);
  connect(session, &Session::connectionChanged, this, [this] {
    if (!session_->client()) stop();
  });
}

RelatedModel::~RelatedModel() = default;

void RelatedModel::stop() {
  again_.stop();
  round_.reset();
  subject_ = {};
  phase_ = Phase::Idle;
}

void RelatedModel::show(const Subject& subject) {
  if (subject == subject_) return;
  subject_ = subject;
  groups_.clear();
  round_.reset();
  problem_.clear();
  phase_ = session_->client() ? Phase::Loading : Phase::Offline;
  emit changed();
  if (!subject || !session_->client()) return;
  again_.start();
  refresh();
}

void RelatedModel::ask(const std::shared_ptr<Round>& round, const QString& path, const char* accept,
                       std::function<void(const boost::json::value&)> then, std::function<void()> missing) {
  ++round->open;
  std::weak_ptr<Round> weak = round;
  QPointer<RelatedModel> self(this);
  round->calls.push_back(session_->client()->raw(
      "GET", path.toStdString(), {}, accept, nullptr, [self, weak, then, missing](Result<std::string> r) {
        auto tree = std::make_shared<boost::json::value>();
        const bool there = r.ok();
        const bool notFound = !there && r.status().isNotFound();
        QString problem = there || notFound ? QString() : QString::fromStdString(r.status().message);
        if (there) {
          boost::system::error_code failed;
          *tree = boost::json::parse(*r, failed);
        }
        onGui([self, weak, then, missing, tree, there, notFound, problem] {
          auto round = weak.lock();
          if (!self || !round || round != self->round_) return;
          if (there)
            then(*tree);
          else if (notFound && missing)
            missing();
          if (!problem.isEmpty()) round->problem = problem;
          if (--round->open == 0) self->finish(round);
        });
      }));
}

void RelatedModel::refresh() {
  if (!session_->client() || !subject_) return;
  if (round_) return;  // the last one is still under way
  auto round = round_ = std::make_shared<Round>();
  round->ref = refOf(session_->state, subject_);
  std::weak_ptr<Round> weak = round;
  ask(round, round->ref.path(), "", [this, weak](const boost::json::value& tree) {
    auto round = weak.lock();
    round->tree = tree;
    // As a list would leave it out, it is set for all.
    if (auto* o = round->tree.if_object()) o->insert_or_assign("kind", round->ref.kind.toStdString());
    askOwners(round, round->tree, round->ref.ns, 0);
    askOwned(round);
    addPods(*round);
    addServices(*round);
    addUses(round);
    addUsers(round);
  });
}

void RelatedModel::askOwners(const std::shared_ptr<Round>& round, const boost::json::value& tree, const QString& ns,
                             int depth) {
  for (auto& o : json::list(&tree, {"metadata", "ownerReferences"})) {
    const QString version = json::text(&o, {"apiVersion"}), kind = json::text(&o, {"kind"});
    const QString group = version.contains('/') ? version.section('/', 0, 0) : QString();
    auto* info = session_->client()->registry().findKind(group.toStdString(), version.section('/', -1).toStdString(),
                                                         kind.toStdString());
    RelatedRow row;
    row.ref = {group, version.section('/', -1), kind, info ? QString::fromStdString(info->plural) : QString(),
               info && !info->namespaced ? QString() : ns, json::text(&o, {"name"})};
    if (json::flag(&o, {"controller"})) row.detail = tr("keeps it");
    round->rows[OwnedBy] << row;
    if (!info || depth >= kMaxDepth) continue;
    std::weak_ptr<Round> weak = round;
    const ObjectRef ref = row.ref;
    ask(round, ref.path(), "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io",
        [this, weak, ref, depth](const boost::json::value& owner) {
          if (auto round = weak.lock()) askOwners(round, owner, ref.ns, depth + 1);
        },
        [weak, ref] {
          auto round = weak.lock();
          for (auto& r : round->rows[OwnedBy]) {
            if (r.ref == ref) r.missing = true;
          }
        });
  }
}

void RelatedModel::askOwned(const std::shared_ptr<Round>& round) {
  const QString kind = round->ref.kind;
  static const KindRef sets{"apps", "v1", "ReplicaSet", "replicasets"}, revisions{"apps", "v1", "ControllerRevision", "controllerrevisions"},
      jobs{"batch", "v1", "Job", "jobs"}, slices{"discovery.k8s.io", "v1", "EndpointSlice", "endpointslices"};
  static const QHash<QString, QList<KindRef>> known{{"Deployment", {sets}},       {"StatefulSet", {revisions}}, {"DaemonSet", {revisions}},
                                                    {"CronJob", {jobs}},          {"Service", {slices}},        {"Pod", {}},
                                                    {"Node", {}},                 {"ReplicaSet", {}},           {"Job", {}},
                                                    {"ConfigMap", {}},            {"Secret", {}},               {"PersistentVolumeClaim", {}},
                                                    {"Namespace", {}},            {"Event", {}},                {"EndpointSlice", {}},
                                                    {"Machine", {{{}, "v1", "Node", "nodes", false}}}};
  QList<KindRef> kinds;
  if (auto it = known.find(kind); it != known.end()) {
    kinds = *it;
  } else {
    // Anything may own anything: what operators make most, and all custom kinds.
    kinds = {sets, jobs, coreKind("Service"), coreKind("ConfigMap"), coreKind("Secret"), coreKind("PersistentVolumeClaim"),
             {"apps", "v1", "Deployment", "deployments"}, {"apps", "v1", "StatefulSet", "statefulsets"},
             {"apps", "v1", "DaemonSet", "daemonsets"}};
    for (auto* info : session_->client()->registry().all()) {
      if (info->builtin || !info->storedVersion || kinds.size() > 60) continue;
      kinds.append({QString::fromStdString(info->group), QString::fromStdString(info->version), QString::fromStdString(info->kind),
                    QString::fromStdString(info->plural), info->namespaced});
    }
  }
  const std::string uid(json::view(&round->tree, {"metadata", "uid"}));
  std::weak_ptr<Round> weak = round;
  for (auto& k : kinds) {
    ask(round, k.path(k.namespaced ? round->ref.ns : QString()), kAsMetadata, [weak, k, uid](const boost::json::value& list) {
      auto round = weak.lock();
      for (auto& item : json::list(&list, {"items"})) {
        for (auto& o : json::list(&item, {"metadata", "ownerReferences"})) {
          if (json::view(&o, {"uid"}) != uid) continue;
          round->rows[Owns] << RelatedRow{ObjectRef::of(k, json::text(&item, {"metadata", "namespace"}), json::text(&item, {"metadata", "name"}))};
        }
      }
    });
  }
}

// Pods are known here already: those that it owns, and those that run on it.
void RelatedModel::addPods(Round& round) {
  auto& state = session_->state;
  const std::string uid(json::view(&round.tree, {"metadata", "uid"}));
  const bool node = round.ref.kind == u"Node" || round.ref.kind == u"Machine";
  auto add = [&](const PodFacts& pod) {
    round.rows[Owns] << RelatedRow{ObjectRef::of(coreKind("Pod"), pod.ns, pod.name), words::podState(pod.state), words::podTone(pod.state)};
  };
  if (node) {
    QString name = round.ref.name;
    if (auto* m = state.machine(name); m && !m->node.isEmpty()) name = m->node;
    for (auto& key : state.podsOnNode(name)) add(*state.pod(key));
    return;
  }
  if (round.ref.kind == u"Service") {
    Labels selector;
    if (auto it = state.services().find(round.ref.ns + '/' + round.ref.name); it != state.services().end()) selector = it->second.selector;
    if (selector.isEmpty()) return;
    for (auto& [key, pod] : state.pods()) {
      if (pod.ns == round.ref.ns && std::all_of(selector.begin(), selector.end(), [&](auto& t) { return pod.labels.contains(t); })) add(pod);
    }
    return;
  }
  const bool mayOwn = round.ref.kind == u"ReplicaSet" || round.ref.kind == u"StatefulSet" || round.ref.kind == u"DaemonSet" ||
                      round.ref.kind == u"Job" || !round.ref.group.isEmpty();
  if (!mayOwn || round.ref.kind == u"Deployment") return;
  for (auto& [key, pod] : state.pods()) {
    if (pod.ns != round.ref.ns || !pod.object) continue;
    for (auto& o : pod.object->meta().owners) {
      if (o.uid == uid) add(pod);
    }
  }
}

void RelatedModel::addServices(Round& round) {
  const auto* labels = round.ref.kind == u"Pod" ? json::find(&round.tree, {"metadata", "labels"})
                                                 : json::find(&round.tree, {"spec", "template", "metadata", "labels"});
  if (!labels) return;
  for (auto& [key, s] : session_->state.services()) {
    if (s.ns != round.ref.ns || s.selector.isEmpty()) continue;
    const bool fits = std::all_of(s.selector.begin(), s.selector.end(), [&](auto& t) {
      return json::text(labels, {t.first.toStdString()}) == t.second;
    });
    if (!fits) continue;
    QStringList ports;
    for (auto& p : s.ports) ports << QString::number(p.port);
    round.rows[Services] << RelatedRow{ObjectRef::of(coreKind("Service"), s.ns, s.name), tr("port %1").arg(ports.join(QStringLiteral(", ")))};
  }
}

void RelatedModel::addUses(const std::shared_ptr<Round>& round) {
  std::weak_ptr<Round> weak = round;
  auto name = [&](const ObjectRef& ref, const QString& how, bool optional) {
    round->rows[Uses] << RelatedRow{ref, how};
    // Whether it is there.
    ask(round, ref.path(), "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io", [](const boost::json::value&) {},
        [weak, ref, optional] {
          for (auto& r : weak.lock()->rows[Uses]) {
            if (!(r.ref == ref)) continue;
            r.missing = true;
            r.tone = optional ? Tone::Plain : Tone::Error;
            r.detail = optional ? tr("missing, not needed") : tr("missing");
          }
        });
  };
  for (auto& use : usesOf(podSpecOf(round->tree))) name(ObjectRef::of(coreKind(use.kind), round->ref.ns, use.name), use.how, use.optional);
  const auto* spec = json::find(&round->tree, {"spec"});
  if (round->ref.kind == u"Pod") {
    if (const QString node = json::text(spec, {"nodeName"}); !node.isEmpty())
      round->rows[RunsOn] << RelatedRow{ObjectRef::of(coreKind("Node"), {}, node)};
  } else if (round->ref.kind == u"PersistentVolumeClaim") {
    if (const QString volume = json::text(spec, {"volumeName"}); !volume.isEmpty())
      name(ObjectRef::of(coreKind("PersistentVolume"), {}, volume), tr("bound to"), false);
  } else if (round->ref.kind == u"PersistentVolume") {
    if (const QString claim = json::text(spec, {"claimRef", "name"}); !claim.isEmpty())
      round->rows[UsedBy] << RelatedRow{ObjectRef::of(coreKind("PersistentVolumeClaim"), json::text(spec, {"claimRef", "namespace"}), claim)};
  } else if (round->ref.kind == u"Ingress") {
    for (auto& rule : json::list(spec, {"rules"})) {
      for (auto& p : json::list(&rule, {"http", "paths"})) {
        if (const QString s = json::text(&p, {"backend", "service", "name"}); !s.isEmpty())
          name(ObjectRef::of(coreKind("Service"), round->ref.ns, s), json::text(&rule, {"host"}) + json::text(&p, {"path"}), false);
      }
    }
    for (auto& t : json::list(spec, {"tls"})) {
      if (const QString s = json::text(&t, {"secretName"}); !s.isEmpty()) name(ObjectRef::of(coreKind("Secret"), round->ref.ns, s), tr("TLS"), false);
    }
  }
}

// Which pods name it: their specs are searched on the executor.
void RelatedModel::addUsers(const std::shared_ptr<Round>& round) {
  static const QStringList kinds{"ConfigMap", "Secret", "PersistentVolumeClaim", "ServiceAccount"};
  if (!kinds.contains(round->ref.kind) || !round->ref.group.isEmpty()) return;
  std::vector<api::ObjectPtr> pods;
  for (auto& [key, pod] : session_->state.pods()) {
    if (pod.ns == round->ref.ns && pod.object) pods.push_back(pod.object);
  }
  if (pods.empty()) return;
  ++round->open;
  session_->executor()->post([self = QPointer<RelatedModel>(this), weak = std::weak_ptr<Round>(round), pods = std::move(pods),
                              kind = round->ref.kind, name = round->ref.name] {
    const std::string quoted = '"' + name.toStdString() + '"';
    QHash<QString, QString> found;  // key -> how
    for (auto& pod : pods) {
      if (pod->stored().find(quoted) == std::string::npos) continue;
      boost::system::error_code failed;
      const auto tree = boost::json::parse(pod->stored(), failed);
      if (failed) continue;
      for (auto& use : usesOf(json::find(&tree, {"spec"}))) {
        if (use.kind == kind && use.name == name) found[QString::fromStdString(pod->key())] = use.how;
      }
    }
    onGui([self, weak, found] {
      auto round = weak.lock();
      if (!self || !round || round != self->round_) return;
      for (auto it = found.begin(); it != found.end(); ++it)
        round->rows[UsedBy] << RelatedRow{ObjectRef::of(coreKind("Pod"), it.key().section('/', 0, 0), it.key().section('/', 1)), *it};
      if (--round->open == 0) self->finish(round);
    });
  });
}

void RelatedModel::finish(const std::shared_ptr<Round>& round) {
  const QString titles[Groups] = {tr("Belongs to"), tr("Owns"), tr("Reached through"), tr("Uses"), tr("Runs on"), tr("Used by")};
  QList<RelatedGroup> groups;
  for (int g = 0; g < Groups; ++g) {
    auto& rows = round->rows[g];
    if (rows.isEmpty()) continue;
    if (g != OwnedBy) {
      std::sort(rows.begin(), rows.end(), [](auto& a, auto& b) {
        return std::tuple(a.ref.kind != u"ReplicaSet", a.ref.kind, a.ref.ns, a.ref.name) < std::tuple(b.ref.kind != u"ReplicaSet", b.ref.kind, b.ref.ns, b.ref.name);
      });
    }
    const int more = std::max<int>(0, int(rows.size()) - kMaxRows);
    groups.append({g == Owns && (round->ref.kind == u"Node" || round->ref.kind == u"Machine") ? tr("Runs here")
                   : g == Owns && round->ref.kind == u"Service" ? tr("Leads to") : titles[g],
                   rows.mid(0, kMaxRows), more});
  }
  round_.reset();
  problem_ = round->problem;
  const Phase phase = problem_.isEmpty() || !groups.isEmpty() ? Phase::Ready : Phase::Offline;
  if (groups == groups_ && phase == phase_) return;
  groups_ = std::move(groups);
  phase_ = phase;
  emit changed();
}

}  // namespace ph::models
