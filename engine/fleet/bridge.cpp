#include "engine/fleet/bridge.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <libssh/libssh.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace ph::fleet {
namespace {

constexpr size_t kBuffer = 256 * 1024;  // of each direction
constexpr size_t kChunk = 32 * 1024;
constexpr size_t kMaxSaid = 2000;

void compact(std::string& buffer, size_t& at) {
  if (at == buffer.size()) {
    buffer.clear();
    at = 0;
  } else if (at > kBuffer / 2) {
    buffer.erase(0, at);
    at = 0;
  }
}

}  // namespace

Bridge::Bridge(ssh_session_struct* session, std::string command) : session_(session), command_(std::move(command)) {
  channel_ = ssh_channel_new(session_);
  if (!channel_) end("out of memory");
}

Bridge::~Bridge() {
  if (fd_ >= 0) ::close(fd_);
  if (channel_) ssh_channel_free(channel_);
}

void Bridge::end(std::string failure) {
  if (state_ == State::Ended) return;
  state_ = State::Ended;
  failure_ = std::move(failure);
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

Result<int> Bridge::makeSocket() {
  int pair[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) != 0)
    return Status::unavailable(fmt::format("no socket pair: {}", std::strerror(errno)));
  fd_ = pair[0];
  return pair[1];
}

short Bridge::pollEvents() const {
  if (fd_ < 0 || state_ != State::Open) return 0;
  short events = 0;
  if (!socketEof_ && fromSocket_.size() - fromSocketAt_ < kBuffer) events |= POLLIN;
  if (fromChannelAt_ < fromChannel_.size()) events |= POLLOUT;
  return events;
}

bool Bridge::step() {
  if (state_ == State::Opening || state_ == State::Starting) {
    State before = state_;
    open();
    if (state_ != State::Open) return state_ != before;
  }
  if (state_ != State::Open) return false;
  bool moved = readChannel();
  moved |= writeSocket();
  moved |= readSocket();
  moved |= writeChannel();
  if (state_ != State::Open) return true;
  const bool channelDone = channelEof_ && fromChannelAt_ == fromChannel_.size();
  const bool socketDone = socketEof_ && fromSocketAt_ == fromSocket_.size();
  // Neither HTTP version goes on when one direction has ended, so the end of one ends both.
  if (channelDone || socketDone) {
    end("");
    ssh_channel_close(channel_);
    return true;
  }
  return moved;
}

void Bridge::open() {
  if (state_ == State::Opening) {
    int rc = ssh_channel_open_session(channel_);
    if (rc == SSH_AGAIN) return;
    if (rc != SSH_OK) return end(fmt::format("no channel: {}", ssh_get_error(session_)));
    state_ = State::Starting;
  }
  int rc = ssh_channel_request_exec(channel_, command_.c_str());
  if (rc == SSH_AGAIN) return;
  if (rc != SSH_OK) return end(fmt::format("the command was refused: {}", ssh_get_error(session_)));
  state_ = State::Open;
}

bool Bridge::readChannel() {
  bool moved = false;
  char buffer[kChunk];
  while (!channelEof_ && fromChannel_.size() - fromChannelAt_ < kBuffer) {
    int n = ssh_channel_read_nonblocking(channel_, buffer, sizeof buffer, 0);
    if (n > 0) {
      fromChannel_.append(buffer, static_cast<size_t>(n));
      moved = true;
      continue;
    }
    if (n == SSH_ERROR || n == SSH_EOF || ssh_channel_is_eof(channel_) || ssh_channel_is_closed(channel_)) channelEof_ = true;
    break;
  }
  int n;
  while ((n = ssh_channel_read_nonblocking(channel_, buffer, sizeof buffer, 1)) > 0)
    if (said_.size() < kMaxSaid) said_.append(buffer, std::min<size_t>(static_cast<size_t>(n), kMaxSaid - said_.size()));
  return moved;
}

bool Bridge::writeSocket() {
  if (fd_ < 0) return false;
  bool moved = false;
  while (fromChannelAt_ < fromChannel_.size()) {
    ssize_t n = ::send(fd_, fromChannel_.data() + fromChannelAt_, fromChannel_.size() - fromChannelAt_, MSG_NOSIGNAL);
    if (n < 0) {
      if (errno != EAGAIN && errno != EINTR) {  // its reader is gone: so are the bytes
        socketEof_ = true;
        fromChannelAt_ = fromChannel_.size();
      }
      break;
    }
    fromChannelAt_ += static_cast<size_t>(n);
    moved = true;
  }
  compact(fromChannel_, fromChannelAt_);
  return moved;
}

bool Bridge::readSocket() {
  if (fd_ < 0 || socketEof_) return false;
  bool moved = false;
  char buffer[kChunk];
  while (fromSocket_.size() - fromSocketAt_ < kBuffer) {
    ssize_t n = ::recv(fd_, buffer, sizeof buffer, 0);
    if (n > 0) {
      fromSocket_.append(buffer, static_cast<size_t>(n));
      moved = true;
      continue;
    }
    if (n == 0 || (errno != EAGAIN && errno != EINTR)) socketEof_ = true;
    break;
  }
  return moved;
}

bool Bridge::writeChannel() {
  bool moved = false;
  // libssh keeps what the network does not take: give it no more while it still has some.
  if (ssh_get_poll_flags(session_) & SSH_WRITE_PENDING) return false;
  while (fromSocketAt_ < fromSocket_.size()) {
    auto length = static_cast<uint32_t>(std::min(kChunk, fromSocket_.size() - fromSocketAt_));
    // Not beyond the window: libssh would wait for it to grow.
    length = std::min(length, ssh_channel_window_size(channel_));
    if (length == 0) break;
    int n = ssh_channel_write(channel_, fromSocket_.data() + fromSocketAt_, length);
    if (n == SSH_ERROR) {
      channelEof_ = true;
      break;
    }
    if (n <= 0) break;
    fromSocketAt_ += static_cast<size_t>(n);
    moved = true;
  }
  compact(fromSocket_, fromSocketAt_);
  return moved;
}

}  // namespace ph::fleet
