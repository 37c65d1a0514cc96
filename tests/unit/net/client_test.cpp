// Client and server together: both HTTP versions, TLS, streaming both ways, failures and recovery.
#include <thread>

#include "engine/net/sockets.h"
#include "tests/unit/net/support.h"

using namespace ph;
using namespace ph::net;
using namespace ph::net::test;

namespace {

// A listening socket that accepts nothing by itself.
struct DeafServer {
  int fd = -1;
  std::string address;
  DeafServer() { fd = *listenOnTcp("127.0.0.1:0", address); }
  ~DeafServer() { ::close(fd); }
  int accept() {
    pollfd p{fd, POLLIN, 0};
    ::poll(&p, 1, 20000);
    return ::accept4(fd, nullptr, nullptr, SOCK_CLOEXEC);
  }
};

// Reads from a blocking descriptor until `text` came.
std::string readFrom(int fd, std::string_view text) {
  std::string seen;
  char buffer[4096];
  while (seen.find(text) == seen.npos) {
    ssize_t n = ::recv(fd, buffer, sizeof buffer, 0);
    if (n <= 0) break;
    seen.append(buffer, size_t(n));
  }
  return seen;
}

void writeTo(int fd, std::string_view bytes) {
  (void)!::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
}

}  // namespace

class ClientTest : public QObject {
  Q_OBJECT
  std::shared_ptr<Io> io;

  std::shared_ptr<HttpClient> clientOf(const TestServer& s, bool http2, bool tls = false,
                                       bool certificate = false) {
    ClientOptions o;
    o.endpoint = s.address;
    o.http2 = http2;
    if (tls) o.tls = certificates().clientTls(certificate);
    return HttpClient::make(io, o);
  }
  void versions() {
    QTest::addColumn<bool>("http2");
    QTest::newRow("h1") << false;
    QTest::newRow("h2") << true;
  }

 private slots:
  void initTestCase() { io = Io::make(2); }
  void cleanupTestCase() { io.reset(); }

  // Each way of talking, the same small conversation.
  void roundTrip_data() {
    QTest::addColumn<bool>("tls");
    QTest::addColumn<bool>("http2");
    QTest::newRow("h1") << false << false;
    QTest::newRow("h2") << false << true;
    QTest::newRow("h1 tls") << true << false;
    QTest::newRow("h2 tls") << true << true;
  }
  void roundTrip() {
    QFETCH(bool, tls);
    QFETCH(bool, http2);
    TestServer s(io);
    auto serverTls = certificates().serverTls();
    s.start(tls ? &serverTls : nullptr);
    auto client = clientOf(s, http2, tls, true);
    auto r = call(*client, post("/echo", "hello"));
    QVERIFY2(r.ok(), r.ok() ? "" : r.status().message.c_str());
    QCOMPARE(r->status, 200);
    QCOMPARE(r->bodyText(), std::string("POST  hello"));
    QCOMPARE(std::string(r->headers.get("x-major")), std::string(http2 ? "2" : "1"));
    QCOMPARE(std::string(r->headers.get("x-host")), s.address);
    QVERIFY(r->headers.has("date"));
    QCOMPARE(std::string(r->headers.get("content-length")), std::string("11"));
    auto who = call(*client, get("/who"));
    QCOMPARE(who->bodyText(), std::string(tls ? "alice,system:masters,dev|" : "|"));
    std::string big(2'000'000, 'x');
    auto large = call(*client, post("/echo", big));
    QVERIFY(large.ok());
    QCOMPARE(large->bodyText().size(), big.size() + 6);
    QCOMPARE(call(*client, get("/nowhere"))->status, 404);
    Request head = get("/echo");
    head.method = "HEAD";
    QVERIFY(call(*client, head)->body.empty());
    Request withQuery = get("/echo");
    withQuery.query = "a=b%20c&d";
    QCOMPARE(call(*client, withQuery)->bodyText(), std::string("GET a=b%20c&d "));
    QCOMPARE(s.server->connections(), 1);
  }
  void alpnFallsBack() {
    // A server that speaks only HTTP/1.1: the client takes what it gets.
    TestServer s(io);
    s.start();
    ClientOptions o;
    o.endpoint = s.address;
    o.http2 = false;
    auto client = HttpClient::make(io, o);
    QCOMPARE(std::string(call(*client, get("/echo"))->headers.get("x-major")), std::string("1"));
  }

  void tlsFailures_data() {
    QTest::addColumn<int>("what");
    QTest::addColumn<QByteArray>("word");
    QTest::newRow("wrong CA") << 0 << QByteArray("certificate");
    QTest::newRow("wrong name") << 1 << QByteArray("ostname");
    QTest::newRow("wrong address") << 2 << QByteArray("IP address");
    QTest::newRow("stranger's certificate") << 3 << QByteArray();
    QTest::newRow("clear text client") << 4 << QByteArray();
    QTest::newRow("bad CA text") << 5 << QByteArray("CA");
    QTest::newRow("bad certificate text") << 6 << QByteArray("certificate");
    QTest::newRow("clear text server") << 7 << QByteArray("TLS");
  }
  void tlsFailures() {
    QFETCH(int, what);
    QFETCH(QByteArray, word);
    TestServer s(io);
    auto serverTls = certificates().serverTls();
    s.start(what == 7 ? nullptr : &serverTls);
    ClientOptions o;
    o.endpoint = s.address;
    o.tls = certificates().clientTls();
    if (what == 0) o.tls->caPem = certificates().otherCa.certPem;
    if (what == 1) o.tls->serverName = "other.name";
    if (what == 2) o.tls->serverName = "127.0.0.2";
    if (what == 3) {
      o.tls->certPem = certificates().strangersClient.certPem;
      o.tls->keyPem = certificates().strangersClient.keyPem;
    }
    if (what == 4) o.tls.reset();
    if (what == 5) o.tls->caPem = "nonsense";
    if (what == 6) o.tls->certPem = o.tls->keyPem = "nonsense";
    auto client = HttpClient::make(io, o);
    auto r = call(*client, get("/who"));
    QVERIFY(!r.ok());
    QVERIFY2(r.status().code == (what == 5 || what == 6 ? 400 : 503), r.status().message.c_str());
    QVERIFY2(r.status().message.find(word.toStdString()) != std::string::npos, r.status().message.c_str());
    QCOMPARE(s.handled.load(), 0);
    QTRY_COMPARE(s.server->connections(), 0);
  }
  void tlsWithoutCertificate_data() {
    QTest::addColumn<bool>("asked");
    QTest::newRow("asked") << true;
    QTest::newRow("not asked") << false;
  }
  void tlsWithoutCertificate() {
    QFETCH(bool, asked);
    TestServer s(io);
    auto serverTls = certificates().serverTls(asked);
    s.start(&serverTls);
    auto client = clientOf(s, true, true, false);
    QCOMPARE(call(*client, get("/who"))->bodyText(), std::string("|"));
    // One that is offered unasked says nothing about who it is.
    auto certified = clientOf(s, true, true, true);
    QCOMPARE(call(*certified, get("/who"))->bodyText(),
             std::string(asked ? "alice,system:masters,dev|" : "|"));
  }
  void tlsNames() {
    TestServer s(io);
    auto serverTls = certificates().serverTls();
    s.start(&serverTls);
    std::string port = s.address.substr(s.address.rfind(':'));
    for (std::string host : {"127.0.0.1", "localhost"}) {
      ClientOptions o;
      o.endpoint = host + port;
      o.tls = certificates().clientTls();
      auto r = call(*HttpClient::make(io, o), get("/who"));
      QVERIFY2(r.ok(), r.ok() ? "" : r.status().message.c_str());
    }
    ClientOptions o;
    o.endpoint = s.address;
    o.tls = ClientTls{.insecureSkipVerify = true};
    QVERIFY(call(*HttpClient::make(io, o), get("/who")).ok());
  }

  void manyAtOnce_data() { versions(); }
  void manyAtOnce() {
    QFETCH(bool, http2);
    TestServer s(io);
    auto executor = io->executor();
    s.routes["/later"] = [&](Request request, std::shared_ptr<Responder> r) {
      executor->post([r, body = std::move(request.body)] { r->send(text(body)); });
    };
    auto serverTls = certificates().serverTls();
    s.start(&serverTls);
    auto client = clientOf(s, http2, true);
    Waiter waiter;
    int right = 0, wrong = 0;
    for (int i = 0; i < 3000; ++i) {
      auto body = std::to_string(i) + std::string(size_t(i % 1000), 'x');
      client->send(post("/later", body), 20s, [&, body](Result<Response> r) {
        waiter.change([&] { ++(r.ok() && r->bodyText() == body ? right : wrong); });
      });
    }
    QVERIFY(waiter.until([&] { return right + wrong == 3000; }));
    QCOMPARE(wrong, 0);
    QCOMPARE(s.server->connections(), http2 ? 1 : 8);
  }
  void streamsDown_data() { versions(); }
  void streamsDown() {
    QFETCH(bool, http2);
    TestServer s(io);
    Waiter waiter;
    std::shared_ptr<Responder> out;
    s.routes["/watch"] = [&](Request, std::shared_ptr<Responder> r) {
      Headers h;
      h.add("X-Mixed", "Case");
      r->begin(200, h);
      waiter.change([&] { out = r; });
    };
    s.start();
    auto client = clientOf(s, http2);
    auto log = stream(*client, get("/watch"));
    QVERIFY(log->waiter.until([&] { return log->status == 200; }));
    QVERIFY(waiter.until([&] { return out != nullptr; }));
    QCOMPARE(std::string(log->headers.get("x-mixed")), std::string("Case"));
    out->write(makeBuffer("first"));
    QVERIFY(log->waiter.until([&] { return log->data == "first"; }));
    std::string expected = "first";
    for (int i = 0; i < 20000; ++i) {
      auto piece = makeBuffer("<" + std::to_string(i) + ">");
      expected += *piece;
      out->write(piece);
    }
    out->end();
    QVERIFY(log->ended());
    QVERIFY(log->end->ok());
    QVERIFY(log->data == expected);
  }
  void streamsUp_data() { versions(); }
  void streamsUp() {
    QFETCH(bool, http2);
    TestServer s(io);
    s.start();
    auto client = clientOf(s, http2);
    Request request = post("/echo", "start,");
    auto log = stream(*client, request, true);
    std::string expected = "POST  start,";
    for (int i = 0; i < 1000; ++i) {
      auto piece = std::to_string(i) + std::string(1000, '.');
      expected += piece;
      log->handle->write(makeBuffer(piece));
    }
    log->handle->endBody();
    log->handle->write(makeBuffer("too late"));
    QVERIFY(log->ended());
    QCOMPARE(log->status, 200);
    QVERIFY(log->data == expected);
    QCOMPARE(log->handle->buffered(), size_t(0));
  }
  void manyStreams() {
    TestServer s(io);
    Waiter waiter;
    std::vector<std::shared_ptr<Responder>> outs;
    int closed = 0;
    s.routes["/watch"] = [&](Request, std::shared_ptr<Responder> r) {
      r->onClose([&] { waiter.change([&] { ++closed; }); });
      r->begin(200, {});
      waiter.change([&] { outs.push_back(r); });
    };
    s.start();
    auto client = clientOf(s, true);
    std::vector<std::shared_ptr<StreamLog>> logs;
    for (int i = 0; i < 300; ++i) logs.push_back(stream(*client, get("/watch")));
    // Only so many at a time; the others wait their turn.
    QVERIFY(waiter.until([&] { return outs.size() == 250; }));
    auto event = makeBuffer(std::string(1000, 'e'));
    for (int round = 0; round < 20; ++round)
      for (auto& out : waiter.read([&] { return outs; })) out->write(event);
    for (auto& out : waiter.read([&] { return outs; })) out->end();
    QVERIFY(waiter.until([&] { return outs.size() == 300; }));
    for (auto& out : waiter.read([&] { return outs; })) out->end();
    for (auto& log : logs) QVERIFY(log->ended());
    size_t whole = 0;
    for (auto& log : logs) whole += log->data.size() == 20000;
    QCOMPARE(whole, size_t(250));
    QVERIFY(waiter.until([&] { return closed == 300; }));
    QCOMPARE(s.server->connections(), 1);
  }
  void cancelledStreamClosesAtServer_data() { versions(); }
  void cancelledStreamClosesAtServer() {
    QFETCH(bool, http2);
    TestServer s(io);
    Waiter waiter;
    int state = 0;
    s.routes["/watch"] = [&](Request, std::shared_ptr<Responder> r) {
      r->onClose([&, r] { waiter.change([&] { state = 2; }); });
      r->begin(200, {});
      waiter.change([&] { state = 1; });
    };
    s.start();
    auto client = clientOf(s, http2);
    auto log = stream(*client, get("/watch"));
    QVERIFY(waiter.until([&] { return state == 1; }));
    log->handle.reset();
    QVERIFY(waiter.until([&] { return state == 2; }));
    QVERIFY(!log->waiter.read([&] { return log->end.has_value(); }));
    QVERIFY(call(*client, get("/echo")).ok());
  }
  void cancelledBeforeItBegan() {
    DeafServer deaf;  // the connection is made, nothing is said
    ClientOptions o;
    o.endpoint = deaf.address;
    o.tls = certificates().clientTls();
    auto client = HttpClient::make(io, o);
    auto log = stream(*client, get("/x"));
    int fd = deaf.accept();
    log->handle.reset();
    auto r = call(*client, get("/y"), 100ms);
    QCOMPARE(r.status().code, 504);
    QVERIFY(!log->end.has_value());
    ::close(fd);
  }
  void backPressureOfOneStream() {
    // One reader that is slow to take its stream must not grow the server's memory, nor hold up others.
    TestServer s(io);
    Waiter waiter;
    std::shared_ptr<Responder> out;
    s.routes["/flood"] = [&](Request, std::shared_ptr<Responder> r) {
      r->begin(200, {});
      waiter.change([&] { out = r; });
    };
    s.start();
    auto client = clientOf(s, true);
    std::mutex gate;
    gate.lock();
    std::atomic<size_t> got{0};
    std::atomic<bool> done{false};
    StreamCallbacks callbacks;
    callbacks.onData = [&](std::string_view data) {
      std::lock_guard wait(gate);
      got += data.size();
    };
    callbacks.onEnd = [&](auto) { done = true; };
    auto handle = client->stream(get("/flood"), callbacks);
    QVERIFY(waiter.until([&] { return out != nullptr; }));
    for (int i = 0; i < 40; ++i) out->write(makeBuffer(std::string(1000000, 'x')));
    QTest::qWait(50);
    QVERIFY(out->buffered() > 20000000);
    auto other = clientOf(s, true);  // may share the blocked thread: only the server's side is looked at
    gate.unlock();
    out->end();
    QTRY_VERIFY_WITH_TIMEOUT(done, 20000);
    QCOMPARE(got.load(), size_t(40000000));
  }

  // What gRPC needs: POST with trailers, an open body, an answer that is only trailers.
  void trailers() {
    TestServer s(io);
    s.routes["/svc/Method"] = [](Request request, std::shared_ptr<Responder> r) {
      Headers h;
      h.add("content-type", "application/grpc");
      r->begin(200, h);
      r->write(makeBuffer(std::string(request.headers.get("te")) + "," +
                          std::string(request.headers.get("content-type")) + "," + request.body));
      Headers t;
      t.add("grpc-status", "5");
      t.add("grpc-message", "not found");
      r->endWithTrailers(t);
    };
    s.routes["/svc/Fails"] = [](Request, std::shared_ptr<Responder> r) {
      Response response;
      response.headers.add("content-type", "application/grpc");
      response.headers.add("grpc-status", "12");
      r->send(response);
    };
    s.routes["/svc/Empty"] = [](Request, std::shared_ptr<Responder> r) {
      r->begin(200, {});
      Headers t;
      t.add("grpc-status", "0");
      r->endWithTrailers(t);
    };
    QTemporaryDir dir;
    s.make();
    std::string path = dir.filePath("grpc").toStdString();
    QVERIFY(s.server->listenUnix(path).ok());
    ClientOptions o;
    o.endpoint = "unix:" + path;
    auto client = HttpClient::make(io, o);
    Request request = post("/svc/Method", std::string("\0\0\0\0\3abc", 8));
    request.headers.add("content-type", "application/grpc");
    request.headers.add("te", "trailers");
    auto log = stream(*client, request);
    QVERIFY(log->ended());
    QVERIFY(log->end->ok());
    QCOMPARE(log->data, std::string("trailers,application/grpc,") + std::string("\0\0\0\0\3abc", 8));
    QCOMPARE(std::string((*log->end)->get("grpc-status")), std::string("5"));
    QCOMPARE(std::string((*log->end)->get("grpc-message")), std::string("not found"));
    QVERIFY(!log->headers.has("grpc-status"));
    request.path = "/svc/Fails";
    auto fails = stream(*client, request);
    QVERIFY(fails->ended());
    QCOMPARE(std::string(fails->headers.get("grpc-status")), std::string("12"));
    request.path = "/svc/Empty";
    auto empty = stream(*client, request);
    QVERIFY(empty->ended());
    QCOMPARE(std::string((*empty->end)->get("grpc-status")), std::string("0"));
    // The body open for a while.
    request.path = "/svc/Method";
    request.body.clear();
    auto open = stream(*client, request, true);
    open->handle->write(makeBuffer("abc"));
    open->handle->write(makeBuffer("def"));
    open->handle->endBody();
    QVERIFY(open->ended());
    QVERIFY(open->data.ends_with("abcdef"));
    QCOMPARE(std::string((*open->end)->get("grpc-status")), std::string("5"));
  }

  void limits_data() { versions(); }
  void limits() {
    QFETCH(bool, http2);
    TestServer s(io);
    ServerLimits limits;
    limits.maxBody = 100000;
    limits.maxHeader = 8000;
    s.start(nullptr, limits);
    auto client = clientOf(s, http2);
    auto big = call(*client, post("/echo", std::string(100001, 'x')));
    QVERIFY2(big.ok(), big.ok() ? "" : big.status().message.c_str());
    QCOMPARE(big->status, 413);
    QVERIFY(big->bodyText().find("\"reason\":\"RequestEntityTooLarge\"") != std::string::npos);
    auto open = stream(*client, post("/echo", ""), true);
    for (int i = 0; i < 30; ++i) open->handle->write(makeBuffer(std::string(5000, 'x')));
    QVERIFY(open->ended());
    QCOMPARE(open->status, 413);
    Request heavy = get("/echo");
    heavy.headers.add("x-heavy", std::string(9000, 'h'));
    auto tooHeavy = call(*client, heavy);
    QVERIFY(tooHeavy.ok());
    QCOMPARE(tooHeavy->status, 431);
    QVERIFY(tooHeavy->bodyText().find("\"kind\":\"Status\"") != std::string::npos);
    QCOMPARE(s.handled.load(), 0);
    QCOMPARE(call(*client, post("/echo", std::string(100000, 'x')))->status, 200);
  }
  void stalledBody() {
    TestServer s(io);
    ServerLimits limits;
    limits.bodyTimeout = 150ms;
    s.start(nullptr, limits);
    auto client = clientOf(s, true);
    auto log = stream(*client, post("/echo", "half"), true);
    QVERIFY(log->ended());
    QCOMPARE(log->status, 408);
    QVERIFY(call(*client, get("/echo")).ok());
    QCOMPARE(s.handled.load(), 1);
  }
  void answerTooLargeForTheClient_data() { versions(); }
  void answerTooLargeForTheClient() {
    QFETCH(bool, http2);
    TestServer s(io);
    s.routes["/big"] = [](Request, std::shared_ptr<Responder> r) {
      r->send(text(std::string(1000000, 'x')));
    };
    s.start();
    ClientOptions o;
    o.endpoint = s.address;
    o.http2 = http2;
    o.maxBody = 100000;
    auto client = HttpClient::make(io, o);
    auto r = call(*client, get("/big"));
    QCOMPARE(r.status().code, 413);
    QVERIFY(call(*client, get("/echo")).ok());
  }
  void timeouts_data() { versions(); }
  void timeouts() {
    QFETCH(bool, http2);
    TestServer s(io);
    Waiter waiter;
    bool closed = false;
    s.routes["/never"] = [&](Request, std::shared_ptr<Responder> r) {
      r->onClose([&, r] { waiter.change([&] { closed = true; }); });
    };
    ServerLimits limits;
    limits.bodyTimeout = 100ms;
    s.start(nullptr, limits);
    auto client = clientOf(s, http2);
    QElapsedTimer t;
    t.start();
    auto r = call(*client, get("/never"), 100ms);
    QCOMPARE(r.status().code, 504);
    QVERIFY(t.elapsed() >= 100);
    QVERIFY(waiter.until([&] { return closed; }));
    QVERIFY(call(*client, get("/echo")).ok());
  }

  void reconnects_data() { versions(); }
  void reconnects() {
    QFETCH(bool, http2);
    TestServer s(io);
    s.routes["/watch"] = [](Request, std::shared_ptr<Responder> r) { r->begin(200, {}); };
    s.start();
    auto client = clientOf(s, http2);
    QVERIFY(call(*client, get("/echo")).ok());
    auto log = stream(*client, get("/watch"));
    QVERIFY(log->waiter.until([&] { return log->status == 200; }));
    std::string address = s.address;
    s.server.reset();
    QVERIFY(log->ended());
    auto refused = call(*client, get("/echo"));
    QCOMPARE(refused.status().code, 503);
    QVERIFY2(refused.status().message.find("refused") != std::string::npos, refused.status().message.c_str());
    s.start(nullptr, {}, address);
    auto again = call(*client, get("/echo"));
    QVERIFY2(again.ok(), again.ok() ? "" : again.status().message.c_str());
  }
  void goAwayMovesToANewConnection() {
    TestServer s(io);
    Waiter waiter;
    std::shared_ptr<Responder> slow;
    s.routes["/slow"] = [&](Request, std::shared_ptr<Responder> r) { waiter.change([&] { slow = r; }); };
    s.start();
    auto client = clientOf(s, true);
    Waiter answers;
    std::optional<Result<Response>> answer;
    client->send(get("/slow"), 20s, [&](auto r) { answers.change([&] { answer.emplace(std::move(r)); }); });
    QVERIFY(waiter.until([&] { return slow != nullptr; }));
    std::string address = s.address;
    auto old = std::move(s.server);
    std::thread stopper([&] { old->stop(); });
    // The listener goes first: the new server takes its place while the old one finishes.
    Result<std::string> bound = Status::unavailable("");
    QTRY_VERIFY((s.make(), bound = s.server->listenTcp(address, nullptr), bound.ok()));
    QVERIFY(call(*client, get("/echo")).ok());
    slow->send(text("old answer"));
    QVERIFY(answers.until([&] { return answer.has_value(); }));
    QVERIFY2(answer->ok(), answer->ok() ? "" : answer->status().message.c_str());
    QCOMPARE((*answer)->bodyText(), std::string("old answer"));
    stopper.join();
  }
  void connectionLostUnderWay_data() { versions(); }
  void connectionLostUnderWay() {
    QFETCH(bool, http2);
    DeafServer deaf;
    ClientOptions o;
    o.endpoint = deaf.address;
    o.http2 = http2;
    auto client = HttpClient::make(io, o);
    auto log = stream(*client, get("/x"));
    int fd = deaf.accept();
    readFrom(fd, http2 ? "PRI" : "\r\n\r\n");
    ::close(fd);
    QVERIFY(log->ended());
    QCOMPARE(log->end->status().code, 503);
  }
  void silentServerIsNoticed() {
    TestServer s(io);
    s.routes["/watch"] = [](Request, std::shared_ptr<Responder> r) { r->begin(200, {}); };
    // Between client and server something that can go silent without closing.
    int pair[2];
    QVERIFY(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
    ClientOptions o;
    o.dial = [&](auto done) { done(pair[0]); };
    o.pingInterval = 100ms;
    auto client = HttpClient::make(io, o);
    auto log = stream(*client, get("/watch"));
    QVERIFY(!readFrom(pair[1], "PRI").empty());
    QVERIFY(log->ended());
    QCOMPARE(log->end->status().code, 503);
    QVERIFY(log->end->status().message.find("ping") != std::string::npos);
    ::close(pair[1]);
  }
  void pingKeepsAQuietConnection() {
    TestServer s(io);
    std::shared_ptr<Responder> out;
    Waiter waiter;
    s.routes["/watch"] = [&](Request, std::shared_ptr<Responder> r) {
      r->begin(200, {});
      waiter.change([&] { out = r; });
    };
    ServerLimits limits;
    limits.pingInterval = 50ms;
    s.start(nullptr, limits);
    ClientOptions o;
    o.endpoint = s.address;
    o.pingInterval = 70ms;
    auto client = HttpClient::make(io, o);
    auto log = stream(*client, get("/watch"));
    QVERIFY(waiter.until([&] { return out != nullptr; }));
    QTest::qWait(500);  // many intervals: the point is that nothing happens in them
    out->write(makeBuffer("still here"));
    QVERIFY(log->waiter.until([&] { return log->data == "still here"; }));
    QCOMPARE(s.server->connections(), 1);
  }
  void silentClientIsClosed() {
    TestServer s(io);
    Waiter waiter;
    int state = 0;
    s.routes["/watch"] = [&](Request, std::shared_ptr<Responder> r) {
      r->onClose([&, r] { waiter.change([&] { state = 2; }); });
      r->begin(200, {});
      waiter.change([&] { state = 1; });
    };
    ServerLimits limits;
    limits.pingInterval = 100ms;
    s.make(limits);
    int pair[2];
    QVERIFY(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
    s.server->serve(pair[1], {});
    // GET http://x/watch, in HPACK literals.
    std::string head = std::string("\x82\x86\x04\x06/watch\x01\x01x", 13);
    std::string frames = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    frames += std::string("\0\0\0\4\0\0\0\0\0", 9);
    frames += std::string("\0\0", 2) + char(head.size()) + std::string("\1\5\0\0\0\1", 6) + head;
    writeTo(pair[0], frames);
    QVERIFY(waiter.until([&] { return state == 1; }));
    QVERIFY(waiter.until([&] { return state == 2; }));
    QTRY_COMPARE(s.server->connections(), 0);
    ::close(pair[0]);
  }
  void malformedHttp2_data() {
    QTest::addColumn<QByteArray>("bytes");
    QByteArray preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", settings("\0\0\0\4\0\0\0\0\0", 9);
    QTest::newRow("wrong preface") << QByteArray("PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n");
    QTest::newRow("no settings") << preface + QByteArray("\0\0\x08\6\0\0\0\0\0\0\0\0\0\0\0\0\0", 17);
    QTest::newRow("frame too long") << preface + settings + QByteArray("\xff\xff\xff\0\0\0\0\0\1", 9);
    QTest::newRow("data on stream 0") << preface + settings + QByteArray("\0\0\1\0\0\0\0\0\0x", 10);
    QTest::newRow("broken header block")
        << preface + settings + QByteArray("\0\0\4\1\5\0\0\0\1\xff\xff\xff\xff", 13);
    QTest::newRow("even stream") << preface + settings + QByteArray("\0\0\1\1\5\0\0\0\2\x82", 10);
    QTest::newRow("garbage") << preface + QByteArray(5000, '\x7f');
  }
  void malformedHttp2() {
    QFETCH(QByteArray, bytes);
    TestServer s(io);
    s.start();
    RawSocket c(s.address);
    c.send(bytes.toStdString());
    c.readAll();
    QVERIFY(c.closedByPeer());
    c.close();
    QCOMPARE(s.handled.load(), 0);
    QTRY_COMPARE(s.server->connections(), 0);
  }
  void requestsWithoutAPath() {
    // Legal frames, but not something we serve.
    TestServer s(io);
    s.start();
    RawSocket c(s.address);
    std::string head = std::string("\x82\x86\x04\x01*\x01\x01x", 8);
    std::string frames = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + std::string("\0\0\0\4\0\0\0\0\0", 9) +
                         std::string("\0\0", 2) + char(head.size()) + std::string("\1\5\0\0\0\1", 6) + head;
    c.send(frames);
    c.readUntil("RST", 300ms);
    QCOMPARE(s.handled.load(), 0);
  }

  void malformedAnswers_data() {
    QTest::addColumn<QByteArray>("answer");
    QTest::addColumn<bool>("http2");
    QTest::newRow("h1 garbage") << QByteArray("\x01\x02\x03\r\n\r\n") << false;
    QTest::newRow("h1 short body") << QByteArray("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc") << false;
    QTest::newRow("h1 bad chunk") << QByteArray("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")
                                  << false;
    QTest::newRow("h1 huge head") << QByteArray("HTTP/1.1 200 OK\r\nX: ") + QByteArray(400000, 'x') << false;
    QTest::newRow("h2 garbage") << QByteArray(1000, 'g') << true;
    QTest::newRow("h2 got h1") << QByteArray("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n") << true;
  }
  void malformedAnswers() {
    QFETCH(QByteArray, answer);
    QFETCH(bool, http2);
    DeafServer deaf;
    ClientOptions o;
    o.endpoint = deaf.address;
    o.http2 = http2;
    auto client = HttpClient::make(io, o);
    auto log = stream(*client, get("/x"));
    int fd = deaf.accept();
    readFrom(fd, http2 ? "PRI" : "\r\n\r\n");
    writeTo(fd, answer.toStdString());
    ::close(fd);
    QVERIFY(log->ended());
    QVERIFY(!log->end->ok());
    QCOMPARE(log->end->status().code, 503);
  }
  void answersThatEndWithTheConnection() {
    DeafServer deaf;
    ClientOptions o;
    o.endpoint = deaf.address;
    o.http2 = false;
    auto client = HttpClient::make(io, o);
    auto log = stream(*client, get("/x"));
    int fd = deaf.accept();
    readFrom(fd, "\r\n\r\n");
    writeTo(fd, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\nall of it");
    ::close(fd);
    QVERIFY(log->ended());
    QVERIFY(log->end->ok());
    QCOMPARE(log->data, std::string("all of it"));
  }

  void dialsOverASocketPair_data() { versions(); }
  void dialsOverASocketPair() {
    QFETCH(bool, http2);
    TestServer s(io);
    s.make();
    std::atomic<int> dialled{0};
    ClientOptions o;
    o.http2 = http2;
    o.dial = [&](auto done) {
      ++dialled;
      std::thread([&s, done] {
        int pair[2];
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
          return done(Status::unavailable("no pair"));
        Peer peer;
        peer.address = "ssh:machine";
        peer.pinnedUser = "system:node:n1";
        s.server->serve(pair[1], peer);
        done(pair[0]);
      }).detach();
    };
    auto client = HttpClient::make(io, o);
    for (int i = 0; i < 3; ++i) {
      auto r = call(*client, get("/who"));
      QVERIFY2(r.ok(), r.ok() ? "" : r.status().message.c_str());
      QCOMPARE(r->bodyText(), std::string("|system:node:n1"));
    }
    QCOMPARE(dialled.load(), 1);
    client.reset();
    QTRY_COMPARE(s.server->connections(), 0);
  }
  void dialFailures() {
    int mode = 0;
    std::function<void(Result<int>)> late;
    Waiter waiter;
    ClientOptions o;
    o.connectTimeout = 100ms;
    o.dial = [&](auto done) {
      if (mode == 0) return done(Status::forbidden("not today"));
      waiter.change([&] { late = done; });
    };
    auto client = HttpClient::make(io, o);
    auto r = call(*client, get("/x"));
    QCOMPARE(r.status().message, std::string("not today"));
    QCOMPARE(r.status().code, 403);
    mode = 1;
    r = call(*client, get("/x"));
    QCOMPARE(r.status().code, 503);
    QVERIFY(r.status().message.find("timed out") != std::string::npos);
    // What comes after that is closed and not leaked.
    int pair[2];
    QVERIFY(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
    late(pair[0]);
    char byte;
    QCOMPARE(::recv(pair[1], &byte, 1, 0), ssize_t(0));
    ::close(pair[1]);
  }
  void connectFailures() {
    for (std::string endpoint :
         {"unix:/nonexistent/socket", "nonsense", "127.0.0.1:1", "no-such-host.invalid:80"}) {
      ClientOptions o;
      o.endpoint = endpoint;
      auto r = call(*HttpClient::make(io, o), get("/"));
      QVERIFY(!r.ok());
      QVERIFY2(r.status().code == 503 || r.status().code == 400, r.status().message.c_str());
      QVERIFY2(r.status().message.find(endpoint) != std::string::npos, r.status().message.c_str());
    }
  }
  void silentHandshakeTimesOut() {
    DeafServer deaf;
    ClientOptions o;
    o.endpoint = deaf.address;
    o.tls = certificates().clientTls();
    o.connectTimeout = 100ms;
    auto r = call(*HttpClient::make(io, o), get("/"));
    QCOMPARE(r.status().code, 503);
    QVERIFY(r.status().message.find("timed out") != std::string::npos);
  }
  void clientGoneUnderWay_data() { versions(); }
  void clientGoneUnderWay() {
    QFETCH(bool, http2);
    TestServer s(io);
    Waiter waiter;
    int begun = 0, closed = 0;
    s.routes["/watch"] = [&](Request, std::shared_ptr<Responder> r) {
      r->onClose([&, r] { waiter.change([&] { ++closed; }); });
      r->begin(200, {});
      waiter.change([&] { ++begun; });
    };
    s.start();
    auto client = clientOf(s, http2);
    auto called = std::make_shared<std::atomic<int>>(0);
    std::vector<std::shared_ptr<StreamHandle>> handles;
    for (int i = 0; i < 5; ++i) {
      StreamCallbacks callbacks;
      callbacks.onEnd = [called](auto) { ++*called; };
      handles.push_back(client->stream(get("/watch"), callbacks));
    }
    QVERIFY(waiter.until([&] { return begun == 5; }));
    client.reset();
    QVERIFY(waiter.until([&] { return closed == 5; }));
    QTRY_COMPARE(called.use_count(), 1L);
    QCOMPARE(called->load(), 0);
    for (auto& handle : handles) handle->write(makeBuffer("to nobody"));
  }
  void handlesDroppedInCallbacks() {
    TestServer s(io);
    s.start();
    auto client = clientOf(s, true);
    Waiter waiter;
    int done = 0;
    for (int i = 0; i < 200; ++i) {
      auto handle = std::make_shared<std::shared_ptr<StreamHandle>>();
      auto begin = std::make_shared<std::atomic<bool>>(false);
      StreamCallbacks callbacks;
      callbacks.onHeaders = [&, handle, begin](int, const Headers&) {
        while (!*begin) std::this_thread::yield();
        handle->reset();
        waiter.change([&] { ++done; });
      };
      callbacks.onEnd = [&](auto) { waiter.change([&] { done += 1000000; }); };
      *handle = client->stream(post("/echo", "x"), callbacks);
      *begin = true;
    }
    QVERIFY(waiter.until([&] { return done >= 200; }));
    QVERIFY(call(*client, get("/echo")).ok());
    QCOMPARE(waiter.read([&] { return done; }), 200);
  }
  void abruptEndUnderLoad() {
    // Clients, streams and server torn down while all are busy.
    for (int round = 0; round < 5; ++round) {
      auto own = Io::make(2);
      auto s = std::make_unique<TestServer>(own);
      s->routes["/watch"] = [](Request, std::shared_ptr<Responder> r) {
        r->begin(200, {});
        for (int i = 0; i < 50; ++i) r->write(makeBuffer(std::string(5000, 'x')));
      };
      auto tls = certificates().serverTls();
      s->start(&tls);
      std::vector<std::shared_ptr<HttpClient>> clients;
      std::vector<std::shared_ptr<StreamLog>> logs;
      for (int i = 0; i < 4; ++i) {
        ClientOptions o;
        o.endpoint = s->address;
        o.http2 = i % 2;
        o.tls = certificates().clientTls();
        clients.push_back(HttpClient::make(own, o));
        for (int n = 0; n < 20; ++n) logs.push_back(stream(*clients.back(), get(n % 2 ? "/watch" : "/echo")));
      }
      QTRY_VERIFY(s->handled > round * 10);
      if (round % 2) {
        clients.clear();
        s.reset();
      } else {
        s.reset();
        clients.clear();
      }
      logs.clear();
      own.reset();
    }
  }
};

QTEST_GUILESS_MAIN(ClientTest)
#include "client_test.moc"
