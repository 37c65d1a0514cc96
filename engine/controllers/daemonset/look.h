// Look: one look at one DaemonSet: its pods by the nodes that they are for, and what is decided about them.
// Threads: pure.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "engine/api/types/apps.h"
#include "engine/controllers/common/revisions.h"
#include "engine/controllers/daemonset/daemon_pod.h"
#include "engine/controllers/snapshot.h"

namespace ph::controllers::daemonset {

struct Place {
  Fit fit = Fit::Never;
  // Bound ones first, then the oldest. Without ended ones that are being deleted: nothing runs any more.
  std::vector<ObjectPtr> pods;
  int failures = 0;     // of the template's pods here in a row
  bool wanted = false;  // a pod is to be made here
};

struct Look {
  Look(const Snapshot& snapshot, ObjectPtr object, const Key& key, Moment now);

  const Snapshot& snapshot;
  const ObjectPtr object;
  const api::apps::DaemonSet& set;
  const Key& key;
  const Moment now;
  Plan plan;
  const Demand demand;
  History history;
  std::string hash;       // of the template now
  bool claiming = false;  // pods change hands first
  std::vector<ObjectPtr> pods;
  std::map<std::string, Place, std::less<>> places;  // every node
  std::vector<ObjectPtr> unwanted;                   // pods to delete
  int desired = 0;                                   // nodes that are to have a pod
  int maxSurge = 0, maxUnavailable = 0;              // of an update, in nodes

  bool updated(const ObjectPtr& pod) const { return pod->meta().label(kRevisionHash) == hash; }
  bool available(const ObjectPtr& pod);  // sees to it that there is another look when it will be
  bool rolling() const { return set.spec.updateStrategy.type != "OnDelete"; }
};

// The hash that stands for a revision in the labels of pods.
std::string hashOf(const api::Object& revision, const std::string& owner);

// nodes.cpp: one pod where there is to be one, none where it may not be.
void tend(Look& look);
// update.cpp: old pods give way to new ones.
void rollOut(Look& look);

}  // namespace ph::controllers::daemonset
