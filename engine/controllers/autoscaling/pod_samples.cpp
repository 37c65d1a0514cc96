#include "engine/controllers/autoscaling/pod_samples.h"

#include <fmt/format.h>

#include <optional>

#include "engine/controllers/common/pods.h"

namespace ph::controllers::autoscaling {
namespace {

using namespace std::chrono_literals;
using api::core::Container;
using api::core::Pod;

// A pod that starts uses more CPU than it will; and one that has not been ready so soon after its start never was.
constexpr auto kCpuStart = 5min;
constexpr auto kFirstReady = 30s;

// Those that run for as long as the pod does and are meant by the measure.
std::vector<const Container*> containersOf(const Pod& pod, const Measure& measure) {
  std::vector<const Container*> out;
  auto take = [&](const Container& c) {
    if (measure.container.empty() || c.name == measure.container) out.push_back(&c);
  };
  for (auto& c : pod.spec.containers) take(c);
  for (auto& c : pod.spec.initContainers)
    if (c.restartPolicy == "Always") take(c);
  return out;
}

Result<int64_t> requestOf(const Pod& pod, const Measure& measure) {
  int64_t sum = 0;
  for (auto* c : containersOf(pod, measure)) {
    auto it = c->resources.requests.find(measure.resource);
    if (it == c->resources.requests.end())
      return Status::invalid(fmt::format("missing request for {} in container {} of Pod {}", measure.resource, c->name, pod.metadata.name));
    sum += it->second.milli();
  }
  return sum;
}

// nullopt: nothing that is meant runs.
std::optional<int64_t> usedBy(const client::PodUse& use, const Measure& measure) {
  std::optional<int64_t> sum;
  for (auto& c : use.containers) {
    if (!measure.container.empty() && c.name != measure.container) continue;
    auto milli = measure.resource == "cpu" ? (c.use.cpuNanoCores + 999'999) / 1'000'000 : c.use.memoryBytes * 1000;
    sum = sum.value_or(0) + int64_t(milli);
  }
  return sum;
}

bool cpuSaysNothing(const Pod& pod, const client::PodUse& use, WallTime now) {
  auto* ready = podCondition(pod, "Ready");
  if (!ready || !pod.status.startTime) return true;
  WallTime started = *pod.status.startTime, since = ready->lastTransitionTime.value_or(started);
  bool unready = ready->status == "False";
  if (now < started + kCpuStart) return unready || use.at < since + use.window;
  return unready && since < started + kFirstReady;
}

}  // namespace

Result<std::vector<Sample>> samplesOf(const std::vector<ObjectPtr>& pods, const client::UsageSource* usage, const Measure& measure,
                                      WallTime now) {
  if (!usage) return Status::unavailable("what pods use is not measured here");
  if (measure.resource != "cpu" && measure.resource != "memory")
    return Status::unavailable(fmt::format("the use of {} is not measured", measure.resource));
  using State = Sample::State;
  std::vector<Sample> out;
  for (auto& object : pods) {
    if (!podActive(object)) continue;
    auto& pod = podOf(object);
    if (!measure.container.empty() && containersOf(pod, measure).empty())
      return Status::invalid(fmt::format("Pod {} has no container {}", object->name(), measure.container));
    Sample sample;
    if (measure.requests) {
      PH_ASSIGN(sample.requested, requestOf(pod, measure));
    }
    auto use = usage->pod(object->uid());
    auto used = use ? usedBy(*use, measure) : std::nullopt;
    if (pod.status.phase == "Pending" || pod.status.phase.empty())
      sample.state = State::Unready;
    else if (!used)
      sample.state = State::Unknown;
    else if (measure.resource == "cpu" && cpuSaysNothing(pod, *use, now))
      sample.state = State::Unready;
    else
      sample.used = *used;
    out.push_back(sample);
  }
  if (out.empty()) return Status::unavailable("the selector matches no pods that run");
  return out;
}

}  // namespace ph::controllers::autoscaling
