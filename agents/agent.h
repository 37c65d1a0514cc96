// Agent: a whole node agent, put together: containerd, pods, volumes, probes, network, service proxy, DNS, its own server.
// Threads: start() and stop() from the main thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "agents/node/node_agent.h"
#include "engine/net/net.h"

namespace ph::agents {

struct AgentOptions {
  std::string nodeName, nodeIp;
  std::string engine;                          // "unix:/run/pilothouse/engine.sock"; else kubeconfig
  std::string kubeconfig;
  std::string stateDir = "/var/lib/pilothouse", runDir = "/run/pilothouse", logDir = "/var/log/pods";
  std::string criSocket;                       // an existing runtime; empty: our own containerd
  StringMap labels;
  std::vector<Taint> taints;
  Duration leaseDuration = std::chrono::seconds(8);
  int maxPods = 110;
  std::string clusterDns = "10.96.0.10", clusterDomain = "cluster.local";
  std::string bridge = "phbr0", cgroupRoot = "/pilothouse";
  bool network = true, proxy = true, dns = true;
  std::string listen, tlsCert, tlsKey, clientCa;  // of the server on a port; empty: none
};

class Agent {
 public:
  static Result<std::unique_ptr<Agent>> make(AgentOptions options);
  virtual ~Agent() = default;
  // Returns at once; what does not work yet is retried and told in the Node's conditions and the log.
  virtual Result<> start() = 0;
  // Pods and containerd go on running.
  virtual void stop() = 0;
};

// Removes everything an agent with these options made: pods, containerd, mounts, rules, routes, bridge, cgroups, state, logs of pods.
// Blocking. False when something is left, which is printed.
bool cleanUp(const AgentOptions& options);

}  // namespace ph::agents
