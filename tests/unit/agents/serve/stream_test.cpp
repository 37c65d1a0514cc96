// exec and port-forward between real sockets: a client's WebSocket on one side; on the other a streaming server as container
// runtimes have (SPDY/3.1 after an HTTP upgrade), or a listener as in a pod.
#include <fcntl.h>

#include "agents/serve/exec_session.h"
#include "agents/serve/port_forward.h"
#include "tests/unit/net/support.h"

using namespace ph;
using namespace ph::agents;
using namespace ph::net;
using namespace ph::net::test;

namespace {

// A runtime's streaming server for one connection.
struct StreamingServer {
  std::shared_ptr<Lane> lane;
  Waiter waiter;
  int listener = -1;
  uint16_t port = 0;
  std::string head, refusal;
  std::shared_ptr<SpdySession> session;
  std::map<std::string, std::shared_ptr<SpdyStream>> streams;  // by type
  std::map<std::string, std::string> got;
  std::map<std::string, bool> ended;
  bool over = false;
  std::unique_ptr<ByteStream> bytes;

  explicit StreamingServer(std::shared_ptr<Lane> lane) : lane(std::move(lane)) {
    listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in a{};
    a.sin_family = AF_INET;
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof a;
    if (::bind(listener, reinterpret_cast<sockaddr*>(&a), size) != 0 || ::listen(listener, 5) != 0) qFatal("no listener");
    getsockname(listener, reinterpret_cast<sockaddr*>(&a), &size);
    port = ntohs(a.sin_port);
  }
  ~StreamingServer() {
    if (listener >= 0) ::close(listener);
    bool done = false;
    lane->post([&] {
      if (session) session->close();
      session.reset();
      bytes.reset();
      streams.clear();
      waiter.change([&] { done = true; });
    });
    waiter.until([&] { return done; });
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port) + "/exec/token"; }
  // Takes the connection; blocks until it comes.
  void accept() {
    int fd = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    lane->post([this, fd] {
      bytes = makeByteStream(lane, fd);
      ByteStream::Events events;
      events.onData = [this](std::string_view data) {
        head.append(data);
        if (head.find("\r\n\r\n") != head.npos && !session) lane->post([this] { upgrade(); });
      };
      bytes->start(std::move(events));
    });
  }
  void upgrade() {
    if (session || !bytes) return;
    if (!refusal.empty()) return bytes->write(refusal);
    bytes->write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\n");
    session = std::make_shared<SpdySession>(std::move(bytes), SpdySession::Role::Server);
    SpdySession::Events events;
    events.onStream = [this](std::shared_ptr<SpdyStream> s) {
      std::string type(spdyHeader(s->headers(), "streamtype"));
      waiter.change([&] { streams[type] = s; });
      s->listen([this, type](std::string_view d) { waiter.change([&] { got[type] += d; }); }, [this, type](ByteStream::End) { waiter.change([&] { ended[type] = true; }); });
    };
    events.onEnd = [this](std::string) { waiter.change([&] { over = true; }); };
    session->start(std::move(events));
  }
  bool has(size_t count) {
    return waiter.until([&] { return streams.size() == count; });
  }
  void write(const std::string& type, const std::string& text) {
    lane->post([this, type, text] { streams[type]->write(text); });
  }
  void finish(const std::string& type) {
    lane->post([this, type] { streams[type]->finish(); });
  }
};

// The client's end.
struct Client {
  Waiter waiter;
  std::shared_ptr<WebSocket> ws;
  std::optional<Status> failure;
  std::map<char, std::string> got;
  std::vector<char> order;
  bool closed = false;
  void take(Result<std::shared_ptr<WebSocket>> r) {
    if (!r.ok()) return waiter.change([&] { failure = r.status(); });
    (*r)->start(
        [this](std::string m, bool) {
          waiter.change([&] {
            if (m.empty()) return;
            got[m[0]] += m.substr(1);
            order.push_back(m[0]);
          });
        },
        [this] { waiter.change([&] { closed = true; }); });
    waiter.change([&] { ws = *r; });
  }
  void send(char channel, const std::string& text) { ws->sendBinary(makeBuffer(std::string(1, channel) + text)); }
};

}  // namespace

class StreamTest : public QObject {
  Q_OBJECT
  std::shared_ptr<Io> io;
  std::shared_ptr<Lane> lane;
  std::shared_ptr<Executor> blocking = makeThreadExecutor(1, "sockets");
  std::unique_ptr<Server> server;
  std::string address;
  std::shared_ptr<HttpClient> http;
  std::function<void(Request, std::shared_ptr<Responder>)> route;

  std::shared_ptr<Client> connect(const std::string& protocol) {
    auto c = std::make_shared<Client>();
    Request r;
    r.path = "/";
    http->webSocket(r, protocol, [c](auto result) { c->take(std::move(result)); });
    return c;
  }
  std::shared_ptr<Client> exec(StreamingServer& runtime, StreamSpec spec, const std::string& protocol = "v5.channel.k8s.io") {
    route = [this, &runtime, spec, protocol](Request, std::shared_ptr<Responder> to) { ExecSession::start(lane, runtime.url(), spec, protocol, to); };
    return connect(protocol);
  }
  static StreamSpec all() {
    StreamSpec s;
    s.id = "c";
    s.command = {"x"};
    s.in = s.out = s.err = true;
    return s;
  }

 private slots:
  void initTestCase() {
    io = Io::make(2);
    lane = pickLane(io);
    server = Server::make(io, [this](Request r, std::shared_ptr<Responder> to) { route(std::move(r), std::move(to)); });
    auto bound = server->listenTcp("127.0.0.1:0", nullptr);
    QVERIFY(bound.ok());
    address = *bound;
    ClientOptions o;
    o.endpoint = address;
    o.http2 = false;
    http = HttpClient::make(io, o);
  }
  void cleanupTestCase() {
    http.reset();
    server.reset();
    lane.reset();
    io.reset();
  }

  void execCarriesAllStreams() {
    StreamingServer r(lane);
    auto c = exec(r, all());
    r.accept();
    QVERIFY(r.has(4));
    QVERIFY(r.head.starts_with("POST /exec/token HTTP/1.1\r\n") && r.head.find("Upgrade: SPDY/3.1") != r.head.npos);
    QVERIFY(c->waiter.until([&] { return c->ws && !c->order.empty(); }));
    QCOMPARE(c->order[0], char(1));  // the empty message that says: connected
    c->send(0, "question");
    QVERIFY(r.waiter.until([&] { return r.got["stdin"] == "question"; }));
    c->send(char(255), std::string(1, '\0'));
    QVERIFY(r.waiter.until([&] { return r.ended["stdin"]; }));
    r.write("stdout", "answer");
    r.write("stderr", "complaint");
    r.write("error", R"({"status":"Failure","reason":"NonZeroExitCode"})");
    for (auto type : {"error", "stdout", "stderr"}) r.finish(type);
    QVERIFY(c->waiter.until([&] { return c->closed; }));
    QCOMPARE(c->got[1], std::string("answer"));
    QCOMPARE(c->got[2], std::string("complaint"));
    QCOMPARE(c->got[3], std::string(R"({"status":"Failure","reason":"NonZeroExitCode"})"));
    QCOMPARE(c->order.back(), char(3));  // the outcome comes last
    QVERIFY(r.waiter.until([&] { return r.over; }));
  }

  void aTerminalHasASizeAndNoStderr() {
    StreamingServer r(lane);
    auto spec = all();
    spec.tty = true;
    spec.err = false;
    auto c = exec(r, spec);
    r.accept();
    QVERIFY(r.has(4));
    QVERIFY(r.waiter.read([&] { return r.streams.count("resize") && !r.streams.count("stderr"); }));
    QVERIFY(c->waiter.until([&] { return c->ws != nullptr; }));
    c->send(4, R"({"Width":80,"Height":24})");
    QVERIFY(r.waiter.until([&] { return r.got["resize"] == R"({"Width":80,"Height":24})"; }));
    c->send(7, "nonsense");
    c->send(3, "nonsense");
    c->ws->sendBinary(makeBuffer(""));
    c->send(0, "still fine");
    QVERIFY(r.waiter.until([&] { return r.got["stdin"] == "still fine"; }));
  }

  void v4HasNoHalfClose() {
    StreamingServer r(lane);
    auto c = exec(r, all(), "v4.channel.k8s.io");
    r.accept();
    QVERIFY(r.has(4) && c->waiter.until([&] { return c->ws != nullptr; }));
    c->send(char(255), std::string(1, '\0'));
    c->send(0, "x");
    QVERIFY(r.waiter.until([&] { return r.got["stdin"] == "x"; }));
    QVERIFY(!r.waiter.read([&] { return r.ended["stdin"]; }));
  }

  void aRuntimeThatRefuses() {
    StreamingServer r(lane);
    r.refusal = "HTTP/1.1 404 Not Found\r\nContent-Length: 9\r\n\r\nno token!";
    auto c = exec(r, all());
    r.accept();
    QVERIFY(c->waiter.until([&] { return c->failure.has_value(); }));
    QCOMPARE(c->failure->code, 500);
    QVERIFY2(c->failure->message.find("404 Not Found") != std::string::npos, c->failure->message.c_str());
  }
  void aRuntimeThatIsNotThere() {
    std::string url;
    uint16_t port;
    {
      StreamingServer r(lane);
      port = r.port;
    }
    route = [this, port](Request, std::shared_ptr<Responder> to) {
      ExecSession::start(lane, "http://127.0.0.1:" + std::to_string(port) + "/exec/x", all(), "v5.channel.k8s.io", to);
    };
    auto c = connect("v5.channel.k8s.io");
    QVERIFY(c->waiter.until([&] { return c->failure.has_value(); }));
    QCOMPARE(c->failure->code, 500);
    route = [this](Request, std::shared_ptr<Responder> to) { ExecSession::start(lane, "ftp://x", all(), "v5.channel.k8s.io", to); };
    c = connect("v5.channel.k8s.io");
    QVERIFY(c->waiter.until([&] { return c->failure.has_value(); }));
  }
  void aRuntimeThatBreaksOffIsToldAsAFailure() {
    auto r = std::make_unique<StreamingServer>(lane);
    auto c = exec(*r, all());
    r->accept();
    QVERIFY(r->has(4) && c->waiter.until([&] { return c->ws != nullptr; }));
    r.reset();
    QVERIFY(c->waiter.until([&] { return c->closed; }));
    QVERIFY2(c->got[3].find("Failure") != std::string::npos, c->got[3].c_str());
  }
  void aClientThatLeavesEndsTheStreams() {
    StreamingServer r(lane);
    auto c = exec(r, all());
    r.accept();
    QVERIFY(r.has(4) && c->waiter.until([&] { return c->ws != nullptr; }));
    c->ws.reset();
    QVERIFY(r.waiter.until([&] { return r.over; }));
  }
  void aClientThatTakesNothingHoldsTheProcessBack() {
    StreamingServer r(lane);
    auto c = exec(r, all());
    r.accept();
    QVERIFY(r.has(4) && c->waiter.until([&] { return c->ws != nullptr; }));
    c->ws->pause(true);
    for (int i = 0; i < 640; ++i) r.write("stdout", std::string(32 * 1024, 'x'));
    QTest::qWait(300);
    size_t held = 0;
    bool done = false;
    lane->post([&] {
      held = r.session->buffered();
      r.waiter.change([&] { done = true; });
    });
    QVERIFY(r.waiter.until([&] { return done; }));
    QVERIFY2(held > 8 << 20, std::to_string(held).c_str());
    c->ws->pause(false);
    QVERIFY(c->waiter.until([&] { return c->got[1].size() == 640 * 32 * 1024; }));
  }

  // ---- port-forward ------------------------------------------------------------------------------------------------

  PodDial dial() { return podDial(lane, blocking, ""); }

  void theTunnelCarriesManyConnections() {
    StreamingServer pod(lane);  // for its listener only
    route = [this](Request, std::shared_ptr<Responder> to) {
      to->upgrade(kForwardTunnel, [this](auto socket) {
        if (socket.ok()) forwardTunnel(lane, *socket, "d/p", dial());
      });
    };
    std::shared_ptr<SpdySession> session;
    Waiter w;
    std::map<int, std::string> answers, errors;
    std::map<int, bool> dataEnded, errorEnded;
    std::vector<std::shared_ptr<SpdyStream>> keep;
    constexpr int n = 10;
    Request r;
    http->webSocket(r, kForwardTunnel, [&](Result<std::shared_ptr<WebSocket>> socket) {
      if (!socket.ok()) return;
      lane->post([&, ws = *socket] {
        session = std::make_shared<SpdySession>(makeByteStream(lane, ws), SpdySession::Role::Client);
        session->start({});
        for (int i = 0; i < n; ++i) {
          std::string port = std::to_string(i == n - 1 ? 1 : pod.port), id = std::to_string(i);
          auto error = session->open({{"streamtype", "error"}, {"port", port}, {"requestid", id}});
          error->finish();
          error->listen([&, i](std::string_view d) { w.change([&] { errors[i] += d; }); }, [&, i](ByteStream::End) { w.change([&] { errorEnded[i] = true; }); });
          auto data = session->open({{"streamtype", "data"}, {"port", port}, {"requestid", id}});
          data->listen([&, i](std::string_view d) { w.change([&] { answers[i] += d; }); }, [&, i](ByteStream::End) { w.change([&] { dataEnded[i] = true; }); });
          data->write("q" + id);
          data->finish();
          keep.push_back(error);
          keep.push_back(data);
        }
      });
    });
    // The pod answers to each, after it has read all.
    for (int i = 0; i < n - 1; ++i) {
      int fd = ::accept4(pod.listener, nullptr, nullptr, SOCK_CLOEXEC);
      std::string got;
      char buffer[100];
      ssize_t size;
      while ((size = ::read(fd, buffer, sizeof buffer)) > 0) got.append(buffer, size_t(size));
      got = "answer to " + got;
      QCOMPARE(::write(fd, got.data(), got.size()), ssize_t(got.size()));
      ::close(fd);
    }
    QVERIFY(w.until([&] { return dataEnded.size() == n && errorEnded.size() == n; }));
    for (int i = 0; i < n - 1; ++i) {
      QCOMPARE(answers[i], "answer to q" + std::to_string(i));
      QCOMPARE(errors[i], std::string());
    }
    QVERIFY2(errors[n - 1].find("refused") != std::string::npos && errors[n - 1].find("port 1") != std::string::npos, errors[n - 1].c_str());
    bool done = false;
    lane->post([&] {
      session->close();
      session.reset();
      keep.clear();
      w.change([&] { done = true; });
    });
    QVERIFY(w.until([&] { return done; }));
  }

  void channelsForOtherClients() {
    StreamingServer pod(lane);
    route = [this, port = pod.port](Request, std::shared_ptr<Responder> to) {
      to->upgrade(kForwardChannels, [this, port](auto socket) {
        if (socket.ok()) forwardChannels(lane, *socket, "d/p", {port, 1}, dial());
      });
    };
    auto c = connect(kForwardChannels);
    QVERIFY(c->waiter.until([&] { return c->ws != nullptr; }));
    c->send(0, "hello");
    int fd = ::accept4(pod.listener, nullptr, nullptr, SOCK_CLOEXEC);
    char buffer[10];
    QCOMPARE(::read(fd, buffer, 5), ssize_t(5));
    QCOMPARE(::write(fd, "bye", 3), ssize_t(3));
    ::close(fd);
    QVERIFY(c->waiter.until([&] { return c->closed; }));
    std::string port{char(pod.port & 255), char(pod.port >> 8)};
    QCOMPARE(c->got[0], port + "bye");
    QCOMPARE(c->got[1], port);
    QVERIFY(c->got[3].find("refused") != std::string::npos);
  }

  void portsOfAQuery() {
    QCOMPARE(*forwardPorts({{"ports", "80"}, {"ports", "81,82"}}), (std::vector<uint16_t>{80, 81, 82}));
    for (auto bad : {"", "0", "65536", "x", "80,", "-1"}) QVERIFY2(!forwardPorts({{"ports", bad}}).ok(), bad);
    QVERIFY(!forwardPorts({}).ok());
  }
  void urls() {
    std::string host, path;
    uint16_t port = 0;
    QVERIFY(splitUrl("http://[::]:5000/exec/abc", host, port, path));
    QCOMPARE(host + path, std::string("::1/exec/abc"));
    QCOMPARE(port, uint16_t(5000));
    QVERIFY(splitUrl("http://localhost:1", host, port, path) && host == "127.0.0.1" && path == "/");
    for (auto bad : {"", "https://127.0.0.1:1/x", "http://127.0.0.1/x", "http://127.0.0.1:1/a b", "http://127.0.0.1:1/a\r\nX: y"}) QVERIFY2(!splitUrl(bad, host, port, path), bad);
  }
};

QTEST_GUILESS_MAIN(StreamTest)
#include "stream_test.moc"
