// Restricted: today's best practice for pods that need nothing special.
#include <algorithm>
#include <set>

#include "engine/server/admission/pod_security/checks.h"

namespace ph::server::podsecurity::restricted {

using api::strategies::has;
using api::strategies::list;
using api::strategies::num;
using api::strategies::str;
using api::strategies::view;

namespace {

// Absent, or a boolean.
std::optional<bool> choice(const Json& holder, std::string_view path) {
  auto* v = api::at(holder, path);
  return v && v->is_bool() ? std::optional(v->get_bool()) : std::nullopt;
}

}  // namespace

Found privilegeEscalation(const Subject& pod, int minor) {
  if (minor >= 25 && isWindows(pod.spec)) return {};
  auto bad = containersThat(pod.spec, [](const Json& c) { return choice(c, "securityContext.allowPrivilegeEscalation").value_or(true); });
  if (bad.empty()) return {};
  return Violation{"allowPrivilegeEscalation != false", containers(bad) + " must set securityContext.allowPrivilegeEscalation=false"};
}

Found capabilities(const Subject& pod, int minor) {
  if (minor >= 25 && isWindows(pod.spec)) return {};
  Names keeps, adds;
  std::set<std::string> added;
  eachContainer(pod.spec, [&](const Json& c, const std::string& name) {
    auto& dropped = list(c, "securityContext.capabilities.drop");
    if (std::none_of(dropped.begin(), dropped.end(), [](const Json& cap) { return cap == "ALL"; })) keeps.push_back(name);
    for (auto& cap : list(c, "securityContext.capabilities.add")) {
      if (!cap.is_string() || cap == "NET_BIND_SERVICE") continue;
      addOnce(adds, name);
      added.emplace(view(cap.get_string()));
    }
  });
  std::string detail;
  if (!keeps.empty()) detail = containers(keeps) + " must set securityContext.capabilities.drop=[\"ALL\"]";
  if (!adds.empty())
    detail += (detail.empty() ? "" : "; ") + containers(adds) + " must not include " + quoted({added.begin(), added.end()}) +
              " in securityContext.capabilities.add";
  if (detail.empty()) return {};
  return Violation{"unrestricted capabilities", detail};
}

Found volumes(const Subject& pod, int) {
  static constexpr const char* kAllowed[] = {"configMap", "csi",       "downwardAPI",           "emptyDir",
                                             "ephemeral", "projected", "persistentVolumeClaim", "secret", "image"};
  Names bad;
  std::set<std::string> types;
  for (auto& v : list(pod.spec, "volumes")) {
    auto* o = v.if_object();
    if (!o) continue;
    for (auto& kv : *o) {
      auto type = view(kv.key());
      if (type == "name" || kv.value().is_null()) continue;
      if (std::find(std::begin(kAllowed), std::end(kAllowed), type) != std::end(kAllowed)) continue;
      addOnce(bad, std::string(str(v, "name")));
      types.emplace(type);
    }
  }
  if (bad.empty()) return {};
  return Violation{"restricted volume types",
                   counted("volume", "volumes", bad) + (bad.size() == 1 ? " uses " : " use ") +
                       counted("restricted volume type", "restricted volume types", {types.begin(), types.end()})};
}

Found runAsNonRoot(const Subject& pod, int minor) {
  // A user namespace of its own makes root inside nobody outside.
  if (minor >= 33 && choice(pod.spec, "hostUsers") == false) return {};
  auto whole = choice(pod.spec, "securityContext.runAsNonRoot");
  Names no, silent;
  eachContainer(pod.spec, [&](const Json& c, const std::string& name) {
    auto own = choice(c, "securityContext.runAsNonRoot");
    if (own == false) no.push_back(name);
    if (!own && whole != true) silent.push_back(name);
  });
  bool podBad = whole == false;
  // Where the pod says no, containers may still all say yes.
  if (podBad || !no.empty()) {
    return Violation{"runAsNonRoot != true", setters(podBad, no) + " must not set securityContext.runAsNonRoot=false"};
  }
  if (silent.empty()) return {};
  return Violation{"runAsNonRoot != true", "pod or " + containers(silent) + " must set securityContext.runAsNonRoot=true"};
}

Found runAsUser(const Subject& pod, int minor) {
  if (minor >= 33 && choice(pod.spec, "hostUsers") == false) return {};
  auto root = [](const Json& holder) { return has(holder, "securityContext.runAsUser") && num(holder, "securityContext.runAsUser", -1) == 0; };
  bool podBad = root(pod.spec);
  auto bad = containersThat(pod.spec, root);
  if (!podBad && bad.empty()) return {};
  return Violation{"runAsUser=0", setters(podBad, bad) + " must not set runAsUser=0"};
}

Found seccomp(const Subject& pod, int minor) {
  if (minor >= 25 && isWindows(pod.spec)) return {};
  auto typeOf = [](const Json& holder) { return str(holder, "securityContext.seccompProfile.type"); };
  auto good = [](std::string_view type) { return type == "RuntimeDefault" || type == "Localhost"; };
  auto whole = typeOf(pod.spec);
  bool podBad = !whole.empty() && !good(whole);
  std::set<std::string> types;
  if (podBad) types.emplace(whole);
  Names bad, silent;
  eachContainer(pod.spec, [&](const Json& c, const std::string& name) {
    auto own = typeOf(c);
    if (own.empty()) {
      if (!good(whole)) silent.push_back(name);
    } else if (!good(own)) {
      bad.push_back(name);
      types.emplace(own);
    }
  });
  if (podBad || !bad.empty())
    return Violation{"seccompProfile",
                     setters(podBad, bad) + " must not set securityContext.seccompProfile.type to " + quoted({types.begin(), types.end()})};
  if (silent.empty()) return {};
  return Violation{"seccompProfile",
                   "pod or " + containers(silent) + " must set securityContext.seccompProfile.type to \"RuntimeDefault\" or \"Localhost\""};
}

}  // namespace ph::server::podsecurity::restricted
