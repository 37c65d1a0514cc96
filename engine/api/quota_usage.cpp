#include "engine/api/quota_usage.h"

#include <algorithm>
#include <set>

#include "engine/api/codec.h"

namespace ph::api {
namespace {

constexpr std::string_view kClaimsSuffix = ".storageclass.storage.k8s.io/persistentvolumeclaims";
constexpr std::string_view kStorageSuffix = ".storageclass.storage.k8s.io/requests.storage";

Quantity one(int64_t n = 1) { return Quantity::fromUnits(n); }

std::string_view view(boost::json::string_view s) { return {s.data(), s.size()}; }

std::string_view text(const Json& tree, std::string_view path) {
  auto* v = at(tree, path);
  auto* s = v ? v->if_string() : nullptr;
  return s ? view(*s) : std::string_view();
}

void raise(Amounts& to, const Amounts& other) {
  for (auto& [name, amount] : other) {
    auto [it, isNew] = to.try_emplace(name, amount);
    if (!isNew && it->second < amount) it->second = amount;
  }
}

bool restartable(const core::Container& init) { return init.restartPolicy == "Always"; }

// Init containers run one after another, before the others; those that keep running count from their start on.
template <class Pick>
Amounts together(const core::Pod& pod, Pick pick) {
  Amounts sum, sidecars, most;
  for (auto& c : pod.spec.containers) add(sum, pick(c));
  for (auto& c : pod.spec.initContainers) {
    if (restartable(c)) {
      add(sidecars, pick(c));
      raise(most, sidecars);
    } else {
      Amounts alone = sidecars;
      add(alone, pick(c));
      raise(most, alone);
    }
  }
  add(sum, sidecars);
  raise(sum, most);
  add(sum, pod.spec.overhead);
  return sum;
}

bool isNative(std::string_view name) { return name.find('/') == name.npos || name.find("kubernetes.io/") != name.npos; }
bool isExtended(std::string_view name) { return !isNative(name) && !name.starts_with("requests."); }

// As the names of limits have it.
Amounts computeUsage(const Amounts& requests, const Amounts& limits) {
  Amounts out;
  for (auto& [name, amount] : requests) {
    if (name == "cpu" || name == "memory" || name == "ephemeral-storage" || name.starts_with("hugepages-")) {
      out[name] = amount;
      out["requests." + name] = amount;
    } else if (isExtended(name)) {
      out["requests." + name] = amount;
    }
  }
  for (auto& [name, amount] : limits)
    if (name == "cpu" || name == "memory" || name == "ephemeral-storage") out["limits." + name] = amount;
  return out;
}

void addService(const core::ServiceSpec& spec, Amounts& out) {
  out["services"] = one();
  bool balanced = spec.type == "LoadBalancer";
  if (balanced) out["services.loadbalancers"] = one();
  bool ports = spec.type == "NodePort" || (balanced && spec.allocateLoadBalancerNodePorts.value_or(true));
  if (ports) out["services.nodeports"] = one(int64_t(spec.ports.size()));
}

void addClaim(const Json& claim, Amounts& out) {
  out["persistentvolumeclaims"] = one();
  auto storage = Quantity::parse(text(claim, "spec.resources.requests.storage"));
  // The size that was granted counts while it is more than what is asked for now.
  if (auto granted = Quantity::parse(text(claim, "status.allocatedResources.storage")); granted && storage && *storage < *granted)
    storage = granted;
  if (storage) out["requests.storage"] = *storage;
  std::string cls(text(claim, "spec.storageClassName"));
  if (auto* metadata = at(claim, "metadata.annotations"); metadata && metadata->is_object())
    if (auto* old = metadata->get_object().if_contains("volume.beta.kubernetes.io/storage-class"); old && old->is_string())
      cls = old->get_string();
  if (cls.empty()) return;
  out[cls + std::string(kClaimsSuffix)] = one();
  if (storage) out[cls + std::string(kStorageSuffix)] = *storage;
}

bool scopeMatches(const QuotaRule::Scope& scope, const core::Pod& pod) {
  bool deadline = pod.spec.activeDeadlineSeconds && *pod.spec.activeDeadlineSeconds >= 0;
  if (scope.name == "Terminating") return deadline;
  if (scope.name == "NotTerminating") return !deadline;
  if (scope.name == "BestEffort" || scope.name == "NotBestEffort") {
    auto positive = [](const Amounts& amounts) {
      for (auto name : {"cpu", "memory"})
        if (auto it = amounts.find(name); it != amounts.end() && !it->second.isZero()) return true;
      return false;
    };
    bool asks = false;
    for (auto* group : {&pod.spec.containers, &pod.spec.initContainers})
      for (auto& c : *group) asks = asks || positive(c.resources.requests) || positive(c.resources.limits);
    return asks == (scope.name == "NotBestEffort");
  }
  if (scope.name == "PriorityClass") {
    auto& cls = pod.spec.priorityClassName;
    bool listed = std::find(scope.values.begin(), scope.values.end(), cls) != scope.values.end();
    if (scope.op == "In") return !cls.empty() && listed;
    if (scope.op == "NotIn") return !listed;
    if (scope.op == "DoesNotExist") return cls.empty();
    return !cls.empty();
  }
  if (scope.name == "CrossNamespacePodAffinity") {
    if (!pod.spec.affinity) return false;
    auto crosses = [](auto& terms) {
      return std::any_of(terms.begin(), terms.end(), [](auto& t) { return !t.namespaces.empty() || t.namespaceSelector; });
    };
    auto crossesWeighted = [](auto& terms) {
      return std::any_of(terms.begin(), terms.end(), [](auto& t) {
        return !t.podAffinityTerm.namespaces.empty() || t.podAffinityTerm.namespaceSelector;
      });
    };
    auto any = [&](auto& affinity) {
      return affinity && (crosses(affinity->requiredDuringSchedulingIgnoredDuringExecution) ||
                          crossesWeighted(affinity->preferredDuringSchedulingIgnoredDuringExecution));
    };
    return any(pod.spec.affinity->podAffinity) || any(pod.spec.affinity->podAntiAffinity);
  }
  return false;
}

}  // namespace

void add(Amounts& to, const Amounts& more) {
  for (auto& [name, amount] : more) {
    auto [it, isNew] = to.try_emplace(name, amount);
    if (!isNew) it->second = it->second + amount;
  }
}

void subtract(Amounts& from, const Amounts& less) {
  for (auto& [name, amount] : less) {
    auto& left = from[name];
    left = left - amount;
    if (left.isZero()) from.erase(name);
  }
}

std::string amountsText(const Amounts& amounts) {
  std::string out;
  for (auto& [name, amount] : amounts) out += (out.empty() ? "" : ",") + name + "=" + amount.text();
  return out;
}

Amounts amountsOf(const Json* object) {
  Amounts out;
  auto* members = object ? object->if_object() : nullptr;
  if (!members) return out;
  for (auto& kv : *members)
    if (auto* s = kv.value().if_string())
      if (auto q = Quantity::parse(view(*s))) out.emplace(view(kv.key()), *q);
  return out;
}

QuotaRule QuotaRule::of(const Json& quota) {
  QuotaRule rule;
  rule.hard = amountsOf(at(quota, "spec.hard"));
  if (auto* scopes = at(quota, "spec.scopes"); scopes && scopes->is_array())
    for (auto& s : scopes->get_array())
      if (s.is_string()) rule.scopes.push_back({std::string(view(s.get_string())), "Exists", {}});
  if (auto* terms = at(quota, "spec.scopeSelector.matchExpressions"); terms && terms->is_array())
    for (auto& t : terms->get_array()) {
      Scope scope{std::string(text(t, "scopeName")), std::string(text(t, "operator")), {}};
      if (auto* values = at(t, "values"); values && values->is_array())
        for (auto& v : values->get_array())
          if (v.is_string()) scope.values.emplace_back(view(v.get_string()));
      rule.scopes.push_back(std::move(scope));
    }
  return rule;
}

bool QuotaRule::concerns(const core::Pod* pod) const {
  if (!pod) return scopes.empty();
  return std::all_of(scopes.begin(), scopes.end(), [&](auto& s) { return scopeMatches(s, *pod); });
}

Amounts QuotaRule::limited(const Amounts& usage) const {
  Amounts out;
  for (auto& [name, amount] : usage)
    if (hard.contains(name)) out.emplace(name, amount);
  return out;
}

std::pair<std::string, std::string> countedFor(std::string_view limit) {
  if (limit.starts_with("count/")) {
    limit.remove_prefix(6);
    auto dot = limit.find('.');
    if (dot == limit.npos) return {"", std::string(limit)};
    return {std::string(limit.substr(dot + 1)), std::string(limit.substr(0, dot))};
  }
  if (limit == "services" || limit.starts_with("services.")) return {"", "services"};
  if (limit == "persistentvolumeclaims" || limit == "requests.storage" || limit.ends_with(kClaimsSuffix) ||
      limit.ends_with(kStorageSuffix))
    return {"", "persistentvolumeclaims"};
  for (auto plural : {"secrets", "configmaps", "replicationcontrollers", "resourcequotas"})
    if (limit == plural) return {"", plural};
  return {"", "pods"};
}

bool podEnded(const core::Pod& pod) { return pod.status.phase == "Succeeded" || pod.status.phase == "Failed"; }

Amounts podRequests(const core::Pod& pod) {
  return together(pod, [](const core::Container& c) -> auto& { return c.resources.requests; });
}

Amounts podLimits(const core::Pod& pod) {
  return together(pod, [](const core::Container& c) -> auto& { return c.resources.limits; });
}

Amounts podUsage(const core::Pod& pod) {
  Amounts out;
  if (!podEnded(pod)) {
    out = computeUsage(podRequests(pod), podLimits(pod));
    out["pods"] = one();
  }
  out["count/pods"] = one();
  return out;
}

namespace {

Amounts counted(const ResourceInfo& info) {
  Amounts out{{"count/" + info.groupResource(), one()}};
  if (info.group.empty())
    for (auto plural : {"secrets", "configmaps", "replicationcontrollers", "resourcequotas"})
      if (info.plural == plural) out[plural] = one();
  return out;
}

bool isCore(const ResourceInfo& info, std::string_view plural) { return info.group.empty() && info.plural == plural; }

}  // namespace

Amounts usageOf(const Object& object) {
  auto& info = object.info();
  if (isCore(info, "pods")) return podUsage(object.as<core::Pod>());
  Amounts out = counted(info);
  if (isCore(info, "services")) addService(object.as<core::Service>().spec, out);
  if (isCore(info, "persistentvolumeclaims")) addClaim(object.tree(), out);
  return out;
}

Amounts usageOf(const ResourceInfo& info, const Json& object) {
  if (isCore(info, "pods")) {
    core::Pod pod;
    decodeLenient(object, *info.type, &pod);
    return podUsage(pod);
  }
  Amounts out = counted(info);
  if (isCore(info, "services")) {
    core::Service service;
    decodeLenient(object, *info.type, &service);
    addService(service.spec, out);
  }
  if (isCore(info, "persistentvolumeclaims")) addClaim(object, out);
  return out;
}

std::string unspecified(const QuotaRule& rule, const core::Pod& pod) {
  std::set<std::string> missing;
  for (auto name : {"cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory"}) {
    if (!rule.hard.contains(name)) continue;
    for (auto* group : {&pod.spec.containers, &pod.spec.initContainers})
      for (auto& c : *group)
        if (!computeUsage(c.resources.requests, c.resources.limits).contains(name)) missing.insert(name);
  }
  std::string out;
  for (auto& name : missing) out += (out.empty() ? "" : ",") + name;
  return out;
}

}  // namespace ph::api
