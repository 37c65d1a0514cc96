// RbacIndex: roles and bindings, ready to be asked. A check reads an immutable picture; the picture is made anew, by the first
// who asks, when one of the four kinds has changed since: so the request after an acknowledged change sees it. Roles and
// bindings that did not change are not parsed again. Threads: any; writers never wait for it.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/api/registry.h"
#include "engine/cache/cache.h"
#include "engine/server/rbac/rules.h"

namespace ph::server {

struct RbacSubject {
  std::string kind, name, ns;
};
struct RbacBinding {
  std::string ns, name;  // ns is empty for a ClusterRoleBinding
  std::string roleKind, roleName;
  std::vector<RbacSubject> subjects;
};

class RbacPicture {
 public:
  struct Grant {
    const Rules* rules;  // null: the role does not exist
    const RbacBinding* binding;
    uint32_t subject;    // which of the binding's
  };
  // Calls each(grant) for the bindings that apply to this user, cluster-wide and (unless empty) in the namespace, until it
  // answers false.
  template <class Each>
  void visit(const User& user, std::string_view ns, Each&& each) const {
    if (!visitIn("", user, each)) return;
    if (!ns.empty()) visitIn(ns, user, each);
  }
  Verdict ask(const User& user, const Attributes& attributes) const;
  // All rules that the user has in a namespace (and cluster-wide).
  Rules rulesOf(const User& user, std::string_view ns) const;
  // The rules of a role; null when it does not exist. `ns` matters for kind Role only.
  const Rules* find(std::string_view kind, std::string_view ns, std::string_view name) const;
  int64_t revision() const { return revision_; }

 private:
  friend class RbacIndex;
  template <class T>
  struct Entry {
    std::string key;
    ObjectPtr object;
    std::shared_ptr<const T> made;
  };
  using Roles = std::vector<Entry<Rules>>;
  using Bindings = std::vector<Entry<RbacBinding>>;

  template <class Each>
  bool visitIn(std::string_view ns, const User& user, Each& each) const {
    std::string key;
    auto look = [&](char kind, std::string_view name) {
      key.assign(ns).append(1, '\0').append(1, kind).append(name);
      auto found = grants_.find(key);
      if (found == grants_.end()) return true;
      for (auto& grant : found->second)
        if (!each(grant)) return false;
      return true;
    };
    if (!look('u', user.name)) return false;
    for (auto& group : user.groups)
      if (!look('g', group)) return false;
    return true;
  }
  void add(const RbacBinding& binding);

  int64_t revision_ = -1;
  Roles roles_, clusterRoles_;             // sorted by key
  Bindings bindings_, clusterBindings_;
  std::unordered_map<std::string, const Rules*> byName_;
  // By namespace (empty: everywhere), then 'u' user or 'g' group. Service accounts are users.
  std::unordered_map<std::string, std::vector<Grant>> grants_;
};

class RbacIndex {
 public:
  RbacIndex(const cache::Cache& cache, const api::Registry& registry);
  std::shared_ptr<const RbacPicture> now() const;

 private:
  std::shared_ptr<const RbacPicture> rebuild() const;
  bool current(int64_t made) const;
  std::shared_ptr<const RbacPicture> held() const;

  const cache::Cache& cache_;
  const ResourceInfo *roles_, *clusterRoles_, *bindings_, *clusterBindings_;
  mutable std::atomic<int64_t> checkedAt_{-1};  // the picture holds all changes up to this revision of the cache
  mutable std::mutex mutex_;  // held to copy or set the pointer
  mutable std::shared_ptr<const RbacPicture> picture_;
  mutable std::mutex rebuilding_;
};

// "system:serviceaccount:NS:NAME"
std::string serviceAccountUser(std::string_view ns, std::string_view name);

}  // namespace ph::server
