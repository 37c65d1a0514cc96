// Rollout: one look at one Deployment with its ReplicaSets, on which the steps of the rollout work. What they
// decide is gathered in `plan`; `replicas` of each set is the wanted size so far. Threads: pure.
#pragma once

#include <fmt/format.h>

#include <deque>
#include <string>
#include <vector>

#include "engine/api/types/apps.h"
#include "engine/controllers/plan.h"
#include "engine/controllers/snapshot.h"

namespace ph::controllers::deployment {

inline constexpr std::string_view kHashLabel = "pod-template-hash";
inline constexpr std::string_view kRevision = "deployment.kubernetes.io/revision";
inline constexpr std::string_view kRevisionHistory = "deployment.kubernetes.io/revision-history";
inline constexpr std::string_view kDesired = "deployment.kubernetes.io/desired-replicas";
inline constexpr std::string_view kMax = "deployment.kubernetes.io/max-replicas";

struct Set {
  ObjectPtr object;  // null: made by this very plan
  std::string name;
  int32_t replicas = 0;
  api::apps::ReplicaSetStatus status;
  bool sized = false;      // `replicas` was decided now: its annotations must say so
  JsonObject annotations;  // to change
  bool minReady = false;   // minReadySeconds to change
  const api::apps::ReplicaSet* rs() const { return object ? &object->as<api::apps::ReplicaSet>() : nullptr; }
};

struct Rollout {
  Rollout(const Snapshot& snapshot, ObjectPtr object, const Key& key, Moment now);

  const Snapshot& snapshot;
  const ObjectPtr object;
  const api::apps::Deployment& d;
  const Key& key;
  const Moment now;
  Plan plan;
  api::apps::DeploymentStatus status;  // conditions are worked on here; the counts are filled in last
  std::deque<Set> sets;                // oldest first
  Set* current = nullptr;              // of the wanted template; null: none yet
  bool claiming = false;               // ReplicaSets change hands first

  int32_t wanted() const { return d.spec.replicas.value_or(1); }
  bool rolling() const { return d.spec.strategy.type != "Recreate"; }
  int32_t maxSurge() const;
  int32_t maxUnavailable() const;
  bool hasDeadline() const;
  std::vector<Set*> old();     // all but the current one, oldest first
  std::vector<Set*> active();  // all that want pods
  void scale(Set& set, int32_t replicas) {
    set.replicas = replicas;
    set.sized = true;
  }
};

// sets.cpp: finds the current set, makes it when `create`, keeps annotations and revisions in step.
void syncSets(Rollout& r, bool create);
std::string templateText(const api::core::PodTemplateSpec& pod);
int64_t revisionOf(const api::Object& object);

// scale.cpp
bool isScaling(const Rollout& r);
void scaleProportionally(Rollout& r);
int32_t newSetSize(Rollout& r, int32_t now);
// One patch for each set that changes; resizing is told as an event.
void writeSets(Rollout& r);

// roll.cpp: true when something was scaled.
bool rollForward(Rollout& r);
bool recreate(Rollout& r);
void cleanUp(Rollout& r);

// status.cpp
void checkPaused(Rollout& r);
bool complete(const Rollout& r, const api::apps::DeploymentStatus& status);
void countStatus(Rollout& r);
void progressStatus(Rollout& r);
void writeStatus(Rollout& r);
void setCondition(Rollout& r, std::string type, std::string status, std::string reason, std::string message);

}  // namespace ph::controllers::deployment
