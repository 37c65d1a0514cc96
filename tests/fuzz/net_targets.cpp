#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/beast/http/error.hpp>

#include "engine/base/check.h"
#include "engine/net/byte_stream.h"
#include "engine/net/csr.h"
#include "engine/net/h1_parser.h"
#include "engine/net/session.h"
#include "engine/net/spdy_session.h"
#include "engine/net/websocket.h"
#include "tests/fuzz/inputs.h"
#include "tests/fuzz/targets.h"

namespace ph::fuzz {
namespace {

using namespace net;

constexpr size_t kMaxHeader = 1024, kMaxBody = 2048, kMaxReceiving = 3000;  // small, so that inputs meet them

// ---- one message ----------------------------------------------------------------------------------------------------

struct Head {
  bool ok = false;
  std::string method, target, body;
  std::vector<std::pair<std::string, std::string>> headers;
};
Head parseHead(std::string_view input, size_t step) {
  H1RequestParser parser(16 * 1024, 64 * 1024);
  std::string waiting;
  for (size_t at = 0; at < input.size() && !parser.is_done(); at += step) {
    waiting += input.substr(at, step);
    boost::system::error_code error;
    while (!waiting.empty() && !parser.is_done()) {
      size_t used = parser.put(boost::asio::buffer(waiting), error);
      waiting.erase(0, used);
      if (error == boost::beast::http::error::need_more) break;
      if (error) return {};
      if (!used) break;
    }
  }
  return {parser.is_done(), parser.request.method, parser.target, parser.request.body, parser.request.headers.all()};
}

// A request means the same however it was cut on its way.
void http1(std::string_view input) {
  auto whole = parseHead(input, std::max<size_t>(input.size(), 1));
  auto pieces = parseHead(input, 7);
  if (!whole.ok || !pieces.ok) return;
  PH_CHECK(whole.method == pieces.method && whole.target == pieces.target && whole.body == pieces.body &&
           whole.headers == pieces.headers);
}

void http1Answer(std::string_view input) {
  H1ResponseParser parser;
  size_t bytes = 0;
  parser.onHead = [] {};
  parser.onBody = [&](std::string_view piece) { bytes += piece.size(); };
  std::string waiting(input);
  boost::system::error_code error;
  while (!waiting.empty() && !parser.is_done()) {
    size_t used = parser.put(boost::asio::buffer(waiting), error);
    waiting.erase(0, used);
    if (error || !used) break;
  }
  PH_CHECK(bytes <= input.size());
}

// ---- a connection ---------------------------------------------------------------------------------------------------

const std::shared_ptr<Lane>& lane() {
  static const auto one = std::make_shared<Lane>();
  return one;
}

// The server's side of a connection without a socket: every request is answered, in a way that its path chooses.
class Host final : public SessionHost, public ExchangeOwner, public std::enable_shared_from_this<Host> {
 public:
  Host() {
    limits_.maxHeader = kMaxHeader;
    limits_.maxBody = kMaxBody;
    limits_.maxStreamsPerConnection = 16;
  }
  const ServerLimits& limits() const override { return limits_; }
  bool stopping() const override { return false; }
  Lane& lane() override { return *fuzz::lane(); }
  bool takeBodyBytes(size_t bytes) override { return (held += bytes) <= kMaxReceiving; }
  void giveBodyBytes(size_t bytes) override {
    PH_CHECK(bytes <= held);
    held -= bytes;
  }
  std::shared_ptr<Exchange> newExchange(int32_t id) override {
    return std::make_shared<Exchange>(fuzz::lane(), shared_from_this(), id);
  }
  void dispatch(Request request, std::shared_ptr<Exchange> exchange) override {
    PH_CHECK(!request.path.empty() && request.path[0] == '/');
    PH_CHECK(request.body.size() <= kMaxBody);
    size_t bytes = 0;
    for (auto& [name, value] : request.headers.all()) bytes += name.size() + value.size();
    PH_CHECK(bytes <= kMaxHeader * 2);
    seen += request.method + " " + request.path + "?" + request.query + " " + request.body + "\n";
    ++count;
    switch (request.path.size() % 4) {
      case 0: exchange->send({200, {}, {makeBuffer("hello")}}); break;
      case 1:
        exchange->begin(200, {});
        exchange->write(makeBuffer(std::string(300, 'x')));
        exchange->end();
        break;
      case 2: exchange->send({204, {}, {}}); break;
      default:
        if (request.path.size() % 8 == 7) exchange->begin(200, {});
        open_.push_back(std::move(exchange));  // later
    }
  }
  void closeSoon(std::shared_ptr<Exchange> exchange) override { closing_.push_back(std::move(exchange)); }
  void drainSoon(std::shared_ptr<Exchange>) override {}
  void upgradeSoon(std::shared_ptr<Exchange> exchange, Exchange::News, std::string) override { closing_.push_back(std::move(exchange)); }
  void hasNews(std::shared_ptr<Exchange> exchange) override { news_.push_back(std::move(exchange)); }

  // As ServerConnection::flush().
  void flush(Session& session) {
    for (int turn = 0; turn < 1000; ++turn) {
      for (auto& exchange : std::exchange(news_, {})) session.answer(exchange);
      std::string out;
      if (!session.broken()) session.fill(out, 64 * 1024);
      written += out.size();
      for (auto& exchange : std::exchange(closing_, {})) exchange->close();
      if (out.empty() && news_.empty()) return;
    }
    PH_CHECK(false);  // output without end
  }
  void answerRest() {
    for (auto& exchange : std::exchange(open_, {})) {
      exchange->write(makeBuffer("late"));
      exchange->abort();                               // of those that have begun
      exchange->send({500, {}, {makeBuffer("late")}});  // of the others
    }
  }

  std::string seen;
  size_t count = 0, written = 0, held = 0;

 private:
  ServerLimits limits_;
  std::vector<std::shared_ptr<Exchange>> news_, closing_, open_;
};

// True when it ended without complaint.
bool drive(Host& host, Session& session, std::string_view input, size_t step) {
  host.flush(session);
  for (size_t at = 0; at < input.size() && !session.finished() && !session.broken(); at += step) {
    session.receive(input.substr(at, step));
    host.flush(session);
    host.answerRest();
    host.flush(session);
  }
  bool good = !session.finished() && !session.broken();
  session.onDeadline(session.deadline());
  host.flush(session);
  session.inputEnded();
  host.flush(session);
  session.abandon();
  host.flush(session);
  PH_CHECK(host.held == 0);
  return good;
}

// A connection's requests, one behind the other, are the same however they were cut.
void http1Session(std::string_view input) {
  auto run = [&](size_t step, std::string& seen) {
    auto host = std::make_shared<Host>();
    auto session = makeH1Session(*host);
    bool good = drive(*host, *session, input, step);
    seen = host->seen;
    return good;
  };
  std::string whole, pieces;
  if (run(std::max<size_t>(input.size(), 1), whole) && run(5, pieces)) PH_CHECK(whole == pieces);
}

// Frames that come after the preface.
void http2Session(std::string_view input) {
  auto host = std::make_shared<Host>();
  auto session = makeH2Session(*host);
  std::string all("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x4\0\0\0\0\0", 33);
  all += input;
  drive(*host, *session, all, 1 + (input.size() % 3) * 600);
}

// ---- WebSocket --------------------------------------------------------------------------------------------------------

void poll() {
  lane()->context().restart();
  while (lane()->context().poll() > 0) lane()->context().restart();
}

void webSocket(std::string_view input) {
  int ends[2];
  PH_CHECK(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) == 0);
  Request request;
  request.headers.add("host", "x");
  request.headers.add("connection", "Upgrade");
  request.headers.add("upgrade", "websocket");
  request.headers.add("sec-websocket-version", "13");
  request.headers.add("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
  std::shared_ptr<WebSocket> socket;
  size_t bytes = 0;
  bool gone = false;
  auto connection = acceptWebSocket(
      std::make_unique<Stream>(lane(), ends[0]), std::string(input), request, "v4.channel.k8s.io",
      [&](Result<std::shared_ptr<WebSocket>> made) {
        if (!made.ok()) return;
        socket = *made;
        socket->start([&](std::string message, bool) { bytes += message.size(); }, [] {});
      },
      [&] { gone = true; });
  poll();
  PH_CHECK(bytes <= input.size());
  ::close(ends[1]);
  poll();
  connection->drop();
  socket.reset();
  connection.reset();
  poll();
  PH_CHECK(gone);
}

// ---- SPDY -------------------------------------------------------------------------------------------------------------

struct Frames final : SpdySink {
  std::vector<SpdyFrame> frames;
  std::string data;
  bool onFrame(SpdyFrame frame) override {
    frames.push_back(std::move(frame));
    return true;
  }
  bool onData(uint32_t stream, std::string_view bytes, bool fin) override {
    data += std::to_string(stream) + (fin ? "!" : ".");
    data += bytes;
    return true;
  }
};

// Frames are the same however they were cut, and headers that were read can be written.
void spdy(std::string_view input) {
  Frames whole;
  SpdyReader reader;
  auto fed = reader.feed(input, whole);
  Frames pieces;
  SpdyReader other;
  bool same = true;
  for (size_t at = 0; at < input.size() && same; at += 3) same = other.feed(input.substr(at, 3), pieces).ok();
  PH_CHECK(fed.ok() == same && whole.frames.size() == pieces.frames.size());
  SpdyWriter writer;
  for (auto& frame : whole.frames) {
    if (frame.type != SpdyFrame::SynStream) continue;
    Frames again;
    SpdyReader fresh;
    SpdyWriter first;
    PH_CHECK(fresh.feed(first.synStream(frame.stream, frame.headers, frame.fin), again).ok());
    PH_CHECK(again.frames.size() == 1 && again.frames[0].headers == frame.headers && again.frames[0].fin == frame.fin);
  }
}

struct Wire {
  ByteStream::Events events;
  size_t written = 0;
  bool open = true;
};
class FakeBytes final : public ByteStream {
 public:
  explicit FakeBytes(std::shared_ptr<Wire> wire) : wire_(std::move(wire)) {}
  ~FakeBytes() override { wire_->open = false; }
  void start(Events events) override { wire_->events = std::move(events); }
  void write(std::string_view bytes) override { wire_->written += bytes.size(); }
  void finish() override {}
  void pause(bool) override {}
  size_t buffered() const override { return wire_->written; }

 private:
  std::shared_ptr<Wire> wire_;
};

// A session whose streams send back what they get. Each line "sID KEY VALUE", "dID BYTES", "fID", "rID" is a frame; other bytes go
// in as they are.
void spdySession(std::string_view input) {
  auto wire = std::make_shared<Wire>();
  auto session = std::make_shared<SpdySession>(std::make_unique<FakeBytes>(wire), SpdySession::Role::Server);
  std::vector<std::shared_ptr<SpdyStream>> streams;
  SpdySession::Events events;
  events.onStream = [&](std::shared_ptr<SpdyStream> stream) {
    streams.push_back(stream);
    if (stream->id() % 8 == 7) return;  // nobody listens
    std::weak_ptr<SpdyStream> weak = stream;
    stream->listen(
        [weak](std::string_view bytes) {
          auto s = weak.lock();
          if (!s) return;
          s->write(bytes);
          if (bytes.starts_with("close")) s->finish();
          if (bytes.starts_with("reset")) s->reset(kSpdyCancel);
          if (bytes.starts_with("pause")) s->pause(bytes.size() % 2 == 0);
        },
        [weak](ByteStream::End) {
          if (auto s = weak.lock()) s->finish();
        });
  };
  bool ended = false;
  events.onEnd = [&](std::string) { ended = true; };
  session->start(std::move(events));
  SpdyWriter writer;
  auto give = [&](std::string_view bytes) {
    if (wire->open && wire->events.onData) wire->events.onData(bytes);
  };
  while (!input.empty() && wire->open) {
    auto line = input.substr(0, input.find('\n'));
    input.remove_prefix(std::min(line.size() + 1, input.size()));
    if (line.size() < 2) continue;
    uint32_t id = uint8_t(line[1]) & 0x3f;
    auto rest = line.substr(2);
    switch (line[0]) {
      case 's': give(writer.synStream(id, {{"streamtype", std::string(rest)}})); break;
      case 'S': give(writer.synStream(id, {}, true)); break;
      case 'd': give(SpdyWriter::data(id, rest)); break;
      case 'f': give(SpdyWriter::data(id, rest, true)); break;
      case 'r': give(SpdyWriter::reset(id, kSpdyCancel)); break;
      case 'p': give(SpdyWriter::ping(id)); break;
      default: give(line);
    }
  }
  PH_CHECK(wire->open == !session->over());
  session->close();
  for (auto& stream : streams) PH_CHECK(stream->over());
}

void certRequest(std::string_view input) { (void)readCertRequest(std::string(input)); }

constexpr Target kNet[] = {
    {"http1", http1},
    {"http1_answer", http1Answer},
    {"http1_session", http1Session},
    {"http2_session", http2Session},
    {"web_socket", webSocket},
    {"spdy", spdy},
    {"spdy_session", spdySession},
    {"cert_request", certRequest},
};

}  // namespace

std::span<const Target> netTargets() { return kNet; }

}  // namespace ph::fuzz
