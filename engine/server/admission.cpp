#include "engine/server/admission.h"

#include <algorithm>

#include "engine/server/admission/certificates.h"
#include "engine/server/admission/service_account.h"
#include "engine/server/json_util.h"
#include "engine/server/rbac/escalation.h"
#include "engine/server/rbac/node_restriction.h"
#include "engine/server/service_admission.h"

namespace ph::server {
namespace {

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

bool tolerates(const JsonArray& tolerations, std::string_view key) {
  for (auto& t : tolerations) {
    auto* toleration = t.if_object();
    if (!toleration) continue;
    auto effect = textAt(toleration, "effect");
    auto k = textAt(toleration, "key");
    if ((k == key || k.empty()) && (effect == "NoExecute" || effect.empty())) return true;
  }
  return false;
}

// A node counts as lost only after its grace, or when its connection was lost; what is left to wait for is a connection that
// comes back at once. Lost pods are to run elsewhere within ten seconds, so this is short (Kubernetes waits 300 s more); a pod
// may say otherwise.
// One whose agent answers that it is not ready (a runtime that starts anew) may come right by itself.
void tolerateLostNodes(JsonObject& spec) {
  static constexpr std::pair<std::string_view, int64_t> kSeconds[] = {{"node.kubernetes.io/not-ready", 30},
                                                                      {"node.kubernetes.io/unreachable", 2}};
  Json& tolerations = spec["tolerations"];
  if (!tolerations.is_array()) tolerations.emplace_array();
  auto& list = tolerations.get_array();
  for (auto& [key, seconds] : kSeconds) {
    if (tolerates(list, key)) continue;
    list.push_back(JsonObject{{"key", key}, {"operator", "Exists"}, {"effect", "NoExecute"}, {"tolerationSeconds", seconds}});
  }
}

Result<> podDefaults(Admission& a) {
  if (&a.info != a.core.pods || a.old) return {};
  auto& spec = makeObject(a.object, "spec");
  if (textAt(&spec, "serviceAccountName").empty()) {
    auto old = textAt(&spec, "serviceAccount");
    std::string account = old.empty() ? "default" : std::string(old);
    spec["serviceAccountName"] = account;
  }
  Json account = spec["serviceAccountName"];  // a copy: adding a member may move the others
  spec["serviceAccount"] = std::move(account);
  auto cls = textAt(&spec, "priorityClassName");
  int64_t priority = cls == "system-node-critical" ? 2000001000 : cls == "system-cluster-critical" ? 2000000000 : 0;
  if (!spec.contains("priority") || spec["priority"].is_null()) spec["priority"] = priority;
  if (!spec.contains("preemptionPolicy")) spec["preemptionPolicy"] = "PreemptLowerPriority";
  tolerateLostNodes(spec);
  return {};
}

using Step = Result<> (*)(Admission&);
constexpr Step kSteps[] = {nodeRestriction, namespaceDefaults, podDefaults, serviceAccountStep, serviceAddressesStep, escalationCheck, certificateRequestStep};

}  // namespace

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

Result<> admit(Admission& admission) {
  for (auto step : kSteps) PH_TRY(step(admission));
  return {};
}

}  // namespace ph::server
