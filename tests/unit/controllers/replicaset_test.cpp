#include "engine/controllers/replicaset/replicaset.h"

#include <QtTest>

#include "tests/unit/controllers/cluster.h"

using namespace ph;
using namespace ph::test;
using controllers::reconcileReplicaSet;

class ReplicaSetTest : public QObject {
  Q_OBJECT

  std::unique_ptr<Cluster> c_;

  void set(int replicas, const std::string& meta = "", const std::string& status = "{replicas: 0}",
           int minReady = 0) {
    c_->put(
        fmt::format("apiVersion: apps/v1\nkind: ReplicaSet\nmetadata: {{name: web, generation: 3{}}}\n"
                    "spec: {{replicas: {}, minReadySeconds: {}, selector: {{matchLabels: {{app: web}}}}, "
                    "template: {{metadata: "
                    "{{labels: {{app: web}}}}, spec: {{containers: [{{name: c, image: i}}]}}}}}}\nstatus: {}",
                    meta, replicas, minReady, status));
  }
  Plan run(int failures = 0, std::string error = {}) {
    return reconcileReplicaSet(c_->snapshot, key("default/web", failures, std::move(error)), c_->now);
  }

 private slots:
  void init() { c_ = std::make_unique<Cluster>(); }

  void createsWhatIsMissing() {
    set(3);
    c_->pod("a", {.owner = "web"});
    Plan p = run();
    QCOMPARE(count(p, "create pods"), size_t(2));
    Json b = body(p, "create pods");
    QCOMPARE(text(b, "metadata.generateName"), std::string("web-"));
    QCOMPARE(text(b, "metadata.labels.app"), std::string("web"));
    QCOMPARE(text(b, "metadata.ownerReferences.0.uid"), std::string("uid-web"));
    QCOMPARE(text(b, "metadata.ownerReferences.0.controller"), std::string("true"));
    QCOMPARE(text(b, "spec.containers.0.image"), std::string("i"));
    QCOMPARE(p.steps[0].ok->reason, std::string("SuccessfulCreate"));
    QCOMPARE(text(body(p, "patch replicasets/web/status"), "status.replicas"), std::string("1"));
  }

  void doesNotCountTheEndedOrTheDying() {
    set(2);
    c_->pod("a", {.owner = "web", .phase = "Failed"});
    c_->pod("b", {.owner = "web", .phase = "Succeeded"});
    c_->pod("c", {.owner = "web", .deleting = true});
    c_->pod("d", {.owner = "web"});
    QCOMPARE(count(run(), "create pods"), size_t(1));
  }

  void goesCarefullyAfterAFailure() {
    set(5);
    QCOMPARE(count(run(0), "create pods"), size_t(5));
    Plan p = run(2, "exceeded quota");
    QCOMPARE(count(p, "create pods"), size_t(1));
    Json b = body(p, "patch replicasets/web/status");
    QCOMPARE(text(b, "status.conditions.0.type"), std::string("ReplicaFailure"));
    QCOMPARE(text(b, "status.conditions.0.reason"), std::string("FailedCreate"));
    QCOMPARE(text(b, "status.conditions.0.message"), std::string("exceeded quota"));
  }

  // Each try has a pod of another name; a status that followed it would cause the next try.
  void saysWhyOnce() {
    set(2, "",
        "{replicas: 0, observedGeneration: 3, conditions: [{type: ReplicaFailure, status: 'True', reason: FailedCreate, message: "
        "'pods web-a is forbidden'}]}");
    Plan p = run(3, "pods web-b is forbidden");
    QCOMPARE(count(p, "create pods"), size_t(1));
    QCOMPARE(count(p, "patch replicasets/web/status"), size_t(0));
  }

  void dropsTheFailureWhenItIsOver() {
    set(1, "",
        "{replicas: 1, readyReplicas: 1, availableReplicas: 1, fullyLabeledReplicas: 1, observedGeneration: "
        "3, conditions: "
        "[{type: ReplicaFailure, status: 'True', reason: FailedCreate}]}");
    c_->pod("a", {.owner = "web"});
    Json b = body(run(), "patch replicasets/web/status");
    QCOMPARE(text(b, "status.conditions"), std::string("null"));
  }

  void deletionOrder_data() {
    QTest::addColumn<int>("better");
    for (int i = 0; i < 7; ++i) QTest::newRow(QByteArray::number(i)) << i;
  }
  // Each row makes "keep" better than "go" in one way only, and worse in all ways that count less.
  void deletionOrder() {
    QFETCH(int, better);
    Cluster::PodState go{.owner = "web", .readySince = "2026-01-01T00:01:00Z"}, keep = go;
    auto worseFrom = [&](int rank) {
      if (rank <= 6) keep.created = "2026-01-01T09:00:00Z";
      if (rank <= 5) keep.restarts = 9;
      if (rank <= 4) keep.readySince = "2026-01-01T10:00:00Z";
    };
    switch (better) {
      case 0:
        go.node = "", go.phase = "Pending", go.ready = false, keep.phase = "Pending", keep.ready = false;
        break;
      case 1:
        go.phase = "Pending", go.ready = false, keep.ready = false;
        break;
      case 2:
        go.ready = false;
        break;
      case 3:
        go.extra = ", annotations: {controller.kubernetes.io/pod-deletion-cost: '-5'}";
        break;
      case 4:
        go.readySince = "2026-01-01T11:00:00Z";
        break;
      case 5:
        go.restarts = 10;
        break;
      case 6:
        go.created = "2026-01-01T10:00:00Z";
        break;
    }
    if (better < 4) worseFrom(4);
    if (better == 4) worseFrom(5);
    if (better == 5) worseFrom(6);
    set(1);
    c_->pod("a-keep", keep);
    c_->pod("b-go", go);
    QCOMPARE(count(run(), "delete pods/b-go"), size_t(1));
    QCOMPARE(count(run(), "delete"), size_t(1));
  }

  void deletesWhereItIsCrowded() {
    set(2);
    c_->pod("a", {.owner = "web", .node = "n1"});
    c_->pod("b", {.owner = "web", .node = "n2"});
    c_->pod("c", {.owner = "web", .node = "n2"});
    Plan p = run();
    QCOMPARE(count(p, "delete"), size_t(1));
    QVERIFY(count(p, "delete pods/a") == 0);
    QVERIFY(!p.steps[0].write.uid.empty());
  }

  void adoptsAndReleases() {
    set(2);
    c_->pod("stray", {});
    c_->pod("other", {.app = "db"});
    c_->pod("renamed", {.app = "old", .owner = "web"});
    Plan p = run();
    QCOMPARE(text(body(p, "patch pods/stray"), "metadata.ownerReferences.0.uid"), std::string("uid-web"));
    QCOMPARE(text(body(p, "patch pods/renamed"), "metadata.ownerReferences"), std::string("null"));
    QCOMPARE(count(p, "patch pods/other"), size_t(0));
    QCOMPARE(count(p, "create"), size_t(0));  // only once they are counted
    QVERIFY(p.steps[0].write.revision > 0);
  }

  void neitherAdoptsNorMakesWhenDeleted() {
    set(2, ", deletionTimestamp: '2026-01-02T11:00:00Z', finalizers: [foregroundDeletion]");
    c_->pod("stray", {});
    Plan p = run();
    QCOMPARE(count(p, "create"), size_t(0));
    QCOMPARE(count(p, "patch pods"), size_t(0));
  }

  void countsItsStatus() {
    set(3, "", "{replicas: 9}", 10);
    c_->pod("a", {.owner = "web"});
    c_->pod("b", {.owner = "web", .readySince = "2026-01-02T11:59:55Z"});  // not long enough ago
    c_->pod("c", {.owner = "web", .ready = false});
    Plan p = run();
    Json s = body(p, "patch replicasets/web/status").at("status");
    QCOMPARE(text(s, "replicas"), std::string("3"));
    QCOMPARE(text(s, "fullyLabeledReplicas"), std::string("3"));
    QCOMPARE(text(s, "readyReplicas"), std::string("2"));
    QCOMPARE(text(s, "availableReplicas"), std::string("1"));
    QCOMPARE(text(s, "observedGeneration"), std::string("3"));
    QCOMPARE(*p.again, Duration(5s));
  }

  void writesNothingWhenAllIsWell() {
    set(1, "",
        "{replicas: 1, readyReplicas: 1, availableReplicas: 1, fullyLabeledReplicas: 1, observedGeneration: "
        "3}");
    c_->pod("a", {.owner = "web"});
    QVERIFY(run().empty());
  }

  void aGiantIsMadeInBursts() {
    set(2000);
    QCOMPARE(count(run(), "create pods"), size_t(500));
  }
};

QTEST_GUILESS_MAIN(ReplicaSetTest)
#include "replicaset_test.moc"
