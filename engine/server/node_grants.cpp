#include "engine/server/node_grants.h"

#include "engine/api/codec.h"
#include "engine/api/types/core.h"

namespace ph::server {
namespace {

namespace v1 = api::core;

bool containerNames(const v1::Container& c, bool secret, std::string_view name) {
  for (auto& from : c.envFrom) {
    if (!secret && from.configMapRef && from.configMapRef->name == name) return true;
    if (secret && from.secretRef && from.secretRef->name == name) return true;
  }
  for (auto& env : c.env) {
    if (!env.valueFrom) continue;
    if (!secret && env.valueFrom->configMapKeyRef && env.valueFrom->configMapKeyRef->name == name) return true;
    if (secret && env.valueFrom->secretKeyRef && env.valueFrom->secretKeyRef->name == name) return true;
  }
  return false;
}

bool volumeNames(const v1::Volume& v, bool secret, std::string_view name) {
  if (!secret && v.configMap && v.configMap->name == name) return true;
  if (secret && v.secret && v.secret->secretName == name) return true;
  if (!v.projected) return false;
  for (auto& source : v.projected->sources) {
    if (!secret && source.configMap && source.configMap->name == name) return true;
    if (secret && source.secret && source.secret->name == name) return true;
  }
  return false;
}

bool podNames(const v1::PodSpec& spec, bool secret, std::string_view name) {
  for (auto& v : spec.volumes)
    if (volumeNames(v, secret, name)) return true;
  for (auto& c : spec.initContainers)
    if (containerNames(c, secret, name)) return true;
  for (auto& c : spec.containers)
    if (containerNames(c, secret, name)) return true;
  if (secret)
    for (auto& s : spec.imagePullSecrets)
      if (s.name == name) return true;
  return false;
}

}  // namespace

std::string_view nodeNameOf(const api::Object& pod) { return pod.as<v1::Pod>().spec.nodeName; }

bool podOnNodeNames(const Core& core, std::string_view node, std::string_view ns, std::string_view kind,
                    std::string_view name) {
  bool secret = kind == "Secret";
  auto snapshot = core.cache->snapshot(*core.pods);
  std::string prefix = std::string(ns) + "/";
  for (auto& [key, pod] : snapshot.objects.prefix(prefix)) {
    auto& spec = pod->as<v1::Pod>().spec;
    if (spec.nodeName == node && podNames(spec, secret, name)) return true;
  }
  return false;
}

bool podOnNodeRunsAs(const Core& core, std::string_view node, std::string_view ns, std::string_view account) {
  auto snapshot = core.cache->snapshot(*core.pods);
  std::string prefix = std::string(ns) + "/";
  for (auto& [key, pod] : snapshot.objects.prefix(prefix)) {
    auto& spec = pod->as<v1::Pod>().spec;
    if (spec.nodeName == node && spec.serviceAccountName == account) return true;
  }
  return false;
}

}  // namespace ph::server
