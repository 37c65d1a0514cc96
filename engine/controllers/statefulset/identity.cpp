// Who a pod is: its name, its labels, its host name, and the version of the template that it is made of.
#include <charconv>

#include "engine/controllers/common/pods.h"
#include "engine/controllers/statefulset/look.h"

namespace ph::controllers::statefulset {

namespace {

constexpr std::string_view kPodName = "statefulset.kubernetes.io/pod-name";
constexpr std::string_view kPodIndex = "apps.kubernetes.io/pod-index";

JsonObject identityLabels(const Look& l, int64_t ordinal) {
  return JsonObject{{kPodName, l.podName(ordinal)}, {kPodIndex, std::to_string(ordinal)}};
}

// What an update does not reach comes back as the version that it was.
bool staysOld(const Look& l, int64_t ordinal) {
  return l.rolling() && !l.oldTemplate.is_null() && ordinal < l.firstUpdated();
}

}  // namespace

std::optional<int64_t> ordinalOf(std::string_view set, std::string_view pod) {
  if (pod.size() <= set.size() + 1 || !pod.starts_with(set) || pod[set.size()] != '-') return std::nullopt;
  std::string_view digits = pod.substr(set.size() + 1);
  if (digits[0] < '0' || digits[0] > '9' || (digits.size() > 1 && digits[0] == '0')) return std::nullopt;
  int64_t n = 0;
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), n);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return n;
}

bool isUpdated(const Look& l, const ObjectPtr& pod) {
  return pod->meta().label(kRevisionHash) == l.status.updateRevision;
}

Json newPod(const Look& l, int64_t ordinal) {
  bool old = staysOld(l, ordinal);
  Json pod = old ? l.oldTemplate : l.newTemplate;
  std::string name = l.podName(ordinal);
  JsonObject meta{{"name", name}, {"namespace", l.object->ns()}};
  takeMeta(pod, {"labels", "annotations", "finalizers"}, meta);
  JsonObject& labels = ensureObject(meta, "labels");
  for (auto& label : identityLabels(l, ordinal)) labels[label.key()] = label.value();
  labels[kRevisionHash] = old ? l.status.currentRevision : l.status.updateRevision;
  meta["ownerReferences"] = JsonArray{controllerReference(*l.object)};

  JsonObject& spec = pod.at("spec").as_object();
  spec["hostname"] = name;
  if (!l.set.spec.serviceName.empty()) spec["subdomain"] = l.set.spec.serviceName;
  addClaimedVolumes(l, name, spec);
  return JsonObject{
      {"apiVersion", "v1"}, {"kind", "Pod"}, {"metadata", std::move(meta)}, {"spec", std::move(pod.at("spec"))}};
}

void keepIdentity(Look& l, int64_t ordinal, const ObjectPtr& pod) {
  JsonObject missing;
  for (auto& label : identityLabels(l, ordinal))
    if (pod->meta().label(label.key()) != std::string_view(label.value().as_string()))
      missing[label.key()] = label.value();
  if (missing.empty()) return;
  Step& s = l.plan.patchNewest(*pod, JsonObject{{"metadata", JsonObject{{"labels", std::move(missing)}}}});
  l.told(s, "Update", "update Pod " + pod->name() + " in StatefulSet " + l.object->name());
}

}  // namespace ph::controllers::statefulset
