#include "engine/server/proxy_target.h"

#include <charconv>

#include "engine/api/codec.h"
#include "engine/api/types/core.h"

namespace ph::server {
namespace {

namespace v1 = api::core;

std::optional<int> toNumber(std::string_view text) {
  int n = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return n;
}

std::string joined(const std::string& ip, int port) {
  return (ip.find(':') == std::string::npos ? ip : "[" + ip + "]") + ":" + std::to_string(port);
}

Result<ProxyTarget> podTarget(const Core& core, const ApiRequest& r, const ProxyName& name) {
  auto pod = core.cache->get(*core.pods, r.ns + "/" + name.name);
  if (!pod) return notFound(*r.info, name.name);
  auto& view = pod->as<v1::Pod>();
  int port = 0;
  if (!name.port.empty()) {
    port = toNumber(name.port).value_or(0);
  } else {
    for (auto& c : view.spec.containers)
      if (port == 0 && !c.ports.empty()) port = c.ports.front().containerPort;
    if (port == 0) port = name.scheme == "https" ? 443 : 80;
  }
  for (auto& c : view.spec.containers)
    for (auto& p : c.ports)
      if (port == 0 && p.name == name.port) port = p.containerPort;
  if (port < 1 || port > 65535) return Status::badRequest("pod \"" + name.name + "\" has no port \"" + name.port + "\"");
  if (view.status.podIP.empty() || view.spec.nodeName.empty())
    return Status::unavailable("pod \"" + name.name + "\" has no address yet");
  return ProxyTarget{name.scheme, joined(view.status.podIP, port), view.spec.nodeName};
}

Result<ProxyTarget> serviceTarget(const Core& core, const ApiRequest& r, const ProxyName& name) {
  auto service = core.cache->get(*core.services, r.ns + "/" + name.name);
  if (!service) return notFound(*r.info, name.name);
  std::string port = name.port;
  // A number is the service's: its port's name is what the endpoints have.
  if (auto number = toNumber(port)) {
    auto& ports = service->as<v1::Service>().spec.ports;
    auto found = std::find_if(ports.begin(), ports.end(), [&](auto& p) { return p.port == *number; });
    if (found == ports.end())
      return Status::unavailable("no service port " + port + " found for service \"" + name.name + "\"");
    port = found->name;
  }
  auto* kind = core.registry->find("", "v1", "endpoints");
  auto endpoints = kind ? core.cache->get(*kind, r.ns + "/" + name.name) : nullptr;
  std::vector<ProxyTarget> found;
  if (endpoints)
    for (auto& subset : endpoints->as<v1::Endpoints>().subsets)
      for (auto& p : subset.ports)
        if (p.name == port || (port.empty() && subset.ports.size() == 1))
          for (auto& a : subset.addresses) found.push_back({name.scheme, joined(a.ip, p.port), a.nodeName.value_or("")});
  if (found.empty()) return Status::unavailable("no endpoints available for service \"" + name.name + "\"");
  return found[core.executor->random().below(found.size())];
}

}  // namespace

Result<ProxyName> parseProxyName(std::string_view text) {
  std::vector<std::string> parts;
  for (size_t at = 0; at <= text.size();) {
    auto end = std::min(text.find(':', at), text.size());
    parts.emplace_back(text.substr(at, end - at));
    at = end + 1;
  }
  ProxyName out;
  bool fine = parts.size() <= 3;
  if (fine && parts.size() == 3) {
    if (!parts[0].empty()) out.scheme = parts[0];
    parts.erase(parts.begin());
  }
  fine = fine && !parts[0].empty() && (out.scheme == "http" || out.scheme == "https");
  if (!fine) return Status::badRequest("invalid proxy request \"" + std::string(text) + "\": it must be [SCHEME:]NAME[:PORT]");
  out.name = parts[0];
  if (parts.size() == 2) out.port = parts[1];
  return out;
}

Result<ProxyTarget> proxyTarget(const Core& core, const ApiRequest& r) {
  PH_ASSIGN(auto name, parseProxyName(r.name));
  return r.info == core.pods ? podTarget(core, r, name) : serviceTarget(core, r, name);
}

std::string_view afterProxy(std::string_view path, size_t segmentsBefore) {
  for (size_t i = 0; i < segmentsBefore; ++i) {
    while (path.starts_with('/')) path.remove_prefix(1);
    auto slash = path.find('/');
    if (slash == std::string_view::npos) return {};
    path.remove_prefix(slash);
  }
  return path;
}

}  // namespace ph::server
