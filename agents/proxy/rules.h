// Service rules: Services and their Endpoints as one nftables script that replaces the table `ip pilothouse` atomically.
// One verdict map look-up finds the service whatever their number; each port's chain picks a backend.
// Threads: pure.
#pragma once

#include <string>
#include <vector>

#include "engine/api/object.h"

namespace ph::agents::proxy {

struct Backend {
  std::string ip;
  int32_t port = 0;
  bool operator==(const Backend&) const = default;
};

// One port of one service, with the backends that are ready (sorted).
struct ServicePort {
  std::string name;            // "NS/NAME:PORT", for the chain's comment
  std::string clusterIp;       // empty: only by node port or external address
  std::string protocol;        // "tcp", "udp", "sctp"
  int32_t port = 0;
  int32_t nodePort = 0;        // 0: none
  std::vector<std::string> externalIps;
  bool clientIpAffinity = false;
  std::vector<Backend> backends;
  bool operator==(const ServicePort&) const = default;
};

// What a Service asks for; nothing for headless and external names. `endpoints` may be null.
std::vector<ServicePort> servicePorts(const api::Object& service, const api::Object* endpoints);

struct NodeNetwork {
  std::string clusterCidr;     // traffic from it to elsewhere than it leaves with the node's address; empty: no such rule
  std::vector<std::string> podNetworks;  // the same for a set of networks that need not lie in one
  std::vector<std::string> nodeIps;  // addresses that answer to node ports
};

// The script for `nft -f -`.
std::string ruleset(const std::vector<ServicePort>& ports, const NodeNetwork& node);

}  // namespace ph::agents::proxy
