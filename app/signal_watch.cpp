#include "app/signal_watch.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

namespace ph::app {

namespace {
int gWriteEnd = -1;

void onSignal(int) {
  const char one = 1;
  // Nothing can be done here when the pipe is full: then one is on its way already.
  [[maybe_unused]] auto n = ::write(gWriteEnd, &one, 1);
}
}  // namespace

SignalWatch::SignalWatch(QObject* parent) : QObject(parent) {
  if (::pipe2(ends_, O_CLOEXEC | O_NONBLOCK) != 0) return;
  gWriteEnd = ends_[1];
  notifier_ = std::make_unique<QSocketNotifier>(ends_[0], QSocketNotifier::Read);
  connect(notifier_.get(), &QSocketNotifier::activated, this, [this] {
    char buffer[16];
    while (::read(ends_[0], buffer, sizeof buffer) > 0) {
    }
    emit asked();
  });
  struct sigaction action {};
  action.sa_handler = onSignal;
  action.sa_flags = SA_RESTART;
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
}

SignalWatch::~SignalWatch() {
  ::signal(SIGINT, SIG_DFL);
  ::signal(SIGTERM, SIG_DFL);
  gWriteEnd = -1;
  for (int fd : ends_) {
    if (fd >= 0) ::close(fd);
  }
}

}  // namespace ph::app
