// The two strategies: rolling update and recreate; and the forgetting of old ReplicaSets.
#include <algorithm>

#include "engine/controllers/common/pods.h"
#include "engine/controllers/deployment/rollout.h"

namespace ph::controllers::deployment {

namespace {

bool growCurrent(Rollout& r) {
  Set& s = *r.current;
  if (!s.object || s.replicas == r.wanted()) return !s.object;
  int32_t before = s.replicas;
  r.scale(s, before > r.wanted() ? r.wanted() : newSetSize(r, before));
  return s.replicas != before;
}

// Pods that do not work go first: they cost no availability.
int32_t shrinkUnhealthy(Rollout& r, int32_t most) {
  int32_t gone = 0;
  for (auto* s : r.old()) {
    if (gone >= most) break;
    int32_t unhealthy = s->replicas - s->status.availableReplicas;
    if (s->replicas == 0 || unhealthy <= 0) continue;
    int32_t count = std::min(most - gone, unhealthy);
    r.scale(*s, s->replicas - count);
    gone += count;
  }
  return gone;
}

bool shrinkOld(Rollout& r) {
  int32_t oldTotal = 0, total = 0;
  for (auto& s : r.sets) total += s.replicas;
  for (auto* s : r.old()) oldTotal += s->replicas;
  if (oldTotal == 0) return false;
  int32_t least = r.wanted() - r.maxUnavailable();
  int32_t unavailable = r.current->replicas - r.current->status.availableReplicas;
  int32_t most = total - least - unavailable;
  if (most <= 0) return false;
  int32_t gone = shrinkUnhealthy(r, most);
  int32_t available = 0;
  for (auto& s : r.sets) available += s.status.availableReplicas;
  int32_t spare = available - least;
  for (auto* s : r.old()) {
    if (spare <= 0) break;
    // What was just taken away was not available: the available ones are at most what is left.
    int32_t count = std::min(s->replicas, spare);
    if (count <= 0) continue;
    r.scale(*s, s->replicas - count);
    spare -= count;
    gone += count;
  }
  return gone > 0;
}

}  // namespace

bool rollForward(Rollout& r) {
  if (!r.current) return false;
  return growCurrent(r) || shrinkOld(r);
}

bool recreate(Rollout& r) {
  bool shrunk = false;
  for (auto* s : r.old()) {
    if (s->replicas == 0) continue;
    r.scale(*s, 0);
    shrunk = true;
  }
  if (shrunk) return true;
  for (auto* s : r.old()) {
    if (s->status.replicas > 0) return false;
    for (auto& [key, pod] : r.snapshot.dependents(s->object->uid(), r.snapshot.kinds().pods)) {
      auto& phase = podOf(pod).status.phase;
      if (phase != "Succeeded" && phase != "Failed") return false;
    }
  }
  if (!r.current) {
    syncSets(r, true);
    return true;
  }
  if (r.current->replicas == r.wanted()) return false;
  r.scale(*r.current, r.wanted());
  return true;
}

void cleanUp(Rollout& r) {
  if (!r.d.spec.revisionHistoryLimit) return;
  std::vector<Set*> old = r.old();
  std::erase_if(old, [](Set* s) { return !s->object || s->object->meta().deleting; });
  int excess = int(old.size()) - *r.d.spec.revisionHistoryLimit;
  std::stable_sort(old.begin(), old.end(),
                   [](auto* a, auto* b) { return revisionOf(*a->object) < revisionOf(*b->object); });
  for (int i = 0; i < excess; ++i) {
    Set& s = *old[size_t(i)];
    if (s.replicas != 0 || s.status.replicas != 0 ||
        s.object->meta().generation > s.status.observedGeneration)
      continue;
    r.plan.remove(*s.object);
  }
}

}  // namespace ph::controllers::deployment
