// Whether a Job is to end, and the conditions that say so. The decision comes first (FailureTarget,
// SuccessCriteriaMet), so that it stands whatever happens to the pods; the end (Failed, Complete) once no pod is left
// that could still change the numbers.
#include <algorithm>

#include "engine/api/conditions.h"
#include "engine/controllers/job/run.h"

namespace ph::controllers::job {
namespace {

using api::batch::JobCondition;
using api::batch::JobStatus;

constexpr std::string_view kFailing = "FailureTarget", kSucceeding = "SuccessCriteriaMet";

// Containers that are started again in their pods count against the limit, too.
bool restartedTooOften(const Run& r) {
  if (r.job.spec.template_.spec.restartPolicy != "OnFailure") return false;
  int64_t restarts = 0, limit = r.job.spec.backoffLimit.value_or(6);
  for (auto& object : r.active) {
    auto& status = podOf(object).status;
    if (status.phase != "Running" && status.phase != "Pending") continue;
    for (auto* list : {&status.initContainerStatuses, &status.containerStatuses})
      for (auto& c : *list) restarts += c.restartCount;
  }
  return limit == 0 ? restarts > 0 : restarts >= limit;
}

bool pastDeadline(Run& r) {
  if (!r.job.spec.activeDeadlineSeconds || !r.status.startTime || r.suspended()) return false;
  Duration left = *r.status.startTime + std::chrono::seconds(*r.job.spec.activeDeadlineSeconds) - r.now.wall;
  if (left <= Duration::zero()) return true;
  r.plan.lookAgain(left);
  return false;
}

std::optional<Verdict> failure(Run& r) {
  if (!r.policyFailure.empty()) return Verdict{true, "PodFailurePolicy", r.policyFailure};
  if (r.failed > r.job.spec.backoffLimit.value_or(6) || restartedTooOften(r))
    return Verdict{true, "BackoffLimitExceeded", "Job has reached the specified backoff limit"};
  if (pastDeadline(r)) return Verdict{true, "DeadlineExceeded", "Job was active longer than specified deadline"};
  if (r.job.spec.maxFailedIndexes && r.lost.count() > *r.job.spec.maxFailedIndexes)
    return Verdict{true, "MaxFailedIndexesExceeded", "Job has exceeded the specified maximal number of failed indexes"};
  if (r.lost.count() > 0 && r.active.empty() && r.done.count() + r.lost.count() >= r.lost.limit())
    return Verdict{true, "FailedIndexes", "Job has failed indexes"};
  return std::nullopt;
}

bool policyMet(const Run& r) {
  for (auto& rule : r.job.spec.successPolicy.orEmpty().rules) {
    if (rule.succeededIndexes.empty()) {
      if (rule.succeededCount && r.done.count() >= *rule.succeededCount) return true;
      continue;
    }
    Indexes wanted(r.done.limit(), rule.succeededIndexes);
    int32_t met = 0;
    for (int32_t i = 0; i < wanted.limit(); ++i) met += wanted.has(i) && r.done.has(i);
    if (met >= rule.succeededCount.value_or(wanted.count())) return true;
  }
  return false;
}

std::optional<Verdict> success(const Run& r) {
  if (r.indexed() && policyMet(r)) return Verdict{false, "SuccessPolicy", "Enough of the indexes have succeeded"};
  if (!r.active.empty()) return std::nullopt;
  // A work queue is done when one pod says so and the others have ended.
  bool all = r.job.spec.completions ? r.succeeded >= *r.job.spec.completions : r.succeeded > 0;
  if (all) return Verdict{false, "CompletionsReached", "Reached expected number of succeeded pods"};
  return std::nullopt;
}

const JobCondition* holding(const JobStatus& status, std::string_view type) {
  auto* c = api::findCondition(status.conditions, type);
  return c && c->status == "True" ? c : nullptr;
}

}  // namespace

void setCondition(Run& r, std::string type, bool on, std::string reason, std::string message) {
  auto* c = api::findCondition(r.status.conditions, type);
  if (!c) c = &r.status.conditions.emplace_back();
  *c = JobCondition{std::move(type), on ? "True" : "False", r.now.wall, r.now.wall, std::move(reason), std::move(message)};
}

const JobCondition* finished(const JobStatus& status) {
  for (auto* type : {"Complete", "Failed"})
    if (auto* c = holding(status, type)) return c;
  return nullptr;
}

std::optional<Verdict> decided(const JobStatus& status) {
  if (auto* c = holding(status, kFailing)) return Verdict{true, c->reason, c->message};
  if (auto* c = holding(status, kSucceeding)) return Verdict{false, c->reason, c->message};
  return std::nullopt;
}

std::optional<Verdict> verdictOf(Run& r) {
  if (auto before = decided(r.status)) return before;
  auto verdict = failure(r);
  if (!verdict) verdict = success(r);
  if (verdict) setCondition(r, std::string(verdict->failed ? kFailing : kSucceeding), true, verdict->reason, verdict->message);
  return verdict;
}

void carryOut(Run& r, const Verdict& verdict) {
  if (!r.active.empty()) return deleteActive(r);
  if (r.terminating > 0 || r.uncounted) return;
  setCondition(r, verdict.failed ? "Failed" : "Complete", true, verdict.reason, verdict.message);
  auto about = client::ObjectReference::to(*r.object);
  if (verdict.failed) {
    r.plan.notes.push_back({about, "Warning", verdict.reason, verdict.message});
    return;
  }
  r.status.completionTime = r.now.wall;
  r.plan.notes.push_back({about, "Normal", "Completed", "Job completed"});
  if (r.job.spec.completions && r.succeeded > *r.job.spec.completions)
    r.plan.notes.push_back({about, "Warning", "TooManySucceededPods", "More pods succeeded than the job asked for"});
}

}  // namespace ph::controllers::job
