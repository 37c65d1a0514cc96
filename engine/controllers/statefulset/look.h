// Look: one look at one StatefulSet with its pods, on which scaling and updating work. What they decide is gathered in
// `plan`. Threads: pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "engine/api/types/apps.h"
#include "engine/controllers/common/revisions.h"
#include "engine/controllers/plan.h"
#include "engine/controllers/snapshot.h"

namespace ph::controllers::statefulset {

// At most about as many steps towards pods are in one plan.
inline constexpr int kBurst = 500;

struct Look {
  Look(const Snapshot& snapshot, ObjectPtr object, const Key& key, Moment now);

  const Snapshot& snapshot;
  const ObjectPtr object;
  const api::apps::StatefulSet& set;
  const Key& key;
  const Moment now;
  Plan plan;
  History history;
  api::apps::StatefulSetStatus status;  // the revisions' names are those to work with; the counts are filled in last
  Json newTemplate;                     // of status.updateRevision
  Json oldTemplate;                     // of status.currentRevision; null when that is the same or unreadable
  std::map<int64_t, ObjectPtr> pods;    // the set's own, by ordinal
  bool claiming = false;                // pods change hands first

  int64_t first() const { return set.spec.ordinals.orEmpty().start.value_or(0); }
  int64_t end() const { return first() + set.spec.replicas.value_or(1); }
  bool wanted(int64_t ordinal) const { return ordinal >= first() && ordinal < end(); }
  // The first ordinal that a rolling update reaches.
  int64_t firstUpdated() const {
    return first() + set.spec.updateStrategy.rollingUpdate.orEmpty().partition.value_or(0);
  }
  bool ordered() const { return set.spec.podManagementPolicy != "Parallel"; }
  bool rolling() const { return set.spec.updateStrategy.type != "OnDelete"; }
  std::string podName(int64_t ordinal) const { return object->name() + "-" + std::to_string(ordinal); }
  // Running, ready for minReadySeconds, and not on its way out.
  bool healthy(const ObjectPtr& pod) const;

  void remove(const ObjectPtr& pod);
  // A pod can't be made for now, and its user should know why.
  void blocked(const std::string& pod, const std::string& why);
  Note note(std::string type, std::string reason, std::string message) const;
  // The events of a step: `what` it does, and `reason` without its "Successful" or "Failed".
  void told(Step& step, const std::string& reason, const std::string& what) const;
};

// identity.cpp
// The ordinal in a pod's name; nullopt: it is not the name of a pod of this set.
std::optional<int64_t> ordinalOf(std::string_view set, std::string_view pod);
Json newPod(const Look& l, int64_t ordinal);
void keepIdentity(Look& l, int64_t ordinal, const ObjectPtr& pod);
bool isUpdated(const Look& l, const ObjectPtr& pod);

// claims.cpp
std::string claimName(std::string_view claimTemplate, const std::string& pod);
// True when a pod's claims are as they should be, owners included. What they lack is added to the plan. `pod` is null
// when it is yet to be made.
bool keepClaims(Look& l, int64_t ordinal, const ObjectPtr& pod);
// The volumes that a new pod gets from its claims.
void addClaimedVolumes(const Look& l, const std::string& pod, JsonObject& spec);

// scale.cpp: true when nothing is left to wait for.
bool scaleUp(Look& l);
bool scaleDown(Look& l);

// update.cpp
void roll(Look& l);

// status.cpp
void countStatus(Look& l);

}  // namespace ph::controllers::statefulset
