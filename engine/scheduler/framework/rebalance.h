// Rebalancing: a placed pod that the scheduler would put elsewhere today, where the cluster is better off for it: its
// application's copies stand further apart, or a node that is much fuller than another gives one away.
// Each such move makes the copies' spread better, or leaves it and makes the fuller node the less full, so a row of them ends.
// Threads: none of its own; the scheduler's strand. The cluster is changed while it looks, and is as it was afterwards.
#pragma once

#include <functional>
#include <optional>

#include "engine/scheduler/framework/chooser.h"

namespace ph::scheduler {

struct Relocation {
  PodInfoPtr pod;
  std::string from, to;
  double fromUse = 0, toUse = 0;  // 0 to 1, as they are now: the most used of CPU, memory and pods, by requests
  int fromCopies = 0, toCopies = 0;  // of the pod's owner, as they are now
  bool spreads() const { return fromCopies - toCopies >= 2; }  // else it evens out
};

// Looks at the fullest nodes first, at no more than `tries` pods, after `skip` of them. `skip` becomes where the next look
// begins, 0 when all were looked at. Only pods that `movable` allows.
std::optional<Relocation> findRelocation(Cluster& cluster, Chooser& chooser, const std::function<bool(const PodInfo&)>& movable,
                                         size_t tries, size_t& skip);

}  // namespace ph::scheduler
