#include <QTest>

#include "agents/proxy/service_proxy.h"
#include "engine/api/codec.h"

using namespace ph;
using namespace ph::agents::proxy;
using namespace std::chrono_literals;

namespace {

api::ObjectPtr object(const char* plural, const std::string& json) {
  static auto registry = api::Registry::builtin();
  auto r = api::Object::parse(registry->storage("", plural), json, 1);
  if (!r.ok()) qFatal("%s", r.status().message.c_str());
  return *r;
}
client::Change service(const std::string& name) {
  return {nullptr, object("services", R"({"metadata":{"name":")" + name + R"(","namespace":"a"},"spec":{"clusterIP":"10.96.0.9","ports":[{"port":80}]}})")};
}
client::Change endpoints(const std::string& name, const std::string& ip) {
  return {nullptr, object("endpoints", R"({"metadata":{"name":")" + name + R"(","namespace":"a"},"subsets":[{"addresses":[{"ip":")" + ip + R"("}],"ports":[{"port":8080}]}]})")};
}

struct Bench {
  std::shared_ptr<SimExecutor> ex = SimExecutor::make(1);
  std::vector<std::string> loaded;
  int failures = 0;
  std::function<void(Result<>)> pending;
  bool hold = false;
  std::shared_ptr<ServiceProxy> proxy = ServiceProxy::make(ex, [this](std::string script, auto done) {
    loaded.push_back(script);
    if (hold) pending = done;
    else if (failures-- > 0) done(Status::internal("nft: no"));
    else done({});
  }, {});
};

}  // namespace

class ServiceProxyTest : public QObject {
  Q_OBJECT
 private slots:
  void waitsForBothKindsThenGathers() {
    Bench b;
    b.proxy->onServices({service("x")});
    b.proxy->onSynced();
    b.ex->runFor(1s);
    QVERIFY(b.loaded.empty());
    b.proxy->onEndpoints({endpoints("x", "10.244.0.2")});
    b.proxy->onSynced();
    b.proxy->onServices({service("y")});
    b.ex->runFor(1s);
    QCOMPARE(b.loaded.size(), size_t(1));
    QVERIFY(b.loaded[0].find("10.244.0.2 . 8080") != std::string::npos);
    // What changes no rule loads nothing.
    b.proxy->onServices({service("x")});
    b.ex->runFor(1s);
    QCOMPARE(b.loaded.size(), size_t(1));
  }

  void aFailureIsTriedAgain() {
    Bench b;
    b.failures = 2;
    b.proxy->onSynced();
    b.proxy->onSynced();
    b.ex->runFor(1s);
    QCOMPARE(b.proxy->lastError(), std::string("nft: no"));
    b.ex->runFor(10s);
    QCOMPARE(b.loaded.size(), size_t(3));
    QVERIFY(b.proxy->lastError().empty());
  }

  void oneAtATimeAndTheNewestWins() {
    Bench b;
    b.hold = true;
    b.proxy->onSynced();
    b.proxy->onSynced();
    b.ex->runFor(1s);
    for (auto ip : {"10.244.0.2", "10.244.0.3", "10.244.0.4"}) {
      b.proxy->onServices({service("x")});
      b.proxy->onEndpoints({endpoints("x", ip)});
      b.ex->runFor(1s);
    }
    QCOMPARE(b.loaded.size(), size_t(1));
    b.hold = false;
    b.pending({});
    b.ex->runFor(1s);
    QCOMPARE(b.loaded.size(), size_t(2));
    QVERIFY(b.loaded[1].find("10.244.0.4") != std::string::npos);
    QVERIFY(b.loaded[1].find("10.244.0.3") == std::string::npos);
  }
};

QTEST_GUILESS_MAIN(ServiceProxyTest)
#include "service_proxy_test.moc"
