#include "engine/net/byte_stream.h"

#include <unistd.h>

#include "engine/net/sockets.h"
#include "engine/net/stream.h"

namespace ph::net {
namespace {

constexpr size_t kMaxUnderWay = 256 * 1024;  // bytes of messages between two lanes
constexpr int kReadsInTurn = 8;

class FdStream final : public ByteStream, public std::enable_shared_from_this<FdStream> {
 public:
  FdStream(std::shared_ptr<Lane> lane, int fd) : lane_(std::move(lane)), stream_(std::make_unique<Stream>(lane_, fd)) {}

  void start(Events events) override {
    events_ = std::make_shared<Events>(std::move(events));
    if (!stream_->isOpen()) return breakOff();
    wait();
  }
  void write(std::string_view bytes) override {
    if (!stream_ || finishing_ || bytes.empty()) return;
    bool idle = stream_->unsent() == 0;
    if (!stream_->write(bytes)) return breakOff();
    if (idle && stream_->unsent() > 0) waitWritable();
  }
  void finish() override {
    if (!stream_ || std::exchange(finishing_, true)) return;
    if (stream_->unsent() == 0) stream_->finish();
  }
  void pause(bool paused) override {
    paused_ = paused;
    if (!paused) wait();
  }
  size_t buffered() const override { return stream_ ? stream_->unsent() : 0; }

  // Its owner lets go of it.
  void drop() {
    if (stream_) stream_->close();
    stream_.reset();
    events_.reset();
  }

 private:
  void wait() {
    if (waiting_ || paused_ || ended_ || !stream_ || !events_) return;
    waiting_ = true;
    stream_->onReadable([self = shared_from_this()] {
      self->waiting_ = false;
      self->read();
    });
  }
  void read() {
    for (int turn = 0; turn < kReadsInTurn && stream_ && !paused_; ++turn) {
      size_t size = 0;
      auto got = stream_->read(lane_->readBuffer(), Lane::kReadRoom, size);
      if (got == Stream::Got::Nothing) return wait();
      if (got == Stream::Got::Failed) return tell(End::Broken);
      if (got == Stream::Got::End) {
        ended_ = true;
        return tell(End::Finished);
      }
      // The buffer is shared by the lane, and who gets the bytes may write.
      std::string bytes(lane_->readBuffer(), size);
      if (auto events = events_; events && events->onData) events->onData(bytes);
    }
    wait();  // others on the lane have their turn
  }
  void waitWritable() {
    stream_->onWritable([self = shared_from_this()] {
      if (!self->stream_) return;
      if (!self->stream_->sendUnsent()) return self->tell(End::Broken);
      if (self->stream_->unsent() > 0) return self->waitWritable();
      if (self->finishing_) self->stream_->finish();
      if (auto events = self->events_; events && events->onDrain) events->onDrain();
    });
  }
  // Not inside of a call of the owner's.
  void breakOff() {
    lane_->post([self = shared_from_this()] { self->tell(End::Broken); });
  }
  void tell(End end) {
    auto events = events_;
    if (!events) return;
    if (end == End::Broken) {
      if (stream_) stream_->close();
      stream_.reset();
      events_.reset();
    }
    if (events->onEnd) events->onEnd(end);
  }

  const std::shared_ptr<Lane> lane_;
  std::unique_ptr<Stream> stream_;
  std::shared_ptr<Events> events_;
  bool waiting_ = false, paused_ = false, ended_ = false, finishing_ = false;
};

// What waits in the event loop refers to the stream itself: what owners hold is this.
class FdOwner final : public ByteStream {
 public:
  explicit FdOwner(std::shared_ptr<FdStream> stream) : stream_(std::move(stream)) {}
  ~FdOwner() override { stream_->drop(); }
  void start(Events events) override { stream_->start(std::move(events)); }
  void write(std::string_view bytes) override { stream_->write(bytes); }
  void finish() override { stream_->finish(); }
  void pause(bool paused) override { stream_->pause(paused); }
  size_t buffered() const override { return stream_->buffered(); }

 private:
  std::shared_ptr<FdStream> stream_;
};

class SocketStream final : public ByteStream {
 public:
  SocketStream(std::shared_ptr<Lane> lane, std::shared_ptr<WebSocket> socket)
      : lane_(std::move(lane)), socket_(std::move(socket)), inbox_(std::make_shared<MessageInbox>(lane_, socket_)) {}
  ~SocketStream() override {
    inbox_->stop();
    *alive_ = nullptr;
    socket_->close(1000, "");
  }
  void start(Events events) override {
    *alive_ = std::make_shared<Events>(std::move(events));
    std::weak_ptr<std::shared_ptr<Events>> weak = alive_;
    auto current = [weak] {
      auto slot = weak.lock();
      return slot ? *slot : nullptr;
    };
    socket_->onDrain([lane = lane_, current] {
      lane->post([current] {
        if (auto events = current(); events && events->onDrain) events->onDrain();
      });
    });
    inbox_->start(
        [current](std::string message, bool binary) {
          if (auto events = current(); binary && events && events->onData) events->onData(message);
        },
        [current] {
          if (auto events = current(); events && events->onEnd) events->onEnd(End::Broken);
        });
  }
  void write(std::string_view bytes) override {
    if (!bytes.empty()) socket_->sendBinary(makeBuffer(std::string(bytes)));
  }
  void finish() override { socket_->close(1000, ""); }
  void pause(bool paused) override { inbox_->pause(paused); }
  size_t buffered() const override { return socket_->buffered(); }

 private:
  const std::shared_ptr<Lane> lane_;
  const std::shared_ptr<WebSocket> socket_;
  const std::shared_ptr<MessageInbox> inbox_;
  const std::shared_ptr<std::shared_ptr<Events>> alive_ = std::make_shared<std::shared_ptr<Events>>();  // lane only
};

// One connection on its way.
struct Dialing {
  std::unique_ptr<Stream> stream;
  std::optional<Deadline> deadline;
  std::function<void(Result<int>)> done;
  void finish(Result<int> result) {
    auto tell = std::exchange(done, nullptr);
    deadline.reset();
    if (stream) stream->close();
    stream.reset();
    if (tell) tell(std::move(result));
  }
};

void await(const std::shared_ptr<Lane>& lane, Result<int> begun, Duration timeout, std::function<void(Result<int>)> done) {
  if (!begun.ok()) return done(std::move(begun));
  int fd = *begun;
  // The stream waits with a descriptor of its own, since it closes what it has.
  int own = ::dup(fd);
  if (own < 0) {
    ::close(fd);
    return done(Status::unavailable("no descriptor is free"));
  }
  auto dialing = std::make_shared<Dialing>();
  dialing->done = std::move(done);
  dialing->stream = std::make_unique<Stream>(lane, own);
  dialing->deadline.emplace(*lane, [dialing = dialing.get(), fd, keep = std::weak_ptr(dialing)] {
    auto alive = keep.lock();
    if (!alive || !alive->done) return;
    ::close(fd);
    dialing->finish(Status::timeout("the connection could not be made in time"));
  });
  dialing->deadline->set(systemClock().monoNow() + timeout);
  dialing->stream->onWritable([dialing, fd] {
    if (!dialing->done) return;
    auto outcome = connectOutcome(fd);
    if (outcome.ok()) return dialing->finish(fd);
    ::close(fd);
    dialing->finish(std::move(outcome).status());
  });
}

}  // namespace

std::unique_ptr<ByteStream> makeByteStream(std::shared_ptr<Lane> lane, int fd) {
  return std::make_unique<FdOwner>(std::make_shared<FdStream>(std::move(lane), fd));
}

std::unique_ptr<ByteStream> makeByteStream(std::shared_ptr<Lane> lane, std::shared_ptr<WebSocket> socket) {
  return std::make_unique<SocketStream>(std::move(lane), std::move(socket));
}

std::shared_ptr<Lane> pickLane(const std::shared_ptr<Io>& io) { return std::static_pointer_cast<IoImpl>(io)->nextLane(); }

void dialTcp(const std::shared_ptr<Lane>& lane, const std::string& numericHost, uint16_t port, Duration timeout, std::function<void(Result<int>)> done) {
  await(lane, connectToTcp(numericHost, port), timeout, std::move(done));
}

void dialTcp(const std::shared_ptr<Lane>& lane, int socket, const std::string& numericHost, uint16_t port, Duration timeout,
             std::function<void(Result<int>)> done) {
  await(lane, connectTcp(socket, numericHost, port), timeout, std::move(done));
}

void MessageInbox::start(std::function<void(std::string, bool)> onMessage, std::function<void()> onClose) {
  onMessage_ = std::move(onMessage);
  onClose_ = std::move(onClose);
  std::weak_ptr<MessageInbox> weak = weak_from_this();
  socket_->start(
      [weak, lane = lane_](std::string message, bool binary) {
        auto self = weak.lock();
        if (!self) return;
        size_t size = message.size();
        {
          std::lock_guard lock(self->mutex_);
          self->underWay_ += size;
          self->settle();
        }
        lane->post([weak, message = std::move(message), binary, size]() mutable {
          auto self = weak.lock();
          if (!self) return;
          if (auto take = self->onMessage_) take(std::move(message), binary);
          std::lock_guard lock(self->mutex_);
          self->underWay_ -= size;
          self->settle();
        });
      },
      [weak, lane = lane_] {
        lane->post([weak] {
          auto self = weak.lock();
          if (!self) return;
          auto tell = std::exchange(self->onClose_, nullptr);
          self->onMessage_ = nullptr;
          if (tell) tell();
        });
      });
}

void MessageInbox::pause(bool paused) {
  std::lock_guard lock(mutex_);
  wanted_ = paused;
  settle();
}

void MessageInbox::settle() {
  bool now = wanted_ || underWay_ > kMaxUnderWay;
  if (std::exchange(is_, now) != now) socket_->pause(now);
}

void MessageInbox::stop() {
  onMessage_ = nullptr;
  onClose_ = nullptr;
}

}  // namespace ph::net
