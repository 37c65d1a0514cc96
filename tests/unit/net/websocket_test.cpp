// WebSockets, both sides ours, and a raw client for what ours never does.
#include <thread>

#include "tests/unit/net/support.h"

using namespace ph;
using namespace ph::net;
using namespace ph::net::test;

namespace {

// One end and all that came of it.
struct Socket {
  Waiter waiter;
  std::shared_ptr<WebSocket> ws;
  std::optional<Status> failure;
  std::vector<std::pair<std::string, bool>> messages;
  bool closed = false;

  static void take(const std::shared_ptr<Socket>& self, Result<std::shared_ptr<WebSocket>> result) {
    self->waiter.change([&] {
      if (result.ok()) {
        self->ws = *result;
      } else {
        self->failure = result.status();
      }
    });
    if (result.ok())
      (*result)->start(
          [self](std::string message, bool binary) {
            self->waiter.change([&] { self->messages.emplace_back(std::move(message), binary); });
          },
          [self] { self->waiter.change([&] { self->closed = true; }); });
  }
  bool isOpen() {
    return waiter.until([&] { return ws || failure; }) && ws;
  }
};

}  // namespace

class WebSocketTest : public QObject {
  Q_OBJECT
  std::shared_ptr<Io> io;
  std::shared_ptr<Socket> serverSide;

  // A server whose /ws upgrades into serverSide.
  void routes(TestServer& s, std::string subprotocol = {}) {
    serverSide = std::make_shared<Socket>();
    s.routes["/ws"] = [side = serverSide, subprotocol](Request, std::shared_ptr<Responder> r) {
      r->upgrade(subprotocol, [side](auto result) { Socket::take(side, std::move(result)); });
    };
    s.routes["/refused"] = [](Request, std::shared_ptr<Responder> r) { r->send(text("not for you", 403)); };
  }
  std::shared_ptr<Socket> connect(HttpClient& client, std::string path, std::string subprotocols = {}) {
    auto side = std::make_shared<Socket>();
    client.webSocket(get(std::move(path)), std::move(subprotocols),
                     [side](auto result) { Socket::take(side, std::move(result)); });
    return side;
  }
  std::shared_ptr<HttpClient> clientOf(const TestServer& s, bool tls = false) {
    ClientOptions o;
    o.endpoint = s.address;
    if (tls) o.tls = certificates().clientTls();
    return HttpClient::make(io, o);
  }

 private slots:
  void initTestCase() { io = Io::make(2); }
  void cleanup() { serverSide.reset(); }
  void cleanupTestCase() { io.reset(); }

  void messagesBothWays_data() {
    QTest::addColumn<bool>("tls");
    QTest::newRow("clear") << false;
    QTest::newRow("tls") << true;
  }
  void messagesBothWays() {
    QFETCH(bool, tls);
    TestServer s(io);
    routes(s, "v5.channel.k8s.io");
    auto serverTls = certificates().serverTls();
    s.start(tls ? &serverTls : nullptr);
    auto client = clientOf(s, tls);
    auto side = connect(*client, "/ws", "v5.channel.k8s.io, v4.channel.k8s.io");
    QVERIFY(side->isOpen());
    QVERIFY(serverSide->isOpen());
    QCOMPARE(side->ws->subprotocol(), std::string("v5.channel.k8s.io"));
    QCOMPARE(serverSide->ws->subprotocol(), std::string("v5.channel.k8s.io"));
    std::string big(1000000, 'b');
    side->ws->sendBinary(makeBuffer(std::string("\0bin", 4)));
    side->ws->sendText(makeBuffer("text"));
    side->ws->sendBinary(makeBuffer(big));
    side->ws->sendBinary(makeBuffer(""));
    QVERIFY(serverSide->waiter.until([&] { return serverSide->messages.size() == 4; }));
    QVERIFY(serverSide->messages[0] == std::pair(std::string("\0bin", 4), true));
    QVERIFY(serverSide->messages[1] == std::pair(std::string("text"), false));
    QVERIFY(serverSide->messages[2].first == big);
    QVERIFY(serverSide->messages[3].first.empty());
    for (int i = 0; i < 5000; ++i) serverSide->ws->sendBinary(makeBuffer(std::to_string(i)));
    QVERIFY(side->waiter.until([&] { return side->messages.size() == 5000; }));
    for (int i = 0; i < 5000; ++i) QCOMPARE(side->messages[size_t(i)].first, std::to_string(i));
    QTRY_COMPARE(serverSide->ws->buffered(), size_t(0));
    side->ws->close(1000, "done");
    QVERIFY(side->waiter.until([&] { return side->closed; }));
    QVERIFY(serverSide->waiter.until([&] { return serverSide->closed; }));
    serverSide->ws->sendText(makeBuffer("to nobody"));
    QTRY_COMPARE(s.server->connections(), 0);
  }
  void serverCloses() {
    TestServer s(io);
    routes(s);
    s.start();
    auto client = clientOf(s);
    auto side = connect(*client, "/ws");
    QVERIFY(side->isOpen() && serverSide->isOpen());
    serverSide->ws->sendText(makeBuffer("last words"));
    serverSide->ws->close(1000, std::string(500, 'r'));
    QVERIFY(side->waiter.until([&] { return side->closed; }));
    QCOMPARE(side->messages.size(), size_t(1));
    QVERIFY(serverSide->waiter.until([&] { return serverSide->closed; }));
    QTRY_COMPARE(s.server->connections(), 0);
  }
  void droppingClosesIt() {
    TestServer s(io);
    routes(s);
    s.start();
    auto client = clientOf(s);
    auto side = connect(*client, "/ws");
    QVERIFY(side->isOpen() && serverSide->isOpen());
    side->waiter.change([&] { side->ws.reset(); });
    QVERIFY(serverSide->waiter.until([&] { return serverSide->closed; }));
    QTRY_COMPARE(s.server->connections(), 0);
  }
  void refusals() {
    TestServer s(io);
    routes(s);
    s.start();
    auto client = clientOf(s);
    auto side = connect(*client, "/refused");
    QVERIFY(!side->isOpen());
    QCOMPARE(side->failure->code, 403);
    QCOMPARE(side->failure->message, std::string("not for you"));
    auto none = connect(*client, "/echo");
    QVERIFY(!none->isOpen());
    // Not an upgrade at all.
    QVERIFY(serverSide->waiter.until([] { return true; }));
    std::thread([&] { (void)call(*client, get("/ws"), 200ms); }).join();
    QVERIFY(serverSide->waiter.until([&] { return serverSide->failure.has_value(); }));
    QCOMPARE(serverSide->failure->code, 400);
    s.server.reset();
    auto gone = connect(*client, "/ws");
    QVERIFY(!gone->isOpen());
    QCOMPARE(gone->failure->code, 503);
  }
  void serverStops() {
    TestServer s(io);
    routes(s);
    s.start();
    auto client = clientOf(s);
    auto side = connect(*client, "/ws");
    QVERIFY(side->isOpen() && serverSide->isOpen());
    s.server->stop();
    QVERIFY(side->waiter.until([&] { return side->closed; }));
    QVERIFY(serverSide->waiter.until([&] { return serverSide->closed; }));
  }
  void clientDestroyed() {
    TestServer s(io);
    routes(s);
    s.start();
    auto client = clientOf(s);
    auto side = connect(*client, "/ws");
    QVERIFY(side->isOpen() && serverSide->isOpen());
    client.reset();
    QVERIFY(serverSide->waiter.until([&] { return serverSide->closed; }));
    QTRY_COMPARE(s.server->connections(), 0);
  }
  void badClients_data() {
    QTest::addColumn<QByteArray>("bytes");
    QTest::newRow("unmasked") << QByteArray(
        "\x82\x03"
        "abc");
    QTest::newRow("reserved bits") << QByteArray("\xf2\x83\1\2\3\4abc");
    QTest::newRow("unknown opcode") << QByteArray("\x83\x83\1\2\3\4abc");
    QTest::newRow("invalid UTF-8") << QByteArray("\x81\x82\0\0\0\0\xff\xff", 8);
    QTest::newRow("too large") << QByteArray("\x82\xff\0\0\0\1\0\0\0\0\1\2\3\4", 14);
    QTest::newRow("cut") << QByteArray("\x82\x83\1\2");
  }
  void badClients() {
    QFETCH(QByteArray, bytes);
    TestServer s(io);
    routes(s);
    s.start();
    RawSocket c(s.address);
    // The first frame comes along with the request.
    c.send(
        "GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: "
        "13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
    c.send(std::string("\x81\x85\0\0\0\0early", 11));
    auto answer = c.readUntil("\r\n\r\n");
    QVERIFY2(answer.starts_with("HTTP/1.1 101 "), answer.c_str());
    QVERIFY(answer.find("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=") != answer.npos);
    QVERIFY(serverSide->waiter.until([&] { return serverSide->messages.size() == 1; }));
    QCOMPARE(serverSide->messages[0].first, std::string("early"));
    c.send(bytes.toStdString());
    c.halfClose();
    QVERIFY(serverSide->waiter.until([&] { return serverSide->closed; }));
    QCOMPARE(serverSide->messages.size(), size_t(1));
    QTRY_COMPARE(s.server->connections(), 0);
  }
  void badUpgrade() {
    TestServer s(io);
    routes(s);
    s.start();
    RawSocket c(s.address);
    c.send(
        "GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: "
        "8\r\n\r\n");
    auto answer = c.readUntil("\r\n\r\n");
    QVERIFY2(answer.starts_with("HTTP/1.1 4"), answer.c_str());
    QVERIFY(serverSide->waiter.until([&] { return serverSide->failure.has_value(); }));
    c.close();
    QTRY_COMPARE(s.server->connections(), 0);
  }
  void clientGoneDuringUpgrade() {
    TestServer s(io);
    Waiter waiter;
    std::shared_ptr<Responder> held;
    s.routes["/held"] = [&](Request, std::shared_ptr<Responder> r) { waiter.change([&] { held = r; }); };
    ServerLimits limits;
    limits.bodyTimeout = 100ms;
    s.start(nullptr, limits);
    RawSocket c(s.address);
    c.send(
        "GET /held HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: "
        "Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
    QVERIFY(waiter.until([&] { return held != nullptr; }));
    c.close();
    QTRY_COMPARE(s.server->connections(), 0);
    auto side = std::make_shared<Socket>();
    held->upgrade("", [side](auto result) { Socket::take(side, std::move(result)); });
    QVERIFY(!side->isOpen());
    QCOMPARE(side->failure->code, 503);
  }
  void manyWriters() {
    TestServer s(io);
    routes(s);
    s.start();
    auto client = clientOf(s);
    auto side = connect(*client, "/ws");
    QVERIFY(side->isOpen() && serverSide->isOpen());
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
      threads.emplace_back([&] {
        for (int i = 0; i < 500; ++i) {
          side->ws->sendBinary(makeBuffer("up"));
          serverSide->ws->sendBinary(makeBuffer("down"));
        }
      });
    for (auto& t : threads) t.join();
    QVERIFY(side->waiter.until([&] { return side->messages.size() == 2000; }));
    QVERIFY(serverSide->waiter.until([&] { return serverSide->messages.size() == 2000; }));
  }
};

QTEST_GUILESS_MAIN(WebSocketTest)
#include "websocket_test.moc"
