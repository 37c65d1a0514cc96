#include "agents/os/poller.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

namespace ph::agents {

Poller::Shared::~Shared() {
  if (epoll >= 0) ::close(epoll);
  if (wake >= 0) ::close(wake);
}

Result<std::shared_ptr<Poller>> Poller::make() {
  auto shared = std::make_shared<Shared>();
  shared->epoll = ::epoll_create1(EPOLL_CLOEXEC);
  shared->wake = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = shared->wake;
  if (shared->epoll < 0 || shared->wake < 0 || ::epoll_ctl(shared->epoll, EPOLL_CTL_ADD, shared->wake, &event) != 0)
    return Status::internal(std::string("epoll: ") + std::strerror(errno));
  return std::shared_ptr<Poller>(new Poller(std::move(shared)));
}

Poller::Poller(std::shared_ptr<Shared> shared) : shared_(std::move(shared)), thread_(makeThreadExecutor(1, "poller")) {
  thread_->post([shared = shared_] { loop(shared); });
}

Poller::~Poller() {
  {
    std::lock_guard lock(shared_->mutex);
    shared_->stopped = true;
    shared_->waiting.clear();
  }
  uint64_t one = 1;
  if (::write(shared_->wake, &one, sizeof one) < 0) return;  // a full counter wakes as well
}

void Poller::watch(int fd, Interest interest, std::shared_ptr<Executor> on, Task ready) {
  std::lock_guard lock(shared_->mutex);
  shared_->waiting[fd] = {std::move(on), std::move(ready)};
  epoll_event event{};
  event.events = (interest == Readable ? EPOLLIN | EPOLLRDHUP : EPOLLOUT) | EPOLLONESHOT;
  event.data.fd = fd;
  if (::epoll_ctl(shared_->epoll, EPOLL_CTL_MOD, fd, &event) == 0) return;
  if (errno == ENOENT && ::epoll_ctl(shared_->epoll, EPOLL_CTL_ADD, fd, &event) == 0) return;
  // Not to be waited for: its owner finds out when it uses it.
  auto waiting = std::move(shared_->waiting[fd]);
  shared_->waiting.erase(fd);
  waiting.on->post(std::move(waiting.ready));
}

void Poller::unwatch(int fd) {
  std::lock_guard lock(shared_->mutex);
  shared_->waiting.erase(fd);
  ::epoll_ctl(shared_->epoll, EPOLL_CTL_DEL, fd, nullptr);
}

void Poller::loop(const std::shared_ptr<Shared>& shared) {
  epoll_event events[64];
  for (;;) {
    int n = ::epoll_wait(shared->epoll, events, 64, -1);
    std::lock_guard lock(shared->mutex);
    if (shared->stopped) return;
    for (int i = 0; i < n; ++i) {
      auto it = shared->waiting.find(events[i].data.fd);
      if (it == shared->waiting.end()) continue;
      auto waiting = std::move(it->second);
      shared->waiting.erase(it);
      waiting.on->post(std::move(waiting.ready));
    }
  }
}

}  // namespace ph::agents
