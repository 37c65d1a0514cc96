// The service "kubernetes" leads where the API is: after each start, wherever that is then.
#include <QTest>

#include "tests/unit/server/admission/core_fixture.h"

using namespace ph;
using server::Advertised;
using test::CoreFixture;

class ApiServiceTest : public QObject {
  Q_OBJECT
  std::unique_ptr<CoreFixture> f_;

  // A start at such an address.
  bool start(Advertised api) {
    std::promise<bool> done;
    server::createDefaults(f_->core, std::move(api), [&](Result<> r) { done.set_value(r.ok()); });
    return done.get_future().get();
  }
  std::string stored(const char* group, const char* plural, const char* path, const std::string& name = "kubernetes") {
    auto object = f_->core->cache->get(*f_->registry->storage(group, plural), "default/" + name);
    if (!object) return "(none)";
    const api::Json tree = object->tree();
    auto* v = api::at(tree, path);
    return v ? api::toText(*v) : "(no field)";
  }
  std::string endpoints() { return stored("", "endpoints", "subsets"); }
  std::string slice() { return stored("discovery.k8s.io", "endpointslices", "endpoints"); }

 private slots:
  void init() { f_ = std::make_unique<CoreFixture>(); }
  void cleanup() { f_.reset(); }

  void onlyFromItsOwnMachine() {
    QCOMPARE(stored("", "services", "spec.clusterIP"), std::string("\"10.96.0.1\""));
    QCOMPARE(endpoints(), std::string("(none)"));
    QCOMPARE(slice(), std::string("(none)"));
  }

  void whereNodesReachIt() {
    QVERIFY(start({7443, {"10.3.0.1"}}));
    QCOMPARE(endpoints(), std::string(R"([{"addresses":[{"ip":"10.3.0.1"}],"ports":[{"name":"https","port":7443,"protocol":"TCP"}]}])"));
    QVERIFY2(slice().find(R"("addresses":["10.3.0.1"])") != std::string::npos, slice().c_str());
    QCOMPARE(stored("discovery.k8s.io", "endpointslices", "addressType"), std::string("\"IPv4\""));
    QCOMPARE(stored("discovery.k8s.io", "endpointslices", "metadata.labels"), std::string(R"({"kubernetes.io/service-name":"kubernetes"})"));
    QVERIFY(stored("", "services", "spec.ports").find("\"targetPort\":7443") != std::string::npos);
  }

  void anotherAddressAtTheNextStart() {
    QVERIFY(start({7443, {"10.3.0.1"}}));
    QCOMPARE(CoreFixture::why(f_->patch("apiVersion: v1\nkind: Service\nmetadata: {name: kubernetes, labels: {mine: kept}}\n")), std::string());
    QVERIFY(start({6443, {"fd00::1"}}));
    QVERIFY(endpoints().find("fd00::1") != std::string::npos && endpoints().find("10.3.0.1") == std::string::npos);
    QCOMPARE(slice(), std::string("(none)"));  // a slice stays of its family
    QCOMPARE(stored("discovery.k8s.io", "endpointslices", "addressType", "kubernetes-ipv6"), std::string("\"IPv6\""));
    QVERIFY(stored("", "services", "spec.ports").find("\"targetPort\":6443") != std::string::npos);
    QVERIFY(stored("", "services", "metadata.labels").find("kept") != std::string::npos);
  }

  void theSameAgainWritesNothing() {
    QVERIFY(start({7443, {"10.3.0.1"}}));
    auto revision = [&](const char* group, const char* plural) { return stored(group, plural, "metadata.resourceVersion"); };
    const auto service = revision("", "services"), points = revision("", "endpoints"), slices = revision("discovery.k8s.io", "endpointslices");
    QVERIFY(start({7443, {"10.3.0.1"}}));
    QCOMPARE(revision("", "services"), service);
    QCOMPARE(revision("", "endpoints"), points);
    QCOMPARE(revision("discovery.k8s.io", "endpointslices"), slices);
  }

  void noLongerReached() {
    QVERIFY(start({7443, {"10.3.0.1"}}));
    QVERIFY(start({7443}));
    QCOMPARE(endpoints(), std::string("(none)"));
    QCOMPARE(slice(), std::string("(none)"));
  }
};

QTEST_GUILESS_MAIN(ApiServiceTest)
#include "api_service_test.moc"
