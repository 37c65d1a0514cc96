#include "agents/os/net_namespace.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "agents/os/files.h"

namespace ph::agents {

Result<int> tcpSocketIn(const std::string& namespaceFile, bool v6) {
  auto make = [v6]() -> Result<int> {
    int fd = ::socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return fileError("make", "a socket", errno);
    return fd;
  };
  if (namespaceFile.empty()) return make();
  const std::string ownFile = "/proc/thread-self/ns/net";
  int own = ::open(ownFile.c_str(), O_RDONLY | O_CLOEXEC);
  if (own < 0) return fileError("open", ownFile, errno);
  int theirs = ::open(namespaceFile.c_str(), O_RDONLY | O_CLOEXEC);
  if (theirs < 0) {
    auto status = fileError("open", namespaceFile, errno);
    ::close(own);
    return status;
  }
  Result<int> made = Status::internal("");
  if (::setns(theirs, CLONE_NEWNET) != 0) {
    made = fileError("enter", namespaceFile, errno);
  } else {
    made = make();
    // A thread left in a pod's network would serve others from there.
    PH_CHECK(::setns(own, CLONE_NEWNET) == 0);
  }
  ::close(theirs);
  ::close(own);
  return made;
}

}  // namespace ph::agents
