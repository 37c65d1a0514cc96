// The rolling update: pods of an old version are deleted from the highest ordinal down, each when those before it are
// healthy again; scaling makes them anew.
#include <algorithm>
#include <ranges>

#include "engine/controllers/statefulset/look.h"

namespace ph::controllers::statefulset {

namespace {

// How many more healthy pods may go at once, when the set says how many may be missing.
int64_t roomFor(const Look& l, const api::IntOrString& maxUnavailable) {
  int64_t most = std::max<int64_t>(maxUnavailable.resolve(l.end() - l.first(), true).value_or(1), 1);
  for (auto& [ordinal, pod] : l.pods)
    if (l.wanted(ordinal) && !l.healthy(pod)) --most;
  return most;
}

}  // namespace

void roll(Look& l) {
  if (!l.rolling()) return;
  auto& maxUnavailable = l.set.spec.updateStrategy.rollingUpdate.orEmpty().maxUnavailable;
  int64_t room = maxUnavailable ? roomFor(l, *maxUnavailable) : 1;
  for (auto& [ordinal, pod] : std::views::reverse(l.pods)) {
    if (!l.wanted(ordinal)) continue;
    if (ordinal < l.firstUpdated()) return;
    bool healthy = l.healthy(pod);
    if (!isUpdated(l, pod) && !pod->meta().deleting) {
      // With a limit, the unhealthy ones are counted already.
      bool costs = healthy || !maxUnavailable;
      if (costs && room <= 0) return;
      room -= costs;
      l.remove(pod);
      if (!maxUnavailable) return;
    } else if (!maxUnavailable && !healthy) {
      return;
    }
  }
}

}  // namespace ph::controllers::statefulset
