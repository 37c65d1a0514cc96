// AppMapModel: applications as the application map draws them: what leads in (Ingresses, Services), the workload,
// its ReplicaSets, their pods, and what the pod template names; with health rolled up. Pods, Deployments and
// Services come from the session's state; the other kinds are listed and watched only while the map is shown. A
// change recomputes the applications that it touches. Threads: GUI thread only; decoding is on a strand of the
// executor.
#pragma once

#include <QObject>
#include <QTimer>
#include <array>
#include <memory>

#include "models/object_ref.h"
#include "models/related_model.h"
#include "models/session.h"

namespace ph::models {

// A thing with a box of its own.
struct AppEntry {
  Subject subject;
  QString kind, name, detail;
  Tone tone = Tone::Plain;
  bool missing = false;  // it is named, but there is none
  bool operator==(const AppEntry&) const = default;
};

struct AppTile {
  QString pod;  // key; empty: a hole that the next newcomer takes
  PodState state = PodState::Waiting;
  bool operator==(const AppTile&) const = default;
};

// The pods of one ReplicaSet, or all of a workload that has none.
struct AppPods {
  AppEntry box;  // its name is empty where there is no ReplicaSet between
  std::vector<AppTile> tiles;
  int pods = 0, ready = 0;
  std::array<int, kPodStates> states{};
  bool operator==(const AppPods&) const = default;
};

struct AppGraph {
  QString key, name, ns, kind;  // key: AppKey; of an entrance that leads nowhere "Service/ns/name"
  int color = -1;               // into the theme's application colors
  AppEntry workload;
  std::vector<AppEntry> ingresses, services, uses;
  QList<QPair<int, int>> routes;  // ingress -> service, by index
  std::vector<AppPods> sets;      // the newest version first
  int olderSets = 0;              // ReplicaSets without pods, kept for going back
  int ready = 0, wanted = 0;
  Tone tone = Tone::Plain;
  QString headline;
  bool fits = true;  // the filter
  bool operator==(const AppGraph&) const = default;
};

// What is known of the kinds that the session does not follow.
struct AppPart {
  enum class Kind : uint8_t { ReplicaSet, StatefulSet, DaemonSet, Job, Ingress, ConfigMap, Secret, Claim };
  static constexpr int kKinds = 8;
  Kind kind;
  QString ns, name, ownerKind, ownerName;
  int wanted = 0, revision = 0;
  bool over = false;  // a Job that is done
  Labels labels;      // of the pod template
  QList<PodUse> uses;
  QList<QPair<QString, QString>> routes;  // host and path -> service
  QString phase;
  QString key() const { return ns + '/' + name; }
};
struct AppChange {
  AppPart part;
  bool gone = false;
};

// One pod of an application that came, went or turned, for those who show changes. Never the first lists.
struct AppNews {
  MapNews::What what = MapNews::What::Came;
  QString app, set;  // set: the name of its box
  int slot = -1;     // of the pod's tile; of one that left, where it was
  AppTile tile;      // as it is now; of one that left, as it was
};

class AppMapModel : public QObject {
  Q_OBJECT
 public:
  static constexpr int kFrameMs = 50;  // changes within are one
  static constexpr int kNewsMax = 500;
  explicit AppMapModel(Session* session, QObject* parent = nullptr);
  ~AppMapModel() override;

  void setActive(bool on);  // nothing is watched or computed before, or while off
  bool loading() const;
  // By namespace, then name: an application keeps its place.
  const std::vector<AppGraph>& apps() const { return apps_; }
  const AppGraph* app(const QString& key) const;

  // Words that an application must all hold (its name, namespace, kind, health, or the name of something it is made
  // of); the others are marked as not fitting.
  void setFilter(const QString& text);
  bool filtering() const { return !terms_.isEmpty(); }
  int fitting() const;

  // What the feed brings; also the way in for tests.
  void apply(const std::vector<AppChange>& changes);
  enum class Listed : uint8_t { No, Yes, Refused };
  void setListed(AppPart::Kind kind, Listed listed);
  void compute();  // now, what is due

 signals:
  // Some graphs have changed, or loading() has; `structure`: some came or went, or have other parts.
  void changed(bool structure);
  // After changed(); none when more than kNewsMax happened at once.
  void happened(const QList<ph::models::AppNews>& news);

 private:
  struct Feed;
  void connectFeed();
  void onChanged(const ChangeSet& changes);
  void touch(const QString& app) { dirty_.insert(app); }
  void touchNamespace(const QString& ns);
  void due();
  QSet<QString> keys() const;
  // app_map_graph.cpp:
  AppGraph graph(const QString& key, const AppGraph* before);
  void placePods(AppGraph& g, const AppGraph* before) const;
  void addSets(AppGraph& g, const AppGraph* before) const;
  const PodFacts* samplePod(const AppGraph& g) const;
  void addEntrances(AppGraph& g, const Labels& labels) const;
  void addUses(AppGraph& g, const QList<PodUse>& uses) const;
  void judge(AppGraph& g, const WorkloadFacts* workload, const AppPart* part) const;
  void addLost(std::vector<AppGraph>& graphs) const;
  const QList<PodUse>& usesOfTemplate(const QString& key);
  const AppPart* part(AppPart::Kind kind, const QString& key) const;
  const AppPart* workloadPart(const AppGraph& g) const;
  void fit(AppGraph& g) const;

  Session* session_;
  bool active_ = false;
  std::array<Listed, AppPart::kKinds> listed_{};
  std::shared_ptr<Feed> feed_;
  std::array<QHash<QString, AppPart>, AppPart::kKinds> parts_;  // by "ns/name"
  QHash<QString, QSet<QString>> setsOf_;                        // app -> keys of its ReplicaSets
  QHash<QString, QList<const ServiceFacts*>> servicesIn_;       // namespace; valid during compute()
  std::vector<AppGraph> apps_;
  QSet<QString> dirty_;
  bool allDirty_ = true;
  struct Template {
    api::ObjectPtr object;
    QList<PodUse> uses;
  };
  QHash<QString, Template> templates_;  // a template is read once a version
  QStringList terms_;
  QTimer timer_;
};

AppPart appPartOf(AppPart::Kind kind, const boost::json::value& object);

}  // namespace ph::models
