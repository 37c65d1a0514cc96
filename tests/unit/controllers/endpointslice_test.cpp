#include "engine/controllers/endpointslice/endpointslice.h"

#include <QtTest>
#include <set>

#include "tests/unit/controllers/cluster.h"

using namespace ph;
using namespace ph::test;

class EndpointSliceTest : public QObject {
  Q_OBJECT
  std::unique_ptr<Cluster> c_;
  int made_ = 0;

  void service(const std::string& selector = "{app: web}") {
    c_->put("apiVersion: v1\nkind: Service\nmetadata: {name: web, labels: {team: a}}\nspec: {clusterIP: 10.96.0.9, ports: [{name: web, "
            "port: 80, targetPort: http}], selector: " + selector + "}");
  }
  Plan run() { return controllers::reconcileEndpointSlices(c_->snapshot, key("default/web"), c_->now); }
  // Does what the plan wants.
  void carryOut(const Plan& plan) {
    for (auto& s : plan.steps) {
      auto& w = s.write;
      if (w.verb == client::Verb::Create) {
        Json tree = *api::parseJson(w.body);
        auto& meta = tree.at("metadata").as_object();
        meta["name"] = "web-" + std::to_string(++made_);
        meta.erase("generateName");
        c_->putTree(tree);
      } else if (w.verb == client::Verb::Delete) {
        c_->snapshot.erase(c_->snapshot.get(w.info, w.ns + "/" + w.name));
      } else {
        Json tree = c_->snapshot.get(w.info, w.ns + "/" + w.name)->tree();
        Json patch = *api::parseJson(w.body);
        if (auto* e = patch.as_object().if_contains("endpoints")) tree.as_object()["endpoints"] = *e;
        c_->putTree(tree);
      }
    }
  }
  std::vector<size_t> sizes() {
    std::vector<size_t> out;
    for (auto& [k, slice] : c_->snapshot.all(c_->snapshot.kinds().endpointSlices))
      out.push_back(slice->tree().at("endpoints").as_array().size());
    std::sort(out.begin(), out.end());
    return out;
  }

 private slots:
  void init() {
    c_ = std::make_unique<Cluster>();
    made_ = 0;
  }

  void showsPods() {
    service();
    c_->put("apiVersion: v1\nkind: Node\nmetadata: {name: n1, labels: {topology.kubernetes.io/zone: z}}");
    c_->pod("a", {.ip = "10.0.0.1"});
    c_->pod("b", {.ip = "10.0.0.2", .ready = false});
    c_->pod("dying", {.ip = "10.0.0.3", .deleting = true});
    c_->pod("done", {.phase = "Succeeded", .ip = "10.0.0.4"});
    c_->pod("db", {.app = "db", .ip = "10.0.0.5"});
    Json s = body(run(), "create endpointslices");
    QCOMPARE(text(s, "metadata.generateName"), std::string("web-"));
    QCOMPARE(s.at("metadata").at("labels").at("kubernetes.io/service-name").as_string(), "web");
    QCOMPARE(s.at("metadata").at("labels").at("endpointslice.kubernetes.io/managed-by").as_string(), "endpointslice-controller.k8s.io");
    QCOMPARE(text(s, "metadata.labels.team"), std::string("a"));
    QCOMPARE(text(s, "metadata.ownerReferences.0.uid"), std::string("uid-web"));
    QCOMPARE(text(s, "ports.0.port"), std::string("8080"));
    auto& list = s.at("endpoints").as_array();
    QCOMPARE(list.size(), size_t(3));
    auto conditions = [&](size_t i) {
      return text(list[i], "addresses.0") + " " + text(list[i], "conditions.ready") + " " + text(list[i], "conditions.serving") + " " +
             text(list[i], "conditions.terminating");
    };
    QCOMPARE(conditions(0), std::string("10.0.0.1 true true false"));
    QCOMPARE(conditions(1), std::string("10.0.0.2 false false false"));
    QCOMPARE(conditions(2), std::string("10.0.0.3 false true true"));
    QCOMPARE(text(list[0], "zone"), std::string("z"));
    QCOMPARE(text(list[0], "targetRef.name"), std::string("a"));
  }

  void anEmptyOneForNobody() {
    service();
    Json s = body(run(), "create endpointslices");
    QCOMPARE(s.at("endpoints").as_array().size(), size_t(0));
    carryOut(run());
    QVERIFY(run().empty());
    service("{}");
    QVERIFY(run().empty());
  }

  void atMostAHundredASlice() {
    service();
    for (int i = 0; i < 250; ++i) c_->pod("p" + std::to_string(i), {.ip = fmt::format("10.0.{}.{}", i / 200, i % 200 + 1)});
    carryOut(run());
    QCOMPARE(sizes(), (std::vector<size_t>{50, 100, 100}));
    QVERIFY(run().empty());
    // One more fills the one with room; nobody moves.
    c_->pod("more", {.ip = "10.0.9.9"});
    Plan p = run();
    QCOMPARE(steps(p).size(), size_t(1));
    QCOMPARE(count(p, "patch endpointslices"), size_t(1));
    carryOut(p);
    QCOMPARE(sizes(), (std::vector<size_t>{51, 100, 100}));
    // One that changes is written where it stands.
    c_->pod("p7", {.ip = "10.0.0.8", .ready = false});
    QCOMPARE(steps(run()).size(), size_t(1));
    carryOut(run());
    QVERIFY(run().empty());
    for (int i = 0; i < 250; ++i) c_->snapshot.erase(c_->snapshot.get(c_->snapshot.kinds().pods, "default/p" + std::to_string(i)));
    carryOut(run());
    QCOMPARE(sizes(), (std::vector<size_t>{1}));
  }

  void theyGoWithTheService() {
    service();
    c_->pod("a", {});
    carryOut(run());
    c_->snapshot.erase(c_->snapshot.get(c_->snapshot.kinds().services, "default/web"));
    QCOMPARE(count(run(), "delete endpointslices/"), size_t(1));
  }
};

QTEST_GUILESS_MAIN(EndpointSliceTest)
#include "endpointslice_test.moc"
