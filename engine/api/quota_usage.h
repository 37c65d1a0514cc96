// What objects use of the things that a ResourceQuota limits, and which objects a quota is about. Shared by the ledger that
// enforces quotas and by the controller that shows their use. Source of the rules: Kubernetes documentation, "Resource Quotas".
// Threads: pure.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/api/object.h"
#include "engine/api/quantity.h"
#include "engine/api/types/core.h"

namespace ph::api {

using Amounts = std::map<std::string, Quantity, std::less<>>;

void add(Amounts& to, const Amounts& more);
// Without what became zero.
void subtract(Amounts& from, const Amounts& less);
// "cpu=1,pods=2".
std::string amountsText(const Amounts& amounts);
// An object of quantities (requests, limits, hard); what can't be read is left out.
Amounts amountsOf(const Json* object);

// A ResourceQuota's spec.
struct QuotaRule {
  struct Scope {
    std::string name;  // Terminating, BestEffort, PriorityClass...
    std::string op;   // In, NotIn, Exists, DoesNotExist
    std::vector<std::string> values;
    bool operator==(const Scope&) const = default;
  };
  Amounts hard;
  std::vector<Scope> scopes;

  static QuotaRule of(const Json& quota);
  bool operator==(const QuotaRule&) const = default;
  // Is this pod, or an object that is no pod (null), one that the quota is about? Scopes speak of pods only.
  bool concerns(const core::Pod* pod) const;
  // The part of it that the quota limits.
  Amounts limited(const Amounts& usage) const;
};

// The group and plural of the objects that have to be counted for a limit of this name.
std::pair<std::string, std::string> countedFor(std::string_view limit);

// By every name under which a quota can limit it. An ended pod counts as a stored object only ("count/pods").
Amounts podUsage(const core::Pod& pod);
bool podEnded(const core::Pod& pod);
Amounts usageOf(const Object& object);
Amounts usageOf(const ResourceInfo& info, const Json& object);
// Compute limits that every container has to speak about, but one does not: "limits.cpu,memory"; empty: none.
std::string unspecified(const QuotaRule& rule, const core::Pod& pod);
// What a pod's containers ask for together, or are limited to: the sum, or what an init container needs alone if that is more.
Amounts podRequests(const core::Pod& pod);
Amounts podLimits(const core::Pod& pod);

}  // namespace ph::api
