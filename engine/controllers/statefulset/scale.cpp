// As many pods as wanted: from the lowest ordinal up, from the highest down; under OrderedReady one at a time, and none
// while one before it is not healthy.
#include <fmt/format.h>

#include <ranges>

#include "engine/controllers/common/pods.h"
#include "engine/controllers/statefulset/look.h"

namespace ph::controllers::statefulset {

namespace {

enum class State { Healthy, Unhealthy, Missing };

void makePod(Look& l, int64_t ordinal) {
  auto* kind = l.snapshot.kinds().pods;
  std::string name = l.podName(ordinal);
  if (ObjectPtr other = l.snapshot.get(kind, l.object->ns() + "/" + name)) {
    if (!other->meta().deleting) l.blocked(name, "a pod of that name is there and does not belong to the set");
    return;
  }
  if (!keepClaims(l, ordinal, nullptr)) return;
  Step& s = l.plan.create(kind, l.object->ns(), newPod(l, ordinal));
  l.told(s, "Create", fmt::format("create Pod {} in StatefulSet {}", name, l.object->name()));
}

// An ended pod does not start again: another takes its place once it is gone.
void replaceEnded(Look& l, const ObjectPtr& pod) {
  bool failed = podOf(pod).status.phase == "Failed";
  l.plan.notes.push_back(l.note(failed ? "Warning" : "Normal", failed ? "RecreatingFailedPod" : "RecreatingTerminatedPod",
                                fmt::format("StatefulSet {}/{} is recreating {} Pod {}", l.object->ns(),
                                            l.object->name(), failed ? "failed" : "terminated", pod->name())));
  l.remove(pod);
}

State keepPod(Look& l, int64_t ordinal) {
  auto it = l.pods.find(ordinal);
  if (it == l.pods.end()) {
    makePod(l, ordinal);
    return State::Missing;
  }
  auto& pod = it->second;
  if (pod->meta().deleting) return State::Unhealthy;
  auto& phase = podOf(pod).status.phase;
  if (phase == "Failed" || phase == "Succeeded") {
    replaceEnded(l, pod);
    return State::Missing;
  }
  keepIdentity(l, ordinal, pod);
  keepClaims(l, ordinal, pod);
  return l.healthy(pod) ? State::Healthy : State::Unhealthy;
}

}  // namespace

bool scaleUp(Look& l) {
  // After a failure one step goes first, to see whether the reason still holds.
  size_t most = l.plan.steps.size() + (l.key.failures > 0 ? 1 : kBurst);
  bool whole = true;
  for (int64_t ordinal = l.first(); ordinal < l.end(); ++ordinal) {
    State state = keepPod(l, ordinal);
    if (l.ordered() && state != State::Healthy) return false;
    if (state == State::Missing) whole = false;
    if (l.plan.steps.size() >= most) return false;
  }
  return whole;
}

bool scaleDown(Look& l) {
  ObjectPtr lowestUnhealthy;
  for (auto& [ordinal, pod] : l.pods)
    if (!lowestUnhealthy && !l.wanted(ordinal) && !l.healthy(pod)) lowestUnhealthy = pod;
  size_t most = l.plan.steps.size() + kBurst;
  for (auto& [ordinal, pod] : std::views::reverse(l.pods)) {
    if (l.wanted(ordinal)) continue;
    if (l.ordered() && !l.healthy(pod) && pod != lowestUnhealthy) return false;
    // Its claims must know their owner before it is gone.
    if (!pod->meta().deleting && keepClaims(l, ordinal, pod)) l.remove(pod);
    if (l.ordered() || l.plan.steps.size() >= most) return false;
  }
  return true;
}

}  // namespace ph::controllers::statefulset
