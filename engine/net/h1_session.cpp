#include <fmt/format.h>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/error.hpp>

#include "engine/net/chunk_queue.h"
#include "engine/net/h1_parser.h"
#include "engine/net/session.h"
#include "engine/net/status_body.h"
#include "engine/net/websocket.h"

namespace ph::net {

namespace {

namespace http = boost::beast::http;

constexpr size_t kBacklog = 64 * 1024;  // bytes of pipelined requests taken in while one is answered

bool equalsNoCase(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) {
           return (x >= 'A' && x <= 'Z' ? x + 32 : x) == (y >= 'A' && y <= 'Z' ? y + 32 : y);
         });
}

bool isFramingHeader(std::string_view name) {
  return equalsNoCase(name, "connection") || equalsNoCase(name, "transfer-encoding") ||
         equalsNoCase(name, "keep-alive") || equalsNoCase(name, "content-length");
}

// One request at a time: what a client sends ahead waits in input_ until the answer is complete.
class H1Session final : public Session {
 public:
  explicit H1Session(SessionHost& host) : host_(host) { activity_ = phaseBegan_ = systemClock().monoNow(); }
  ~H1Session() override { dropParser(); }

  void receive(std::string_view bytes) override;
  bool wantsInput() const override { return !finished_ && (!current_ || input_.size() < kBacklog); }
  void inputEnded() override;
  void answer(const std::shared_ptr<Exchange>& exchange) override;
  void fill(std::string& out, size_t room) override;
  bool finished() const override { return finished_ && head_.empty() && body_.empty(); }
  bool broken() const override { return broken_; }
  void beginStop() override;
  void abandon() override;
  MonoTime deadline() const override;
  void onDeadline(MonoTime now) override;

 private:
  void parse();
  std::string_view ambiguous() const;  // why; empty: it is not
  void headComplete();
  void dispatch();
  void refuse(const Status& status);
  void refuseFor(boost::system::error_code error);
  void writeHead(Exchange::News& news);
  void writeWhole(const Response& response);
  void complete();
  bool reading() const { return parser_.has_value() && !current_; }
  bool countBody();  // false: too much is arriving everywhere
  void dropParser() {
    host_.giveBodyBytes(std::exchange(counted_, 0));
    parser_.reset();
  }

  SessionHost& host_;
  std::string input_;
  std::optional<H1RequestParser> parser_;
  bool headSeen_ = false;
  size_t headBytes_ = 0;  // taken by the parser
  size_t counted_ = 0;    // bytes of the body that the host knows of

  std::shared_ptr<Exchange> current_;
  bool keepAlive_ = true, http10_ = false, headOnly_ = false;                // of the current request
  bool begun_ = false, chunked_ = false, bodyless_ = false, ended_ = false;  // of its answer
  std::string head_;  // output before the body: heads, 100 Continue, refusals
  ChunkQueue body_;
  bool finished_ = false, broken_ = false, peerEnded_ = false;
  MonoTime activity_{}, phaseBegan_{};
};

void H1Session::receive(std::string_view bytes) {
  activity_ = systemClock().monoNow();
  if (finished_) return;
  input_.append(bytes);
  parse();
}

void H1Session::parse() {
  while (!current_ && !finished_) {
    if (!parser_) {
      // Empty lines before a request are allowed.
      size_t skip = input_.find_first_not_of("\r\n");
      input_.erase(0, std::min(skip, input_.size()));
      if (input_.empty()) break;
      parser_.emplace(host_.limits().maxHeader, host_.limits().maxBody);
      headSeen_ = false;
      headBytes_ = 0;
      phaseBegan_ = activity_;
    }
    boost::system::error_code error;
    size_t used = parser_->put(boost::asio::const_buffer(input_.data(), input_.size()), error);
    input_.erase(0, used);
    if (error && error != http::error::need_more) return refuseFor(error);
    // The parser's own limit misses a head whose lines it has taken one by one.
    if (!headSeen_ && !parser_->is_header_done()) {
      headBytes_ += used;
      if (headBytes_ + input_.size() > host_.limits().maxHeader) return refuseFor(http::error::header_limit);
    }
    if (!headSeen_ && parser_->is_header_done()) {
      headSeen_ = true;
      headComplete();
      if (finished_) return;
    }
    if (!countBody()) return refuse(Status::tooManyRequests("too much is being sent to this server, please try again later", 1));
    if (parser_->is_done()) {
      dispatch();
    } else if (error == http::error::need_more || used == 0) {
      break;
    }
  }
  if (input_.empty() && input_.capacity() > 16 * 1024) std::string().swap(input_);
}

bool H1Session::countBody() {
  size_t now = parser_->request.body.size();
  size_t more = now - counted_;
  counted_ = now;
  return more == 0 || host_.takeBodyBytes(more);
}

// Where a request ends must be beyond doubt: what another on the way reads differently could hide a second one in the first
// (RFC 9112, 6.1 and 11.2). Lengths and chunks together the parser refuses itself.
std::string_view H1Session::ambiguous() const {
  int hosts = 0, codings = 0;
  for (auto& [name, value] : parser_->request.headers.all()) {
    if (equalsNoCase(name, "host") && ++hosts > 1) return "more than one Host header";
    if (!equalsNoCase(name, "transfer-encoding")) continue;
    if (++codings > 1 || !equalsNoCase(value, "chunked")) return "the only transfer coding is chunked, once";
    if (parser_->minorVersion == 0) return "HTTP/1.0 has no transfer codings";
  }
  return {};
}

void H1Session::headComplete() {
  if (auto why = ambiguous(); !why.empty()) return refuse(Status::badRequest("malformed HTTP request: " + std::string(why)));
  auto expect = parser_->request.headers.get("expect");
  if (expect.empty() || parser_->is_done()) return;
  if (equalsNoCase(expect, "100-continue")) {
    head_ += "HTTP/1.1 100 Continue\r\n\r\n";
  } else {
    refuse({417, "BadRequest", "the expectation is not supported"});
  }
}

void H1Session::dispatch() {
  Request request = std::move(parser_->request);
  std::string target = std::move(parser_->target);
  http10_ = parser_->minorVersion == 0;
  keepAlive_ = parser_->keep_alive() && !peerEnded_;
  headOnly_ = request.method == "HEAD";
  dropParser();
  if (!http10_ && !request.headers.has("host"))
    return refuse(Status::badRequest("the Host header is missing"));
  if (target.starts_with("http://") || target.starts_with("https://")) {
    size_t slash = target.find('/', target.find("//") + 2);
    target = slash == target.npos ? "/" : target.substr(slash);
  }
  if (target.empty() || target[0] != '/')
    return refuse(Status::badRequest("the request target is not a path"));
  size_t mark = target.find('?');
  request.path = target.substr(0, mark);
  request.query = mark == target.npos ? std::string() : target.substr(mark + 1);
  current_ = host_.newExchange(0);
  begun_ = chunked_ = bodyless_ = ended_ = false;
  if (isWebSocketUpgrade(request)) {
    current_->upgradeRequest = std::make_unique<Request>();
    current_->upgradeRequest->method = request.method;
    current_->upgradeRequest->path = target;
    current_->upgradeRequest->headers = request.headers;
  }
  host_.dispatch(std::move(request), current_);
}

void H1Session::refuseFor(boost::system::error_code error) {
  if (error == http::error::body_limit)
    return refuse(Status::tooLarge(
        fmt::format("the request body is too large: {} bytes are allowed", host_.limits().maxBody)));
  if (error == http::error::header_limit)
    return refuse(
        {431, "RequestHeaderFieldsTooLarge",
         fmt::format("the request head is too large: {} bytes are allowed", host_.limits().maxHeader)});
  refuse(Status::badRequest("malformed HTTP request: " + error.message()));
}

void H1Session::refuse(const Status& status) {
  dropParser();
  input_.clear();
  finished_ = true;
  auto response = statusResponse(status);
  writeWhole(response);
}

void H1Session::writeWhole(const Response& response) {
  std::string body = response.bodyText();
  head_ += fmt::format("HTTP/1.1 {} {}\r\n", response.status, reasonPhrase(response.status));
  for (auto& [name, value] : response.headers.all()) head_ += name + ": " + value + "\r\n";
  head_ += fmt::format("date: {}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", host_.lane().httpDate(),
                       body.size());
  head_ += body;
}

void H1Session::answer(const std::shared_ptr<Exchange>& exchange) {
  if (exchange != current_) return;
  auto news = exchange->take();
  if (news.aborted) {
    broken_ = true;
    return;
  }
  if (news.upgraded) {
    dropParser();
    host_.upgradeSoon(std::move(current_), std::move(news), std::move(input_));
    current_.reset();
    return;
  }
  if (news.head) {
    begun_ = true;
    if (peerEnded_ && !news.whole) {
      broken_ = true;
      return;
    }
    writeHead(news);
  }
  if (headOnly_ || bodyless_) {
    for (auto& chunk : news.chunks) exchange->pulled(chunk->size());
  } else {
    body_.push(news.chunks);
  }
  if (news.ended) ended_ = true;
}

void H1Session::writeHead(Exchange::News& news) {
  int status = news.status;
  bodyless_ = status < 200 || status == 204 || status == 304;
  bool hasDate = false;
  std::string declared;  // a content-length of the handler's own
  head_ += "HTTP/1.1 ";
  head_ += std::to_string(status);
  head_ += ' ';
  head_ += reasonPhrase(status);
  head_ += "\r\n";
  for (auto& [name, value] : news.headers.all()) {
    if (equalsNoCase(name, "content-length")) declared = value;
    if (isFramingHeader(name) || !safeHeaderText(name) || !safeHeaderText(value)) continue;
    hasDate = hasDate || equalsNoCase(name, "date");
    head_.append(name).append(": ").append(value).append("\r\n");
  }
  if (!hasDate) head_.append("date: ").append(host_.lane().httpDate()).append("\r\n");
  if (news.whole) {
    size_t size = 0;
    for (auto& chunk : news.chunks) size += chunk->size();
    if (!bodyless_)
      head_ += "content-length: " +
               (headOnly_ && size == 0 && !declared.empty() ? declared : std::to_string(size)) + "\r\n";
  } else if (!bodyless_) {
    if (http10_) {
      keepAlive_ = false;
    } else {
      chunked_ = !headOnly_;
      head_ += "transfer-encoding: chunked\r\n";
    }
  }
  if (host_.stopping()) keepAlive_ = false;
  if (!keepAlive_) {
    head_ += "connection: close\r\n";
  } else if (http10_) {
    head_ += "connection: keep-alive\r\n";
  }
  head_ += "\r\n";
}

void H1Session::fill(std::string& out, size_t room) {
  if (!head_.empty()) {
    out += head_;
    head_.clear();
    if (head_.capacity() > 4096) std::string().swap(head_);
  }
  if (!current_) return;
  if (!body_.empty() && out.size() < room) {
    size_t count = std::min(body_.bytes(), room - out.size());
    if (chunked_) fmt::format_to(std::back_inserter(out), "{:x}\r\n", count);
    body_.pull(out, count);
    if (chunked_) out += "\r\n";
    if (current_->pulled(count)) host_.drainSoon(current_);
  }
  if (ended_ && body_.empty()) {
    if (chunked_) out += "0\r\n\r\n";
    complete();
  }
}

void H1Session::complete() {
  host_.closeSoon(std::move(current_));
  current_.reset();
  phaseBegan_ = systemClock().monoNow();
  activity_ = phaseBegan_;
  if (!keepAlive_ || (peerEnded_ && input_.empty())) {
    finished_ = true;
    return;
  }
  parse();
}

void H1Session::inputEnded() {
  peerEnded_ = true;
  if (!current_) {
    // Half a request is of no use; an answer under way to the socket still goes out.
    finished_ = true;
  } else if (begun_ && !ended_) {
    broken_ = true;
  } else {
    keepAlive_ = false;
    phaseBegan_ = systemClock().monoNow();
  }
}

void H1Session::beginStop() {
  keepAlive_ = false;
  if (!current_) {
    finished_ = true;
  } else if (begun_) {
    ended_ = true;  // a stream never ends by itself
  }
}

void H1Session::abandon() {
  if (current_) host_.closeSoon(std::move(current_));
  current_.reset();
  body_.clear();
}

MonoTime H1Session::deadline() const {
  auto& limits = host_.limits();
  if (reading())
    return headSeen_ ? std::min(activity_ + limits.bodyTimeout, phaseBegan_ + limits.requestTimeout) : phaseBegan_ + limits.headerTimeout;
  if (!current_) return activity_ + limits.idleTimeout;
  return peerEnded_ ? phaseBegan_ + limits.bodyTimeout : MonoTime::max();
}

void H1Session::onDeadline(MonoTime now) {
  if (now < deadline()) return;
  if (reading()) {
    refuse(
        {408, "Timeout", headSeen_ ? "the request body took too long" : "the request head took too long"});
  } else if (!current_) {
    finished_ = true;
  } else {
    broken_ = true;
  }
}

}  // namespace

std::unique_ptr<Session> makeH1Session(SessionHost& host) {
  return std::make_unique<H1Session>(host);
}

}  // namespace ph::net
