// ServiceAccount: a pod runs as an account of its namespace, "default" unless it says otherwise.
#include "engine/server/admission/steps.h"
#include "engine/server/json_util.h"

namespace ph::server::steps {

Result<> serviceAccount(Admission& a) {
  if (&a.info != a.core.pods || a.old) return {};
  auto& spec = makeObject(a.object, "spec");
  if (textAt(&spec, "serviceAccountName").empty()) {
    auto old = textAt(&spec, "serviceAccount");
    std::string account = old.empty() ? "default" : std::string(old);
    spec["serviceAccountName"] = account;
  }
  Json account = spec["serviceAccountName"];  // a copy: adding a member may move the others
  spec["serviceAccount"] = std::move(account);
  return {};
}

}  // namespace ph::server::steps
