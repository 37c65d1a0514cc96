#include "agents/proxy/rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <set>

#include "engine/api/types/core.h"

namespace ph::agents::proxy {

namespace core = api::core;
namespace {

std::string lower(std::string s) {
  std::transform(s.begin(), s.end(), s.begin(), [](unsigned char c) { return char(std::tolower(c)); });
  return s.empty() ? "tcp" : s;
}

// The subset's port that belongs to a service port: by name; a sole unnamed port matches an unnamed one.
const core::EndpointPort* matching(const core::EndpointSubset& subset, const core::ServicePort& port) {
  for (auto& p : subset.ports)
    if (p.name == port.name && lower(p.protocol) == lower(port.protocol)) return &p;
  return nullptr;
}

// dnat to one of the backends.
std::string choose(const ServicePort& p) {
  std::string to;
  for (size_t i = 0; i < p.backends.size(); ++i)
    to += fmt::format("{}{} : {} . {}", i ? ", " : "", i, p.backends[i].ip, p.backends[i].port);
  // The number picks a backend; with client affinity it hangs on the source address only.
  std::string number = p.clientIpAffinity ? fmt::format("jhash ip saddr mod {} seed 0x7068", p.backends.size())
                                          : fmt::format("numgen random mod {}", p.backends.size());
  return fmt::format("meta l4proto {} dnat ip to {} map {{ {} }}", p.protocol, number, to);
}

}  // namespace

std::vector<ServicePort> servicePorts(const api::Object& object, const api::Object* endpoints) {
  auto& spec = object.as<core::Service>().spec;
  if (spec.type == "ExternalName" || spec.clusterIP.empty() || spec.clusterIP == "None") return {};
  std::vector<ServicePort> out;
  for (auto& port : spec.ports) {
    ServicePort p;
    p.name = object.key() + ":" + (port.name.empty() ? std::to_string(port.port) : port.name);
    p.clusterIp = spec.clusterIP;
    p.protocol = lower(port.protocol);
    p.port = port.port;
    p.nodePort = port.nodePort;
    p.externalIps = spec.externalIPs;
    p.clientIpAffinity = spec.sessionAffinity == "ClientIP";
    if (endpoints)
      for (auto& subset : endpoints->as<core::Endpoints>().subsets)
        if (auto* target = matching(subset, port))
          for (auto& address : subset.addresses) p.backends.push_back({address.ip, target->port});
    std::sort(p.backends.begin(), p.backends.end(),
              [](auto& a, auto& b) { return std::tie(a.ip, a.port) < std::tie(b.ip, b.port); });
    p.backends.erase(std::unique(p.backends.begin(), p.backends.end()), p.backends.end());
    out.push_back(std::move(p));
  }
  return out;
}

std::string ruleset(const std::vector<ServicePort>& ports, const NodeNetwork& node) {
  std::string s = "table ip pilothouse {}\ndelete table ip pilothouse\ntable ip pilothouse {\n";
  auto out = std::back_inserter(s);
  std::string services, refused, nodePorts;
  std::set<std::string> seen;  // two services may claim one external address: the first has it
  auto element = [&](std::string& to, std::string key, size_t chain) {
    if (seen.insert(key).second) to += fmt::format("    {} : goto p{},\n", key, chain);
  };
  for (size_t i = 0; i < ports.size(); ++i) {
    auto& p = ports[i];
    bool empty = p.backends.empty();
    if (!empty)
      fmt::format_to(out, "  chain p{} {{ comment \"{}\"; meta mark set meta mark or 0x4000; {}; }}\n", i, p.name, choose(p));
    // What has no backend is refused at once, so that clients don't wait. Nat chains can't: a filter map does.
    auto addresses = p.externalIps;
    if (!p.clusterIp.empty()) addresses.insert(addresses.begin(), p.clusterIp);
    for (auto& ip : addresses) {
      std::string key = fmt::format("{} . {} . {}", ip, p.protocol, p.port);
      if (!empty) element(services, key, i);
      else if (seen.insert(key).second) refused += fmt::format("    {} : goto refuse,\n", key);
    }
    if (p.nodePort > 0 && !empty) element(nodePorts, fmt::format("{} . {}", p.protocol, p.nodePort), i);
  }
  auto map = [&](const char* name, const char* type, const std::string& elements) {
    fmt::format_to(out, "  map {} {{\n    type {} : verdict;\n", name, type);
    if (!elements.empty()) fmt::format_to(out, "    elements = {{\n{}    }}\n", elements);
    s += "  }\n";
  };
  s += "  chain refuse { reject; }\n";
  map("services", "ipv4_addr . inet_proto . inet_service", services);
  map("refused", "ipv4_addr . inet_proto . inet_service", refused);
  map("node_ports", "inet_proto . inet_service", nodePorts);
  const char* look = "    ip daddr . ip protocol . th dport vmap @services\n    fib daddr type local ip protocol . th dport vmap @node_ports\n";
  fmt::format_to(out, "  chain pre {{\n    type nat hook prerouting priority dstnat;\n{}  }}\n", look);
  fmt::format_to(out, "  chain output {{\n    type nat hook output priority -100;\n{}  }}\n", look);
  const char* refuse = "    ip daddr . ip protocol . th dport vmap @refused\n";
  fmt::format_to(out, "  chain refuse_in {{\n    type filter hook forward priority filter;\n{}  }}\n", refuse);
  fmt::format_to(out, "  chain refuse_out {{\n    type filter hook output priority filter;\n{}  }}\n", refuse);
  s += "  chain post {\n    type nat hook postrouting priority srcnat;\n"
       "    meta mark and 0x4000 == 0x4000 masquerade\n";
  if (!node.clusterCidr.empty())
    fmt::format_to(out, "    ip saddr {0} ip daddr != {0} ip daddr != 224.0.0.0/4 masquerade\n", node.clusterCidr);
  if (!node.podNetworks.empty()) {
    std::string set;
    for (auto& cidr : node.podNetworks) set += (set.empty() ? "" : ", ") + cidr;
    fmt::format_to(out, "    ip saddr {{ {0} }} ip daddr != {{ {0} }} ip daddr != 224.0.0.0/4 masquerade\n", set);
  }
  s += "  }\n}\n";
  return s;
}

}  // namespace ph::agents::proxy
