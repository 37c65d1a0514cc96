#include "models/app_map_model.h"

#include <algorithm>

namespace ph::models {

using Kind = AppPart::Kind;

namespace {
QString usedKey(Kind kind, const QString& ns, const QString& name) {
  return (kind == Kind::ConfigMap ? QLatin1String("ConfigMap") : kind == Kind::Secret ? QLatin1String("Secret")
                                                                                     : QLatin1String("PersistentVolumeClaim")) +
         '/' + ns + '/' + name;
}

// What differs between an application's pods and what they were.
void tell(QList<AppNews>& news, const AppGraph& was, const AppGraph& is) {
  using What = MapNews::What;
  auto sameNamed = [](const std::vector<AppPods>& sets, const QString& name) -> const AppPods* {
    auto it = std::find_if(sets.begin(), sets.end(), [&](auto& s) { return s.box.name == name; });
    return it == sets.end() ? nullptr : &*it;
  };
  auto compare = [&](const QString& set, const std::vector<AppTile>* before, const std::vector<AppTile>* now) {
    const size_t places = std::max(before ? before->size() : 0, now ? now->size() : 0);
    for (size_t i = 0; i < places && news.size() <= AppMapModel::kNewsMax; ++i) {
      const AppTile a = before && i < before->size() ? (*before)[i] : AppTile(), b = now && i < now->size() ? (*now)[i] : AppTile();
      if (a == b) continue;
      if (a.pod == b.pod) {
        news.append({What::Turned, is.key, set, int(i), b});
        continue;
      }
      if (!a.pod.isEmpty()) news.append({What::Left, is.key, set, int(i), a});
      if (!b.pod.isEmpty()) news.append({What::Came, is.key, set, int(i), b});
    }
  };
  for (auto& set : is.sets) {
    const AppPods* old = sameNamed(was.sets, set.box.name);
    compare(set.box.name, old ? &old->tiles : nullptr, &set.tiles);
  }
  for (auto& set : was.sets) {
    if (!sameNamed(is.sets, set.box.name)) compare(set.box.name, &set.tiles, nullptr);
  }
}
}  // namespace

AppMapModel::AppMapModel(Session* session, QObject* parent) : QObject(parent), session_(session) {
  timer_.setSingleShot(true);
  timer_.setInterval(kFrameMs);
  connect(&timer_, &QTimer::timeout, this, &AppMapModel::compute);
  connect(&session->state, &ClusterState::changed, this, &AppMapModel::onChanged);
  connect(session, &Session::connectionChanged, this, [this] {
    connectFeed();
    due();
  });
}

AppMapModel::~AppMapModel() {
  active_ = false;
  connectFeed();
}

void AppMapModel::setActive(bool on) {
  if (on == active_) return;
  active_ = on;
  connectFeed();
  allDirty_ = true;
  if (on) compute();
}

bool AppMapModel::loading() const {
  if (!active_ || !session_->client()) return false;
  return session_->state.link() == Link::Loading ||
         std::any_of(listed_.begin(), listed_.end(), [](Listed l) { return l == Listed::No; });
}

void AppMapModel::due() {
  if (active_ && !timer_.isActive()) timer_.start();
}

void AppMapModel::onChanged(const ChangeSet& changes) {
  if (!active_) {
    allDirty_ = true;
    return;
  }
  for (auto& c : changes.pods) {
    touch(c.any().app);
    if (c.before && c.now && c.before->app != c.now->app) touch(c.before->app);
  }
  for (auto& c : changes.workloads) touch(c.any().key);
  for (auto& c : changes.services) touchNamespace(c.any().ns);
  if (!dirty_.isEmpty() || !changes.services.empty()) due();
}

void AppMapModel::touchNamespace(const QString& ns) {
  for (auto& a : apps_) {
    if (a.ns == ns) touch(a.key);
  }
}

void AppMapModel::apply(const std::vector<AppChange>& changes) {
  QSet<QString> namespaces, used;  // used: "kind/ns/name"
  for (auto& [p, gone] : changes) {
    auto& known = parts_[size_t(p.kind)];
    const QString key = p.key();
    const auto old = known.constFind(key);
    if (gone && old == known.constEnd()) continue;
    switch (p.kind) {
      case Kind::ReplicaSet: {
        // A gone one may come without its owner.
        const AppPart& owned = gone ? *old : p;
        const QString app = owned.ownerKind.isEmpty() ? appKey(QStringLiteral("ReplicaSet"), p.ns, p.name)
                                                      : appKey(owned.ownerKind, p.ns, owned.ownerName);
        gone ? (void)setsOf_[app].remove(key) : (void)setsOf_[app].insert(key);
        if (setsOf_[app].isEmpty()) setsOf_.remove(app);
        touch(app);
        break;
      }
      case Kind::StatefulSet:
        touch(appKey(QStringLiteral("StatefulSet"), p.ns, p.name));
        break;
      case Kind::DaemonSet:
        touch(appKey(QStringLiteral("DaemonSet"), p.ns, p.name));
        break;
      case Kind::Job:
        touch(appKey(QStringLiteral("Job"), p.ns, p.name));
        break;
      case Kind::Ingress:
        namespaces.insert(p.ns);
        break;
      case Kind::ConfigMap:
      case Kind::Secret:
      case Kind::Claim:
        // That one is there, and in what phase, is all that shows.
        if (gone || old == known.constEnd() || old->phase != p.phase) used.insert(usedKey(p.kind, p.ns, p.name));
        break;
    }
    if (gone)
      known.remove(key);
    else
      known[key] = p;
  }
  for (auto& a : apps_) {
    const bool named = !used.isEmpty() && std::any_of(a.uses.begin(), a.uses.end(), [&](auto& u) {
      const ObjectRef ref = ObjectRef::of(u.subject.key);
      return used.contains(ref.kind + '/' + ref.ns + '/' + ref.name);
    });
    if (named || namespaces.contains(a.ns)) touch(a.key);
  }
  if (!dirty_.isEmpty() || !namespaces.isEmpty()) due();
}

void AppMapModel::setListed(Kind kind, Listed listed) {
  if (listed_[size_t(kind)] == listed) return;
  const bool was = loading();
  listed_[size_t(kind)] = listed;
  allDirty_ = true;  // what is missing can be told now
  due();
  if (loading() != was) emit changed(false);
}

const AppPart* AppMapModel::part(Kind kind, const QString& key) const {
  auto it = parts_[size_t(kind)].constFind(key);
  return it == parts_[size_t(kind)].constEnd() ? nullptr : &*it;
}

// All that are applications: whatever has pods or wants some, whoever made it.
QSet<QString> AppMapModel::keys() const {
  QSet<QString> out;
  for (auto& [key, w] : session_->state.workloads()) out.insert(key);
  for (auto& app : session_->map.apps()) {
    if (app.listed && !session_->state.podsOfApp(app.key).isEmpty()) out.insert(app.key);
  }
  for (auto& p : parts_[size_t(Kind::StatefulSet)]) out.insert(appKey(QStringLiteral("StatefulSet"), p.ns, p.name));
  for (auto& p : parts_[size_t(Kind::DaemonSet)]) out.insert(appKey(QStringLiteral("DaemonSet"), p.ns, p.name));
  return out;
}

void AppMapModel::compute() {
  timer_.stop();
  if (!active_) return;
  servicesIn_.clear();
  for (auto& [key, s] : session_->state.services()) servicesIn_[s.ns] << &s;
  QHash<QString, AppGraph*> before;
  for (auto& a : apps_) before[a.key] = &a;
  const QSet<QString> now = keys();
  bool any = false, structure = false;
  std::vector<AppGraph> next;
  next.reserve(size_t(now.size()));
  auto differs = [](const AppGraph& a, const AppGraph& b) {
    auto shape = [](const AppGraph& g) {
      return std::tuple(g.ingresses.size(), g.services.size(), g.uses.size(), g.sets.size());
    };
    return shape(a) != shape(b) || !std::equal(a.sets.begin(), a.sets.end(), b.sets.begin(), [](auto& x, auto& y) {
      return x.box.name == y.box.name && x.tiles.size() == y.tiles.size();
    });
  };
  QList<AppNews> news;
  for (auto& key : now) {
    AppGraph* old = before.value(key);
    if (old && !allDirty_ && !dirty_.contains(key)) {
      next.push_back(std::move(*old));
      continue;
    }
    next.push_back(graph(key, old));
    any |= !old || !(next.back() == *old);
    structure |= !old || differs(*old, next.back());
    if (old && !allDirty_) tell(news, *old, next.back());
  }
  addLost(next);
  for (size_t i = size_t(now.size()); i < next.size(); ++i) {
    AppGraph* old = before.value(next[i].key);
    any |= !old || !(next[i] == *old);
    structure |= !old;
  }
  structure |= next.size() != apps_.size();
  any |= structure;
  for (auto it = templates_.begin(); it != templates_.end();) it = now.contains(it.key()) ? std::next(it) : templates_.erase(it);
  std::sort(next.begin(), next.end(), [](auto& a, auto& b) { return std::tie(a.ns, a.name, a.kind) < std::tie(b.ns, b.name, b.kind); });
  apps_ = std::move(next);
  dirty_.clear();
  allDirty_ = false;
  servicesIn_.clear();
  if (any) emit changed(structure);
  if (!news.isEmpty() && news.size() <= kNewsMax) emit happened(news);
}

const AppGraph* AppMapModel::app(const QString& key) const {
  const QString ns = appNamespace(key), name = appName(key), kind = appKind(key);
  auto at = std::lower_bound(apps_.begin(), apps_.end(), std::tie(ns, name, kind),
                             [](const AppGraph& a, const auto& b) { return std::tie(a.ns, a.name, a.kind) < b; });
  return at != apps_.end() && at->key == key ? &*at : nullptr;
}

void AppMapModel::setFilter(const QString& text) {
  const QStringList terms = text.toLower().split(' ', Qt::SkipEmptyParts);
  if (terms == terms_) return;
  terms_ = terms;
  for (auto& a : apps_) fit(a);
  emit changed(false);
}

int AppMapModel::fitting() const {
  return int(std::count_if(apps_.begin(), apps_.end(), [](auto& a) { return a.fits; }));
}

void AppMapModel::fit(AppGraph& g) const {
  g.fits = std::all_of(terms_.begin(), terms_.end(), [&](const QString& term) {
    auto holds = [&](const QString& s) { return s.contains(term, Qt::CaseInsensitive); };
    auto any = [&](const std::vector<AppEntry>& list) {
      return std::any_of(list.begin(), list.end(), [&](auto& e) { return holds(e.name) || holds(e.kind) || holds(e.detail); });
    };
    return holds(g.name) || holds(g.ns) || holds(g.kind) || holds(g.headline) || any(g.ingresses) || any(g.services) ||
           any(g.uses) || std::any_of(g.sets.begin(), g.sets.end(), [&](auto& s) { return holds(s.box.name); });
  });
}

}  // namespace ph::models
