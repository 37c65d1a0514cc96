// DefaultIngressClass: an ingress that names no class, in neither of the two ways, gets the cluster's default.
#include "engine/server/admission/default_class.h"
#include "engine/server/admission/steps.h"
#include "engine/server/json_util.h"

namespace ph::server::steps {

Result<> defaultIngressClass(Admission& a) {
  if (!a.creates() || a.info.group != "networking.k8s.io" || a.info.plural != "ingresses") return {};
  auto& spec = makeObject(a.object, "spec");
  if (auto* asked = spec.if_contains("ingressClassName"); asked && !asked->is_null()) return {};
  auto* metadata = objectAt(a.object, "metadata");
  auto* annotations = metadata ? metadata->if_contains("annotations") : nullptr;
  if (annotations && annotations->is_object() && annotations->get_object().contains("kubernetes.io/ingress.class")) return {};
  static constexpr std::string_view kMark[] = {"ingressclass.kubernetes.io/is-default-class"};
  if (auto cls = defaultClass(a.core, "networking.k8s.io", "ingressclasses", kMark)) spec["ingressClassName"] = cls->name();
  return {};
}

}  // namespace ph::server::steps
