// SshSession: one SSH connection, for blocking work: connect, look at the host key, log in, run commands, send files.
// Afterwards the poller takes its handle over. Source: libssh 0.10's documentation.
// Threads: one at a time; Cancel::cancel() from any.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "engine/base/executor.h"
#include "engine/base/result.h"
#include "engine/fleet/credentials.h"

struct ssh_session_struct;
struct ssh_channel_struct;

namespace ph::fleet {

// Ends blocking work from outside: it shuts the socket down, so that whatever waits on it returns.
class Cancel {
 public:
  void cancel();
  bool cancelled() const;

 private:
  friend class SshSession;
  void attach(int fd);  // not owned; shut down at once when already cancelled
  void detach(int fd);
  mutable std::mutex mutex_;
  bool cancelled_ = false;
  int fd_ = -1;
};

struct Endpoint {
  std::string address, user;
  int port = 22;
};

struct HostKey {
  std::string type;         // ssh-ed25519...
  std::string fingerprint;  // SHA256:...
};

struct CommandOutput {
  int exit = -1;  // -1: ended by a signal or the connection
  std::string out, err;
};

class SshSession {
 public:
  // TCP connection and key exchange. `hostKeyType` (empty: any) asks the server for its key of that type.
  static Result<std::unique_ptr<SshSession>> connect(const Endpoint& endpoint, const std::string& hostKeyType,
                                                     Duration timeout, std::shared_ptr<Cancel> cancel);
  ~SshSession();
  SshSession(const SshSession&) = delete;

  const HostKey& hostKey() const { return hostKey_; }
  // Tries the credential; an empty one means the ssh-agent and the usual files of the engine's user.
  Result<> authenticate(const Credential& credential);

  struct RunOptions {
    std::string input;                                  // for its standard input
    Duration timeout = std::chrono::seconds(30);
    size_t maxOutput = 256 * 1024;                      // of each stream; what comes after is dropped
    std::function<void(std::string_view line)> onLine;  // each whole line of standard output as it comes
  };
  Result<CommandOutput> run(const std::string& command, const RunOptions& options);
  // Sends `bytes` bytes of the open file `fd` to a command's standard input. `onPercent` is called as it grows.
  Result<CommandOutput> runWithFile(const std::string& command, int fd, size_t bytes, Duration timeout,
                                    const std::function<void(int percent)>& onPercent);

  // Hands the handle over (disconnected from this object); the caller frees it with closeHandle().
  ssh_session_struct* release();
  static void closeHandle(ssh_session_struct* handle);

 private:
  SshSession() = default;
  Status broken(const std::string& doing) const;
  Result<> authenticateWithKey(const Credential& credential);
  Result<ssh_channel_struct*> openCommand(const std::string& command);
  Result<CommandOutput> collect(ssh_channel_struct* channel, const std::string& command, const RunOptions& options,
                                CommandOutput output, MonoTime deadline);

  ssh_session_struct* handle_ = nullptr;
  int fd_ = -1;
  Endpoint endpoint_;
  HostKey hostKey_;
  std::shared_ptr<Cancel> cancel_;
};

}  // namespace ph::fleet
