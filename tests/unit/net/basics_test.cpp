#include "engine/net/pki.h"
#include "engine/net/signing.h"
#include "engine/net/status_body.h"
#include "tests/unit/net/support.h"

using namespace ph;
using namespace ph::net;
using namespace ph::net::test;

class BasicsTest : public QObject {
  Q_OBJECT
 private slots:
  void headersCompareWithoutCase() {
    Headers h;
    h.add("Content-Type", "a");
    h.add("X-Two", "1");
    h.add("x-two", "2");
    QVERIFY(h.get("content-TYPE") == "a");
    QVERIFY(h.has("X-TWO"));
    QVERIFY(!h.has("x-tw"));
    h.set("X-two", "3");
    QCOMPARE(h.all().size(), size_t(2));
    QVERIFY(h.get("x-two") == "3");
    QVERIFY(h.get("none").empty());
  }
  void percentCoding() {
    std::string out;
    QVERIFY(percentDecode("a%2Fb%41+c", out));
    QCOMPARE(out, std::string("a/bA+c"));
    QVERIFY(percentDecode("a+b", out, true));
    QCOMPARE(out, std::string("a b"));
    for (auto bad : {"%", "%4", "%zz", "abc%2"}) QVERIFY(!percentDecode(bad, out));
    std::string all;
    for (int i = 0; i < 256; ++i) all += char(i);
    QVERIFY(percentDecode(percentEncode(all), out));
    QVERIFY(out == all);
    QCOMPARE(percentEncode("a b/ü"), std::string("a%20b%2F%C3%BC"));
  }
  void queries() {
    auto q = parseQuery("watch=1&labelSelector=a%3Db%2Cc&empty=&flag&&bad=%zz&sp=a+b");
    QCOMPARE(q.size(), size_t(6));
    QVERIFY(q[0] == std::pair(std::string("watch"), std::string("1")));
    QVERIFY(q[1].second == "a=b,c");
    QVERIFY(q[2].second.empty());
    QVERIFY(q[3].first == "flag" && q[3].second.empty());
    QVERIFY(q[4].second == "%zz");
    QVERIFY(q[5].second == "a b");
    QVERIFY(parseQuery("").empty());
  }
  void base64Urls() {
    QCOMPARE(base64Url("\xfb\xff"), std::string("-_8"));
    std::string out;
    QVERIFY(base64UrlDecode("-_8", out));
    QCOMPARE(out, std::string("\xfb\xff"));
    for (auto bad : {"Z", "Zg==", "+/8", "Z*", "Zh", "-_9", "Z m"}) QVERIFY2(!base64UrlDecode(bad, out), bad);
  }
  void digests() {
    QCOMPARE(sha256Hex("abc"),
             std::string("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
  }
  void certificatesMade() {
    auto& c = certificates();
    QVERIFY(c.ca.certPem.starts_with("-----BEGIN CERTIFICATE-----"));
    QVERIFY(c.ca.keyPem.starts_with("-----BEGIN PRIVATE KEY-----"));
    auto s = spec("x");
    s.notAfter = *parseTime("2031-02-03T04:05:06Z");
    auto made = issue(c.ca, s);
    QVERIFY(made.ok());
    QVERIFY(*certExpiry(made->certPem) == s.notAfter);
    auto again = issue(c.ca, s);
    QVERIFY(again->certPem != made->certPem);
    QVERIFY(again->keyPem != made->keyPem);
  }
  void certificatesRefused() {
    auto& c = certificates();
    auto s = spec("x");
    s.ipAddresses = {"300.1.1.1"};
    auto made = issue(c.ca, s);
    QVERIFY(!made.ok());
    QVERIFY(made.status().message.find("300.1.1.1") != std::string::npos);
    QVERIFY(!issue({c.ca.certPem, c.otherCa.keyPem}, spec("x")).ok());
    QVERIFY(!issue({"nonsense", "nonsense"}, spec("x")).ok());
    QVERIFY(!certExpiry("nonsense").ok());
    auto backwards = spec("x");
    backwards.notAfter = backwards.notBefore - 1h;
    QVERIFY(!makeCa(backwards).ok());
  }
  void statusBodies() {
    std::string wanted =
        "{'kind':'Status','apiVersion':'v1','metadata':{},'status':'Failure',"
        "'message':'a !'b!'!u000a!u0001!u00ff','reason':'RequestEntityTooLarge','code':413}";
    for (char& c : wanted) c = c == '\'' ? '"' : c == '!' ? '\\' : c;
    QCOMPARE(statusJson(Status::tooLarge("a \"b\"\n\x01\xff")), wanted);
  }
  void addresses() {
    QCOMPARE(parseHostPort("1.2.3.4:80")->host, std::string("1.2.3.4"));
    QCOMPARE(parseHostPort("[::1]:443")->host, std::string("::1"));
    QCOMPARE(parseHostPort("name:65535")->port, uint16_t(65535));
    for (auto bad : {"", "a", "a:", "a:b", "a:70000", "::1:80", "a:1x"})
      QVERIFY2(!parseHostPort(bad).ok(), bad);
  }
  void ioRunsTasks() {
    auto io = Io::make(2);
    auto executor = io->executor();
    Waiter waiter;
    int ran = 0;
    for (int i = 0; i < 100; ++i) executor->post([&] { waiter.change([&] { ++ran; }); });
    QVERIFY(waiter.until([&] { return ran == 100; }));
    auto strand = executor->strand();
    std::vector<int> order;
    for (int i = 0; i < 100; ++i) strand->post([&, i] { waiter.change([&] { order.push_back(i); }); });
    QVERIFY(waiter.until([&] { return order.size() == 100; }));
    QVERIFY(std::is_sorted(order.begin(), order.end()));
    bool late = false, never = false;
    auto begun = executor->monoNow();
    auto timer = executor->after(30ms, [&] { waiter.change([&] { late = true; }); });
    executor->after(1ms, [&] { waiter.change([&] { never = true; }); }).cancel();
    QVERIFY(waiter.until([&] { return late; }));
    QVERIFY(executor->monoNow() - begun >= 30ms);
    QVERIFY(!waiter.read([&] { return never; }));
  }
  void ioDropsWhatIsLeft() {
    auto kept = std::make_shared<int>(1);
    {
      auto io = Io::make(1);
      auto timer = io->executor()->after(1h, [kept] {});
      timer.detach();
      QTRY_COMPARE(kept.use_count(), 2L);
    }
    QCOMPARE(kept.use_count(), 1L);
  }
};

QTEST_GUILESS_MAIN(BasicsTest)
#include "basics_test.moc"
