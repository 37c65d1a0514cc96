// Snapshot: what the controllers know of the cluster at one moment: the objects of each watched kind, and the
// indices that reconcile functions ask for. Controllers read it; only the runner (and tests) change it.
// Threads: confined to the runner's strand.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "engine/client/reflector.h"
#include "engine/controllers/plan.h"

namespace ph::controllers {

using client::ObjectMap;

// The built-in kinds that controllers name; null when the registry lacks one.
struct Kinds {
  explicit Kinds(const api::Registry& registry);
  const ResourceInfo *pods, *nodes, *namespaces, *services, *endpoints, *serviceAccounts, *events,
      *configMaps, *secrets;
  const ResourceInfo *replicaSets, *deployments, *leases, *machines, *certificateRequests, *clusterRoles;
  const ResourceInfo *replicationControllers, *statefulSets, *resourceQuotas, *disruptionBudgets, *endpointSlices, *claims, *volumes;
  const ResourceInfo *daemonSets, *controllerRevisions, *jobs, *cronJobs, *autoscalers, *storageClasses;
};

class Snapshot {
 public:
  explicit Snapshot(const api::Registry& registry);

  const api::Registry& registry() const { return registry_; }
  const Kinds& kinds() const { return kinds_; }

  // All objects of a kind, by Object::key(). Those of one namespace: all(kind).prefix(ns + "/").
  const ObjectMap& all(const ResourceInfo* kind) const;
  ObjectPtr get(const ResourceInfo* kind, std::string_view key) const;
  // The kind is watched, and all that there was at the start is here.
  bool synced(const ResourceInfo* kind) const { return synced_.contains(followed(kind)); }

  // Objects of a kind that name `uid` among their owners (as controller or not).
  const ObjectMap& dependents(const std::string& uid, const ResourceInfo* kind) const;
  // The same over all kinds, in the order in which the kinds came.
  const std::vector<std::pair<const ResourceInfo*, ObjectMap>>& dependents(const std::string& uid) const;
  // Objects of a kind (pods, replicasets, controllerrevisions) without a controller; use prefix(ns + "/").
  const ObjectMap& uncontrolled(const ResourceInfo* kind) const;
  const ObjectMap& podsOn(const std::string& node) const;
  // The kind that an owner reference names; null when unknown.
  const ResourceInfo* kindOf(const api::OwnerRef& owner) const;
  // The owner, when it is there with the same uid. `ns` is the dependent's.
  ObjectPtr owner(const api::OwnerRef& owner, const std::string& ns) const;

  // When a node was last heard of (its Node came, or its lease was renewed), on our own clock: nodes' clocks
  // are not trusted.
  MonoTime heard(const std::string& node) const;
  // Since when the connection to a node's machine has been down, as the fleet says; nullopt: up, or nobody
  // knows.
  std::optional<MonoTime> linkDown(const std::string& node) const;
  // Nothing that was to be heard before this can be held against anyone: the controllers' start, a resume, a
  // clock jump, or a gap in what they could see.
  MonoTime steadySince() const { return steadySince_; }

  // For the runner and tests.
  void setSynced(const ResourceInfo* kind) { synced_.insert(follow(kind)); }
  void apply(const ResourceInfo* kind, const client::Change& change, MonoTime now);  // the indices only
  void setObjects(const ResourceInfo* kind, ObjectMap objects);
  void put(const ObjectPtr& object, MonoTime now = {});  // both; for tests
  void erase(const ObjectPtr& object);
  void setSteadySince(MonoTime t) { steadySince_ = t; }

 private:
  // A custom kind's entry is another one after each change of its definition: the first one that we met stands for all.
  const ResourceInfo* follow(const ResourceInfo* kind);
  const ResourceInfo* followed(const ResourceInfo* kind) const;
  void index(const ResourceInfo* kind, const ObjectPtr& object);
  void unindex(const ResourceInfo* kind, const ObjectPtr& object);

  const api::Registry& registry_;
  Kinds kinds_;
  std::unordered_map<const ResourceInfo*, ObjectMap> kindStates_;
  std::unordered_set<const ResourceInfo*> synced_;
  std::unordered_map<std::string, const ResourceInfo*> custom_;  // by key prefix
  std::unordered_map<std::string, std::vector<std::pair<const ResourceInfo*, ObjectMap>>> dependents_;
  std::unordered_map<const ResourceInfo*, ObjectMap> uncontrolled_;
  std::unordered_map<std::string, ObjectMap> podsOn_;
  void hear(const ResourceInfo* kind, const client::Change& change, MonoTime now);

  std::unordered_map<std::string, MonoTime> heard_, linkDown_;  // by node
  MonoTime steadySince_{};
};

}  // namespace ph::controllers
