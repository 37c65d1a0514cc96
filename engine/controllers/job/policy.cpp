// What a Job's failure policy says of a failed pod: the first rule that matches decides.
#include <fmt/format.h>

#include <algorithm>

#include "engine/controllers/job/run.h"

namespace ph::controllers::job {
namespace {

using Rule = api::batch::PodFailurePolicyRule;
using ExitCodes = api::batch::PodFailurePolicyOnExitCodesRequirement;

bool codeMatches(const ExitCodes& wanted, int32_t code) {
  if (code == 0) return false;  // that is no failure
  bool listed = std::find(wanted.values.begin(), wanted.values.end(), code) != wanted.values.end();
  return wanted.operator_ == "In" ? listed : wanted.operator_ == "NotIn" && !listed;
}

std::string matchingContainer(const ExitCodes& wanted, const api::core::Pod& pod) {
  for (auto* list : {&pod.status.containerStatuses, &pod.status.initContainerStatuses})
    for (auto& c : *list) {
      if (!wanted.containerName.empty() && wanted.containerName != c.name) continue;
      if (c.state.terminated && codeMatches(wanted, c.state.terminated->exitCode))
        return fmt::format("container {} of pod {}/{} ended with exit code {}", c.name, pod.metadata.namespace_, pod.metadata.name,
                           c.state.terminated->exitCode);
    }
  return {};
}

std::string matchingCondition(const Rule& rule, const api::core::Pod& pod) {
  for (auto& wanted : rule.onPodConditions)
    if (auto* c = podCondition(pod, wanted.type); c && c->status == (wanted.status.empty() ? "True" : wanted.status))
      return fmt::format("pod {}/{} has the condition {}", pod.metadata.namespace_, pod.metadata.name, wanted.type);
  return {};
}

}  // namespace

Ruling judge(const api::batch::Job& job, const ObjectPtr& pod) {
  auto& rules = job.spec.podFailurePolicy.orEmpty().rules;
  for (size_t i = 0; i < rules.size(); ++i) {
    auto& rule = rules[i];
    std::string why = rule.onExitCodes ? matchingContainer(*rule.onExitCodes, podOf(pod)) : matchingCondition(rule, podOf(pod));
    if (!why.empty()) return {rule.action, fmt::format("Failure policy rule {} ({}): {}", i, rule.action, why)};
  }
  return {};
}

}  // namespace ph::controllers::job
