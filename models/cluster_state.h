// ClusterState: everything the window knows of the cluster, on the GUI thread. Diffs go in, one `changed`
// comes out, and each model reads what it shows from here. Threads: GUI thread only.
#pragma once

#include <QObject>
#include <QSet>
#include <array>
#include <functional>
#include <optional>
#include <unordered_map>

#include "models/facts.h"

namespace ph::models {

struct QStringHash {
  size_t operator()(const QString& s) const { return qHash(s); }
};
template <class F>
using FactMap = std::unordered_map<QString, F, QStringHash>;

template <class F>
struct Change {
  std::optional<F> before;
  const F* now = nullptr;  // null: gone. Valid while `changed` is delivered.
  const F& any() const { return now ? *now : *before; }
};

struct ChangeSet {
  std::vector<Change<PodFacts>> pods;
  std::vector<Change<NodeFacts>> nodes;
  std::vector<Change<MachineFacts>> machines;
  std::vector<Change<WorkloadFacts>> workloads;
  std::vector<Change<ServiceFacts>> services;
  std::vector<Change<EventFacts>> events;
  bool first = false;  // the lists that the window starts with, not news
};

// The health sentence's numbers.
struct Health {
  int machines = 0, machinesReady = 0;
  int pods = 0, podsReady = 0, moving = 0, failing = 0, waiting = 0;
  bool operator==(const Health&) const = default;
};

enum class Link : uint8_t { Loading, Live, Offline };

class ClusterState : public QObject {
  Q_OBJECT
 public:
  using NowMs = std::function<int64_t()>;
  explicit ClusterState(QObject* parent = nullptr);

  void setClock(NowMs now) { now_ = std::move(now); }
  int64_t now() const { return now_(); }

  void apply(Diff diff);
  // Loading until the first lists are in; Offline when the engine doesn't answer.
  void setLink(Link link, const QString& why = {});
  Link link() const { return link_; }
  QString linkProblem() const { return linkProblem_; }

  const FactMap<PodFacts>& pods() const { return pods_; }
  const FactMap<NodeFacts>& nodes() const { return nodes_; }
  const FactMap<MachineFacts>& machines() const { return machines_; }
  const FactMap<WorkloadFacts>& workloads() const { return workloads_; }
  const FactMap<ServiceFacts>& services() const { return services_; }
  const FactMap<EventFacts>& events() const { return events_; }

  const PodFacts* pod(const QString& key) const { return find(pods_, key); }
  const NodeFacts* node(const QString& key) const { return find(nodes_, key); }
  const MachineFacts* machine(const QString& key) const { return find(machines_, key); }
  const WorkloadFacts* workload(const QString& key) const { return find(workloads_, key); }

  // Keys of the pods of an application or on a node; empty when there are none.
  const QSet<QString>& podsOfApp(const QString& app) const;
  const QSet<QString>& podsOnNode(const QString& node) const;
  // How many of an application's pods are in each state; kept up with each diff.
  using Tally = std::array<int, kPodStates>;
  Tally statesOf(const QString& app) const { return states_.value(app); }
  int inState(const QString& app, PodState state) const { return statesOf(app)[size_t(state)]; }
  // The machine that a node belongs to, by status or by name; null when it was not joined by a Machine.
  const MachineFacts* machineOfNode(const QString& node) const;
  const ServiceFacts* serviceOfApp(const QString& app) const;  // the first whose selector fits its pods

  // Sum of the requests of the pods on a node that still run; kept up with each diff.
  struct Requests {
    int64_t cpu = 0, memory = 0;
    int pods = 0;
  };
  Requests requestsOn(const QString& node) const { return requests_.value(node); }

  const Health& health() const { return health_; }

 signals:
  void changed(const ph::models::ChangeSet& changes);
  void linkChanged();

 private:
  template <class F>
  static const F* find(const FactMap<F>& map, const QString& key) {
    auto it = map.find(key);
    return it == map.end() ? nullptr : &it->second;
  }
  void indexPod(const PodFacts& pod, bool add);
  void count(const PodFacts& pod, int by);
  void countMachines();

  NowMs now_;
  Link link_ = Link::Loading;
  QString linkProblem_;
  FactMap<PodFacts> pods_;
  FactMap<NodeFacts> nodes_;
  FactMap<MachineFacts> machines_;
  FactMap<WorkloadFacts> workloads_;
  FactMap<ServiceFacts> services_;
  FactMap<EventFacts> events_;
  QHash<QString, QSet<QString>> byApp_, byNode_;
  QHash<QString, Requests> requests_;  // by node
  QHash<QString, Tally> states_;       // by application
  Health health_;
  bool filled_ = false;
};

}  // namespace ph::models
