// The history of pod templates that DaemonSets and StatefulSets keep: a ControllerRevision for each version,
// in the form that kubectl rollout history and undo read. Threads: pure.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "engine/api/selector.h"
#include "engine/controllers/snapshot.h"

namespace ph::controllers {

// On pods: the revision that they were made from. DaemonSets write the hash alone, StatefulSets the whole
// name.
inline constexpr std::string_view kRevisionHash = "controller-revision-hash";

// What an owner keeps of its templates.
struct History {
  std::vector<ObjectPtr>
      revisions;             // the owner's, oldest first (by .revision, then creation time, then name)
  ObjectPtr current;         // equal to the template now; null while it is made or adopted by the plan
  std::string currentName;   // its name, also while it is being made: OWNER-HASH
  int64_t nextRevision = 1;  // one above the highest
  int collisionCount = 0;    // for the owner's status: grows when a name was taken
};

// Finds the owner's revisions (claiming them by selector) and adds to `plan` what makes one for the template
// as it is; an equal older one becomes the newest, as after an undo. `collisionCount` goes into the hash, so
// that a name that something else has taken gives way to another. Nothing is made for an owner that is being
// deleted.
History keepHistory(const Snapshot& snapshot, const ObjectPtr& owner, const api::LabelSelector& selector,
                    int collisionCount, Plan& plan);

// Of the revisions that are neither current nor in `inUse` (names) all but the newest `limit` are deleted.
void trimHistory(const History& history, int limit, const std::set<std::string>& inUse, Plan& plan);

// The template that a revision holds; null when it holds none.
Json templateOf(const api::Object& revision);

}  // namespace ph::controllers
