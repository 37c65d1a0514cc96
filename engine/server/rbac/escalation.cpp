#include "engine/server/rbac/escalation.h"

#include "engine/server/authz.h"
#include "engine/server/json_util.h"
#include "engine/server/rbac/index.h"

namespace ph::server {
namespace {

constexpr std::string_view kGroup = "rbac.authorization.k8s.io";

// The garbage collector may take a role apart that it could not grant.
bool onlyOwnership(const Json& now, const Json& old) {
  auto without = [](Json tree) {
    auto& metadata = makeObject(tree, "metadata");
    for (auto key : {"ownerReferences", "finalizers", "managedFields", "resourceVersion", "selfLink"}) metadata.erase(key);
    return tree;
  };
  return without(now) == without(old);
}

bool aggregates(const Json* role) {
  auto* selectors = role ? member(member(role, "aggregationRule"), "clusterRoleSelectors") : nullptr;
  return selectors && selectors->is_array() && !selectors->get_array().empty();
}

const Rules& everything() {
  static const Rules all = {{{"*"}, {"*"}, {"*"}, {}, {}}, {{"*"}, {}, {}, {}, {"*"}}};
  return all;
}

Result<> holdsAll(const Admission& a, const Rules& held, const Rules& wanted) {
  Rules missing = missingFrom(held, wanted);
  if (missing.empty()) return {};
  auto& user = a.request.user;
  return forbidden(a.info, textAt(objectAt(a.object, "metadata"), "name"),
                   "user \"" + user.name + "\" (groups=" + quotedList(user.groups) +
                       ") is attempting to grant RBAC permissions not currently held:\n" + describe(missing));
}

bool mayGrant(const Admission& a, std::string_view verb, std::string_view resource, std::string_view name) {
  Attributes attributes;
  attributes.verb = verb;
  attributes.group = kGroup;
  attributes.version = "*";
  attributes.resource = resource;
  attributes.ns = a.request.ns;
  attributes.name = name;
  return mayDo(a.core, a.request.user, attributes).allowed;
}

Result<> checkRole(Admission& a, const RbacPicture& picture) {
  // A name in the body alone is no name that a right can be limited to: as with every create.
  auto name = a.old ? std::string_view(a.request.name) : std::string_view();
  if (mayGrant(a, "escalate", a.info.plural, name)) return {};
  Rules held = picture.rulesOf(a.request.user, a.request.ns);
  PH_TRY(holdsAll(a, held, rulesFromJson(member(&a.object, "rules"))));
  if (!aggregates(&a.object) && !aggregates(a.old)) return {};
  if (missingFrom(held, everything()).empty()) return {};
  return forbidden(a.info, textAt(objectAt(a.object, "metadata"), "name"),
                   "must have cluster-admin privileges to use the aggregationRule");
}

Result<> checkBinding(Admission& a, const RbacPicture& picture) {
  auto* ref = objectAt(a.object, "roleRef");
  auto kind = textAt(ref, "kind"), name = textAt(ref, "name");
  // Another group or kind is not valid, and said so by validation.
  if (textAt(ref, "apiGroup") != kGroup || (kind != "Role" && kind != "ClusterRole")) return {};
  std::string_view plural = kind == "Role" ? "roles" : "clusterroles";
  if (mayGrant(a, "bind", plural, name)) return {};
  auto* rules = picture.find(kind, a.request.ns, name);
  if (!rules) {
    auto* info = a.core.registry->storage(kGroup, plural);
    return info ? notFound(*info, name) : Status::internal("the registry lacks " + std::string(plural));
  }
  return holdsAll(a, picture.rulesOf(a.request.user, a.request.ns), *rules);
}

}  // namespace

Result<> escalationCheck(Admission& a) {
  if (a.info.group != kGroup || !a.core.rbac || a.request.user.inGroup(kAdmins)) return {};
  if (a.old && onlyOwnership(a.object, *a.old)) return {};
  auto picture = a.core.rbac->now();
  auto& plural = a.info.plural;
  if (plural == "roles" || plural == "clusterroles") return checkRole(a, *picture);
  if (plural == "rolebindings" || plural == "clusterrolebindings") return checkBinding(a, *picture);
  return {};
}

}  // namespace ph::server
