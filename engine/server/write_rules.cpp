#include "engine/server/write_rules.h"

#include <algorithm>

namespace ph::server {
namespace {

struct Rule {
  std::string_view group, plural;
};

template <size_t N>
bool listed(const Rule (&rules)[N], const ResourceInfo& info) {
  return std::any_of(rules, rules + N, [&](auto& r) { return r.plural == info.plural && r.group == info.group; });
}

}  // namespace

bool createsOnUpdate(const ResourceInfo& info) {
  static constexpr Rule rules[] = {{"", "endpoints"},
                                   {"", "events"},
                                   {"", "limitranges"},
                                   {"", "services"},
                                   {"coordination.k8s.io", "leases"},
                                   {"events.k8s.io", "events"},
                                   {"node.k8s.io", "runtimeclasses"},
                                   {"rbac.authorization.k8s.io", "clusterrolebindings"},
                                   {"rbac.authorization.k8s.io", "clusterroles"},
                                   {"rbac.authorization.k8s.io", "rolebindings"},
                                   {"rbac.authorization.k8s.io", "roles"}};
  return listed(rules, info);
}

bool needsRevision(const ResourceInfo& info) {
  static constexpr Rule rules[] = {{"admissionregistration.k8s.io", "mutatingwebhookconfigurations"},
                                   {"admissionregistration.k8s.io", "validatingwebhookconfigurations"},
                                   {"apiextensions.k8s.io", "customresourcedefinitions"},
                                   {"coordination.k8s.io", "leases"},
                                   {"node.k8s.io", "runtimeclasses"},
                                   {"policy", "poddisruptionbudgets"},
                                   {"storage.k8s.io", "csidrivers"},
                                   {"storage.k8s.io", "csinodes"},
                                   {"storage.k8s.io", "csistoragecapacities"},
                                   {"storage.k8s.io", "volumeattachments"}};
  return !info.builtin || listed(rules, info);
}

bool writableThroughStatus(const ResourceInfo& info, std::string_view member) {
  if (!info.builtin || info.group == "apiextensions.k8s.io") return false;
  if (info.plural == "deployments" && info.group == "apps") return member != "labels";
  if (info.plural == "pods" && info.group.empty()) return member != "ownerReferences";
  return true;
}

}  // namespace ph::server
