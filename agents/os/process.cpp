#include "agents/os/process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

extern char** environ;

namespace ph::agents {
namespace {

constexpr size_t maxOutput = 1 << 20;

struct Pipe {
  int read = -1, write = -1;
  bool open() {
    int fds[2];
    if (::pipe2(fds, O_CLOEXEC) != 0) return false;
    read = fds[0];
    write = fds[1];
    return true;
  }
  void closeRead() { if (read >= 0) ::close(read); read = -1; }
  void closeWrite() { if (write >= 0) ::close(write); write = -1; }
  ~Pipe() { closeRead(); closeWrite(); }
};

struct SpawnSetup {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  SpawnSetup() {
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    // Children start with the signals as a shell would give them.
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
  }
  ~SpawnSetup() {
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  }
};

Result<pid_t> spawn(const std::vector<std::string>& command, SpawnSetup& setup, short flags) {
  auto program = findProgram(command.front());
  if (program.empty()) return Status::notFound(command.front() + " is not installed on this machine");
  std::vector<char*> argv;
  for (auto& s : command) argv.push_back(const_cast<char*>(s.c_str()));
  argv.push_back(nullptr);
  posix_spawnattr_setflags(&setup.attributes, short(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | flags));
  pid_t pid = 0;
  int error = ::posix_spawn(&pid, program.c_str(), &setup.actions, &setup.attributes, argv.data(), environ);
  if (error) return Status::internal(fmt::format("{}: {}", program, std::strerror(error)));
  return pid;
}

int exitCodeOf(int status) { return WIFEXITED(status) ? WEXITSTATUS(status) : WIFSIGNALED(status) ? 128 + WTERMSIG(status) : -1; }

void take(int fd, std::string& to, bool& open) {
  char buffer[16384];
  ssize_t n = ::read(fd, buffer, sizeof buffer);
  if (n > 0)
    to.append(buffer, std::min(size_t(n), maxOutput - std::min(maxOutput, to.size())));
  else if (n == 0 || (errno != EAGAIN && errno != EINTR))
    open = false;
}

}  // namespace

std::string findProgram(const std::string& name) {
  if (name.find('/') != std::string::npos) return ::access(name.c_str(), X_OK) == 0 ? name : std::string();
  const char* path = std::getenv("PATH");
  std::string folders = std::string(path ? path : "") + ":/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  for (size_t at = 0; at < folders.size();) {
    auto end = folders.find(':', at);
    if (end == std::string::npos) end = folders.size();
    if (end > at) {
      auto full = folders.substr(at, end - at) + "/" + name;
      if (::access(full.c_str(), X_OK) == 0) return full;
    }
    at = end + 1;
  }
  return {};
}

Result<ProcessResult> run(const std::vector<std::string>& command, const std::string& input, Duration timeout) {
  Pipe in, out, err;
  if (!in.open() || !out.open() || !err.open()) return Status::internal(std::string("pipe: ") + std::strerror(errno));
  SpawnSetup setup;
  posix_spawn_file_actions_adddup2(&setup.actions, in.read, 0);
  posix_spawn_file_actions_adddup2(&setup.actions, out.write, 1);
  posix_spawn_file_actions_adddup2(&setup.actions, err.write, 2);
  PH_ASSIGN(pid_t pid, spawn(command, setup, 0));
  in.closeRead();
  out.closeWrite();
  err.closeWrite();
  ::fcntl(in.write, F_SETFL, O_NONBLOCK);
  if (input.empty()) in.closeWrite();
  ProcessResult result;
  bool outOpen = true, errOpen = true;
  size_t written = 0;
  auto deadline = systemClock().monoNow() + timeout;
  auto giveUp = [&]() -> Status {
    ::kill(pid, SIGKILL);
    int status = 0;
    ::waitpid(pid, &status, 0);
    return Status::timeout(fmt::format("{} took longer than {} s", command.front(), timeout / std::chrono::seconds(1)));
  };
  while (outOpen || errOpen) {
    pollfd fds[3] = {{outOpen ? out.read : -1, POLLIN, 0}, {errOpen ? err.read : -1, POLLIN, 0}, {in.write, POLLOUT, 0}};
    auto left = deadline - systemClock().monoNow();
    if (left <= Duration::zero()) return giveUp();
    ::poll(fds, 3, int(left / std::chrono::milliseconds(1)) + 1);
    if (fds[2].fd >= 0 && fds[2].revents) {
      ssize_t n = ::write(in.write, input.data() + written, input.size() - written);
      if (n > 0) written += size_t(n);
      if ((n < 0 && errno != EAGAIN && errno != EINTR) || written == input.size()) in.closeWrite();
    }
    if (fds[0].revents) take(out.read, result.out, outOpen);
    if (fds[1].revents) take(err.read, result.err, errOpen);
  }
  int status = 0;
  while (::waitpid(pid, &status, WNOHANG) == 0) {
    if (systemClock().monoNow() > deadline) return giveUp();
    ::poll(nullptr, 0, 2);  // both its ends are closed: it ends now, or was never to end
  }
  result.exitCode = exitCodeOf(status);
  return result;
}

void runAsync(const std::shared_ptr<Executor>& blocking, const std::shared_ptr<Executor>& strand, std::vector<std::string> command,
              std::string input, Duration timeout, std::function<void(Result<ProcessResult>)> done) {
  blocking->post([strand, command = std::move(command), input = std::move(input), timeout, done = std::move(done)] {
    auto result = run(command, input, timeout);
    if (result.ok() && result->exitCode != 0) {
      auto text = result->err.empty() ? result->out : result->err;
      while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
      if (text.size() > 500) text = "..." + text.substr(text.size() - 500);
      result = Status::internal(fmt::format("{}: {} (exit code {})", command.front(), text, result->exitCode));
    }
    strand->post([done, result = std::move(result)]() mutable { done(std::move(result)); });
  });
}

Result<pid_t> startDetached(const std::vector<std::string>& command, const std::string& logFile) {
  SpawnSetup setup;
  posix_spawn_file_actions_addopen(&setup.actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&setup.actions, 1, logFile.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  posix_spawn_file_actions_adddup2(&setup.actions, 1, 2);
  return spawn(command, setup, POSIX_SPAWN_SETSID);
}

void reap(pid_t pid) {
  int status = 0;
  ::waitpid(pid, &status, WNOHANG);
}

}  // namespace ph::agents
