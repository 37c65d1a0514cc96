// Which pods of a Job ended, how, and how they become numbers in its status.
#include <algorithm>
#include <charconv>
#include <set>

#include "engine/controllers/job/run.h"

namespace ph::controllers::job {
namespace {

using Uids = std::vector<std::string>;

constexpr Duration kFirstBackoff = std::chrono::seconds(10), kMaxBackoff = std::chrono::minutes(6);

bool has(const auto& list, std::string_view value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

// Nobody will say how a pod ended that was deleted at once, or that never had a node.
bool abandoned(const ObjectPtr& pod) {
  return pod->meta().deleting && (pod->meta().deletionGraceSeconds == 0 || podOf(pod).spec.nodeName.empty());
}

bool terminating(const ObjectPtr& pod) {
  auto& phase = podOf(pod).status.phase;
  return pod->meta().deleting && phase != "Succeeded" && phase != "Failed" && !abandoned(pod);
}

// Their finalizer is gone: they become numbers.
void settle(Uids& uids, const std::set<std::string_view>& held, int32_t& number) {
  number += static_cast<int32_t>(std::erase_if(uids, [&](auto& uid) { return !held.contains(uid); }));
}

// The pod may go once the stored status remembers it; until then it is only noted.
void note(Run& r, const ObjectPtr& pod, const Uids& stored, Uids& next, int& count, int& room) {
  if (has(stored, pod->uid())) {
    auto index = r.perIndex() ? indexOf(r, pod) : std::nullopt;
    if (!index || remembered(r, pod, *index)) setTracked(pod, false, r.plan);
    return;
  }
  ++count;
  if (room-- > 0) next.push_back(pod->uid());
}

void noteIndex(Run& r, const ObjectPtr& pod, int32_t index) {
  if (r.doneBefore.has(index)) return setTracked(pod, false, r.plan);
  r.done.add(index);
}

}  // namespace

bool tracked(const ObjectPtr& pod) {
  return has(pod->meta().finalizers, kFinalizer);
}

void setTracked(const ObjectPtr& pod, bool on, Plan& plan) {
  JsonArray left;
  for (auto& f : pod->meta().finalizers)
    if (f != kFinalizer) left.push_back(Json(f));
  if (on) left.push_back(Json(kFinalizer));
  plan.patch(*pod, JsonObject{{"metadata", JsonObject{{"finalizers", left.empty() ? Json(nullptr) : Json(std::move(left))}}}});
}

WallTime finishTime(const ObjectPtr& object) {
  auto& pod = podOf(object);
  std::optional<WallTime> last;
  for (auto* list : {&pod.status.initContainerStatuses, &pod.status.containerStatuses})
    for (auto& c : *list)
      if (c.state.terminated && c.state.terminated->finishedAt) last = std::max(last, c.state.terminated->finishedAt);
  if (last) return *last;
  if (object->meta().deleting) return object->meta().deletionTime - std::chrono::seconds(object->meta().deletionGraceSeconds);
  if (auto* ready = podCondition(pod, "Ready"); ready && ready->lastTransitionTime) return *ready->lastTransitionTime;
  return object->meta().created;
}

End endOf(const Run& r, const ObjectPtr& pod) {
  auto& phase = podOf(pod).status.phase;
  if (phase == "Succeeded") return End::Succeeded;
  // With "Failed" a pod that is being deleted is waited for, to see how it ends.
  bool failed = phase == "Failed" || abandoned(pod) || (pod->meta().deleting && r.job.spec.podReplacementPolicy != "Failed");
  if (!failed) return End::None;
  return phase == "Failed" && judge(r.job, pod).action == "Ignore" ? End::Ignored : End::Failed;
}

std::optional<int32_t> indexOf(const Run& r, const ObjectPtr& pod) {
  auto& annotations = podOf(pod).metadata.annotations;
  auto it = annotations.find(kIndex);
  if (it == annotations.end()) return std::nullopt;
  int32_t index = -1;
  auto& text = it->second;
  auto parsed = std::from_chars(text.data(), text.data() + text.size(), index);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size() || index < 0 || index >= r.done.limit())
    return std::nullopt;
  return index;
}

void countEnded(Run& r) {
  const auto stored = r.job.status.uncountedTerminatedPods.orEmpty();
  if (r.perIndex()) recall(r);
  auto& next = r.status.uncountedTerminatedPods.ensure();
  std::set<std::string_view> held;
  for (auto& pod : r.pods)
    if (tracked(pod)) held.insert(pod->uid());
  settle(next.succeeded, held, r.status.succeeded);
  settle(next.failed, held, r.status.failed);

  r.succeeded = r.status.succeeded + static_cast<int>(next.succeeded.size());
  r.failed = r.status.failed + static_cast<int>(next.failed.size());
  int room = kBurst;
  for (auto& pod : r.pods) {
    if (podActive(pod)) r.active.push_back(pod);
    r.terminating += terminating(pod);
    if (!tracked(pod)) continue;
    r.uncounted = true;
    End end = endOf(r, pod);
    auto index = r.indexed() ? indexOf(r, pod) : std::nullopt;
    bool strange = r.indexed() && !index;
    if (r.leaving() || end == End::Ignored || (strange && end != End::None)) {
      setTracked(pod, false, r.plan);  // it counts for nothing
    } else if (end == End::Succeeded && has(stored.failed, pod->uid())) {
      setTracked(pod, false, r.plan);  // deleted first, and counted as failed
    } else if (end == End::Succeeded && index) {
      noteIndex(r, pod, *index);
    } else if (end == End::Succeeded) {
      note(r, pod, stored.succeeded, next.succeeded, r.succeeded, room);
    } else if (end == End::Failed) {
      if (podOf(pod).status.phase == "Failed" && r.policyFailure.empty())
        if (auto ruling = judge(r.job, pod); ruling.action == "FailJob") r.policyFailure = std::move(ruling.why);
      note(r, pod, stored.failed, next.failed, r.failed, room);
    }
  }
  if (r.indexed()) {
    r.succeeded = r.status.succeeded = r.done.count();
    r.status.completedIndexes = r.done.text();
    r.status.failedIndexes = r.lost.text();
  }
  r.uncounted = r.uncounted || !next.succeeded.empty() || !next.failed.empty();
  if (next.succeeded.empty() && next.failed.empty()) r.status.uncountedTerminatedPods.reset();
}

Duration backoffLeft(const Run& r) {
  std::optional<WallTime> success;
  std::vector<WallTime> failures;
  for (auto& pod : r.pods) {
    // Without the finalizer it is one that we took down ourselves, or one long counted.
    if (pod->meta().deleting && !tracked(pod)) continue;
    End end = endOf(r, pod);
    if (end == End::Succeeded) success = std::max(success, std::optional(finishTime(pod)));
    if (end == End::Failed || end == End::Ignored) failures.push_back(finishTime(pod));
  }
  if (success) std::erase_if(failures, [&](WallTime t) { return t <= *success; });
  if (failures.empty()) return Duration::zero();
  return backoffLeft(r, failures.size(), *std::max_element(failures.begin(), failures.end()));
}

Duration backoffLeft(const Run& r, size_t failures, WallTime last) {
  Duration delay = kFirstBackoff;
  for (size_t i = 1; i < failures && delay < kMaxBackoff; ++i) delay *= 2;
  delay = std::min(delay, kMaxBackoff);
  Duration left = last + std::chrono::duration_cast<WallTime::duration>(delay) - r.now.wall;
  return std::clamp(left, Duration::zero(), delay);  // a node's clock may be ahead of ours
}

}  // namespace ph::controllers::job
