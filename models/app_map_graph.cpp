// AppMapModel: one application's graph, and its health in one tone and one sentence.
#include <algorithm>
#include <unordered_map>

#include "models/app_map_model.h"
#include "models/json_read.h"

namespace ph::models {

using Kind = AppPart::Kind;

namespace {

bool selects(const Labels& selector, const Labels& labels) {
  return !selector.isEmpty() && std::all_of(selector.begin(), selector.end(), [&](auto& t) { return labels.contains(t); });
}

// The ReplicaSet that a pod belongs to, in UTF-8: what its owner says, or, of a Deployment's, its name without the last
// part. Empty for none.
std::string setOf(const PodFacts& pod) {
  if (pod.object) {
    auto* owner = pod.object->meta().controller();
    return owner && owner->kind == "ReplicaSet" ? owner->name : std::string();
  }
  return pod.app.startsWith(u"Deployment/") ? pod.name.left(pod.name.lastIndexOf('-')).toStdString() : std::string();
}

AppEntry entry(const QString& kind, const Subject& subject, const QString& name, const QString& detail, Tone tone) {
  return {subject, kind, name, detail, tone, false};
}

Subject ingress(const AppPart& p) {
  return ObjectRef{"networking.k8s.io", "v1", "Ingress", "ingresses", p.ns, p.name}.subject();
}

// Whether that is the ReplicaSet of this name; `name` is the same as `utf8`. Asked of each pod at each change.
bool isOf(const PodFacts& pod, const QString& name, const std::string& utf8) {
  if (!pod.object) return pod.name.startsWith(name) && (name.isEmpty() || pod.name.lastIndexOf('-') == name.size());
  auto* owner = pod.object->meta().controller();
  return (owner && owner->kind == "ReplicaSet") ? owner->name == utf8 : utf8.empty();
}

// By name into the holes, then behind.
void addTiles(std::vector<AppTile>& tiles, std::vector<AppTile> fresh) {
  std::sort(fresh.begin(), fresh.end(), [](auto& a, auto& b) { return a.pod < b.pod; });
  size_t hole = 0;
  for (auto& tile : fresh) {
    while (hole < tiles.size() && !tiles[hole].pod.isEmpty()) ++hole;
    if (hole == tiles.size()) tiles.emplace_back();
    tiles[hole] = std::move(tile);
  }
}

}  // namespace

const AppPart* AppMapModel::workloadPart(const AppGraph& g) const {
  static const QHash<QString, Kind> kinds{{"StatefulSet", Kind::StatefulSet}, {"DaemonSet", Kind::DaemonSet}, {"Job", Kind::Job},
                                          {"ReplicaSet", Kind::ReplicaSet}};
  auto kind = kinds.constFind(g.kind);
  return kind == kinds.constEnd() ? nullptr : part(*kind, g.ns + '/' + g.name);
}

AppGraph AppMapModel::graph(const QString& key, const AppGraph* before) {
  auto& state = session_->state;
  AppGraph g;
  g.key = key;
  g.name = appName(key);
  g.ns = appNamespace(key);
  g.kind = appKind(key);
  if (const int app = session_->map.appIndex(key); app >= 0) g.color = session_->map.apps()[size_t(app)].color;
  g.workload.kind = g.kind;
  g.workload.name = g.name;
  const WorkloadFacts* w = state.workload(key);
  const AppPart* p = w ? nullptr : workloadPart(g);
  if (g.kind == u"Pod")
    g.workload.subject = {Subject::Kind::Pod, g.ns + '/' + g.name};
  else
    g.workload.subject = w ? Subject{Subject::Kind::App, key} : refOf(state, {Subject::Kind::App, key}).subject();
  Labels labels;
  if (w) {
    g.wanted = w->wanted;
    labels = w->selector;
    if (w->paused)
      g.workload.detail = tr("paused");
    else if (w->revision > 0)
      g.workload.detail = tr("revision %1").arg(w->revision);
  } else if (p) {
    g.wanted = p->wanted;
    labels = p->labels;
  }
  addSets(g, before);
  for (auto& set : g.sets) g.ready += set.ready;
  if (!w && !p) g.wanted = int(state.podsOfApp(key).size());
  if (auto* pod = samplePod(g)) labels = pod->labels;
  addEntrances(g, labels);
  addUses(g, usesOfTemplate(key));
  judge(g, w, p);
  fit(g);
  return g;
}

const QList<PodUse>& AppMapModel::usesOfTemplate(const QString& key) {
  static const QList<PodUse> none;
  auto& state = session_->state;
  api::ObjectPtr object;
  if (auto* w = state.workload(key))
    object = w->object;
  else if (auto* pod = appKind(key) == u"Pod" ? state.pod(key.section('/', 1)) : nullptr)
    object = pod->object;
  if (!object) {
    AppGraph g;
    g.kind = appKind(key);
    g.ns = appNamespace(key);
    g.name = appName(key);
    const AppPart* p = workloadPart(g);
    return p ? p->uses : none;
  }
  Template& known = templates_[key];
  if (known.object == object) return known.uses;
  known = {object, {}};
  boost::system::error_code failed;
  const auto tree = boost::json::parse(object->stored(), failed);
  // What the engine itself has stored parses.
  if (!failed) known.uses = usesOf(appKind(key) == u"Pod" ? json::find(&tree, {"spec"}) : json::find(&tree, {"spec", "template", "spec"}));
  return known.uses;
}

// A pod of it that speaks for all: a ready one where there is any.
const PodFacts* AppMapModel::samplePod(const AppGraph& g) const {
  const AppTile* best = nullptr;
  for (auto& set : g.sets) {
    for (auto& t : set.tiles) {
      if (t.pod.isEmpty() || (best && t.state != PodState::Ready)) continue;
      best = &t;
      if (t.state == PodState::Ready) return session_->state.pod(t.pod);
    }
  }
  return best ? session_->state.pod(best->pod) : nullptr;
}

// Whoever was there keeps the slot; only newcomers are sorted in, so that a change costs little in a large application.
void AppMapModel::placePods(AppGraph& g, const AppGraph* before) const {
  auto& state = session_->state;
  std::unordered_map<std::string, size_t> at;
  auto setNamed = [&](const std::string& name) -> AppPods& {
    auto [it, made] = at.try_emplace(name, g.sets.size());
    if (made) g.sets.emplace_back().box.name = QString::fromStdString(name);
    return g.sets[it->second];
  };
  qsizetype kept = 0;
  if (before) {
    for (auto& old : before->sets) {
      const std::string name = old.box.name.toStdString();
      // A ReplicaSet that nobody owns is its own.
      const QString& owner = name.empty() && g.kind == u"ReplicaSet" ? g.name : old.box.name;
      const std::string utf8 = owner.toStdString();
      AppPods& set = setNamed(name);
      set.tiles = old.tiles;
      for (auto& t : set.tiles) {
        auto* f = t.pod.isEmpty() ? nullptr : state.pod(t.pod);
        if (f && f->app == g.key && isOf(*f, owner, utf8)) {
          ++kept;
          t.state = f->state;
        } else {
          t = {};
        }
      }
    }
  }
  const QSet<QString>& pods = state.podsOfApp(g.key);
  if (kept < pods.size()) {
    QSet<QStringView> there;
    for (auto& set : g.sets) {
      for (auto& t : set.tiles) there.insert(t.pod);
    }
    std::unordered_map<std::string, std::vector<AppTile>> fresh;
    for (auto& key : pods) {
      if (there.contains(key)) continue;
      auto* f = state.pod(key);
      fresh[setOf(*f)].push_back({key, f->state});
    }
    for (auto& [name, tiles] : fresh)
      addTiles(setNamed(g.kind == u"ReplicaSet" && name == g.name.toStdString() ? std::string() : name).tiles, std::move(tiles));
  }
  for (auto& set : g.sets) {
    while (!set.tiles.empty() && set.tiles.back().pod.isEmpty()) set.tiles.pop_back();
  }
  std::erase_if(g.sets, [](auto& set) { return set.tiles.empty(); });
}

void AppMapModel::addSets(AppGraph& g, const AppGraph* before) const {
  placePods(g, before);
  for (auto& key : setsOf_.value(g.key)) {
    const AppPart* p = part(Kind::ReplicaSet, key);
    if (!p || p->name == g.name || std::any_of(g.sets.begin(), g.sets.end(), [&](auto& s) { return s.box.name == p->name; })) continue;
    p->wanted == 0 ? (void)++g.olderSets : (void)(g.sets.emplace_back().box.name = p->name);
  }
  if (g.sets.empty()) g.sets.emplace_back();
  for (auto& set : g.sets) {
    AppEntry& box = set.box;
    for (auto& t : set.tiles) {
      set.pods += !t.pod.isEmpty();
      set.states[size_t(t.state)] += !t.pod.isEmpty();
    }
    set.ready = set.states[size_t(PodState::Ready)];
    box.kind = QStringLiteral("ReplicaSet");
    const AppPart* p = box.name.isEmpty() ? nullptr : part(Kind::ReplicaSet, g.ns + '/' + box.name);
    if (!box.name.isEmpty()) box.subject = ObjectRef{"apps", "v1", "ReplicaSet", "replicasets", g.ns, box.name}.subject();
    const int wanted = p ? p->wanted : box.name.isEmpty() && g.wanted > 0 ? g.wanted : set.pods;
    // In brief: beside its name there is little room.
    box.detail = p && p->revision > 0 ? tr("rev. %1").arg(p->revision) + QStringLiteral(" · ") + tr("%1 of %2").arg(set.ready).arg(wanted)
                                      : tr("%1 of %2 ready").arg(set.ready).arg(wanted);
    box.tone = set.states[size_t(PodState::Failing)] > 0 ? Tone::Error
               : set.ready < wanted                      ? Tone::Warn
               : wanted == 0                             ? Tone::Plain
                                                         : Tone::Ok;
  }
  // The newest version first; what is on its way out below.
  auto revision = [&](const AppPods& s) {
    const AppPart* p = part(Kind::ReplicaSet, g.ns + '/' + s.box.name);
    return p ? p->revision : 0;
  };
  std::sort(g.sets.begin(), g.sets.end(), [&](auto& a, auto& b) {
    const int x = revision(a), y = revision(b);
    return x != y ? x > y : a.box.name < b.box.name;
  });
}

void AppMapModel::addEntrances(AppGraph& g, const Labels& labels) const {
  for (const ServiceFacts* s : servicesIn_.value(g.ns)) {
    if (!selects(s->selector, labels)) continue;
    QStringList ports;
    for (auto& p : s->ports) ports << QString::number(p.port);
    QString detail = ports.join(QStringLiteral(", "));
    if (s->type != u"ClusterIP" && !s->type.isEmpty()) detail = s->type + ' ' + detail;
    Tone tone = g.ready > 0 ? Tone::Ok : Tone::Plain;
    if (g.ready == 0 && g.wanted > 0) {
      tone = Tone::Warn;
      detail = tr("nobody answers");
    }
    g.services.push_back(entry(QStringLiteral("Service"), ObjectRef::of(coreKind(QStringLiteral("Service")), s->ns, s->name).subject(),
                               s->name, detail, tone));
  }
  std::sort(g.services.begin(), g.services.end(), [](auto& a, auto& b) { return a.name < b.name; });
  if (g.services.empty()) return;
  QList<const AppPart*> ways;
  for (auto& p : parts_[size_t(Kind::Ingress)]) {
    if (p.ns == g.ns) ways << &p;
  }
  std::sort(ways.begin(), ways.end(), [](auto* a, auto* b) { return a->name < b->name; });
  for (auto* p : ways) {
    QStringList hosts;
    QList<int> to;
    for (auto& [host, service] : p->routes) {
      for (int i = 0; i < int(g.services.size()); ++i) {
        if (g.services[size_t(i)].name != service) continue;
        hosts << host;
        if (!to.contains(i)) to << i;
      }
    }
    if (to.isEmpty()) continue;
    for (int i : to) g.routes.append({int(g.ingresses.size()), i});
    g.ingresses.push_back(entry(QStringLiteral("Ingress"), ingress(*p), p->name, hosts.join(QStringLiteral(", ")),
                                g.ready > 0 ? Tone::Ok : Tone::Warn));
  }
}

void AppMapModel::addUses(AppGraph& g, const QList<PodUse>& uses) const {
  for (auto& use : uses) {
    if (use.kind == u"ServiceAccount") continue;
    const Kind kind = use.kind == u"ConfigMap" ? Kind::ConfigMap : use.kind == u"Secret" ? Kind::Secret : Kind::Claim;
    AppEntry e = entry(kind == Kind::Claim ? tr("Claim") : use.kind, ObjectRef::of(coreKind(use.kind), g.ns, use.name).subject(),
                       use.name, use.how, Tone::Ok);
    const AppPart* p = part(kind, g.ns + '/' + use.name);
    e.missing = !p && listed_[size_t(kind)] == Listed::Yes;
    if (e.missing) {
      e.detail = use.optional ? tr("missing, not needed") : tr("missing");
      e.tone = use.optional ? Tone::Plain : Tone::Error;
    } else if (p && !p->phase.isEmpty() && p->phase != u"Bound") {
      e.detail = p->phase == u"Pending" ? tr("waits for a volume") : p->phase;
      e.tone = p->phase == u"Lost" ? Tone::Error : Tone::Warn;
    }
    g.uses.push_back(std::move(e));
  }
}

// The worst first: what fails, what can't start, what is under way, what is short.
void AppMapModel::judge(AppGraph& g, const WorkloadFacts* w, const AppPart* p) const {
  int failing = 0, pods = 0;
  for (auto& s : g.sets) {
    failing += s.states[size_t(PodState::Failing)];
    pods += s.pods;
  }
  const QString ready = tr("%1 of %2 ready").arg(g.ready).arg(g.wanted);
  const auto missing = std::find_if(g.uses.begin(), g.uses.end(), [](auto& u) { return u.tone == Tone::Error; });
  auto say = [&](Tone tone, const QString& text) {
    g.tone = g.workload.tone = tone;
    g.headline = text;
  };
  if (failing > 0)
    say(Tone::Error, tr("%n failing", nullptr, failing) + QStringLiteral(" · ") + ready);
  else if (missing != g.uses.end() && g.wanted > 0)
    say(Tone::Error, missing->missing ? tr("%1 %2 is missing").arg(missing->kind, missing->name)
                                      : tr("%1 %2 has lost its volume").arg(missing->kind, missing->name));
  else if (w && !w->problem.isEmpty())
    say(Tone::Error, w->problem);
  else if (g.kind == u"Job")
    say(p && p->over ? Tone::Plain : Tone::Info, p && p->over ? tr("done") : tr("%n pod(s) at work", nullptr, pods));
  else if (g.wanted == 0)
    say(Tone::Plain, tr("scaled to none"));
  else if (w && !w->paused && g.sets.size() > 1)
    say(Tone::Info, tr("rolling out: %1 of %2 new").arg(w->updated).arg(w->wanted) + QStringLiteral(" · ") + ready);
  else
    say(g.ready >= g.wanted ? Tone::Ok : Tone::Warn, ready);
}

// Entrances that lead nowhere: a Service that selects no application's pods, an Ingress to a Service that is not there.
void AppMapModel::addLost(std::vector<AppGraph>& graphs) const {
  QSet<QString> led;
  for (auto& g : graphs) {
    for (auto& s : g.services) led.insert(g.ns + '/' + s.name);
  }
  auto lost = [&](AppEntry e, const QString& ns, const QString& what) {
    AppGraph g;
    g.key = appKey(e.kind, ns, e.name);
    g.name = e.name;
    g.ns = ns;
    g.kind = e.kind;
    e.tone = g.tone = Tone::Warn;
    g.headline = what;
    g.workload = std::move(e);
    fit(g);
    graphs.push_back(std::move(g));
  };
  for (auto& [key, s] : session_->state.services()) {
    if (!s.selector.isEmpty() && !led.contains(key))
      lost(entry(QStringLiteral("Service"), ObjectRef::of(coreKind(QStringLiteral("Service")), s.ns, s.name).subject(), s.name, {}, Tone::Warn),
           s.ns, tr("selects no pods"));
  }
  for (auto& p : parts_[size_t(Kind::Ingress)]) {
    for (auto& [host, service] : p.routes) {
      if (session_->state.services().contains(p.ns + '/' + service)) continue;
      lost(entry(QStringLiteral("Ingress"), ingress(p), p.name, {}, Tone::Warn), p.ns, tr("leads to %1, which is not there").arg(service));
      break;
    }
  }
}

}  // namespace ph::models
