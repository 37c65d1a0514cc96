#include "engine/controllers/endpoints/endpoints.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "engine/controllers/common/pods.h"
#include "engine/controllers/endpoints/service_pods.h"

namespace ph::controllers {

using api::core::EndpointAddress;
using api::core::EndpointPort;
using api::core::EndpointSubset;
using api::core::Pod;
using api::core::Service;
using api::core::ServicePort;

namespace {

constexpr std::string_view kManagedBy = "endpoints.kubernetes.io/managed-by";
constexpr std::string_view kManager = "endpoint-controller";
constexpr std::string_view kHeadless = "service.kubernetes.io/headless";
constexpr std::string_view kOverCapacity = "endpoints.kubernetes.io/over-capacity";
constexpr size_t kMaxAddresses = 1000;  // as Kubernetes: clients choke on more

// A pod that will not run again is no address, not even one that is not ready.
bool mayServe(const Pod& pod) {
  auto& phase = pod.status.phase;
  if (pod.spec.restartPolicy == "Never") return phase != "Failed" && phase != "Succeeded";
  if (pod.spec.restartPolicy == "OnFailure") return phase != "Succeeded";
  return true;
}

EndpointAddress addressOf(const ObjectPtr& object, const Service& service) {
  const Pod& pod = podOf(object);
  EndpointAddress a;
  a.ip = pod.status.podIP;
  if (!pod.spec.nodeName.empty()) a.nodeName = pod.spec.nodeName;
  auto& ref = a.targetRef.ensure();
  ref.kind = "Pod";
  ref.namespace_ = object->ns();
  ref.name = object->name();
  ref.uid = object->uid();
  if (!pod.spec.hostname.empty() && pod.spec.subdomain == service.metadata.name)
    a.hostname = pod.spec.hostname;
  return a;
}

void sortAddresses(std::vector<EndpointAddress>& list) {
  std::sort(list.begin(), list.end(), [](auto& a, auto& b) {
    return std::tie(a.ip, a.targetRef->uid) < std::tie(b.ip, b.targetRef->uid);
  });
}

// Ready ones stay first when there are too many.
bool cutToCapacity(std::vector<EndpointSubset>& subsets) {
  size_t room = kMaxAddresses;
  bool cut = false;
  auto take = [&](std::vector<EndpointAddress>& list) {
    if (list.size() > room) {
      list.resize(room);
      cut = true;
    }
    room -= list.size();
  };
  for (auto& s : subsets) take(s.addresses);
  for (auto& s : subsets) take(s.notReadyAddresses);
  std::erase_if(subsets, [](auto& s) { return s.addresses.empty() && s.notReadyAddresses.empty(); });
  return cut;
}

std::vector<EndpointSubset> subsetsOf(const Snapshot& snapshot, const ObjectPtr& object) {
  auto& service = object->as<Service>();
  std::map<std::string, EndpointSubset> byPorts;  // pods with the same ports share a subset
  std::string prefix = object->ns() + "/";
  bool headless = service.spec.clusterIP == "None";
  for (auto& [key, podObject] : snapshot.all(snapshot.kinds().pods).prefix(prefix)) {
    if (!selects(service, podObject->meta().labels)) continue;
    const Pod& pod = podOf(podObject);
    bool tolerant = service.spec.publishNotReadyAddresses;
    if (pod.status.podIP.empty() || (!tolerant && podObject->meta().deleting)) continue;
    bool ready = tolerant || podReady(podObject);
    if (!ready && !mayServe(pod)) continue;
    auto ports = portsIn(pod, service);
    if (ports.empty() && !(headless && service.spec.ports.empty())) continue;
    std::string id;
    for (auto& p : ports) id += fmt::format("{}/{}/{};", p.name, p.port, p.protocol);
    auto& subset = byPorts[id];
    subset.ports = std::move(ports);
    (ready ? subset.addresses : subset.notReadyAddresses).push_back(addressOf(podObject, service));
  }
  std::vector<EndpointSubset> out;
  for (auto& [id, subset] : byPorts) {
    sortAddresses(subset.addresses);
    sortAddresses(subset.notReadyAddresses);
    out.push_back(std::move(subset));
  }
  return out;
}

Json subsetsJson(const std::vector<EndpointSubset>& subsets) {
  JsonArray out;
  for (auto& s : subsets) out.push_back(api::toJson(s));
  return out;
}

JsonObject labelsFor(const Service& service) {
  JsonObject out;
  for (auto& [k, v] : service.metadata.labels) out[k] = v;
  out[kManagedBy] = kManager;
  if (service.spec.clusterIP == "None")
    out[kHeadless] = "";
  else
    out.erase(kHeadless);
  return out;
}

void update(const ObjectPtr& have, Json subsets, JsonObject labels, bool cut, Plan& plan) {
  auto& old = have->as<api::core::Endpoints>();
  JsonObject body, meta;
  if (subsetsJson(old.subsets) != subsets) body["subsets"] = std::move(subsets);
  JsonObject changed;
  for (auto& field : labels)
    if (have->meta().label(field.key()) != std::string_view(field.value().as_string()) ||
        !old.metadata.labels.contains(field.key()))
      changed[field.key()] = field.value();
  for (auto& [k, v] : old.metadata.labels)
    if (!labels.contains(k)) changed[k] = nullptr;
  if (!changed.empty()) meta["labels"] = std::move(changed);
  bool marked = old.metadata.annotations.contains(kOverCapacity);
  if (cut != marked)
    meta["annotations"] = JsonObject{{kOverCapacity, cut ? Json("truncated") : Json(nullptr)}};
  if (!meta.empty()) body["metadata"] = std::move(meta);
  if (!body.empty()) plan.patch(*have, std::move(body));
}

}  // namespace

Plan reconcileEndpoints(const Snapshot& snapshot, const Key& key, Moment) {
  Plan plan;
  auto& kinds = snapshot.kinds();
  ObjectPtr object = snapshot.get(kinds.services, key.text);
  ObjectPtr have = snapshot.get(kinds.endpoints, key.text);
  if (!object || object->meta().deleting) {
    // Endpoints that someone wrote by hand are theirs.
    if (!object && have && have->meta().label(kManagedBy) == kManager) plan.remove(*have);
    return plan;
  }
  auto& service = object->as<Service>();
  if (service.spec.selector.empty() || service.spec.type == "ExternalName") return plan;
  auto subsets = subsetsOf(snapshot, object);
  bool cut = cutToCapacity(subsets);
  if (have) {
    update(have, subsetsJson(subsets), labelsFor(service), cut, plan);
    return plan;
  }
  JsonObject meta{{"name", object->name()}, {"namespace", object->ns()}, {"labels", labelsFor(service)}};
  if (cut) meta["annotations"] = JsonObject{{kOverCapacity, "truncated"}};
  Step& s = plan.create(kinds.endpoints, object->ns(),
                        JsonObject{{"apiVersion", kinds.endpoints->apiVersion()},
                                   {"kind", kinds.endpoints->kind},
                                   {"metadata", std::move(meta)},
                                   {"subsets", subsetsJson(subsets)}});
  s.failed = Note{client::ObjectReference::to(*object), "Warning", "FailedToCreateEndpoint",
                  "Failed to create endpoint for service: "};
  return plan;
}

ControllerSpec endpointsController(const Kinds& kinds) {
  ControllerSpec spec;
  spec.name = "endpoint-controller";
  spec.watches = {{kinds.services, keySelf}, {kinds.endpoints, keySelf}, {kinds.pods, keysOfServicePod}};
  spec.reconcile = reconcileEndpoints;
  // A rollout changes many pods of one service within moments.
  spec.minInterval = std::chrono::milliseconds(50);
  return spec;
}

}  // namespace ph::controllers
