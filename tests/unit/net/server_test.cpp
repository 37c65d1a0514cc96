// The server as seen from raw sockets: HTTP/1.1's details, limits, malformed input, stopping.
#include <sys/stat.h>
#include <sys/un.h>

#include <thread>

#include "tests/unit/net/support.h"

using namespace ph;
using namespace ph::net;
using namespace ph::net::test;

namespace {

// The body of a streamed answer, without its chunk frames.
std::string unchunk(const std::string& answer) {
  size_t at = answer.find("\r\n\r\n");
  if (at == answer.npos) return "no head";
  at += 4;
  std::string body;
  while (true) {
    size_t end = answer.find("\r\n", at);
    if (end == answer.npos) return body + "<cut>";
    size_t size = std::stoul(answer.substr(at, end - at), nullptr, 16);
    if (size == 0) return body;
    body += answer.substr(end + 2, size);
    at = end + 2 + size + 2;
  }
}

size_t countOf(const std::string& text, const std::string& what) {
  size_t n = 0;
  for (size_t at = 0; (at = text.find(what, at)) != text.npos; at += what.size()) ++n;
  return n;
}

}  // namespace

class ServerTest : public QObject {
  Q_OBJECT
  std::shared_ptr<Io> io;

 private slots:
  void initTestCase() { io = Io::make(2); }
  void cleanupTestCase() { io.reset(); }

  void keepAliveAndClose() {
    TestServer s(io);
    s.start();
    RawSocket c(s.address);
    c.send("GET /echo?a=1 HTTP/1.1\r\nHost: x\r\n\r\n");
    auto answer = c.readUntil("GET a=1 ");
    QVERIFY(answer.starts_with("HTTP/1.1 200 OK\r\n"));
    QVERIFY(answer.find("content-length: 8\r\n") != answer.npos);
    QVERIFY(answer.find("date: ") != answer.npos);
    c.take();
    c.send("POST /echo HTTP/1.1\r\nhost: x\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc");
    answer = c.readAll();
    QVERIFY(answer.ends_with("POST  abc"));
    QVERIFY(answer.find("connection: close\r\n") != answer.npos);
    QVERIFY(c.closedByPeer());
    QTRY_COMPARE(s.server->connections(), 0);
  }
  void http10() {
    TestServer s(io);
    s.routes["/stream"] = [](Request, std::shared_ptr<Responder> r) {
      r->begin(200, {});
      r->write(makeBuffer("one"));
      r->write(makeBuffer("two"));
      r->end();
    };
    s.start();
    RawSocket c(s.address);
    c.send("GET /stream HTTP/1.0\r\n\r\n");
    auto answer = c.readAll();
    QVERIFY(answer.ends_with("\r\n\r\nonetwo"));
    QVERIFY(answer.find("chunked") == answer.npos);
  }
  void pipeliningKeepsOrder() {
    TestServer s(io);
    std::vector<std::thread> threads;
    s.routes["/later"] = [&](Request, std::shared_ptr<Responder> r) {
      threads.emplace_back([r] { r->send(text("later;")); });
    };
    s.start();
    RawSocket c(s.address);
    std::string request = "GET /later HTTP/1.1\r\nHost: x\r\n\r\n",
                echo = "GET /echo?q HTTP/1.1\r\nHost: x\r\n\r\n";
    std::string all;
    for (int i = 0; i < 50; ++i) all += i % 5 ? echo : request;
    c.send(all + "GET /echo?last HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    auto answer = c.readAll();
    QCOMPARE(countOf(answer, "HTTP/1.1 200 OK"), size_t(51));
    QCOMPARE(countOf(answer, "later;"), size_t(10));
    QVERIFY(answer.ends_with("GET last "));
    size_t first = answer.find("later;"), echoed = answer.find("GET q ");
    QVERIFY(first < echoed);
    for (auto& t : threads) t.join();
  }
  void chunkedRequestBody() {
    TestServer s(io);
    s.start();
    RawSocket c(s.address);
    c.send("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
    c.send("2;ext=1\r\nde\r\n0\r\nX-Trailer: 1\r\n\r\nGET /echo?next HTTP/1.1\r\nHost: x\r\n\r\n");
    auto answer = c.readUntil("GET next ");
    QVERIFY(answer.find("POST  abcde") != answer.npos);
    QVERIFY(answer.find("GET next ") != answer.npos);
  }
  void expectContinue() {
    TestServer s(io);
    s.start();
    RawSocket c(s.address);
    c.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
    QCOMPARE(c.readUntil("\r\n\r\n"), std::string("HTTP/1.1 100 Continue\r\n\r\n"));
    c.send("abc");
    QVERIFY(c.readUntil("POST  abc").find("POST  abc") != std::string::npos);
    // Too much is refused before it is sent.
    RawSocket d(s.address);
    d.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\nExpect: 100-continue\r\n\r\n");
    QVERIFY(d.readAll().starts_with("HTTP/1.1 413 "));
  }
  void headAndNoContent() {
    TestServer s(io);
    s.routes["/none"] = [](Request, std::shared_ptr<Responder> r) {
      Response response = text("must not be seen", 204);
      r->send(std::move(response));
    };
    s.start();
    RawSocket c(s.address);
    c.send(
        "HEAD /echo HTTP/1.1\r\nHost: x\r\n\r\nGET /none HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    auto answer = c.readAll();
    QVERIFY(answer.find("content-length: 6\r\n") != answer.npos);
    QVERIFY(answer.find("HEAD ") == answer.npos);
    QVERIFY(answer.find("HTTP/1.1 204 No Content") != answer.npos);
    QVERIFY(answer.find("must not") == answer.npos);
  }
  void streamsInChunks() {
    TestServer s(io);
    Waiter waiter;
    std::shared_ptr<Responder> out;
    bool closed = false;
    s.routes["/watch"] = [&](Request, std::shared_ptr<Responder> r) {
      Headers h;
      h.add("content-type", "text/plain");
      r->begin(200, h);
      r->onClose([&] { waiter.change([&] { closed = true; }); });
      waiter.change([&] { out = r; });
    };
    s.start();
    RawSocket c(s.address);
    c.send("GET /watch HTTP/1.1\r\nHost: x\r\n\r\n");
    QVERIFY(waiter.until([&] { return out != nullptr; }));
    QVERIFY(c.readUntil("\r\n\r\n").find("transfer-encoding: chunked") != std::string::npos);
    out->write(makeBuffer("hello"));
    c.readUntil("hello");
    std::string expected = "hello";
    for (int i = 0; i < 10000; ++i) {
      expected += std::to_string(i);
      out->write(makeBuffer(std::to_string(i)));
    }
    out->end();
    auto answer = c.readUntil("\r\n0\r\n\r\n");
    QCOMPARE(unchunk(answer), expected);
    // Far fewer chunks than writes: they leave together.
    QVERIFY(answer.size() < expected.size() + 5 * 10000);
    QVERIFY(waiter.until([&] { return closed; }));
  }
  void clientGoneIsNoticed_data() {
    QTest::addColumn<bool>("begun");
    QTest::newRow("streaming") << true;
    QTest::newRow("not answered yet") << false;
  }
  void clientGoneIsNoticed() {
    QFETCH(bool, begun);
    TestServer s(io);
    Waiter waiter;
    int state = 0;
    std::shared_ptr<Responder> out;
    s.routes["/watch"] = [&](Request, std::shared_ptr<Responder> r) {
      r->onClose([&] { waiter.change([&] { state = 2; }); });
      if (begun) r->begin(200, {});
      waiter.change([&] { state = 1, out = r; });
    };
    ServerLimits limits;
    limits.bodyTimeout = 300ms;  // a half-closed client gets this long for its answer
    s.start(nullptr, limits);
    RawSocket c(s.address);
    c.send("GET /watch HTTP/1.1\r\nHost: x\r\n\r\n");
    QVERIFY(waiter.until([&] { return state == 1; }));
    c.close();
    QVERIFY(waiter.until([&] { return state == 2; }));
    out->write(makeBuffer("to nobody"));
    out->send(text("to nobody"));
    QCOMPARE(out->buffered(), size_t(0));
    bool late = false;
    out->onClose([&] { waiter.change([&] { late = true; }); });
    QVERIFY(waiter.until([&] { return late; }));
    QTRY_COMPARE(s.server->connections(), 0);
  }
  void halfClosedClientGetsItsAnswer() {
    TestServer s(io);
    Waiter waiter;
    std::shared_ptr<Responder> out;
    s.routes["/slow"] = [&](Request, std::shared_ptr<Responder> r) { waiter.change([&] { out = r; }); };
    s.start();
    RawSocket c(s.address);
    c.send("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n");
    c.halfClose();
    QVERIFY(waiter.until([&] { return out != nullptr; }));
    out->send(text("here"));
    QVERIFY(c.readAll().ends_with("here"));
  }
  void malformed_data() {
    QTest::addColumn<QByteArray>("request");
    QTest::addColumn<int>("status");
    QByteArray head = "POST /echo HTTP/1.1\r\nHost: x\r\n";
    QTest::newRow("garbage") << QByteArray("\x16\x03\x01 hello\r\n\r\n") << 400;
    QTest::newRow("no version") << QByteArray("GET /echo\r\n\r\n") << 400;
    QTest::newRow("no host") << QByteArray("GET /echo HTTP/1.1\r\n\r\n") << 400;
    QTest::newRow("bad header") << QByteArray("GET /echo HTTP/1.1\r\nHost x\r\n\r\n") << 400;
    QTest::newRow("space before colon") << QByteArray("GET /echo HTTP/1.1\r\nHost : x\r\n\r\n") << 400;
    QTest::newRow("not a path") << QByteArray("GET echo HTTP/1.1\r\nHost: x\r\n\r\n") << 400;
    QTest::newRow("connect") << QByteArray("CONNECT a:1 HTTP/1.1\r\nHost: x\r\n\r\n") << 400;
    QTest::newRow("bad length") << head + "Content-Length: 3x\r\n\r\n" << 400;
    QTest::newRow("negative length") << head + "Content-Length: -3\r\n\r\n" << 400;
    QTest::newRow("two lengths") << head + "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd" << 400;
    QTest::newRow("length and chunked")
        << head + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
        << 400;
    QTest::newRow("chunked and length")
        << head + "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n"
        << 400;
    QTest::newRow("bad chunk") << head + "Transfer-Encoding: chunked\r\n\r\nzz\r\n" << 400;
    QTest::newRow("bad chunk end") << head + "Transfer-Encoding: chunked\r\n\r\n2\r\nabcd\r\n" << 400;
    QTest::newRow("expectation") << head + "Expect: magic\r\nContent-Length: 1\r\n\r\n" << 417;
    QTest::newRow("too large") << head + "Content-Length: 4000000\r\n\r\n" << 413;
    QTest::newRow("huge length") << head + "Content-Length: 18446744073709551615\r\n\r\n" << 413;
    QTest::newRow("huge chunk") << head + "Transfer-Encoding: chunked\r\n\r\nfffffff0\r\n" << 413;
    QTest::newRow("long header") << "GET /echo HTTP/1.1\r\nX: " + QByteArray(100000, 'a') << 431;
    QTest::newRow("many headers") << "GET /echo HTTP/1.1\r\n" +
                                         QByteArray("X: aaaaaaaaaa\r\n").repeated(10000)
                                  << 431;
    QTest::newRow("long target") << "GET /" + QByteArray(100000, 'a') << 431;
  }
  void malformed() {
    QFETCH(QByteArray, request);
    QFETCH(int, status);
    TestServer s(io);
    s.start();
    RawSocket c(s.address);
    c.send(request.toStdString());
    auto answer = c.readAll();
    QVERIFY2(answer.starts_with("HTTP/1.1 " + std::to_string(status)), answer.substr(0, 300).c_str());
    QVERIFY(answer.find("{\"kind\":\"Status\",\"apiVersion\":\"v1\"") != answer.npos);
    QVERIFY(answer.find("\"code\":" + std::to_string(status)) != answer.npos);
    QVERIFY(c.closedByPeer());
    QCOMPARE(s.handled.load(), 0);
    c.close();
    QTRY_COMPARE(s.server->connections(), 0);
  }
  void headLimitHoldsForAnyPieces() {
    TestServer s(io);
    ServerLimits limits;
    limits.maxHeader = 4000;
    s.start(nullptr, limits);
    for (size_t piece : {7, 100, 1000, 3999}) {
      RawSocket c(s.address);
      std::string head = "GET /echo HTTP/1.1\r\nHost: x\r\n";
      while (head.size() < 8000) head += "X-Some: " + std::string(head.size() % 97, 'v') + "\r\n";
      for (size_t at = 0; at < head.size() && c.send(head.substr(at, piece)); at += piece)
        c.readUntil("H", 1ms);
      QVERIFY(c.readAll().starts_with("HTTP/1.1 431 "));
    }
  }
  void oversizedChunkedBody() {
    TestServer s(io);
    ServerLimits limits;
    limits.maxBody = 100000;
    s.start(nullptr, limits);
    RawSocket c(s.address);
    c.send("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
    std::string chunk = "2710\r\n" + std::string(10000, 'x') + "\r\n";
    for (int i = 0; i < 200 && c.send(chunk); ++i) {
    }
    QVERIFY(c.readAll().starts_with("HTTP/1.1 413 "));
    QCOMPARE(s.handled.load(), 0);
    // Exactly the limit is fine.
    RawSocket d(s.address);
    d.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n" + std::string(100000, 'y'));
    QVERIFY(d.readUntil("yyyy").starts_with("HTTP/1.1 200 "));
  }
  void timeouts_data() {
    QTest::addColumn<QByteArray>("request");
    QTest::addColumn<int>("status");
    QTest::newRow("silence") << QByteArray() << 0;
    QTest::newRow("slow head") << QByteArray("GET /echo HTTP/1.1\r\nHo") << 408;
    QTest::newRow("slow body") << QByteArray("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc")
                               << 408;
    QTest::newRow("half a preface") << QByteArray("PRI * HTTP/2.0\r\n") << 0;
    QTest::newRow("idle") << QByteArray("GET /echo HTTP/1.1\r\nHost: x\r\n\r\n") << 200;
  }
  void timeouts() {
    QFETCH(QByteArray, request);
    QFETCH(int, status);
    TestServer s(io);
    ServerLimits limits;
    limits.headerTimeout = limits.bodyTimeout = limits.idleTimeout = 150ms;
    s.start(nullptr, limits);
    RawSocket c(s.address);
    c.send(request.toStdString());
    auto answer = c.readAll();
    QVERIFY(c.closedByPeer());
    if (status == 0) {
      QVERIFY(answer.empty());
    } else {
      QVERIFY2(answer.starts_with("HTTP/1.1 " + std::to_string(status)), answer.c_str());
    }
    c.close();
    QTRY_COMPARE(s.server->connections(), 0);
  }
  void slowHeadBytesDoNotHelp() {
    // A byte now and then must not keep the head open for ever.
    TestServer s(io);
    ServerLimits limits;
    limits.headerTimeout = 300ms;
    s.start(nullptr, limits);
    RawSocket c(s.address);
    c.send("GET /echo HTTP/1.1\r\n");
    for (int i = 0; i < 1000 && !c.closedByPeer(); ++i) {
      c.send("X");
      c.readUntil({}, 10ms);
    }
    QVERIFY(c.closedByPeer());
    QVERIFY(c.take().starts_with("HTTP/1.1 408 "));
  }
  void halfOpenTlsIsClosed() {
    TestServer s(io);
    ServerLimits limits;
    limits.headerTimeout = 150ms;
    auto tls = certificates().serverTls();
    s.start(&tls, limits);
    RawSocket silent(s.address), garbage(s.address);
    garbage.send("GET / HTTP/1.1\r\n\r\n");
    silent.readAll();
    garbage.readAll();
    QVERIFY(silent.closedByPeer());
    QVERIFY(garbage.closedByPeer());
    QTRY_COMPARE(s.server->connections(), 0);
  }
  void tooManyConnections() {
    TestServer s(io);
    ServerLimits limits;
    limits.maxConnections = 3;
    s.start(nullptr, limits);
    std::vector<std::unique_ptr<RawSocket>> open;
    for (int i = 0; i < 3; ++i) {
      open.push_back(std::make_unique<RawSocket>(s.address));
      open.back()->send("GET /echo HTTP/1.1\r\nHost: x\r\n\r\n");
      QVERIFY(open.back()->readUntil("GET ").starts_with("HTTP/1.1 200"));
    }
    RawSocket extra(s.address);
    extra.readAll();
    QVERIFY(extra.closedByPeer());
    open.clear();
    QTRY_COMPARE(s.server->connections(), 0);
    RawSocket again(s.address);
    again.send("GET /echo HTTP/1.1\r\nHost: x\r\n\r\n");
    QVERIFY(again.readUntil("GET ").starts_with("HTTP/1.1 200"));
  }
  void backPressure() {
    TestServer s(io);
    Waiter waiter;
    std::shared_ptr<Responder> out;
    int drained = 0;
    s.routes["/flood"] = [&](Request, std::shared_ptr<Responder> r) {
      r->onDrain([&] { waiter.change([&] { ++drained; }); });
      r->begin(200, {});
      waiter.change([&] { out = r; });
    };
    s.start();
    RawSocket c(s.address);
    c.send("GET /flood HTTP/1.1\r\nHost: x\r\n\r\n");
    QVERIFY(waiter.until([&] { return out != nullptr; }));
    auto chunk = makeBuffer(std::string(1000000, 'x'));
    for (int i = 0; i < 40; ++i) out->write(chunk);  // more than any socket's buffers
    QTRY_VERIFY(out->buffered() < 40000000);
    QVERIFY(out->buffered() > 10000000);
    int before = waiter.read([&] { return drained; });  // the first chunks fit into the socket's buffers
    out->end();
    auto answer = c.readUntil("\r\n0\r\n\r\n");
    QCOMPARE(unchunk(answer).size(), size_t(40000000));
    QVERIFY(waiter.until([&] { return drained > before; }));
    QCOMPARE(out->buffered(), size_t(0));
  }
  void slowReaderIsClosed() {
    TestServer s(io);
    ServerLimits limits;
    limits.bodyTimeout = 200ms;
    Waiter waiter;
    bool closed = false;
    s.routes["/flood"] = [&](Request, std::shared_ptr<Responder> r) {
      r->onClose([&] { waiter.change([&] { closed = true; }); });
      r->begin(200, {});
      for (int i = 0; i < 40; ++i) r->write(makeBuffer(std::string(1000000, 'x')));
    };
    s.start(nullptr, limits);
    RawSocket c(s.address);
    c.send("GET /flood HTTP/1.1\r\nHost: x\r\n\r\n");
    QVERIFY(waiter.until([&] { return closed; }));
    QTRY_COMPARE(s.server->connections(), 0);
  }
  void headersCanNotBeInjected() {
    TestServer s(io);
    s.routes["/inject"] = [](Request, std::shared_ptr<Responder> r) {
      Response response = text("ok");
      response.headers.add("x-evil", "a\r\nx-injected: yes");
      response.headers.add("x-good", "fine");
      r->send(std::move(response));
    };
    s.start();
    RawSocket c(s.address);
    c.send("GET /inject HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    auto answer = c.readAll();
    QVERIFY(answer.find("x-injected") == answer.npos);
    QVERIFY(answer.find("x-good: fine") != answer.npos);
  }
  void absoluteTargets() {
    TestServer s(io);
    s.start();
    RawSocket c(s.address);
    c.send("GET http://somewhere/echo?z HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    QVERIFY(c.readAll().ends_with("GET z "));
  }
  void wrongUseOfResponderIsHarmless() {
    TestServer s(io);
    Waiter waiter;
    std::string why;
    s.routes["/odd"] = [&](Request, std::shared_ptr<Responder> r) {
      r->write(makeBuffer("too early"));
      r->end();
      r->upgrade("", [&](auto result) { waiter.change([&] { why = result.status().message; }); });
      r->send(text("first"));
      r->send(text("second"));
      r->begin(200, {});
    };
    s.start();
    RawSocket c(s.address);
    c.send("GET /odd HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    QVERIFY(c.readAll().ends_with("\r\n\r\nfirst"));
    QVERIFY(waiter.until([&] { return !why.empty(); }));
  }
  void listenErrors() {
    TestServer s(io);
    s.start();
    TestServer t(io);
    t.make();
    auto taken = t.server->listenTcp(s.address, nullptr);
    QVERIFY(!taken.ok());
    QVERIFY(taken.status().message.find(s.address) != std::string::npos);
    QVERIFY(!t.server->listenTcp("nonsense", nullptr).ok());
    QVERIFY(!t.server->listenTcp("host.invalid:1", nullptr).ok());
    ServerTls bad{"nonsense", "nonsense", ""};
    QVERIFY(!t.server->listenTcp("127.0.0.1:0", &bad).ok());
    ServerTls mixed{certificates().server.certPem, certificates().client.keyPem, ""};
    QVERIFY(!t.server->listenTcp("127.0.0.1:0", &mixed).ok());
    ServerTls badCa{certificates().server.certPem, certificates().server.keyPem, "nonsense"};
    QVERIFY(!t.server->listenTcp("127.0.0.1:0", &badCa).ok());
    auto v6 = t.server->listenTcp("[::1]:0", nullptr);
    QVERIFY(!v6.ok() || v6->starts_with("[::1]:"));
  }
  void unixSockets() {
    QTemporaryDir dir;
    std::string path = dir.filePath("s").toStdString();
    for (int round = 0; round < 2; ++round) {  // the second finds the first's file
      TestServer s(io);
      s.make();
      QVERIFY(s.server->listenUnix(path).ok());
      struct stat info {};
      QVERIFY(stat(path.c_str(), &info) == 0);
      QCOMPARE(int(info.st_mode & 0777), 0600);
      ClientOptions o;
      o.endpoint = "unix:" + path;
      auto client = HttpClient::make(io, o);
      auto r = call(*client, post("/echo", "x"));
      QVERIFY(r.ok());
      QCOMPARE(std::string(r->headers.get("x-host")), std::string("localhost"));
    }
    QFile file(dir.filePath("plain"));
    QVERIFY(file.open(QIODevice::WriteOnly));
    TestServer s(io);
    s.make();
    QVERIFY(!s.server->listenUnix(dir.filePath("plain").toStdString()).ok());
    QVERIFY(!s.server->listenUnix(std::string(200, 'x')).ok());
  }
  void stopEndsStreamsAndFinishesAnswers() {
    TestServer s(io);
    Waiter waiter;
    std::shared_ptr<Responder> watch, slow;
    s.routes["/watch"] = [&](Request, std::shared_ptr<Responder> r) {
      r->begin(200, {});
      r->write(makeBuffer("event"));
      waiter.change([&] { watch = r; });
    };
    s.routes["/slow"] = [&](Request, std::shared_ptr<Responder> r) { waiter.change([&] { slow = r; }); };
    s.start();
    RawSocket a(s.address), b(s.address), idle(s.address);
    a.send("GET /watch HTTP/1.1\r\nHost: x\r\n\r\n");
    b.send("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n");
    idle.send("GET /echo HTTP/1.1\r\nHost: x\r\n\r\n");
    idle.readUntil("GET ");
    QVERIFY(waiter.until([&] { return watch && slow; }));
    std::thread stopper([&] { s.server->stop(); });
    auto streamed = a.readAll();
    QCOMPARE(unchunk(streamed), std::string("event"));
    slow->send(text("in time"));
    auto answered = b.readAll();
    QVERIFY(answered.ends_with("in time"));
    QVERIFY(answered.find("connection: close") != answered.npos);
    idle.readAll();
    QVERIFY(idle.closedByPeer());
    a.close();
    b.close();
    idle.close();
    stopper.join();
    QCOMPARE(s.server->connections(), 0);
    RawSocket late(s.address);
    QVERIFY(!late.send("x") || late.readAll().empty());
  }
  void stopWaitsAtMostASecond() {
    TestServer s(io);
    Waiter waiter;
    bool called = false, closed = false;
    s.routes["/never"] = [&](Request, std::shared_ptr<Responder> r) {
      r->onClose([&] { waiter.change([&] { closed = true; }); });
      waiter.change([&] { called = true; });
    };
    s.start();
    RawSocket c(s.address);
    c.send("GET /never HTTP/1.1\r\nHost: x\r\n\r\n");
    QVERIFY(waiter.until([&] { return called; }));
    QElapsedTimer t;
    t.start();
    s.server->stop();
    QVERIFY(t.elapsed() >= 900 && t.elapsed() < 5000);
    QVERIFY(waiter.read([&] { return closed; }));
    QCOMPARE(s.server->connections(), 0);
  }
  void manyWritersAtOnce() {
    TestServer s(io);
    Waiter waiter;
    std::shared_ptr<Responder> out;
    s.routes["/watch"] = [&](Request, std::shared_ptr<Responder> r) {
      r->begin(200, {});
      waiter.change([&] { out = r; });
    };
    s.start();
    RawSocket c(s.address);
    c.send("GET /watch HTTP/1.1\r\nHost: x\r\n\r\n");
    QVERIFY(waiter.until([&] { return out != nullptr; }));
    std::vector<std::thread> threads;
    for (char name : {'a', 'b', 'c', 'd'})
      threads.emplace_back([&, name] {
        for (int i = 0; i < 5000; ++i) out->write(makeBuffer(std::string(10, name)));
      });
    for (auto& t : threads) t.join();
    out->end();
    auto body = unchunk(c.readUntil("\r\n0\r\n\r\n"));
    QCOMPARE(body.size(), size_t(200000));
    for (char name : {'a', 'b', 'c', 'd'}) QCOMPARE(countOf(body, std::string(1, name)), size_t(50000));
  }
};

QTEST_GUILESS_MAIN(ServerTest)
#include "server_test.moc"
