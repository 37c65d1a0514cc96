#include "models/what_if.h"

#include <algorithm>
#include <cmath>

namespace ph::models {

namespace {

struct Room {
  QString node;
  int64_t cpu = 0, memory = 0;  // still free
  int64_t cpuAll = 1, memoryAll = 1;
  int pods = 0;  // still free
  int same = 0;  // copies of this application here
};

bool tainted(const NodeFacts& node, const WorkloadFacts& w) {
  if (!node.ready || node.cordoned) return true;
  for (auto& wanted : w.nodeSelector) {
    if (!node.labels.contains(wanted)) return true;
  }
  return false;
}

// Free room first, but never two copies on one machine while another has none: as the scheduler's spreading
// weighs it.
double score(const Room& r, int64_t cpu, int64_t memory) {
  const double freeCpu = double(r.cpu - cpu) / double(r.cpuAll);
  const double freeMemory = double(r.memory - memory) / double(r.memoryAll);
  return (freeCpu + freeMemory) / 2.0 - double(r.same);
}

void fewer(const ClusterState& state, const QString& app, int copies, Estimate& out) {
  struct Candidate {
    const PodFacts* pod;
    int beside;
  };
  std::vector<Candidate> all;
  QHash<QString, int> onNode;
  for (auto& key : state.podsOfApp(app)) {
    auto* p = state.pod(key);
    if (p->state == PodState::Leaving || p->state == PodState::Finished) continue;
    ++onNode[p->node];
    all.push_back({p, 0});
  }
  for (auto& c : all) c.beside = onNode.value(c.pod->node);
  // Not ready before ready, crowded before alone, young before old: the order a ReplicaSet stops pods in.
  std::sort(all.begin(), all.end(), [](auto& a, auto& b) {
    const bool x = a.pod->state == PodState::Ready, y = b.pod->state == PodState::Ready;
    if (x != y) return !x;
    if (a.beside != b.beside) return a.beside > b.beside;
    if (a.pod->created != b.pod->created) return a.pod->created > b.pod->created;
    return a.pod->key > b.pod->key;
  });
  for (int i = 0; i < int(all.size()) - copies; ++i) out.go.insert(all[i].pod->key);
}

}  // namespace

Estimate estimateScale(const ClusterState& state, const QString& app, int copies) {
  Estimate out;
  auto* w = state.workload(app);
  if (!w) return out;
  const int more = std::min(copies - w->wanted, kMaxEstimatedCopies);
  if (more <= 0) {
    fewer(state, app, copies, out);
    return out;
  }
  std::vector<Room> rooms;
  for (auto& [key, node] : state.nodes()) {
    if (tainted(node, *w)) continue;
    const auto used = state.requestsOn(key);
    Room r{key,
           node.cpuAllocatable - used.cpu,
           node.memoryAllocatable - used.memory,
           std::max<int64_t>(1, node.cpuAllocatable),
           std::max<int64_t>(1, node.memoryAllocatable),
           (node.podsAllocatable > 0 ? node.podsAllocatable : 110) - used.pods,
           0};
    for (auto& pod : state.podsOnNode(key)) r.same += state.pod(pod)->app == app;
    rooms.push_back(r);
  }
  std::sort(rooms.begin(), rooms.end(), [](auto& a, auto& b) { return a.node < b.node; });
  for (int i = 0; i < more; ++i) {
    Room* best = nullptr;
    for (auto& r : rooms) {
      if (r.pods <= 0 || r.cpu < w->cpuRequest || r.memory < w->memoryRequest) continue;
      if (!best || score(r, w->cpuRequest, w->memoryRequest) > score(*best, w->cpuRequest, w->memoryRequest))
        best = &r;
    }
    if (!best) {
      out.unplaced = more - i;
      break;
    }
    best->cpu -= w->cpuRequest;
    best->memory -= w->memoryRequest;
    --best->pods;
    ++best->same;
    ++out.come[best->node];
  }
  return out;
}

}  // namespace ph::models
