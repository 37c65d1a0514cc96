#include <fmt/format.h>
#include <nghttp2/nghttp2.h>

#include <unordered_map>

#include "engine/base/log.h"
#include "engine/net/chunk_queue.h"
#include "engine/net/h2_common.h"
#include "engine/net/session.h"
#include "engine/net/status_body.h"

namespace ph::net {

namespace {

class H2Session final : public Session {
 public:
  explicit H2Session(SessionHost& host);
  ~H2Session() override {
    for (auto& [id, stream] : streams_) dropBody(*stream);
    nghttp2_session_del(session_);
  }

  void receive(std::string_view bytes) override;
  bool wantsInput() const override { return !failed_; }
  void inputEnded() override { broken_ = true; }
  void answer(const std::shared_ptr<Exchange>& exchange) override;
  void fill(std::string& out, size_t room) override;
  bool finished() const override {
    return failed_ || (!nghttp2_session_want_read(session_) && !nghttp2_session_want_write(session_));
  }
  bool broken() const override { return broken_; }
  void beginStop() override;
  void abandon() override;
  MonoTime deadline() const override;
  void onDeadline(MonoTime now) override;

 private:
  struct Stream {
    int32_t id = 0;
    Request request;
    std::shared_ptr<Exchange> exchange;  // once dispatched
    size_t headerBytes = 0, counted = 0;  // counted: bytes of the body that the host knows of
    bool headTooLarge = false, headDone = false, received = false, refused = false;
    H2Body answer;
    bool begun = false;
    MonoTime began{}, activity{};
    MonoTime due(const ServerLimits& limits) const { return std::min(activity + limits.bodyTimeout, began + limits.requestTimeout); }
  };

  static nghttp2_session_callbacks* callbacks();
  static int onBeginHeaders(nghttp2_session*, const nghttp2_frame* frame, void* self);
  static int onHeader(nghttp2_session*, const nghttp2_frame* frame, const uint8_t* name, size_t nameSize,
                      const uint8_t* value, size_t valueSize, uint8_t flags, void* self);
  static int onFrame(nghttp2_session*, const nghttp2_frame* frame, void* self);
  static int onFrameSent(nghttp2_session*, const nghttp2_frame* frame, void* self);
  static int onData(nghttp2_session*, uint8_t flags, int32_t id, const uint8_t* data, size_t size,
                    void* self);
  static int onClose(nghttp2_session*, int32_t id, uint32_t error, void* self);

  Stream* find(int32_t id) {
    auto it = streams_.find(id);
    return it == streams_.end() ? nullptr : it->second.get();
  }
  void header(Stream& stream, std::string_view name, std::string_view value);
  void headDone(Stream& stream, bool last);
  void bodyDone(Stream& stream);
  void dropBody(Stream& stream) { host_.giveBodyBytes(std::exchange(stream.counted, 0)); }
  void refuse(Stream& stream, const Status& status);
  void submit(Stream& stream, int status, const Headers& headers, bool whole);

  SessionHost& host_;
  nghttp2_session* session_ = nullptr;
  std::unordered_map<int32_t, std::unique_ptr<Stream>> streams_;
  H2Output output_;
  bool failed_ = false, broken_ = false, stopping_ = false, pinged_ = false;
  int receiving_ = 0;  // streams whose request is not complete
  MonoTime lastInput_{}, receivingCheck_{};
};

nghttp2_session_callbacks* H2Session::callbacks() {
  static nghttp2_session_callbacks* const made = [] {
    nghttp2_session_callbacks* c = nullptr;
    nghttp2_session_callbacks_new(&c);
    H2Output::install(c);
    nghttp2_session_callbacks_set_on_begin_headers_callback(c, onBeginHeaders);
    nghttp2_session_callbacks_set_on_header_callback(c, onHeader);
    nghttp2_session_callbacks_set_on_frame_recv_callback(c, onFrame);
    nghttp2_session_callbacks_set_on_frame_send_callback(c, onFrameSent);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(c, onData);
    nghttp2_session_callbacks_set_on_stream_close_callback(c, onClose);
    return c;
  }();
  return made;
}

H2Session::H2Session(SessionHost& host) : host_(host) {
  lastInput_ = systemClock().monoNow();
  nghttp2_option* option = nullptr;
  nghttp2_option_new(&option);
  nghttp2_option_set_no_closed_streams(option, 1);
  // Blanks around a value are forbidden, but Go's clients send them (a user agent that ends in one), and Go's servers take them.
  nghttp2_option_set_no_rfc9113_leading_and_trailing_ws_validation(option, 1);
  nghttp2_session_server_new2(&session_, callbacks(), static_cast<H2Host*>(&output_), option);
  nghttp2_option_del(option);
  output_.owner = this;
  auto& limits = host_.limits();
  nghttp2_settings_entry settings[] = {
      {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, uint32_t(limits.maxStreamsPerConnection)},
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, kH2StreamWindow},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, uint32_t(std::min<size_t>(limits.maxHeader, UINT32_MAX))},
      // RFC 9113 has given the old priorities up, and no client of ours sends them: no tree of streams is kept.
      {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
  };
  nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings, std::size(settings));
  nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE, 0, kH2ConnectionWindow);
}

void H2Session::receive(std::string_view bytes) {
  if (failed_) return;
  lastInput_ = systemClock().monoNow();
  pinged_ = false;
  auto used =
      nghttp2_session_mem_recv(session_, reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
  if (used < 0) {
    PH_LOG(Debug, "net", "HTTP/2: {}", nghttp2_strerror(int(used)));
    failed_ = true;
  }
}

int H2Session::onBeginHeaders(nghttp2_session*, const nghttp2_frame* frame, void* user) {
  auto* self = H2Output::ownerOf<H2Session>(user);
  if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST) return 0;
  auto stream = std::make_unique<Stream>();
  stream->id = frame->hd.stream_id;
  stream->request.httpMajor = 2;
  stream->began = stream->activity = self->lastInput_;
  self->streams_[stream->id] = std::move(stream);
  if (self->receiving_++ == 0) self->receivingCheck_ = self->lastInput_ + self->host_.limits().bodyTimeout;
  return 0;
}

int H2Session::onHeader(nghttp2_session*, const nghttp2_frame* frame, const uint8_t* name, size_t nameSize,
                        const uint8_t* value, size_t valueSize, uint8_t, void* user) {
  auto* self = H2Output::ownerOf<H2Session>(user);
  Stream* stream = self->find(frame->hd.stream_id);
  if (!stream || stream->headDone) return 0;  // a request's trailers mean nothing to us
  self->header(*stream, {reinterpret_cast<const char*>(name), nameSize},
               {reinterpret_cast<const char*>(value), valueSize});
  return 0;
}

void H2Session::header(Stream& stream, std::string_view name, std::string_view value) {
  stream.headerBytes += name.size() + value.size() + 32;
  if (stream.headerBytes > host_.limits().maxHeader) {
    stream.headTooLarge = true;
    stream.request.headers = Headers();
  }
  if (stream.headTooLarge) return;
  auto& request = stream.request;
  if (!name.starts_with(':')) {
    request.headers.add(std::string(name), std::string(value));
  } else if (name == ":method") {
    request.method = value;
  } else if (name == ":path") {
    size_t mark = value.find('?');
    request.path = value.substr(0, mark);
    if (mark != value.npos) request.query = value.substr(mark + 1);
  } else if (name == ":authority") {
    request.headers.add("host", std::string(value));
  }
}

int H2Session::onFrame(nghttp2_session* session, const nghttp2_frame* frame, void* user) {
  auto* self = H2Output::ownerOf<H2Session>(user);
  if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA) return 0;
  Stream* stream = self->find(frame->hd.stream_id);
  if (!stream) return 0;
  bool last = frame->hd.flags & NGHTTP2_FLAG_END_STREAM;
  if (frame->hd.type == NGHTTP2_HEADERS && !stream->headDone) {
    stream->headDone = true;
    self->headDone(*stream, last);
  }
  (void)session;
  if (last && !stream->received) self->bodyDone(*stream);
  return 0;
}

void H2Session::headDone(Stream& stream, bool last) {
  auto& request = stream.request;
  auto& limits = host_.limits();
  if (stream.headTooLarge)
    return refuse(stream,
                  {431, "RequestHeaderFieldsTooLarge",
                   fmt::format("the request head is too large: {} bytes are allowed", limits.maxHeader)});
  if (request.method == "CONNECT" || request.path.empty() || request.path[0] != '/')
    return refuse(stream, Status::badRequest("the request target is not a path"));
  if (last) return;
  uint64_t declared = 0;
  auto text = request.headers.get("content-length");
  for (char c : text) declared = std::min<uint64_t>(declared * 10 + uint64_t(c - '0'), uint64_t(1) << 50);
  if (declared > limits.maxBody)
    return refuse(stream, Status::tooLarge(fmt::format("the request body is too large: {} bytes are allowed",
                                                       limits.maxBody)));
  if (declared > 0) request.body.reserve(std::min<size_t>(size_t(declared), 64 * 1024));
  if (request.headers.get("expect") == "100-continue") {
    nghttp2_nv status = h2Field(":status", "100");
    nghttp2_submit_headers(session_, NGHTTP2_FLAG_NONE, stream.id, nullptr, &status, 1, nullptr);
  }
}

int H2Session::onData(nghttp2_session*, uint8_t, int32_t id, const uint8_t* data, size_t size, void* user) {
  auto* self = H2Output::ownerOf<H2Session>(user);
  Stream* stream = self->find(id);
  if (!stream || stream->refused) return 0;
  stream->activity = self->lastInput_;
  auto& body = stream->request.body;
  size_t limit = self->host_.limits().maxBody;
  if (body.size() + size > limit) {
    self->refuse(*stream,
                 Status::tooLarge(fmt::format("the request body is too large: {} bytes are allowed", limit)));
    return 0;
  }
  stream->counted += size;
  if (!self->host_.takeBodyBytes(size)) {
    self->refuse(*stream, Status::tooManyRequests("too much is being sent to this server, please try again later", 1));
    return 0;
  }
  body.append(reinterpret_cast<const char*>(data), size);
  return 0;
}

void H2Session::bodyDone(Stream& stream) {
  stream.received = true;
  --receiving_;
  if (stream.refused) return;
  dropBody(stream);
  auto exchange = host_.newExchange(stream.id);
  stream.exchange = exchange;
  stream.answer.headOnly = stream.request.method == "HEAD";
  host_.dispatch(std::move(stream.request), std::move(exchange));
}

void H2Session::refuse(Stream& stream, const Status& status) {
  if (stream.refused) return;
  stream.refused = true;
  dropBody(stream);
  std::string().swap(stream.request.body);
  auto response = statusResponse(status);
  response.headers.add("content-length", std::to_string(response.body[0]->size()));
  stream.answer.queue.push(response.body);
  stream.answer.ended = true;
  submit(stream, response.status, response.headers, true);
}

void H2Session::submit(Stream& stream, int status, const Headers& headers, bool whole) {
  stream.begun = true;
  std::vector<nghttp2_nv> fields;
  fields.reserve(headers.all().size() + 4);
  std::string code = std::to_string(status), length;
  fields.push_back(h2Field(":status", code));
  h2AppendHeaders(headers, fields);
  if (!headers.has("date")) fields.push_back(h2Field("date", host_.lane().httpDate()));
  bool bodyless = stream.answer.headOnly || status == 204 || status == 304;
  if (bodyless) {
    stream.answer.queue.clear();
  } else if (whole && !headers.has("content-length")) {
    length = std::to_string(stream.answer.queue.bytes());
    fields.push_back(h2Field("content-length", length));
  }
  bool hasBody = !bodyless && !(whole && stream.answer.queue.empty());
  nghttp2_data_provider provider = stream.answer.provider();
  int error = nghttp2_submit_response(session_, stream.id, fields.data(), fields.size(),
                                      hasBody ? &provider : nullptr);
  if (error != 0) PH_LOG(Debug, "net", "HTTP/2 response: {}", nghttp2_strerror(error));
}

void H2Session::answer(const std::shared_ptr<Exchange>& exchange) {
  Stream* stream = find(exchange->streamId);
  if (!stream || stream->exchange != exchange) return;
  auto news = exchange->take();
  if (news.aborted) {
    nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, stream->id, NGHTTP2_INTERNAL_ERROR);
    return;
  }
  if (news.upgraded) {
    news.upgraded(Status::badRequest("the request is not a WebSocket upgrade"));
    return;
  }
  if (stream->answer.headOnly || (news.head && (news.status == 204 || news.status == 304))) {
    stream->answer.headOnly = true;
    for (auto& chunk : news.chunks) exchange->pulled(chunk->size());
    news.chunks.clear();
  }
  stream->answer.queue.push(news.chunks);
  if (news.ended) stream->answer.ended = true;
  if (news.trailers) stream->answer.trailers = std::move(news.trailers);
  if (news.head) submit(*stream, news.status, news.headers, news.whole);
  if (stopping_ && stream->begun) stream->answer.ended = true;
  stream->answer.resume(session_, stream->id);
}

void H2Session::fill(std::string& out, size_t room) {
  if (failed_ && !nghttp2_session_want_write(session_)) return;
  output_.begin(out, room);
  int error = nghttp2_session_send(session_);
  output_.end();
  if (error != 0) {
    PH_LOG(Debug, "net", "HTTP/2: {}", nghttp2_strerror(error));
    broken_ = true;
  }
  for (auto& [id, bytes] : output_.pulled) {
    Stream* stream = find(id);
    if (stream && stream->exchange && stream->exchange->pulled(bytes)) host_.drainSoon(stream->exchange);
  }
  output_.pulled.clear();
}

int H2Session::onFrameSent(nghttp2_session* session, const nghttp2_frame* frame, void* user) {
  auto* self = H2Output::ownerOf<H2Session>(user);
  bool last = frame->hd.flags & NGHTTP2_FLAG_END_STREAM;
  if (!last || (frame->hd.type != NGHTTP2_DATA && frame->hd.type != NGHTTP2_HEADERS)) return 0;
  // Answered before the request was all here: the rest of it isn't wanted.
  Stream* stream = self->find(frame->hd.stream_id);
  if (stream && !stream->received)
    nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, frame->hd.stream_id, NGHTTP2_NO_ERROR);
  return 0;
}

int H2Session::onClose(nghttp2_session*, int32_t id, uint32_t, void* user) {
  auto* self = H2Output::ownerOf<H2Session>(user);
  auto it = self->streams_.find(id);
  if (it == self->streams_.end()) return 0;
  if (!it->second->received) --self->receiving_;
  self->dropBody(*it->second);
  if (it->second->exchange) self->host_.closeSoon(std::move(it->second->exchange));
  self->streams_.erase(it);
  return 0;
}

void H2Session::beginStop() {
  if (stopping_) return;
  stopping_ = true;
  nghttp2_submit_goaway(session_, NGHTTP2_FLAG_NONE, nghttp2_session_get_last_proc_stream_id(session_),
                        NGHTTP2_NO_ERROR, nullptr, 0);
  for (auto& [id, stream] : streams_) {
    if (!stream->begun || stream->answer.ended) continue;
    stream->answer.ended = true;  // a stream never ends by itself
    stream->answer.resume(session_, id);
  }
}

void H2Session::abandon() {
  for (auto& [id, stream] : streams_) {
    dropBody(*stream);
    if (stream->exchange) host_.closeSoon(std::move(stream->exchange));
  }
  streams_.clear();
}

MonoTime H2Session::deadline() const {
  auto& limits = host_.limits();
  if (streams_.empty()) return lastInput_ + limits.idleTimeout;
  MonoTime at = lastInput_ + limits.pingInterval * (pinged_ ? 2 : 1);
  return receiving_ > 0 ? std::min(at, receivingCheck_) : at;
}

void H2Session::onDeadline(MonoTime now) {
  auto& limits = host_.limits();
  if (streams_.empty()) {
    if (now >= lastInput_ + limits.idleTimeout) nghttp2_session_terminate_session(session_, NGHTTP2_NO_ERROR);
    return;
  }
  if (receiving_ > 0 && now >= receivingCheck_) {
    MonoTime next = now + limits.bodyTimeout;
    for (auto& [id, stream] : streams_) {
      if (stream->received || stream->refused) continue;
      if (now >= stream->due(limits)) {
        refuse(*stream, {408, "Timeout", "the request body took too long"});
      } else {
        next = std::min(next, stream->due(limits));
      }
    }
    receivingCheck_ = next;
  }
  if (pinged_ && now >= lastInput_ + limits.pingInterval * 2) {
    broken_ = true;
  } else if (!pinged_ && now >= lastInput_ + limits.pingInterval) {
    nghttp2_submit_ping(session_, NGHTTP2_FLAG_NONE, nullptr);
    pinged_ = true;
  }
}

}  // namespace

std::unique_ptr<Session> makeH2Session(SessionHost& host) {
  return std::make_unique<H2Session>(host);
}

}  // namespace ph::net
