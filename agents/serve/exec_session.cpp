#include "agents/serve/exec_session.h"

#include <unistd.h>

#include "agents/serve/answers.h"
#include "engine/net/sockets.h"

namespace ph::agents {
namespace {

using End = net::ByteStream::End;
using std::chrono::seconds;

constexpr char kStdin = 0, kStdout = 1, kStderr = 2, kError = 3, kResize = 4;
constexpr char kClose = char(255);                 // v5: the next byte names the channel that ends
constexpr size_t kMaxHead = 16 * 1024;             // bytes of the runtime's answer to the upgrade
constexpr size_t kMaxOutcome = 64 * 1024;
constexpr size_t kMaxBehind = 512 * 1024;          // bytes that wait for one side before the other is paused

}  // namespace

bool splitUrl(const std::string& url, std::string& host, uint16_t& port, std::string& path) {
  constexpr std::string_view scheme = "http://";
  if (!url.starts_with(scheme)) return false;
  auto slash = url.find('/', scheme.size());
  auto parsed = net::parseHostPort(url.substr(scheme.size(), slash == std::string::npos ? slash : slash - scheme.size()));
  if (!parsed.ok()) return false;
  host = parsed->host;
  port = parsed->port;
  path = slash == std::string::npos ? "/" : url.substr(slash);
  if (host == "localhost" || host == "0.0.0.0") host = "127.0.0.1";
  if (host == "::") host = "::1";
  return path.find_first_of(" \r\n") == std::string::npos;
}

void ExecSession::start(std::shared_ptr<net::Lane> lane, const std::string& url, StreamSpec spec, std::string protocol,
                        std::shared_ptr<net::Responder> responder) {
  std::shared_ptr<ExecSession> self(new ExecSession(lane, std::move(spec), std::move(protocol), std::move(responder)));
  lane->post([self, url] {
    self->self_ = self;
    self->dial(url);
  });
}

void ExecSession::dial(const std::string& url) {
  std::string host, path;
  uint16_t port = 0;
  if (!splitUrl(url, host, port, path)) return refuse("the container runtime's address is not understood: " + url);
  deadline_ = std::make_unique<net::Deadline>(*lane_, [weak = weak_from_this()] {
    if (auto self = weak.lock()) self->refuse("the container runtime does not answer");
  });
  deadline_->set(systemClock().monoNow() + seconds(20));
  net::dialTcp(lane_, host, port, seconds(10), [weak = weak_from_this(), host, port, path](Result<int> fd) {
    auto self = weak.lock();
    if (!self || self->over_) {
      if (fd.ok()) ::close(*fd);
      return;
    }
    if (!fd.ok()) return self->refuse("the container runtime can't be reached: " + fd.status().message);
    self->shakeHands(*fd, host + ":" + std::to_string(port), path);
  });
}

void ExecSession::shakeHands(int fd, const std::string& host, const std::string& path) {
  bytes_ = net::makeByteStream(lane_, fd);
  net::ByteStream::Events events;
  auto weak = weak_from_this();
  events.onData = [weak](std::string_view bytes) {
    if (auto self = weak.lock()) self->onHandshake(bytes);
  };
  events.onEnd = [weak](End) {
    if (auto self = weak.lock(); self && !self->session_) self->refuse("the container runtime closed the connection");
  };
  bytes_->start(std::move(events));
  bytes_->write("POST " + path + " HTTP/1.1\r\nHost: " + host +
                "\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: v4.channel.k8s.io\r\nContent-Length: 0\r\n\r\n");
}

void ExecSession::onHandshake(std::string_view bytes) {
  head_.append(bytes);
  auto end = head_.find("\r\n\r\n");
  if (end == std::string::npos) {
    if (head_.size() > kMaxHead) refuse("the container runtime's answer is too long");
    return;
  }
  if (!head_.starts_with("HTTP/1.1 101")) {
    auto line = head_.substr(0, head_.find("\r\n"));
    return refuse("the container runtime refuses: " + line + ": " + head_.substr(end + 4, 500));
  }
  early_ = head_.substr(end + 4);
  head_.clear();
  // The session takes the stream over; not from within one of its callbacks.
  bytes_->pause(true);
  lane_->post([self = shared_from_this()] {
    if (!self->over_) self->openStreams();
  });
}

void ExecSession::refuse(std::string why) {
  if (over_) return;
  sendStatus(responder_, Status::internal(std::move(why)));
  stop();
}

void ExecSession::openStreams() {
  session_ = std::make_shared<net::SpdySession>(std::move(bytes_), net::SpdySession::Role::Client);
  auto weak = weak_from_this();
  net::SpdySession::Events events;
  events.onEnd = [weak](std::string) {
    if (auto self = weak.lock()) self->finish();
  };
  events.onDrain = [weak] {
    if (auto self = weak.lock()) self->settle();
  };
  session_->start(std::move(events), early_);
  auto open = [&](char channel, const char* type, bool wanted) {
    if (wanted && session_ && !session_->over()) streams_[channel] = session_->open({{"streamtype", type}});
  };
  open(kError, "error", true);
  open(kStdin, "stdin", spec_.in);
  open(kStdout, "stdout", spec_.out);
  open(kStderr, "stderr", spec_.err);
  open(kResize, "resize", spec_.tty);
  if (over_ || session_->over()) return refuse("the container runtime closed the connection");
  upgrade();
}

void ExecSession::upgrade() {
  auto weak = weak_from_this();
  responder_->upgrade(protocol_, [self = shared_from_this()](Result<std::shared_ptr<net::WebSocket>> socket) {
    self->lane_->post([self, socket = std::move(socket)]() mutable { self->connected(std::move(socket)); });
  });
}

void ExecSession::connected(Result<std::shared_ptr<net::WebSocket>> socket) {
  deadline_.reset();
  if (!socket.ok()) return stop();
  socket_ = std::move(*socket);
  if (over_) return stop();
  auto weak = weak_from_this();
  socket_->onDrain([weak, lane = lane_] {
    lane->post([weak] {
      if (auto self = weak.lock()) self->settle();
    });
  });
  inbox_ = std::make_shared<net::MessageInbox>(lane_, socket_);
  inbox_->start(
      [weak](std::string message, bool) {
        if (auto self = weak.lock()) self->toProcess(message);
      },
      [weak] {
        if (auto self = weak.lock()) self->stop();
      });
  // An empty message says that all is connected.
  socket_->sendBinary(net::makeBuffer(std::string(1, spec_.out ? kStdout : spec_.err ? kStderr : kError)));
  hear(kError, "error");
  if (spec_.out) hear(kStdout, "stdout");
  if (spec_.err) hear(kStderr, "stderr");
}

void ExecSession::hear(char channel, const char*) {
  auto found = streams_.find(channel);
  if (over_ || found == streams_.end() || !found->second) return;
  ++listening_;
  auto weak = weak_from_this();
  found->second->listen(
      [weak, channel](std::string_view bytes) {
        auto self = weak.lock();
        if (!self) return;
        if (channel == kError) self->outcome_.append(bytes.substr(0, kMaxOutcome - std::min(kMaxOutcome, self->outcome_.size())));
        else self->toClient(channel, bytes);
      },
      [weak](End how) {
        if (auto self = weak.lock()) self->streamEnded(how);
      });
}

void ExecSession::toProcess(const std::string& message) {
  if (over_ || message.empty()) return;
  char channel = message[0];
  auto stream = [&](char c) {
    auto found = streams_.find(c);
    return found == streams_.end() ? nullptr : found->second;
  };
  auto rest = std::string_view(message).substr(1);
  if (channel == kClose && protocol_ == "v5.channel.k8s.io") {
    if (rest == std::string_view("\0", 1))
      if (auto in = stream(kStdin)) in->finish();
    return;
  }
  if (channel != kStdin && channel != kResize) return;
  if (auto to = stream(channel)) to->write(rest);
  settle();
}

void ExecSession::toClient(char channel, std::string_view bytes) {
  if (!socket_) return;
  std::string message;
  message.reserve(bytes.size() + 1);
  message += channel;
  message += bytes;
  socket_->sendBinary(net::makeBuffer(std::move(message)));
  settle();
}

// Whoever does not take what is sent stops the other side's reading.
void ExecSession::settle() {
  if (over_ || !socket_ || !session_) return;
  bool clientBehind = socket_->buffered() > kMaxBehind;
  for (char channel : {kStdout, kStderr})
    if (auto found = streams_.find(channel); found != streams_.end() && found->second) found->second->pause(clientBehind);
  inbox_->pause(session_->buffered() > kMaxBehind);
}

void ExecSession::streamEnded(End) {
  if (--listening_ == 0) finish();
}

void ExecSession::finish() {
  if (over_ || !socket_) {
    if (!over_ && !socket_) refuse("the container runtime closed the connection");
    return;
  }
  if (outcome_.empty()) outcome_ = statusText(Status::internal("the container runtime broke off before the process ended"));
  toClient(kError, outcome_);
  stop();
}

void ExecSession::stop() {
  if (std::exchange(over_, true)) {
    if (socket_) socket_->close(1000, "");
    self_.reset();
    return;
  }
  auto self = shared_from_this();
  deadline_.reset();
  if (inbox_) inbox_->stop();
  streams_.clear();
  if (session_) session_->close();
  bytes_.reset();
  if (socket_) socket_->close(1000, "");
  // Not here and now: this may be one of their callbacks.
  lane_->post([self] { self->session_.reset(); });
  self_.reset();
}

}  // namespace ph::agents
