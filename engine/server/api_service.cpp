#include "engine/server/api_service.h"

#include <algorithm>

#include "engine/api/codec.h"
#include "engine/server/json_util.h"

namespace ph::server {
namespace {

constexpr std::string_view kName = "kubernetes", kNamespace = "default";

ApiRequest request(Verb verb, const ResourceInfo* info, const Json& body) {
  ApiRequest r;
  r.verb = verb;
  r.info = info;
  r.ns = kNamespace;
  if (verb != Verb::Create) r.name = kName;
  if (verb == Verb::Patch) r.contentType = "application/merge-patch+json";
  if (!body.is_null()) r.body = api::toText(body);
  r.user = systemAdmin();
  return r;
}

JsonObject named(const ResourceInfo& info, JsonObject labels) {
  return {{"apiVersion", info.apiVersion()}, {"kind", info.kind}, {"metadata", JsonObject{{"name", kName}, {"labels", std::move(labels)}}}};
}

JsonObject port(uint16_t number) {
  return {{"name", "https"}, {"port", number}, {"protocol", "TCP"}};
}

JsonArray servicePorts(uint16_t target) {
  JsonObject p = port(443);
  p["targetPort"] = target;
  return {std::move(p)};
}

Json service(const ResourceInfo& info, uint16_t target) {
  JsonObject out = named(info, {{"component", "apiserver"}, {"provider", "kubernetes"}});
  out["spec"] = JsonObject{{"clusterIP", kApiServiceAddress}, {"ports", servicePorts(target)}};
  return out;
}

Json endpoints(const ResourceInfo& info, const Advertised& api) {
  JsonObject out = named(info, {{"endpointslice.kubernetes.io/skip-mirror", "true"}});  // its slice is written here too
  JsonArray addresses;
  for (auto& ip : api.addresses) addresses.push_back(JsonObject{{"ip", ip}});
  out["subsets"] = JsonArray{JsonObject{{"addresses", std::move(addresses)}, {"ports", JsonArray{port(api.port)}}}};
  return out;
}

// Of one family: that of the first address.
Json slice(const ResourceInfo& info, const Advertised& api) {
  JsonObject out = named(info, {{"kubernetes.io/service-name", kName}});
  auto six = [](const std::string& ip) { return ip.find(':') != std::string::npos; };
  const bool family = six(api.addresses.front());
  out["addressType"] = family ? "IPv6" : "IPv4";
  JsonArray list;
  for (auto& ip : api.addresses)
    if (six(ip) == family) list.push_back(JsonObject{{"addresses", JsonArray{ip}}, {"conditions", JsonObject{{"ready", true}}}});
  out["endpoints"] = std::move(list);
  out["ports"] = JsonArray{port(api.port)};
  return out;
}

}  // namespace

void publishApi(const Core& core, const Advertised& api, std::vector<ApiRequest>& writes) {
  const std::string key = std::string(kNamespace) + '/' + std::string(kName);
  if (!core.cache->get(*core.services, key))
    writes.push_back(request(Verb::Create, core.services, service(*core.services, api.port)));
  else  // the port may be another than at the last start; what users changed stays
    writes.push_back(request(Verb::Patch, core.services, JsonObject{{"spec", JsonObject{{"ports", servicePorts(api.port)}}}}));
  auto publish = [&](const char* group, const char* plural, Json (*make)(const ResourceInfo&, const Advertised&)) {
    auto* info = core.registry->storage(group, plural);
    if (!info) return;
    const bool there = core.cache->get(*info, key) != nullptr;
    if (!api.addresses.empty()) writes.push_back(request(there ? Verb::Update : Verb::Create, info, make(*info, api)));
    else if (there) writes.push_back(request(Verb::Delete, info, nullptr));
  };
  publish("", "endpoints", endpoints);
  publish("discovery.k8s.io", "endpointslices", slice);
}

}  // namespace ph::server
