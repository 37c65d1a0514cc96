#include "engine/server/admission/admission.h"

#include "engine/server/admission/certificates.h"
#include "engine/server/admission/steps.h"
#include "engine/server/json_util.h"
#include "engine/server/rbac/escalation.h"
#include "engine/server/rbac/node_restriction.h"

namespace ph::server {
namespace {

struct Step {
  std::string_view name;  // as Kubernetes calls it
  Result<> (*run)(Admission&);
};

constexpr Step kChanging[] = {
    {"NodeRestriction", nodeRestriction},
    {"NamespaceLifecycle", steps::namespaceLifecycle},
    {"NamespaceDefaults", steps::namespaceDefaults},
    {"LimitRanger", steps::limitDefaults},
    {"ServiceAccount", steps::serviceAccount},
    {"Priority", steps::priority},
    {"RuntimeClass", steps::runtimeClass},
    {"DefaultTolerationSeconds", steps::tolerateLostNodes},
    {"DefaultStorageClass", steps::defaultStorageClass},
    {"DefaultIngressClass", steps::defaultIngressClass},
    {"StorageObjectInUseProtection", steps::storageInUse},
    {"ServiceAddresses", steps::serviceAddresses},
    {"CertificateRequest", certificateRequestStep},
};
constexpr Step kJudging[] = {
    {"Escalation", escalationCheck},
    {"LimitRanger", steps::limits},
    {"PodSecurity", steps::podSecurity},
    {"Priority", steps::onePriorityDefault},
    {"ResourceQuota", steps::quota},
};

template <size_t N>
Result<> runAll(const Step (&table)[N], Admission& a) {
  for (auto& step : table) PH_TRY(step.run(a));
  return {};
}

}  // namespace

Status Admission::refuse(std::string_view why) const {
  auto* metadata = objectAt(object, "metadata");
  return forbidden(info, textAt(metadata, "name"), why);
}

Result<> admitChanges(Admission& admission) { return runAll(kChanging, admission); }
Result<> admitJudging(Admission& admission) { return runAll(kJudging, admission); }

}  // namespace ph::server
