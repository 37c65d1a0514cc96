// NodeAgent: one node: registered, its lease and status kept, its pods run. The same code serves real and hollow nodes.
// Threads: start(), stop() and callbacks on the node's strand.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "agents/node/lease_keeper.h"
#include "agents/node/machine_info.h"
#include "agents/pods/pod_manager.h"

namespace ph::agents {

struct Taint { std::string key, value, effect; };

struct NodeOptions {
  std::string name, ip;
  StringMap labels;
  std::vector<Taint> taints;
  MachineInfo machine;
  std::string runtimeVersion;                              // "containerd://1.6.20"
  Duration leaseDuration = std::chrono::seconds(8);
  Duration statusInterval = std::chrono::seconds(10);      // how often conditions are looked at and the Node is read
  Duration statusReport = std::chrono::minutes(5);         // an unchanged status is told again after this
  int agentPort = 0;                                       // of the agent's own TLS server; 0: none
  PodManagerOptions pods;
};

class NodeAgent : public std::enable_shared_from_this<NodeAgent> {
 public:
  NodeAgent(client::Client& client, std::shared_ptr<NodeContext> node, NodeOptions options);
  ~NodeAgent();

  // Pressure is asked for before each status; may be null.
  void setPressure(std::function<MachinePressure()> pressure) { pressure_ = std::move(pressure); }
  // Called with the Node's object when it was first read and whenever it changed.
  void onNode(std::function<void(const api::ObjectPtr&)> callback) { onNode_ = std::move(callback); }

  void start();
  void stop();
  void reportSoon();  // something about the node changed
  bool registered() const { return !uid_.empty(); }
  PodManager& pods() { return *pods_; }
  const std::shared_ptr<PodManager>& podManager() const { return pods_; }
  void setRuntimeVersion(std::string version) { runtimeVersion_ = std::move(version); }
  const api::ObjectPtr& object() const { return object_; }

 private:
  void registerNode();
  void create();
  void seen(const api::ObjectPtr& node);
  void retryRegistration(const Status& why);
  void look();
  void report(RuntimeHealth health);
  api::JsonObject statusOf(const RuntimeHealth& health) const;
  api::JsonObject condition(const char* type, bool value, const char* reason, const std::string& message) const;
  StringMap ownLabels() const;
  void again(Duration delay);

  client::Client& client_;
  std::shared_ptr<NodeContext> node_;
  const NodeOptions options_;
  const client::ResourceInfo* info_;
  std::shared_ptr<LeaseKeeper> lease_;
  std::shared_ptr<PodManager> pods_;
  std::function<MachinePressure()> pressure_;
  std::function<void(const api::ObjectPtr&)> onNode_;
  std::string uid_, reported_, runtimeVersion_;
  api::ObjectPtr object_;
  MonoTime reportedAt_{};
  bool ready_ = false;
  bool force_ = false, looking_ = false, lookAgain_ = false, stopped_ = false, podsStarted_ = false;
  int failures_ = 0;
  Timer timer_;
};

}  // namespace ph::agents
