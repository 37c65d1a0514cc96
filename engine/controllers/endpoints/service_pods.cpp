#include "engine/controllers/endpoints/service_pods.h"

#include <algorithm>
#include <tuple>

#include "engine/controllers/common/pods.h"

namespace ph::controllers {

using api::core::EndpointPort;
using api::core::Pod;
using api::core::Service;
using api::core::ServicePort;

bool selects(const Service& service, const api::Labels& labels) {
  api::LabelSelector s;
  for (auto& [k, v] : service.spec.selector) s.add({k, api::LabelSelector::Op::In, {v}});
  return s.matches(labels);
}

namespace {

// The number of a target port in one pod; pods may give a name different numbers. 0: it has none.
int32_t portIn(const Pod& pod, const ServicePort& port) {
  if (!port.targetPort.isString) return int32_t(port.targetPort.i ? port.targetPort.i : port.port);
  if (port.targetPort.s.empty()) return port.port;
  for (auto& c : pod.spec.containers)
    for (auto& p : c.ports)
      if (p.name == port.targetPort.s && p.protocol == port.protocol) return p.containerPort;
  return 0;
}

}  // namespace

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

namespace {

// What of a pod its endpoints show.
bool sameToServices(const ObjectPtr& a, const ObjectPtr& b) {
  const Pod &x = podOf(a), &y = podOf(b);
  return a->meta().labels == b->meta().labels && a->meta().deleting == b->meta().deleting &&
         podReady(a) == podReady(b) && x.status.podIP == y.status.podIP && x.status.phase == y.status.phase &&
         x.spec.nodeName == y.spec.nodeName && a->uid() == b->uid();
}

}  // namespace

void keysOfServicePod(const Snapshot& snapshot, const client::Change& change, Keys& keys) {
  if (change.old && change.now && sameToServices(change.old, change.now)) return;
  std::string prefix = change.any()->ns() + "/";
  for (auto& [key, service] : snapshot.all(snapshot.kinds().services).prefix(prefix)) {
    auto& s = service->as<Service>();
    if (s.spec.selector.empty()) continue;
    if ((change.old && selects(s, change.old->meta().labels)) || (change.now && selects(s, change.now->meta().labels)))
      keys.push_back(key);
  }
}

}  // namespace ph::controllers
