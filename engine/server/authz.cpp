#include "engine/server/authz.h"

#include "engine/server/rbac/index.h"
#include "engine/server/rbac/node_authorizer.h"

namespace ph::server {
namespace {

std::string quoted(std::string_view s) { return "\"" + std::string(s) + "\""; }

// The one object that a list or watch is limited to by its field selector.
std::string onlyName(std::string_view fieldSelector) {
  if (fieldSelector.empty()) return {};
  auto fields = api::FieldSelector::parse(fieldSelector);
  if (!fields.ok()) return {};
  for (auto& t : fields->terms())
    if (t.equal && t.path == "metadata.name") return t.value;
  return {};
}

bool collective(Verb verb) { return verb == Verb::List || verb == Verb::Watch || verb == Verb::DeleteCollection; }

// Health is told to all: who can't yet be known, while the engine starts, must see when it is ready.
bool alwaysOpen(std::string_view path) {
  for (std::string_view p : {"/readyz", "/livez", "/healthz"})
    if (path.starts_with(p) && (path.size() == p.size() || path[p.size()] == '/')) return true;
  return false;
}

}  // namespace

std::string_view nodeOf(const User& user) {
  std::string_view name = user.name;
  if (!name.starts_with(kNodePrefix) || !user.inGroup(kNodes)) return {};
  return name.substr(kNodePrefix.size());
}

Verdict mayDo(const Core& core, const User& user, const Attributes& attributes) {
  if (user.inGroup(kAdmins)) return {true, ""};
  Verdict asNode;
  if (auto node = nodeOf(user); !node.empty()) {
    asNode = mayNode(core, user, node, attributes);
    if (asNode.allowed) return asNode;
  }
  if (!core.rbac) return asNode;
  Verdict verdict = core.rbac->now()->ask(user, attributes);
  if (!verdict.allowed && !asNode.reason.empty())
    verdict.reason = asNode.reason + (verdict.reason.empty() ? "" : "\n" + verdict.reason);
  return verdict;
}

Attributes attributesOf(const ApiRequest& r, std::string& name) {
  name = r.name;
  if (name.empty() && collective(r.verb)) name = onlyName(r.options.fieldSelector);
  Attributes a;
  a.verb = verbName(r.verb);
  a.group = r.info->group;
  a.version = r.info->version;
  a.resource = r.info->plural;
  a.subresource = r.subresource;
  a.ns = r.ns;
  // Who asks for a namespace asks within it: so that a role in it can give the right.
  if (r.info->group.empty() && r.info->kind == "Namespace") a.ns = r.name;
  a.name = name;
  if (collective(r.verb)) a.fieldSelector = r.options.fieldSelector;
  return a;
}

Status denied(const User& user, const Attributes& a, std::string_view reason) {
  if (!a.path.empty()) {
    std::string text = "forbidden: User " + quoted(user.name) + " cannot " + std::string(a.verb) + " path " + quoted(a.path);
    return Status::forbidden(reason.empty() ? text : text + ": " + std::string(reason));
  }
  std::string resource(a.resource);
  std::string message = resource + (a.group.empty() ? "" : "." + std::string(a.group));
  if (!a.name.empty()) message += " " + quoted(a.name);
  if (!a.subresource.empty()) resource += "/" + std::string(a.subresource);
  message += " is forbidden: User " + quoted(user.name) + " cannot " + std::string(a.verb) + " resource " +
             quoted(resource) + " in API group " + quoted(a.group);
  message += a.ns.empty() ? " at the cluster scope" : " in the namespace " + quoted(a.ns);
  if (!reason.empty()) message += ": " + std::string(reason);
  Status status = Status::forbidden(std::move(message));
  status.group = a.group;
  status.kind = a.resource;
  status.name = a.name;
  return status;
}

Result<> authorize(const Core& core, const ApiRequest& r) {
  if (r.user.inGroup(kAdmins)) return {};
  std::string name;
  Attributes attributes = attributesOf(r, name);
  auto verdict = mayDo(core, r.user, attributes);
  if (verdict.allowed) return {};
  return denied(r.user, attributes, verdict.reason);
}

Result<> authorizePath(const Core& core, const User& user, std::string_view method, std::string_view path) {
  if (user.inGroup(kAdmins)) return {};
  bool read = method == "GET" || method == "HEAD";
  if (read && alwaysOpen(path)) return {};
  bool images = path == "/pilothouse/images" || path.starts_with("/pilothouse/images/");
  if (read && images && !nodeOf(user).empty()) return {};
  std::string verb(method);
  for (auto& c : verb) c = char(std::tolower(static_cast<unsigned char>(c)));
  Attributes attributes;
  attributes.verb = verb;
  attributes.path = path;
  auto verdict = mayDo(core, user, attributes);
  if (verdict.allowed) return {};
  return denied(user, attributes, verdict.reason);
}

Result<> authorizeCreated(const Core& core, const ApiRequest& r, std::string_view name) {
  if (r.verb == Verb::Create || r.user.inGroup(kAdmins)) return {};
  std::string held;
  Attributes attributes = attributesOf(r, held);
  attributes.verb = "create";
  attributes.name = name;
  auto verdict = mayDo(core, r.user, attributes);
  if (verdict.allowed) return {};
  return denied(r.user, attributes, verdict.reason);
}

}  // namespace ph::server
