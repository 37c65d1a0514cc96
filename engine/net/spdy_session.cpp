#include "engine/net/spdy_session.h"

namespace ph::net {
namespace {
constexpr size_t kMaxFrame = 32 * 1024;           // bytes of data in one frame
constexpr size_t kMaxReplies = 4 * 1024 * 1024;   // bytes unsent at which a peer gets no more answers to its control frames
}  // namespace

// ---- streams -----------------------------------------------------------------------------------------------------

void SpdyStream::listen(std::function<void(std::string_view)> onData, std::function<void(ByteStream::End)> onEnd) {
  auto self = shared_from_this();
  onData_ = std::move(onData);
  onEnd_ = std::move(onEnd);
  if (!early_.empty()) {
    auto early = std::exchange(early_, {});
    if (auto take = onData_) take(early);
  }
  if (ended_)
    if (auto tell = std::exchange(onEnd_, nullptr)) tell(*ended_);
}

void SpdyStream::write(std::string_view bytes) {
  while (session_ && !finished_ && !bytes.empty()) {
    auto piece = bytes.substr(0, kMaxFrame);
    bytes.remove_prefix(piece.size());
    session_->send(SpdyWriter::data(id_, piece));
  }
}

void SpdyStream::finish() {
  if (!session_ || std::exchange(finished_, true)) return;
  auto self = shared_from_this();
  session_->send(SpdyWriter::data(id_, {}, true));
  if (ended_) forget();
}

void SpdyStream::reset(uint32_t status) {
  if (!session_) return;
  auto self = shared_from_this();
  session_->send(SpdyWriter::reset(id_, status));
  end(ByteStream::End::Broken);
}

void SpdyStream::pause(bool paused) {
  if (!session_ || std::exchange(paused_, paused) == paused) return;
  session_->pauses_ += paused ? 1 : -1;
  session_->settle();
}

void SpdyStream::take(std::string_view bytes, bool fin) {
  if (ended_) return;
  auto self = shared_from_this();
  if (!bytes.empty()) {
    if (auto take = onData_) {
      take(bytes);
    } else if (early_.size() + bytes.size() <= SpdySession::kMaxEarly) {
      early_.append(bytes);
    } else {
      return reset(kSpdyCancel);
    }
  }
  if (!fin || ended_) return;
  ended_ = ByteStream::End::Finished;
  if (paused_) pause(false);
  auto tell = std::exchange(onEnd_, nullptr);
  if (finished_) forget();
  if (tell) tell(ByteStream::End::Finished);
}

void SpdyStream::end(ByteStream::End how) {
  auto self = shared_from_this();
  if (paused_) pause(false);
  forget();
  if (std::exchange(ended_, how)) return;
  auto tell = std::exchange(onEnd_, nullptr);
  onData_ = nullptr;
  if (tell) tell(how);
}

void SpdyStream::forget() {
  auto* session = std::exchange(session_, nullptr);
  if (!session || !session->streams_.erase(id_)) return;
  bool odd = id_ % 2 == 1;
  if (odd == (session->role_ == SpdySession::Role::Server)) --session->theirs_;
}

// ---- the session -------------------------------------------------------------------------------------------------

SpdySession::SpdySession(std::unique_ptr<ByteStream> bytes, Role role)
    : bytes_(std::move(bytes)), role_(role), next_(role == Role::Client ? 1 : 2) {}

SpdySession::~SpdySession() {
  for (auto& [id, stream] : streams_) stream->session_ = nullptr;
}

void SpdySession::start(Events events, std::string_view early) {
  events_ = std::move(events);
  std::weak_ptr<SpdySession> weak = weak_from_this();
  ByteStream::Events below;
  below.onData = [weak](std::string_view bytes) {
    auto self = weak.lock();
    if (!self || !self->bytes_) return;
    auto fed = self->reader_.feed(bytes, *self);
    if (!fed.ok()) self->end(fed.status().message);
  };
  below.onEnd = [weak](ByteStream::End) {
    if (auto self = weak.lock()) self->end("the connection ended");
  };
  below.onDrain = [weak] {
    auto self = weak.lock();
    if (!self) return;
    if (auto tell = self->events_.onDrain) tell();
  };
  auto take = below.onData;
  bytes_->start(std::move(below));
  settle();
  if (!early.empty()) take(early);
}

std::shared_ptr<SpdyStream> SpdySession::open(SpdyHeaders headers) {
  if (!bytes_) return nullptr;
  uint32_t id = next_;
  next_ += 2;
  auto stream = std::make_shared<SpdyStream>(this, id, headers);
  streams_[id] = stream;
  send(writer_.synStream(id, headers));
  return stream;
}

bool SpdySession::onFrame(SpdyFrame frame) {
  auto self = shared_from_this();
  auto it = streams_.find(frame.stream);
  auto stream = it == streams_.end() ? nullptr : it->second;
  switch (frame.type) {
    case SpdyFrame::SynStream: opened(frame); break;
    case SpdyFrame::SynReply:
    case SpdyFrame::Headers:
      if (stream && frame.fin) stream->take({}, true);
      break;
    case SpdyFrame::RstStream:
      if (stream) stream->end(ByteStream::End::Broken);
      break;
    case SpdyFrame::Ping: {
      bool theirs = (frame.value % 2 == 1) == (role_ == Role::Server);
      if (theirs) send(SpdyWriter::ping(frame.value));
      break;
    }
    case SpdyFrame::GoAway:  // what is open goes on; its connection tells the end
    default: break;
  }
  bool answered = frame.type == SpdyFrame::Ping || frame.type == SpdyFrame::SynStream;
  if (answered && bytes_ && bytes_->buffered() > kMaxReplies) end("the peer asks and does not read");
  return bytes_ != nullptr;
}

void SpdySession::opened(SpdyFrame& frame) {
  bool odd = frame.stream % 2 == 1;
  if (odd != (role_ == Role::Server) || frame.stream <= lastTheirs_) return end("the peer misnumbers its streams");
  lastTheirs_ = frame.stream;
  if (role_ == Role::Client || theirs_ >= kMaxStreams) return send(SpdyWriter::reset(frame.stream, kSpdyRefused));
  ++theirs_;
  auto stream = std::make_shared<SpdyStream>(this, frame.stream, std::move(frame.headers));
  streams_[stream->id()] = stream;
  send(writer_.synReply(stream->id(), {}));
  if (frame.fin) stream->take({}, true);
  if (auto tell = events_.onStream) tell(stream);
}

bool SpdySession::onData(uint32_t id, std::string_view bytes, bool fin) {
  auto self = shared_from_this();
  // Of a stream that we are through with already: both sides may have been quick.
  if (auto it = streams_.find(id); it != streams_.end()) it->second->take(bytes, fin);
  return bytes_ != nullptr;
}

void SpdySession::send(const std::string& frame) {
  if (bytes_) bytes_->write(frame);
}

void SpdySession::settle() {
  if (bytes_) bytes_->pause(pauses_ > 0);
}

void SpdySession::end(std::string why) {
  if (!bytes_) return;
  auto self = shared_from_this();
  auto tell = std::move(events_.onEnd);
  close();
  if (tell) tell(std::move(why));
}

void SpdySession::close() {
  if (!bytes_) return;
  auto self = shared_from_this();
  events_ = {};
  bytes_->finish();
  bytes_.reset();
  auto streams = std::exchange(streams_, {});
  for (auto& [id, stream] : streams) stream->end(ByteStream::End::Broken);
}

}  // namespace ph::net
