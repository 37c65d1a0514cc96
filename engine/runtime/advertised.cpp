#include "engine/runtime/advertised.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace ph::runtime {
namespace {

bool isLoopback(const in_addr& a) { return (ntohl(a.s_addr) >> 24) == 127; }
bool isLinkLocal(const in_addr& a) { return (ntohl(a.s_addr) >> 16) == 0xA9FE; }

std::string textOf(const in_addr& a) {
  char text[INET_ADDRSTRLEN] = {};
  return ::inet_ntop(AF_INET, &a, text, sizeof text) ? text : "";
}

// From where the kernel would send to somewhere far away (TEST-NET-1, RFC 5737); nothing is sent.
std::string wayOut() {
  const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return {};
  sockaddr_in far{}, own{};
  far.sin_family = AF_INET;
  far.sin_port = htons(9);
  ::inet_pton(AF_INET, "192.0.2.1", &far.sin_addr);
  socklen_t length = sizeof own;
  const bool known = ::connect(fd, reinterpret_cast<sockaddr*>(&far), sizeof far) == 0 &&
                     ::getsockname(fd, reinterpret_cast<sockaddr*>(&own), &length) == 0;
  ::close(fd);
  return known && own.sin_addr.s_addr != INADDR_ANY && !isLoopback(own.sin_addr) ? textOf(own.sin_addr) : std::string();
}

std::string firstUp() {
  ifaddrs* all = nullptr;
  if (::getifaddrs(&all) != 0) return {};
  std::string out;
  for (auto* i = all; i && out.empty(); i = i->ifa_next) {
    if (!i->ifa_addr || i->ifa_addr->sa_family != AF_INET || !(i->ifa_flags & IFF_UP) || (i->ifa_flags & IFF_LOOPBACK)) continue;
    auto& address = reinterpret_cast<sockaddr_in*>(i->ifa_addr)->sin_addr;
    if (!isLoopback(address) && !isLinkLocal(address)) out = textOf(address);
  }
  ::freeifaddrs(all);
  return out;
}

}  // namespace

std::vector<std::string> advertisedAddresses(const std::string& host) {
  if (host.empty() || host == "0.0.0.0" || host == "::") {
    std::string found = wayOut();
    if (found.empty()) found = firstUp();
    return found.empty() ? std::vector<std::string>() : std::vector<std::string>{found};
  }
  in_addr four{};
  if (::inet_pton(AF_INET, host.c_str(), &four) == 1)
    return isLoopback(four) ? std::vector<std::string>() : std::vector<std::string>{host};
  in6_addr six{};
  if (::inet_pton(AF_INET6, host.c_str(), &six) == 1)
    return IN6_IS_ADDR_LOOPBACK(&six) || IN6_IS_ADDR_LINKLOCAL(&six) ? std::vector<std::string>() : std::vector<std::string>{host};
  return {};
}

}  // namespace ph::runtime
