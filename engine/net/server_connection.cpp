#include "engine/net/server_connection.h"

#include "engine/base/log.h"
#include "engine/net/websocket.h"

namespace ph::net {

namespace {
constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
constexpr size_t kWriteRoom = 64 * 1024;  // bytes gathered for one write
constexpr int kReadsInTurn = 16;          // then the lane's other connections get theirs
constexpr auto kLinger = std::chrono::seconds(1);
constexpr size_t kLingerBytes = 8 * 1024 * 1024;
}  // namespace

ServerConnection::~ServerConnection() = default;

void ServerConnection::start(int fd, const std::shared_ptr<TlsContext>& tls) {
  stream_ = std::make_unique<Stream>(lane_, fd);
  if (closed_) return stream_->close();
  if (!stream_->isOpen()) return close();
  started_ = systemClock().monoNow();
  deadline_.emplace(*lane_, [this] { onDeadline(); });
  if (tls) {
    stream_->startTls(tls->newServerSession());
    handshaking_ = true;
  }
  setDeadline();
  waitReadable();
}

std::shared_ptr<Exchange> ServerConnection::newExchange(int32_t streamId) {
  return std::make_shared<Exchange>(lane_, shared_from_this(), streamId);
}

void ServerConnection::dispatch(Request request, std::shared_ptr<Exchange> exchange) {
  request.peer = peer_;
  request.received = systemClock().monoNow();
  requests_.emplace_back(std::move(request), std::move(exchange));
  if (requests_.size() == 1) wake();
}

// Not while reading: the lane reads what its connections have, then handles it, so that the same code runs for one after the
// other while it is in the processor's caches.
void ServerConnection::handleRequests() {
  auto requests = std::exchange(requests_, {});
  flushFollows_ = true;
  for (auto& [request, exchange] : requests) server_->handler(std::move(request), std::move(exchange));
  flushFollows_ = false;
}

void ServerConnection::waitReadable() {
  if (waitingRead_ || closed_ || !stream_) return;
  waitingRead_ = true;
  stream_->onReadable([self = shared_from_this()] {
    self->waitingRead_ = false;
    self->onReadable();
  });
}

void ServerConnection::onReadable() {
  if (closed_ || !stream_) return;
  if (handshaking_ && !shakeHands()) return;
  readAvailable();
  if (closed_) return;
  inReadable_ = true;
  flush();
  inReadable_ = false;
  if (closed_ || !stream_ || inputEnded_) return;
  if (!lingering_ && session_ && !session_->wantsInput()) return;  // flush() comes back to it
  waitReadable();
}

bool ServerConnection::shakeHands() {
  switch (stream_->handshake()) {
    case Stream::Step::Failed:
      PH_LOG(Debug, "net", "{}: {}", peer_.address, stream_->error());
      close();
      return false;
    case Stream::Step::Waiting:
      if (stream_->unsent() > 0) waitWritable();
      waitReadable();
      return false;
    case Stream::Step::Done:
      break;
  }
  handshaking_ = false;
  started_ = systemClock().monoNow();
  peerIdentity(stream_->tls(), peer_);
  auto protocol = negotiatedProtocol(stream_->tls());
  if (protocol == "h2") session_ = makeH2Session(*this);
  return true;
}

void ServerConnection::readAvailable() {
  for (int turn = 0; turn < kReadsInTurn; ++turn) {
    if (!lingering_ && session_ && !session_->wantsInput()) return;
    size_t size = 0;
    switch (stream_->read(lane_->readBuffer(), Lane::kReadRoom, size)) {
      case Stream::Got::Data:
        accept({lane_->readBuffer(), size});
        break;
      case Stream::Got::Nothing:
        return;
      case Stream::Got::End:
        inputEnded_ = true;
        if (lingering_ || !session_) {
          close();
        } else {
          session_->inputEnded();
        }
        return;
      case Stream::Got::Failed:
        close();
        return;
    }
    if (closed_) return;
  }
}

void ServerConnection::accept(std::string_view bytes) {
  if (lingering_) {
    discarded_ += bytes.size();
    if (discarded_ > kLingerBytes) close();
  } else if (session_) {
    session_->receive(bytes);
  } else {
    detect(bytes);
  }
}

void ServerConnection::detect(std::string_view bytes) {
  prefix_.append(bytes);
  size_t known = std::min(prefix_.size(), kPreface.size());
  bool maybe2 = std::string_view(prefix_).substr(0, known) == kPreface.substr(0, known);
  if (maybe2 && known < kPreface.size()) return;
  session_ = maybe2 ? makeH2Session(*this) : makeH1Session(*this);
  std::string first;
  first.swap(prefix_);
  session_->receive(first);
  if (stopping_) session_->beginStop();
}

void ServerConnection::hasNews(std::shared_ptr<Exchange> exchange) {
  {
    std::lock_guard lock(mutex_);
    news_.push_back(std::move(exchange));
    if (lane_->here() && flushFollows_) return;
  }
  wake();
}

void ServerConnection::wake() {
  {
    std::lock_guard lock(mutex_);
    if (std::exchange(woken_, true)) return;
  }
  lane_->wake(shared_from_this());
}

void ServerConnection::onWake() {
  {
    std::lock_guard lock(mutex_);
    woken_ = false;
  }
  if (closed_ || !stream_) return;
  if (!requests_.empty()) handleRequests();
  if (closed_) return;
  flush();
}

void ServerConnection::flush() {
  if (!session_ || lingering_) return setDeadline();
  std::vector<std::shared_ptr<Exchange>> news;
  {
    std::lock_guard lock(mutex_);
    news.swap(news_);
  }
  for (auto& exchange : news) session_->answer(exchange);
  if (!writeOut()) return close();
  if (upgrade_ && stream_->unsent() == 0) return upgrade();
  runCallbacks();
  if (closed_) return;
  if (session_->finished() && stream_->unsent() == 0) {
    linger();
  } else if (!inReadable_ && session_->wantsInput() && !inputEnded_) {
    waitReadable();  // a session that had enough wants more again
  }
  setDeadline();
}

bool ServerConnection::writeOut() {
  while (true) {
    if (session_->broken()) return false;
    if (stream_->unsent() > 0) break;
    std::string& out = lane_->writeBuffer();
    out.clear();
    session_->fill(out, kWriteRoom);
    if (out.empty()) break;
    if (!stream_->write(out)) return false;
    stalledSince_ = systemClock().monoNow();
  }
  if (stream_->unsent() > 0) waitWritable();
  return true;
}

void ServerConnection::runCallbacks() {
  // They may write at once: what they add is sent by the wake it causes.
  if (!draining_.empty() && stream_->unsent() == 0) {
    std::vector<std::shared_ptr<Exchange>> list;
    list.swap(draining_);
    for (auto& exchange : list)
      if (exchange->buffered() == 0) exchange->runDrain();
  }
  if (!closing_.empty()) {
    std::vector<std::shared_ptr<Exchange>> list;
    list.swap(closing_);
    for (auto& exchange : list) exchange->close();
  }
}

void ServerConnection::waitWritable() {
  if (waitingWrite_ || closed_) return;
  waitingWrite_ = true;
  stream_->onWritable([self = shared_from_this()] {
    self->waitingWrite_ = false;
    if (self->closed_ || !self->stream_) return;
    size_t before = self->stream_->unsent();
    if (!self->stream_->sendUnsent()) return self->close();
    if (self->stream_->unsent() < before) self->stalledSince_ = systemClock().monoNow();
    if (self->stream_->unsent() > 0) return self->waitWritable();
    self->flush();
  });
}

void ServerConnection::linger() {
  // Closing with input unread would make the peer's kernel throw our last words away.
  stream_->finish();
  session_->abandon();
  runCallbacks();
  if (closed_) return;
  if (inputEnded_) return close();
  lingering_ = true;
  lingerUntil_ = systemClock().monoNow() + kLinger;
  waitReadable();
}

void ServerConnection::upgradeSoon(std::shared_ptr<Exchange> exchange, Exchange::News news,
                                   std::string received) {
  upgrade_ = Upgrade{std::move(exchange), std::move(news), std::move(received)};
}

void ServerConnection::upgrade() {
  auto taken = std::move(*upgrade_);
  upgrade_.reset();
  deadline_.reset();
  session_.reset();
  runCallbacks();
  // `gone` may come before acceptWebSocket() returns, or much later.
  webSocket_ = acceptWebSocket(std::move(stream_), std::move(taken.received), *taken.exchange->upgradeRequest,
                               taken.news.subprotocol, std::move(taken.news.upgraded),
                               [self = shared_from_this(), exchange = taken.exchange] {
                                 exchange->close();
                                 self->close();
                               });
  if (closed_ && webSocket_) {
    webSocket_->drop();
    webSocket_.reset();
  }
}

void ServerConnection::setDeadline() {
  if (!deadline_) return;
  MonoTime at = lingering_  ? lingerUntil_
                : !session_ ? started_ + limits().headerTimeout
                            : session_->deadline();
  if (stream_ && stream_->unsent() > 0) at = std::min(at, stalledSince_ + limits().bodyTimeout);
  if (at == MonoTime::max()) {
    deadline_->clear();
  } else {
    deadline_->set(at);
  }
}

void ServerConnection::onDeadline() {
  auto self = shared_from_this();
  auto now = systemClock().monoNow();
  if (closed_ || !stream_) return;
  if (lingering_ || !session_) return close();
  if (stream_->unsent() > 0 && now >= stalledSince_ + limits().bodyTimeout) return close();
  session_->onDeadline(now);
  flush();
}

void ServerConnection::beginStop() {
  if (closed_) return;
  stopping_ = true;
  if (webSocket_) {
    auto webSocket = webSocket_;
    webSocket->drop();
    return close();
  }
  if (!session_) return close();
  session_->beginStop();
  flush();
}

void ServerConnection::close() {
  if (closed_) return;
  closed_ = true;
  auto self = shared_from_this();
  deadline_.reset();
  if (webSocket_) {
    auto webSocket = std::move(webSocket_);
    webSocket->drop();
  }
  if (session_) session_->abandon();
  std::vector<std::shared_ptr<Exchange>> closing;
  closing.swap(closing_);
  draining_.clear();
  requests_.clear();
  if (upgrade_) {
    closing.push_back(upgrade_->exchange);
    if (upgrade_->news.upgraded) upgrade_->news.upgraded(Status::unavailable("the client is gone"));
    upgrade_.reset();
  }
  for (auto& exchange : closing) exchange->close();
  session_.reset();
  if (stream_) stream_->close();
  {
    std::lock_guard lock(mutex_);
    news_.clear();
  }
  server_->onGone(self);
}

}  // namespace ph::net
