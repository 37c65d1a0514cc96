#include "engine/deploy/rollout.h"

#include <fmt/format.h>

namespace ph::deploy {
namespace {

Progress counted(bool observed, int64_t wanted, int64_t updated, int64_t available, int64_t total) {
  Progress out;
  if (!observed) out.text = "its controller has not seen the change yet";
  else if (updated < wanted) out.text = fmt::format("{} of {} replicas are updated", updated, wanted);
  else if (total > updated) out.text = fmt::format("{} old replicas are still ending", total - updated);
  else if (available < wanted) out.text = fmt::format("{} of {} replicas are available", available, wanted);
  else out = {true, fmt::format("{} of {} replicas are available", available, wanted), ""};
  return out;
}

const Json* condition(const Json& object, std::string_view type) {
  for (auto& c : listAt(object, {"status", "conditions"}))
    if (textAt(c, {"type"}) == type) return &c;
  return nullptr;
}

bool isTrue(const Json* condition) { return condition && textAt(*condition, {"status"}) == "True"; }

}  // namespace

Progress progressOf(const Json& o) {
  auto kind = textAt(o, {"kind"});
  auto status = [&](std::string_view key) { return numberAt(o, {"status", key}); };
  bool observed = status("observedGeneration") >= numberAt(o, {"metadata", "generation"});
  int64_t wanted = numberAt(o, {"spec", "replicas"}, 1);
  if (kind == "Deployment") {
    auto out = counted(observed, wanted, status("updatedReplicas"), status("availableReplicas"), status("replicas"));
    auto* progressing = condition(o, "Progressing");
    if (!out.done && observed && progressing && textAt(*progressing, {"reason"}) == "ProgressDeadlineExceeded")
      out.failure = "it made no progress within its progressDeadlineSeconds";
    return out;
  }
  if (kind == "StatefulSet") return counted(observed, wanted, status("updatedReplicas"), status("readyReplicas"), status("updatedReplicas"));
  if (kind == "DaemonSet") {
    wanted = status("desiredNumberScheduled");
    return counted(observed, wanted, status("updatedNumberScheduled"), status("numberAvailable"), status("updatedNumberScheduled"));
  }
  if (kind == "Job") {
    if (auto* failed = condition(o, "Failed"); isTrue(failed)) return {false, "it failed", "it failed: " + textAt(*failed, {"message"})};
    bool complete = isTrue(condition(o, "Complete"));
    return {complete, complete ? "it is complete" : "it runs", ""};
  }
  if (kind == "Pod") {
    auto phase = textAt(o, {"status", "phase"});
    if (phase == "Failed") return {false, "it failed", "it failed: " + textAt(o, {"status", "message"})};
    bool ready = phase == "Succeeded" || isTrue(condition(o, "Ready"));
    return {ready, ready ? "it is ready" : "it is " + (phase.empty() ? std::string("new") : phase), ""};
  }
  return {true, "", ""};
}

PodTrouble troubleOf(const Json& pod) {
  auto name = textAt(pod, {"metadata", "name"});
  for (auto list : {"initContainerStatuses", "containerStatuses"})
    for (auto& c : listAt(pod, {"status", list})) {
      auto container = textAt(c, {"name"});
      auto reason = textAt(c, {"state", "waiting", "reason"}), message = textAt(c, {"state", "waiting", "message"});
      auto image = textAt(c, {"image"});
      auto say = [&](const std::string& what) {
        return fmt::format("pod {}: container {}: {}{}", name, container, what, message.empty() ? "" : " (" + message + ")");
      };
      if (reason == "InvalidImageName" || reason == "ErrImageNeverPull") return {say("the image " + image + " can't be used: " + reason), true, ""};
      // The back-off comes after an attempt that failed.
      if (reason == "ImagePullBackOff") return {say("the image " + image + " can't be pulled"), true, ""};
      if (reason == "ErrImagePull") return {say("the image " + image + " could not be pulled"), false, ""};
      if (reason == "CreateContainerConfigError" || reason == "CreateContainerError" || reason == "RunContainerError") return {say("it can't be started"), false, ""};
      int64_t restarts = numberAt(c, {"restartCount"});
      if (reason == "CrashLoopBackOff") {
        auto code = numberAt(c, {"lastState", "terminated", "exitCode"}, -1);
        message = code >= 0 ? fmt::format("exit code {}, {} restarts", code, restarts) : "";
        return {say("it crashes again and again"), restarts >= 2, container};
      }
    }
  for (auto& c : listAt(pod, {"status", "conditions"}))
    if (textAt(c, {"type"}) == "PodScheduled" && textAt(c, {"status"}) == "False" && textAt(c, {"reason"}) == "Unschedulable")
      return {fmt::format("pod {}: no node will have it: {}", name, textAt(c, {"message"})), false, ""};
  auto phase = textAt(pod, {"status", "phase"});
  bool ready = false;
  for (auto& c : listAt(pod, {"status", "conditions"})) ready = ready || (textAt(c, {"type"}) == "Ready" && textAt(c, {"status"}) == "True");
  if (phase == "Running" && !ready) return {fmt::format("pod {}: it runs, but is not ready", name), false, ""};
  return {};
}

}  // namespace ph::deploy
