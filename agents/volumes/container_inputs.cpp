// What one container gets of its pod's volumes: mounts, sub-paths, hosts file, environment, and what it leaves as its last words.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/openat2.h>

#include <cerrno>

#include "agents/os/files.h"
#include "agents/pods/container_config.h"
#include "agents/volumes/pod_volumes.h"
#include "engine/api/codec.h"
#include "engine/api/volumes.h"
#include "engine/base/base64.h"

namespace ph::agents {

namespace core = api::core;

namespace {

constexpr size_t maxMessage = 4096;      // bytes of a termination message, as the API keeps

const core::Container* containerOf(const core::PodSpec& spec, const std::string& name) {
  for (auto* list : {&spec.initContainers, &spec.containers})
    for (auto& c : *list)
      if (c.name == name) return &c;
  return nullptr;
}

std::string lastWords(const std::string& uidFolder, const std::string& container, uint32_t attempt) {
  return fmt::format("{}/containers/{}/{}", uidFolder, container, attempt);
}

int openBeneath(int root, const std::string& path, int flags) {
  open_how how{};
  how.flags = uint64_t(flags) | O_CLOEXEC;
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
  return int(::syscall(SYS_openat2, root, path.c_str(), &how, sizeof how));
}

}  // namespace

Result<> PodVolumes::writeHosts(const api::Object& pod, const PodAddresses& addresses) {
  auto& spec = pod.as<core::Pod>().spec;
  if (spec.hostNetwork && spec.hostAliases.empty()) return {};
  std::string text = "# Written by pilothouse-agent.\n";
  if (spec.hostNetwork) {
    text += readFile("/etc/hosts");
  } else {
    text += "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\nfe00::0\tip6-localnet\nfe00::0\tip6-mcastprefix\n"
            "fe00::1\tip6-allnodes\nfe00::2\tip6-allrouters\n";
    auto hostname = podHostname(pod);
    for (auto& ip : addresses.podIps) {
      text += ip + "\t";
      if (!spec.subdomain.empty()) text += fmt::format("{}.{}.{}.svc.{}\t", hostname, spec.subdomain, pod.ns(), options_.clusterDomain);
      text += hostname + "\n";
    }
  }
  for (auto& alias : spec.hostAliases) {
    text += alias.ip;
    for (auto& name : alias.hostnames) text += "\t" + name;
    text += "\n";
  }
  auto path = podFolder(pod.uid()) + "/etc-hosts";
  if (readFile(path) == text) return {};
  // Written in place: the containers that run have this very file.
  if (!exists(path)) return writeFile(path, text);
  int fd = ::open(path.c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC);
  if (fd < 0) return fileError("write", path, errno);
  bool whole = ::write(fd, text.data(), text.size()) == ssize_t(text.size());
  int error = errno;
  ::close(fd);
  return whole ? Result<>() : Result<>(fileError("write", path, error));
}

// A part of a volume, found without following links out of it, and bound to a place of ours: what the container swaps later
// does not change what was mounted.
Result<std::string> PodVolumes::subPath(const std::string& uid, const std::string& volume, const std::string& sub, const std::string& container, size_t number) {
  if (sub.front() == '/' || ("/" + sub + "/").find("/../") != std::string::npos) return Status::invalid(fmt::format("subPath \"{}\" must stay inside its volume", sub));
  int root = ::open(volume.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (root < 0) return fileError("open", volume, errno);
  int fd = openBeneath(root, sub, O_PATH);
  if (fd < 0 && errno == ENOENT) {
    for (size_t at = 0; at < sub.size();) {
      at = std::min(sub.find('/', at + 1), sub.size());
      auto parent = sub.substr(0, at);
      auto slash = parent.rfind('/');
      int above = openBeneath(root, slash == std::string::npos ? "." : parent.substr(0, slash), O_PATH | O_DIRECTORY);
      if (above >= 0) ::mkdirat(above, parent.substr(slash == std::string::npos ? 0 : slash + 1).c_str(), 0777);
      if (above >= 0) ::close(above);
    }
    fd = openBeneath(root, sub, O_PATH);
  }
  int error = errno;
  ::close(root);
  if (fd < 0) return fileError("open the subPath", sub, error);
  struct stat st{};
  ::fstat(fd, &st);
  auto place = fmt::format("{}/subpaths/{}/{}", podFolder(uid), container, number);
  auto made = makeFolders(place.substr(0, place.rfind('/')));
  if (made.ok()) {
    ::umount2(place.c_str(), UMOUNT_NOFOLLOW | MNT_DETACH);  // of an earlier run of the container
    if (S_ISDIR(st.st_mode)) made = makeFolders(place);
    else if (!exists(place)) made = writeFile(place, "");
  }
  if (made.ok() && ::mount(fmt::format("/proc/self/fd/{}", fd).c_str(), place.c_str(), nullptr, MS_BIND, nullptr) != 0) made = fileError("bind", place, errno);
  ::close(fd);
  if (!made.ok()) return std::move(made).status();
  return place;
}

Result<> PodVolumes::addMount(const api::Object& pod, const core::VolumeMount& m, const std::string& container, size_t number,
                              const std::map<std::string, std::string>& env, ContainerSpec& spec) {
  const core::Volume* volume = nullptr;
  for (auto& v : pod.as<core::Pod>().spec.volumes)
    if (v.name == m.name) volume = &v;
  if (!volume) return Status::invalid(fmt::format("the volume \"{}\" is not one of the pod's", m.name));
  MountSpec mount;
  mount.containerPath = m.mountPath.front() == '/' ? m.mountPath : "/" + m.mountPath;
  bool payload = volume->configMap || volume->secret || volume->downwardAPI || volume->projected;
  mount.readOnly = m.readOnly || payload;
  if (auto claim = api::claimOf(pod.name(), *volume); !claim.empty()) {
    auto bound = volumeOf(pod.ns(), claim);
    if (!bound) return Status::notFound(fmt::format("persistentvolumeclaim \"{}\" has no volume", claim));
    mount.hostPath = api::folderOf(bound->as<core::PersistentVolume>());
    auto& source = volume->persistentVolumeClaim;
    mount.readOnly = mount.readOnly || (source && source->readOnly);
  } else {
    mount.hostPath = volume->hostPath ? volume->hostPath->path : volumeFolder(pod.uid(), m.name, holdsSecrets(*volume));
  }
  if (m.mountPropagation && *m.mountPropagation == "HostToContainer") mount.propagation = MountSpec::Propagation::HostToContainer;
  if (m.mountPropagation && *m.mountPropagation == "Bidirectional") mount.propagation = MountSpec::Propagation::Bidirectional;
  auto sub = m.subPathExpr.empty() ? m.subPath : expand(m.subPathExpr, env);
  if (!sub.empty()) {
    PH_ASSIGN(mount.hostPath, subPath(pod.uid(), mount.hostPath, sub, container, number));
  } else if (volume->hostPath && !exists(mount.hostPath)) {
    PH_TRY(makeFolders(mount.hostPath));  // as the runtimes before CRI did, and kubelet's users expect
  }
  spec.mounts.push_back(std::move(mount));
  return {};
}

Result<> PodVolumes::fill(const api::ObjectPtr& pod, const std::string& name, uint32_t attempt, const PodAddresses& addresses, ContainerSpec& spec) {
  auto& podSpec = pod->as<core::Pod>().spec;
  auto* container = containerOf(podSpec, name);
  if (!container) return Status::internal("no container " + name);
  bool links = !podSpec.enableServiceLinks || *podSpec.enableServiceLinks;
  auto services = options_.serviceVariables ? options_.serviceVariables(pod->ns(), links) : Environment{};
  PH_ASSIGN(spec.env, makeEnvironment(*pod, *container, [this](const ObjectRef& ref) { return cache_->get(ref); }, services, downward(addresses)));
  std::map<std::string, std::string> values;
  for (auto& [k, v] : spec.env) values[k] = v;
  for (auto& s : spec.command) s = expand(s, values);
  for (auto& s : spec.args) s = expand(s, values);
  spec.env.emplace_back("HOSTNAME", podHostname(*pod));
  size_t number = 0;
  bool ownHosts = false;
  for (auto& m : container->volumeMounts) {
    PH_TRY(addMount(*pod, m, name, number++, values, spec));
    ownHosts = ownHosts || m.mountPath == "/etc/hosts";
  }
  PH_TRY(makeFolders(podFolder(pod->uid()), 0750));
  PH_TRY(writeHosts(*pod, addresses));
  if (!ownHosts && exists(podFolder(pod->uid()) + "/etc-hosts")) spec.mounts.push_back({"/etc/hosts", podFolder(pod->uid()) + "/etc-hosts"});
  if (!container->terminationMessagePath.empty()) {
    auto file = lastWords(podFolder(pod->uid()), name, attempt);
    PH_TRY(makeFolders(file.substr(0, file.rfind('/'))));
    PH_TRY(writeFile(file, "", 0666));
    spec.mounts.push_back({container->terminationMessagePath, file});
  }
  return {};
}

std::string PodVolumes::terminationMessage(const api::ObjectPtr& pod, const Container& ended) {
  auto* container = containerOf(pod->as<core::Pod>().spec, ended.name);
  if (!container) return {};
  auto text = readFile(lastWords(podFolder(pod->uid()), ended.name, ended.attempt), maxMessage);
  if (!text.empty() || container->terminationMessagePolicy != "FallbackToLogsOnError" || ended.exitCode == 0) return text;
  // The end of its log: at most 80 lines and half of what a message may have.
  ConfigContext context;
  context.logRoot = options_.logRoot;
  auto path = fmt::format("{}/{}/{}.log", podLogDirectory(context, *pod), ended.name, ended.attempt);
  int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return {};
  auto size = ::lseek(fd, 0, SEEK_END);
  std::string tail(size_t(std::min<off_t>(size, 16384)), '\0');
  ssize_t n = ::pread(fd, tail.data(), tail.size(), std::max<off_t>(0, size - off_t(tail.size())));
  ::close(fd);
  tail.resize(size_t(std::max<ssize_t>(0, n)));
  std::string out;
  int lines = 0;
  while (!tail.empty() && lines < 80 && out.size() < maxMessage / 2) {
    auto end = tail.back() == '\n' ? tail.size() - 1 : tail.size();
    auto begin = end == 0 ? std::string::npos : tail.rfind('\n', end - 1);
    auto line = tail.substr(begin == std::string::npos ? 0 : begin + 1, end - (begin == std::string::npos ? 0 : begin + 1));
    tail.resize(begin == std::string::npos ? 0 : begin + 1);
    for (int skip = 0; skip < 3 && line.find(' ') != std::string::npos; ++skip) line.erase(0, line.find(' ') + 1);  // time, stream, tag
    out = line + "\n" + out;
    ++lines;
  }
  return out.size() > maxMessage / 2 ? out.substr(out.size() - maxMessage / 2) : out;
}

ImageAuth authFor(const std::string& dockerConfig, const std::string& image) {
  auto tree = api::parseJson(dockerConfig);
  if (!tree.ok()) return {};
  auto* auths = api::at(*tree, "auths");
  if (!auths || !auths->is_object()) return {};
  // The registry is what stands before the first slash, if it looks like a host; else Docker's.
  auto slash = image.find('/');
  auto registry = slash == std::string::npos ? std::string() : image.substr(0, slash);
  bool host = registry.find_first_of(".:") != std::string::npos || registry == "localhost";
  if (!host) registry = "docker.io";
  for (auto& [key, value] : auths->as_object()) {
    std::string server(key);
    for (auto* prefix : {"https://", "http://"})
      if (server.rfind(prefix, 0) == 0) server.erase(0, std::string(prefix).size());
    auto serverHost = server.substr(0, server.find('/'));
    bool docker = registry == "docker.io" && (serverHost == "index.docker.io" || serverHost == "docker.io" || serverHost == "registry-1.docker.io");
    if (serverHost != registry && !docker) continue;
    if (!value.is_object()) continue;
    auto text = [&](const char* name) {
      auto* field = value.as_object().if_contains(name);
      return field && field->is_string() ? std::string(field->as_string()) : std::string();
    };
    ImageAuth auth{text("username"), text("password"), registry};
    if (auto both = fromBase64(text("auth")); both && auth.userName.empty()) {
      auth.userName = both->substr(0, both->find(':'));
      if (both->find(':') != std::string::npos) auth.password = both->substr(both->find(':') + 1);
    }
    return auth;
  }
  return {};
}

}  // namespace ph::agents
