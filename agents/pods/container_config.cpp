#include "agents/pods/container_config.h"

#include <fmt/format.h>

#include <algorithm>

#include "agents/pods/pod_status.h"
#include "engine/api/codec.h"

namespace ph::agents {

namespace core = api::core;

std::string podLogDirectory(const ConfigContext& context, const api::Object& pod) {
  return fmt::format("{}/{}_{}_{}", context.logRoot, pod.ns(), pod.name(), pod.uid());
}

std::string podCgroup(const ConfigContext& context, const api::Object& pod) {
  if (context.cgroupRoot.empty()) return {};
  std::string qos = qosClass(pod.as<core::Pod>().spec);
  std::string folder = qos == "Guaranteed" ? "" : qos == "Burstable" ? "/burstable" : "/besteffort";
  return fmt::format("{}{}/pod{}", context.cgroupRoot, folder, pod.uid());
}

std::string podHostname(const api::Object& pod) {
  auto& spec = pod.as<core::Pod>().spec;
  std::string name = spec.hostname.empty() ? pod.name() : spec.hostname;
  // The kernel takes 63 characters; a name must not end in a separator.
  name = name.substr(0, 63);
  while (!name.empty() && (name.back() == '-' || name.back() == '.')) name.pop_back();
  return name;
}

namespace {

void setDns(const ConfigContext& context, const api::Object& pod, SandboxSpec& out) {
  auto& spec = pod.as<core::Pod>().spec;
  bool clusterFirst = spec.dnsPolicy == "ClusterFirstWithHostNet" || (spec.dnsPolicy != "Default" && spec.dnsPolicy != "None" && !spec.hostNetwork);
  if (spec.dnsPolicy != "None") {
    if (clusterFirst && !context.clusterDns.empty()) {
      out.dnsServers = {context.clusterDns};
      auto& d = context.clusterDomain;
      out.dnsSearches = {pod.ns() + ".svc." + d, "svc." + d, d};
      out.dnsOptions = {"ndots:5"};
    } else {
      out.dnsServers = context.hostNameservers;
    }
    for (auto& s : context.hostSearches) out.dnsSearches.push_back(s);
  }
  if (spec.dnsConfig) {
    for (auto& s : spec.dnsConfig->nameservers) out.dnsServers.push_back(s);
    for (auto& s : spec.dnsConfig->searches) out.dnsSearches.push_back(s);
    for (auto& o : spec.dnsConfig->options) {
      std::erase_if(out.dnsOptions, [&](auto& have) { return have == o.name || have.rfind(o.name + ":", 0) == 0; });
      out.dnsOptions.push_back(o.value && !o.value->empty() ? o.name + ":" + *o.value : o.name);
    }
  }
  // What resolvers take: three servers, six search domains.
  if (out.dnsServers.size() > 3) out.dnsServers.resize(3);
  if (out.dnsSearches.size() > 32) out.dnsSearches.resize(32);
}

PortMap::Protocol protocolOf(const std::string& name) {
  return name == "UDP" ? PortMap::Protocol::Udp : name == "SCTP" ? PortMap::Protocol::Sctp : PortMap::Protocol::Tcp;
}

}  // namespace

SandboxSpec sandboxSpec(const ConfigContext& context, const api::Object& pod, uint32_t attempt) {
  auto& spec = pod.as<core::Pod>().spec;
  SandboxSpec out;
  out.ns = pod.ns();
  out.name = pod.name();
  out.uid = pod.uid();
  out.attempt = attempt;
  if (!spec.hostNetwork) out.hostname = podHostname(pod);
  out.logDirectory = podLogDirectory(context, pod);
  out.cgroupParent = podCgroup(context, pod);
  setDns(context, pod, out);
  for (auto& [key, value] : pod.meta().labels) out.labels[key] = value;
  out.labels[labelPodName] = pod.name();
  out.labels[labelPodNamespace] = pod.ns();
  out.labels[labelPodUid] = pod.uid();
  out.hostNetwork = spec.hostNetwork;
  out.hostPid = spec.hostPID;
  out.hostIpc = spec.hostIPC;
  out.sharePid = spec.shareProcessNamespace && *spec.shareProcessNamespace;
  if (!spec.hostNetwork)
    for (auto& c : spec.containers)
      for (auto& p : c.ports)
        if (p.hostPort > 0) out.ports.push_back({protocolOf(p.protocol), int(p.containerPort), int(p.hostPort), p.hostIP});
  if (spec.securityContext) {
    auto& sc = *spec.securityContext;
    if (sc.runAsUser) out.runAsUser = *sc.runAsUser;
    if (sc.runAsGroup && sc.runAsUser) out.runAsGroup = *sc.runAsGroup;
    out.supplementalGroups.assign(sc.supplementalGroups.begin(), sc.supplementalGroups.end());
    if (sc.fsGroup) out.supplementalGroups.push_back(*sc.fsGroup);
    for (auto& s : sc.sysctls) out.sysctls[s.name] = s.value;
  }
  for (auto& c : spec.containers)
    out.privileged = out.privileged || (c.securityContext && c.securityContext->privileged && *c.securityContext->privileged);
  return out;
}

namespace {

const api::Quantity* quantityOf(const std::map<std::string, api::Quantity, std::less<>>& list, std::string_view name) {
  auto it = list.find(name);
  return it == list.end() ? nullptr : &it->second;
}

void setResources(const ConfigContext& context, const api::Object& pod, const core::Container& c, ContainerSpec& out) {
  auto* cpuLimit = quantityOf(c.resources.limits, "cpu");
  auto* cpuRequest = quantityOf(c.resources.requests, "cpu");
  auto* memLimit = quantityOf(c.resources.limits, "memory");
  auto* memRequest = quantityOf(c.resources.requests, "memory");
  int64_t milli = cpuRequest ? cpuRequest->milli() : cpuLimit ? cpuLimit->milli() : 0;
  out.cpuShares = std::clamp<int64_t>(milli * 1024 / 1000, 2, 262144);
  if (cpuLimit && cpuLimit->milli() > 0) {
    out.cpuPeriod = 100000;
    out.cpuQuota = std::max<int64_t>(1000, cpuLimit->milli() * out.cpuPeriod / 1000);
  }
  if (memLimit) out.memoryLimit = memLimit->units();
  std::string qos = qosClass(pod.as<core::Pod>().spec);
  if (qos == "Guaranteed") {
    out.oomScoreAdj = -997;
  } else if (qos == "BestEffort" || context.memoryCapacity <= 0) {
    out.oomScoreAdj = 1000;
  } else {
    int64_t request = memRequest ? memRequest->units() : memLimit ? memLimit->units() : 0;
    int64_t score = 1000 - int64_t(1000.0 * double(request) / double(context.memoryCapacity));
    out.oomScoreAdj = int(std::clamp<int64_t>(score, 3, 999));
  }
}

void setSecurity(const core::PodSpec& spec, const core::Container& c, const ImageInfo& image, ContainerSpec& out) {
  if (spec.securityContext) {
    auto& sc = *spec.securityContext;
    if (sc.runAsUser) out.runAsUser = *sc.runAsUser;
    if (sc.runAsGroup) out.runAsGroup = *sc.runAsGroup;
    out.supplementalGroups.assign(sc.supplementalGroups.begin(), sc.supplementalGroups.end());
    if (sc.fsGroup) out.supplementalGroups.push_back(*sc.fsGroup);
  }
  if (c.securityContext) {
    auto& sc = *c.securityContext;
    if (sc.runAsUser) out.runAsUser = *sc.runAsUser;
    if (sc.runAsGroup) out.runAsGroup = *sc.runAsGroup;
    out.privileged = sc.privileged && *sc.privileged;
    out.readOnlyRoot = sc.readOnlyRootFilesystem && *sc.readOnlyRootFilesystem;
    out.noNewPrivileges = sc.allowPrivilegeEscalation && !*sc.allowPrivilegeEscalation;
    if (sc.capabilities) {
      out.addCapabilities.assign(sc.capabilities->add.begin(), sc.capabilities->add.end());
      out.dropCapabilities.assign(sc.capabilities->drop.begin(), sc.capabilities->drop.end());
    }
  }
  // The image's own user, when the pod names none.
  if (!out.runAsUser) {
    if (image.uid)
      out.runAsUser = *image.uid;
    else
      out.runAsUserName = image.userName;
  }
}

}  // namespace

std::string containerHash(const core::Container& container) {
  std::string text = api::toText(api::toJson(container));
  uint64_t h = 1469598103934665603ull;  // FNV-1a, 64 bits
  for (unsigned char ch : text) h = (h ^ ch) * 1099511628211ull;
  return fmt::format("{:016x}", h);
}

std::string rootViolation(const core::PodSpec& spec, const core::Container& container, const ImageInfo& image) {
  std::optional<bool> nonRoot;
  std::optional<int64_t> user;
  if (spec.securityContext) {
    if (spec.securityContext->runAsNonRoot) nonRoot = *spec.securityContext->runAsNonRoot;
    if (spec.securityContext->runAsUser) user = *spec.securityContext->runAsUser;
  }
  if (container.securityContext) {
    if (container.securityContext->runAsNonRoot) nonRoot = *container.securityContext->runAsNonRoot;
    if (container.securityContext->runAsUser) user = *container.securityContext->runAsUser;
  }
  if (!nonRoot || !*nonRoot) return {};
  if (user) return *user == 0 ? "container's runAsUser breaks non-root policy" : "";
  if (image.uid) return *image.uid == 0 ? "container has runAsNonRoot and image will run as root" : "";
  if (!image.userName.empty())
    return fmt::format("container has runAsNonRoot and image has non-numeric user ({}), cannot verify user is non-root", image.userName);
  return "container has runAsNonRoot and image will run as root";
}

ContainerSpec containerSpec(const ConfigContext& context, const api::Object& pod, const core::Container& container,
                            const ImageInfo& image, uint32_t attempt) {
  ContainerSpec out;
  out.name = container.name;
  out.image = container.image;
  out.imageRef = image.id;
  out.attempt = attempt;
  out.command.assign(container.command.begin(), container.command.end());
  out.args.assign(container.args.begin(), container.args.end());
  out.workingDir = container.workingDir;
  out.logPath = fmt::format("{}/{}.log", container.name, attempt);
  out.stdinOpen = container.stdin;
  out.stdinOnce = container.stdinOnce;
  out.tty = container.tty;
  out.labels = {{labelContainerName, container.name}, {labelPodName, pod.name()}, {labelPodNamespace, pod.ns()}, {labelPodUid, pod.uid()}};
  out.annotations = {{annotationHash, containerHash(container)},
                     {annotationRestartCount, std::to_string(attempt)},
                     {annotationTerminationPath, container.terminationMessagePath}};
  setResources(context, pod, container, out);
  setSecurity(pod.as<core::Pod>().spec, container, image, out);
  return out;
}

int64_t terminationGrace(const api::Object& pod) {
  if (pod.meta().deleting) return pod.meta().deletionGraceSeconds;
  auto& spec = pod.as<core::Pod>().spec;
  return spec.terminationGracePeriodSeconds ? *spec.terminationGracePeriodSeconds : 30;
}

}  // namespace ph::agents
