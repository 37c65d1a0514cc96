#include "engine/server/rbac/node_restriction.h"

#include <set>

#include "engine/server/authz.h"
#include "engine/server/json_util.h"
#include "engine/server/rbac/node_grants.h"

namespace ph::server {
namespace {

std::string nameOf(const Json& object) { return std::string(textAt(objectAt(object, "metadata"), "name")); }

Status refuse(const Admission& a, const std::string& why) { return forbidden(a.info, nameOf(a.object), why); }

std::string quoted(std::string_view s) { return "\"" + std::string(s) + "\""; }

// ---- nodes ----------------------------------------------------------------------------------------------------------

bool within(std::string_view domain, std::string_view parent) {
  return domain == parent ||
         (domain.size() > parent.size() && domain.ends_with(parent) && domain[domain.size() - parent.size() - 1] == '.');
}

// Labels that steer workloads are the administrator's; a node tells what it is, no more.
bool mayLabelItself(std::string_view key) {
  static constexpr std::string_view own[] = {
      "kubernetes.io/hostname", "kubernetes.io/os", "kubernetes.io/arch", "kubernetes.io/instance-type",
      "topology.kubernetes.io/zone", "topology.kubernetes.io/region", "node.kubernetes.io/instance-type",
      "failure-domain.beta.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/region",
      "failure-domain.kubernetes.io/zone", "failure-domain.kubernetes.io/region",
      "beta.kubernetes.io/instance-type", "beta.kubernetes.io/os", "beta.kubernetes.io/arch"};
  size_t slash = key.find('/');
  auto domain = slash == std::string_view::npos ? std::string_view() : key.substr(0, slash);
  if (within(domain, "node-restriction.kubernetes.io")) return false;
  if (!within(domain, "kubernetes.io") && !within(domain, "k8s.io")) return true;
  for (auto o : own)
    if (key == o) return true;
  return within(domain, "kubelet.kubernetes.io") || within(domain, "node.kubernetes.io");
}

const JsonObject* labelsOf(const Json* object) {
  auto* metadata = object ? objectAt(*object, "metadata") : nullptr;
  auto* labels = metadata ? metadata->if_contains("labels") : nullptr;
  return labels ? labels->if_object() : nullptr;
}

std::string forbiddenLabels(const Json& now, const Json* old) {
  std::set<std::string> keys;
  auto compare = [&](const JsonObject* a, const JsonObject* b) {
    if (!a) return;
    for (auto& [key, value] : *a) {
      auto* other = b ? b->if_contains(key) : nullptr;
      std::string_view name(key.data(), key.size());
      if ((!other || *other != value) && !mayLabelItself(name)) keys.emplace(name);
    }
  };
  compare(labelsOf(&now), labelsOf(old));
  compare(labelsOf(old), labelsOf(&now));
  std::string out;
  for (auto& k : keys) out += (out.empty() ? "" : ", ") + k;
  return out;
}

bool sameTaints(const Json& a, const Json& b) {
  auto taints = [](const Json& object) {
    auto* t = member(member(&object, "spec"), "taints");
    return t && t->is_array() && !t->get_array().empty() ? t : nullptr;
  };
  auto *x = taints(a), *y = taints(b);
  return x && y ? *x == *y : x == y;
}

Result<> checkNode(Admission& a, const std::string& node) {
  if (auto name = nameOf(a.object); name != node)
    return refuse(a, "node " + quoted(node) + " is not allowed to modify node " + quoted(name));
  auto* source = member(member(&a.object, "spec"), "configSource");
  if (source && !source->is_null() && !(a.old && member(member(a.old, "spec"), "configSource")))
    return refuse(a, "node " + quoted(node) + " is not allowed to set a configSource");
  auto labels = forbiddenLabels(a.object, a.old);
  if (!a.old) {
    if (labels.empty()) return {};
    return refuse(a, "node " + quoted(node) + " is not allowed to set the following labels: " + labels);
  }
  if (!sameTaints(a.object, *a.old)) return refuse(a, "node " + quoted(node) + " is not allowed to modify taints");
  if (!labels.empty()) return refuse(a, "is not allowed to modify labels: " + labels);
  return {};
}

// ---- pods -----------------------------------------------------------------------------------------------------------

// A mirror pod is owned by the Node itself, so that it goes with it.
Result<> checkMirrorOwner(Admission& a, const std::string& node) {
  auto who = "node " + quoted(node);
  auto* metadata = objectAt(a.object, "metadata");
  auto* list = metadata ? metadata->if_contains("ownerReferences") : nullptr;
  auto* owners = list ? list->if_array() : nullptr;
  if (!owners || owners->empty()) return refuse(a, who + " can only create pods with an owner reference set to itself");
  if (owners->size() > 1) return refuse(a, who + " can only create pods with a single owner reference set to itself");
  auto* owner = owners->front().if_object();
  if (textAt(owner, "apiVersion") != "v1" || textAt(owner, "kind") != "Node" || textAt(owner, "name") != node)
    return refuse(a, who + " can only create pods with an owner reference set to itself");
  auto* controller = owner->if_contains("controller");
  if (!controller || *controller != true)
    return refuse(a, who + " can only create pods with a controller owner reference set to itself");
  if (auto* blocks = owner->if_contains("blockOwnerDeletion"); blocks && *blocks == true)
    return refuse(a, who + " must not set blockOwnerDeletion on an owner reference");
  auto object = a.core.cache->get(*a.core.nodes, node);
  if (!object) return notFound(*a.core.nodes, node);
  if (textAt(owner, "uid") != object->uid())
    return refuse(a, "node " + node + " UID mismatch: expected " + std::string(textAt(owner, "uid")) + " got " + object->uid());
  return {};
}

Result<> checkPod(Admission& a, const std::string& node) {
  if (a.old) return refuse(a, "node " + quoted(node) + " can only change the status of pods");
  auto who = "node " + quoted(node);
  auto* metadata = objectAt(a.object, "metadata");
  auto* annotations = metadata ? metadata->if_contains("annotations") : nullptr;
  if (!member(annotations, "kubernetes.io/config.mirror"))
    return refuse(a, "pod does not have \"kubernetes.io/config.mirror\" annotation, " + who + " can only create mirror pods");
  auto* spec = objectAt(a.object, "spec");
  if (textAt(spec, "nodeName") != node)
    return refuse(a, who + " can only create pods with spec.nodeName set to itself");
  PH_TRY(checkMirrorOwner(a, node));
  if (!textAt(spec, "serviceAccountName").empty() || !textAt(spec, "serviceAccount").empty())
    return refuse(a, who + " can not create pods that reference a service account");
  static constexpr std::pair<PodUse, const char*> others[] = {
      {PodUse::Secret, "secrets"}, {PodUse::ConfigMap, "configmaps"}, {PodUse::Claim, "persistentvolumeclaims"}};
  for (auto& [use, what] : others)
    if (podUsesAny(a.core, a.object, use)) return refuse(a, who + " can not create pods that reference " + what);
  return {};
}

// ---- others ---------------------------------------------------------------------------------------------------------

Result<> checkOwnName(Admission& a, const std::string& node) {
  if (nameOf(a.object) == node) return {};
  auto what = a.info.kind == "Lease" ? "node lease" : a.info.kind;
  return refuse(a, "can only access " + what + " with the same name as the requesting node");
}

}  // namespace

Result<> nodeRestriction(Admission& a) {
  auto& user = a.request.user;
  if (!user.inGroup(kNodes)) return {};
  std::string node(nodeOf(user));
  if (node.empty()) {
    if (user.inGroup(kAdmins)) return {};
    return refuse(a, "could not determine node from user " + quoted(user.name));
  }
  auto& info = a.info;
  if (&info == a.core.nodes) return checkNode(a, node);
  if (&info == a.core.pods) return checkPod(a, node);
  if (info.storageGroupKind == "coordination.k8s.io/Lease" || info.storageGroupKind == "storage.k8s.io/CSINode")
    return checkOwnName(a, node);
  return {};
}

}  // namespace ph::server
