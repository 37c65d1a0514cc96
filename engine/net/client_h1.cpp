#include <fmt/format.h>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/error.hpp>

#include "engine/net/chunk_queue.h"
#include "engine/net/client_session.h"
#include "engine/net/h1_parser.h"
#include "engine/net/status_body.h"

namespace ph::net {

namespace {

namespace http = boost::beast::http;

constexpr size_t kMaxHead = 256 * 1024;  // bytes of headers taken from a server

// One exchange at a time.
class ClientH1 final : public ClientSession {
 public:
  explicit ClientH1(const ClientSessionOptions& options) : options_(options) {}

  void receive(std::string_view bytes) override;
  void inputEnded() override;
  void fill(std::string& out, size_t room) override;
  void start(const std::shared_ptr<ClientExchange>& exchange) override;
  void news(const std::shared_ptr<ClientExchange>& exchange) override;
  bool wantsInput() const override { return !current_ || !current_->paused() || current_->cancelled(); }
  bool canStart() const override { return !current_ && !finished_; }
  bool idle() const override { return !current_; }
  bool finished() const override { return finished_; }
  std::string why() const override { return why_; }
  void abandon(const Status& why) override {
    finished_ = true;
    if (auto exchange = std::move(current_)) exchange->deliverEnd(why);
  }
  MonoTime deadline() const override { return MonoTime::max(); }
  void onDeadline(MonoTime) override {}

 private:
  void newParser();
  void parse();
  void complete();
  void fail(std::string why) {
    finished_ = true;
    why_ = std::move(why);
  }

  ClientSessionOptions options_;
  std::string input_, head_;
  ChunkQueue body_;
  bool bodyEnded_ = true, chunked_ = false, lastChunkSent_ = true;
  std::shared_ptr<ClientExchange> current_;
  std::optional<H1ResponseParser> parser_;
  size_t headBytes_ = 0;  // taken by the parser
  bool finished_ = false;
  std::string why_ = "by the server";
};

void ClientH1::start(const std::shared_ptr<ClientExchange>& exchange) {
  current_ = exchange;
  auto& request = exchange->request;
  head_ = request.method + " " + (request.path.empty() ? "/" : request.path);
  if (!request.query.empty()) head_ += "?" + request.query;
  head_ += " HTTP/1.1\r\n";
  if (!request.headers.has("host")) head_ += "host: " + options_.authority + "\r\n";
  for (auto& [name, value] : request.headers.all())
    if (safeHeaderText(name) && safeHeaderText(value)) head_ += name + ": " + value + "\r\n";
  chunked_ = exchange->openBody;
  if (chunked_) {
    head_ += "transfer-encoding: chunked\r\n";
  } else if (!request.body.empty() || (request.method != "GET" && request.method != "HEAD")) {
    head_ += fmt::format("content-length: {}\r\n", request.body.size());
  }
  head_ += "\r\n";
  bodyEnded_ = !exchange->openBody;
  lastChunkSent_ = !chunked_;
  if (!request.body.empty()) body_.push(makeBuffer(std::move(request.body)));
  newParser();
  news(exchange);
}

void ClientH1::newParser() {
  parser_.emplace();
  headBytes_ = 0;
  if (current_->request.method == "HEAD") parser_->skip(true);
  parser_->onHead = [this] {
    if (parser_->status >= 200) current_->deliverHead(parser_->status, parser_->headers);
  };
  parser_->onBody = [this](std::string_view data) {
    if (current_) current_->deliverData(data);
  };
}

void ClientH1::news(const std::shared_ptr<ClientExchange>& exchange) {
  if (exchange != current_) return;
  auto news = exchange->take();
  if (exchange->cancelled() || exchange->ended()) return fail("the request was cancelled");
  body_.push(news.chunks);
  if (news.ended) bodyEnded_ = true;
}

void ClientH1::fill(std::string& out, size_t room) {
  out += head_;
  head_.clear();
  if (!current_) return;
  if (!body_.empty() && out.size() < room) {
    size_t count = std::min(body_.bytes(), room - out.size());
    if (chunked_) fmt::format_to(std::back_inserter(out), "{:x}\r\n", count);
    body_.pull(out, count);
    if (chunked_) {
      out += "\r\n";
      current_->pulled(count);
    }
  }
  if (bodyEnded_ && body_.empty() && !lastChunkSent_) {
    lastChunkSent_ = true;
    out += "0\r\n\r\n";
  }
}

void ClientH1::receive(std::string_view bytes) {
  if (finished_) return;
  if (!current_) return fail("it sent an answer nobody asked for");
  input_.append(bytes);
  parse();
}

void ClientH1::parse() {
  while (current_ && !finished_ && !input_.empty()) {
    boost::system::error_code error;
    size_t used = parser_->put(boost::asio::const_buffer(input_.data(), input_.size()), error);
    input_.erase(0, used);
    if (error && error != http::error::need_more) return fail("malformed answer: " + error.message());
    if (current_->cancelled() || current_->ended()) return fail("the request was cancelled");
    if (!parser_->is_header_done() && (headBytes_ += used) + input_.size() > kMaxHead)
      return fail("the head of its answer is too large");
    if (parser_->is_done()) {
      if (parser_->status < 200) {
        newParser();  // 100 Continue and the like: the answer follows
      } else {
        complete();
      }
    } else if (error || used == 0) {
      break;
    }
  }
}

void ClientH1::complete() {
  bool whole = bodyEnded_ && body_.empty() && lastChunkSent_ && head_.empty();
  if (!parser_->keep_alive() || !whole) fail("by the server");
  auto exchange = std::move(current_);
  current_.reset();
  body_.clear();
  Headers trailers = std::move(parser_->trailers);
  parser_.reset();
  exchange->deliverEnd(std::move(trailers));
}

void ClientH1::inputEnded() {
  if (current_) {
    // An answer without a length ends with the connection.
    boost::system::error_code error;
    if (parser_->got_some()) parser_->put_eof(error);
    if (!error && parser_->is_done()) complete();
  }
  fail("by the server");
}

}  // namespace

std::unique_ptr<ClientSession> makeClientH1(const ClientSessionOptions& options) {
  return std::make_unique<ClientH1>(options);
}

}  // namespace ph::net
