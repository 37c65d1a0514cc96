#include "engine/controllers/job/job.h"

#include <algorithm>

#include "engine/api/conditions.h"
#include "engine/controllers/job/run.h"
#include "engine/controllers/replicaset/replicas.h"

namespace ph::controllers {
namespace {

using job::Run;

constexpr std::string_view kManager = "kubernetes.io/job-controller";

struct JobForm {
  using Object = api::batch::Job;
  static constexpr std::string_view word = "Job";
  static const ResourceInfo* kind(const Kinds& kinds) { return kinds.jobs; }
  static api::LabelSelector selector(const Object& job) { return selectorOf(job.spec.selector.orEmpty()); }
};

// The time that counts against the deadline runs only while the job may work.
void startOrSuspend(Run& r) {
  auto about = client::ObjectReference::to(*r.object);
  auto* before = api::findCondition(r.status.conditions, "Suspended");
  bool was = before && before->status == "True";
  if (r.suspended()) {
    r.status.startTime.reset();
    if (was) return;
    job::setCondition(r, "Suspended", true, "JobSuspended", "Job suspended");
    r.plan.notes.push_back({about, "Normal", "Suspended", "Job suspended"});
    return;
  }
  if (was) {
    job::setCondition(r, "Suspended", false, "JobResumed", "Job resumed");
    r.plan.notes.push_back({about, "Normal", "Resumed", "Job resumed"});
  }
  if (was || !r.status.startTime) r.status.startTime = r.now.wall;
}

// Only onto the very status that this one was made from: a number may not count twice.
void writeStatus(Run& r) {
  r.status.active = static_cast<int32_t>(r.active.size());
  r.status.ready = static_cast<int32_t>(std::count_if(r.active.begin(), r.active.end(), podReady));
  r.status.terminating = r.terminating;
  r.plan.patchStatus(*r.object, r.job.status, r.status, Onto::Same);
}

// The numbers of a finished job stand: pods that come late count no more.
Plan releaseAll(Run& r) {
  for (auto& [key, pod] : r.snapshot.dependents(r.object->uid(), r.snapshot.kinds().pods))
    if (job::tracked(pod)) job::setTracked(pod, false, r.plan);
  return std::move(r.plan);
}

}  // namespace

Plan reconcileJob(const Snapshot& snapshot, const Key& key, Moment now) {
  ObjectPtr object = snapshot.get(snapshot.kinds().jobs, key.text);
  if (!object) return {};
  Run r(snapshot, object, key, now);
  auto selector = JobForm::selector(r.job);
  bool foreign = !r.job.spec.managedBy.empty() && r.job.spec.managedBy != kManager;
  if (foreign || selector.empty()) return {};
  if (job::finished(r.job.status)) return releaseAll(r);
  r.pods = claim(snapshot, object, snapshot.kinds().pods, selector, r.plan);
  bool claiming = !r.plan.empty();
  job::countEnded(r);
  // Adopted pods count before anything is decided.
  if (!r.leaving() && !claiming) {
    startOrSuspend(r);
    if (auto verdict = job::verdictOf(r))
      job::carryOut(r, *verdict);
    else
      job::managePods(r);
  }
  writeStatus(r);
  return std::move(r.plan);
}

ControllerSpec jobController(const Kinds& kinds) {
  ControllerSpec spec;
  spec.name = "job-controller";
  spec.watches = {{kinds.jobs, keySelf}, {kinds.pods, replicas::keysOfPod<JobForm>}};
  spec.reconcile = reconcileJob;
  return spec;
}

Plan releaseStrayPod(const Snapshot& snapshot, const Key& key) {
  Plan plan;
  ObjectPtr pod = snapshot.get(snapshot.kinds().pods, key.text);
  if (!pod || !job::tracked(pod)) return plan;
  auto* owner = pod->meta().controller();
  if (owner && snapshot.kindOf(*owner) == snapshot.kinds().jobs) {
    if (snapshot.owner(*owner, pod->ns())) return plan;
    plan.absences.push_back({snapshot.kinds().jobs, pod->ns(), owner->name, owner->uid});
  }
  job::setTracked(pod, false, plan);
  return plan;
}

ControllerSpec strayJobPodsController(const Kinds& kinds) {
  ControllerSpec spec;
  spec.name = "job-pod-finalizers";
  auto pod = [](const Snapshot&, const client::Change& c, Keys& keys) {
    if (c.now && job::tracked(c.now)) keys.push_back(c.now->key());
  };
  auto owner = [](const Snapshot& snapshot, const client::Change& c, Keys& keys) {
    if (!c.old || (c.now && c.now->uid() == c.old->uid())) return;
    for (auto& [key, pod] : snapshot.dependents(c.old->uid(), snapshot.kinds().pods)) keys.push_back(key);
  };
  spec.watches = {{kinds.pods, pod}, {kinds.jobs, owner}};
  spec.reconcile = [](const Snapshot& s, const Key& key, Moment) { return releaseStrayPod(s, key); };
  return spec;
}

}  // namespace ph::controllers
