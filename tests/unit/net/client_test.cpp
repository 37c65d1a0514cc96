// Client and server together: both HTTP versions, TLS, streaming both ways.
#include "tests/unit/net/support.h"

using namespace ph;
using namespace ph::net;
using namespace ph::net::test;

class ClientTest : public ClientSuite {
  Q_OBJECT

 private slots:
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
  // Many small records lie in OpenSSL's buffer after one read of the socket, which then says nothing more.
  void recordsThatCameTogetherAreAllRead_data() { versions(); }
  void recordsThatCameTogetherAreAllRead() {
    QFETCH(bool, http2);
    TestServer s(io);
    Waiter waiter;
    std::shared_ptr<Responder> out;
    s.routes["/watch"] = [&](Request, std::shared_ptr<Responder> r) {
      r->begin(200, {});
      waiter.change([&] { out = r; });
    };
    auto serverTls = certificates().serverTls();
    s.start(&serverTls);
    ClientOptions o;
    o.endpoint = s.address;
    o.http2 = http2;
    o.tls = certificates().clientTls(false);
    auto own = Io::make(1);  // the server's threads go on while this one is held up
    auto client = HttpClient::make(own, o);
    std::mutex gate;
    std::atomic<size_t> got{0};
    StreamCallbacks callbacks;
    callbacks.onData = [&](std::string_view data) {
      got += data.size();
      std::lock_guard wait(gate);
    };
    auto handle = client->stream(get("/watch"), callbacks);
    QVERIFY(waiter.until([&] { return out != nullptr; }));
    gate.lock();
    for (int i = 0; i < 100; ++i) {
      out->write(makeBuffer("x"));
      while (out->buffered() > 0) std::this_thread::yield();  // each is sent for itself
    }
    QTRY_COMPARE(got.load(), size_t(1));
    gate.unlock();
    QTRY_COMPARE_WITH_TIMEOUT(got.load(), size_t(100), 5000);
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
};

QTEST_GUILESS_MAIN(ClientTest)
#include "client_test.moc"
