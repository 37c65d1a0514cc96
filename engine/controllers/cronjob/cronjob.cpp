#include "engine/controllers/cronjob/cronjob.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <set>

#include "engine/api/types/batch.h"
#include "engine/controllers/common/pods.h"
#include "engine/controllers/cronjob/schedule.h"
#include "engine/controllers/job/job.h"

namespace ph::controllers {
namespace {

using api::batch::CronJob;
using api::batch::CronJobStatus;
using api::batch::Job;

constexpr std::string_view kScheduled = "batch.kubernetes.io/cronjob-scheduled-timestamp";
constexpr int kTooMany = 100;  // missed times: more point to a fault

struct Cron {
  const Snapshot& snapshot;
  const ObjectPtr object;
  const CronJob& cron;
  const Moment now;
  Plan plan;
  CronJobStatus status;         // as it will be
  std::vector<ObjectPtr> jobs;  // that it controls

  void note(std::string type, std::string reason, std::string message) {
    plan.notes.push_back({client::ObjectReference::to(*object), std::move(type), std::move(reason), std::move(message)});
  }
};

const Job& jobOf(const ObjectPtr& object) {
  return object->as<Job>();
}

// "Complete" or "Failed"; empty while it runs.
std::string_view endOf(const ObjectPtr& object) {
  auto* end = job::finished(jobOf(object).status);
  return end ? std::string_view(end->type) : std::string_view();
}

std::optional<WallTime> scheduledTime(const ObjectPtr& job) {
  auto& annotations = jobOf(job).metadata.annotations;
  auto it = annotations.find(kScheduled);
  return it == annotations.end() ? std::nullopt : parseTime(it->second);
}

auto inList(CronJobStatus& status, const std::string& uid) {
  return std::find_if(status.active.begin(), status.active.end(), [&](auto& ref) { return ref.uid == uid; });
}

void addActive(CronJobStatus& status, const ObjectPtr& job) {
  auto& ref = status.active.emplace_back();
  ref.apiVersion = job->info().apiVersion();
  ref.kind = job->info().kind;
  ref.namespace_ = job->ns();
  ref.name = job->name();
  ref.uid = job->uid();
  ref.resourceVersion = std::to_string(job->revision());
}

std::vector<ObjectPtr> jobsOf(const Snapshot& snapshot, const ObjectPtr& cron) {
  std::vector<ObjectPtr> out;
  for (auto& [key, job] : snapshot.dependents(cron->uid(), snapshot.kinds().jobs))
    if (auto* c = job->meta().controller(); c && c->uid == cron->uid()) out.push_back(job);
  return out;
}

void followJob(Cron& c, const ObjectPtr& job) {
  auto end = endOf(job);
  auto at = inList(c.status, job->uid());
  bool listed = at != c.status.active.end();
  auto scheduled = scheduledTime(job);
  if (scheduled) c.status.lastScheduleTime = std::max(c.status.lastScheduleTime, scheduled);
  if (!end.empty() && listed) {
    c.status.active.erase(at);
    c.note("Normal", "SawCompletedJob", fmt::format("Saw completed job: {}, condition: {}", job->name(), end));
  } else if (end.empty() && !listed) {
    if (scheduled)
      addActive(c.status, job);
    else
      c.note("Warning", "UnexpectedJob", "Saw a job that the controller did not create or forgot: " + job->name());
  }
  if (end == "Complete") c.status.lastSuccessfulTime = std::max(c.status.lastSuccessfulTime, jobOf(job).status.completionTime);
}

void followJobs(Cron& c) {
  std::set<std::string_view> there;
  for (auto& job : c.jobs) there.insert(job->uid());
  std::erase_if(c.status.active, [&](auto& ref) {
    if (there.contains(ref.uid)) return false;
    c.note("Normal", "MissingJob", "Active job went missing: " + ref.name);
    return true;
  });
  for (auto& job : c.jobs) followJob(c, job);
}

void removeJob(Cron& c, const ObjectPtr& job) {
  c.plan.remove(*job, {}, client::Propagation::Background)
      .tell(client::ObjectReference::to(*c.object), "Delete", "Deleted job ", "Error deleting job: ");
}

void clearHistory(Cron& c, std::string_view end, std::optional<int32_t> limit) {
  if (!limit) return;
  std::vector<ObjectPtr> ended;
  for (auto& job : c.jobs)
    if (endOf(job) == end && !job->meta().deleting) ended.push_back(job);
  auto started = [](const ObjectPtr& job) { return jobOf(job).status.startTime.value_or(job->meta().created); };
  std::stable_sort(ended.begin(), ended.end(), [&](auto& a, auto& b) { return started(a) < started(b); });
  for (size_t i = 0; i + static_cast<size_t>(*limit) < ended.size(); ++i) removeJob(c, ended[i]);
}

std::string jobName(const Cron& c, WallTime time) {
  return fmt::format("{}-{}", c.object->name(), std::chrono::floor<std::chrono::minutes>(time).time_since_epoch().count());
}

void createJob(Cron& c, WallTime time, const Zone& zone) {
  Json cron = c.object->tree();
  Json& tmpl = cron.at("spec").at("jobTemplate");
  auto* kind = c.snapshot.kinds().jobs;
  JsonObject meta{{"name", jobName(c, time)}, {"namespace", c.object->ns()}};
  takeMeta(tmpl, {"labels", "annotations"}, meta);
  ensureObject(meta, "annotations")[kScheduled] = c.cron.spec.timeZone.empty() ? formatTime(time) : zone.format(time);
  meta["ownerReferences"] = JsonArray{controllerReference(*c.object)};
  Step& s = c.plan.create(kind, c.object->ns(),
                          JsonObject{{"apiVersion", kind->apiVersion()},
                                     {"kind", kind->kind},
                                     {"metadata", std::move(meta)},
                                     {"spec", std::move(tmpl.at("spec"))}});
  s.tell(client::ObjectReference::to(*c.object), "Create", "Created job ", "Error creating job: ");
}

// The latest time that has come since the last Job, if its Job may still start.
std::optional<WallTime> dueTime(Cron& c, const Schedule& schedule, const Zone& zone) {
  WallTime since = c.status.lastScheduleTime.value_or(c.object->meta().created);
  auto due = schedule.last(since, c.now.wall, zone);
  if (!due) return std::nullopt;
  if (auto limit = c.cron.spec.startingDeadlineSeconds) {
    auto bound = std::chrono::duration_cast<WallTime::duration>(std::chrono::seconds(std::min<int64_t>(*limit, INT32_MAX)));
    if (*due + bound < c.now.wall) {
      c.note("Warning", "MissSchedule", "Missed scheduled time to start a job: " + zone.format(*due));
      return std::nullopt;
    }
    since = std::max(since, c.now.wall - bound);
  }
  if (schedule.count(since, c.now.wall, zone, kTooMany + 1) > kTooMany)
    c.note("Warning", "TooManyMissedTimes",
           "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew");
  return due;
}

// Whether the policy lets another Job start now; with Replace those that run are deleted.
bool makeRoom(Cron& c) {
  if (c.status.active.empty()) return true;
  if (c.cron.spec.concurrencyPolicy == "Forbid") {
    c.note("Normal", "JobAlreadyActive", "Not starting job because prior execution is running and concurrency policy is Forbid");
    return false;
  }
  if (c.cron.spec.concurrencyPolicy != "Replace") return true;
  for (auto& job : c.jobs)
    if (auto at = inList(c.status, job->uid()); at != c.status.active.end()) {
      removeJob(c, job);
      c.status.active.erase(at);
    }
  return true;
}

void start(Cron& c, WallTime due, const Zone& zone) {
  std::string name = jobName(c, due);
  if (ObjectPtr taken = c.snapshot.get(c.snapshot.kinds().jobs, c.object->ns() + "/" + name)) {
    // Ours, and so the time is noted by now; or somebody else's.
    auto* owner = taken->meta().controller();
    if (!owner || owner->uid != c.object->uid())
      c.note("Warning", "FailedCreate", fmt::format("Error creating job: there is already a job \"{}\" of someone else", name));
    return;
  }
  if (makeRoom(c)) createJob(c, due, zone);
}

void keepSchedule(Cron& c, Zones& zones) {
  auto& spec = c.cron.spec;
  const Zone* zone = zones.find(spec.timeZone);
  if (!zone) return c.note("Warning", "UnknownTimeZone", fmt::format("invalid timeZone: \"{}\"", spec.timeZone));
  if (spec.suspend.value_or(false)) return;
  auto schedule = Schedule::parse(spec.schedule);
  if (!schedule.ok())
    return c.note("Warning", "UnparseableSchedule",
                  fmt::format("unparseable schedule: \"{}\": {}", spec.schedule, schedule.status().message));
  auto next = schedule->next(c.now.wall, *zone);
  if (next)
    c.plan.lookAgain(*next - c.now.wall);
  else
    c.note("Warning", "InvalidSchedule", fmt::format("invalid schedule: \"{}\" never comes", spec.schedule));
  if (auto due = dueTime(c, *schedule, *zone)) start(c, *due, *zone);
}

void keysOfJob(const Snapshot&, const client::Change& change, Keys& keys) {
  auto add = [&](const ObjectPtr& job) {
    auto* c = job ? job->meta().controller() : nullptr;
    if (c && c->kind == "CronJob") keys.push_back(job->ns() + "/" + c->name);
  };
  add(change.old);
  add(change.now);
}

}  // namespace

Plan reconcileCronJob(const Snapshot& snapshot, const Key& key, Moment now, Zones& zones) {
  ObjectPtr object = snapshot.get(snapshot.kinds().cronJobs, key.text);
  if (!object) return {};
  auto& cron = object->as<CronJob>();
  Cron c{snapshot, object, cron, now, {}, cron.status, jobsOf(snapshot, object)};
  followJobs(c);
  if (!object->meta().deleting) {
    clearHistory(c, "Complete", cron.spec.successfulJobsHistoryLimit);
    clearHistory(c, "Failed", cron.spec.failedJobsHistoryLimit);
    keepSchedule(c, zones);
  }
  c.plan.patchStatus(*c.object, cron.status, c.status, Onto::Same);
  return std::move(c.plan);
}

ControllerSpec cronJobController(const Kinds& kinds) {
  ControllerSpec spec;
  spec.name = "cronjob-controller";
  spec.watches = {{kinds.cronJobs, keySelf}, {kinds.jobs, keysOfJob}};
  spec.reconcile = [zones = std::make_shared<Zones>()](const Snapshot& snapshot, const Key& key, Moment now) {
    return reconcileCronJob(snapshot, key, now, *zones);
  };
  return spec;
}

}  // namespace ph::controllers
