#include "agents/pods/pod_status.h"

#include <fmt/format.h>

#include "engine/api/codec.h"

namespace ph::agents {

using api::Json;
using api::JsonArray;
using api::JsonObject;
namespace core = api::core;

RestartPolicy restartPolicy(const core::PodSpec& spec) {
  return spec.restartPolicy == "Never" ? RestartPolicy::Never : spec.restartPolicy == "OnFailure" ? RestartPolicy::OnFailure
                                                                                                  : RestartPolicy::Always;
}

std::string qosClass(const core::PodSpec& spec) {
  bool any = false, guaranteed = true;
  auto look = [&](const core::Container& c) {
    for (const char* name : {"cpu", "memory"}) {
      auto limit = c.resources.limits.find(name);
      auto request = c.resources.requests.find(name);
      bool hasLimit = limit != c.resources.limits.end() && !limit->second.isZero();
      bool hasRequest = request != c.resources.requests.end() && !request->second.isZero();
      any = any || hasLimit || hasRequest;
      // A request that is not given is its limit.
      if (!hasLimit || (hasRequest && !(request->second == limit->second))) guaranteed = false;
    }
  };
  for (auto& c : spec.initContainers) look(c);
  for (auto& c : spec.containers) look(c);
  return !any ? "BestEffort" : guaranteed ? "Guaranteed" : "Burstable";
}

bool wantsRestart(RestartPolicy policy, const ContainerView& container) {
  if (!container.ended()) return true;
  return policy == RestartPolicy::Always || (policy == RestartPolicy::OnFailure && container.current->exitCode != 0);
}

bool initialized(const PodView& view) {
  for (auto& c : view.init)
    if (!c.ended() || c.current->exitCode != 0) {
      // Init containers of a pod whose main containers have run are known to have ended well, even when they were removed.
      for (auto& m : view.main)
        if (m.current) return true;
      return false;
    }
  return true;
}

std::string podPhase(const core::PodSpec& spec, const PodView& view) {
  if (!view.reason.empty()) return "Failed";
  auto policy = restartPolicy(spec);
  if (!initialized(view)) {
    if (policy == RestartPolicy::Never || view.terminating)
      for (auto& c : view.init)
        if (c.ended() && c.current->exitCode != 0) return "Failed";
    return "Pending";
  }
  int waiting = 0, running = 0, stopped = 0, failed = 0;
  for (auto& c : view.main) {
    if (c.running()) {
      ++running;
    } else if (c.ended()) {
      ++stopped;
      if (c.current->exitCode != 0) ++failed;
    } else if (c.previous) {
      ++stopped;
      if (c.previous->exitCode != 0) ++failed;
    } else {
      ++waiting;
    }
  }
  if (waiting > 0) return running || stopped ? (view.terminating ? "Failed" : "Pending") : "Pending";
  if (running > 0) return "Running";
  if (stopped == 0) return "Pending";
  if (view.terminating) return failed ? "Failed" : "Succeeded";
  if (policy == RestartPolicy::Always) return "Running";
  if (failed == 0) return "Succeeded";
  return policy == RestartPolicy::Never ? "Failed" : "Running";
}

namespace {

Json terminatedState(const Container& c, const std::string& runtime) {
  JsonObject t{{"exitCode", c.exitCode},
               {"reason", !c.reason.empty() ? c.reason : c.exitCode == 0 ? "Completed" : "Error"},
               {"containerID", runtime + "://" + c.id}};
  if (c.started != WallTime{}) t["startedAt"] = formatTime(c.started);
  if (c.finished != WallTime{}) t["finishedAt"] = formatTime(c.finished);
  if (!c.message.empty()) t["message"] = c.message;
  return JsonObject{{"terminated", std::move(t)}};
}

Json containerStatus(const core::Container& spec, const ContainerView& view, const std::string& usualReason, bool init,
                     bool restarts, const std::string& runtime) {
  JsonObject state, last;
  const Container* shown = view.current ? &*view.current : nullptr;
  // A container that ended and waits for its next run shows why it waits, and its end as its last state.
  bool waits = !view.running() && !(view.ended() && (!restarts || view.waitingReason.empty()));
  if (view.running()) {
    state["running"] = JsonObject{{"startedAt", formatTime(shown->started)}};
  } else if (waits) {
    JsonObject w{{"reason", view.waitingReason.empty() ? usualReason : view.waitingReason}};
    if (!view.waitingMessage.empty()) w["message"] = view.waitingMessage;
    state["waiting"] = std::move(w);
  } else {
    state = terminatedState(*shown, runtime).as_object();
  }
  if (waits && view.ended())
    last = terminatedState(*shown, runtime).as_object();
  else if (view.previous)
    last = terminatedState(*view.previous, runtime).as_object();
  JsonObject out{{"name", spec.name},
                 {"state", std::move(state)},
                 {"lastState", std::move(last)},
                 {"ready", init ? view.ended() && shown->exitCode == 0 : view.ready && view.running()},
                 {"restartCount", view.restarts},
                 {"image", shown && !shown->image.empty() ? shown->image : spec.image},
                 {"imageID", shown ? shown->imageRef : ""}};
  if (shown) out["containerID"] = runtime + "://" + shown->id;
  if (!init) out["started"] = view.started && view.running();
  return out;
}

// A condition keeps the time of its last transition while its status stays.
void addCondition(JsonArray& conditions, const core::PodStatus& old, const char* type, bool value, const std::string& reason,
                  const std::string& message, WallTime now) {
  const char* status = value ? "True" : "False";
  WallTime since = now;
  for (auto& c : old.conditions)
    if (c.type == type && c.status == status && c.lastTransitionTime) since = *c.lastTransitionTime;
  JsonObject out{{"type", type}, {"status", status}, {"lastProbeTime", nullptr}, {"lastTransitionTime", formatTime(since)}};
  if (!reason.empty()) out["reason"] = reason;
  if (!message.empty()) out["message"] = message;
  conditions.push_back(std::move(out));
}

std::string bracketed(const std::vector<std::string>& names) {
  std::string out = "[";
  for (auto& n : names) out += (out.size() > 1 ? " " : "") + n;
  return out + "]";
}

JsonArray conditionsOf(const core::Pod& pod, const PodView& view, const std::string& phase, WallTime now) {
  JsonArray out;
  auto& old = pod.status;
  bool completed = phase == "Succeeded";
  bool init = initialized(view);
  std::vector<std::string> incomplete, unready;
  for (size_t i = 0; i < view.init.size(); ++i)
    if (!view.init[i].ended() || view.init[i].current->exitCode != 0) incomplete.push_back(pod.spec.initContainers[i].name);
  for (size_t i = 0; i < view.main.size(); ++i)
    if (!view.main[i].ready || !view.main[i].running()) unready.push_back(pod.spec.containers[i].name);
  addCondition(out, old, "Initialized", init || completed, completed ? "PodCompleted" : init ? "" : "ContainersNotInitialized",
               init || completed ? "" : "containers with incomplete status: " + bracketed(incomplete), now);
  bool containersReady = init && unready.empty() && !completed;
  std::string reason = containersReady ? "" : completed ? "PodCompleted" : phase == "Failed" ? "PodFailed" : "ContainersNotReady";
  std::string message = containersReady || completed ? "" : "containers with unready status: " + bracketed(unready);
  bool ready = containersReady;
  std::string readyReason = reason, readyMessage = message;
  for (auto& gate : pod.spec.readinessGates) {
    bool open = false;
    for (auto& c : old.conditions) open = open || (c.type == gate.conditionType && c.status == "True");
    if (open || !ready) continue;
    ready = false;
    readyReason = "ReadinessGatesNotReady";
    readyMessage = fmt::format("corresponding condition of pod readiness gate \"{}\" does not exist or is not True", gate.conditionType);
  }
  addCondition(out, old, "Ready", ready, readyReason, readyMessage, now);
  addCondition(out, old, "ContainersReady", containersReady, reason, message, now);
  addCondition(out, old, "PodScheduled", true, "", "", now);
  for (auto& c : old.conditions)
    if (c.type != "Initialized" && c.type != "Ready" && c.type != "ContainersReady" && c.type != "PodScheduled")
      out.push_back(api::toJson(c));
  return out;
}

}  // namespace

Json podStatus(const api::Object& object, const PodView& view, const StatusContext& context) {
  auto& pod = object.as<core::Pod>();
  std::string phase = podPhase(pod.spec, view);
  // A phase that is final stays.
  if (pod.status.phase == "Succeeded" || pod.status.phase == "Failed") phase = pod.status.phase;
  JsonObject out{{"phase", phase},
                 {"qosClass", qosClass(pod.spec)},
                 {"hostIP", context.hostIp},
                 {"startTime", formatTime(view.startTime)},
                 {"conditions", conditionsOf(pod, view, phase, context.now)}};
  auto policy = restartPolicy(pod.spec);
  bool restarts = policy != RestartPolicy::Never && !view.terminating;
  bool init = initialized(view);
  JsonArray initStatuses, statuses;
  for (size_t i = 0; i < view.init.size(); ++i)
    initStatuses.push_back(containerStatus(pod.spec.initContainers[i], view.init[i], "PodInitializing", true, restarts, context.runtimeName));
  for (size_t i = 0; i < view.main.size(); ++i)
    statuses.push_back(containerStatus(pod.spec.containers[i], view.main[i], init ? "ContainerCreating" : "PodInitializing", false,
                                       restarts, context.runtimeName));
  if (!initStatuses.empty()) out["initContainerStatuses"] = std::move(initStatuses);
  out["containerStatuses"] = std::move(statuses);
  std::vector<std::string> ips;
  if (pod.spec.hostNetwork) {
    if (view.sandbox && !context.hostIp.empty()) ips = {context.hostIp};
  } else if (view.sandbox) {
    ips = view.sandbox->ips;
  }
  if (!ips.empty()) {
    JsonArray list;
    for (auto& ip : ips) list.push_back(JsonObject{{"ip", ip}});
    out["podIP"] = ips.front();
    out["podIPs"] = std::move(list);
  }
  if (!view.reason.empty()) out["reason"] = view.reason;
  if (!view.message.empty()) out["message"] = view.message;
  return out;
}

}  // namespace ph::agents
