// Defaults of a pod spec that depend on other fields, and the quality-of-service class.
#include <algorithm>

#include "engine/api/quantity.h"
#include "engine/api/strategies/common.h"

namespace ph::api::strategies {
namespace {

// Always for ":latest" and for no tag at all; a digest counts as a tag.
bool isLatest(std::string_view image) {
  if (image.find('@') != std::string_view::npos) return false;
  size_t slash = image.rfind('/');
  auto last = slash == std::string_view::npos ? image : image.substr(slash + 1);
  size_t colon = last.find(':');
  return colon == std::string_view::npos || last.substr(colon + 1) == "latest";
}

void defaultContainer(JsonObject& c, bool hostNetwork) {
  if (auto* image = c.if_contains("image"); image && image->is_string()) {
    auto* policy = c.if_contains("imagePullPolicy");
    if (!policy || (policy->is_string() && policy->get_string().empty()))
      c["imagePullPolicy"] = isLatest(view(image->get_string())) ? "Always" : "IfNotPresent";
  }
  if (auto* ports = c.if_contains("ports"); hostNetwork && ports && ports->is_array())
    for (auto& p : ports->get_array())
      if (p.is_object() && num(p, "hostPort") == 0 && num(p, "containerPort") != 0) p.get_object()["hostPort"] = num(p, "containerPort");
  // What is limited is also requested, unless said otherwise.
  if (auto* resources = c.if_contains("resources"); resources && resources->is_object()) {
    auto* limits = resources->get_object().if_contains("limits");
    if (limits && limits->is_object() && !limits->get_object().empty()) {
      JsonObject wanted = limits->get_object();
      auto& requests = ensureObject(*resources, "requests");
      for (auto& kv : wanted) requests.emplace(kv.key(), kv.value());
    }
  }
}

bool positive(const JsonObject& o, const char* key) {
  auto* v = o.if_contains(key);
  if (!v || !v->is_string()) return false;
  auto q = Quantity::parse(view(v->get_string()));
  return q && !q->isZero() && !q->negative();
}

}  // namespace

void defaultPodSpec(Json& spec) {
  auto* o = spec.if_object();
  if (!o) return;
  bool hostNetwork = flag(spec, "hostNetwork");
  for (auto* key : {"initContainers", "containers", "ephemeralContainers"})
    if (auto* all = o->if_contains(key); all && all->is_array())
      for (auto& c : all->get_array())
        if (c.is_object()) defaultContainer(c.get_object(), hostNetwork);
  if (auto* volumes = o->if_contains("volumes"); volumes && volumes->is_array())
    for (auto& v : volumes->get_array())
      if (v.is_object() && v.get_object().size() == 1 && v.get_object().contains("name")) v.get_object()["emptyDir"] = JsonObject();
  // serviceAccount is the old name of serviceAccountName; readers know either.
  auto name = text(str(spec, "serviceAccountName")), old = text(str(spec, "serviceAccount"));
  if (name.empty()) name = old;
  if (!name.empty()) {
    (*o)["serviceAccountName"] = name;
    (*o)["serviceAccount"] = name;
  }
}

std::string qosClass(const Json& spec) {
  bool any = false, guaranteed = true;
  for (auto* key : {"initContainers", "containers"})
    for (auto& c : list(spec, key)) {
      auto &requests = object(c, "resources.requests"), &limits = object(c, "resources.limits");
      for (auto* name : {"cpu", "memory"}) {
        any |= positive(requests, name) || positive(limits, name);
        auto *r = requests.if_contains(name), *l = limits.if_contains(name);
        if (!positive(limits, name) || (r && *r != *l)) guaranteed = false;
      }
    }
  return !any ? "BestEffort" : guaranteed ? "Guaranteed" : "Burstable";
}

}  // namespace ph::api::strategies
