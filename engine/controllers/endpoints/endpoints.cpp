#include "engine/controllers/endpoints/endpoints.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "engine/controllers/common/pods.h"

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

bool matches(const api::Labels& labels, const decltype(api::core::ServiceSpec::selector)& selector) {
  api::LabelSelector s;
  for (auto& [k, v] : selector) s.add({k, api::LabelSelector::Op::In, {v}});
  return s.matches(labels);
}

// A pod that will not run again is no address, not even one that is not ready.
bool mayServe(const Pod& pod) {
  auto& phase = pod.status.phase;
  if (pod.spec.restartPolicy == "Never") return phase != "Failed" && phase != "Succeeded";
  if (pod.spec.restartPolicy == "OnFailure") return phase != "Succeeded";
  return true;
}

// The number of a target port in one pod; pods may give a name different numbers. 0: it has none.
int32_t portIn(const Pod& pod, const ServicePort& port) {
  if (!port.targetPort.isString) return int32_t(port.targetPort.i ? port.targetPort.i : port.port);
  if (port.targetPort.s.empty()) return port.port;
  for (auto& c : pod.spec.containers)
    for (auto& p : c.ports)
      if (p.name == port.targetPort.s && p.protocol == port.protocol) return p.containerPort;
  return 0;
}

std::vector<EndpointPort> portsIn(const Pod& pod, const Service& service) {
  std::vector<EndpointPort> out;
  for (auto& p : service.spec.ports) {
    int32_t number = portIn(pod, p);
    if (!number) continue;
    EndpointPort e;
    e.name = p.name;
    e.port = number;
    e.protocol = p.protocol;
    e.appProtocol = p.appProtocol;
    out.push_back(std::move(e));
  }
  std::sort(out.begin(), out.end(), [](auto& a, auto& b) {
    return std::tie(a.name, a.port, a.protocol) < std::tie(b.name, b.port, b.protocol);
  });
  return out;
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
    if (!matches(podObject->meta().labels, service.spec.selector)) continue;
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

namespace {

// What of a pod its endpoints show.
bool sameToServices(const ObjectPtr& a, const ObjectPtr& b) {
  const Pod &x = podOf(a), &y = podOf(b);
  return a->meta().labels == b->meta().labels && a->meta().deleting == b->meta().deleting &&
         podReady(a) == podReady(b) && x.status.podIP == y.status.podIP && x.status.phase == y.status.phase &&
         x.spec.nodeName == y.spec.nodeName && a->uid() == b->uid();
}

void keysOfPod(const Snapshot& snapshot, const client::Change& change, Keys& keys) {
  if (change.old && change.now && sameToServices(change.old, change.now)) return;
  std::string prefix = change.any()->ns() + "/";
  for (auto& [key, service] : snapshot.all(snapshot.kinds().services).prefix(prefix)) {
    auto& selector = service->as<Service>().spec.selector;
    if (selector.empty()) continue;
    if ((change.old && matches(change.old->meta().labels, selector)) ||
        (change.now && matches(change.now->meta().labels, selector)))
      keys.push_back(key);
  }
}

}  // namespace

ControllerSpec endpointsController(const Kinds& kinds) {
  ControllerSpec spec;
  spec.name = "endpoint-controller";
  spec.watches = {{kinds.services, keySelf}, {kinds.endpoints, keySelf}, {kinds.pods, keysOfPod}};
  spec.reconcile = reconcileEndpoints;
  // A rollout changes many pods of one service within moments.
  spec.minInterval = std::chrono::milliseconds(50);
  return spec;
}

}  // namespace ph::controllers
