#include "engine/server/api_service.h"

#include <algorithm>

#include "engine/api/codec.h"
#include "engine/server/json_util.h"

namespace ph::server {
namespace {

constexpr std::string_view kName = "kubernetes", kNamespace = "default";

// A slice holds addresses of one family, and stays of that family.
struct Family {
  bool six;
  std::string_view type, slice;
};
constexpr Family kFamilies[] = {{false, "IPv4", kName}, {true, "IPv6", "kubernetes-ipv6"}};
bool isSix(const std::string& ip) { return ip.find(':') != std::string::npos; }

bool isStored(const Core& core, const ResourceInfo& info, std::string_view name) {
  return core.cache->get(info, std::string(kNamespace).append("/").append(name)) != nullptr;
}

ApiRequest request(Verb verb, const ResourceInfo* info, std::string_view name, const Json& body) {
  ApiRequest r;
  r.verb = verb;
  r.info = info;
  r.ns = kNamespace;
  if (verb != Verb::Create) r.name = name;
  if (verb == Verb::Patch) r.contentType = "application/merge-patch+json";
  if (!body.is_null()) r.body = api::toText(body);
  r.user = systemAdmin();
  return r;
}

JsonObject named(const ResourceInfo& info, std::string_view name, JsonObject labels) {
  return {{"apiVersion", info.apiVersion()}, {"kind", info.kind}, {"metadata", JsonObject{{"name", name}, {"labels", std::move(labels)}}}};
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
  JsonObject out = named(info, kName, {{"component", "apiserver"}, {"provider", "kubernetes"}});
  out["spec"] = JsonObject{{"clusterIP", kApiServiceAddress}, {"ports", servicePorts(target)}};
  return out;
}

Json endpoints(const ResourceInfo& info, const Advertised& api) {
  JsonObject out = named(info, kName, {{"endpointslice.kubernetes.io/skip-mirror", "true"}});  // its slice is written here too
  JsonArray addresses;
  for (auto& ip : api.addresses) addresses.push_back(JsonObject{{"ip", ip}});
  out["subsets"] = JsonArray{JsonObject{{"addresses", std::move(addresses)}, {"ports", JsonArray{port(api.port)}}}};
  return out;
}

// The addresses of one family.
Json slice(const ResourceInfo& info, const Advertised& api, const Family& family) {
  JsonObject out = named(info, family.slice, {{"kubernetes.io/service-name", kName}});
  out["addressType"] = family.type;
  JsonArray list;
  for (auto& ip : api.addresses)
    if (isSix(ip) == family.six) list.push_back(JsonObject{{"addresses", JsonArray{ip}}, {"conditions", JsonObject{{"ready", true}}}});
  out["endpoints"] = std::move(list);
  out["ports"] = JsonArray{port(api.port)};
  return out;
}

}  // namespace

void publishApi(const Core& core, const Advertised& api, std::vector<ApiRequest>& writes) {
  if (!isStored(core, *core.services, kName))
    writes.push_back(request(Verb::Create, core.services, kName, service(*core.services, api.port)));
  else  // the port may be another than at the last start; what users changed stays
    writes.push_back(request(Verb::Patch, core.services, kName, JsonObject{{"spec", JsonObject{{"ports", servicePorts(api.port)}}}}));
  auto publish = [&](const ResourceInfo* info, std::string_view name, bool wanted, auto make) {
    const bool there = isStored(core, *info, name);
    if (wanted) writes.push_back(request(there ? Verb::Update : Verb::Create, info, name, make()));
    else if (there) writes.push_back(request(Verb::Delete, info, name, nullptr));
  };
  if (auto* info = core.registry->storage("", "endpoints"))
    publish(info, kName, !api.addresses.empty(), [&] { return endpoints(*info, api); });
  auto* slices = core.registry->storage("discovery.k8s.io", "endpointslices");
  for (auto& family : kFamilies) {
    const bool wanted = std::any_of(api.addresses.begin(), api.addresses.end(), [&](auto& ip) { return isSix(ip) == family.six; });
    if (slices) publish(slices, family.slice, wanted, [&] { return slice(*slices, api, family); });
  }
}

}  // namespace ph::server
