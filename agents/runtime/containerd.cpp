#include "agents/runtime/containerd.h"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "agents/os/files.h"
#include "agents/os/machine.h"
#include "agents/os/process.h"
#include "agents/runtime/pause_image.h"
#include "engine/base/log.h"

namespace ph::agents {

using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

std::string configPath(const ContainerdOptions& o) { return o.runDir + "/containerd/config.toml"; }
std::string socketPath(const ContainerdOptions& o) { return o.runDir + "/containerd/containerd.sock"; }

std::string cniBinaries() {
  for (auto* folder : {"/usr/lib/cni", "/opt/cni/bin", "/usr/libexec/cni"})
    if (exists(std::string(folder) + "/bridge")) return folder;
  return "/usr/lib/cni";
}

// Whether this process may lower OOM scores (CAP_SYS_RESOURCE); inside some machines root may not.
bool mayAdjustOom() {
  auto status = readFile("/proc/self/status");
  auto at = status.find("CapEff:");
  if (at == std::string::npos) return false;
  return std::strtoull(status.c_str() + at + 7, nullptr, 16) >> 24 & 1;
}

bool appArmorUsable() { return readTrimmed("/sys/module/apparmor/parameters/enabled") == "Y" && !findProgram("apparmor_parser").empty(); }

void waitForEnd(pid_t pid, Duration limit) {
  auto deadline = systemClock().monoNow() + limit;
  while (::kill(pid, 0) == 0 && systemClock().monoNow() < deadline) {
    reap(pid);
    ::poll(nullptr, 0, 10);
  }
}

}  // namespace

Containerd::Containerd(std::shared_ptr<Executor> strand, std::shared_ptr<Executor> blocking, ContainerdOptions options)
    : strand_(std::move(strand)), blocking_(std::move(blocking)), options_(std::move(options)) {}

Containerd::~Containerd() = default;

std::string Containerd::socket() const { return socketPath(options_); }

std::string Containerd::configText(const ContainerdOptions& o) {
  return fmt::format(R"(# Written by pilothouse-agent at each start.
version = 2
root = "{0}/containerd"
state = "{1}/containerd/state"
oom_score = 0
disabled_plugins = ["io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper",
  "io.containerd.snapshotter.v1.zfs", "io.containerd.tracing.processor.v1.otlp", "io.containerd.internal.v1.tracing"]

[grpc]
address = "{2}"

[debug]
level = "warn"

[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "{3}"
disable_apparmor = {4}
restrict_oom_score_adj = {5}

[plugins."io.containerd.grpc.v1.cri".containerd]
snapshotter = "overlayfs"
default_runtime_name = "runc"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
SystemdCgroup = false

[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "{6}"
conf_dir = "{7}"
max_conf_num = 1

[plugins."io.containerd.grpc.v1.cri".registry]
config_path = "{0}/certs.d"
)",
                     o.stateDir, o.runDir, socketPath(o), pauseImage, appArmorUsable() ? "false" : "true", mayAdjustOom() ? "false" : "true",
                     cniBinaries(), o.cniConfDir);
}

pid_t Containerd::runningPid(const ContainerdOptions& o) {
  for (auto& name : listFolder("/proc")) {
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    auto line = readFile("/proc/" + name + "/cmdline", 4096);
    if (line.find(configPath(o)) == std::string::npos) continue;
    std::string first = line.substr(0, line.find('\0'));
    if (first.size() >= 10 && first.compare(first.size() - 10, 10, "containerd") == 0) return pid_t(std::atoi(name.c_str()));
  }
  return 0;
}

Result<bool> Containerd::ensureRunning() {
  auto program = findProgram("containerd");
  if (program.empty()) return Status::notFound("containerd is not installed on this machine");
  PH_TRY(makeFolders(options_.stateDir + "/containerd", 0711));
  PH_TRY(makeFolders(options_.runDir + "/containerd", 0711));
  PH_TRY(makeFolders(options_.cniConfDir, 0700));
  auto text = configText(options_);
  bool changed = readFile(configPath(options_)) != text;
  auto pid = runningPid(options_);
  if (pid && !changed) return false;
  if (pid) {
    // Its containers run on in their shims; the new one finds them.
    PH_LOG(Info, "containerd", "restarting it with a new configuration");
    ::kill(pid, SIGTERM);
    waitForEnd(pid, seconds(10));
  }
  PH_TRY(writeFile(configPath(options_), text, 0600));
  auto log = options_.stateDir + "/containerd.log";
  struct stat st{};
  if (::stat(log.c_str(), &st) == 0 && st.st_size > 10 << 20) ::rename(log.c_str(), (log + ".1").c_str());
  PH_ASSIGN(pid_t started, startDetached({program, "--config", configPath(options_)}, log));
  PH_LOG(Info, "containerd", "started, pid {}", started);
  return true;
}

void Containerd::start(std::function<void()> done) {
  done_ = std::move(done);
  look();
}

void Containerd::stopWatching() {
  stopped_ = true;
  timer_.cancel();
}

void Containerd::later(Duration delay, void (Containerd::*what)()) {
  std::weak_ptr<Containerd> weak = weak_from_this();
  timer_ = strand_->after(delay, [weak, what] {
    if (auto self = weak.lock(); self && !self->stopped_) (self.get()->*what)();
  });
}

void Containerd::look() {
  std::weak_ptr<Containerd> weak = weak_from_this();
  blocking_->post([weak, strand = strand_] {
    auto self = weak.lock();
    if (!self) return;
    auto result = self->ensureRunning();
    strand->post([weak, result = std::move(result)] {
      auto self = weak.lock();
      if (!self || self->stopped_) return;
      if (!result.ok()) {
        self->lastError_ = result.status().message;
        PH_LOG(Error, "containerd", "{}", self->lastError_);
        return self->later(std::min<Duration>(seconds(30), seconds(1) * (1 << std::min(self->failures_++, 5))), &Containerd::look);
      }
      self->failures_ = 0;
      if (!self->ready_ || *result) return self->waitForSocket(0);
      self->later(seconds(3), &Containerd::look);
    });
  });
}

void Containerd::waitForSocket(int tries) {
  std::weak_ptr<Containerd> weak = weak_from_this();
  runAsync(blocking_, strand_, {"ctr", "-a", socket(), "--connect-timeout", "1s", "version"}, "", seconds(10), [weak, tries](Result<ProcessResult> result) {
    auto self = weak.lock();
    if (!self || self->stopped_) return;
    if (result.ok()) return self->ensurePause();
    self->lastError_ = result.status().message;
    if (tries > 100) return self->later(seconds(1), &Containerd::look);
    self->timer_ = self->strand_->after(milliseconds(100), [weak, tries] {
      if (auto self = weak.lock()) self->waitForSocket(tries + 1);
    });
  });
}

void Containerd::ensurePause() {
  auto archive = options_.runDir + "/containerd/pause.tar";
  auto written = writeFile(archive, pauseArchive(readMachine("", systemRandom()).arch), 0600);
  if (!written.ok()) {
    lastError_ = written.status().message;
    PH_LOG(Error, "containerd", "{}", lastError_);
    return later(seconds(2), &Containerd::look);
  }
  std::weak_ptr<Containerd> weak = weak_from_this();
  import(archive, [weak, archive](Result<> result) {
    ::unlink(archive.c_str());
    auto self = weak.lock();
    if (!self || self->stopped_) return;
    if (!result.ok()) {
      self->lastError_ = result.status().message;
      PH_LOG(Error, "containerd", "{}", self->lastError_);
      return self->later(seconds(2), &Containerd::look);
    }
    self->lastError_.clear();
    if (!self->ready_) {
      self->ready_ = true;
      if (self->done_) self->done_();
    }
    self->later(seconds(3), &Containerd::look);
  });
}

void Containerd::import(const std::string& archivePath, Done<void> done) {
  runAsync(blocking_, strand_, {"ctr", "-a", socket(), "-n", "k8s.io", "images", "import", archivePath}, "", std::chrono::minutes(10),
           [done = std::move(done)](Result<ProcessResult> result) {
             if (result.ok()) return done({});
             auto status = std::move(result).status();
             if (status.message.find("no space left") != std::string::npos) status.code = 507, status.reason = "InsufficientStorage";
             done(std::move(status));
           });
}

Result<> Containerd::remove(const ContainerdOptions& o) {
  if (auto pid = runningPid(o)) {
    ::kill(pid, SIGTERM);
    waitForEnd(pid, seconds(10));
    if (::kill(pid, 0) == 0) {
      ::kill(pid, SIGKILL);
      waitForEnd(pid, seconds(5));
    }
  }
  // Shims know their containerd by its socket.
  for (auto& name : listFolder("/proc")) {
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    auto line = readFile("/proc/" + name + "/cmdline", 4096);
    if (line.find("containerd-shim") == std::string::npos || line.find(socketPath(o)) == std::string::npos) continue;
    auto pid = pid_t(std::atoi(name.c_str()));
    ::kill(pid, SIGKILL);
    waitForEnd(pid, seconds(5));
  }
  PH_TRY(unmountBelow(o.runDir));
  PH_TRY(unmountBelow(o.stateDir));
  PH_TRY(removeTree(o.runDir + "/containerd"));
  PH_TRY(removeTree(o.cniConfDir));
  PH_TRY(removeTree(o.stateDir + "/containerd"));
  return {};
}

}  // namespace ph::agents
