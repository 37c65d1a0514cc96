#include "engine/controllers/snapshot.h"

#include "engine/api/conditions.h"
#include "engine/api/types/coordination.h"
#include "engine/api/types/core.h"
#include "engine/api/types/fleet.h"

namespace ph::controllers {

namespace {
constexpr std::string_view kLeaseNamespace = "kube-node-lease";
constexpr std::string_view kConnected = "Connected";  // a Machine's condition: the SSH connection stands
const ObjectMap kNothing;
const std::vector<std::pair<const ResourceInfo*, ObjectMap>> kNobody;
}  // namespace

Kinds::Kinds(const api::Registry& r)
    : pods(r.storage("", "pods")),
      nodes(r.storage("", "nodes")),
      namespaces(r.storage("", "namespaces")),
      services(r.storage("", "services")),
      endpoints(r.storage("", "endpoints")),
      serviceAccounts(r.storage("", "serviceaccounts")),
      events(r.storage("", "events")),
      configMaps(r.storage("", "configmaps")),
      secrets(r.storage("", "secrets")),
      replicaSets(r.storage("apps", "replicasets")),
      deployments(r.storage("apps", "deployments")),
      leases(r.storage("coordination.k8s.io", "leases")),
      machines(r.storage("fleet.pilothouse.io", "machines")),
      certificateRequests(r.storage("certificates.k8s.io", "certificatesigningrequests")),
      clusterRoles(r.storage("rbac.authorization.k8s.io", "clusterroles")),
      replicationControllers(r.storage("", "replicationcontrollers")),
      statefulSets(r.storage("apps", "statefulsets")),
      resourceQuotas(r.storage("", "resourcequotas")),
      disruptionBudgets(r.storage("policy", "poddisruptionbudgets")),
      endpointSlices(r.storage("discovery.k8s.io", "endpointslices")),
      claims(r.storage("", "persistentvolumeclaims")),
      volumes(r.storage("", "persistentvolumes")),
      daemonSets(r.storage("apps", "daemonsets")),
      controllerRevisions(r.storage("apps", "controllerrevisions")),
      jobs(r.storage("batch", "jobs")),
      cronJobs(r.storage("batch", "cronjobs")),
      autoscalers(r.storage("autoscaling", "horizontalpodautoscalers")),
      storageClasses(r.storage("storage.k8s.io", "storageclasses")) {}

Snapshot::Snapshot(const api::Registry& registry) : registry_(registry), kinds_(registry) {}

const ResourceInfo* Snapshot::follow(const ResourceInfo* kind) {
  return kind->builtin ? kind : custom_.try_emplace(kind->keyPrefix(), kind).first->second;
}

const ResourceInfo* Snapshot::followed(const ResourceInfo* kind) const {
  if (!kind || kind->builtin) return kind;
  auto it = custom_.find(kind->keyPrefix());
  return it == custom_.end() ? kind : it->second;
}

const ObjectMap& Snapshot::all(const ResourceInfo* kind) const {
  auto it = kindStates_.find(followed(kind));
  return it == kindStates_.end() ? kNothing : it->second;
}

ObjectPtr Snapshot::get(const ResourceInfo* kind, std::string_view key) const {
  return all(kind).get(key);
}

const std::vector<std::pair<const ResourceInfo*, ObjectMap>>& Snapshot::dependents(
    const std::string& uid) const {
  auto it = dependents_.find(uid);
  return it == dependents_.end() ? kNobody : it->second;
}

const ObjectMap& Snapshot::dependents(const std::string& uid, const ResourceInfo* kind) const {
  kind = followed(kind);
  for (auto& [k, objects] : dependents(uid))
    if (k == kind) return objects;
  return kNothing;
}

const ObjectMap& Snapshot::uncontrolled(const ResourceInfo* kind) const {
  auto it = uncontrolled_.find(kind);
  return it == uncontrolled_.end() ? kNothing : it->second;
}

const ObjectMap& Snapshot::podsOn(const std::string& node) const {
  auto it = podsOn_.find(node);
  return it == podsOn_.end() ? kNothing : it->second;
}

const ResourceInfo* Snapshot::kindOf(const api::OwnerRef& owner) const {
  auto slash = owner.apiVersion.find('/');
  std::string_view v = owner.apiVersion;
  const ResourceInfo* info = slash == v.npos
                                 ? registry_.findKind("", v, owner.kind)
                                 : registry_.findKind(v.substr(0, slash), v.substr(slash + 1), owner.kind);
  return info ? registry_.storage(info->group, info->plural) : nullptr;
}

ObjectPtr Snapshot::owner(const api::OwnerRef& owner, const std::string& ns) const {
  const ResourceInfo* kind = kindOf(owner);
  if (!kind) return nullptr;
  ObjectPtr o = get(kind, kind->namespaced ? ns + "/" + owner.name : owner.name);
  return o && o->uid() == owner.uid ? o : nullptr;
}

MonoTime Snapshot::heard(const std::string& node) const {
  auto it = heard_.find(node);
  return it == heard_.end() ? MonoTime{} : it->second;
}

std::optional<MonoTime> Snapshot::linkDown(const std::string& node) const {
  auto it = linkDown_.find(node);
  return it == linkDown_.end() ? std::nullopt : std::optional(it->second);
}

void Snapshot::setObjects(const ResourceInfo* kind, ObjectMap objects) {
  kindStates_[follow(kind)] = std::move(objects);
}

void Snapshot::put(const ObjectPtr& object, MonoTime now) {
  const ResourceInfo* kind = follow(&object->info());
  auto old = kindStates_[kind].assign(object->key(), object);
  apply(kind, {old ? *old : nullptr, object}, now);
}

void Snapshot::erase(const ObjectPtr& object) {
  const ResourceInfo* kind = follow(&object->info());
  if (auto old = kindStates_[kind].erase(object->key())) apply(kind, {*old, nullptr}, {});
}

void Snapshot::apply(const ResourceInfo* kind, const client::Change& change, MonoTime now) {
  kind = follow(kind);
  if (change.old) unindex(kind, change.old);
  if (change.now) index(kind, change.now);
  if (kind == kinds_.leases || kind == kinds_.nodes || kind == kinds_.machines) hear(kind, change, now);
}

void Snapshot::hear(const ResourceInfo* kind, const client::Change& change, MonoTime now) {
  const std::string& name = change.any()->name();
  if (kind == kinds_.nodes) {
    if (!change.now)
      heard_.erase(name);
    else if (!change.old || change.old->uid() != change.now->uid())
      heard_[name] = now;
    return;
  }
  if (kind == kinds_.leases) {
    if (change.any()->ns() != kLeaseNamespace || !change.now) return;
    auto renewed = [](const ObjectPtr& lease) {
      return lease->as<api::coordination::Lease>().spec.renewTime;
    };
    if (!change.old || change.old->uid() != change.now->uid() || renewed(change.old) != renewed(change.now))
      heard_[name] = now;
    return;
  }
  // A machine speaks for the node that it became.
  auto node = [](const ObjectPtr& machine) {
    auto& named = machine->as<api::fleet::Machine>().status.nodeName;
    return named.empty() ? machine->name() : named;
  };
  auto down = [](const ObjectPtr& machine) {
    auto* c = api::findCondition(machine->as<api::fleet::Machine>().status.conditions, kConnected);
    return c && c->status == "False";
  };
  if (change.old && (!change.now || node(change.old) != node(change.now))) linkDown_.erase(node(change.old));
  if (!change.now) return;
  if (down(change.now))
    linkDown_.try_emplace(node(change.now), now);
  else
    linkDown_.erase(node(change.now));
}

void Snapshot::index(const ResourceInfo* kind, const ObjectPtr& object) {
  std::string key = object->key();
  for (auto& owner : object->meta().owners) {
    auto& lists = dependents_[owner.uid];
    ObjectMap* list = nullptr;
    for (auto& [k, objects] : lists)
      if (k == kind) list = &objects;
    if (!list) list = &lists.emplace_back(kind, ObjectMap{}).second;
    list->assign(key, object);
  }
  bool selected = kind == kinds_.pods || kind == kinds_.replicaSets || kind == kinds_.controllerRevisions;
  if (selected && !object->meta().controller()) uncontrolled_[kind].assign(key, object);
  if (kind == kinds_.pods) {
    auto& node = object->as<api::core::Pod>().spec.nodeName;
    if (!node.empty()) podsOn_[node].assign(key, object);
  }
}

void Snapshot::unindex(const ResourceInfo* kind, const ObjectPtr& object) {
  std::string key = object->key();
  for (auto& owner : object->meta().owners) {
    auto it = dependents_.find(owner.uid);
    if (it == dependents_.end()) continue;
    for (size_t i = 0; i < it->second.size(); ++i) {
      auto& [k, objects] = it->second[i];
      if (k != kind) continue;
      objects.erase(key);
      if (objects.empty()) it->second.erase(it->second.begin() + ptrdiff_t(i));
      break;
    }
    if (it->second.empty()) dependents_.erase(it);
  }
  bool selected = kind == kinds_.pods || kind == kinds_.replicaSets || kind == kinds_.controllerRevisions;
  if (selected && !object->meta().controller()) uncontrolled_[kind].erase(key);
  if (kind == kinds_.pods) {
    auto it = podsOn_.find(object->as<api::core::Pod>().spec.nodeName);
    if (it != podsOn_.end()) {
      it->second.erase(key);
      if (it->second.empty()) podsOn_.erase(it);
    }
  }
}

}  // namespace ph::controllers
