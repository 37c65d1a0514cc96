#include <fmt/format.h>
#include <nghttp2/nghttp2.h>

#include <unordered_map>

#include "engine/net/client_session.h"
#include "engine/net/h2_common.h"

namespace ph::net {

namespace {

constexpr size_t kMaxHead = 256 * 1024;  // bytes of headers or trailers taken from a server

class ClientH2 final : public ClientSession {
 public:
  explicit ClientH2(const ClientSessionOptions& options);
  ~ClientH2() override { nghttp2_session_del(session_); }

  void receive(std::string_view bytes) override;
  void inputEnded() override { fail("by the server"); }
  void fill(std::string& out, size_t room) override;
  void start(const std::shared_ptr<ClientExchange>& exchange) override;
  void news(const std::shared_ptr<ClientExchange>& exchange) override;
  bool canStart() const override {
    return !failed_ && !goingAway_ && nghttp2_session_check_request_allowed(session_);
  }
  bool idle() const override { return streams_.empty(); }
  bool finished() const override {
    return failed_ || (!nghttp2_session_want_read(session_) && !nghttp2_session_want_write(session_)) ||
           (goingAway_ && streams_.empty());
  }
  std::string why() const override { return why_; }
  void abandon(const Status& why) override;
  MonoTime deadline() const override { return lastInput_ + options_.pingInterval * (pinged_ ? 2 : 1); }
  void onDeadline(MonoTime now) override;

 private:
  struct Stream {
    std::shared_ptr<ClientExchange> exchange;
    H2Body body;
    int status = 0;
    Headers headers, trailers;
    size_t headBytes = 0;
    size_t held = 0;        // bytes taken while paused: the server's window does not open again for them yet
    bool headDone = false;  // the final head was delivered
    bool received = false;  // END_STREAM came
  };

  static nghttp2_session_callbacks* callbacks();
  static int onHeader(nghttp2_session*, const nghttp2_frame* frame, const uint8_t* name, size_t nameSize,
                      const uint8_t* value, size_t valueSize, uint8_t flags, void* self);
  static int onFrame(nghttp2_session*, const nghttp2_frame* frame, void* self);
  static int onData(nghttp2_session*, uint8_t flags, int32_t id, const uint8_t* data, size_t size,
                    void* self);
  static int onClose(nghttp2_session*, int32_t id, uint32_t error, void* self);

  Stream* find(int32_t id) {
    auto it = streams_.find(id);
    return it == streams_.end() ? nullptr : it->second.get();
  }
  void header(Stream& stream, std::string_view name, std::string_view value);
  void headDone(Stream& stream);
  void release(Stream& stream, int32_t id);
  void ended(Stream& stream, int32_t id);
  void fail(std::string why) {
    if (!failed_) why_ = std::move(why);
    failed_ = true;
  }

  ClientSessionOptions options_;
  nghttp2_session* session_ = nullptr;
  std::unordered_map<int32_t, std::unique_ptr<Stream>> streams_;
  H2Output output_;
  bool failed_ = false, goingAway_ = false, pinged_ = false;
  std::string why_ = "by the server";
  MonoTime lastInput_{};
};

nghttp2_session_callbacks* ClientH2::callbacks() {
  static nghttp2_session_callbacks* const made = [] {
    nghttp2_session_callbacks* c = nullptr;
    nghttp2_session_callbacks_new(&c);
    H2Output::install(c);
    nghttp2_session_callbacks_set_on_header_callback(c, onHeader);
    nghttp2_session_callbacks_set_on_frame_recv_callback(c, onFrame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(c, onData);
    nghttp2_session_callbacks_set_on_stream_close_callback(c, onClose);
    return c;
  }();
  return made;
}

ClientH2::ClientH2(const ClientSessionOptions& options) : options_(options) {
  lastInput_ = systemClock().monoNow();
  nghttp2_option* option = nullptr;
  nghttp2_option_new(&option);
  nghttp2_option_set_no_closed_streams(option, 1);
  nghttp2_option_set_no_auto_window_update(option, 1);
  nghttp2_session_client_new2(&session_, callbacks(), static_cast<H2Host*>(&output_), option);
  nghttp2_option_del(option);
  output_.owner = this;
  nghttp2_settings_entry settings[] = {
      {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, kH2StreamWindow},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, uint32_t(kMaxHead)},
  };
  nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings, std::size(settings));
  nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE, 0, kH2ConnectionWindow);
}

void ClientH2::start(const std::shared_ptr<ClientExchange>& exchange) {
  auto stream = std::make_unique<Stream>();
  stream->exchange = exchange;
  auto& request = exchange->request;
  auto& body = stream->body;
  if (!request.body.empty()) body.queue.push(makeBuffer(std::move(request.body)));
  body.ended = !exchange->openBody;
  auto news = exchange->take();
  body.queue.push(news.chunks);
  if (news.ended) body.ended = true;

  std::string path = request.path.empty() ? "/" : request.path;
  if (!request.query.empty()) path += "?" + request.query;
  auto host = request.headers.get("host");
  std::string length;
  std::vector<nghttp2_nv> fields;
  fields.reserve(request.headers.all().size() + 5);
  fields.push_back(h2Field(":method", request.method));
  fields.push_back(h2Field(":scheme", options_.secure ? "https" : "http"));
  fields.push_back(h2Field(":authority", host.empty() ? std::string_view(options_.authority) : host));
  fields.push_back(h2Field(":path", path));
  h2AppendHeaders(request.headers, fields);
  bool hasBody = exchange->openBody || !body.queue.empty();
  if (!exchange->openBody && hasBody && !request.headers.has("content-length")) {
    length = std::to_string(body.queue.bytes());
    fields.push_back(h2Field("content-length", length));
  }
  nghttp2_data_provider provider = body.provider();
  int32_t id = nghttp2_submit_request(session_, nullptr, fields.data(), fields.size(),
                                      hasBody ? &provider : nullptr, nullptr);
  if (id < 0) {
    exchange->deliverEnd(Status::unavailable(std::string("HTTP/2: ") + nghttp2_strerror(id)));
    return;
  }
  exchange->streamId = id;
  streams_[id] = std::move(stream);
}

void ClientH2::news(const std::shared_ptr<ClientExchange>& exchange) {
  Stream* stream = find(exchange->streamId);
  if (!stream || stream->exchange != exchange) return;
  auto news = exchange->take();
  if (exchange->cancelled() || exchange->ended()) {
    nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, exchange->streamId, NGHTTP2_CANCEL);
    return;
  }
  release(*stream, exchange->streamId);
  stream->body.queue.push(news.chunks);
  if (news.ended) stream->body.ended = true;
  stream->body.resume(session_, exchange->streamId);
}

void ClientH2::fill(std::string& out, size_t room) {
  if (failed_) return;
  output_.begin(out, room);
  int error = nghttp2_session_send(session_);
  output_.end();
  if (error != 0) fail(nghttp2_strerror(error));
  for (auto& [id, bytes] : output_.pulled) {
    Stream* stream = find(id);
    if (stream && stream->exchange->openBody) stream->exchange->pulled(bytes);
  }
  output_.pulled.clear();
}

void ClientH2::receive(std::string_view bytes) {
  if (failed_) return;
  lastInput_ = systemClock().monoNow();
  pinged_ = false;
  auto used =
      nghttp2_session_mem_recv(session_, reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
  if (used < 0) fail(nghttp2_strerror(int(used)));
}

int ClientH2::onHeader(nghttp2_session*, const nghttp2_frame* frame, const uint8_t* name, size_t nameSize,
                       const uint8_t* value, size_t valueSize, uint8_t, void* user) {
  auto* self = H2Output::ownerOf<ClientH2>(user);
  if (frame->hd.type != NGHTTP2_HEADERS) return 0;
  if (Stream* stream = self->find(frame->hd.stream_id)) {
    self->header(*stream, {reinterpret_cast<const char*>(name), nameSize},
                 {reinterpret_cast<const char*>(value), valueSize});
    if (stream->headBytes > kMaxHead) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  }
  return 0;
}

void ClientH2::header(Stream& stream, std::string_view name, std::string_view value) {
  stream.headBytes += name.size() + value.size() + 32;
  if (name == ":status") {
    stream.status = 0;
    for (char c : value) stream.status = stream.status * 10 + (c - '0');
  } else if (!name.starts_with(':')) {
    (stream.headDone ? stream.trailers : stream.headers).add(std::string(name), std::string(value));
  }
}

int ClientH2::onFrame(nghttp2_session*, const nghttp2_frame* frame, void* user) {
  auto* self = H2Output::ownerOf<ClientH2>(user);
  if (frame->hd.type == NGHTTP2_GOAWAY) {
    self->goingAway_ = true;
    self->why_ = "the server is going away";
    return 0;
  }
  if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA) return 0;
  int32_t id = frame->hd.stream_id;
  Stream* stream = self->find(id);
  if (!stream) return 0;
  if (frame->hd.type == NGHTTP2_HEADERS && !stream->headDone) self->headDone(*stream);
  if (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) self->ended(*stream, id);
  return 0;
}

void ClientH2::release(Stream& stream, int32_t id) {
  if (stream.held == 0 || stream.exchange->paused()) return;
  nghttp2_session_consume_stream(session_, id, std::exchange(stream.held, 0));
}

void ClientH2::headDone(Stream& stream) {
  if (stream.status < 200) {  // 100 Continue and the like
    stream.headers = Headers();
    return;
  }
  stream.headDone = true;
  stream.exchange->deliverHead(stream.status, stream.headers);
}

void ClientH2::ended(Stream& stream, int32_t id) {
  stream.received = true;
  stream.exchange->deliverEnd(std::move(stream.trailers));
  // It answered before we were through: what is left of our body is of no use.
  if (!stream.body.ended || !stream.body.queue.empty())
    nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, id, NGHTTP2_CANCEL);
}

int ClientH2::onData(nghttp2_session*, uint8_t, int32_t id, const uint8_t* data, size_t size, void* user) {
  auto* self = H2Output::ownerOf<ClientH2>(user);
  nghttp2_session_consume_connection(self->session_, size);
  Stream* stream = self->find(id);
  if (!stream) return 0;
  stream->held += size;
  stream->exchange->deliverData({reinterpret_cast<const char*>(data), size});
  self->release(*stream, id);
  return 0;
}

int ClientH2::onClose(nghttp2_session*, int32_t id, uint32_t error, void* user) {
  auto* self = H2Output::ownerOf<ClientH2>(user);
  auto it = self->streams_.find(id);
  if (it == self->streams_.end()) return 0;
  auto stream = std::move(it->second);
  self->streams_.erase(it);
  if (stream->exchange->ended()) return 0;
  if (error == NGHTTP2_NO_ERROR && stream->received) {
    stream->exchange->deliverEnd(std::move(stream->trailers));
  } else {
    stream->exchange->deliverEnd(Status::unavailable(
        fmt::format("the server broke off the answer: {}", nghttp2_http2_strerror(error))));
  }
  return 0;
}

void ClientH2::abandon(const Status& why) {
  failed_ = true;
  auto streams = std::move(streams_);
  streams_.clear();
  for (auto& [id, stream] : streams) stream->exchange->deliverEnd(why);
  // nghttp2 may still refer to the bodies.
  nghttp2_session_del(session_);
  session_ = nullptr;
}

void ClientH2::onDeadline(MonoTime now) {
  if (pinged_ && now >= lastInput_ + options_.pingInterval * 2) {
    fail("it did not answer a ping");
  } else if (!pinged_ && now >= lastInput_ + options_.pingInterval) {
    nghttp2_submit_ping(session_, NGHTTP2_FLAG_NONE, nullptr);
    pinged_ = true;
  }
}

}  // namespace

std::unique_ptr<ClientSession> makeClientH2(const ClientSessionOptions& options) {
  return std::make_unique<ClientH2>(options);
}

}  // namespace ph::net
