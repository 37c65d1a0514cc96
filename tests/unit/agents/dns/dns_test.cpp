#include <QTest>

#include "agents/dns/zone.h"
#include "engine/api/codec.h"
#include "engine/base/random.h"

using namespace ph;
using namespace ph::agents::dns;

namespace {

const api::Registry& registry() {
  static auto r = api::Registry::builtin();
  return *r;
}

api::ObjectPtr object(const char* plural, const char* json) {
  auto r = api::Object::parse(registry().storage("", plural), json, 1);
  if (!r.ok()) qFatal("%s", r.status().message.c_str());
  return *r;
}

std::string question(const std::string& name, uint16_t type, uint16_t udpSize = 0) {
  std::string m("\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00", 11);
  m += char(udpSize ? 1 : 0);
  m += nameData(name);
  m += std::string{char(type >> 8), char(type), 0, 1};
  if (udpSize) m += std::string{0, 0, 41, char(udpSize >> 8), char(udpSize), 0, 0, 0, 0, 0, 0};
  return m;
}

// What an answer says, in words: "rcode; type data, ...".
QString ask(const Zone& zone, const std::string& name, uint16_t type) {
  auto q = parseQuery(question(name, type));
  if (!q.ok()) return "unreadable";
  if (!zone.answers(*q)) return "not ours";
  Answer a = zone.answer(*q);
  QStringList words;
  for (auto& r : a.answers) {
    auto byte = [&](size_t i) { return uint8_t(r.data[i]); };
    if (r.type == kA) words << QString("A %1.%2.%3.%4").arg(byte(0)).arg(byte(1)).arg(byte(2)).arg(byte(3));
    if (r.type == kSrv) words << QString("SRV %1").arg(byte(4) * 256 + byte(5));
    if (r.type == kCname) words << "CNAME";
    if (r.type == kPtr) words << "PTR";
  }
  words.sort();
  return QString("%1; %2").arg(a.rcode == kNoError ? "ok" : a.rcode == kNxDomain ? "no such name" : "refused", words.join(", "));
}

Zone cluster() {
  Zone z;
  z.setService("shop/web", object("services", R"({"metadata":{"name":"web","namespace":"shop"},"spec":{"clusterIP":"10.96.1.2",
    "ports":[{"name":"http","port":80,"protocol":"TCP"}]}})"));
  z.setService("shop/db", object("services", R"({"metadata":{"name":"db","namespace":"shop"},"spec":{"clusterIP":"None",
    "ports":[{"name":"sql","port":5432,"protocol":"TCP"}]}})"));
  z.setEndpoints("shop/db", object("endpoints", R"({"metadata":{"name":"db","namespace":"shop"},"subsets":[{"addresses":[
    {"ip":"10.244.0.5","hostname":"db-0"},{"ip":"10.244.1.7"}],"notReadyAddresses":[{"ip":"10.244.2.9"}],
    "ports":[{"name":"sql","port":5432,"protocol":"TCP"}]}]})"));
  z.setService("shop/ext", object("services", R"({"metadata":{"name":"ext","namespace":"shop"},"spec":{"type":"ExternalName","externalName":"Example.org"}})"));
  return z;
}

}  // namespace

class DnsTest : public QObject {
  Q_OBJECT
 private slots:
  void names_data() {
    QTest::addColumn<QString>("name");
    QTest::addColumn<int>("type");
    QTest::addColumn<QString>("expected");
    auto row = [](const char* name, int type, const char* expected) {
      QTest::addRow("%s %d", name, type) << name << type << expected;
    };
    row("web.shop.svc.cluster.local", kA, "ok; A 10.96.1.2");
    row("WEB.Shop.svc.cluster.local", kA, "ok; A 10.96.1.2");
    row("web.shop.svc.cluster.local", kAaaa, "ok; ");
    row("nope.shop.svc.cluster.local", kA, "no such name; ");
    row("_http._tcp.web.shop.svc.cluster.local", kSrv, "ok; SRV 80");
    row("2.1.96.10.in-addr.arpa", kPtr, "ok; PTR");
    row("9.9.9.9.in-addr.arpa", kPtr, "not ours");
    row("db.shop.svc.cluster.local", kA, "ok; A 10.244.0.5, A 10.244.1.7");
    row("db-0.db.shop.svc.cluster.local", kA, "ok; A 10.244.0.5");
    row("10-244-1-7.db.shop.svc.cluster.local", kA, "ok; A 10.244.1.7");
    row("_sql._tcp.db.shop.svc.cluster.local", kSrv, "ok; SRV 5432, SRV 5432");
    row("ext.shop.svc.cluster.local", kA, "ok; CNAME");
    row("10-244-3-4.shop.pod.cluster.local", kA, "ok; A 10.244.3.4");
    row("cluster.local", kA, "ok; ");
    row("notcluster.local", kA, "not ours");
    row("debian.org", kA, "not ours");
  }
  void names() {
    QFETCH(QString, name);
    QFETCH(int, type);
    QFETCH(QString, expected);
    QCOMPARE(ask(cluster(), name.toStdString(), uint16_t(type)), expected);
  }

  void followsChanges() {
    Zone z = cluster();
    z.setEndpoints("shop/db", nullptr);
    QCOMPARE(ask(z, "db.shop.svc.cluster.local", kA), QString("ok; "));
    QCOMPARE(ask(z, "db-0.db.shop.svc.cluster.local", kA), QString("no such name; "));
    z.setService("shop/db", nullptr);
    QCOMPARE(ask(z, "db.shop.svc.cluster.local", kA), QString("no such name; "));
  }

  void answersFitTheAsker() {
    Zone z;
    std::string addresses;
    for (int i = 0; i < 100; ++i) addresses += QString(R"(%1{"ip":"10.244.0.%2"})").arg(i ? "," : "").arg(i + 1).toStdString();
    z.setService("a/b", object("services", R"({"metadata":{"name":"b","namespace":"a"},"spec":{"clusterIP":"None"}})"));
    z.setEndpoints("a/b", object("endpoints", (R"({"metadata":{"name":"b","namespace":"a"},"subsets":[{"addresses":[)" + addresses + "]}]}").c_str()));
    for (uint16_t size : {uint16_t(0), uint16_t(1232), uint16_t(4096)}) {
      std::string m = question("b.a.svc.cluster.local", kA, size);
      auto q = parseQuery(m);
      QVERIFY(q.ok());
      QCOMPARE(q->maxAnswer, size_t(size ? size : 512));
      std::string out = encodeAnswer(*q, z.answer(*q), m, q->maxAnswer);
      QVERIFY(out.size() <= q->maxAnswer);
      bool truncated = out[2] & 2;
      QCOMPARE(truncated, size < 4096);
      std::string tcp = encodeAnswer(*q, z.answer(*q), m, 65535);
      QCOMPARE(uint8_t(tcp[7]), uint8_t(100));
    }
  }

  void malformedDatagramsAreRefused() {
    std::string good = question("web.shop.svc.cluster.local", kA, 1232);
    for (size_t n = 0; n < good.size() - 11; ++n) QVERIFY(!parseQuery(good.substr(0, n)).ok() || n >= good.size() - 15);
    std::string loop("\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\xc0\x0c\x00\x01\x00\x01", 18);
    QVERIFY(!parseQuery(loop).ok());
    std::string answer = good;
    answer[2] = char(0x81);
    QVERIFY(!parseQuery(answer).ok());
    // Random bytes and random damage: an error or a query, never more.
    auto random = seededRandom(11);
    Zone z = cluster();
    for (int i = 0; i < 20000; ++i) {
      std::string m = good;
      for (int k = 0; k < 4; ++k) m[random->below(m.size())] = char(random->next());
      m.resize(random->below(m.size() + 1));
      auto q = parseQuery(m);
      if (q.ok() && z.answers(*q)) QVERIFY(encodeAnswer(*q, z.answer(*q), m, q->maxAnswer).size() <= q->maxAnswer);
    }
  }
};

QTEST_GUILESS_MAIN(DnsTest)
#include "dns_test.moc"
