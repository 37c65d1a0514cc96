#include "models/cluster_state.h"

#include <QDateTime>
#include <algorithm>

namespace ph::models {

namespace {

template <class F>
void applyTo(FactMap<F>& map, Delta<F>& delta, std::vector<Change<F>>& out) {
  out.reserve(delta.put.size() + delta.gone.size());
  for (auto& key : delta.gone) {
    auto it = map.find(key);
    if (it == map.end()) continue;
    out.push_back({std::move(it->second), nullptr});
    map.erase(it);
  }
  for (auto& fact : delta.put) {
    auto [it, added] = map.try_emplace(fact.key);
    Change<F> change;
    if (!added) change.before = std::move(it->second);
    it->second = std::move(fact);
    change.now = &it->second;  // stable: unordered_map never moves its elements
    out.push_back(std::move(change));
  }
}

bool selects(const Labels& selector, const Labels& labels) {
  return !selector.isEmpty() && std::all_of(selector.begin(), selector.end(),
                                            [&](const auto& term) { return labels.contains(term); });
}

}  // namespace

ClusterState::ClusterState(QObject* parent)
    : QObject(parent), now_([] { return QDateTime::currentMSecsSinceEpoch(); }) {}

void ClusterState::apply(Diff diff) {
  ChangeSet set;
  set.first = !filled_;
  applyTo(pods_, diff.pods, set.pods);
  applyTo(nodes_, diff.nodes, set.nodes);
  applyTo(machines_, diff.machines, set.machines);
  applyTo(workloads_, diff.workloads, set.workloads);
  applyTo(services_, diff.services, set.services);
  applyTo(events_, diff.events, set.events);
  for (auto& c : set.pods) {
    if (c.before) {
      indexPod(*c.before, false);
      count(*c.before, -1);
    }
    if (c.now) {
      indexPod(*c.now, true);
      count(*c.now, 1);
    }
  }
  if (!set.nodes.empty() || !set.machines.empty()) countMachines();
  emit changed(set);
}

void ClusterState::setLink(Link link, const QString& why) {
  if (link == Link::Live) filled_ = true;
  if (link_ == link && linkProblem_ == why) return;
  link_ = link;
  linkProblem_ = why;
  emit linkChanged();
}

void ClusterState::indexPod(const PodFacts& pod, bool add) {
  auto touch = [&](QHash<QString, QSet<QString>>& index, const QString& where) {
    if (where.isEmpty()) return;
    if (add) {
      index[where].insert(pod.key);
    } else if (auto it = index.find(where); it != index.end()) {
      it->remove(pod.key);
      if (it->isEmpty()) index.erase(it);
    }
  };
  touch(byApp_, pod.app);
  touch(byNode_, pod.node);
}

void ClusterState::count(const PodFacts& pod, int by) {
  Tally& states = states_[pod.app];
  states[size_t(pod.state)] += by;
  if (states == Tally{}) states_.remove(pod.app);
  if (pod.state == PodState::Finished) return;
  if (!pod.node.isEmpty()) {
    Requests& sum = requests_[pod.node];
    sum.cpu += by * pod.cpuRequest;
    sum.memory += by * pod.memoryRequest;
    sum.pods += by;
    if (sum.pods == 0) requests_.remove(pod.node);
  }
  health_.pods += by;
  switch (pod.state) {
    case PodState::Ready:
      health_.podsReady += by;
      break;
    case PodState::Failing:
      health_.failing += by;
      break;
    case PodState::Waiting:
      health_.waiting += by;
      [[fallthrough]];
    case PodState::Starting:
    case PodState::Leaving:
      health_.moving += by;
      break;
    case PodState::Finished:
      break;
  }
}

void ClusterState::countMachines() {
  health_.machines = health_.machinesReady = 0;
  QSet<QString> covered;
  for (auto& [key, machine] : machines_) {
    ++health_.machines;
    const QString nodeName = machine.node.isEmpty() ? machine.name : machine.node;
    covered.insert(nodeName);
    auto* n = node(nodeName);
    if (n && n->ready && !machine.deleting && machine.phase != u"Lost") ++health_.machinesReady;
  }
  for (auto& [key, n] : nodes_) {
    if (covered.contains(key)) continue;
    ++health_.machines;
    if (n.ready) ++health_.machinesReady;
  }
}

const QSet<QString>& ClusterState::podsOfApp(const QString& app) const {
  static const QSet<QString> none;
  auto it = byApp_.find(app);
  return it == byApp_.end() ? none : *it;
}

const QSet<QString>& ClusterState::podsOnNode(const QString& node) const {
  static const QSet<QString> none;
  auto it = byNode_.find(node);
  return it == byNode_.end() ? none : *it;
}

const MachineFacts* ClusterState::machineOfNode(const QString& node) const {
  if (auto* m = machine(node); m && (m->node.isEmpty() || m->node == node)) return m;
  for (auto& [key, m] : machines_) {
    if (m.node == node) return &m;
  }
  return nullptr;
}

const ServiceFacts* ClusterState::serviceOfApp(const QString& app) const {
  auto* w = workload(app);
  const QString ns = appNamespace(app);
  Labels labels = w ? w->selector : Labels{};
  if (!w) {
    for (auto& key : podsOfApp(app)) {
      labels = pod(key)->labels;
      break;
    }
  }
  const ServiceFacts* best = nullptr;
  for (auto& [key, s] : services_) {
    if (s.ns == ns && selects(s.selector, labels) && (!best || s.name < best->name)) best = &s;
  }
  return best;
}

}  // namespace ph::models
