#include "engine/server/authz.h"

#include "engine/server/node_grants.h"
#include "engine/server/reads.h"

namespace ph::server {
namespace {

Status denied(const ApiRequest& r) {
  std::string resource = r.info->plural + (r.subresource.empty() ? "" : "/" + r.subresource);
  std::string message = r.info->groupResource() + (r.name.empty() ? "" : " \"" + r.name + "\"") +
                        " is forbidden: User \"" + r.user.name + "\" cannot " + std::string(verbName(r.verb)) +
                        " resource \"" + resource + "\" in API group \"" + r.info->group + "\"";
  message += r.ns.empty() ? " at the cluster scope" : " in the namespace \"" + r.ns + "\"";
  Status status = Status::forbidden(std::move(message));
  status.group = r.info->group;
  status.kind = r.info->plural;
  status.name = r.name;
  return status;
}

bool isRead(Verb verb) { return verb == Verb::Get || verb == Verb::List || verb == Verb::Watch; }
bool isChange(Verb verb) { return verb == Verb::Update || verb == Verb::Patch; }

// The one object that a list or watch is limited to by its field selector, or the request's name.
std::string onlyName(const ApiRequest& r) {
  if (!r.name.empty()) return r.name;
  auto fields = api::FieldSelector::parse(r.options.fieldSelector);
  if (!fields.ok()) return {};
  for (auto& t : fields->terms())
    if (t.equal && t.path == "metadata.name") return t.value;
  return {};
}

bool selectsOwnPods(const ApiRequest& r, std::string_view node) {
  auto fields = api::FieldSelector::parse(r.options.fieldSelector);
  if (!fields.ok()) return false;
  for (auto& t : fields->terms())
    if (t.equal && t.path == "spec.nodeName" && t.value == node) return true;
  return false;
}

bool mayPods(const Core& core, const ApiRequest& r, std::string_view node) {
  if (r.verb == Verb::List || r.verb == Verb::Watch) return r.subresource.empty() && selectsOwnPods(r, node);
  auto pod = core.cache->get(*core.pods, r.key());
  // What is gone is told as gone: the agent asks about pods that it still runs.
  if (!pod) return r.verb == Verb::Get || r.verb == Verb::Delete || (isChange(r.verb) && r.subresource == "status");
  if (nodeNameOf(*pod) != node) return false;
  if (r.verb == Verb::Get) return r.subresource.empty() || r.subresource == "status";
  if (isChange(r.verb)) return r.subresource == "status";
  return r.verb == Verb::Delete && r.subresource.empty() && pod->meta().deleting;
}

bool mayNode(const Core& core, const ApiRequest& r, std::string_view node) {
  auto& kind = r.info->kind;
  auto& group = r.info->group;
  if (group.empty() && kind == "Pod") return mayPods(core, r, node);
  if (group.empty() && kind == "Node") {
    if (isRead(r.verb)) return true;
    if (r.verb == Verb::Create) return r.subresource.empty();
    return isChange(r.verb) && r.name == node && (r.subresource.empty() || r.subresource == "status");
  }
  if (group == "coordination.k8s.io" && kind == "Lease") {
    if (r.ns != "kube-node-lease") return false;
    if (r.verb == Verb::Create) return true;
    return (r.verb == Verb::Get || isChange(r.verb) || r.verb == Verb::Delete) && r.name == node;
  }
  if (kind == "Event") return r.verb == Verb::Create || isChange(r.verb);
  if (group.empty() && (kind == "Service" || kind == "Endpoints")) return isRead(r.verb) && r.subresource.empty();
  if (group.empty() && kind == "ServiceAccount")  // whether the token is bound to such a pod is looked at when it is made
    return r.verb == Verb::Create && r.subresource == "token" && podOnNodeRunsAs(core, node, r.ns, r.name);
  if (group.empty() && (kind == "ConfigMap" || kind == "Secret")) {
    auto name = onlyName(r);
    return isRead(r.verb) && !r.ns.empty() && !name.empty() && podOnNodeNames(core, node, r.ns, kind, name);
  }
  return false;
}

}  // namespace

std::string_view nodeOf(const User& user) {
  std::string_view name = user.name;
  if (!name.starts_with(kNodePrefix) || !user.inGroup(kNodes)) return {};
  return name.substr(kNodePrefix.size());
}

Verdict mayDo(const Core&, const User& user, const Attributes&) {
  if (user.inGroup(kAdmins)) return {true, ""};
  return {};
}

Result<> authorize(const Core& core, const ApiRequest& r) {
  if (r.user.inGroup(kAdmins)) return {};
  auto node = nodeOf(r.user);
  if (!node.empty() && mayNode(core, r, node)) return {};
  return denied(r);
}

Result<> authorizePath(const User& user, std::string_view method, std::string_view path) {
  if (user.inGroup(kAdmins)) return {};
  bool open = path == "/readyz" || path == "/livez" || path == "/healthz" || path == "/version" ||
              path.starts_with("/readyz/") || path.starts_with("/livez/") || path.starts_with("/healthz/");
  bool discovery = path == "/api" || path == "/apis" || path.starts_with("/api/") || path.starts_with("/apis/") ||
                   path.starts_with("/openapi/");
  bool read = method == "GET" || method == "HEAD";
  if (read && (open || (discovery && user.inGroup(kAuthenticated)))) return {};
  if (read && path.starts_with("/pilothouse/images") && !nodeOf(user).empty()) return {};
  bool issuer = path == "/.well-known/openid-configuration" || path == "/openid/v1/jwks";
  if (read && issuer && user.inGroup("system:serviceaccounts")) return {};
  std::string verb(method);
  for (auto& c : verb) c = char(std::tolower(static_cast<unsigned char>(c)));
  return Status::forbidden("forbidden: User \"" + user.name + "\" cannot " + verb + " path \"" + std::string(path) +
                           "\"");
}

Result<> authorizeCreated(const ApiRequest& r, std::string_view name) {
  if (r.user.inGroup(kAdmins)) return {};
  auto node = nodeOf(r.user);
  bool own = r.info->kind == "Node" || r.info->kind == "Lease";
  if (!own || node.empty() || name == node) return {};
  return forbidden(*r.info, name, "node \"" + std::string(node) + "\" is not allowed to create the " + r.info->kind +
                                      " of another node");
}

}  // namespace ph::server
