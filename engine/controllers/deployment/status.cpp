// A Deployment's status: the counts, and the conditions that kubectl rollout status reads.
#include <algorithm>

#include "engine/api/conditions.h"
#include "engine/controllers/deployment/rollout.h"

namespace ph::controllers::deployment {

using api::apps::DeploymentCondition;
using api::apps::DeploymentStatus;

namespace {

void dropCondition(DeploymentStatus& status, std::string_view type) {
  std::erase_if(status.conditions, [&](auto& c) { return c.type == type; });
}

std::string subject(const Rollout& r) {
  return r.current ? fmt::format("ReplicaSet \"{}\"", r.current->name)
                   : fmt::format("Deployment \"{}\"", r.object->name());
}

bool progressed(const DeploymentStatus& now, const DeploymentStatus& before) {
  return now.updatedReplicas > before.updatedReplicas ||
         now.replicas - now.updatedReplicas < before.replicas - before.updatedReplicas ||
         now.readyReplicas > before.readyReplicas || now.availableReplicas > before.availableReplicas;
}

// How long until the deadline; negative when it has passed.
std::optional<Duration> timeLeft(const Rollout& r) {
  auto* c = api::findCondition(r.status.conditions, "Progressing");
  if (!c || !c->lastUpdateTime || !r.hasDeadline()) return std::nullopt;
  return *c->lastUpdateTime + std::chrono::seconds(*r.d.spec.progressDeadlineSeconds) - r.now.wall;
}

void failures(Rollout& r) {
  dropCondition(r.status, "ReplicaFailure");
  auto failing = [&](Set* s) {
    auto* c = s ? api::findCondition(s->status.conditions, "ReplicaFailure") : nullptr;
    if (c)
      r.status.conditions.push_back({c->type, c->status, c->lastTransitionTime, c->lastTransitionTime, c->reason, c->message});
    return c != nullptr;
  };
  if (failing(r.current)) return;
  for (auto* s : r.old())
    if (failing(s)) return;
}

}  // namespace

// A condition that says the same as before keeps its times; one with the same status keeps its transition
// time.
void setCondition(Rollout& r, std::string type, std::string status, std::string reason, std::string message) {
  auto* known = api::findCondition(r.status.conditions, type);
  if (known && known->status == status && known->reason == reason) return;
  DeploymentCondition c{type, status, r.now.wall, r.now.wall, std::move(reason), std::move(message)};
  if (known) {
    if (known->status == status) c.lastTransitionTime = known->lastTransitionTime;
    *known = std::move(c);
  } else {
    r.status.conditions.push_back(std::move(c));
  }
}

void checkPaused(Rollout& r) {
  if (!r.hasDeadline()) return;
  auto* c = api::findCondition(r.status.conditions, "Progressing");
  if (c && c->reason == "NewReplicaSetAvailable" && r.d.spec.paused) return;
  bool noted = c && c->reason == "DeploymentPaused";
  if (r.d.spec.paused && !noted)
    setCondition(r, "Progressing", "Unknown", "DeploymentPaused", "Deployment is paused");
  else if (!r.d.spec.paused && noted)
    setCondition(r, "Progressing", "Unknown", "DeploymentResumed", "Deployment is resumed");
}

bool complete(const Rollout& r, const DeploymentStatus& s) {
  return s.updatedReplicas == r.wanted() && s.replicas == r.wanted() && s.availableReplicas == r.wanted() &&
         s.observedGeneration >= r.object->meta().generation;
}

void countStatus(Rollout& r) {
  DeploymentStatus& s = r.status;
  s.observedGeneration = r.object->meta().generation;
  s.replicas = s.readyReplicas = s.availableReplicas = 0;
  int32_t sized = 0;
  for (auto& set : r.sets) {
    s.replicas += set.status.replicas;
    s.readyReplicas += set.status.readyReplicas;
    s.availableReplicas += set.status.availableReplicas;
    sized += set.replicas;
  }
  s.updatedReplicas = r.current ? r.current->status.replicas : 0;
  s.unavailableReplicas = std::max(0, sized - s.availableReplicas);
  if (s.availableReplicas >= r.wanted() - r.maxUnavailable())
    setCondition(r, "Available", "True", "MinimumReplicasAvailable", "Deployment has minimum availability.");
  else
    setCondition(r, "Available", "False", "MinimumReplicasUnavailable",
                 "Deployment does not have minimum availability.");
}

void progressStatus(Rollout& r) {
  DeploymentStatus& s = r.status;
  if (!r.hasDeadline()) dropCondition(s, "Progressing");
  auto* before = api::findCondition(s.conditions, "Progressing");
  bool wasComplete = s.replicas == s.updatedReplicas && before && before->reason == "NewReplicaSetAvailable";
  if (r.hasDeadline() && !wasComplete) {
    auto left = timeLeft(r);
    if (complete(r, s)) {
      setCondition(r, "Progressing", "True", "NewReplicaSetAvailable",
                   subject(r) + " has successfully progressed.");
    } else if (progressed(s, r.d.status)) {
      // Every step forward starts the deadline anew.
      DeploymentCondition c{"Progressing",       "True",
                            r.now.wall,          r.now.wall,
                            "ReplicaSetUpdated", subject(r) + " is progressing."};
      if (before && before->status == "True") c.lastTransitionTime = before->lastTransitionTime;
      dropCondition(s, "Progressing");
      s.conditions.push_back(std::move(c));
    } else if (left && *left < Duration::zero()) {
      setCondition(r, "Progressing", "False", "ProgressDeadlineExceeded",
                   subject(r) + " has timed out progressing.");
    }
  }
  failures(r);
  auto* c = api::findCondition(s.conditions, "Progressing");
  if (!c || complete(r, s) || c->reason == "ProgressDeadlineExceeded" ||
      c->reason == "NewReplicaSetAvailable")
    return;
  if (auto left = timeLeft(r))
    r.plan.lookAgain(std::max<Duration>(*left, Duration::zero()) + std::chrono::seconds(1));
}

void writeStatus(Rollout& r) {
  r.plan.patchStatus(*r.object, r.d.status, r.status);
}

}  // namespace ph::controllers::deployment
