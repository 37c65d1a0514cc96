#include "engine/controllers/endpoints/endpoints.h"

#include <QtTest>

#include "tests/unit/controllers/cluster.h"

using namespace ph;
using namespace ph::test;

class EndpointsTest : public QObject {
  Q_OBJECT
  std::unique_ptr<Cluster> c_;

  void service(
      const std::string& spec = "clusterIP: 10.96.0.9, ports: [{name: web, port: 80, targetPort: http}]",
      const std::string& selector = "{app: web}") {
    c_->put("apiVersion: v1\nkind: Service\nmetadata: {name: web, labels: {team: a}}\nspec: {" + spec +
            ", selector: " + selector + "}");
  }
  Plan run() { return controllers::reconcileEndpoints(c_->snapshot, key("default/web"), c_->now); }
  Json made() { return body(run(), "create endpoints"); }

 private slots:
  void init() { c_ = std::make_unique<Cluster>(); }

  void listsReadyAndNotReady() {
    service();
    c_->pod("b", {.ip = "10.0.0.2"});
    c_->pod("a", {.ip = "10.0.0.1"});
    c_->pod("c", {.ip = "10.0.0.3", .ready = false});
    c_->pod("db", {.app = "db", .ip = "10.0.0.4"});
    c_->pod("young", {.phase = "Pending", .ip = "", .ready = false});
    Json e = made();
    QCOMPARE(text(e, "metadata.name"), std::string("web"));
    QCOMPARE(text(e, "metadata.labels.team"), std::string("a"));
    Json s = e.at("subsets").at(0);
    QCOMPARE(e.at("subsets").as_array().size(), size_t(1));
    QCOMPARE(text(s, "addresses.0.ip"), std::string("10.0.0.1"));
    QCOMPARE(text(s, "addresses.1.ip"), std::string("10.0.0.2"));
    QCOMPARE(text(s, "addresses.0.nodeName"), std::string("n1"));
    QCOMPARE(text(s, "addresses.0.targetRef.name"), std::string("a"));
    QCOMPARE(text(s, "addresses.0.targetRef.namespace"), std::string("default"));
    QCOMPARE(text(s, "notReadyAddresses.0.ip"), std::string("10.0.0.3"));
    QCOMPARE(text(s, "ports.0.port"), std::string("8080"));
    QCOMPARE(text(s, "ports.0.name"), std::string("web"));
    QCOMPARE(s.at("addresses").as_array().size(), size_t(2));
  }

  void thoseThatGoAreNoAddress() {
    service();
    c_->pod("dying", {.ip = "10.0.0.1", .deleting = true});
    c_->pod("dead", {.phase = "Failed", .ip = "10.0.0.2", .ready = false, .extra = ", annotations: {a: b}"});
    Json e = made();
    // Always-restarting pods may come back: not ready, but known.
    QCOMPARE(text(e, "subsets.0.notReadyAddresses.0.ip"), std::string("10.0.0.2"));
    QCOMPARE(text(e, "subsets.0.addresses"), std::string("(none)"));
  }

  void publishesNotReadyOnesWhenAsked() {
    service("clusterIP: None, publishNotReadyAddresses: true, ports: [{port: 80}]");
    c_->pod("a", {.ready = false});
    Json e = made();
    QCOMPARE(text(e, "subsets.0.addresses.0.ip"), std::string("10.0.0.1"));
    QCOMPARE(text(e, "subsets.0.ports.0.port"), std::string("80"));
    QVERIFY(e.at("metadata").at("labels").as_object().contains("service.kubernetes.io/headless"));
  }

  void headlessWithoutPorts() {
    service("clusterIP: None");
    c_->pod("a", {});
    Json e = made();
    QCOMPARE(text(e, "subsets.0.addresses.0.ip"), std::string("10.0.0.1"));
    QCOMPARE(text(e, "subsets.0.ports"), std::string("(none)"));
  }

  void podsWithoutTheNamedPortAreLeftOut() {
    service("clusterIP: 10.96.0.9, ports: [{port: 80, targetPort: admin}]");
    c_->pod("a", {});
    QCOMPARE(text(made(), "subsets"), std::string("[]"));
  }

  void updatesOnlyWhatChanged() {
    service();
    c_->pod("a", {});
    Json e = made();
    c_->putTree(e);
    QCOMPARE(steps(run()), std::vector<std::string>{});
    c_->pod("b", {.ip = "10.0.0.2"});
    Plan p = run();
    QCOMPARE(steps(p), std::vector<std::string>{"patch endpoints/web"});
    QCOMPARE(body(p, "patch").at("subsets").at(0).at("addresses").as_array().size(), size_t(2));
    QVERIFY(!body(p, "patch").as_object().contains("metadata"));
    QVERIFY(p.steps[0].write.revision > 0);
  }

  void goWithTheirServiceButHandmadeOnesStay() {
    c_->put("apiVersion: v1\nkind: Endpoints\nmetadata: {name: web}");
    QVERIFY(run().empty());
    c_->put(
        "apiVersion: v1\nkind: Endpoints\nmetadata: {name: web, labels: {endpoints.kubernetes.io/managed-by: "
        "endpoint-controller}}");
    QCOMPARE(steps(run()), std::vector<std::string>{"delete endpoints/web"});
  }

  void servicesWithoutSelectorAreTheUsers() {
    service("ports: [{port: 80}]", "{}");
    c_->pod("a", {});
    QVERIFY(run().empty());
  }

  void tooManyAreCutAndMarked() {
    service();
    for (int i = 0; i < 1005; ++i)
      c_->pod("p" + std::to_string(i), {.ip = fmt::format("10.0.{}.{}", i / 200, i % 200), .ready = i != 7});
    Json e = made();
    QCOMPARE(e.at("subsets").at(0).at("addresses").as_array().size(), size_t(1000));
    QVERIFY(e.at("metadata").at("annotations").at("endpoints.kubernetes.io/over-capacity") == "truncated");
  }

  void aPodsChangeFindsItsServices() {
    service();
    auto spec = controllers::endpointsController(c_->snapshot.kinds());
    auto keysFor = [&](const client::Change& change) {
      controllers::Keys keys;
      for (auto& w : spec.watches)
        if (w.kind == c_->snapshot.kinds().pods) w.keys(c_->snapshot, change, keys);
      return keys;
    };
    auto a = c_->pod("a", {}), b = c_->pod("a", {.ready = false}), d = c_->pod("a", {.app = "db"});
    QCOMPARE(keysFor({nullptr, a}), controllers::Keys{"default/web"});
    QCOMPARE(keysFor({a, b}), controllers::Keys{"default/web"});
    QCOMPARE(keysFor({a, d}), controllers::Keys{"default/web"});  // it left
    QCOMPARE(keysFor({a, a}), controllers::Keys{});
    QCOMPARE(keysFor({nullptr, d}), controllers::Keys{});
  }
};

QTEST_GUILESS_MAIN(EndpointsTest)
#include "endpoints_test.moc"
