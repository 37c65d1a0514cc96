// NamespaceLifecycle: nothing new in a namespace that is missing or on its way out; some namespaces stay for ever.
#include <algorithm>

#include "engine/server/admission/steps.h"
#include "engine/server/json_util.h"

namespace ph::server {

bool isImmortal(std::string_view ns) { return ns == "default" || ns == "kube-system" || ns == "kube-public"; }

Result<> checkNamespace(Core& core, const ResourceInfo& info, std::string_view ns, std::string_view name) {
  auto found = core.cache->get(*core.namespaces, std::string(ns));
  if (!found) return notFound(*core.namespaces, ns);
  if (!found->meta().deleting) return {};
  Status status = forbidden(info, name,
                            "unable to create new content in namespace " + std::string(ns) +
                                " because it is being terminated");
  status.causes.push_back({"NamespaceTerminating", "namespace " + std::string(ns) + " is being terminated",
                           "metadata.namespace"});
  return status;
}

namespace steps {

// Asked again when the key's turn comes; here so that no later step works for nothing, or speaks first.
Result<> namespaceLifecycle(Admission& a) {
  if (!a.creates() || !a.info.namespaced) return {};
  return checkNamespace(a.core, a.info, a.request.ns, a.request.name);
}

// Every namespace carries its own name as a label, and the finalizer that empties it before it goes.
Result<> namespaceDefaults(Admission& a) {
  if (&a.info != a.core.namespaces) return {};
  auto& metadata = makeObject(a.object, "metadata");
  std::string name(textAt(&metadata, "name"));  // a copy: adding a member may move the others
  makeObject(metadata, "labels")["kubernetes.io/metadata.name"] = name;
  if (a.old) return {};
  auto& spec = makeObject(a.object, "spec");
  Json& finalizers = spec["finalizers"];
  if (!finalizers.is_array()) finalizers.emplace_array();
  auto& list = finalizers.get_array();
  if (std::none_of(list.begin(), list.end(), [](const Json& f) { return f == "kubernetes"; }))
    list.push_back("kubernetes");
  makeObject(a.object, "status")["phase"] = "Active";
  return {};
}

}  // namespace steps
}  // namespace ph::server
