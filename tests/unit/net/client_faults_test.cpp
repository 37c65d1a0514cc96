// Client and server together, when something goes wrong: limits, silence, lost connections, malformed answers, and recovery.
#include <thread>

#include "tests/unit/net/support.h"

using namespace ph;
using namespace ph::net;
using namespace ph::net::test;

class ClientFaultsTest : public ClientSuite {
  Q_OBJECT

 private slots:
  void cleanupTestCase() { io.reset(); }

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
    auto client = clientAt(deaf.address, http2);
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
    auto client = clientAt(deaf.address, http2);
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
    auto client = clientAt(deaf.address, false);
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

QTEST_GUILESS_MAIN(ClientFaultsTest)
#include "client_faults_test.moc"
