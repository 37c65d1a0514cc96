// NodeContext: what all pods of one node share. Threads: the node's strand.
#pragma once

#include <memory>
#include <string>

#include "agents/pods/backoff.h"
#include "agents/pods/container_config.h"
#include "agents/pods/image_manager.h"
#include "agents/pods/pod_inputs.h"
#include "agents/pods/status_writer.h"
#include "agents/probes/probe_checker.h"
#include "agents/runtime/runtime.h"
#include "engine/base/executor.h"
#include "engine/client/event_recorder.h"

namespace ph::agents {

struct NodeContext {
  std::string hostIp;
  std::string runtimeName = "containerd";  // the scheme of container ids
  ConfigContext config;
  std::shared_ptr<Executor> strand;
  std::shared_ptr<Runtime> runtime;
  std::shared_ptr<ImageManager> images;
  std::shared_ptr<PodInputs> inputs;        // null: containers get nothing from outside
  std::shared_ptr<ProbeChecker> checker;    // null: every probe passes
  std::shared_ptr<StatusWriter> status;
  std::shared_ptr<client::EventRecorder> events;    // null: none are written
  std::function<void(const std::string& podUid)> removeHostTraces;  // log folder and cgroup of a pod that is gone; may be null
  std::function<void(const api::Object& pod, const std::string& ip)> podAddress;  // a pod's address came, or (empty) went; may be null
  BackoffLimits crashBackoff;
  // A status that says only "being created" is held back so long: mostly the next one comes first.
  Duration statusDelay = std::chrono::milliseconds(200);
};

}  // namespace ph::agents
