// Runtime: what the agent asks of whatever runs containers. Cri (containerd, CRI-O) and Fake (hollow nodes, tests) implement it.
// Threads: calls come from the node's strand; callbacks and events come on that strand too, never inline.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/result.h"
#include "engine/base/time.h"

namespace ph::agents {

// The labels by which pods are known again after a restart of the agent (those that every CRI tool knows).
inline constexpr const char* labelPodName = "io.kubernetes.pod.name";
inline constexpr const char* labelPodNamespace = "io.kubernetes.pod.namespace";
inline constexpr const char* labelPodUid = "io.kubernetes.pod.uid";
inline constexpr const char* labelContainerName = "io.kubernetes.container.name";
inline constexpr const char* annotationHash = "io.kubernetes.container.hash";
inline constexpr const char* annotationRestartCount = "io.kubernetes.container.restartCount";
inline constexpr const char* annotationTerminationPath = "io.kubernetes.container.terminationMessagePath";

using StringMap = std::map<std::string, std::string>;

struct PortMap {
  enum class Protocol { Tcp, Udp, Sctp } protocol = Protocol::Tcp;
  int containerPort = 0, hostPort = 0;
  std::string hostIp;
};

struct SandboxSpec {
  std::string ns, name, uid;
  uint32_t attempt = 0;
  std::string hostname, logDirectory, cgroupParent;
  std::vector<std::string> dnsServers, dnsSearches, dnsOptions;
  std::vector<PortMap> ports;
  StringMap labels, annotations, sysctls;
  bool hostNetwork = false, hostPid = false, hostIpc = false, sharePid = false, privileged = false;
  std::optional<int64_t> runAsUser, runAsGroup;
  std::vector<int64_t> supplementalGroups;
};

struct Sandbox {
  std::string id, ns, name, uid;
  uint32_t attempt = 0;
  bool ready = false;
  WallTime created{};
  std::vector<std::string> ips;  // empty with the host's network
};

struct MountSpec {
  std::string containerPath, hostPath;
  bool readOnly = false;
  enum class Propagation { Private, HostToContainer, Bidirectional } propagation = Propagation::Private;
};

struct ContainerSpec {
  std::string name, image;  // image: what the user wrote; imageRef: what the runtime resolved it to
  std::string imageRef;
  uint32_t attempt = 0;
  std::vector<std::string> command, args;
  std::string workingDir, logPath;  // logPath relative to the sandbox's logDirectory
  std::vector<std::pair<std::string, std::string>> env;
  std::vector<MountSpec> mounts;
  StringMap labels, annotations;
  bool stdinOpen = false, stdinOnce = false, tty = false;
  // Resources; 0: not set. CPU period is in microseconds, shares as cgroup v1 counts them, memory in bytes.
  int64_t cpuShares = 0, cpuQuota = 0, cpuPeriod = 0, memoryLimit = 0;
  int oomScoreAdj = 0;
  bool privileged = false, readOnlyRoot = false, noNewPrivileges = false;
  std::optional<int64_t> runAsUser, runAsGroup;
  std::string runAsUserName;
  std::vector<int64_t> supplementalGroups;
  std::vector<std::string> addCapabilities, dropCapabilities;
};

enum class ContainerState { Created, Running, Exited, Unknown };

struct Container {
  std::string id, sandboxId, podUid, name, image, imageRef, reason, message, logPath;
  uint32_t attempt = 0;
  ContainerState state = ContainerState::Unknown;
  WallTime created{}, started{}, finished{};
  int exitCode = 0;
  StringMap annotations;
};

struct ExecResult {
  int exitCode = 0;
  std::string out, err;
};

struct ImageInfo {
  std::string id;
  std::vector<std::string> tags, digests;
  int64_t size = 0;
  std::optional<int64_t> uid;  // the user the image runs as, when numeric
  std::string userName;
};

struct ImageAuth { std::string userName, password, server; };

struct RuntimeVersion { std::string name, version; };

struct RuntimeHealth {
  bool ready = false, networkReady = false;
  std::string message;
};

struct ContainerUsage {
  std::string id, podUid, name;
  uint64_t cpuNanoseconds = 0, memoryBytes = 0, workingSetBytes = 0, diskBytes = 0;
};

// What is to be joined to a container's process, or to a new one beside it.
struct StreamSpec {
  std::string id;
  std::vector<std::string> command;  // empty: the container's own process (attach)
  bool in = false, out = false, err = false, tty = false;
};

template <class T> using Done = std::function<void(Result<T>)>;

class Runtime {
 public:
  virtual ~Runtime() = default;

  virtual void version(Done<RuntimeVersion> done) = 0;
  virtual void health(Done<RuntimeHealth> done) = 0;

  virtual void runSandbox(SandboxSpec spec, Done<Sandbox> done) = 0;  // the answer has the pod's addresses
  virtual void sandboxStatus(std::string id, Done<Sandbox> done) = 0;
  virtual void stopSandbox(std::string id, Done<void> done) = 0;      // fine when it is gone already
  virtual void removeSandbox(std::string id, Done<void> done) = 0;    // and its containers; fine when gone
  virtual void listSandboxes(Done<std::vector<Sandbox>> done) = 0;    // without addresses

  virtual void createContainer(std::string sandboxId, ContainerSpec spec, SandboxSpec sandbox, Done<std::string> done) = 0;
  virtual void startContainer(std::string id, Done<void> done) = 0;
  // SIGTERM (or the image's stop signal), SIGKILL after `grace`. Answers when the container has ended.
  virtual void stopContainer(std::string id, Duration grace, Done<void> done) = 0;
  virtual void removeContainer(std::string id, Done<void> done) = 0;
  virtual void containerStatus(std::string id, Done<Container> done) = 0;
  virtual void listContainers(Done<std::vector<Container>> done) = 0;  // without times and exit codes
  virtual void exec(std::string id, std::vector<std::string> command, Duration timeout, Done<ExecResult> done) = 0;
  // The answer is the address where the runtime serves it once, as SPDY/3.1 ("http://127.0.0.1:PORT/exec/TOKEN").
  virtual void stream(StreamSpec spec, Done<std::string> done) = 0;
  // The file of a sandbox's network namespace; empty: the host's.
  virtual void networkNamespace(std::string sandboxId, Done<std::string> done) = 0;
  virtual void reopenLog(std::string id, Done<void> done) = 0;

  virtual void imageStatus(std::string image, Done<std::optional<ImageInfo>> done) = 0;
  virtual void pullImage(std::string image, ImageAuth auth, Done<std::string> done) = 0;  // the answer is the image's reference
  virtual void importImage(std::string archivePath, Done<void> done) = 0;                 // OCI or Docker archive
  virtual void usage(Done<std::vector<ContainerUsage>> done) = 0;

  // Called with a container's or sandbox's id when it ended, or with an empty id when anything may have changed.
  virtual void onChange(std::function<void(std::string id)> callback) = 0;
};

}  // namespace ph::agents
