// Network: pods of this node on a bridge of their own (CNI), and routes to the pods of the others: through their address where
// they are on our subnet, through a VXLAN else. Removed when a node goes.
// Threads: the node's strand; `ip` runs on `blocking`.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/client/reflector.h"

namespace ph::agents {

struct NetworkOptions {
  std::string nodeName, nodeIp;
  std::string cniConfDir;                    // of our own; the runtime reads it
  std::string runDir = "/run/pilothouse";    // addresses given to pods are kept below it
  std::string bridge = "phbr0", vxlan = "phvx0";
  int mtu = 0;                               // of the pods; 0: the bridge's default
};

class Network : public std::enable_shared_from_this<Network> {
 public:
  Network(client::Client& client, std::shared_ptr<Executor> strand, std::shared_ptr<Executor> blocking, NetworkOptions options);
  void start();
  void stop();
  // This node's object: its podCIDR makes the CNI configuration.
  void setNode(const api::ObjectPtr& node);
  // Called with all nodes' pod networks when they change.
  void onPodNetworks(std::function<void(std::vector<std::string>)> callback) { onPodNetworks_ = std::move(callback); }

  // Blocking, for `cleanup`.
  static void remove(const NetworkOptions& options);

 private:
  struct Peer {
    std::string cidr, ip;
    bool operator==(const Peer&) const = default;
  };
  void writeCni(const std::string& cidr);
  void changed();
  void soon(Duration delay);
  void applyRoutes();
  std::string routeScript(const std::map<std::string, Peer>& peers, std::string& fdb) const;

  client::Client& client_;
  std::shared_ptr<Executor> strand_, blocking_;
  const NetworkOptions options_;
  std::shared_ptr<client::Reflector> nodes_;
  std::function<void(std::vector<std::string>)> onPodNetworks_;
  std::string podCidr_;
  std::map<std::string, Peer> peers_, applied_;  // by node
  Timer timer_;
  bool busy_ = false, dirty_ = false, stopped_ = false;
  int failures_ = 0;
};

// Whether an address lies on a subnet of one of this machine's interfaces that has `own`.
bool onSameSubnet(const std::string& own, const std::string& other);
// The locally administered hardware address of a node's VXLAN end, from its address.
std::string vxlanMac(const std::string& ip);
std::string cniConfig(const NetworkOptions& options, const std::string& podCidr);

}  // namespace ph::agents
