// What feeds the application map beside the session: kinds that nothing else of the window follows.
#include <QPointer>
#include <mutex>

#include "models/app_map_model.h"
#include "models/gui_thread.h"
#include "models/json_read.h"
#include "models/path_watch.h"

namespace ph::models {

using Kind = AppPart::Kind;

struct AppMapModel::Feed {
  std::mutex mutex;  // of the next three: held to put a batch in or to swap all out
  QHash<QString, AppChange> changes;  // the last of each
  std::array<Listed, AppPart::kKinds> listed{};
  bool told = false;
  std::vector<std::shared_ptr<PathWatch>> watches;
  std::array<QSet<QString>, AppPart::kKinds> known, seen;  // on the strand
  std::function<void()> tell;

  void put(AppChange change) {
    const QString key = QString::number(int(change.part.kind)) + '/' + change.part.key();
    std::lock_guard lock(mutex);
    changes[key] = std::move(change);
  }
  void setListed(Kind kind, Listed to) {
    std::lock_guard lock(mutex);
    listed[size_t(kind)] = to;
  }
  void wake() {
    {
      std::lock_guard lock(mutex);
      if (std::exchange(told, true)) return;
    }
    tell();
  }
  void onPage(Kind kind, const boost::json::value& page, bool first, bool last) {
    auto &was = known[size_t(kind)], &now = seen[size_t(kind)];
    if (first) now.clear();
    for (auto& item : json::list(&page, {"items"})) {
      AppPart p = appPartOf(kind, item);
      now.insert(p.key());
      put({std::move(p), false});
    }
    if (last) {
      for (auto& key : was - now) gone(kind, key);
      was = now;
      setListed(kind, Listed::Yes);
    }
    wake();
  }
  void onEvent(Kind kind, std::string_view type, const boost::json::value& object) {
    AppPart p = appPartOf(kind, object);
    const bool gone = type == "DELETED";
    gone ? (void)known[size_t(kind)].remove(p.key()) : (void)known[size_t(kind)].insert(p.key());
    put({std::move(p), gone});
    wake();
  }
  void gone(Kind kind, const QString& key) {
    AppPart p{};
    p.kind = kind;
    p.ns = key.section('/', 0, 0);
    p.name = key.section('/', 1);
    put({std::move(p), true});
  }
};

AppPart appPartOf(Kind kind, const boost::json::value& object) {
  AppPart p{};
  p.kind = kind;
  p.ns = json::text(&object, {"metadata", "namespace"});
  p.name = json::text(&object, {"metadata", "name"});
  for (auto& o : json::list(&object, {"metadata", "ownerReferences"})) {
    if (!json::flag(&o, {"controller"})) continue;
    p.ownerKind = json::text(&o, {"kind"});
    p.ownerName = json::text(&o, {"name"});
  }
  const auto* spec = json::find(&object, {"spec"});
  const auto* status = json::find(&object, {"status"});
  auto copies = [&](std::string_view field) { return json::find(spec, {field}) ? int(json::number(spec, {field})) : 1; };
  if (auto* labels = json::find(spec, {"template", "metadata", "labels"}); labels && labels->is_object()) {
    for (auto& [key, value] : labels->get_object())
      p.labels.append({QString::fromUtf8(key.data(), qsizetype(key.size())), json::text(&value)});
  }
  switch (kind) {
    case Kind::ReplicaSet:
    case Kind::StatefulSet:
      p.wanted = copies("replicas");
      p.revision = json::text(&object, {"metadata", "annotations", "deployment.kubernetes.io/revision"}).toInt();
      break;
    case Kind::DaemonSet:
      p.wanted = int(json::number(status, {"desiredNumberScheduled"}));
      break;
    case Kind::Job:
      p.wanted = copies("completions");
      p.over = json::find(status, {"completionTime"}) != nullptr;
      break;
    case Kind::Ingress:
      if (auto s = json::text(spec, {"defaultBackend", "service", "name"}); !s.isEmpty()) p.routes.append({QStringLiteral("*"), s});
      for (auto& rule : json::list(spec, {"rules"})) {
        for (auto& path : json::list(&rule, {"http", "paths"})) {
          const QString service = json::text(&path, {"backend", "service", "name"});
          if (!service.isEmpty()) p.routes.append({json::text(&rule, {"host"}) + json::text(&path, {"path"}), service});
        }
      }
      break;
    case Kind::Claim:
      p.phase = json::text(status, {"phase"});
      break;
    case Kind::ConfigMap:
    case Kind::Secret:
      break;
  }
  if (spec) p.uses = usesOf(json::find(spec, {"template", "spec"}));
  return p;
}

void AppMapModel::connectFeed() {
  if (feed_) {
    for (auto& w : feed_->watches) w->stop();
    feed_.reset();
  }
  if (!active_ || !session_->client()) return;
  listed_ = {};
  for (auto& map : parts_) map.clear();
  setsOf_.clear();
  allDirty_ = true;
  auto feed = feed_ = std::make_shared<Feed>();
  std::weak_ptr<Feed> weak = feed;
  feed->tell = [self = QPointer<AppMapModel>(this), weak] {
    onGui([self, weak] {
      auto feed = weak.lock();
      if (!self || !feed || feed != self->feed_) return;
      std::vector<AppChange> changes;
      std::array<Listed, AppPart::kKinds> listed;
      {
        std::lock_guard lock(feed->mutex);
        for (auto& c : feed->changes) changes.push_back(std::move(c));
        feed->changes.clear();
        listed = feed->listed;
        feed->told = false;
      }
      self->apply(changes);
      for (int kind = 0; kind < AppPart::kKinds; ++kind) self->setListed(Kind(kind), listed[size_t(kind)]);
    });
  };
  static constexpr std::pair<Kind, const char*> kinds[] = {{Kind::ReplicaSet, "/apis/apps/v1/replicasets"},
                                                           {Kind::StatefulSet, "/apis/apps/v1/statefulsets"},
                                                           {Kind::DaemonSet, "/apis/apps/v1/daemonsets"},
                                                           {Kind::Job, "/apis/batch/v1/jobs"},
                                                           {Kind::Ingress, "/apis/networking.k8s.io/v1/ingresses"},
                                                           {Kind::ConfigMap, "/api/v1/configmaps"},
                                                           {Kind::Secret, "/api/v1/secrets"},
                                                           {Kind::Claim, "/api/v1/persistentvolumeclaims"}};
  auto strand = session_->executor()->strand();
  for (auto [kind, path] : kinds) {
    PathWatch::Handlers handlers;
    handlers.onPage = [weak, kind](const boost::json::value& page, bool first, bool last) {
      if (auto feed = weak.lock()) feed->onPage(kind, page, first, last);
    };
    handlers.onEvent = [weak, kind](std::string_view type, const boost::json::value& object) {
      if (auto feed = weak.lock()) feed->onEvent(kind, type, object);
    };
    handlers.onState = [weak, kind](bool up, const Status& why) {
      // Who may not see a kind is shown the rest.
      auto feed = weak.lock();
      if (!feed || up || (why.code != 403 && why.code != 404 && why.code != 405)) return;
      feed->setListed(kind, Listed::Refused);
      feed->wake();
    };
    PathWatch::Options options;
    options.path = path;
    if (kind == Kind::ConfigMap || kind == Kind::Secret) {
      // Only that they are there: what a secret holds has no business here.
      options.listAs = kAsMetadata;
      options.watchAs = kAsMetadataWatch;
    }
    feed->watches.push_back(PathWatch::start(session_->client(), strand, std::move(options), std::move(handlers)));
  }
}

}  // namespace ph::models
