#include "engine/controllers/autoscaling/behavior.h"

#include <algorithm>

namespace ph::controllers::autoscaling {
namespace {

using namespace std::chrono_literals;
namespace v2 = api::autoscaling_v2;

constexpr Duration kLongestWindow = 1h, kLongestPeriod = 30min;

void read(const v2::HPAScalingRules& given, Rules& rules, int64_t& tolerance) {
  if (given.stabilizationWindowSeconds)
    rules.window = std::clamp<Duration>(std::chrono::seconds(*given.stabilizationWindowSeconds), 0s, kLongestWindow);
  if (given.selectPolicy)
    rules.select = *given.selectPolicy == "Disabled" ? Rules::Select::Disabled
                   : *given.selectPolicy == "Min"    ? Rules::Select::Least
                                                     : Rules::Select::Most;
  if (given.tolerance) tolerance = std::max<int64_t>(0, given.tolerance->milli());
  if (given.policies.empty()) return;
  rules.policies.clear();
  for (auto& p : given.policies)
    rules.policies.push_back({p.type == "Percent", std::max(0, p.value),
                              std::clamp<Duration>(std::chrono::seconds(p.periodSeconds), 1s, kLongestPeriod)});
}

// How far one policy lets the number go: counted from what it was when the policy's period began.
int64_t reach(const Policy& policy, bool up, const History& history, int32_t current, MonoTime now) {
  int64_t start = std::max<int64_t>(0, current - history.changed(now - policy.period));
  if (!policy.percent) return up ? start + policy.value : start - policy.value;
  return up ? (start * (100 + policy.value) + 99) / 100 : start * std::max<int64_t>(0, 100 - policy.value) / 100;
}

// Of all policies; never on the other side of `current`.
int32_t reach(const Rules& rules, bool up, const History& history, int32_t current, MonoTime now) {
  if (rules.select == Rules::Select::Disabled) return current;
  std::vector<int64_t> ends;
  for (auto& p : rules.policies) ends.push_back(reach(p, up, history, current, now));
  bool highest = up == (rules.select == Rules::Select::Most);
  int64_t end = highest ? *std::max_element(ends.begin(), ends.end()) : *std::min_element(ends.begin(), ends.end());
  return int32_t(up ? std::clamp<int64_t>(end, current, INT32_MAX) : std::clamp<int64_t>(end, 0, current));
}

}  // namespace

Behavior behaviorOf(const v2::HorizontalPodAutoscalerSpec& spec) {
  Behavior b;
  b.up.policies = {{false, 4, 15s}, {true, 100, 15s}};
  b.down.window = 5min;
  b.down.policies = {{true, 100, 15s}};
  auto& given = spec.behavior.orEmpty();
  if (given.scaleUp) read(*given.scaleUp, b.up, b.tolerance.up);
  if (given.scaleDown) read(*given.scaleDown, b.down, b.tolerance.down);
  return b;
}

void History::add(std::deque<Entry>& to, Entry entry, Duration keep) {
  while (!to.empty() && (to.front().at <= entry.at - keep || to.size() >= kMost)) to.pop_front();
  to.push_back(entry);
}

void History::wanted(MonoTime at, int32_t replicas) { add(wanted_, {at, replicas}, kLongestWindow); }

void History::scaled(MonoTime at, int32_t change) { add(changes_, {at, change}, kLongestPeriod); }

int32_t History::least(MonoTime since, int32_t also) const {
  for (auto& e : wanted_)
    if (e.at > since) also = std::min(also, e.n);
  return also;
}

int32_t History::most(MonoTime since, int32_t also) const {
  for (auto& e : wanted_)
    if (e.at > since) also = std::max(also, e.n);
  return also;
}

int64_t History::changed(MonoTime since) const {
  int64_t sum = 0;
  for (auto& e : changes_)
    if (e.at > since) sum += e.n;
  return sum;
}

Bounded stabilize(const Behavior& behavior, History& history, int32_t current, int32_t desired, MonoTime now) {
  int32_t low = history.least(now - behavior.up.window, desired), high = history.most(now - behavior.down.window, desired);
  history.wanted(now, desired);
  int32_t held = std::clamp(current, low, high);
  if (held == desired) return {held, "ReadyForNewScale", "what the metrics ask for may be done now"};
  if (desired >= current)
    return {held, "ScaleUpStabilized", "less was wanted a short time ago; the least of that time counts"};
  return {held, "ScaleDownStabilized", "more was wanted a short time ago; the most of that time counts"};
}

Bounded limit(const Behavior& behavior, const History& history, int32_t current, int32_t desired, int32_t least, int32_t most,
              MonoTime now) {
  if (desired > current) {
    int32_t end = reach(behavior.up, true, history, current, now);
    if (desired > std::min(end, most)) {
      if (end < most) return {end, "ScaleUpLimit", "the number of replicas would grow faster than the policies allow"};
      return {most, "TooManyReplicas", "more replicas are asked for than the maximum"};
    }
  }
  if (desired < current) {
    int32_t end = reach(behavior.down, false, history, current, now);
    if (desired < std::max(end, least)) {
      if (end > least) return {end, "ScaleDownLimit", "the number of replicas would shrink faster than the policies allow"};
      return {least, "TooFewReplicas", "fewer replicas are asked for than the minimum"};
    }
  }
  return {desired, "DesiredWithinRange", "the number that is asked for is within the allowed range"};
}

}  // namespace ph::controllers::autoscaling
