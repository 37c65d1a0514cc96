// PodInputs: what containers get from outside themselves: volumes, environment from other objects, hosts file, termination
// messages. agents/volumes implements it on the disk; hollow nodes have none.
// Threads: the node's strand; callbacks too, never inline.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "agents/runtime/runtime.h"
#include "engine/api/object.h"

namespace ph::agents {

struct PodAddresses {
  std::vector<std::string> podIps;
  std::string hostIp;
};

class PodInputs {
 public:
  virtual ~PodInputs() = default;
  // Fetches what the pod names and makes its volumes. Called again until it succeeds. Status.reason "FailedMount" texts are the user's.
  virtual void prepare(api::ObjectPtr pod, Done<void> done) = 0;
  // The pod's object changed (labels for downwardAPI...).
  virtual void update(api::ObjectPtr pod) = 0;
  // Adds environment and mounts. A failure is a CreateContainerConfigError.
  virtual Result<> fill(const api::ObjectPtr& pod, const std::string& container, uint32_t attempt, const PodAddresses& addresses,
                        ContainerSpec& spec) = 0;
  // What the container left in its terminationMessagePath (bounded), or the end of its log where the pod asks for that.
  virtual std::string terminationMessage(const api::ObjectPtr& pod, const Container& container) = 0;
  // A user and password for an image's registry from imagePullSecrets; empty when none fits.
  virtual ImageAuth imageAuth(const api::ObjectPtr& pod, const std::string& image) = 0;
  // Unmounts and removes all of it, of a pod that may be known by its uid only.
  virtual void tearDown(std::string uid, Done<void> done) = 0;
  // The uids that have something on the disk (for those left by an earlier life).
  virtual std::vector<std::string> known() = 0;
  // Called with a uid when something that containers wait for has come (a ConfigMap, a Secret).
  virtual void onChange(std::function<void(std::string uid)> callback) = 0;
};

}  // namespace ph::agents
