#include "engine/net/websocket.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/websocket/rfc6455.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <deque>

namespace ph::net {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
namespace websocket = boost::beast::websocket;
using ErrorCode = boost::system::error_code;

constexpr size_t kMaxMessage = 4 * 1024 * 1024;  // bytes
constexpr Duration kPingInterval = std::chrono::seconds(25);
constexpr size_t kMaxQueued =
    64 * 1024 * 1024;  // bytes a writer may pile up before the connection is given up

// One of Beast's handlers, whatever its type: they can be moved but not copied.
class Completion {
 public:
  Completion() = default;
  template <class Handler>
  static Completion of(Handler handler) {
    Completion made;
    made.held_ = std::make_unique<Held<Handler>>(std::move(handler));
    return made;
  }
  explicit operator bool() const { return held_ != nullptr; }
  void operator()(ErrorCode error, size_t size) {
    auto held = std::move(held_);
    held->run(error, size);
  }

 private:
  struct Base {
    virtual ~Base() = default;
    virtual void run(ErrorCode error, size_t size) = 0;
  };
  template <class Handler>
  struct Held final : Base {
    explicit Held(Handler h) : handler(std::move(h)) {}
    void run(ErrorCode error, size_t size) override { handler(error, size); }
    Handler handler;
  };
  std::unique_ptr<Base> held_;
};

// Our Stream in the form Beast wants. Shared with operations under way.
class Pipe : public std::enable_shared_from_this<Pipe> {
 public:
  Pipe(std::unique_ptr<Stream> stream, std::string received)
      : stream_(std::move(stream)),
        lane_(stream_->lane().shared_from_this()),
        received_(std::move(received)) {}

  asio::io_context& context() { return lane_->context(); }

  void read(asio::mutable_buffer to, Completion done) {
    if (!stream_) return finish(std::move(done), asio::error::operation_aborted, 0);
    if (to.size() == 0) return finish(std::move(done), {}, 0);
    if (!received_.empty()) {
      size_t n = std::min(to.size(), received_.size());
      memcpy(to.data(), received_.data(), n);
      received_.erase(0, n);
      return finish(std::move(done), {}, n);
    }
    size_t size = 0;
    switch (stream_->read(static_cast<char*>(to.data()), to.size(), size)) {
      case Stream::Got::Data:
        return finish(std::move(done), {}, size);
      case Stream::Got::End:
        return finish(std::move(done), asio::error::eof, 0);
      case Stream::Got::Failed:
        return finish(std::move(done), asio::error::connection_reset, 0);
      case Stream::Got::Nothing:
        break;
    }
    reading_ = std::move(done);
    room_ = to;
    stream_->onReadable([self = shared_from_this()] {
      if (self->reading_) self->read(self->room_, std::move(self->reading_));
    });
  }

  template <class Buffers>
  void write(const Buffers& buffers, Completion done) {
    if (!stream_) return finish(std::move(done), asio::error::operation_aborted, 0);
    std::string& out = lane_->writeBuffer();
    out.clear();
    for (auto it = asio::buffer_sequence_begin(buffers); it != asio::buffer_sequence_end(buffers); ++it) {
      asio::const_buffer piece = *it;
      out.append(static_cast<const char*>(piece.data()), piece.size());
    }
    if (!stream_->write(out)) return finish(std::move(done), asio::error::connection_reset, 0);
    if (stream_->unsent() == 0) return finish(std::move(done), {}, out.size());
    writing_ = std::move(done);
    written_ = out.size();
    waitWritten();
  }

  void close() {
    if (!stream_) return;
    stream_->close();
    stream_.reset();
    if (reading_) finish(std::move(reading_), asio::error::operation_aborted, 0);
    if (writing_) finish(std::move(writing_), asio::error::operation_aborted, 0);
  }
  void finishWriting() {
    if (stream_) stream_->finish();
  }

 private:
  void finish(Completion done, ErrorCode error, size_t size) {
    asio::post(context(), [done = std::move(done), error, size]() mutable { done(error, size); });
  }
  void waitWritten() {
    stream_->onWritable([self = shared_from_this()] {
      if (!self->writing_) return;
      if (!self->stream_->sendUnsent())
        return self->finish(std::move(self->writing_), asio::error::connection_reset, 0);
      if (self->stream_->unsent() > 0) return self->waitWritten();
      self->finish(std::move(self->writing_), {}, self->written_);
    });
  }

  std::unique_ptr<Stream> stream_;
  std::shared_ptr<Lane> lane_;
  std::string received_;
  Completion reading_, writing_;
  asio::mutable_buffer room_;
  size_t written_ = 0;
};

class BeastStream {
 public:
  using executor_type = asio::io_context::executor_type;
  explicit BeastStream(std::shared_ptr<Pipe> pipe) : pipe_(std::move(pipe)) {}
  executor_type get_executor() { return pipe_->context().get_executor(); }
  Pipe& pipe() { return *pipe_; }

  template <class Buffers, class Token>
  auto async_read_some(const Buffers& buffers, Token&& token) {
    return asio::async_initiate<Token, void(ErrorCode, size_t)>(
        [pipe = pipe_](auto handler, const Buffers& into) {
          asio::mutable_buffer first;
          for (auto it = asio::buffer_sequence_begin(into); it != asio::buffer_sequence_end(into); ++it) {
            first = *it;
            if (first.size() > 0) break;
          }
          pipe->read(first, Completion::of(std::move(handler)));
        },
        token, buffers);
  }
  template <class Buffers, class Token>
  auto async_write_some(const Buffers& buffers, Token&& token) {
    return asio::async_initiate<Token, void(ErrorCode, size_t)>(
        [pipe = pipe_](auto handler, const Buffers& from) {
          pipe->write(from, Completion::of(std::move(handler)));
        },
        token, buffers);
  }

 private:
  std::shared_ptr<Pipe> pipe_;
};

// Beast finds these three by their argument.
void beast_close_socket(BeastStream& stream) {
  stream.pipe().close();
}
[[maybe_unused]] void teardown(beast::role_type, BeastStream& stream, ErrorCode& error) {
  error = {};
  stream.pipe().finishWriting();
}
template <class Handler>
void async_teardown(beast::role_type, BeastStream& stream, Handler&& handler) {
  stream.pipe().finishWriting();
  asio::post(stream.get_executor(),
             [handler = std::forward<Handler>(handler)]() mutable { handler(ErrorCode()); });
}

using Beast = websocket::stream<BeastStream, false>;

// Beast keeps operations under way inside its stream: they refer weakly to us, who own that stream. Who made
// us and the user's WebSocket keep us.
class Connection final : public WebSocketConnection,
                         public Wakeable,
                         public std::enable_shared_from_this<Connection> {
 public:
  Connection(std::unique_ptr<Stream> stream, std::string received, WebSocketReady ready, Task gone)
      : lane_(stream->lane().shared_from_this()),
        pipe_(std::make_shared<Pipe>(std::move(stream), std::move(received))),
        beast_(std::make_unique<Beast>(pipe_)),
        ready_(std::move(ready)),
        gone_(std::move(gone)) {
    websocket::stream_base::timeout timeout{};
    timeout.handshake_timeout = std::chrono::seconds(15);
    // A peer that was paused answers no ping; one that is dead is noticed by the stream below. So pings are sent (pingLater),
    // for what forgets quiet connections on the way, but not waited for.
    timeout.idle_timeout = websocket::stream_base::none();
    timeout.keep_alive_pings = false;
    beast_->set_option(timeout);
    beast_->read_message_max(kMaxMessage);
    beast_->auto_fragment(false);
  }

  void accept(const Request& request, const std::string& subprotocol);
  void connect(const Request& request, const std::string& host, const std::string& subprotocols);

  // Any thread.
  void send(Buffer message, bool binary);
  void closeBy(uint16_t code, std::string reason);
  void start(std::function<void(std::string, bool)> onMessage, std::function<void()> onClose);
  void pause(bool paused);
  void onDrain(std::function<void()> callback);
  size_t buffered() const { return buffered_.load(std::memory_order_relaxed); }
  const std::string& subprotocol() const { return subprotocol_; }

  // Lane.
  void drop() override { ended(); }
  void onWake() override { pump(); }

 private:
  struct Message {
    Buffer bytes;
    bool binary;
  };
  bool wantsClose() {
    std::lock_guard lock(mutex_);
    return wantClose_.has_value();
  }
  void opened();
  void failed(Status why);
  void readNext();
  void pump();
  void pingLater();
  void ended();

  const std::shared_ptr<Lane> lane_;
  std::shared_ptr<Pipe> pipe_;
  std::unique_ptr<Beast> beast_;
  WebSocketReady ready_;
  Task gone_;
  beast::flat_buffer input_;
  websocket::response_type response_;
  std::string subprotocol_;  // set before the WebSocket is handed out
  bool open_ = false, ended_ = false, writing_ = false, closing_ = false, reading_ = false, pinging_ = false;
  std::optional<Deadline> ping_;
  std::function<void(std::string, bool)> onMessage_;

  std::mutex mutex_;  // guards what follows
  std::deque<Message> queue_;
  std::optional<websocket::close_reason> wantClose_;
  std::function<void(std::string, bool)> newOnMessage_;
  std::function<void()> onClose_, onDrain_;
  bool woken_ = false, dead_ = false;
  std::atomic<size_t> buffered_{0};
  std::atomic<bool> paused_{false};
};

// What users hold.
class Handle final : public WebSocket {
 public:
  explicit Handle(std::shared_ptr<Connection> connection) : connection_(std::move(connection)) {}
  ~Handle() override { connection_->closeBy(websocket::close_code::going_away, {}); }
  void sendBinary(Buffer message) override { connection_->send(std::move(message), true); }
  void sendText(Buffer message) override { connection_->send(std::move(message), false); }
  void close(uint16_t code, std::string reason) override { connection_->closeBy(code, std::move(reason)); }
  size_t buffered() const override { return connection_->buffered(); }
  void pause(bool paused) override { connection_->pause(paused); }
  void onDrain(std::function<void()> callback) override { connection_->onDrain(std::move(callback)); }
  std::string subprotocol() const override { return connection_->subprotocol(); }
  void start(std::function<void(std::string, bool)> onMessage, std::function<void()> onClose) override {
    connection_->start(std::move(onMessage), std::move(onClose));
  }

 private:
  std::shared_ptr<Connection> connection_;
};

void Connection::accept(const Request& request, const std::string& subprotocol) {
  http::request<http::empty_body> message;
  message.version(11);
  message.method_string(request.method);
  message.target(request.path);
  for (auto& [name, value] : request.headers.all()) message.insert(name, value);
  subprotocol_ = subprotocol;
  beast_->set_option(websocket::stream_base::decorator([subprotocol](websocket::response_type& response) {
    if (!subprotocol.empty()) response.set(http::field::sec_websocket_protocol, subprotocol);
  }));
  beast_->async_accept(message, [weak = weak_from_this()](ErrorCode error) {
    auto self = weak.lock();
    if (!self) return;
    if (error) return self->failed(Status::badRequest("the WebSocket upgrade failed: " + error.message()));
    self->opened();
  });
}

void Connection::connect(const Request& request, const std::string& host, const std::string& subprotocols) {
  beast_->set_option(websocket::stream_base::decorator(
      [headers = request.headers, subprotocols](websocket::request_type& message) {
        for (auto& [name, value] : headers.all()) message.insert(name, value);
        if (!subprotocols.empty()) message.set(http::field::sec_websocket_protocol, subprotocols);
      }));
  std::string target = request.query.empty() ? request.path : request.path + "?" + request.query;
  beast_->async_handshake(response_, host, target, [weak = weak_from_this()](ErrorCode error) {
    auto self = weak.lock();
    if (!self) return;
    auto& response = self->response_;
    if (!error) {
      auto chosen = response[http::field::sec_websocket_protocol];
      self->subprotocol_.assign(chosen.data(), chosen.size());
      return self->opened();
    }
    if (error == websocket::error::upgrade_declined && response.result_int() >= 300)
      return self->failed({int(response.result_int()), "", response.body()});
    self->failed(Status::unavailable("the WebSocket handshake failed: " + error.message()));
  });
}

void Connection::opened() {
  if (ended_) return;
  open_ = true;
  auto ready = std::move(ready_);
  ready_ = nullptr;
  ready(std::shared_ptr<WebSocket>(std::make_shared<Handle>(shared_from_this())));
  pump();
  pingLater();
}

void Connection::pingLater() {
  if (ended_) return;
  if (!ping_)
    ping_.emplace(*lane_, [this] {
      if (ended_) return;
      if (!pinging_ && !closing_ && !wantsClose()) {
        pinging_ = true;
        beast_->async_ping({}, [weak = weak_from_this()](ErrorCode error) {
          auto self = weak.lock();
          if (!self) return;
          self->pinging_ = false;
          if (error && !self->ended_ && !self->closing_) return self->ended();
          self->pump();  // a close may have waited
        });
      }
      pingLater();
    });
  ping_->set(systemClock().monoNow() + kPingInterval);
}

void Connection::failed(Status why) {
  if (auto ready = std::exchange(ready_, nullptr)) ready(std::move(why));
  ended();
}

void Connection::send(Buffer message, bool binary) {
  if (!message) return;
  {
    std::lock_guard lock(mutex_);
    if (dead_ || wantClose_) return;
    if (buffered_.fetch_add(message->size(), std::memory_order_relaxed) + message->size() > kMaxQueued) {
      queue_.clear();
      wantClose_ = websocket::close_reason(websocket::close_code::try_again_later);
    } else {
      queue_.push_back({std::move(message), binary});
    }
    if (std::exchange(woken_, true)) return;
  }
  lane_->wake(shared_from_this());
}

void Connection::closeBy(uint16_t code, std::string reason) {
  {
    std::lock_guard lock(mutex_);
    if (dead_ || wantClose_) return;
    websocket::close_reason why{websocket::close_code(code)};
    why.reason.assign(reason.substr(0, 123));  // what fits a control frame
    wantClose_ = why;
    if (std::exchange(woken_, true)) return;
  }
  lane_->wake(shared_from_this());
}

void Connection::start(std::function<void(std::string, bool)> onMessage, std::function<void()> onClose) {
  {
    std::lock_guard lock(mutex_);
    if (!dead_) {
      newOnMessage_ = std::move(onMessage);
      onClose_ = std::move(onClose);
      if (std::exchange(woken_, true)) return;
    }
  }
  if (onClose) return lane_->post(std::move(onClose));
  lane_->wake(shared_from_this());
}

void Connection::pause(bool paused) {
  if (paused_.exchange(paused, std::memory_order_acq_rel) == paused || paused) return;
  {
    std::lock_guard lock(mutex_);
    if (dead_ || std::exchange(woken_, true)) return;
  }
  lane_->wake(shared_from_this());
}

void Connection::onDrain(std::function<void()> callback) {
  std::lock_guard lock(mutex_);
  onDrain_ = std::move(callback);
}

void Connection::pump() {
  std::unique_lock lock(mutex_);
  woken_ = false;
  if (ended_ || !open_) return;
  if (newOnMessage_) onMessage_ = std::exchange(newOnMessage_, nullptr);
  bool startReading = onMessage_ && !reading_ && !closing_ && !paused_.load(std::memory_order_acquire);
  if (!writing_ && !queue_.empty()) {
    writing_ = true;
    Message message = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    beast_->binary(message.binary);
    asio::const_buffer bytes(message.bytes->data(), message.bytes->size());
    beast_->async_write(bytes, [weak = weak_from_this(), message](ErrorCode error, size_t) {
      auto self = weak.lock();
      if (!self) return;
      bool drained = self->buffered_.fetch_sub(message.bytes->size(), std::memory_order_relaxed) == message.bytes->size();
      self->writing_ = false;
      if (self->ended_) return;
      if (error) return self->ended();
      std::function<void()> tell;
      if (drained) {
        std::lock_guard lock(self->mutex_);
        tell = self->onDrain_;
      }
      if (tell) tell();
      self->pump();
    });
  } else if (!writing_ && wantClose_ && !closing_ && !pinging_) {
    closing_ = true;
    auto why = *wantClose_;
    lock.unlock();
    beast_->async_close(why, [weak = weak_from_this()](ErrorCode) {
      if (auto self = weak.lock()) self->ended();
    });
  } else {
    lock.unlock();
  }
  if (startReading) readNext();
}

void Connection::readNext() {
  reading_ = true;
  beast_->async_read(input_, [weak = weak_from_this()](ErrorCode error, size_t) {
    auto self = weak.lock();
    if (!self || self->ended_) return;
    if (error) {
      // A close of our own ends when its handshake does.
      if (!self->closing_) self->ended();
      return;
    }
    std::string message(static_cast<const char*>(self->input_.data().data()), self->input_.size());
    self->input_.consume(self->input_.size());
    if (self->input_.capacity() > 64 * 1024) self->input_.shrink_to_fit();
    self->onMessage_(std::move(message), self->beast_->got_binary());
    self->reading_ = false;
    if (!self->ended_) self->pump();
  });
}

void Connection::ended() {
  if (std::exchange(ended_, true)) return;
  auto self = shared_from_this();
  std::function<void()> onClose;
  {
    std::lock_guard lock(mutex_);
    dead_ = true;
    queue_.clear();
    newOnMessage_ = nullptr;
    onClose = std::move(onClose_);
    onClose_ = nullptr;
    onDrain_ = nullptr;
  }
  pipe_->close();
  ping_.reset();
  if (auto ready = std::exchange(ready_, nullptr)) ready(Status::unavailable("the connection is gone"));
  if (onClose) onClose();
  auto gone = std::exchange(gone_, nullptr);
  if (gone) gone();
  // Not here and now: this may run inside a message callback or one of Beast's completions. Whether or not
  // the lane still gets to the task, it lets go of all this.
  lane_->post([self, onMessage = std::exchange(onMessage_, nullptr),
               beast = std::shared_ptr<Beast>(std::move(beast_)), pipe = std::move(pipe_)] {});
}

}  // namespace

bool isWebSocketUpgrade(const Request& request) {
  auto names = [](std::string_view list, std::string_view wanted) {
    for (size_t at = 0; at + wanted.size() <= list.size(); ++at)
      if (beast::iequals({list.data() + at, wanted.size()}, {wanted.data(), wanted.size()})) return true;
    return false;
  };
  return request.method == "GET" && names(request.headers.get("upgrade"), "websocket") &&
         names(request.headers.get("connection"), "upgrade");
}

std::shared_ptr<WebSocketConnection> acceptWebSocket(std::unique_ptr<Stream> stream, std::string received,
                                                     const Request& request, const std::string& subprotocol,
                                                     WebSocketReady ready, Task gone) {
  auto connection =
      std::make_shared<Connection>(std::move(stream), std::move(received), std::move(ready), std::move(gone));
  connection->accept(request, subprotocol);
  return connection;
}

std::shared_ptr<WebSocketConnection> connectWebSocket(std::unique_ptr<Stream> stream, const Request& request,
                                                      const std::string& host,
                                                      const std::string& subprotocols, WebSocketReady ready,
                                                      Task gone) {
  auto connection =
      std::make_shared<Connection>(std::move(stream), std::string(), std::move(ready), std::move(gone));
  connection->connect(request, host, subprotocols);
  return connection;
}

}  // namespace ph::net
