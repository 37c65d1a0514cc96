#include "engine/net/sockets.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>

namespace ph::net {

namespace {

Status failed(const std::string& what) {
  return Status::unavailable(what + ": " + strerror(errno));
}

struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};

bool numericAddress(const std::string& host, uint16_t port, Address& out) {
  auto* v4 = reinterpret_cast<sockaddr_in*>(&out.storage);
  if (inet_pton(AF_INET, host.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    out.size = sizeof *v4;
    return true;
  }
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&out.storage);
  if (inet_pton(AF_INET6, host.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    out.size = sizeof *v6;
    return true;
  }
  return false;
}

std::string describe(const sockaddr_storage& storage) {
  char text[INET6_ADDRSTRLEN] = {};
  if (storage.ss_family == AF_INET) {
    auto& v4 = reinterpret_cast<const sockaddr_in&>(storage);
    inet_ntop(AF_INET, &v4.sin_addr, text, sizeof text);
    return std::string(text) + ":" + std::to_string(ntohs(v4.sin_port));
  }
  if (storage.ss_family == AF_INET6) {
    auto& v6 = reinterpret_cast<const sockaddr_in6&>(storage);
    inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof text);
    return "[" + std::string(text) + "]:" + std::to_string(ntohs(v6.sin6_port));
  }
  return "unix";
}

Result<Address> unixAddress(const std::string& path) {
  Address address;
  auto* un = reinterpret_cast<sockaddr_un*>(&address.storage);
  if (path.empty() || path.size() >= sizeof un->sun_path)
    return Status::badRequest("\"" + path + "\" is not usable as a socket path (1 to 107 bytes)");
  un->sun_family = AF_UNIX;
  memcpy(un->sun_path, path.c_str(), path.size() + 1);
  address.size = socklen_t(offsetof(sockaddr_un, sun_path) + path.size() + 1);
  return address;
}

}  // namespace

Result<HostPort> parseHostPort(const std::string& text) {
  HostPort out;
  size_t colon = text.rfind(':');
  auto bad = [&] { return Status::badRequest("\"" + text + "\" is not an ADDRESS:PORT"); };
  if (colon == text.npos) return bad();
  out.host = text.substr(0, colon);
  if (out.host.size() >= 2 && out.host.front() == '[' && out.host.back() == ']') {
    out.host = out.host.substr(1, out.host.size() - 2);
  } else if (out.host.find(':') != out.host.npos) {
    return bad();
  }
  const char *begin = text.data() + colon + 1, *end = text.data() + text.size();
  auto [at, ec] = std::from_chars(begin, end, out.port);
  if (ec != std::errc() || at != end || begin == end) return bad();
  return out;
}

bool isNumericHost(const std::string& host) {
  Address unused;
  return numericAddress(host, 0, unused);
}

Result<int> listenOnTcp(const std::string& text, std::string& bound) {
  PH_ASSIGN(auto hostPort, parseHostPort(text));
  Address address;
  std::string host = hostPort.host.empty()          ? "0.0.0.0"
                     : hostPort.host == "localhost" ? "127.0.0.1"
                                                    : hostPort.host;
  if (!numericAddress(host, hostPort.port, address))
    return Status::badRequest("\"" + hostPort.host + "\" is not an IP address to listen on");
  int fd = ::socket(address.get()->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return failed("listen on " + text);
  int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (::bind(fd, address.get(), address.size) != 0 || ::listen(fd, 4096) != 0) {
    auto status = failed("listen on " + text);
    ::close(fd);
    return status;
  }
  Address actual;
  actual.size = sizeof actual.storage;
  getsockname(fd, actual.get(), &actual.size);
  bound = describe(actual.storage);
  return fd;
}

Result<int> listenOnUnix(const std::string& path) {
  PH_ASSIGN(auto address, unixAddress(path));
  struct stat info {};
  if (lstat(path.c_str(), &info) == 0) {
    if (!S_ISSOCK(info.st_mode)) return Status::conflict("\"" + path + "\" exists and is not a socket");
    ::unlink(path.c_str());
  }
  int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return failed("listen on " + path);
  // The mode of the descriptor is what bind gives the file, so there is no moment at which others could
  // connect.
  fchmod(fd, 0600);
  if (::bind(fd, address.get(), address.size) != 0 || ::chmod(path.c_str(), 0600) != 0 ||
      ::listen(fd, 4096) != 0) {
    auto status = failed("listen on " + path);
    ::close(fd);
    return status;
  }
  return fd;
}

Result<int> connectToTcp(const std::string& numericHost, uint16_t port) {
  Address address;
  if (!numericAddress(numericHost, port, address))
    return Status::badRequest("\"" + numericHost + "\" is not an IP address");
  int fd = ::socket(address.get()->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return failed("socket");
  return connectTcp(fd, numericHost, port);
}

Result<int> connectTcp(int fd, const std::string& numericHost, uint16_t port) {
  Address address;
  if (!numericAddress(numericHost, port, address)) {
    ::close(fd);
    return Status::badRequest("\"" + numericHost + "\" is not an IP address");
  }
  tuneTcp(fd);
  if (::connect(fd, address.get(), address.size) != 0 && errno != EINPROGRESS) {
    auto status = Status::unavailable(strerror(errno));
    ::close(fd);
    return status;
  }
  return fd;
}

Result<int> connectToUnix(const std::string& path) {
  PH_ASSIGN(auto address, unixAddress(path));
  int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return failed("socket");
  if (::connect(fd, address.get(), address.size) != 0) {
    auto status = Status::unavailable(strerror(errno));
    ::close(fd);
    return status;
  }
  return fd;
}

Result<> connectOutcome(int fd) {
  int error = 0;
  socklen_t size = sizeof error;
  if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
  if (error != 0) return Status::unavailable(strerror(error));
  return {};
}

void tuneTcp(int fd) {
  int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  int idle = 30, interval = 10, count = 3, unacknowledgedMs = 30000;
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof interval);
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof count);
  setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &unacknowledgedMs, sizeof unacknowledgedMs);
}

std::string peerAddress(int fd) {
  Address address;
  address.size = sizeof address.storage;
  if (getpeername(fd, address.get(), &address.size) != 0) return "unknown";
  return describe(address.storage);
}

}  // namespace ph::net
