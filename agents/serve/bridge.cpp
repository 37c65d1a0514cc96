#include "agents/serve/bridge.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>

namespace ph::agents {
namespace {

constexpr size_t maxBuffered = 256 * 1024;  // bytes, each way: who does not take them stops the other's reading

int complain(const std::string& what) {
  std::fprintf(stderr, "pilothouse-agent bridge: %s: %s\n", what.c_str(), std::strerror(errno));
  return 1;
}

bool addressOf(const std::string& path, sockaddr_un& address) {
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    errno = ENAMETOOLONG;
    return false;
  }
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return true;
}

void unblock(int fd) { ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK); }

// One direction: what was read and not yet written.
struct Lane {
  int from, to;
  std::string buffer;
  size_t at = 0;
  bool ended = false;  // nothing more comes

  bool wantsRead() const { return !ended && buffer.size() - at < maxBuffered; }
  bool wantsWrite() const { return at < buffer.size(); }
  // False when the receiver is gone.
  bool read() {
    char chunk[32768];
    ssize_t n = ::read(from, chunk, sizeof chunk);
    if (n > 0) buffer.append(chunk, size_t(n));
    else if (n == 0 || (errno != EAGAIN && errno != EINTR)) ended = true;
    return true;
  }
  bool write() {
    ssize_t n = ::write(to, buffer.data() + at, buffer.size() - at);
    if (n < 0) return errno == EAGAIN || errno == EINTR;
    at += size_t(n);
    if (at == buffer.size()) buffer.clear(), at = 0;
    return true;
  }
};

// Neither HTTP version goes on when one direction has ended, so the end of one ends both.
int carry(int socket) {
  unblock(0);
  unblock(1);
  unblock(socket);
  Lane in{0, socket, {}}, out{socket, 1, {}};
  while (!(in.ended && !in.wantsWrite()) && !(out.ended && !out.wantsWrite())) {
    pollfd fds[4] = {{in.wantsRead() ? 0 : -1, POLLIN, 0},
                     {in.wantsWrite() ? socket : -1, POLLOUT, 0},
                     {out.wantsRead() ? socket : -1, POLLIN, 0},
                     {out.wantsWrite() ? 1 : -1, POLLOUT, 0}};
    if (::poll(fds, 4, -1) < 0 && errno != EINTR) return complain("poll");
    if (fds[0].revents && !in.read()) break;
    if (fds[2].revents && !out.read()) break;
    if (in.wantsWrite() && fds[1].revents && !in.write()) break;
    if (out.wantsWrite() && fds[3].revents && !out.write()) break;
  }
  ::close(socket);
  return 0;
}

}  // namespace

int bridgeListen(const std::string& path) {
  ::signal(SIGPIPE, SIG_IGN);
  sockaddr_un address{};
  if (!addressOf(path, address)) return complain(path);
  int listener = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (listener < 0) return complain("socket");
  ::unlink(path.c_str());
  ::umask(0177);
  if (::bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 || ::listen(listener, 1) != 0) return complain(path);
  struct stat mine{};
  ::stat(path.c_str(), &mine);
  auto removeOwn = [&] {
    // Another bridge may have put its socket here since.
    struct stat now{};
    if (::stat(path.c_str(), &now) == 0 && now.st_ino == mine.st_ino && now.st_dev == mine.st_dev) ::unlink(path.c_str());
  };
  for (;;) {
    pollfd fds[2] = {{listener, POLLIN, 0}, {0, POLLIN, 0}};
    if (::poll(fds, 2, -1) < 0 && errno != EINTR) return complain("poll");
    if (fds[0].revents) break;
    // The other side speaks only when spoken to: what can be read here now is the channel's end.
    if (fds[1].revents) {
      removeOwn();
      return 0;
    }
  }
  int socket = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
  removeOwn();
  ::close(listener);
  if (socket < 0) return complain("accept");
  return carry(socket);
}

int bridgeConnect(const std::string& path) {
  ::signal(SIGPIPE, SIG_IGN);
  sockaddr_un address{};
  if (!addressOf(path, address)) return complain(path);
  for (int tries = 0;; ++tries) {
    int socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (socket < 0) return complain("socket");
    if (::connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) return carry(socket);
    int error = errno;
    ::close(socket);
    errno = error;
    if (tries >= 50 || (error != ENOENT && error != ECONNREFUSED)) return complain(path);
    ::poll(nullptr, 0, 100);
  }
}

}  // namespace ph::agents
