#include "engine/controllers/autoscaling/replica_count.h"

#include <algorithm>

namespace ph::controllers::autoscaling {
namespace {

using Wide = __int128;

int64_t narrow(Wide v) { return int64_t(std::clamp<Wide>(v, INT64_MIN, INT64_MAX)); }

struct Sum {
  Wide used = 0, requested = 0;
  int64_t pods = 0;
  void add(int64_t use, int64_t request) {
    used += use;
    requested += request;
    ++pods;
  }
  // In the aim's measure.
  int64_t level(const Aim& aim) const {
    return narrow(aim.by == Aim::By::Utilization ? used * 100 / requested : used / pods);
  }
};

bool near(int64_t level, const Aim& aim, const Tolerance& tolerance) {
  Wide scaled = Wide(level) * 1000;
  return scaled <= Wide(aim.value) * (1000 + tolerance.up) && scaled >= Wide(aim.value) * (1000 - tolerance.down);
}

int32_t replicasFor(int64_t level, int64_t pods, const Aim& aim) {
  Wide v = (Wide(level) * pods + aim.value - 1) / aim.value;
  return int32_t(std::min<Wide>(v, INT32_MAX));
}

// What a pod that nobody measured is taken to use when the others use less than they should: all that it may.
int64_t assumed(const Sample& pod, const Aim& aim) {
  return aim.by == Aim::By::Average ? aim.value : narrow(Wide(pod.requested) * std::max<int64_t>(100, aim.value) / 100);
}

}  // namespace

Result<Proposal> propose(const std::vector<Sample>& pods, int32_t current, const Aim& aim, const Tolerance& tolerance) {
  using State = Sample::State;
  Sum sum;
  bool unready = false, unknown = false;
  for (auto& p : pods) {
    if (p.state == State::Measured) sum.add(p.used, p.requested);
    unready |= p.state == State::Unready;
    unknown |= p.state == State::Unknown;
  }
  if (sum.pods == 0) return Status::unavailable("no pod that is ready has been measured");
  if (aim.by == Aim::By::Utilization && sum.requested == 0) return Status::unavailable("the measured pods request nothing");
  int64_t level = sum.level(aim);
  Proposal out{current, narrow(sum.used / sum.pods), {}};
  if (aim.by == Aim::By::Utilization) out.utilization = int32_t(std::min<int64_t>(level, INT32_MAX));
  bool above = level > aim.value, below = level < aim.value;
  if (!unknown && !(unready && above)) {
    if (!near(level, aim, tolerance)) out.replicas = replicasFor(level, sum.pods, aim);
    return out;
  }
  // The others are assumed to be such that they dampen the change.
  for (auto& p : pods) {
    if (p.state == State::Unknown && below) sum.add(assumed(p, aim), p.requested);
    if ((p.state == State::Unknown || p.state == State::Unready) && above) sum.add(0, p.requested);
  }
  int64_t dampened = sum.level(aim);
  if (near(dampened, aim, tolerance) || (above && dampened < aim.value) || (below && dampened > aim.value)) return out;
  int32_t wanted = replicasFor(dampened, sum.pods, aim);
  if (above ? wanted >= current : wanted <= current) out.replicas = wanted;
  return out;
}

}  // namespace ph::controllers::autoscaling
