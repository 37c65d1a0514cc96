#include "engine/server/rbac/node_grants.h"

#include "engine/api/codec.h"
#include "engine/api/types/core.h"
#include "engine/api/volumes.h"

namespace ph::server {
namespace {

namespace v1 = api::core;

// A null `name` is any name.
struct Wanted {
  PodUse use;
  const std::string_view* name;
  bool is(PodUse u, std::string_view n) const { return u == use && !n.empty() && (!name || n == *name); }
};

template <class Container>
bool containerNames(const Container& c, const Wanted& w) {
  for (auto& from : c.envFrom) {
    if (from.configMapRef && w.is(PodUse::ConfigMap, from.configMapRef->name)) return true;
    if (from.secretRef && w.is(PodUse::Secret, from.secretRef->name)) return true;
  }
  for (auto& env : c.env) {
    if (!env.valueFrom) continue;
    if (env.valueFrom->configMapKeyRef && w.is(PodUse::ConfigMap, env.valueFrom->configMapKeyRef->name)) return true;
    if (env.valueFrom->secretKeyRef && w.is(PodUse::Secret, env.valueFrom->secretKeyRef->name)) return true;
  }
  return false;
}

bool volumeNames(const v1::Volume& v, const Wanted& w, std::string_view podName) {
  if (v.configMap && w.is(PodUse::ConfigMap, v.configMap->name)) return true;
  if (v.secret && w.is(PodUse::Secret, v.secret->secretName)) return true;
  if (w.is(PodUse::Claim, api::claimOf(podName, v))) return true;
  if (v.csi && v.csi->nodePublishSecretRef && w.is(PodUse::Secret, v.csi->nodePublishSecretRef->name)) return true;
  if (!v.projected) return false;
  for (auto& source : v.projected->sources) {
    if (source.configMap && w.is(PodUse::ConfigMap, source.configMap->name)) return true;
    if (source.secret && w.is(PodUse::Secret, source.secret->name)) return true;
  }
  return false;
}

bool podNames(const v1::PodSpec& spec, std::string_view podName, const Wanted& w) {
  if (w.is(PodUse::ServiceAccount, spec.serviceAccountName)) return true;
  if (w.use == PodUse::ServiceAccount) return false;
  for (auto& v : spec.volumes)
    if (volumeNames(v, w, podName)) return true;
  for (auto& c : spec.initContainers)
    if (containerNames(c, w)) return true;
  for (auto& c : spec.containers)
    if (containerNames(c, w)) return true;
  for (auto& c : spec.ephemeralContainers)
    if (containerNames(c, w)) return true;
  for (auto& s : spec.imagePullSecrets)
    if (w.is(PodUse::Secret, s.name)) return true;
  return false;
}

}  // namespace

std::string_view nodeNameOf(const api::Object& pod) { return pod.as<v1::Pod>().spec.nodeName; }

bool podOnNodeUses(const Core& core, std::string_view node, std::string_view ns, PodUse use, std::string_view name) {
  auto snapshot = core.cache->snapshot(*core.pods);
  std::string prefix = std::string(ns) + "/";
  Wanted wanted{use, &name};
  for (auto& [key, pod] : snapshot.objects.prefix(prefix)) {
    auto& spec = pod->as<v1::Pod>().spec;
    if (spec.nodeName == node && podNames(spec, pod->name(), wanted)) return true;
  }
  return false;
}

bool podUsesAny(const Core& core, const api::Json& pod, PodUse use) {
  auto object = api::Object::make(core.pods, pod, 0);
  return podNames(object->as<v1::Pod>().spec, object->name(), {use, nullptr});
}

}  // namespace ph::server
