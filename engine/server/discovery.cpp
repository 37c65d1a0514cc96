#include "engine/server/discovery.h"

#include <algorithm>

#include "engine/api/codec.h"
#include "engine/api/custom/kind.h"
#include "engine/server/json_util.h"

namespace ph::server {
namespace {

using api::ResourceInfo;

JsonArray verbsOf(const ResourceInfo& info) {
  JsonArray out;
  for (auto verb : {"create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"})
    if (api::allows(info, verb)) out.emplace_back(verb);
  return out;
}

JsonArray texts(const std::vector<std::string_view>& list) {
  JsonArray out;
  for (auto s : list) out.emplace_back(s);
  return out;
}
JsonArray texts(const std::vector<std::string>& list) {
  JsonArray out;
  for (auto& s : list) out.emplace_back(s);
  return out;
}

const Subresource* knownSubresource(std::string_view name) {
  static const Subresource table[] = {
      {"binding", "", "v1", "Binding", {"create"}},
      {"approval", "certificates.k8s.io", "v1", "CertificateSigningRequest", {"get", "patch", "update"}},
      {"ephemeralcontainers", "", "v1", "Pod", {"get", "patch", "update"}},
      {"eviction", "policy", "v1", "Eviction", {"create"}},
      {"log", "", "v1", "Pod", {"get"}},
      {"exec", "", "v1", "PodExecOptions", {"create", "get"}},
      {"attach", "", "v1", "PodAttachOptions", {"create", "get"}},
      {"portforward", "", "v1", "PodPortForwardOptions", {"create", "get"}},
      {"token", "authentication.k8s.io", "v1", "TokenRequest", {"create"}},
      {"finalize", "", "v1", "Namespace", {"update"}},
      {"proxy", "", "v1", "NodeProxyOptions", {"create", "delete", "get", "patch", "update"}},
  };
  for (auto& s : table)
    if (s.name == name) return &s;
  return nullptr;
}

// A strong enough fingerprint of what discovery says (clients keep it as a cache key).
std::string storageHash(const ResourceInfo& info) {
  uint64_t h = 1469598103934665603u;
  for (char c : info.storageGroupKind) h = (h ^ uint8_t(c)) * 1099511628211u;
  return std::to_string(h);
}

bool served(const ResourceInfo& info) { return !info.custom || info.custom->served; }

void addResources(JsonArray& out, const ResourceInfo& info) {
  JsonObject r{{"name", info.plural},
               {"singularName", info.singular},
               {"namespaced", info.namespaced},
               {"kind", info.kind},
               {"verbs", verbsOf(info)}};
  if (!info.shortNames.empty()) r["shortNames"] = texts(info.shortNames);
  if (!info.categories.empty()) r["categories"] = texts(info.categories);
  if (info.stored) r["storageVersionHash"] = storageHash(info);
  out.push_back(std::move(r));
  for (auto& s : subresourcesOf(info)) {
    JsonObject sub{{"name", info.plural + "/" + std::string(s.name)},
                   {"singularName", ""},
                   {"namespaced", info.namespaced},
                   {"kind", s.kind},
                   {"verbs", texts(s.verbs)}};
    if (s.group != info.group || s.version != info.version) {
      if (!s.group.empty()) sub["group"] = s.group;
      sub["version"] = s.version;
    }
    out.push_back(std::move(sub));
  }
}

std::string groupVersion(std::string_view group, std::string_view version) {
  return group.empty() ? std::string(version) : std::string(group) + "/" + std::string(version);
}

std::optional<std::string> resourceList(const api::Registry& registry, std::string_view group, std::string_view version) {
  JsonArray resources;
  for (auto* info : registry.all())
    if (info->group == group && info->version == version && served(*info)) addResources(resources, *info);
  if (resources.empty()) return std::nullopt;
  return api::toText(JsonObject{{"kind", "APIResourceList"},
                                {"apiVersion", "v1"},
                                {"groupVersion", groupVersion(group, version)},
                                {"resources", std::move(resources)}});
}

JsonObject groupOf(const std::string& name, const std::vector<std::string>& versions) {
  auto entry = [&](const std::string& v) { return JsonObject{{"groupVersion", groupVersion(name, v)}, {"version", v}}; };
  JsonArray list;
  for (auto& v : versions) list.push_back(entry(v));
  return JsonObject{{"name", name}, {"versions", std::move(list)}, {"preferredVersion", entry(versions.front())}};
}

std::optional<std::string> groupJson(const api::Registry& registry, std::string_view name) {
  for (auto& [group, versions] : registry.groupVersions()) {
    if (group != name || group.empty()) continue;
    JsonObject out{{"kind", "APIGroup"}, {"apiVersion", "v1"}};
    for (auto& [k, v] : groupOf(group, versions)) out[k] = v;
    return api::toText(out);
  }
  return std::nullopt;
}

std::string groupList(const api::Registry& registry) {
  JsonArray groups;
  for (auto& [group, versions] : registry.groupVersions())
    if (!group.empty()) groups.push_back(groupOf(group, versions));
  return api::toText(JsonObject{{"kind", "APIGroupList"}, {"apiVersion", "v1"}, {"groups", std::move(groups)}});
}

// ---- the aggregated form ------------------------------------------------------------------------------------------

JsonObject responseKind(std::string_view group, std::string_view version, std::string_view kind) {
  return JsonObject{{"group", group}, {"version", version}, {"kind", kind}};
}

JsonObject aggregatedResource(const ResourceInfo& info) {
  JsonObject r{{"resource", info.plural},
               {"responseKind", responseKind(info.group, info.version, info.kind)},
               {"scope", info.namespaced ? "Namespaced" : "Cluster"},
               {"singularResource", info.singular},
               {"verbs", verbsOf(info)}};
  if (!info.shortNames.empty()) r["shortNames"] = texts(info.shortNames);
  if (!info.categories.empty()) r["categories"] = texts(info.categories);
  JsonArray subs;
  for (auto& s : subresourcesOf(info))
    subs.push_back(JsonObject{{"subresource", s.name},
                              {"responseKind", responseKind(s.group, s.version, s.kind)},
                              {"verbs", texts(s.verbs)}});
  if (!subs.empty()) r["subresources"] = std::move(subs);
  return r;
}

std::string aggregated(const api::Registry& registry, bool core, std::string_view version) {
  JsonArray items;
  auto all = registry.all();
  for (auto& [group, versions] : registry.groupVersions()) {
    if (group.empty() != core) continue;
    JsonArray list;
    for (auto& v : versions) {
      JsonArray resources;
      for (auto* info : all)
        if (info->group == group && info->version == v && served(*info)) resources.push_back(aggregatedResource(*info));
      list.push_back(JsonObject{{"version", v}, {"resources", std::move(resources)}, {"freshness", "Current"}});
    }
    items.push_back(JsonObject{{"metadata", JsonObject{{"name", group}, {"creationTimestamp", nullptr}}},
                               {"versions", std::move(list)}});
  }
  return api::toText(JsonObject{{"kind", "APIGroupDiscoveryList"},
                                {"apiVersion", "apidiscovery.k8s.io/" + std::string(version)},
                                {"metadata", JsonObject{}},
                                {"items", std::move(items)}});
}

// "v2" or "v2beta1" when the aggregated form comes before plain JSON in Accept; empty: the legacy form.
std::string_view aggregatedVersion(std::string_view accept) {
  while (!accept.empty()) {
    size_t comma = accept.find(',');
    auto one = accept.substr(0, comma);
    if (one.find("as=APIGroupDiscoveryList") != std::string_view::npos) {
      if (one.find("v=v2beta1") != std::string_view::npos) return "v2beta1";
      if (one.find("v=v2") != std::string_view::npos) return "v2";
    } else if (one.find("json") != std::string_view::npos) {
      return {};
    }
    if (comma == std::string_view::npos) break;
    accept.remove_prefix(comma + 1);
  }
  return {};
}

DiscoveryAnswer root(const api::Registry& registry, bool core, std::string_view accept) {
  if (auto v = aggregatedVersion(accept); !v.empty())
    return {aggregated(registry, core, v),
            "application/json;g=apidiscovery.k8s.io;v=" + std::string(v) + ";as=APIGroupDiscoveryList"};
  if (!core) return {groupList(registry), "application/json"};
  return {api::toText(JsonObject{{"kind", "APIVersions"},
                                 {"versions", JsonArray{"v1"}},
                                 {"serverAddressByClientCIDRs", JsonArray{}}}),
          "application/json"};
}

}  // namespace

std::vector<Subresource> subresourcesOf(const ResourceInfo& info) {
  std::vector<Subresource> out;
  if (info.hasStatus) out.push_back({"status", info.group, info.version, info.kind, {"get", "patch", "update"}});
  if (!info.scale.specReplicas.empty())
    out.push_back({"scale", "autoscaling", "v1", "Scale", {"get", "patch", "update"}});
  for (auto& name : info.subresources) {
    if (auto* known = knownSubresource(name)) out.push_back(*known);
    if (name == "proxy" && info.kind == "Pod") out.back().kind = "PodProxyOptions";
    if (name == "proxy" && info.kind == "Service") out.back().kind = "ServiceProxyOptions";
  }
  std::sort(out.begin(), out.end(), [](auto& a, auto& b) { return a.name < b.name; });
  return out;
}

std::optional<DiscoveryAnswer> discover(const api::Registry& registry, const std::vector<std::string>& segments,
                                        std::string_view accept) {
  auto json = [](std::optional<std::string> body) -> std::optional<DiscoveryAnswer> {
    if (!body) return std::nullopt;
    return DiscoveryAnswer{std::move(*body), "application/json"};
  };
  bool core = segments[0] == "api";
  if (segments.size() == 1) return root(registry, core, accept);
  if (segments.size() == 2 && core) return json(resourceList(registry, "", segments[1]));
  if (segments.size() == 2) return json(groupJson(registry, segments[1]));
  if (segments.size() == 3 && !core) return json(resourceList(registry, segments[1], segments[2]));
  return std::nullopt;
}

}  // namespace ph::server
