#include "engine/scheduler/framework/types.h"

#include <algorithm>

#include "engine/api/codec.h"
#include "engine/api/node_match.h"
#include "engine/api/volumes.h"

namespace ph::scheduler {

namespace core = api::core;

void Resources::add(const Resources& o, int sign) {
  milliCpu += sign * o.milliCpu;
  memory += sign * o.memory;
  ephemeralStorage += sign * o.ephemeralStorage;
  pods += sign * o.pods;
  for (auto& [name, amount] : o.scalars) {
    auto it = std::lower_bound(scalars.begin(), scalars.end(), name, [](auto& a, auto& b) { return a.first < b; });
    if (it == scalars.end() || it->first != name) it = scalars.insert(it, {name, 0});
    it->second += sign * amount;
  }
}

void Resources::max(const Resources& o) {
  milliCpu = std::max(milliCpu, o.milliCpu);
  memory = std::max(memory, o.memory);
  ephemeralStorage = std::max(ephemeralStorage, o.ephemeralStorage);
  pods = std::max(pods, o.pods);
  for (auto& [name, amount] : o.scalars) {
    int64_t have = scalar(name);
    if (amount > have) add(Resources{.scalars = {{name, amount - have}}});
  }
}

int64_t Resources::scalar(std::string_view name) const {
  for (auto& [n, amount] : scalars)
    if (n == name) return amount;
  return 0;
}

bool PodTerm::matches(const std::string& ns, const api::Labels& labels) const {
  return (namespaces.empty() || std::binary_search(namespaces.begin(), namespaces.end(), ns)) && selector.matches(labels);
}

bool HostPort::conflicts(const HostPort& o) const {
  return port == o.port && protocol == o.protocol && (ip == o.ip || ip == "0.0.0.0" || o.ip == "0.0.0.0");
}

namespace {

template <class Map>
Resources toResources(const Map& list) {
  Resources r;
  for (auto& [name, quantity] : list) {
    if (name == "cpu") r.milliCpu = quantity.milli();
    else if (name == "memory") r.memory = quantity.units();
    else if (name == "ephemeral-storage") r.ephemeralStorage = quantity.units();
    else if (name == "pods") r.pods = quantity.units();
    else r.scalars.emplace_back(name, quantity.units());
  }
  std::sort(r.scalars.begin(), r.scalars.end());
  return r;
}

// What scoring assumes for a container without a request, so that such pods spread too.
// Source: Kubernetes scheduler, DefaultMilliCPURequest and DefaultMemoryRequest.
constexpr int64_t kDefaultMilliCpu = 100;
constexpr int64_t kDefaultMemory = 200 * 1024 * 1024;

PodTerm podTerm(const core::PodAffinityTerm& from, const PodInfo& pod, int weight) {
  PodTerm t;
  api::Json selector = from.labelSelector ? api::toJson(*from.labelSelector) : api::Json();
  auto parsed = api::LabelSelector::fromJson(from.labelSelector ? &selector : nullptr);
  if (parsed.ok()) t.selector = *parsed;
  bool everywhere = from.namespaceSelector && from.namespaceSelector->matchLabels.empty() &&
                    from.namespaceSelector->matchExpressions.empty();
  t.namespaces = from.namespaces;
  if (t.namespaces.empty() && !everywhere) t.namespaces.push_back(pod.ns);
  std::sort(t.namespaces.begin(), t.namespaces.end());
  t.topologyKey = from.topologyKey;
  t.weight = weight;
  for (auto& ns : t.namespaces) t.id += ns + ",";
  t.id += "|" + t.selector.text() + "|" + t.topologyKey;
  return t;
}

SpreadTerm spreadTerm(const core::TopologySpreadConstraint& from, const PodInfo& pod) {
  SpreadTerm s;
  api::Json selector = from.labelSelector ? api::toJson(*from.labelSelector) : api::Json();
  auto parsed = api::LabelSelector::fromJson(from.labelSelector ? &selector : nullptr);
  if (parsed.ok()) s.term.selector = *parsed;
  for (auto& key : from.matchLabelKeys) {
    std::string_view value = pod.object->meta().label(key);
    if (!value.empty()) s.term.selector.add({key, api::LabelSelector::Op::In, {std::string(value)}});
  }
  s.term.namespaces = {pod.ns};
  s.term.topologyKey = from.topologyKey;
  s.term.id = pod.ns + ",|" + s.term.selector.text() + "|" + from.topologyKey;
  s.maxSkew = from.maxSkew;
  s.minDomains = from.minDomains.value_or(0);
  s.hard = from.whenUnsatisfiable == "DoNotSchedule";
  s.selfMatch = s.term.selector.matches(pod.labels());
  return s;
}

NodeTerm nodeTerm(const core::NodeSelectorTerm& from, int weight) {
  return {from.matchExpressions, from.matchFields, weight};
}

void readAffinity(const core::Affinity& from, PodInfo& p) {
  if (from.nodeAffinity) {
    auto& a = *from.nodeAffinity;
    if (a.requiredDuringSchedulingIgnoredDuringExecution) {
      p.hasRequiredNodeTerms = true;
      for (auto& t : a.requiredDuringSchedulingIgnoredDuringExecution->nodeSelectorTerms)
        p.requiredNodeTerms.push_back(nodeTerm(t, 0));
    }
    for (auto& t : a.preferredDuringSchedulingIgnoredDuringExecution)
      p.preferredNodeTerms.push_back(nodeTerm(t.preference, t.weight));
  }
  if (from.podAffinity) {
    for (auto& t : from.podAffinity->requiredDuringSchedulingIgnoredDuringExecution)
      p.affinity.push_back(podTerm(t, p, 0));
    for (auto& t : from.podAffinity->preferredDuringSchedulingIgnoredDuringExecution)
      p.preferredAffinity.push_back(podTerm(t.podAffinityTerm, p, t.weight));
  }
  if (from.podAntiAffinity) {
    for (auto& t : from.podAntiAffinity->requiredDuringSchedulingIgnoredDuringExecution)
      p.antiAffinity.push_back(podTerm(t, p, 0));
    for (auto& t : from.podAntiAffinity->preferredDuringSchedulingIgnoredDuringExecution)
      p.preferredAntiAffinity.push_back(podTerm(t.podAffinityTerm, p, t.weight));
  }
}

// Everything that a plugin reads of the pod goes into the key; names and times don't.
std::string classKeyOf(const PodInfo& p, const core::PodSpec& spec) {
  std::string key = p.owner + "\n" + p.ns + "\n";
  auto number = [&key](int64_t n) { key += std::to_string(n) + ","; };
  number(p.request.milliCpu), number(p.request.memory), number(p.request.ephemeralStorage);
  number(p.scoredCpu), number(p.scoredMemory);
  for (auto& [name, amount] : p.request.scalars) key += name + "=", number(amount);
  for (auto& [name, value] : p.nodeSelector) key += "\n" + name + "=" + value;
  for (auto& t : p.tolerations) key += "\nt" + t.key + "," + t.operator_ + "," + t.value + "," + t.effect;
  for (auto& h : p.hostPorts) key += "\np" + h.ip + h.protocol + std::to_string(h.port);
  for (auto& image : p.images) key += "\ni" + image;
  if (spec.affinity) key += "\n" + api::toText(api::toJson(*spec.affinity));
  for (auto& s : spec.topologySpreadConstraints) key += "\n" + api::toText(api::toJson(s));
  // Labels matter only where somebody selects pods; then every pod's do (an existing pod's anti-affinity may name them).
  for (auto& [name, value] : p.labels()) key += "\nl" + name + "=" + value;
  for (auto& claim : p.claims) key += "\nc" + claim;
  if (!spec.nodeName.empty()) key += "\nn" + spec.nodeName;
  return key;
}

}  // namespace

Resources podRequest(const core::PodSpec& spec) {
  // Init containers run one after another before the others; those that restart always stay beside them.
  Resources running, peak;
  for (auto& c : spec.initContainers) {
    Resources one = toResources(c.resources.requests);
    if (c.restartPolicy.value_or("") == "Always") {
      running.add(one);
      peak.max(running);
    } else {
      one.add(running);
      peak.max(one);
    }
  }
  for (auto& c : spec.containers) running.add(toResources(c.resources.requests));
  running.max(peak);
  running.add(toResources(spec.overhead));
  running.pods = 1;
  return running;
}

PodInfoPtr podInfo(const api::ObjectPtr& object) {
  auto& pod = object->as<core::Pod>();
  auto p = std::make_shared<PodInfo>();
  p->object = object;
  p->key = object->key();
  p->uid = object->uid();
  p->ns = object->ns();
  if (auto* owner = object->meta().controller()) p->owner = owner->uid;
  p->nodeName = pod.spec.nodeName;
  p->priority = pod.spec.priority.value_or(0);
  p->request = podRequest(pod.spec);
  p->scoredCpu = p->request.milliCpu;
  p->scoredMemory = p->request.memory;
  for (auto& c : pod.spec.containers) {
    if (!c.resources.requests.contains("cpu")) p->scoredCpu += kDefaultMilliCpu;
    if (!c.resources.requests.contains("memory")) p->scoredMemory += kDefaultMemory;
    p->images.push_back(c.image);
    for (auto& port : c.ports)
      if (port.hostPort > 0)
        p->hostPorts.push_back({port.hostIP.empty() ? "0.0.0.0" : port.hostIP,
                                port.protocol.empty() ? "TCP" : port.protocol, port.hostPort});
  }
  p->claims = api::claimsOf(object->name(), pod.spec);
  p->nodeSelector = pod.spec.nodeSelector;
  p->tolerations = pod.spec.tolerations;
  if (pod.spec.affinity) readAffinity(*pod.spec.affinity, *p);
  for (auto& s : pod.spec.topologySpreadConstraints) p->spread.push_back(spreadTerm(s, *p));
  p->classKey = classKeyOf(*p, pod.spec);
  return p;
}

int NodeInfo::ofOwner(std::string_view owner) const {
  for (auto& [uid, count] : owners)
    if (uid == owner) return count;
  return 0;
}

void NodeInfo::addPod(const PodInfoPtr& pod) {
  pods.push_back(pod);
  requested.add(pod->request);
  scoredCpu += pod->scoredCpu;
  scoredMemory += pod->scoredMemory;
  usedPorts.insert(usedPorts.end(), pod->hostPorts.begin(), pod->hostPorts.end());
  if (pod->owner.empty()) return;
  for (auto& [uid, count] : owners)
    if (uid == pod->owner) {
      ++count;
      return;
    }
  owners.emplace_back(pod->owner, 1);
}

bool NodeInfo::removePod(std::string_view uid) {
  auto it = std::find_if(pods.begin(), pods.end(), [&](auto& p) { return p->uid == uid; });
  if (it == pods.end()) return false;
  PodInfoPtr pod = std::move(*it);
  *it = std::move(pods.back());
  pods.pop_back();
  requested.add(pod->request, -1);
  scoredCpu -= pod->scoredCpu;
  scoredMemory -= pod->scoredMemory;
  if (!pod->hostPorts.empty()) {
    usedPorts.clear();
    for (auto& p : pods) usedPorts.insert(usedPorts.end(), p->hostPorts.begin(), p->hostPorts.end());
  }
  std::erase_if(owners, [&](auto& o) { return o.first == pod->owner && --o.second == 0; });
  return true;
}

void NodeInfo::renewPod(const PodInfoPtr& pod) {
  auto it = std::find_if(pods.begin(), pods.end(), [&](auto& p) { return p->uid == pod->uid; });
  if (it != pods.end()) *it = pod;
}

void NodeInfo::setObject(const api::ObjectPtr& node) {
  auto& n = node->as<core::Node>();
  object = node;
  name = node->name();
  taints = n.spec.taints;
  unschedulable = n.spec.unschedulable;
  allocatable = toResources(n.status.allocatable);
  images.clear();
  for (auto& image : n.status.images) images.insert(image.names.begin(), image.names.end());
}

bool nodeTermMatches(const NodeTerm& term, const NodeInfo& node) {
  return api::nodeTermMatches(term.labels, term.fields, node.labels(), node.name);
}

}  // namespace ph::scheduler
