// RuntimeClass: a pod's class must exist; what it says about overhead and about the nodes that can run it becomes the pod's.
#include <algorithm>

#include "engine/api/codec.h"
#include "engine/server/admission/steps.h"
#include "engine/server/json_util.h"

namespace ph::server::steps {
namespace {

const Json* given(const JsonObject* object, std::string_view name) {
  auto* v = object ? object->if_contains(name) : nullptr;
  return v && !v->is_null() ? v : nullptr;
}

Result<> overhead(Admission& a, JsonObject& spec, const JsonObject* cls) {
  auto* own = given(&spec, "overhead");
  auto* ofClass = cls ? given(cls, "overhead") : nullptr;
  auto* fixed = ofClass ? given(ofClass->if_object(), "podFixed") : nullptr;
  if (own && !fixed) return a.refuse("pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead");
  if (own && *own != *fixed) return a.refuse("pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead");
  if (fixed) spec["overhead"] = *fixed;
  return {};
}

Result<> scheduling(Admission& a, JsonObject& spec, const JsonObject& cls) {
  auto* rules = given(&cls, "scheduling");
  if (!rules) return {};
  if (auto* labels = given(rules->if_object(), "nodeSelector")) {
    Json& own = spec["nodeSelector"];
    if (!own.is_object()) own.emplace_object();
    for (auto& [key, value] : labels->get_object()) {
      auto [there, added] = own.get_object().emplace(key, value);
      if (!added && there->value() != value)
        return a.refuse("conflict: runtimeClass.scheduling.nodeSelector[" + std::string(key) + "] = " + std::string(value.get_string()) +
                        "; pod.spec.nodeSelector[" + std::string(key) + "] = " + std::string(textAt(&own.get_object(), key)));
    }
  }
  if (auto* tolerations = given(rules->if_object(), "tolerations")) {
    Json& own = spec["tolerations"];
    if (!own.is_array()) own.emplace_array();
    auto& list = own.get_array();
    for (auto& t : tolerations->get_array())
      if (std::find(list.begin(), list.end(), t) == list.end()) list.push_back(t);
  }
  return {};
}

}  // namespace

Result<> runtimeClass(Admission& a) {
  if (&a.info != a.core.pods || !a.creates()) return {};
  auto& spec = makeObject(a.object, "spec");
  auto name = std::string(textAt(&spec, "runtimeClassName"));
  if (name.empty()) return overhead(a, spec, nullptr);
  auto* info = a.core.registry->storage("node.k8s.io", "runtimeclasses");
  auto found = info ? a.core.cache->get(*info, name) : nullptr;
  if (!found) return a.refuse("pod rejected: RuntimeClass \"" + name + "\" not found");
  Json cls = found->tree();
  PH_TRY(overhead(a, spec, &cls.get_object()));
  return scheduling(a, spec, cls.get_object());
}

}  // namespace ph::server::steps
