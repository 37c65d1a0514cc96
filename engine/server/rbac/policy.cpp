#include "engine/server/rbac/policy.h"

namespace ph::server {
namespace {

constexpr std::string_view kRead = "get list watch", kWrite = "create delete deletecollection patch update",
                           kReadWrite = "create delete deletecollection get list patch update watch",
                           kHealth = "/healthz /livez /readyz";

RuleFact on(std::string_view verbs, std::string_view groups, std::string_view resources, std::string_view names = {}) {
  return {verbs, groups, resources, names, {}};
}
RuleFact at(std::string_view paths, std::string_view verbs = "get") { return {verbs, {}, {}, {}, paths}; }
RuleFact events() { return on("create patch update", "core events.k8s.io", "events"); }

using Roles = std::vector<RoleFact>;

// For people and what they run: cluster-admin, and admin ⊃ edit ⊃ view within a namespace.
void userRoles(Roles& out) {
  out.push_back({.name = "cluster-admin", .rules = {on("*", "*", "*"), at("*", "*")}});
  out.push_back({.name = "admin", .aggregates = true});
  out.push_back({.name = "edit", .aggregateTo = "admin", .aggregates = true});
  out.push_back({.name = "view", .aggregateTo = "edit", .aggregates = true});
  out.push_back({.name = "system:aggregate-to-admin",
                 .rules = {on("create", "authorization.k8s.io", "localsubjectaccessreviews"),
                           on(kReadWrite, "rbac.authorization.k8s.io", "roles rolebindings")},
                 .aggregateTo = "admin"});
  out.push_back(
      {.name = "system:aggregate-to-edit",
       .rules = {on(kRead, "core", "pods/attach pods/exec pods/portforward pods/proxy secrets services/proxy"),
                 on("impersonate", "core", "serviceaccounts"),
                 on(kWrite, "core", "pods pods/attach pods/exec pods/portforward pods/proxy"),
                 on("create", "core", "pods/eviction serviceaccounts/token"),
                 on(kWrite, "core",
                    "configmaps events persistentvolumeclaims replicationcontrollers replicationcontrollers/scale secrets "
                    "serviceaccounts services services/proxy"),
                 on(kWrite, "apps",
                    "daemonsets deployments deployments/rollback deployments/scale replicasets replicasets/scale statefulsets "
                    "statefulsets/scale"),
                 on(kWrite, "autoscaling", "horizontalpodautoscalers"), on(kWrite, "batch", "cronjobs jobs"),
                 on(kWrite, "extensions", "ingresses"), on(kWrite, "policy", "poddisruptionbudgets"),
                 on(kWrite, "networking.k8s.io", "ingresses networkpolicies"),
                 on(kReadWrite, "coordination.k8s.io", "leases")},
       .aggregateTo = "edit"});
  out.push_back(
      {.name = "system:aggregate-to-view",
       .rules = {on(kRead, "core",
                    "configmaps endpoints persistentvolumeclaims persistentvolumeclaims/status pods replicationcontrollers "
                    "replicationcontrollers/scale serviceaccounts services services/status"),
                 on(kRead, "core",
                    "bindings events limitranges namespaces/status pods/log pods/status replicationcontrollers/status "
                    "resourcequotas resourcequotas/status"),
                 on(kRead, "core", "namespaces"), on(kRead, "discovery.k8s.io", "endpointslices"),
                 on(kRead, "events.k8s.io", "events"),
                 on(kRead, "apps",
                    "controllerrevisions daemonsets daemonsets/status deployments deployments/scale deployments/status "
                    "replicasets replicasets/scale replicasets/status statefulsets statefulsets/scale statefulsets/status"),
                 on(kRead, "autoscaling", "horizontalpodautoscalers horizontalpodautoscalers/status"),
                 on(kRead, "batch", "cronjobs cronjobs/status jobs jobs/status"),
                 on(kRead, "extensions", "ingresses ingresses/status"),
                 on(kRead, "policy", "poddisruptionbudgets poddisruptionbudgets/status"),
                 on(kRead, "networking.k8s.io", "ingresses ingresses/status networkpolicies")},
       .aggregateTo = "view"});
  // Image archives for one's own namespace (pilothouse-engine deploy).
  out.push_back({.name = "pilothouse:image-uploader", .rules = {on("create", "fleet.pilothouse.io", "images")}, .aggregateTo = "edit"});
  out.push_back({.name = "system:aggregated-metrics-reader",
                 .rules = {on(kRead, "metrics.k8s.io", "nodes pods")},
                 .aggregateTo = "view"});
}

// What everybody may see, and what tools and add-ons are usually given.
void commonRoles(Roles& out) {
  out.push_back({.name = "system:basic-user",
                 .rules = {on("create", "authorization.k8s.io", "selfsubjectaccessreviews selfsubjectrulesreviews"),
                           on("create", "authentication.k8s.io", "selfsubjectreviews")}});
  out.push_back({.name = "system:discovery",
                 .rules = {at(kHealth), at("/api /api/* /apis /apis/* /openapi /openapi/* /version /version/")}});
  out.push_back({.name = "system:public-info-viewer", .rules = {at(kHealth), at("/version /version/")}});
  out.push_back({.name = "system:monitoring",
                 .rules = {at(kHealth), at("/healthz/* /livez/* /metrics /metrics/* /readyz/*")}});
  out.push_back({.name = "system:service-account-issuer-discovery",
                 .rules = {at("/.well-known/openid-configuration /.well-known/openid-configuration/ /openid/v1/jwks /openid/v1/jwks/")}});
  out.push_back({.name = "system:auth-delegator",
                 .rules = {on("create", "authentication.k8s.io", "tokenreviews"),
                           on("create", "authorization.k8s.io", "subjectaccessreviews")}});
  out.push_back({.name = "system:kubelet-api-admin",
                 .rules = {on(kRead, "core", "nodes"), on("proxy", "core", "nodes"),
                           on("*", "core", "nodes/log nodes/metrics nodes/proxy nodes/spec nodes/stats")}});
  out.push_back({.name = "system:persistent-volume-provisioner",
                 .rules = {on("create delete get list watch", "core", "persistentvolumes"),
                           on("get list update watch", "core", "persistentvolumeclaims"),
                           on(kRead, "storage.k8s.io", "storageclasses"), on("watch", "core", "events"), events()}});
  out.push_back({.name = "pilothouse:image-pusher", .rules = {at("/pilothouse/images /pilothouse/images/*", "*")}});
  out.push_back({.name = "extension-apiserver-authentication-reader",
                 .rules = {on(kRead, "core", "configmaps", "extension-apiserver-authentication")},
                 .ns = "kube-system"});
}

// Nodes, and parts of a control plane that run beside it.
void componentRoles(Roles& out) {
  // What rbac/node_authorizer.h gives in detail; bound to nobody.
  out.push_back(
      {.name = "system:node",
       .rules = {on("create", "authentication.k8s.io", "tokenreviews"),
                 on("create", "authorization.k8s.io", "localsubjectaccessreviews subjectaccessreviews"),
                 on(kRead, "core", "endpoints services"), on("create get list watch", "core", "nodes"),
                 on("patch update", "core", "nodes nodes/status"), on("create patch update", "core", "events"),
                 on(kRead, "core", "pods"), on("create delete", "core", "pods"), on("patch update", "core", "pods/status"),
                 on("create", "core", "pods/eviction"), on(kRead, "core", "configmaps secrets"),
                 on("get", "core", "persistentvolumeclaims persistentvolumes"),
                 on("get patch update", "core", "persistentvolumeclaims/status"),
                 on("create get list watch", "certificates.k8s.io", "certificatesigningrequests"),
                 on("create delete get patch update", "coordination.k8s.io", "leases"),
                 on("get", "storage.k8s.io", "volumeattachments"), on("create", "core", "serviceaccounts/token"),
                 on(kRead, "storage.k8s.io", "csidrivers"),
                 on("create delete get patch update", "storage.k8s.io", "csinodes"),
                 on(kRead, "node.k8s.io", "runtimeclasses"), on(kRead, "discovery.k8s.io", "endpointslices")}});
  out.push_back({.name = "system:node-bootstrapper",
                 .rules = {on("create get list watch", "certificates.k8s.io", "certificatesigningrequests")}});
  out.push_back({.name = "system:node-problem-detector",
                 .rules = {on("get", "core", "nodes"), on("patch", "core", "nodes/status"), events()}});
  out.push_back({.name = "system:node-proxier",
                 .rules = {on("list watch", "core", "endpoints services"), on(kRead, "core", "nodes"), events(),
                           on("list watch", "discovery.k8s.io", "endpointslices")}});
  out.push_back({.name = "system:kube-dns",
                 .rules = {on("list watch", "core", "endpoints services"),
                           on("list watch", "discovery.k8s.io", "endpointslices")}});
  out.push_back(
      {.name = "system:kube-scheduler",
       .rules = {events(), on("create", "coordination.k8s.io", "leases"),
                 on("get update", "coordination.k8s.io", "leases", "kube-scheduler"), on(kRead, "core", "nodes"),
                 on("delete get list watch", "core", "pods"), on("create", "core", "bindings pods/binding"),
                 on("patch update", "core", "pods/status"), on(kRead, "core", "namespaces replicationcontrollers services"),
                 on(kRead, "apps extensions", "replicasets"), on(kRead, "apps", "statefulsets"),
                 on(kRead, "policy", "poddisruptionbudgets"), on(kRead, "core", "persistentvolumeclaims persistentvolumes"),
                 on("create", "authentication.k8s.io", "tokenreviews"),
                 on("create", "authorization.k8s.io", "subjectaccessreviews"),
                 on(kRead, "storage.k8s.io", "csidrivers csinodes csistoragecapacities")}});
  out.push_back({.name = "system:volume-scheduler",
                 .rules = {on("get list patch update watch", "core", "persistentvolumeclaims persistentvolumes"),
                           on(kRead, "storage.k8s.io", "storageclasses")}});
  out.push_back(
      {.name = "system:kube-controller-manager",
       .rules = {events(), on("create", "coordination.k8s.io", "leases"),
                 on("get update", "coordination.k8s.io", "leases", "kube-controller-manager"),
                 on("create", "core", "secrets serviceaccounts serviceaccounts/token"), on("delete", "core", "secrets"),
                 on("get", "core", "configmaps namespaces secrets serviceaccounts"),
                 on("update", "core", "secrets serviceaccounts"), on("create", "authentication.k8s.io", "tokenreviews"),
                 on("create", "authorization.k8s.io", "subjectaccessreviews"), on("list watch", "*", "*")}});
  for (auto [name, resource] : {std::pair<std::string_view, std::string_view>{
                                    "system:certificates.k8s.io:certificatesigningrequests:nodeclient",
                                    "certificatesigningrequests/nodeclient"},
                                {"system:certificates.k8s.io:certificatesigningrequests:selfnodeclient",
                                 "certificatesigningrequests/selfnodeclient"}})
    out.push_back({.name = name, .rules = {on("create", "certificates.k8s.io", resource)}});
  for (auto [name, signer] :
       {std::pair<std::string_view, std::string_view>{"system:certificates.k8s.io:legacy-unknown-approver",
                                                      "kubernetes.io/legacy-unknown"},
        {"system:certificates.k8s.io:kubelet-serving-approver", "kubernetes.io/kubelet-serving"},
        {"system:certificates.k8s.io:kube-apiserver-client-approver", "kubernetes.io/kube-apiserver-client"},
        {"system:certificates.k8s.io:kube-apiserver-client-kubelet-approver", "kubernetes.io/kube-apiserver-client-kubelet"}})
    out.push_back({.name = name, .rules = {on("approve", "certificates.k8s.io", "signers", signer)}});
}

// Each controller's own: the engine's run inside it, but others may take their place under these service accounts.
struct ControllerFact {
  std::string_view role, account;
  std::vector<RuleFact> rules;
};

const std::vector<ControllerFact>& controllers() {
  static const std::vector<ControllerFact> facts = {
      {"system:controller:clusterrole-aggregation-controller", "kube-system/clusterrole-aggregation-controller",
       {on("escalate get list patch update watch", "rbac.authorization.k8s.io", "clusterroles")}},
      {"system:controller:certificate-controller", "kube-system/certificate-controller",
       {on("delete get list watch", "certificates.k8s.io", "certificatesigningrequests"),
        on("update", "certificates.k8s.io", "certificatesigningrequests/approval certificatesigningrequests/status"),
        on("approve", "certificates.k8s.io", "signers", "kubernetes.io/kube-apiserver-client-kubelet"),
        on("sign", "certificates.k8s.io", "signers",
           "kubernetes.io/kube-apiserver-client kubernetes.io/kube-apiserver-client-kubelet kubernetes.io/kubelet-serving "
           "kubernetes.io/legacy-unknown"),
        on("create", "authorization.k8s.io", "subjectaccessreviews"), events()}},
      {"system:controller:deployment-controller", "kube-system/deployment-controller",
       {on("get list update watch", "apps extensions", "deployments"),
        on("update", "apps extensions", "deployments/finalizers deployments/status"),
        on("create delete get list patch update watch", "apps extensions", "replicasets"),
        on("get list update watch", "core", "pods"), events()}},
      {"system:controller:endpoint-controller", "kube-system/endpoint-controller",
       {on(kRead, "core", "pods services"), on("create delete get list update", "core", "endpoints"),
        on("create", "core", "endpoints/restricted"), events()}},
      {"system:controller:endpointslice-controller", "kube-system/endpointslice-controller",
       {on(kRead, "core", "nodes pods services"), on("update", "core", "services/finalizers"),
        on("create delete get list update", "discovery.k8s.io", "endpointslices"), events()}},
      {"system:controller:endpointslicemirroring-controller", "kube-system/endpointslicemirroring-controller",
       {on(kRead, "core", "endpoints services"), on("update", "core", "endpoints/finalizers services/finalizers"),
        on("create delete get list update", "discovery.k8s.io", "endpointslices"), events()}},
      {"system:controller:generic-garbage-collector", "kube-system/generic-garbage-collector",
       {on("delete get list patch update watch", "*", "*"), events()}},
      {"system:controller:namespace-controller", "kube-system/namespace-controller",
       {on("delete get list watch", "core", "namespaces"), on("update", "core", "namespaces/finalize namespaces/status"),
        on("delete deletecollection get list", "*", "*")}},
      {"system:controller:node-controller", "kube-system/node-controller",
       {on("delete get list patch update", "core", "nodes"), on("patch update", "core", "nodes/status"),
        on("update", "core", "pods/status"), on("delete list", "core", "pods"), events()}},
      {"system:controller:pod-garbage-collector", "kube-system/pod-garbage-collector",
       {on("delete list watch", "core", "pods"), on("get list", "core", "nodes")}},
      {"system:controller:replicaset-controller", "kube-system/replicaset-controller",
       {on("get list update watch", "apps extensions", "replicasets"),
        on("update", "apps extensions", "replicasets/finalizers replicasets/status"),
        on("create delete list patch watch", "core", "pods"), events()}},
      {"system:controller:replication-controller", "kube-system/replication-controller",
       {on("get list update watch", "core", "replicationcontrollers"),
        on("update", "core", "replicationcontrollers/finalizers replicationcontrollers/status"),
        on("create delete list patch watch", "core", "pods"), events()}},
      {"system:controller:resourcequota-controller", "kube-system/resourcequota-controller",
       {on("list watch", "*", "*"), on("update", "core", "resourcequotas/status"), events()}},
      {"system:controller:root-ca-cert-publisher", "kube-system/root-ca-cert-publisher",
       {on("create update", "core", "configmaps"), events()}},
      {"system:controller:service-account-controller", "kube-system/service-account-controller",
       {on("create", "core", "serviceaccounts"), events()}},
  };
  return facts;
}

}  // namespace

const std::vector<RoleFact>& defaultRoles() {
  static const Roles roles = [] {
    Roles out;
    userRoles(out);
    commonRoles(out);
    componentRoles(out);
    for (auto& c : controllers()) out.push_back({.name = c.role, .rules = c.rules});
    return out;
  }();
  return roles;
}

const std::vector<BindingFact>& defaultBindings() {
  static const std::vector<BindingFact> bindings = [] {
    std::vector<BindingFact> out = {
        {.name = "cluster-admin", .role = "cluster-admin", .groups = "system:masters"},
        {.name = "system:basic-user", .role = "system:basic-user", .groups = "system:authenticated"},
        {.name = "system:discovery", .role = "system:discovery", .groups = "system:authenticated"},
        {.name = "system:public-info-viewer", .role = "system:public-info-viewer",
         .groups = "system:authenticated system:unauthenticated"},
        {.name = "system:monitoring", .role = "system:monitoring", .groups = "system:monitoring"},
        {.name = "system:service-account-issuer-discovery", .role = "system:service-account-issuer-discovery",
         .groups = "system:serviceaccounts"},
        {.name = "system:node", .role = "system:node"},
        {.name = "system:node-proxier", .role = "system:node-proxier", .users = "system:kube-proxy"},
        {.name = "system:kube-dns", .role = "system:kube-dns", .accounts = "kube-system/kube-dns"},
        {.name = "system:kube-scheduler", .role = "system:kube-scheduler", .users = "system:kube-scheduler"},
        {.name = "system:volume-scheduler", .role = "system:volume-scheduler", .users = "system:kube-scheduler"},
        {.name = "system:kube-controller-manager", .role = "system:kube-controller-manager",
         .users = "system:kube-controller-manager"},
        {.name = "system::extension-apiserver-authentication-reader", .role = "extension-apiserver-authentication-reader",
         .users = "system:kube-controller-manager system:kube-scheduler", .ns = "kube-system", .roleKind = "Role"},
    };
    for (auto& c : controllers()) out.push_back({.name = c.role, .role = c.role, .accounts = c.account});
    return out;
  }();
  return bindings;
}

}  // namespace ph::server
