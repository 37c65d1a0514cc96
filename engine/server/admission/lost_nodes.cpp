// DefaultTolerationSeconds: for how long a pod waits for a node that was lost.
#include "engine/server/admission/steps.h"
#include "engine/server/json_util.h"

namespace ph::server::steps {
namespace {

bool tolerates(const JsonArray& tolerations, std::string_view key) {
  for (auto& t : tolerations) {
    auto* toleration = t.if_object();
    if (!toleration) continue;
    auto effect = textAt(toleration, "effect");
    auto k = textAt(toleration, "key");
    if ((k == key || k.empty()) && (effect == "NoExecute" || effect.empty())) return true;
  }
  return false;
}

}  // namespace

// A node counts as lost only after its grace, or when its connection was lost; what is left to wait for is a connection that
// comes back at once. Lost pods are to run elsewhere within ten seconds, so this is short (Kubernetes waits 300 s more); a pod
// may say otherwise.
// One whose agent answers that it is not ready (a runtime that starts anew) may come right by itself.
Result<> tolerateLostNodes(Admission& a) {
  if (&a.info != a.core.pods || a.old) return {};
  static constexpr std::pair<std::string_view, int64_t> kSeconds[] = {{"node.kubernetes.io/not-ready", 30},
                                                                      {"node.kubernetes.io/unreachable", 2}};
  Json& tolerations = makeObject(a.object, "spec")["tolerations"];
  if (!tolerations.is_array()) tolerations.emplace_array();
  auto& list = tolerations.get_array();
  for (auto& [key, seconds] : kSeconds) {
    if (tolerates(list, key)) continue;
    list.push_back(JsonObject{{"key", key}, {"operator", "Exists"}, {"effect", "NoExecute"}, {"tolerationSeconds", seconds}});
  }
  return {};
}

}  // namespace ph::server::steps
