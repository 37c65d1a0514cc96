// ResourceQuota: the ledger decides. The last step, since it reserves.
#include "engine/server/admission/quota_ledger.h"
#include "engine/server/admission/steps.h"
#include "engine/server/json_util.h"

namespace ph::server::steps {

Result<> quota(Admission& a) {
  if (!a.core.quota || !a.info.namespaced || !a.subresource().empty()) return {};
  if (isQuota(a.info)) {
    const Json *spec = member(&a.object, "spec"), *was = a.old ? member(a.old, "spec") : nullptr;
    auto* metadata = objectAt(a.object, "metadata");
    if (a.old && spec && was && *spec == *was) return {};
    if (a.old) {
      a.hold = a.core.quota->stage(a.request.ns, a.request.name, a.object);
      return {};
    }
    auto reserved = a.core.quota->reserve(a.info, a.request.ns, a.object, nullptr);
    if (!reserved.ok()) return a.refuse(reserved.status().message);
    a.hold = a.core.quota->stage(a.request.ns, std::string(textAt(metadata, "name")), a.object);
    if (*reserved) a.hold->reserved = std::move((*reserved)->reserved);
    return {};
  }
  auto reserved = a.core.quota->reserve(a.info, a.request.ns, a.object, a.old);
  if (!reserved.ok()) return a.refuse(reserved.status().message);
  a.hold = std::move(*reserved);
  return {};
}

}  // namespace ph::server::steps
