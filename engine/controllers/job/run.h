// Run: one look at one Job: what its pods say, and the plan and status that come of it. Inside of the Job controller.
// Threads: pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/api/types/batch.h"
#include "engine/controllers/common/pods.h"
#include "engine/controllers/job/indexes.h"
#include "engine/controllers/job/job.h"

namespace ph::controllers::job {

inline constexpr std::string_view kFinalizer = "batch.kubernetes.io/job-tracking";
inline constexpr std::string_view kIndex = "batch.kubernetes.io/job-completion-index";  // annotation and label
// At most as many pods are made, deleted or newly counted by one plan.
inline constexpr int kBurst = 500;

// With backoffLimitPerIndex: what the pods of one index say of it.
struct History {
  int noted = 0;     // the most failures that a pod was made with in mind
  int failures = 0;  // those, and the failure of such a pod
  std::optional<WallTime> last;  // failure
};

enum class End { None, Succeeded, Failed, Ignored };  // Ignored: it failed, but the failure policy forgives it

struct Run {
  Run(const Snapshot& snapshot, ObjectPtr object, const Key& key, Moment now)
      : snapshot(snapshot),
        object(std::move(object)),
        job(this->object->as<api::batch::Job>()),
        key(key),
        now(now),
        status(job.status),
        doneBefore(indexed() ? job.spec.completions.value_or(0) : 0, job.status.completedIndexes),
        lostBefore(perIndex() ? job.spec.completions.value_or(0) : 0, job.status.failedIndexes),
        done(doneBefore),
        lost(lostBefore) {}

  const Snapshot& snapshot;
  const ObjectPtr object;
  const api::batch::Job& job;
  const Key& key;
  const Moment now;
  Plan plan;
  api::batch::JobStatus status;          // as it will be
  const Indexes doneBefore, lostBefore;  // as the status has them
  Indexes done;                          // Indexed: which have ended well
  Indexes lost;                          // with backoffLimitPerIndex: which are given up
  std::map<int32_t, History> history;

  std::vector<ObjectPtr> pods, active;  // all that it controls; those of them that are active
  // All that ended, whether or not they are already numbers in the status.
  int succeeded = 0, failed = 0;
  int terminating = 0;        // being deleted, and not yet ended
  bool uncounted = false;     // some pod still has its finalizer, or waits to become a number
  std::string policyFailure;  // why the failure policy gives the job up; empty: it does not

  bool indexed() const { return job.spec.completionMode == "Indexed"; }
  bool perIndex() const { return indexed() && job.spec.backoffLimitPerIndex; }
  bool suspended() const { return job.spec.suspend.value_or(false); }
  int parallelism() const { return job.spec.parallelism.value_or(1); }
  bool leaving() const { return object->meta().deleting; }
};

// Why a job ends.
struct Verdict {
  bool failed = false;
  std::string reason, message;
};

// ended.cpp: pods that came to an end.
bool tracked(const ObjectPtr& pod);  // has the finalizer
void setTracked(const ObjectPtr& pod, bool on, Plan& plan);
End endOf(const Run& run, const ObjectPtr& pod);
std::optional<int32_t> indexOf(const Run& run, const ObjectPtr& pod);  // nullopt: not one of this job
void countEnded(Run& run);
WallTime finishTime(const ObjectPtr& pod);
// How long new pods have to wait because others failed; zero: not at all.
Duration backoffLeft(const Run& run);
// The same after so many failures in a row, the last of them then.
Duration backoffLeft(const Run& run, size_t failures, WallTime last);

// per_index.cpp: spec.backoffLimitPerIndex. Each pod says in an annotation how often its index failed before it; a failed
// pod keeps its finalizer until another one says so, or no other one is to come: no failure is forgotten.
inline constexpr std::string_view kIndexFailures = "batch.kubernetes.io/job-index-failure-count";
void recall(Run& run);                                                // fills `history`, adds to `lost`
bool remembered(const Run& run, const ObjectPtr& pod, int32_t index);  // its failure is, without it

// policy.cpp: what spec.podFailurePolicy says of a failed pod.
struct Ruling {
  std::string action;  // empty: no rule matches
  std::string why;
};
Ruling judge(const api::batch::Job& job, const ObjectPtr& pod);

// verdict.cpp: whether the job is to end, and the conditions that say so.
void setCondition(Run& run, std::string type, bool on, std::string reason, std::string message);
std::optional<Verdict> decided(const api::batch::JobStatus& status);  // what was stored as decided
std::optional<Verdict> verdictOf(Run& run);
void carryOut(Run& run, const Verdict& verdict);

// manage.cpp: pods made and deleted.
void managePods(Run& run);
void deleteActive(Run& run);

}  // namespace ph::controllers::job
