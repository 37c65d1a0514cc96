// What the scheduler keeps of a Pod and a Node: the parts that decide, decoded once.
// Threads: plain values; PodInfo is immutable after podInfo() made it.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "engine/api/object.h"
#include "engine/api/selector.h"
#include "engine/api/types/core.h"

namespace ph::scheduler {

// Amounts as the scheduler counts them. CPU in thousandths of a core; memory and storage in bytes.
struct Resources {
  int64_t milliCpu = 0;
  int64_t memory = 0;
  int64_t ephemeralStorage = 0;
  int64_t pods = 0;
  std::vector<std::pair<std::string, int64_t>> scalars;  // sorted by name: extended resources, hugepages

  void add(const Resources& o, int sign = 1);
  void max(const Resources& o);
  int64_t scalar(std::string_view name) const;
};

// A set of pods (a selector in some namespaces) counted over the values of a node label.
struct PodTerm {
  api::LabelSelector selector;
  std::vector<std::string> namespaces;  // sorted; empty: every namespace
  std::string topologyKey;
  int weight = 0;                       // preferred terms
  std::string id;                       // equal terms have equal ids
  bool matches(const std::string& ns, const api::Labels& labels) const;
};

struct SpreadTerm {
  PodTerm term;
  int maxSkew = 1;
  int minDomains = 0;
  bool hard = true;       // DoNotSchedule
  bool selfMatch = false;
};

struct NodeTerm {  // a term of node affinity: all expressions must hold
  std::vector<api::core::NodeSelectorRequirement> labels;
  std::vector<api::core::NodeSelectorRequirement> fields;  // only metadata.name
  int weight = 0;
};

struct HostPort {
  std::string ip, protocol;
  int32_t port = 0;
  bool conflicts(const HostPort& o) const;
};

struct PodInfo {
  api::ObjectPtr object;
  std::string key, uid, nodeName, ns, owner;  // owner: uid of the controller, empty when there is none
  int32_t priority = 0;
  bool nominated = false;  // not there yet: it keeps the room that others were asked to leave for it
  Resources request;
  // What scoring counts for pods that ask for nothing (Kubernetes: 100m and 200 MB a container).
  int64_t scoredCpu = 0, scoredMemory = 0;
  std::map<std::string, std::string, std::less<>> nodeSelector;
  bool hasRequiredNodeTerms = false;
  std::vector<NodeTerm> requiredNodeTerms, preferredNodeTerms;
  std::vector<api::core::Toleration> tolerations;
  std::vector<PodTerm> affinity, antiAffinity, preferredAffinity, preferredAntiAffinity;
  std::vector<SpreadTerm> spread;
  std::vector<HostPort> hostPorts;
  std::vector<std::string> images;
  std::vector<std::string> claims;  // names of PersistentVolumeClaims
  // Pods of one class get the same answer from every plugin on the same cluster.
  std::string classKey;

  const api::Labels& labels() const { return object->meta().labels; }
};
using PodInfoPtr = std::shared_ptr<const PodInfo>;

PodInfoPtr podInfo(const api::ObjectPtr& pod);
Resources podRequest(const api::core::PodSpec& spec);

struct NodeInfo {
  api::ObjectPtr object;
  std::string name;
  std::vector<api::core::Taint> taints;
  bool unschedulable = false;
  Resources allocatable;
  Resources requested;                     // of the pods below
  int64_t scoredCpu = 0, scoredMemory = 0;
  std::vector<PodInfoPtr> pods;
  std::vector<HostPort> usedPorts;
  std::vector<std::pair<std::string, int>> owners;  // pods here by their owner's uid
  std::set<std::string, std::less<>> images;

  const api::Labels& labels() const { return object->meta().labels; }
  std::string_view label(std::string_view key) const { return object->meta().label(key); }
  int ofOwner(std::string_view owner) const;
  void addPod(const PodInfoPtr& pod);
  bool removePod(std::string_view uid);   // false when it isn't here
  void renewPod(const PodInfoPtr& pod);   // another version that counts the same: the old one's memory goes
  void setObject(const api::ObjectPtr& node);
};

bool nodeTermMatches(const NodeTerm& term, const NodeInfo& node);

}  // namespace ph::scheduler
