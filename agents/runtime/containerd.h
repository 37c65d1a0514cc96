// Containerd: the agent's own containerd: its own root, state, socket and configuration, so that it disturbs nothing else on the
// machine. Kept running; left running when the agent ends, and found again when it comes back.
// Threads: the node's strand; programs run on `blocking`.
#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <string>

#include "agents/runtime/runtime.h"
#include "engine/base/executor.h"

namespace ph::agents {

struct ContainerdOptions {
  std::string stateDir = "/var/lib/pilothouse";  // root below it, on a real disk
  std::string runDir = "/run/pilothouse";        // socket and state below it
  std::string cniConfDir;                        // of our own
};

class Containerd : public std::enable_shared_from_this<Containerd> {
 public:
  Containerd(std::shared_ptr<Executor> strand, std::shared_ptr<Executor> blocking, ContainerdOptions options);
  ~Containerd();

  std::string socket() const;
  // Writes the configuration, starts containerd unless it runs already, and watches over it. `done` when its socket answers and
  // the sandbox image is there; failures are retried for ever and told by lastError().
  void start(std::function<void()> done);
  void stopWatching();
  const std::string& lastError() const { return lastError_; }

  // Blocking, for `cleanup`: ends containerd and what it left (shims, mounts, folders).
  static Result<> remove(const ContainerdOptions& options);

  void import(const std::string& archivePath, Done<void> done);

 private:
  static std::string configText(const ContainerdOptions& options);
  Result<bool> ensureRunning();  // blocking; true when it was started now
  static pid_t runningPid(const ContainerdOptions& options);
  void look();
  void waitForSocket(int tries);
  void ensurePause();
  void later(Duration delay, void (Containerd::*what)());

  std::shared_ptr<Executor> strand_, blocking_;
  const ContainerdOptions options_;
  std::function<void()> done_;
  std::string lastError_;
  Timer timer_;
  bool ready_ = false, stopped_ = false;
  int failures_ = 0;
};

}  // namespace ph::agents
