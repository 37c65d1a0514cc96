#include "engine/controllers/endpointslice/endpointslice.h"

#include <algorithm>
#include <map>

#include "engine/api/types/discovery.h"
#include "engine/controllers/common/pods.h"
#include "engine/controllers/endpoints/service_pods.h"

namespace ph::controllers {

using api::core::Service;
using api::discovery::Endpoint;
using api::discovery::EndpointPort;
using api::discovery::EndpointSlice;

namespace {

constexpr std::string_view kService = "kubernetes.io/service-name";
constexpr std::string_view kManagedBy = "endpointslice.kubernetes.io/managed-by";
constexpr std::string_view kManager = "endpointslice-controller.k8s.io";
constexpr std::string_view kHeadless = "service.kubernetes.io/headless";
constexpr std::string_view kZone = "topology.kubernetes.io/zone";
constexpr size_t kMaxEndpoints = 100;

Endpoint endpointOf(const Snapshot& snapshot, const ObjectPtr& object, const Service& service) {
  auto& pod = podOf(object);
  Endpoint e;
  e.addresses = {pod.status.podIP};
  bool serving = service.spec.publishNotReadyAddresses || podReady(object);
  e.conditions.ready = service.spec.publishNotReadyAddresses || (serving && !object->meta().deleting);
  e.conditions.serving = podReady(object);
  e.conditions.terminating = object->meta().deleting;
  auto& ref = e.targetRef.ensure();
  ref.kind = "Pod";
  ref.namespace_ = object->ns();
  ref.name = object->name();
  ref.uid = object->uid();
  if (!pod.spec.nodeName.empty()) {
    e.nodeName = pod.spec.nodeName;
    if (auto node = snapshot.get(snapshot.kinds().nodes, pod.spec.nodeName)) e.zone = std::string(node->meta().label(kZone));
  }
  if (!pod.spec.hostname.empty() && pod.spec.subdomain == service.metadata.name) e.hostname = pod.spec.hostname;
  return e;
}

// Endpoints that share their ports share slices.
struct Group {
  Json ports = JsonArray{};
  std::map<std::string, Json> endpoints;  // by pod uid
};

std::map<std::string, Group> groupsOf(const Snapshot& snapshot, const ObjectPtr& object) {
  auto& service = object->as<Service>();
  std::map<std::string, Group> out;
  std::string prefix = object->ns() + "/";
  bool headless = service.spec.clusterIP == "None";
  for (auto& [key, podObject] : snapshot.all(snapshot.kinds().pods).prefix(prefix)) {
    if (!selects(service, podObject->meta().labels)) continue;
    auto& pod = podOf(podObject);
    if (pod.status.podIP.empty() || pod.status.phase == "Failed" || pod.status.phase == "Succeeded") continue;
    auto ports = portsIn(pod, service);
    if (ports.empty() && !(headless && service.spec.ports.empty())) continue;
    JsonArray list;
    for (auto& p : ports) {
      EndpointPort port;
      port.name = p.name;
      port.protocol = p.protocol;
      port.port = p.port;
      port.appProtocol = p.appProtocol;
      list.push_back(api::toJson(port));
    }
    Json shown(std::move(list));
    auto& group = out[api::toText(shown)];
    group.ports = std::move(shown);
    group.endpoints[podObject->uid()] = api::toJson(endpointOf(snapshot, podObject, service));
  }
  // A service without endpoints has one empty slice, by which clients know that it was looked at.
  if (out.empty()) out["[]"] = Group{};
  return out;
}

JsonObject labelsFor(const Service& service) {
  JsonObject out;
  for (auto& [k, v] : service.metadata.labels) out[k] = v;
  out[kService] = service.metadata.name;
  out[kManagedBy] = kManager;
  if (service.spec.clusterIP == "None")
    out[kHeadless] = "";
  else
    out.erase(kHeadless);
  return out;
}

std::vector<ObjectPtr> slicesOf(const Snapshot& snapshot, const std::string& ns, const std::string& service) {
  std::vector<ObjectPtr> out;
  std::string prefix = ns + "/";
  for (auto& [key, slice] : snapshot.all(snapshot.kinds().endpointSlices).prefix(prefix))
    if (slice->meta().label(kService) == service && slice->meta().label(kManagedBy) == kManager && !slice->meta().deleting)
      out.push_back(slice);
  return out;
}

std::string uidOf(const Endpoint& e) { return e.targetRef ? e.targetRef->uid : std::string(); }

Json portsOf(const EndpointSlice& slice) {
  JsonArray out;
  for (auto& p : slice.ports) out.push_back(api::toJson(p));
  return out;
}

bool sameLabels(const EndpointSlice& slice, const JsonObject& labels) {
  if (slice.metadata.labels.size() != labels.size()) return false;
  return std::all_of(slice.metadata.labels.begin(), slice.metadata.labels.end(), [&](auto& kv) {
    auto* v = labels.if_contains(kv.first);
    return v && v->is_string() && kv.second == std::string_view(v->as_string());
  });
}

void rewrite(const ObjectPtr& have, JsonArray endpoints, const JsonObject& labels, Plan& plan) {
  auto& slice = have->as<EndpointSlice>();
  JsonArray old;
  for (auto& e : slice.endpoints) old.push_back(api::toJson(e));
  JsonObject body;
  if (old != endpoints) body["endpoints"] = std::move(endpoints);
  if (!sameLabels(slice, labels)) {
    JsonObject changed = labels;
    for (auto& [k, v] : slice.metadata.labels)
      if (!labels.contains(k)) changed[k] = nullptr;
    body["metadata"] = JsonObject{{"labels", std::move(changed)}};
  }
  if (!body.empty()) plan.patch(*have, std::move(body));
}

void makeSlice(const Snapshot& snapshot, const ObjectPtr& service, const Json& ports, JsonArray endpoints, const JsonObject& labels,
               Plan& plan) {
  auto* info = snapshot.kinds().endpointSlices;
  Step& s = plan.create(info, service->ns(),
                        JsonObject{{"apiVersion", info->apiVersion()},
                                   {"kind", info->kind},
                                   {"metadata", JsonObject{{"generateName", service->name() + "-"},
                                                           {"namespace", service->ns()},
                                                           {"labels", labels},
                                                           {"ownerReferences", JsonArray{controllerReference(*service)}}}},
                                   {"addressType", "IPv4"},
                                   {"endpoints", std::move(endpoints)},
                                   {"ports", ports}});
  s.failed = Note{client::ObjectReference::to(*service), "Warning", "FailedToCreateEndpointSlice",
                  "Failed to create EndpointSlice for service: "};
}

// Endpoints stay where they are; new ones fill the slices that are written anyway, then others with room, then new slices.
void settleGroup(const Snapshot& snapshot, const ObjectPtr& service, Group group, const std::vector<ObjectPtr>& slices,
                 const JsonObject& labels, Plan& plan) {
  struct Draft {
    ObjectPtr slice;
    JsonArray endpoints;
    bool changed = false;
  };
  std::vector<Draft> drafts;
  for (auto& slice : slices) {
    Draft d{slice, {}, false};
    for (auto& e : slice->as<EndpointSlice>().endpoints) {
      auto it = group.endpoints.find(uidOf(e));
      if (it == group.endpoints.end() || d.endpoints.size() >= kMaxEndpoints) {
        d.changed = true;
        continue;
      }
      d.changed |= api::toJson(e) != it->second;
      d.endpoints.push_back(std::move(it->second));
      group.endpoints.erase(it);
    }
    drafts.push_back(std::move(d));
  }
  std::stable_sort(drafts.begin(), drafts.end(), [](auto& a, auto& b) { return a.changed > b.changed; });
  for (auto& d : drafts)
    while (!group.endpoints.empty() && d.endpoints.size() < kMaxEndpoints) {
      auto it = group.endpoints.begin();
      d.endpoints.push_back(std::move(it->second));
      group.endpoints.erase(it);
    }
  bool empty = drafts.empty() && group.endpoints.empty();
  size_t kept = 0;
  for (auto& d : drafts) {
    // Of empty slices one is enough, and only where the service has nothing else.
    if (d.endpoints.empty() && (kept > 0 || group.ports != Json(JsonArray{}))) {
      plan.remove(*d.slice);
      continue;
    }
    ++kept;
    rewrite(d.slice, std::move(d.endpoints), labels, plan);
  }
  while (!group.endpoints.empty() || empty) {
    JsonArray list;
    while (!group.endpoints.empty() && list.size() < kMaxEndpoints) {
      list.push_back(std::move(group.endpoints.begin()->second));
      group.endpoints.erase(group.endpoints.begin());
    }
    makeSlice(snapshot, service, group.ports, std::move(list), labels, plan);
    empty = false;
  }
}

}  // namespace

Plan reconcileEndpointSlices(const Snapshot& snapshot, const Key& key, Moment) {
  Plan plan;
  ObjectPtr object = snapshot.get(snapshot.kinds().services, key.text);
  auto slices = slicesOf(snapshot, key.ns, key.name);
  bool wanted = object && !object->meta().deleting && !object->as<Service>().spec.selector.empty() &&
                object->as<Service>().spec.type != "ExternalName";
  if (!wanted) {
    // With the service they go; one that lost its selector leaves them to whoever writes them now.
    if (!object)
      for (auto& slice : slices) plan.remove(*slice);
    return plan;
  }
  auto labels = labelsFor(object->as<Service>());
  std::map<std::string, std::vector<ObjectPtr>> byPorts;
  for (auto& slice : slices) byPorts[api::toText(portsOf(slice->as<EndpointSlice>()))].push_back(slice);
  auto groups = groupsOf(snapshot, object);
  for (auto& [ports, group] : groups) {
    settleGroup(snapshot, object, std::move(group), byPorts[ports], labels, plan);
    byPorts.erase(ports);
  }
  for (auto& [ports, old] : byPorts)
    for (auto& slice : old) plan.remove(*slice);
  return plan;
}

namespace {

void keysOfSlice(const Snapshot&, const client::Change& change, Keys& keys) {
  auto& any = change.any();
  if (auto service = any->meta().label(kService); !service.empty() && any->meta().label(kManagedBy) == kManager)
    keys.push_back(any->ns() + "/" + std::string(service));
}

}  // namespace

ControllerSpec endpointSliceController(const Kinds& kinds) {
  ControllerSpec spec;
  spec.name = "endpoint-slice-controller";
  spec.watches = {{kinds.services, keySelf}, {kinds.endpointSlices, keysOfSlice}, {kinds.pods, keysOfServicePod}};
  spec.reconcile = reconcileEndpointSlices;
  // A rollout changes many pods of one service within moments.
  spec.minInterval = std::chrono::milliseconds(50);
  return spec;
}

}  // namespace ph::controllers
