#include "tests/unit/net/support.h"

using namespace ph;
using namespace ph::net;
using namespace ph::net::test;

class ClientTest : public QObject {
  Q_OBJECT
  std::shared_ptr<Io> io;

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
    ClientOptions o;
    o.endpoint = s.address;
    o.http2 = http2;
    if (tls) o.tls = certificates().clientTls(true);
    auto client = HttpClient::make(io, o);
    auto r = call(*client, post("/echo", "hello"));
    QVERIFY2(r.ok(), r.ok() ? "" : r.status().message.c_str());
    QCOMPARE(r->status, 200);
    QCOMPARE(r->bodyText(), std::string("POST  hello"));
    QCOMPARE(std::string(r->headers.get("x-major")), std::string(http2 ? "2" : "1"));
    QCOMPARE(std::string(r->headers.get("x-host")), s.address);
    auto who = call(*client, get("/who"));
    QCOMPARE(who->bodyText(), std::string(tls ? "alice,system:masters,dev|" : "|"));
    std::string big(2'000'000, 'x');
    auto large = call(*client, post("/echo", big));
    QVERIFY(large.ok());
    QCOMPARE(large->bodyText().size(), big.size() + 6);
    QCOMPARE(call(*client, get("/nowhere"))->status, 404);
    QCOMPARE(s.server->connections(), 1);
  }
};

QTEST_GUILESS_MAIN(ClientTest)
#include "client_test.moc"
