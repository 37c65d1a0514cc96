#include <QProcess>
#include <QTest>

#include "agents/proxy/rules.h"
#include "engine/api/codec.h"

using namespace ph;
using namespace ph::agents::proxy;

namespace {

api::ObjectPtr object(const char* plural, const char* json) {
  static auto registry = api::Registry::builtin();
  auto r = api::Object::parse(registry->storage("", plural), json, 1);
  if (!r.ok()) qFatal("%s", r.status().message.c_str());
  return *r;
}

// Loads the script in a network namespace of its own; what nft complains about, empty when all is well.
QString load(const std::string& script) {
  QProcess p;
  p.start("unshare", {"-n", "sh", "-c", "nft -f - && nft list ruleset > /dev/null"});
  p.write(script.data(), qint64(script.size()));
  p.closeWriteChannel();
  if (!p.waitForFinished(30000)) return "nft did not finish";
  return QString::fromUtf8(p.readAllStandardError());
}

}  // namespace

class RulesTest : public QObject {
  Q_OBJECT
 private slots:
  void portsMeetTheirBackends() {
    auto service = object("services", R"({"metadata":{"name":"web","namespace":"shop"},"spec":{"clusterIP":"10.96.1.2","sessionAffinity":"ClientIP",
      "ports":[{"name":"http","port":80,"protocol":"TCP","nodePort":30080},{"name":"dns","port":53,"protocol":"UDP"}]}})");
    auto endpoints = object("endpoints", R"({"metadata":{"name":"web","namespace":"shop"},"subsets":[
      {"addresses":[{"ip":"10.244.1.3"},{"ip":"10.244.0.2"}],"notReadyAddresses":[{"ip":"10.244.9.9"}],
       "ports":[{"name":"http","port":8080,"protocol":"TCP"}]}]})");
    auto ports = servicePorts(*service, endpoints.get());
    QCOMPARE(ports.size(), size_t(2));
    QCOMPARE(ports[0].name, std::string("shop/web:http"));
    QVERIFY((ports[0].backends == std::vector<Backend>{{"10.244.0.2", 8080}, {"10.244.1.3", 8080}}));
    QVERIFY(ports[0].clientIpAffinity);
    QVERIFY(ports[1].backends.empty());
    QCOMPARE(servicePorts(*service, nullptr).size(), size_t(2));
    QVERIFY(servicePorts(*object("services", R"({"metadata":{"name":"h","namespace":"a"},"spec":{"clusterIP":"None","ports":[{"port":1}]}})"), nullptr).empty());
  }

  void theScriptLoads() {
    if (geteuid() != 0) QSKIP("needs root for a network namespace");
    std::vector<ServicePort> ports;
    QCOMPARE(load(ruleset(ports, {})), QString());
    ports.push_back({"a/web:http", "10.96.0.5", "tcp", 80, 30080, {"192.0.2.7"}, false, {{"10.244.0.2", 8080}, {"10.244.1.2", 8080}}});
    ports.push_back({"a/dns:53", "10.96.0.6", "udp", 53, 0, {}, true, {{"10.244.0.3", 53}}});
    ports.push_back({"a/empty:80", "10.96.0.7", "tcp", 80, 0, {}, false, {}});
    ports.push_back({"a/twin:80", "10.96.0.8", "tcp", 80, 0, {"192.0.2.7"}, false, {{"10.244.0.9", 1}}});
    QCOMPARE(load(ruleset(ports, {"10.244.0.0/16", {"10.99.0.11"}})), QString());
  }

  void aThousandServicesLoad() {
    if (geteuid() != 0) QSKIP("needs root for a network namespace");
    std::vector<ServicePort> ports;
    for (int i = 0; i < 1000; ++i)
      ports.push_back({"ns/s" + std::to_string(i), "10.96." + std::to_string(i / 250) + "." + std::to_string(i % 250), "tcp", 80, 0, {},
                       false, {{"10.244.0.2", 8080}, {"10.244.1.2", 8080}, {"10.244.2.2", 8080}}});
    std::string script = ruleset(ports, {"10.244.0.0/16", {}});
    QCOMPARE(load(script + script), QString());  // the second replaces the first
  }
};

QTEST_GUILESS_MAIN(RulesTest)
#include "rules_test.moc"
