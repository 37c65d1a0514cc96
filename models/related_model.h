// RelatedModel: what an object has to do with others: who owns it, what it owns, which services select it, what
// its pods use, where it runs, and who uses it. Asked of the API when it is shown and again every few seconds;
// bounded. Threads: GUI thread only; answers come on the client's executor.
#pragma once

#include <QObject>
#include <QTimer>
#include <boost/json.hpp>
#include <memory>

#include "models/object_ref.h"
#include "models/session.h"

namespace ph::models {

struct RelatedRow {
  ObjectRef ref;
  QString detail;  // "volume data", "port 80"...
  Tone tone = Tone::Plain;
  bool missing = false;  // it is named, but there is none
  bool operator==(const RelatedRow&) const = default;
};
struct RelatedGroup {
  QString title;
  QList<RelatedRow> rows;
  int more = 0;  // beyond kMaxRows
  bool operator==(const RelatedGroup&) const = default;
};

class RelatedModel : public QObject {
  Q_OBJECT
 public:
  static constexpr int kMaxRows = 100;
  static constexpr int kRefreshMs = 4000;
  enum class Phase { Idle, Loading, Ready, Offline };

  explicit RelatedModel(Session* session, QObject* parent = nullptr);
  ~RelatedModel() override;
  void show(const Subject& subject);  // and follow it
  void stop();
  const QList<RelatedGroup>& groups() const { return groups_; }
  Phase phase() const { return phase_; }
  QString problem() const { return problem_; }

 signals:
  void changed();

 private:
  struct Round;
  void refresh();
  void ask(const std::shared_ptr<Round>& round, const QString& path, const char* accept,
           std::function<void(const boost::json::value&)> then, std::function<void()> missing = {});
  void askOwners(const std::shared_ptr<Round>& round, const boost::json::value& tree, const QString& ns, int depth);
  void askOwned(const std::shared_ptr<Round>& round);
  void addPods(Round& round);
  void addServices(Round& round);
  void addUses(const std::shared_ptr<Round>& round);
  void addUsers(const std::shared_ptr<Round>& round);
  void finish(const std::shared_ptr<Round>& round);

  Session* session_;
  Subject subject_;
  std::shared_ptr<Round> round_;
  QList<RelatedGroup> groups_;
  Phase phase_ = Phase::Idle;
  QString problem_;
  QTimer again_;
};

// What a pod's spec names: kind ("ConfigMap", "Secret", "PersistentVolumeClaim", "ServiceAccount"), name, and how.
struct PodUse {
  QString kind, name, how;
  bool optional = false;
  bool operator==(const PodUse&) const = default;
};
QList<PodUse> usesOf(const boost::json::value* podSpec);
// The pod template's spec of a workload, or a pod's own; null for other kinds.
const boost::json::value* podSpecOf(const boost::json::value& tree);
KindRef coreKind(const QString& kind);  // of the kinds above, and Node, Service, Pod

}  // namespace ph::models
