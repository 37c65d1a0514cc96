#include "engine/server/rbac/index.h"

#include "engine/server/json_util.h"

namespace ph::server {
namespace {

std::shared_ptr<const Rules> makeRules(const api::Object& role) {
  Json tree = role.tree();
  return std::make_shared<const Rules>(rulesFromJson(member(&tree, "rules")));
}

std::shared_ptr<const RbacBinding> makeBinding(const api::Object& object) {
  Json tree = object.tree();
  auto binding = std::make_shared<RbacBinding>();
  binding->ns = object.ns();
  binding->name = object.name();
  auto* ref = objectAt(tree, "roleRef");
  binding->roleKind = textAt(ref, "kind");
  binding->roleName = textAt(ref, "name");
  auto* subjects = member(&tree, "subjects");
  if (auto* list = subjects ? subjects->if_array() : nullptr) {
    for (auto& v : *list) {
      auto* s = v.if_object();
      binding->subjects.push_back({std::string(textAt(s, "kind")), std::string(textAt(s, "name")),
                                   std::string(textAt(s, "namespace"))});
    }
  }
  return binding;
}

// A sorted list of what was made of a kind's objects; objects that `old` holds already are taken over from there.
template <class List, class Make>
List refresh(const List& old, const cache::KindSnapshot& snapshot, Make&& make) {
  List out;
  auto at = old.begin();
  for (auto& [key, object] : snapshot.objects) {
    while (at != old.end() && at->key < key) ++at;
    bool same = at != old.end() && at->key == key && at->object == object;
    out.push_back({key, object, same ? at->made : make(*object)});
  }
  return out;
}

std::string roleKey(std::string_view kind, std::string_view ns, std::string_view name) {
  std::string key(kind == "ClusterRole" ? "" : ns);
  return key.append(kind == "ClusterRole" ? "c" : "/").append(name);
}

std::string describe(const RbacPicture::Grant& grant) {
  auto& b = *grant.binding;
  auto& s = b.subjects[grant.subject];
  std::string subject = s.name;
  if (s.kind == "ServiceAccount") subject += "/" + (s.ns.empty() ? b.ns : s.ns);
  std::string binding = b.ns.empty() ? "ClusterRoleBinding \"" + b.name : "RoleBinding \"" + b.name + "/" + b.ns;
  return binding + "\" of " + b.roleKind + " \"" + b.roleName + "\" to " + s.kind + " \"" + subject + "\"";
}

}  // namespace

std::string serviceAccountUser(std::string_view ns, std::string_view name) {
  return std::string("system:serviceaccount:").append(ns).append(1, ':').append(name);
}

const Rules* RbacPicture::find(std::string_view kind, std::string_view ns, std::string_view name) const {
  auto found = byName_.find(roleKey(kind, ns, name));
  return found == byName_.end() ? nullptr : found->second;
}

void RbacPicture::add(const RbacBinding& b) {
  auto* rules = find(b.roleKind, b.ns, b.roleName);
  for (uint32_t i = 0; i < b.subjects.size(); ++i) {
    auto& s = b.subjects[i];
    std::string key = b.ns;
    key += '\0';
    if (s.kind == "User") {
      key += "u" + s.name;
    } else if (s.kind == "Group") {
      key += "g" + s.name;
    } else if (s.kind == "ServiceAccount" && !(s.ns.empty() && b.ns.empty())) {
      key += "u" + serviceAccountUser(s.ns.empty() ? b.ns : s.ns, s.name);
    } else {
      continue;
    }
    grants_[std::move(key)].push_back({rules, &b, i});
  }
}

Verdict RbacPicture::ask(const User& user, const Attributes& attributes) const {
  Verdict verdict;
  visit(user, attributes.ns, [&](const Grant& grant) {
    if (!grant.rules) {
      auto& b = *grant.binding;
      verdict.reason += verdict.reason.empty() ? "RBAC: " : ", ";
      verdict.reason += (b.roleKind == "Role" ? "role" : "clusterrole") + std::string(".rbac.authorization.k8s.io \"") +
                        b.roleName + "\" not found";
      return true;
    }
    for (auto& rule : *grant.rules) {
      if (!allows(rule, attributes)) continue;
      verdict = {true, "RBAC: allowed by " + describe(grant)};
      return false;
    }
    return true;
  });
  return verdict;
}

Rules RbacPicture::rulesOf(const User& user, std::string_view ns) const {
  Rules out;
  visit(user, ns, [&](const Grant& grant) {
    if (grant.rules) out.insert(out.end(), grant.rules->begin(), grant.rules->end());
    return true;
  });
  return out;
}

RbacIndex::RbacIndex(const cache::Cache& cache, const api::Registry& registry) : cache_(cache) {
  constexpr std::string_view group = "rbac.authorization.k8s.io";
  roles_ = registry.storage(group, "roles");
  clusterRoles_ = registry.storage(group, "clusterroles");
  bindings_ = registry.storage(group, "rolebindings");
  clusterBindings_ = registry.storage(group, "clusterrolebindings");
  PH_CHECK(roles_ && clusterRoles_ && bindings_ && clusterBindings_);
}

bool RbacIndex::current(int64_t made) const {
  for (auto* kind : {roles_, clusterRoles_, bindings_, clusterBindings_})
    if (cache_.changedAt(*kind) > made) return false;
  return true;
}

std::shared_ptr<const RbacPicture> RbacIndex::held() const {
  std::lock_guard lock(mutex_);
  return picture_;
}

std::shared_ptr<const RbacPicture> RbacIndex::now() const {
  int64_t revision = cache_.revision();
  // checkedAt_ is read first: the picture is at least as new as it says.
  bool checked = checkedAt_.load(std::memory_order_acquire) == revision;
  auto picture = held();
  if (checked && picture) return picture;
  if (picture && current(picture->revision())) {
    checkedAt_.store(revision, std::memory_order_release);
    return picture;
  }
  return rebuild();
}

std::shared_ptr<const RbacPicture> RbacIndex::rebuild() const {
  std::lock_guard lock(rebuilding_);
  auto old = held();
  if (old && current(old->revision())) return old;
  static const RbacPicture none;
  auto& from = old ? *old : none;
  auto next = std::make_shared<RbacPicture>();
  // The oldest of the four snapshots' revisions is what the picture holds for sure.
  auto take = [&](const ResourceInfo& kind) {
    auto snapshot = cache_.snapshot(kind);
    next->revision_ = next->revision_ < 0 ? snapshot.revision : std::min(next->revision_, snapshot.revision);
    return snapshot;
  };
  next->roles_ = refresh(from.roles_, take(*roles_), makeRules);
  next->clusterRoles_ = refresh(from.clusterRoles_, take(*clusterRoles_), makeRules);
  next->bindings_ = refresh(from.bindings_, take(*bindings_), makeBinding);
  next->clusterBindings_ = refresh(from.clusterBindings_, take(*clusterBindings_), makeBinding);
  for (auto& role : next->clusterRoles_) next->byName_[roleKey("ClusterRole", "", role.object->name())] = role.made.get();
  for (auto& role : next->roles_) next->byName_[roleKey("Role", role.object->ns(), role.object->name())] = role.made.get();
  for (auto& binding : next->clusterBindings_) next->add(*binding.made);
  for (auto& binding : next->bindings_) next->add(*binding.made);
  std::lock_guard set(mutex_);
  picture_ = next;
  return next;
}

}  // namespace ph::server
