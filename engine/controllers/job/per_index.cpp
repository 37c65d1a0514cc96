// Failures that count for each index by itself.
#include <algorithm>
#include <charconv>

#include "engine/controllers/job/run.h"

namespace ph::controllers::job {
namespace {

int notedOn(const ObjectPtr& pod) {
  auto& annotations = podOf(pod).metadata.annotations;
  auto it = annotations.find(kIndexFailures);
  int count = 0;
  if (it != annotations.end()) std::from_chars(it->second.data(), it->second.data() + it->second.size(), count);
  return std::max(count, 0);
}

}  // namespace

void recall(Run& r) {
  for (auto& pod : r.pods) {
    auto index = indexOf(r, pod);
    if (!index) continue;
    History& h = r.history[*index];
    End end = endOf(r, pod);
    bool ours = pod->meta().deleting && !tracked(pod);  // taken down by us, or long counted
    bool failed = end == End::Failed && !ours;
    int noted = notedOn(pod);
    h.noted = std::max(h.noted, noted);
    h.failures = std::max(h.failures, noted + failed);
    if (failed || end == End::Ignored) h.last = std::max(h.last, std::optional(finishTime(pod)));
    bool givenUp = noted >= *r.job.spec.backoffLimitPerIndex || judge(r.job, pod).action == "FailIndex";
    if (failed && tracked(pod) && givenUp && !r.done.has(*index)) r.lost.add(*index);
  }
}

bool remembered(const Run& r, const ObjectPtr& pod, int32_t index) {
  if (r.lostBefore.has(index) || r.doneBefore.has(index) || decided(r.job.status)) return true;
  auto it = r.history.find(index);
  return it != r.history.end() && it->second.noted > notedOn(pod);
}

}  // namespace ph::controllers::job
