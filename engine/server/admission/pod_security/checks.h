// One check of the Pod Security Standards each, and what they share. Internal to this folder. Threads: pure.
#pragma once

#include <functional>

#include "engine/api/strategies/common.h"
#include "engine/server/admission/pod_security/policy.h"

namespace ph::server::podsecurity {

using Names = std::vector<std::string>;
using Found = std::optional<Violation>;

// Init, plain, then ephemeral containers.
void eachContainer(const Json& spec, const std::function<void(const Json& container, const std::string& name)>& visit);
Names containersThat(const Json& spec, const std::function<bool(const Json& container)>& is);

std::string quoted(const Names& names);                                          // "a", "b"
std::string counted(const char* one, const char* many, const Names& names);      // container "a" / containers "a", "b"
inline std::string containers(const Names& names) { return counted("container", "containers", names); }
// The pod itself, containers, or both.
std::string setters(bool pod, const Names& names);
void addOnce(Names& names, std::string name);
bool isWindows(const Json& spec);

namespace baseline {
Found appArmor(const Subject& pod, int minor);
Found capabilities(const Subject& pod, int minor);
Found hostNamespaces(const Subject& pod, int minor);
Found hostPathVolumes(const Subject& pod, int minor);
Found hostPorts(const Subject& pod, int minor);
Found privileged(const Subject& pod, int minor);
Found procMount(const Subject& pod, int minor);
Found seLinux(const Subject& pod, int minor);
Found seccomp(const Subject& pod, int minor);
Found sysctls(const Subject& pod, int minor);
Found windowsHostProcess(const Subject& pod, int minor);
}  // namespace baseline

namespace restricted {
Found privilegeEscalation(const Subject& pod, int minor);
Found capabilities(const Subject& pod, int minor);
Found volumes(const Subject& pod, int minor);
Found runAsNonRoot(const Subject& pod, int minor);
Found runAsUser(const Subject& pod, int minor);
Found seccomp(const Subject& pod, int minor);
}  // namespace restricted

}  // namespace ph::server::podsecurity
