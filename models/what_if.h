// What if there were more or fewer copies: an estimate from requests, room and spreading, for the moment until the
// scheduler has answered, and for clusters whose scheduler can't be asked; it is shown as an estimate then.
// Threads: GUI thread only. O(copies x machines), copies bounded by kMaxCopies.
#pragma once

#include "models/cluster_state.h"

namespace ph::models {

struct Estimate {
  QHash<QString, int> come;  // node -> copies that would land there
  QSet<QString> go;          // pods that would be stopped
  int unplaced = 0;          // copies that fit nowhere now
  bool sure = false;         // the scheduler said so
};

constexpr int kMaxEstimatedCopies = 500;

Estimate estimateScale(const ClusterState& state, const QString& app, int copies);

}  // namespace ph::models
