#include "engine/server/rbac/node_authorizer.h"

#include "engine/api/codec.h"
#include "engine/server/json_util.h"
#include "engine/server/rbac/node_grants.h"

namespace ph::server {
namespace {

struct Question {
  const Core& core;
  const User& user;
  std::string_view node;
  const Attributes& a;

  bool verb(std::string_view words) const {
    while (!words.empty()) {
      size_t space = words.find(' ');
      if (words.substr(0, space) == a.verb) return true;
      if (space == std::string_view::npos) break;
      words.remove_prefix(space + 1);
    }
    return false;
  }
  bool reads() const { return verb("get list watch"); }
  bool changes() const { return verb("update patch"); }
  std::string key() const { return a.ns.empty() ? std::string(a.name) : std::string(a.ns) + "/" + std::string(a.name); }
  ObjectPtr object() const {
    auto* info = core.registry->storage(a.group, a.resource);
    return info ? core.cache->get(*info, key()) : nullptr;
  }
};

Verdict yesIf(bool allowed, std::string_view why = {}) { return {allowed, allowed ? std::string() : std::string(why)}; }

Verdict unrelated(const Question& q) {
  return {false, "no relationship found between node '" + std::string(q.node) + "' and this object"};
}

bool selectsOwnPods(const Question& q) {
  auto fields = api::FieldSelector::parse(q.a.fieldSelector);
  if (!fields.ok()) return false;
  for (auto& t : fields->terms())
    if (t.equal && t.path == "spec.nodeName" && t.value == q.node) return true;
  return false;
}

bool isMirror(const api::Object& pod) {
  Json tree = pod.tree();
  auto* annotations = objectAt(tree, "metadata") ? objectAt(*member(&tree, "metadata"), "annotations") : nullptr;
  return annotations && annotations->contains("kubernetes.io/config.mirror");
}

Verdict pods(const Question& q) {
  if (q.verb("list watch"))
    return yesIf(q.a.subresource.empty() && selectsOwnPods(q), "can only list and watch pods with spec.nodeName set to itself");
  if (q.verb("create") && q.a.subresource.empty()) return yesIf(true);  // mirror pods only: node_restriction.h
  auto pod = q.core.cache->get(*q.core.pods, q.key());
  bool status = q.a.subresource == "status";
  // What is gone is told as gone: the agent asks about pods that it still runs.
  if (!pod) return yesIf(q.verb("get delete") || (q.changes() && status) || q.a.subresource == "eviction");
  if (nodeNameOf(*pod) != q.node) return unrelated(q);
  if (q.verb("get")) return yesIf(q.a.subresource.empty() || status);
  if (q.changes()) return yesIf(status);
  if (q.verb("create")) return yesIf(q.a.subresource == "eviction");
  // The agent ends what was asked to end, and the mirrors of its own static pods.
  return yesIf(q.verb("delete") && q.a.subresource.empty() && (pod->meta().deleting || isMirror(*pod)),
               "can only delete pods that are being deleted");
}

Verdict nodes(const Question& q) {
  if (q.reads()) return yesIf(q.a.subresource.empty() || q.a.subresource == "status");
  if (q.verb("create")) return yesIf(q.a.subresource.empty());
  return yesIf(q.changes() && q.a.name == q.node && (q.a.subresource.empty() || q.a.subresource == "status"),
               "can only change the Node of its own name");
}

// Of its own name only; on create the body's name is looked at later.
Verdict ownByName(const Question& q) {
  if (!q.a.subresource.empty() || !q.verb("get create update patch delete")) return {};
  return yesIf(q.a.verb == "create" || q.a.name == q.node, "can only access the one of its own name");
}

Verdict leases(const Question& q) {
  if (q.a.ns != "kube-node-lease") return {false, "can only access leases in the \"kube-node-lease\" system namespace"};
  return ownByName(q);
}

Verdict named(const Question& q) {
  if (!q.reads() || !q.a.subresource.empty() || q.a.ns.empty()) return {false, "can only read resources of this type"};
  if (q.a.name.empty()) return {false, "No Object name found"};
  auto kind = q.a.resource == "secrets" ? PodUse::Secret : PodUse::ConfigMap;
  return podOnNodeUses(q.core, q.node, q.a.ns, kind, q.a.name) ? yesIf(true) : unrelated(q);
}

Verdict claims(const Question& q) {
  bool status = q.a.subresource == "status";
  bool read = (q.reads() && q.a.subresource.empty()) || (q.verb("get") && status);
  if (!read && !(q.changes() && status)) return {false, "can only read individual resources of this type"};
  if (q.a.name.empty() || q.a.ns.empty()) return {false, "No Object name found"};
  return podOnNodeUses(q.core, q.node, q.a.ns, PodUse::Claim, q.a.name) ? yesIf(true) : unrelated(q);
}

// A volume whose claim a pod here uses.
Verdict volumes(const Question& q) {
  if (!q.reads() || !q.a.subresource.empty() || q.a.name.empty())
    return {false, "can only read individual resources of this type"};
  auto volume = q.object();
  if (!volume) return unrelated(q);
  Json tree = volume->tree();
  auto* claim = api::at(tree, "spec.claimRef");
  auto* ref = claim ? claim->if_object() : nullptr;
  auto ns = textAt(ref, "namespace"), name = textAt(ref, "name");
  return !name.empty() && podOnNodeUses(q.core, q.node, ns, PodUse::Claim, name) ? yesIf(true) : unrelated(q);
}

Verdict attachments(const Question& q) {
  if (!q.verb("get") || !q.a.subresource.empty()) return {false, "can only get individual resources of this type"};
  auto attachment = q.object();
  if (!attachment) return unrelated(q);
  Json tree = attachment->tree();
  return textAt(objectAt(tree, "spec"), "nodeName") == q.node ? yesIf(true) : unrelated(q);
}

// Whether the token is bound to a pod on this node is looked at when it is made.
Verdict tokens(const Question& q) {
  if (!q.verb("create") || q.a.subresource != "token" || q.a.name.empty())
    return {false, "can only create tokens for individual service accounts"};
  return podOnNodeUses(q.core, q.node, q.a.ns, PodUse::ServiceAccount, q.a.name) ? yesIf(true) : unrelated(q);
}

// Its own requests; what is not there can't be told from another's, so a node waits for its own by name.
Verdict certificateRequests(const Question& q) {
  if (!q.a.subresource.empty()) return {};
  if (q.verb("create")) return yesIf(true);
  if (!q.reads() || q.a.name.empty()) return {false, "can only read certificate signing requests by name"};
  auto request = q.object();
  if (!request) return yesIf(true);
  Json tree = request->tree();
  return textAt(objectAt(tree, "spec"), "username") == q.user.name ? yesIf(true) : unrelated(q);
}

Verdict events(const Question& q) { return yesIf(q.a.subresource.empty() && q.verb("create update patch")); }
Verdict readOnly(const Question& q) { return yesIf(q.a.subresource.empty() && q.reads()); }
Verdict review(const Question& q) { return yesIf(q.a.subresource.empty() && q.verb("create")); }

struct Row {
  std::string_view group, resource;
  Verdict (*judge)(const Question&);
};
constexpr Row kTable[] = {
    {"", "pods", pods},
    {"", "nodes", nodes},
    {"", "secrets", named},
    {"", "configmaps", named},
    {"", "services", readOnly},
    {"", "endpoints", readOnly},
    {"", "events", events},
    {"", "persistentvolumeclaims", claims},
    {"", "persistentvolumes", volumes},
    {"", "serviceaccounts", tokens},
    {"coordination.k8s.io", "leases", leases},
    {"events.k8s.io", "events", events},
    {"discovery.k8s.io", "endpointslices", readOnly},
    {"storage.k8s.io", "csinodes", ownByName},
    {"storage.k8s.io", "csidrivers", readOnly},
    {"storage.k8s.io", "volumeattachments", attachments},
    {"node.k8s.io", "runtimeclasses", readOnly},
    {"certificates.k8s.io", "certificatesigningrequests", certificateRequests},
    {"authentication.k8s.io", "tokenreviews", review},
    {"authorization.k8s.io", "subjectaccessreviews", review},
    {"authorization.k8s.io", "localsubjectaccessreviews", review},
};

}  // namespace

Verdict mayNode(const Core& core, const User& user, std::string_view node, const Attributes& a) {
  if (!a.path.empty()) return {};
  for (auto& row : kTable)
    if (row.resource == a.resource && row.group == a.group) return row.judge({core, user, node, a});
  return {};
}

}  // namespace ph::server
