#include "agents/node/network.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>

#include <algorithm>
#include <chrono>
#include <sstream>

#include "agents/os/files.h"
#include "agents/os/process.h"
#include "engine/api/types/core.h"
#include "engine/base/log.h"

namespace ph::agents {

using std::chrono::milliseconds;
using std::chrono::seconds;
namespace core = api::core;

namespace {

constexpr int routeProtocol = 112;  // marks our routes in the kernel's table, to find them again
constexpr int vxlanId = 112, vxlanPort = 8472;

std::string firstAddress(const std::string& cidr) { return cidr.substr(0, cidr.find('/')); }

std::string deviceOf(const std::string& ip) {
  ifaddrs* list = nullptr;
  std::string name;
  if (::getifaddrs(&list) != 0) return name;
  for (auto* a = list; a; a = a->ifa_next) {
    if (!a->ifa_addr || a->ifa_addr->sa_family != AF_INET) continue;
    char text[INET_ADDRSTRLEN];
    ::inet_ntop(AF_INET, &reinterpret_cast<sockaddr_in*>(a->ifa_addr)->sin_addr, text, sizeof text);
    if (ip == text) name = a->ifa_name;
  }
  ::freeifaddrs(list);
  return name;
}

bool validCidr(const std::string& cidr) {
  auto slash = cidr.find('/');
  in_addr address{};
  if (slash == std::string::npos || ::inet_pton(AF_INET, cidr.substr(0, slash).c_str(), &address) != 1) return false;
  auto bits = cidr.substr(slash + 1);
  return !bits.empty() && bits.size() <= 2 && bits.find_first_not_of("0123456789") == std::string::npos && std::stoi(bits) <= 32;
}

bool validIp(const std::string& ip) {
  in_addr address{};
  return ::inet_pton(AF_INET, ip.c_str(), &address) == 1;
}

}  // namespace

bool onSameSubnet(const std::string& own, const std::string& other) {
  in_addr theirs{};
  if (::inet_pton(AF_INET, other.c_str(), &theirs) != 1) return false;
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return false;
  bool same = false;
  for (auto* a = list; a; a = a->ifa_next) {
    if (!a->ifa_addr || a->ifa_addr->sa_family != AF_INET || !a->ifa_netmask) continue;
    char text[INET_ADDRSTRLEN];
    auto mine = reinterpret_cast<sockaddr_in*>(a->ifa_addr)->sin_addr;
    auto mask = reinterpret_cast<sockaddr_in*>(a->ifa_netmask)->sin_addr.s_addr;
    ::inet_ntop(AF_INET, &mine, text, sizeof text);
    if (own == text) same = same || (mine.s_addr & mask) == (theirs.s_addr & mask);
  }
  ::freeifaddrs(list);
  return same;
}

std::string vxlanMac(const std::string& ip) {
  in_addr address{};
  ::inet_pton(AF_INET, ip.c_str(), &address);
  auto* b = reinterpret_cast<unsigned char*>(&address);
  return fmt::format("02:50:{:02x}:{:02x}:{:02x}:{:02x}", b[0], b[1], b[2], b[3]);
}

std::string cniConfig(const NetworkOptions& o, const std::string& podCidr) {
  std::string mtu = o.mtu > 0 ? fmt::format("\n      \"mtu\": {},", o.mtu) : "";
  return fmt::format(R"({{
  "cniVersion": "0.4.0",
  "name": "pilothouse",
  "plugins": [
    {{
      "type": "bridge",
      "bridge": "{0}",
      "isDefaultGateway": true,
      "hairpinMode": true,
      "ipMasq": false,{3}
      "ipam": {{ "type": "host-local", "dataDir": "{1}/ipam", "ranges": [[{{ "subnet": "{2}" }}]] }}
    }}
  ]
}}
)",
                     o.bridge, o.runDir, podCidr, mtu);
}

Network::Network(client::Client& client, std::shared_ptr<Executor> strand, std::shared_ptr<Executor> blocking, NetworkOptions options)
    : client_(client), strand_(std::move(strand)), blocking_(std::move(blocking)), options_(std::move(options)) {}

void Network::start() {
  if (readTrimmed("/proc/sys/net/ipv4/ip_forward") != "1" && !writeInPlace("/proc/sys/net/ipv4/ip_forward", "1\n").ok())
    PH_LOG(Error, "network", "this machine does not forward packets, and does not let itself be told to (net.ipv4.ip_forward)");
  client::Reflector::Handlers handlers;
  std::weak_ptr<Network> weak = weak_from_this();
  handlers.onChanges = [weak](const std::vector<client::Change>&) {
    if (auto self = weak.lock()) self->changed();
  };
  client::Reflector::Options options;
  options.maxBackoff = seconds(5);
  nodes_ = client::Reflector::start(client_, *client_.registry().find("", "v1", "nodes"), strand_, std::move(options), std::move(handlers));
}

void Network::stop() {
  stopped_ = true;
  if (nodes_) nodes_->stop();
  timer_.cancel();
}

void Network::setNode(const api::ObjectPtr& node) {
  auto& cidr = node->as<core::Node>().spec.podCIDR;
  if (cidr.empty() || cidr == podCidr_) return;
  if (!validCidr(cidr)) {
    PH_LOG(Error, "network", "the node's podCIDR \"{}\" is no IPv4 network", cidr);
    return;
  }
  podCidr_ = cidr;
  writeCni(cidr);
  changed();
}

void Network::writeCni(const std::string& cidr) {
  auto path = options_.cniConfDir + "/10-pilothouse.conflist";
  auto text = cniConfig(options_, cidr);
  auto old = readFile(path);
  if (old == text) return;
  auto made = makeFolders(options_.cniConfDir, 0700);
  if (made.ok()) made = writeFile(path, text, 0600);
  if (!made.ok()) {
    PH_LOG(Error, "network", "{}", made.status().message);
    return;
  }
  PH_LOG(Info, "network", "pods of this node have addresses of {}", cidr);
  // A bridge with another network's address would make every pod fail.
  if (!old.empty())
    runAsync(blocking_, strand_, {"ip", "link", "delete", options_.bridge}, "", seconds(10), [](Result<ProcessResult>) {});
}

void Network::changed() {
  if (!nodes_ || stopped_) return;
  std::map<std::string, Peer> peers;
  std::vector<std::string> networks;
  if (!podCidr_.empty()) networks.push_back(podCidr_);
  auto all = nodes_->snapshot();
  for (auto& [name, object] : all) {
    auto& node = object->as<core::Node>();
    if (!validCidr(node.spec.podCIDR)) continue;
    if (name == options_.nodeName) continue;
    std::string ip;
    for (auto& a : node.status.addresses)
      if (a.type == "InternalIP" && validIp(a.address)) ip = a.address;
    // Another network under our own number, or a node at our own address, would take our pods away.
    if (ip.empty() || ip == options_.nodeIp || node.spec.podCIDR == podCidr_) continue;
    peers[name] = {node.spec.podCIDR, ip};
    networks.push_back(node.spec.podCIDR);
  }
  if (onPodNetworks_ && !podCidr_.empty()) onPodNetworks_(networks);
  if (peers == peers_ && !dirty_) return;
  peers_ = std::move(peers);
  soon(milliseconds(20));
}

void Network::soon(Duration delay) {
  dirty_ = true;
  if (busy_ || timer_.armed() || stopped_) return;
  std::weak_ptr<Network> weak = weak_from_this();
  timer_ = strand_->after(delay, [weak] {
    if (auto self = weak.lock()) {
      self->timer_.cancel();
      self->applyRoutes();
    }
  });
}

// Lines for `ip -batch -`, and for `bridge -batch -`.
std::string Network::routeScript(const std::map<std::string, Peer>& peers, std::string& fdb) const {
  std::string out;
  for (auto& [name, peer] : peers) {
    if (onSameSubnet(options_.nodeIp, peer.ip)) {
      out += fmt::format("route replace {} via {} proto {}\n", peer.cidr, peer.ip, routeProtocol);
      continue;
    }
    auto end = firstAddress(peer.cidr);
    out += fmt::format("neighbour replace {} lladdr {} dev {} nud permanent\n", end, vxlanMac(peer.ip), options_.vxlan);
    out += fmt::format("route replace {} via {} dev {} onlink proto {}\n", peer.cidr, end, options_.vxlan, routeProtocol);
    fdb += fmt::format("fdb replace {} dev {} dst {} permanent\n", vxlanMac(peer.ip), options_.vxlan, peer.ip);
  }
  return out;
}

void Network::applyRoutes() {
  if (busy_ || stopped_ || !dirty_) return;
  dirty_ = false;
  busy_ = true;
  std::string fdb, script = routeScript(peers_, fdb), setup;
  bool tunnel = !fdb.empty() && !podCidr_.empty();
  auto device = deviceOf(options_.nodeIp);
  std::weak_ptr<Network> weak = weak_from_this();
  blocking_->post([weak, strand = strand_, script, fdb, tunnel, device, peers = peers_, options = options_, cidr = podCidr_] {
    Result<> result;
    auto must = [&](const std::vector<std::string>& command, const std::string& input) {
      if (!result.ok()) return;
      auto r = run(command, input, seconds(20));
      if (!r.ok()) result = std::move(r).status();
      else if (r->exitCode != 0) result = Status::internal(command.front() + ": " + r->err);
    };
    if (tunnel && !::if_nametoindex(options.vxlan.c_str())) {
      must({"ip", "link", "add", options.vxlan, "type", "vxlan", "id", std::to_string(vxlanId), "local", options.nodeIp, "dev", device, "dstport", std::to_string(vxlanPort), "nolearning"}, "");
      must({"ip", "link", "set", options.vxlan, "address", vxlanMac(options.nodeIp), "up"}, "");
      must({"ip", "addr", "replace", firstAddress(cidr) + "/32", "dev", options.vxlan}, "");
    }
    if (tunnel) must({"bridge", "-batch", "-"}, fdb);
    if (!script.empty()) must({"ip", "-batch", "-"}, script);
    // What is ours in the table but no peer's any more goes.
    if (auto have = run({"ip", "-o", "route", "show", "proto", std::to_string(routeProtocol)}, "", seconds(20)); have.ok()) {
      std::istringstream lines(have->out);
      std::string line, stale;
      while (std::getline(lines, line)) {
        auto to = line.substr(0, line.find(' '));
        bool wanted = std::any_of(peers.begin(), peers.end(), [&](auto& p) { return p.second.cidr == to || p.second.cidr == to + "/32"; });
        if (!to.empty() && !wanted) stale += fmt::format("route delete {} proto {}\n", to, routeProtocol);
      }
      if (!stale.empty()) must({"ip", "-force", "-batch", "-"}, stale);
    }
    strand->post([weak, result = std::move(result)] {
      auto self = weak.lock();
      if (!self) return;
      self->busy_ = false;
      if (!result.ok()) {
        PH_LOG(Warn, "network", "routes to other nodes: {}", result.status().message);
        return self->soon(std::min<Duration>(seconds(30), seconds(1) * (1 << std::min(self->failures_++, 5))));
      }
      self->failures_ = 0;
      if (self->dirty_) self->soon(milliseconds(20));
    });
  });
}

void Network::remove(const NetworkOptions& o) {
  auto quiet = [](const std::vector<std::string>& command) {
    if (auto r = run(command, "", seconds(20)); !r.ok()) PH_LOG(Warn, "network", "{}", r.status().message);
  };
  quiet({"ip", "route", "flush", "proto", std::to_string(routeProtocol)});
  if (::if_nametoindex(o.vxlan.c_str())) quiet({"ip", "link", "delete", o.vxlan});
  if (::if_nametoindex(o.bridge.c_str())) quiet({"ip", "link", "delete", o.bridge});
  if (auto r = removeTree(o.cniConfDir); !r.ok()) PH_LOG(Warn, "network", "{}", r.status().message);
  if (auto r = removeTree(o.runDir + "/ipam"); !r.ok()) PH_LOG(Warn, "network", "{}", r.status().message);
}

}  // namespace ph::agents
