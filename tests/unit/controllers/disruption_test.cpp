#include "engine/controllers/disruption/disruption.h"

#include <QtTest>

#include "tests/unit/controllers/cluster.h"

using namespace ph;
using namespace ph::test;

class DisruptionTest : public QObject {
  Q_OBJECT
  std::unique_ptr<Cluster> c_;

  void budget(const std::string& spec, const std::string& status = "{}") {
    c_->put("apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: b, generation: 2}\nspec: {selector: {matchLabels: {app: web}}, " +
            spec + "}\nstatus: " + status);
  }
  void sets(int replicas) {
    c_->put(fmt::format("apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: d}}\nspec: {{replicas: {}, selector: {{matchLabels: {{app: web}}}}, "
                        "template: {{metadata: {{labels: {{app: web}}}}, spec: {{containers: [{{name: c, image: i}}]}}}}}}", replicas));
    c_->put("apiVersion: apps/v1\nkind: ReplicaSet\nmetadata: {name: web, ownerReferences: [{apiVersion: apps/v1, kind: Deployment, name: d, uid: "
            "uid-d, controller: true}]}\nspec: {replicas: 1, selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}, "
            "spec: {containers: [{name: c, image: i}]}}}");
  }
  Plan run() { return controllers::reconcileDisruption(c_->snapshot, key("default/b"), c_->now); }
  // expected, healthy now, healthy wanted, allowed
  std::string figures() {
    Json s = body(run(), "patch poddisruptionbudgets/b/status");
    if (s.is_null()) return "nothing";
    return text(s, "status.expectedPods") + " " + text(s, "status.currentHealthy") + " " + text(s, "status.desiredHealthy") + " " +
           text(s, "status.disruptionsAllowed");
  }

 private slots:
  void init() { c_ = std::make_unique<Cluster>(); }

  void aNumberOfPods() {
    budget("minAvailable: 2");
    c_->pod("a", {});
    c_->pod("b", {});
    c_->pod("c", {});
    c_->pod("sick", {.ready = false});
    c_->pod("dying", {.deleting = true});
    c_->pod("other", {.app = "db"});
    QCOMPARE(figures(), std::string("5 3 2 1"));
    QCOMPARE(text(body(run(), "patch"), "status.observedGeneration"), std::string("2"));
    QCOMPARE(text(body(run(), "patch"), "status.conditions.0.reason"), std::string("SufficientPods"));
    QVERIFY(run().steps[0].write.revision > 0);
  }

  void noPodsNoDisruption() {
    budget("minAvailable: 0");
    QCOMPARE(figures(), std::string("0 0 0 0"));
  }

  void aFractionOfWhatIsWanted() {
    sets(4);
    budget("maxUnavailable: 25%");
    for (auto name : {"a", "b", "c"}) c_->pod(name, {.owner = "web"});
    QCOMPARE(figures(), std::string("4 3 3 0"));
    c_->pod("d", {.owner = "web"});
    QCOMPARE(figures(), std::string("4 4 3 1"));
    budget("minAvailable: 50%");
    QCOMPARE(figures(), std::string("4 4 2 2"));
    budget("maxUnavailable: 9");
    QCOMPARE(figures(), std::string("4 4 0 4"));
  }

  void whatIsNoFraction() {
    sets(1);
    c_->pod("a", {.owner = "web"});
    budget("maxUnavailable: many");
    QCOMPARE(text(body(run(), "patch"), "status.disruptionsAllowed"), std::string("0"));
    QCOMPARE(text(body(run(), "patch"), "status.conditions.0.reason"), std::string("SyncFailed"));
  }

  void podsOnTheirWayOut() {
    for (auto name : {"a", "b", "c"}) c_->pod(name, {});
    budget("minAvailable: 1", "{disruptedPods: {a: '2026-01-02T11:59:30Z', b: '2026-01-02T11:00:00Z', gone: '2026-01-02T11:59:59Z'}}");
    Plan p = run();
    QCOMPARE(figures(), std::string("3 2 1 1"));  // b should have gone long ago: it counts again
    Json s = body(p, "patch");
    QCOMPARE(text(s, "status.disruptedPods.a"), std::string("2026-01-02T11:59:30Z"));
    QCOMPARE(text(s, "status.disruptedPods.b"), std::string("null"));
    QCOMPARE(text(s, "status.disruptedPods.gone"), std::string("null"));
    QCOMPARE(*p.again, Duration(90s));
  }
};

QTEST_GUILESS_MAIN(DisruptionTest)
#include "disruption_test.moc"
