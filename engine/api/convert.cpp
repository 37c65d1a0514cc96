#include "engine/api/convert.h"

#include "engine/api/codec.h"
#include "engine/api/conversions/conversions.h"
#include "engine/api/custom/kind.h"

namespace ph::api {

void convertTree(Json& tree, const ResourceInfo& from, const ResourceInfo& to) {
  if (!tree.is_object() || (from.version == to.version && from.group == to.group)) return;
  if (!from.storedVersion && from.conversion && from.conversion->toStored) from.conversion->toStored(tree);
  if (!to.storedVersion && to.conversion && to.conversion->fromStored) to.conversion->fromStored(tree);
  auto& root = tree.get_object();
  root["apiVersion"] = to.apiVersion();
  root["kind"] = to.kind;
}

ObjectPtr asVersion(const ObjectPtr& object, const ResourceInfo& to) {
  if (!object || &object->info() == &to) return object;
  auto& from = object->info();
  if (from.version == to.version && from.group == to.group && !to.custom) return object;
  Json tree = object->tree();
  convertTree(tree, from, to);
  if (to.custom && to.storedVersion) to.custom->restore(tree);
  return Object::make(&to, tree, object->revision());
}

std::string storedFieldSelector(const ResourceInfo& info, std::string selector) {
  if (info.group != "events.k8s.io") return selector;
  auto replace = [&](std::string_view word, std::string_view by) {
    for (size_t at = selector.find(word); at != std::string::npos; at = selector.find(word, at + by.size()))
      if (at == 0 || selector[at - 1] == ',') selector.replace(at, word.size(), by);
  };
  replace("regarding.", "involvedObject.");
  replace("reportingController", "reportingComponent");
  return selector;
}

const Conversion* conversionFor(std::string_view group, std::string_view version, std::string_view kind) {
  using namespace conversions;
  struct Entry {
    std::string_view group, version, kind;
    const Conversion* conversion;
  };
  static constexpr Entry kTable[] = {
      {"autoscaling", "v1", "HorizontalPodAutoscaler", &autoscalerV1},
      {"apiextensions.k8s.io", "v1beta1", "CustomResourceDefinition", &customDefinitionV1beta1},
      {"policy", "v1beta1", "PodDisruptionBudget", &disruptionBudgetV1beta1},
      {"discovery.k8s.io", "v1beta1", "EndpointSlice", &endpointSliceV1beta1},
      {"events.k8s.io", "v1", "Event", &eventOfGroup},
      {"events.k8s.io", "v1beta1", "Event", &eventOfGroup},
      {"networking.k8s.io", "v1beta1", "Ingress", &ingressV1beta1},
      {"extensions", "v1beta1", "Ingress", &ingressV1beta1},
      {"authorization.k8s.io", "v1beta1", "SubjectAccessReview", &accessReviewV1beta1},
      {"authorization.k8s.io", "v1beta1", "LocalSubjectAccessReview", &accessReviewV1beta1},
      {"certificates.k8s.io", "v1beta1", "CertificateSigningRequest", &signingRequestV1beta1},
  };
  for (auto& e : kTable)
    if (e.group == group && e.version == version && e.kind == kind) return e.conversion;
  return nullptr;
}

}  // namespace ph::api
