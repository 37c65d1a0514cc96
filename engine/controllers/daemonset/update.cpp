// The rolling update: as many nodes at once as may be without an available pod, or as may have a second one.
// Pods that are not available give way whatever the limit: they cost nothing.
#include <algorithm>

#include "engine/controllers/common/pods.h"
#include "engine/controllers/daemonset/look.h"

namespace ph::controllers::daemonset {

namespace {

// The pod that is there to stay; null when there is none.
ObjectPtr standing(const Place& place, auto&& which) {
  for (auto& pod : place.pods)
    if (!pod->meta().deleting && which(pod)) return pod;
  return nullptr;
}

void replaceOld(Look& l) {
  int unavailable = 0;
  std::vector<ObjectPtr> serving;
  for (auto& [node, place] : l.places) {
    if (place.fit != Fit::Run) continue;
    ObjectPtr pod = standing(place, [](auto&) { return true; });
    bool available = pod && l.available(pod);
    unavailable += !available;
    if (pod && !l.updated(pod)) (available ? serving : l.unwanted).push_back(pod);
  }
  size_t room = size_t(std::max(l.maxUnavailable - unavailable, 0));
  serving.resize(std::min(room, serving.size()));
  l.unwanted.insert(l.unwanted.end(), serving.begin(), serving.end());
}

void addBeside(Look& l) {
  int surging = 0;
  std::vector<Place*> serving;
  for (auto& [node, place] : l.places) {
    if (place.fit != Fit::Run) continue;
    ObjectPtr old = standing(place, [&](auto& p) { return !l.updated(p); });
    if (!old) continue;
    if (standing(place, [&](auto& p) { return l.updated(p); }))
      ++surging;  // the new one is not available yet, or the old one would be gone
    else if (!l.available(old))
      place.wanted = true;
    else
      serving.push_back(&place);
  }
  size_t room = size_t(std::max(l.maxSurge - surging, 0));
  serving.resize(std::min(room, serving.size()));
  for (auto* place : serving) place->wanted = true;
}

}  // namespace

void rollOut(Look& l) {
  if (!l.rolling()) return;
  if (l.maxSurge > 0)
    addBeside(l);
  else
    replaceOld(l);
}

}  // namespace ph::controllers::daemonset
