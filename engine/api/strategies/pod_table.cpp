// What kubectl shows of a pod: the one word that says how it is, out of its phase, conditions and containers.
#include "engine/api/human.h"
#include "engine/api/pod_summary.h"
#include "engine/api/strategies/common.h"

namespace ph::api {

using namespace strategies;

namespace {

bool sidecar(const Json& pod, std::string_view name) {
  for (auto& c : list(pod, "spec.initContainers"))
    if (str(c, "name") == name) return str(c, "restartPolicy") == "Always";
  return false;
}

std::string ended(const Json& status, const char* prefix) {
  auto reason = str(status, "state.terminated.reason");
  if (!reason.empty()) return prefix + text(reason);
  if (auto signal = num(status, "state.terminated.signal")) return prefix + ("Signal:" + std::to_string(signal));
  return prefix + ("ExitCode:" + std::to_string(num(status, "state.terminated.exitCode")));
}

bool conditionTrue(const Json& pod, std::string_view type) {
  for (auto& c : list(pod, "status.conditions"))
    if (str(c, "type") == type) return str(c, "status") == "True";
  return false;
}

void countRestarts(const Json& status, PodSummary& s) {
  s.restarts += num(status, "restartCount");
  auto last = time(status, "lastState.terminated.finishedAt");
  if (last > s.lastRestart) s.lastRestart = last;
}

// True while init containers still decide what is said.
bool summarizeInit(const Json& pod, PodSummary& s) {
  size_t total = list(pod, "spec.initContainers").size(), i = 0;
  for (auto& status : list(pod, "status.initContainerStatuses")) {
    countRestarts(status, s);
    size_t index = i++;
    bool restartable = sidecar(pod, str(status, "name"));
    if (has(status, "state.terminated") && num(status, "state.terminated.exitCode") == 0) continue;
    if (restartable && flag(status, "started")) {
      if (flag(status, "ready")) ++s.ready;
      continue;
    }
    auto waiting = str(status, "state.waiting.reason");
    if (has(status, "state.terminated")) s.reason = ended(status, "Init:");
    else if (!waiting.empty() && waiting != "PodInitializing") s.reason = "Init:" + text(waiting);
    else s.reason = "Init:" + std::to_string(index) + "/" + std::to_string(total);
    return true;
  }
  return false;
}

void summarizeContainers(const Json& pod, PodSummary& s) {
  auto& statuses = list(pod, "status.containerStatuses");
  bool running = false;
  for (size_t i = statuses.size(); i-- > 0;) {
    auto& status = statuses[i];
    countRestarts(status, s);
    auto waiting = str(status, "state.waiting.reason");
    if (!waiting.empty()) {
      s.reason = text(waiting);
    } else if (has(status, "state.terminated")) {
      s.reason = ended(status, "");
    } else if (flag(status, "ready") && has(status, "state.running")) {
      running = true;
      ++s.ready;
    }
  }
  if (s.reason == "Completed" && running) s.reason = conditionTrue(pod, "Ready") ? "Running" : "NotReady";
}

}  // namespace

PodSummary summarizePod(const Json& pod) {
  PodSummary s;
  s.total = static_cast<int>(list(pod, "spec.containers").size());
  for (auto& c : list(pod, "spec.initContainers"))
    if (str(c, "restartPolicy") == "Always") ++s.total;
  auto reason = str(pod, "status.reason");
  s.reason = text(reason.empty() ? str(pod, "status.phase") : reason);
  for (auto& c : list(pod, "status.conditions"))
    if (str(c, "type") == "PodScheduled" && str(c, "reason") == "SchedulingGated") s.reason = "SchedulingGated";
  bool initializing = summarizeInit(pod, s);
  if (!initializing || conditionTrue(pod, "Initialized")) {
    s.restarts = initializing ? 0 : s.restarts;
    if (!list(pod, "status.containerStatuses").empty()) {
      // Once the pod runs, only its containers and sidecars count.
      s.restarts = 0;
      for (auto& status : list(pod, "status.initContainerStatuses"))
        if (sidecar(pod, str(status, "name"))) s.restarts += num(status, "restartCount");
    }
    summarizeContainers(pod, s);
  }
  if (has(pod, "metadata.deletionTimestamp")) {
    auto phase = str(pod, "status.phase");
    if (str(pod, "status.reason") == "NodeLost") s.reason = "Unknown";
    else if (phase != "Succeeded" && phase != "Failed") s.reason = "Terminating";
  }
  return s;
}

namespace strategies {

void podCells(const Json& pod, WallTime now, std::vector<Json>& out) {
  auto s = summarizePod(pod);
  out.emplace_back(std::to_string(s.ready) + "/" + std::to_string(s.total));
  out.emplace_back(s.reason);
  auto restarts = std::to_string(s.restarts);
  if (s.restarts > 0 && s.lastRestart != WallTime{}) restarts += " (" + humanAge(s.lastRestart, now) + " ago)";
  out.emplace_back(restarts);
  auto ip = str(pod, "status.podIP");
  out.push_back(orNone(ip));
  out.push_back(orNone(str(pod, "spec.nodeName")));
  out.push_back(orNone(str(pod, "status.nominatedNodeName")));
  auto& gates = list(pod, "spec.readinessGates");
  if (gates.empty()) {
    out.emplace_back("<none>");
    return;
  }
  int open = 0;
  for (auto& g : gates) open += conditionTrue(pod, str(g, "conditionType"));
  out.emplace_back(std::to_string(open) + "/" + std::to_string(gates.size()));
}

}  // namespace strategies
}  // namespace ph::api
