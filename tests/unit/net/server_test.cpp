#include "tests/unit/net/support.h"

using namespace ph;
using namespace ph::net;
using namespace ph::net::test;

class ServerTest : public QObject {
  Q_OBJECT
  std::shared_ptr<Io> io;

 private slots:
  void initTestCase() { io = Io::make(2); }
  void cleanupTestCase() { io.reset(); }

  void plainHttp1() {
    TestServer s(io);
    s.start();
    RawSocket c(s.address);
    c.send("GET /echo?a=1 HTTP/1.1\r\nHost: x\r\n\r\n");
    auto answer = c.readUntil("GET a=1 ");
    QVERIFY(answer.starts_with("HTTP/1.1 200 OK\r\n"));
    QVERIFY(answer.find("content-length: 8\r\n") != answer.npos);
    QVERIFY(answer.find("date: ") != answer.npos);
  }
};

QTEST_GUILESS_MAIN(ServerTest)
#include "server_test.moc"
