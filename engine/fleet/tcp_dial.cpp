#include "engine/fleet/tcp_dial.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "engine/fleet/problem.h"

namespace ph::fleet {
namespace {

Status explain(int error, const std::string& where) {
  switch (error) {
    case ECONNREFUSED:
      return problem(kRefused, fmt::format("{} refused the connection: no SSH server listens there", where),
                     "Install and start an SSH server on the machine (Debian: apt-get install openssh-server), or correct the port.");
    case ETIMEDOUT:
      return problem(kTimeout, fmt::format("{} did not answer in time", where),
                     "Check that the machine is switched on, that the address is right, and that no firewall drops the port.");
    case EHOSTUNREACH: case ENETUNREACH: case EHOSTDOWN: case ENETDOWN:
      return problem(kUnreachable, fmt::format("{} can't be reached: {}", where, std::strerror(error)),
                     "Check that the machine is switched on and on a network that this computer has a route to.");
    default:
      return problem(kUnreachable, fmt::format("{} can't be reached: {}", where, std::strerror(error)),
                     "Check the address and the network between this computer and the machine.");
  }
}

// 0 or an errno.
int connectWithin(int fd, const sockaddr* to, socklen_t length, Duration timeout) {
  if (::connect(fd, to, length) == 0) return 0;
  if (errno != EINPROGRESS) return errno;
  const MonoTime deadline = systemClock().monoNow() + timeout;
  for (;;) {
    auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - systemClock().monoNow()).count();
    if (left <= 0) return ETIMEDOUT;
    pollfd p{fd, POLLOUT, 0};
    int n = ::poll(&p, 1, static_cast<int>(left));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    if (n == 0) return ETIMEDOUT;
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
    return error;
  }
}

}  // namespace

Result<int> dialTcp(const std::string& address, int port, Duration timeout) {
  const std::string where = fmt::format("{}:{}", address, port);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  if (int e = ::getaddrinfo(address.c_str(), std::to_string(port).c_str(), &hints, &list); e != 0)
    return problem(kUnresolved, fmt::format("the name \"{}\" has no address: {}", address, ::gai_strerror(e)),
                   "Correct the address, or give the machine's IP address.");
  int error = EADDRNOTAVAIL;
  for (addrinfo* a = list; a; a = a->ai_next) {
    int fd = ::socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) { error = errno; continue; }
    error = connectWithin(fd, a->ai_addr, a->ai_addrlen, timeout);
    if (error == 0) {
      ::freeaddrinfo(list);
      int on = 1;
      ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) & ~O_NONBLOCK);
      return fd;
    }
    ::close(fd);
  }
  ::freeaddrinfo(list);
  return explain(error, where);
}

}  // namespace ph::fleet
