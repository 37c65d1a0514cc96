#include "engine/net/client_session.h"

namespace ph::net {

namespace {
constexpr size_t kWriteRoom = 64 * 1024;
constexpr int kReadsInTurn = 16;
}  // namespace

ClientConnection::ClientConnection(std::unique_ptr<Stream> stream, std::unique_ptr<ClientSession> session,
                                   std::function<void(const std::shared_ptr<ClientConnection>&)> changed)
    : lane_(stream->lane().shared_from_this()),
      stream_(std::move(stream)),
      session_(std::move(session)),
      changed_(std::move(changed)) {}

void ClientConnection::begin() {
  deadline_.emplace(*lane_, [this] { onDeadline(); });
  waitReadable();
}

void ClientConnection::waitReadable() {
  if (waitingRead_ || inputEnded_ || !session_ || !session_->wantsInput()) return;
  waitingRead_ = true;
  stream_->onReadable([self = shared_from_this()] {
    self->waitingRead_ = false;
    self->onReadable();
  });
}

void ClientConnection::onReadable() {
  if (!session_) return;
  auto self = shared_from_this();
  readAvailable();
  if (!session_) return;
  flush();
  if (session_ && session_->canStart()) changed_(self);
}

void ClientConnection::readAvailable() {
  for (int turn = 0; turn < kReadsInTurn; ++turn) {
    if (!session_->wantsInput()) return;
    size_t size = 0;
    switch (stream_->read(lane_->readBuffer(), Lane::kReadRoom, size)) {
      case Stream::Got::Data:
        session_->receive({lane_->readBuffer(), size});
        break;
      case Stream::Got::Nothing:
        return;
      case Stream::Got::End:
        inputEnded_ = true;
        session_->inputEnded();
        return;
      case Stream::Got::Failed:
        close(Status::unavailable("the connection broke: " + stream_->error()));
        return;
    }
    if (session_->finished()) return;
  }
}

void ClientConnection::flush() {
  if (!session_) return;
  auto self = shared_from_this();
  while (stream_->unsent() == 0) {
    std::string& out = lane_->writeBuffer();
    out.clear();
    session_->fill(out, kWriteRoom);
    if (out.empty()) break;
    if (!stream_->write(out)) return close(Status::unavailable("the connection broke: " + stream_->error()));
  }
  if (session_->finished())
    return close(Status::unavailable("the connection was closed: " + session_->why()));
  if (stream_->unsent() > 0) waitWritable();
  waitReadable();  // an exchange may go on that was paused
  MonoTime at = session_->deadline();
  if (at == MonoTime::max()) {
    deadline_->clear();
  } else {
    deadline_->set(at);
  }
}

void ClientConnection::waitWritable() {
  if (waitingWrite_) return;
  waitingWrite_ = true;
  stream_->onWritable([self = shared_from_this()] {
    self->waitingWrite_ = false;
    if (!self->session_) return;
    if (!self->stream_->sendUnsent())
      return self->close(Status::unavailable("the connection broke: " + self->stream_->error()));
    if (self->stream_->unsent() > 0) return self->waitWritable();
    self->flush();
  });
}

void ClientConnection::onDeadline() {
  auto self = shared_from_this();
  if (!session_) return;
  session_->onDeadline(systemClock().monoNow());
  flush();
}

void ClientConnection::close(const Status& why) {
  if (!session_) return;
  auto self = shared_from_this();
  auto session = std::move(session_);
  deadline_.reset();
  stream_->finish();
  stream_->close();
  auto changed = std::move(changed_);
  // First who gives out connections, then who may ask for one.
  if (changed) changed(self);
  session->abandon(why);
  // It may be one of the session's own calls that brought us here.
  lane_->post([session = std::shared_ptr<ClientSession>(std::move(session))] {});
}

}  // namespace ph::net
