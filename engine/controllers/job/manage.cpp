// Pods of a Job that are made, taken down or deleted.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "engine/controllers/job/run.h"
#include "engine/controllers/replicaset/replicas.h"

namespace ph::controllers::job {
namespace {

constexpr size_t kLongestPrefix = 58;  // the server adds five letters, and a pod's name is also its host name

int wanted(const Run& r) {
  if (r.suspended()) return 0;
  // A work queue of which one pod ended well gets no new ones, but keeps those that run.
  if (!r.job.spec.completions) return r.succeeded > 0 ? static_cast<int>(r.active.size()) : r.parallelism();
  return std::clamp(*r.job.spec.completions - r.succeeded - r.lost.count(), 0, r.parallelism());
}

void remove(Run& r, const ObjectPtr& pod) {
  r.plan.remove(*pod).tell(client::ObjectReference::to(*r.object), "Delete", "Deleted pod: ", "Error deleting: ");
}

// A pod that we no longer want is no failure: it is deleted once it has lost its finalizer.
void takeDown(Run& r, const ObjectPtr& pod) {
  if (tracked(pod))
    setTracked(pod, false, r.plan);
  else
    remove(r, pod);
}

// The active pods in the order in which they go; the first `misfits` of them have to: their index is none, or
// another's. Those that we began to take down come before others like them.
std::vector<ObjectPtr> inOrder(const Run& r, size_t& misfits) {
  std::vector<ObjectPtr> pods = r.active;
  sortForDeletion(pods, pods);
  std::stable_partition(pods.begin(), pods.end(), [](auto& p) { return !tracked(p); });
  misfits = 0;
  if (!r.indexed()) return pods;
  std::set<int32_t> taken;
  std::set<std::string> fits;
  for (auto it = pods.rbegin(); it != pods.rend(); ++it)
    if (auto index = indexOf(r, *it); index && !r.done.has(*index) && taken.insert(*index).second) fits.insert((*it)->uid());
  auto end = std::stable_partition(pods.begin(), pods.end(), [&](auto& p) { return !fits.contains(p->uid()); });
  misfits = static_cast<size_t>(end - pods.begin());
  return pods;
}

bool mustWait(Run& r, int32_t index) {
  auto it = r.history.find(index);
  if (it == r.history.end() || !it->second.last) return false;
  Duration left = backoffLeft(r, static_cast<size_t>(std::max(it->second.failures, 1)), *it->second.last);
  if (left > Duration::zero()) r.plan.lookAgain(left);
  return left > Duration::zero();
}

// Indexes that nobody has done or works at, the least first.
std::vector<int32_t> openIndexes(Run& r, int count) {
  Indexes busy = r.done;
  for (auto& pod : r.pods) {
    bool counts = podActive(pod) || (r.job.spec.podReplacementPolicy == "Failed" && endOf(r, pod) == End::None);
    if (auto index = indexOf(r, pod); counts && index) busy.add(*index);
  }
  std::vector<int32_t> out;
  for (int32_t i = 0; i < busy.limit() && static_cast<int>(out.size()) < count; ++i)
    if (!busy.has(i) && !r.lost.has(i) && !mustWait(r, i)) out.push_back(i);
  return out;
}

Json podFrom(const Run& r) {
  Json pod = replicas::podFrom(*r.object);
  Json& finalizers = pod.at("metadata").as_object()["finalizers"];
  if (!finalizers.is_array()) finalizers = JsonArray{};
  auto& list = finalizers.as_array();
  if (std::find(list.begin(), list.end(), Json(kFinalizer)) == list.end()) list.push_back(Json(kFinalizer));
  return pod;
}

void nameIndex(JsonObject& spec) {
  for (auto* field : {"initContainers", "containers"}) {
    auto* containers = spec.if_contains(field);
    if (!containers || !containers->is_array()) continue;
    for (auto& c : containers->as_array()) {
      Json& env = c.as_object()["env"];
      if (!env.is_array()) env = JsonArray{};
      bool given = std::any_of(env.as_array().begin(), env.as_array().end(), [](auto& e) {
        auto* name = e.as_object().if_contains("name");
        return name && *name == "JOB_COMPLETION_INDEX";
      });
      if (given) continue;
      env.as_array().push_back(JsonObject{
          {"name", "JOB_COMPLETION_INDEX"},
          {"valueFrom", JsonObject{{"fieldRef", JsonObject{{"apiVersion", "v1"}, {"fieldPath", fmt::format("metadata.labels['{}']", kIndex)}}}}}});
    }
  }
}

Json withIndex(const Run& r, Json pod, int32_t index) {
  auto& meta = pod.at("metadata").as_object();
  auto& spec = pod.at("spec").as_object();
  std::string number = std::to_string(index), end = "-" + number + "-";
  meta["generateName"] = r.object->name().substr(0, kLongestPrefix - end.size()) + end;
  ensureObject(meta, "annotations")[kIndex] = number;
  ensureObject(meta, "labels")[kIndex] = number;
  if (r.perIndex()) {
    auto it = r.history.find(index);
    ensureObject(meta, "annotations")[kIndexFailures] = std::to_string(it == r.history.end() ? 0 : it->second.failures);
  }
  spec["hostname"] = r.object->name() + "-" + number;
  nameIndex(spec);
  return pod;
}

void create(Run& r, int count) {
  Duration left = r.perIndex() ? Duration::zero() : backoffLeft(r);  // each index waits by itself
  if (left > Duration::zero()) return r.plan.lookAgain(left);
  // After a failure one pod goes first, to see whether the reason still holds.
  count = r.key.failures > 0 ? 1 : std::min(count, kBurst);
  Json pod = podFrom(r);
  auto about = client::ObjectReference::to(*r.object);
  auto make = [&](const Json& body) {
    r.plan.create(r.snapshot.kinds().pods, r.object->ns(), body).tell(about, "Create", "Created pod: ", "Error creating: ");
  };
  if (r.indexed()) {
    for (int32_t index : openIndexes(r, count)) make(withIndex(r, pod, index));
  } else {
    for (int i = 0; i < count; ++i) make(pod);
  }
}

// Pods that it adopted count from now on.
void track(Run& r, const std::vector<ObjectPtr>& pods, size_t from) {
  for (size_t i = from; i < pods.size(); ++i)
    if (!tracked(pods[i])) setTracked(pods[i], true, r.plan);
}

}  // namespace

void managePods(Run& r) {
  size_t misfits = 0;
  auto pods = inOrder(r, misfits);
  int active = static_cast<int>(pods.size()), want = wanted(r);
  int surplus = std::max(active - want, static_cast<int>(misfits));
  for (int i = 0; i < std::min(surplus, kBurst); ++i) takeDown(r, pods[static_cast<size_t>(i)]);
  if (surplus > 0) return track(r, pods, static_cast<size_t>(surplus));
  track(r, pods, 0);
  int coming = r.job.spec.podReplacementPolicy == "Failed" ? r.terminating : 0;
  if (want > active + coming) create(r, want - active - coming);
}

void deleteActive(Run& r) {
  for (size_t i = 0; i < std::min(r.active.size(), static_cast<size_t>(kBurst)); ++i) remove(r, r.active[i]);
}

}  // namespace ph::controllers::job
