// Baseline: nothing by which a pod is known to take over its node.
#include <algorithm>
#include <set>

#include "engine/server/admission/pod_security/checks.h"

namespace ph::server::podsecurity::baseline {

using api::strategies::flag;
using api::strategies::has;
using api::strategies::list;
using api::strategies::num;
using api::strategies::object;
using api::strategies::str;
using api::strategies::view;

namespace {

template <size_t N>
bool oneOf(std::string_view s, const std::string_view (&names)[N]) {
  return std::find(std::begin(names), std::end(names), s) != std::end(names);
}

std::string joined(const Names& parts, const char* between) {
  std::string out;
  for (auto& p : parts) out += (out.empty() ? "" : between) + p;
  return out;
}

bool goodAppArmor(std::string_view profile) {
  return profile.empty() || profile == "runtime/default" || profile.starts_with("localhost/");
}

}  // namespace

Found appArmor(const Subject& pod, int) {
  constexpr std::string_view kPrefix = "container.apparmor.security.beta.kubernetes.io/";
  Names bad, badContainers;
  auto forbidden = [](const Json& holder) {
    auto type = str(holder, "securityContext.appArmorProfile.type");
    return !type.empty() && type != "RuntimeDefault" && type != "Localhost";
  };
  bool podBad = forbidden(pod.spec);
  std::set<std::string> types;
  if (podBad) types.emplace(str(pod.spec, "securityContext.appArmorProfile.type"));
  eachContainer(pod.spec, [&](const Json& c, const std::string& name) {
    if (!forbidden(c)) return;
    badContainers.push_back(name);
    types.emplace(str(c, "securityContext.appArmorProfile.type"));
  });
  if (podBad || !badContainers.empty())
    bad.push_back(setters(podBad, badContainers) + " must not set securityContext.appArmorProfile.type to " +
                  quoted({types.begin(), types.end()}));
  Names annotations;
  for (auto& kv : object(pod.metadata, "annotations")) {
    auto key = view(kv.key());
    auto* value = kv.value().if_string();
    if (!key.starts_with(kPrefix) || !value || goodAppArmor(view(*value))) continue;
    annotations.push_back(std::string(key) + "=\"" + std::string(view(*value)) + "\"");
  }
  std::sort(annotations.begin(), annotations.end());
  size_t count = annotations.size() + bad.size();
  bad.insert(bad.end(), annotations.begin(), annotations.end());
  if (bad.empty()) return {};
  return Violation{count == 1 ? "forbidden AppArmor profile" : "forbidden AppArmor profiles", joined(bad, ", ")};
}

Found capabilities(const Subject& pod, int) {
  static constexpr std::string_view kAllowed[] = {"AUDIT_WRITE", "CHOWN",   "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL",  "MKNOD",
                                                  "NET_BIND_SERVICE", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT"};
  Names bad;
  std::set<std::string> added;
  eachContainer(pod.spec, [&](const Json& c, const std::string& name) {
    for (auto& cap : list(c, "securityContext.capabilities.add")) {
      if (!cap.is_string() || oneOf(view(cap.get_string()), kAllowed)) continue;
      addOnce(bad, name);
      added.emplace(view(cap.get_string()));
    }
  });
  if (bad.empty()) return {};
  return Violation{"non-default capabilities",
                   containers(bad) + " must not include " + quoted({added.begin(), added.end()}) + " in securityContext.capabilities.add"};
}

Found hostNamespaces(const Subject& pod, int) {
  Names set;
  for (auto* field : {"hostNetwork", "hostPID", "hostIPC"})
    if (flag(pod.spec, field)) set.push_back(std::string(field) + "=true");
  if (set.empty()) return {};
  return Violation{"host namespaces", joined(set, ", ")};
}

Found hostPathVolumes(const Subject& pod, int) {
  Names bad;
  for (auto& v : list(pod.spec, "volumes"))
    if (has(v, "hostPath")) bad.emplace_back(str(v, "name"));
  if (bad.empty()) return {};
  return Violation{"hostPath volumes", counted("volume", "volumes", bad)};
}

Found hostPorts(const Subject& pod, int) {
  Names bad;
  std::set<std::string> ports;  // sorted as text, as Kubernetes has it
  eachContainer(pod.spec, [&](const Json& c, const std::string& name) {
    for (auto& p : list(c, "ports"))
      if (auto port = num(p, "hostPort"); port != 0) {
        addOnce(bad, name);
        ports.insert(std::to_string(port));
      }
  });
  if (bad.empty()) return {};
  return Violation{"hostPort", containers(bad) + (bad.size() == 1 ? " uses " : " use ") + (ports.size() == 1 ? "hostPort " : "hostPorts ") +
                                   joined({ports.begin(), ports.end()}, ", ")};
}

Found privileged(const Subject& pod, int) {
  auto bad = containersThat(pod.spec, [](const Json& c) { return flag(c, "securityContext.privileged"); });
  if (bad.empty()) return {};
  return Violation{"privileged", containers(bad) + " must not set securityContext.privileged=true"};
}

Found procMount(const Subject& pod, int minor) {
  // In a user namespace of its own a pod's /proc is harmless.
  auto* users = api::at(pod.spec, "hostUsers");
  if (minor >= 33 && users && users->is_bool() && !users->get_bool()) return {};
  std::set<std::string> values;
  auto bad = containersThat(pod.spec, [&](const Json& c) {
    auto mount = str(c, "securityContext.procMount");
    if (mount.empty() || mount == "Default") return false;
    values.emplace(mount);
    return true;
  });
  if (bad.empty()) return {};
  return Violation{"procMount", containers(bad) + " must not set securityContext.procMount to " + quoted({values.begin(), values.end()})};
}

Found seLinux(const Subject& pod, int minor) {
  static constexpr std::string_view kTypes[] = {"", "container_t", "container_init_t", "container_kvm_t"};
  std::set<std::string> types;
  bool user = false, role = false;
  auto forbidden = [&](const Json& holder) {
    auto type = str(holder, "securityContext.seLinuxOptions.type");
    bool badType = !oneOf(type, kTypes) && !(minor >= 31 && type == "container_engine_t");
    bool badUser = !str(holder, "securityContext.seLinuxOptions.user").empty();
    bool badRole = !str(holder, "securityContext.seLinuxOptions.role").empty();
    if (badType) types.emplace(type);
    user |= badUser;
    role |= badRole;
    return badType || badUser || badRole;
  };
  bool podBad = forbidden(pod.spec);
  auto bad = containersThat(pod.spec, forbidden);
  if (!podBad && bad.empty()) return {};
  Names what;
  if (!types.empty()) what.push_back(counted("type", "types", {types.begin(), types.end()}));
  if (user) what.push_back("user may not be set");
  if (role) what.push_back("role may not be set");
  return Violation{"seLinuxOptions", setters(podBad, bad) + " set forbidden securityContext.seLinuxOptions: " + joined(what, "; ")};
}

Found seccomp(const Subject& pod, int minor) {
  if (minor < 19) {
    Names bad;
    for (auto& kv : object(pod.metadata, "annotations")) {
      auto key = view(kv.key());
      auto* value = kv.value().if_string();
      if (key != "seccomp.security.alpha.kubernetes.io/pod" && !key.starts_with("container.seccomp.security.alpha.kubernetes.io/")) continue;
      if (!value) continue;
      auto v = view(*value);
      if (v == "runtime/default" || v == "docker/default" || v.starts_with("localhost/")) continue;
      bad.push_back(std::string(key) + "=\"" + std::string(v) + "\"");
    }
    std::sort(bad.begin(), bad.end());
    if (bad.empty()) return {};
    return Violation{"seccompProfile", "forbidden " + std::string(bad.size() == 1 ? "annotation " : "annotations ") + joined(bad, ", ")};
  }
  std::set<std::string> types;
  auto forbidden = [&](const Json& holder) {
    auto type = str(holder, "securityContext.seccompProfile.type");
    if (type.empty() || type == "RuntimeDefault" || type == "Localhost") return false;
    types.emplace(type);
    return true;
  };
  bool podBad = forbidden(pod.spec);
  auto bad = containersThat(pod.spec, forbidden);
  if (!podBad && bad.empty()) return {};
  return Violation{"seccompProfile",
                   setters(podBad, bad) + " must not set securityContext.seccompProfile.type to " + quoted({types.begin(), types.end()})};
}

Found sysctls(const Subject& pod, int minor) {
  static constexpr struct {
    std::string_view name;
    int since;
  } kSafe[] = {{"kernel.shm_rmid_forced", 0},          {"net.ipv4.ip_local_port_range", 0},   {"net.ipv4.tcp_syncookies", 0},
               {"net.ipv4.ping_group_range", 0},       {"net.ipv4.ip_unprivileged_port_start", 0}, {"net.ipv4.ip_local_reserved_ports", 27},
               {"net.ipv4.tcp_keepalive_time", 29},    {"net.ipv4.tcp_fin_timeout", 29},      {"net.ipv4.tcp_keepalive_intvl", 29},
               {"net.ipv4.tcp_keepalive_probes", 29},  {"net.ipv4.tcp_rmem", 32},             {"net.ipv4.tcp_wmem", 32}};
  Names bad;
  for (auto& s : list(pod.spec, "securityContext.sysctls")) {
    auto name = str(s, "name");
    bool safe = std::any_of(std::begin(kSafe), std::end(kSafe), [&](auto& k) { return k.name == name && minor >= k.since; });
    if (!safe) bad.emplace_back(name);
  }
  if (bad.empty()) return {};
  return Violation{"forbidden sysctls", joined(bad, ", ")};
}

Found windowsHostProcess(const Subject& pod, int) {
  auto sets = [](const Json& holder) { return flag(holder, "securityContext.windowsOptions.hostProcess"); };
  bool podBad = sets(pod.spec);
  auto bad = containersThat(pod.spec, sets);
  if (!podBad && bad.empty()) return {};
  return Violation{"hostProcess", setters(podBad, bad) + " must not set securityContext.windowsOptions.hostProcess=true"};
}

}  // namespace ph::server::podsecurity::baseline
