// A StatefulSet's status: the counts and revisions that kubectl rollout status reads.
#include "engine/controllers/common/pods.h"
#include "engine/controllers/statefulset/look.h"

namespace ph::controllers::statefulset {

namespace {

bool complete(const Look& l) {
  int64_t there = 0;
  for (auto& [ordinal, pod] : l.pods) there += l.wanted(ordinal);
  return l.rolling() && there == l.end() - l.first() && l.status.updatedReplicas == l.status.replicas &&
         l.status.readyReplicas == l.status.replicas;
}

}  // namespace

void countStatus(Look& l) {
  auto& s = l.status;
  s.observedGeneration = l.object->meta().generation;
  s.replicas = s.readyReplicas = s.availableReplicas = s.currentReplicas = s.updatedReplicas = 0;
  auto minReady = std::chrono::seconds(l.set.spec.minReadySeconds);
  std::optional<Duration> until;
  for (auto& [ordinal, pod] : l.pods) {
    ++s.replicas;
    if (podOf(pod).status.phase == "Running" && podReady(pod)) {
      ++s.readyReplicas;
      s.availableReplicas += podAvailable(pod, minReady, l.now.wall, &until);
    }
    if (pod->meta().deleting) continue;
    s.currentReplicas += pod->meta().label(kRevisionHash) == s.currentRevision;
    s.updatedReplicas += isUpdated(l, pod);
  }
  if (until) l.plan.lookAgain(*until);
  if (l.object->meta().deleting || !complete(l)) return;
  s.currentRevision = s.updateRevision;
  s.currentReplicas = s.updatedReplicas;
}

}  // namespace ph::controllers::statefulset
