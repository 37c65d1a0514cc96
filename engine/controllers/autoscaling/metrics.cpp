// What the metrics of an autoscaler ask for.
#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "engine/controllers/autoscaling/look.h"
#include "engine/controllers/autoscaling/pod_samples.h"

namespace ph::controllers::autoscaling {
namespace {

namespace v2 = api::autoscaling_v2;

struct Failure {
  std::string reason, message;
};

struct Reading {
  Wanted wanted;
  v2::MetricStatus status;
  std::optional<Failure> failure;
};

std::optional<Aim> aimOf(const v2::MetricTarget& target) {
  Aim aim;
  if (target.averageValue) {
    aim = {Aim::By::Average, target.averageValue->milli()};
  } else {
    aim = {Aim::By::Utilization, target.averageUtilization.value_or(0)};
  }
  return aim.value > 0 ? std::optional(aim) : std::nullopt;
}

struct Pods {
  const std::vector<ObjectPtr>& all;
  int32_t replicas;
  Tolerance tolerance;
};

Result<Proposal> proposalOf(const Look& look, const Pods& pods, const std::string& resource, const std::string& container,
                            const v2::MetricTarget& target) {
  auto aim = aimOf(target);
  if (!aim) return Status::invalid("the metric has no target above zero, neither a utilization nor an average value");
  Measure measure{resource, container, aim->by == Aim::By::Utilization};
  PH_ASSIGN(auto samples, samplesOf(pods.all, look.usage, measure, look.now.wall));
  return propose(samples, pods.replicas, *aim, pods.tolerance);
}

v2::MetricValueStatus valueOf(const Proposal& proposal) {
  v2::MetricValueStatus out;
  out.averageValue = api::Quantity::fromMilli(proposal.average);
  out.averageUtilization = proposal.utilization;
  return out;
}

std::string nameOf(const std::string& resource, const Proposal& proposal) {
  return resource + (proposal.utilization ? " resource utilization (percentage of request)" : " resource");
}

Reading readResource(const Look& look, const Pods& pods, const v2::MetricSpec& metric) {
  Reading out;
  auto& source = metric.resource.orEmpty();
  auto proposal = proposalOf(look, pods, source.name, {}, source.target);
  if (!proposal.ok()) {
    out.failure = Failure{"FailedGetResourceMetric",
                          fmt::format("failed to get the use of {}: {}", source.name, proposal.status().message)};
    return out;
  }
  out.wanted = {proposal->replicas, nameOf(source.name, *proposal)};
  out.status.type = metric.type;
  out.status.resource = v2::ResourceMetricStatus{source.name, valueOf(*proposal)};
  return out;
}

Reading readContainer(const Look& look, const Pods& pods, const v2::MetricSpec& metric) {
  Reading out;
  auto& source = metric.containerResource.orEmpty();
  auto proposal = proposalOf(look, pods, source.name, source.container, source.target);
  if (!proposal.ok()) {
    out.failure = Failure{"FailedGetContainerResourceMetric",
                          fmt::format("failed to get the use of {} in container {}: {}", source.name, source.container,
                                      proposal.status().message)};
    return out;
  }
  out.wanted = {proposal->replicas, nameOf(source.name, *proposal)};
  out.status.type = metric.type;
  out.status.containerResource = v2::ContainerResourceMetricStatus{source.name, valueOf(*proposal), source.container};
  return out;
}

Failure unserved(const char* reason, const std::string& metric, const char* api) {
  return {reason, fmt::format("unable to get metric {}: nothing serves {}", metric, api)};
}

Reading read(const Look& look, const Pods& pods, const v2::MetricSpec& metric) {
  if (metric.type == "Resource") return readResource(look, pods, metric);
  if (metric.type == "ContainerResource") return readContainer(look, pods, metric);
  Reading out;
  if (metric.type == "Pods")
    out.failure = unserved("FailedGetPodsMetric", metric.pods.orEmpty().metric.name, "custom.metrics.k8s.io");
  else if (metric.type == "Object")
    out.failure = unserved("FailedGetObjectMetric", metric.object.orEmpty().metric.name, "custom.metrics.k8s.io");
  else if (metric.type == "External")
    out.failure = unserved("FailedGetExternalMetric", metric.external.orEmpty().metric.name, "external.metrics.k8s.io");
  else
    out.failure = Failure{"InvalidMetricSourceType", fmt::format("unknown metric source type \"{}\"", metric.type)};
  return out;
}

void inactive(Look& look, const Failure& failure) {
  look.setCondition("ScalingActive", false, failure.reason,
                    "the number of replicas that is needed can't be told: " + failure.message);
}

// Also chosen by another autoscaler, so that the two would pull at it.
std::vector<std::string> rivals(const Look& look, const std::vector<ObjectPtr>& pods) {
  std::vector<std::string> out;
  std::string prefix = look.object->ns() + "/";
  for (auto it = look.memory.lower_bound(prefix); it != look.memory.end() && it->first.starts_with(prefix); ++it) {
    auto& selector = it->second.selector;
    if (&it->second == &look.mine || !selector) continue;
    if (std::any_of(pods.begin(), pods.end(), [&](auto& pod) { return selector->matches(pod->meta().labels); })) out.push_back(it->first);
  }
  return out;
}

// The target's pods; nullopt: it can't be told which they are.
std::optional<std::vector<ObjectPtr>> podsOf(Look& look, const ScaleTarget& target) {
  if (!target.selector.ok()) {
    // The condition has one word for both.
    look.tell("Warning", target.selector.status().isNotFound() ? "SelectorRequired" : "InvalidSelector",
              target.selector.status().message);
    inactive(look, {"InvalidSelector", target.selector.status().message});
    return std::nullopt;
  }
  std::vector<ObjectPtr> pods;
  std::string prefix = look.object->ns() + "/";
  for (auto& [key, pod] : look.snapshot.all(look.snapshot.kinds().pods).prefix(prefix))
    if (target.selector->matches(pod->meta().labels)) pods.push_back(pod);
  auto others = rivals(look, pods);
  if (others.empty()) return pods;
  Failure failure{"AmbiguousSelector",
                  fmt::format("pods of the selector {} are also those of {}", target.selector->text(), fmt::join(others, ", "))};
  look.tell("Warning", failure.reason, failure.message);
  inactive(look, failure);
  return std::nullopt;
}

}  // namespace

std::optional<Wanted> wantedByMetrics(Look& look, const ScaleTarget& target) {
  auto pods = podsOf(look, target);
  if (!pods) return std::nullopt;
  auto& metrics = look.hpa.spec.metrics;
  Pods asked{*pods, target.replicas, behaviorOf(look.hpa.spec).tolerance};
  std::optional<Wanted> most;
  std::optional<Failure> first;
  size_t failed = 0;
  look.status.currentMetrics.clear();
  for (auto& metric : metrics) {
    Reading reading = read(look, asked, metric);
    // One entry for each metric, in order: that is how kubectl finds it. One that failed is empty.
    look.status.currentMetrics.push_back(std::move(reading.status));
    if (reading.failure) {
      ++failed;
      look.tell("Warning", reading.failure->reason, reading.failure->message);
      if (!first) first = std::move(reading.failure);
    } else if (!most || reading.wanted.replicas > most->replicas) {
      most = std::move(reading.wanted);
    }
  }
  // What is not known might need all the pods that there are.
  if (!most || (failed && most->replicas < target.replicas)) {
    if (!first) first = Failure{"InvalidMetricSourceType", "there are no metrics"};
    look.tell("Warning", "FailedComputeMetricsReplicas",
              fmt::format("invalid metrics ({} invalid out of {}), first error is: {}", failed, metrics.size(), first->message));
    inactive(look, *first);
    return std::nullopt;
  }
  look.setCondition("ScalingActive", true, "ValidMetricFound",
                    fmt::format("the number of replicas was calculated from {}", most->metric));
  return most;
}

}  // namespace ph::controllers::autoscaling
