// What each node is to have, apart from updates: a missing pod is made, failed ones are replaced with
// back-off, what is too much goes.
#include <fmt/format.h>

#include <algorithm>

#include "engine/controllers/common/pods.h"
#include "engine/controllers/daemonset/look.h"

namespace ph::controllers::daemonset {

namespace {

constexpr Duration kFirstWait = std::chrono::seconds(1);
constexpr Duration kLongestWait = std::chrono::minutes(15);
// A pod that lasted so long before it failed starts the count anew.
constexpr Duration kForget = 2 * kLongestWait;

Duration waitAfter(int failures) {
  if (failures <= 0) return Duration::zero();
  Duration wait = kFirstWait;
  for (int i = 1; i < failures && wait < kLongestWait; ++i) wait *= 2;
  return std::min(wait, kLongestWait);
}

// Counted from the pod's creation, by the clock that is ours. False: not yet.
bool retire(Look& l, Place& place, const std::string& node, const ObjectPtr& pod) {
  int before = l.updated(pod) ? failuresBefore(pod) : 0;
  Duration age = l.now.wall - pod->meta().created;
  Duration wait = waitAfter(before);
  // One from the future: the clock went back, and says nothing.
  if (age >= Duration::zero() && age < wait) {
    l.plan.lookAgain(wait - age);
    return false;
  }
  if (l.updated(pod)) place.failures = std::max(place.failures, age >= kForget ? 1 : before + 1);
  bool failed = podOf(pod).status.phase == "Failed";
  l.plan.notes.push_back({client::ObjectReference::to(*l.object), failed ? "Warning" : "Normal",
                          failed ? "FailedDaemonPod" : "SucceededDaemonPod",
                          fmt::format("Found {} daemon pod {} on node {}, will replace it",
                                      failed ? "failed" : "succeeded", pod->key(), node)});
  l.unwanted.push_back(pod);
  return true;
}

// Of several pods the first is kept; during an update with surge, one old and one new, until the new one is
// available or the old one no longer serves.
std::vector<ObjectPtr> surplus(Look& l, const std::vector<ObjectPtr>& pods) {
  bool surge = l.maxSurge > 0;
  ObjectPtr old, fresh;
  std::vector<ObjectPtr> out;
  for (auto& pod : pods) {
    ObjectPtr& kept = surge && l.updated(pod) ? fresh : old;
    if (kept)
      out.push_back(pod);
    else
      kept = pod;
  }
  if (old && fresh && (!podReady(old) || l.available(fresh))) out.push_back(old);
  return out;
}

void drop(Look& l, Place& place, const std::vector<ObjectPtr>& pods) {
  l.unwanted.insert(l.unwanted.end(), pods.begin(), pods.end());
  std::erase_if(place.pods, [&](auto& p) { return std::find(pods.begin(), pods.end(), p) != pods.end(); });
}

void tend(Look& l, const std::string& node, Place& place) {
  std::vector<ObjectPtr> running;
  std::erase_if(place.pods, [&](auto& pod) {
    if (pod->meta().deleting) return false;
    if (place.fit != Fit::Never && ended(pod)) return retire(l, place, node, pod);
    running.push_back(pod);
    return false;
  });
  drop(l, place, place.fit == Fit::Never ? running : surplus(l, running));
  // One that is on its way out still holds its ports and volumes: the next comes after it.
  place.wanted = place.fit == Fit::Run && place.pods.empty();
}

}  // namespace

void tend(Look& l) {
  for (auto& [node, place] : l.places) tend(l, node, place);
  // Made for a node that has gone since: nobody will ever bind it.
  for (auto& pod : l.pods)
    if (!pod->meta().deleting && podOf(pod).spec.nodeName.empty())
      if (auto node = nodeOf(pod); !node.empty() && !l.places.contains(node)) l.unwanted.push_back(pod);
}

}  // namespace ph::controllers::daemonset
