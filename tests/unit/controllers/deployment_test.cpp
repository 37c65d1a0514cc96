#include "engine/controllers/deployment/deployment.h"

#include <QtTest>

#include "engine/controllers/deployment/rollout.h"
#include "tests/unit/controllers/cluster.h"

using namespace ph;
using namespace ph::test;
using controllers::reconcileDeployment;

class DeploymentTest : public QObject {
  Q_OBJECT

  std::unique_ptr<Cluster> c_;

  struct D {
    int replicas = 10;
    std::string image = "v1",
                strategy = "{type: RollingUpdate, rollingUpdate: {maxSurge: 3, maxUnavailable: 2}}";
    std::string extra, status = "{}", annotations = "deployment.kubernetes.io/revision: '1'";
  };
  void deployment(D d) {
    c_->put(fmt::format(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: web, generation: 4, annotations: {{{}}}}}\n"
        "spec: {{replicas: {}, strategy: {}, selector: {{matchLabels: {{app: web}}}}, {}template: "
        "{{metadata: {{labels: "
        "{{app: web}}}}, spec: {{containers: [{{name: c, image: {}}}]}}}}}}\nstatus: {}",
        d.annotations, d.replicas, d.strategy, d.extra, d.image, d.status));
  }
  struct S {
    int replicas = 0, available = -1;
    int revision = 1, desired = 10, max = 13;
    std::string image = "v1", created = "2026-01-01T00:00:00Z", status;
  };
  void set(const std::string& name, S s) {
    int available = s.available < 0 ? s.replicas : s.available;
    c_->put(
        fmt::format("apiVersion: apps/v1\nkind: ReplicaSet\nmetadata: {{name: {0}, creationTimestamp: '{1}', "
                    "labels: {{app: web, pod-template-hash: {0}}}, "
                    "annotations: {{deployment.kubernetes.io/revision: '{2}', "
                    "deployment.kubernetes.io/desired-replicas: '{3}', "
                    "deployment.kubernetes.io/max-replicas: '{4}'}}, ownerReferences: [{{apiVersion: "
                    "apps/v1, kind: Deployment, name: web, uid: "
                    "uid-web, controller: true}}]}}\nspec: {{replicas: {5}, selector: {{matchLabels: {{app: "
                    "web, pod-template-hash: {0}}}}}, template: "
                    "{{metadata: {{labels: {{app: web, pod-template-hash: {0}}}}}, spec: {{containers: "
                    "[{{name: c, image: {6}}}]}}}}}}\n"
                    "status: {{replicas: {5}, readyReplicas: {7}, availableReplicas: {7}{8}}}",
                    name, s.created, s.revision, s.desired, s.max, s.replicas, s.image, available, s.status));
  }
  Plan run(std::string error = {}) {
    return reconcileDeployment(c_->snapshot, key("default/web", error.empty() ? 0 : 1, error), c_->now);
  }
  std::string size(const Plan& p, const std::string& name) {
    return text(body(p, "patch replicasets/" + name), "spec.replicas");
  }
  std::string condition(const Plan& p, const std::string& type, const std::string& field) {
    Json b = body(p, "patch deployments/web/status");
    if (b.is_null() || !api::at(b, "status.conditions")) return "(none)";
    for (auto& c : b.at("status").at("conditions").as_array())
      if (std::string_view(c.at("type").as_string()) == type) return text(c, field);
    return "(none)";
  }

 private slots:
  void init() { c_ = std::make_unique<Cluster>(); }

  void makesItsFirstSet() {
    deployment(
        {.annotations =
             "kubernetes.io/change-cause: first, kubectl.kubernetes.io/last-applied-configuration: big"});
    Plan p = run();
    Json rs = body(p, "create replicasets");
    QVERIFY(!rs.is_null());
    std::string hash = text(rs, "metadata.labels.pod-template-hash");
    QCOMPARE(hash.size(), size_t(10));
    QCOMPARE(text(rs, "metadata.name"), "web-" + hash);
    QCOMPARE(text(rs, "spec.replicas"), std::string("10"));
    QCOMPARE(text(rs, "spec.selector.matchLabels.pod-template-hash"), hash);
    QCOMPARE(text(rs, "spec.template.metadata.labels.pod-template-hash"), hash);
    auto& notes = rs.at("metadata").at("annotations").as_object();
    QVERIFY(notes.at("deployment.kubernetes.io/revision") == "1");
    QVERIFY(notes.at("deployment.kubernetes.io/desired-replicas") == "10");
    QVERIFY(notes.at("deployment.kubernetes.io/max-replicas") == "13");
    QVERIFY(notes.at("kubernetes.io/change-cause") == "first");
    QVERIFY(!notes.contains("kubectl.kubernetes.io/last-applied-configuration"));
    QVERIFY(body(p, "patch deployments/web")
                .at("metadata")
                .at("annotations")
                .at("deployment.kubernetes.io/revision") == "1");
    QCOMPARE(condition(p, "Progressing", "reason"), std::string("NewReplicaSetCreated"));
    QCOMPARE(condition(p, "Available", "status"), std::string("False"));
    QCOMPARE(text(body(p, "patch deployments/web/status"), "status.observedGeneration"), std::string("4"));
  }

  void aNewTemplateStartsWithinTheSurge() {
    deployment({.image = "v2"});
    set("old", {.replicas = 10});
    Plan p = run();
    QCOMPARE(text(body(p, "create replicasets"), "spec.replicas"), std::string("3"));
    QCOMPARE(count(p, "patch replicasets"), size_t(0));  // down only in the next round
    QVERIFY(text(body(p, "create replicasets"), "metadata.annotations").find("revision\":\"2\"") !=
            std::string::npos);
  }

  void rolls_data() {
    QTest::addColumn<int>("newSize");
    QTest::addColumn<int>("newAvailable");
    QTest::addColumn<int>("oldSize");
    QTest::addColumn<int>("oldAvailable");
    QTest::addColumn<QString>("wantNew");
    QTest::addColumn<QString>("wantOld");
    // 10 wanted, up to 13, at least 8 available.
    QTest::newRow("old shrinks to what must be available") << 3 << 0 << 10 << 10 << "(none)"
                                                           << "8";
    QTest::newRow("new grows into the room") << 3 << 0 << 8 << 8 << "5"
                                             << "(none)";
    QTest::newRow("nothing to do until new ones are available") << 5 << 0 << 8 << 8 << "(none)"
                                                                << "(none)";
    QTest::newRow("available new ones let old ones go") << 5 << 5 << 8 << 8 << "(none)"
                                                        << "3";
    QTest::newRow("the last old ones") << 10 << 10 << 2 << 2 << "(none)"
                                       << "0";
    QTest::newRow("unhealthy old ones go first") << 3 << 0 << 10 << 7 << "(none)"
                                                 << "8";
    QTest::newRow("new never above the wanted") << 9 << 9 << 1 << 1 << "10"
                                                << "(none)";
  }
  void rolls() {
    QFETCH(int, newSize);
    QFETCH(int, newAvailable);
    QFETCH(int, oldSize);
    QFETCH(int, oldAvailable);
    QFETCH(QString, wantNew);
    QFETCH(QString, wantOld);
    deployment({.image = "v2"});
    set("old", {.replicas = oldSize, .available = oldAvailable});
    set("new", {.replicas = newSize,
                .available = newAvailable,
                .revision = 2,
                .image = "v2",
                .created = "2026-01-01T01:00:00Z"});
    Plan p = run();
    QCOMPARE(size(p, "new"), wantNew.toStdString());
    QCOMPARE(size(p, "old"), wantOld.toStdString());
    QCOMPARE(count(p, "create"), size_t(0));
  }

  void completesAndForgetsOldHistory() {
    deployment({.image = "v4",
                .extra = "revisionHistoryLimit: 1, ",
                .status = "{observedGeneration: 4, replicas: 10, updatedReplicas: 9, readyReplicas: 9, "
                          "availableReplicas: 9, conditions: "
                          "[{type: Progressing, status: 'True', reason: ReplicaSetUpdated, lastUpdateTime: "
                          "'2026-01-02T11:59:00Z'}]}",
                .annotations = "deployment.kubernetes.io/revision: '4'"});
    set("r1", {.revision = 1, .image = "v1"});
    set("r3", {.revision = 3, .image = "v3", .created = "2026-01-01T02:00:00Z"});
    set("r2", {.revision = 2, .image = "v2", .created = "2026-01-01T03:00:00Z"});
    set("r4", {.replicas = 10, .revision = 4, .image = "v4", .created = "2026-01-01T04:00:00Z"});
    Plan p = run();
    QCOMPARE(count(p, "delete"), size_t(2));
    QCOMPARE(count(p, "delete replicasets/r3"), size_t(0));
    QCOMPARE(condition(p, "Progressing", "reason"), std::string("NewReplicaSetAvailable"));
    QCOMPARE(condition(p, "Progressing", "message"),
             std::string("ReplicaSet \"r4\" has successfully progressed."));
    QCOMPARE(condition(p, "Available", "reason"), std::string("MinimumReplicasAvailable"));
  }

  void undoTakesTheOldSetAgainAndGivesItANewRevision() {
    deployment({.image = "v1",
                .annotations = "deployment.kubernetes.io/revision: '2', kubernetes.io/change-cause: back"});
    set("r1", {.revision = 1, .image = "v1"});
    set("r2", {.replicas = 10, .revision = 2, .image = "v2", .created = "2026-01-01T03:00:00Z"});
    Plan p = run();
    QCOMPARE(count(p, "create"), size_t(0));
    Json b = body(p, "patch replicasets/r1");
    auto& notes = b.at("metadata").at("annotations").as_object();
    QVERIFY(notes.at("deployment.kubernetes.io/revision") == "3");
    QVERIFY(notes.at("deployment.kubernetes.io/revision-history") == "1");
    QVERIFY(notes.at("kubernetes.io/change-cause") == "back");
    QCOMPARE(text(b, "spec.replicas"), std::string("3"));
    QVERIFY(body(p, "patch deployments/web")
                .at("metadata")
                .at("annotations")
                .at("deployment.kubernetes.io/revision") == "3");
  }

  void scalesWithoutARollout() {
    deployment({.replicas = 6});
    set("r1", {.replicas = 3, .desired = 3, .max = 6});
    Plan p = run();
    QCOMPARE(size(p, "r1"), std::string("6"));
    Json b = body(p, "patch replicasets/r1");
    QVERIFY(b.at("metadata").at("annotations").at("deployment.kubernetes.io/desired-replicas") == "6");
    QVERIFY(b.at("metadata").at("annotations").at("deployment.kubernetes.io/max-replicas") == "9");
    auto it = std::find_if(p.steps.begin(), p.steps.end(), [](auto& s) { return s.ok.has_value(); });
    QVERIFY(it != p.steps.end());
    QCOMPARE(it->ok->message, std::string("Scaled up replica set r1 from 3 to 6"));
  }

  void scalesInProportionDuringARollout() {
    // 10 -> 20 while 8 old and 5 new run: 13 of 13 become 23, shared by size.
    deployment({.replicas = 20, .image = "v2"});
    set("old", {.replicas = 8});
    set("new",
        {.replicas = 5, .available = 0, .revision = 2, .image = "v2", .created = "2026-01-01T01:00:00Z"});
    Plan p = run();
    QCOMPARE(size(p, "old"), std::string("14"));
    QCOMPARE(size(p, "new"), std::string("9"));
    QCOMPARE(count(p, "create"), size_t(0));
  }

  void scalesDownInProportion() {
    deployment({.replicas = 5, .image = "v2"});
    set("old", {.replicas = 8});
    set("new",
        {.replicas = 5, .available = 0, .revision = 2, .image = "v2", .created = "2026-01-01T01:00:00Z"});
    Plan p = run();
    QCOMPARE(size(p, "old"), std::string("5"));
    QCOMPARE(size(p, "new"), std::string("3"));
  }

  void toZeroAllGo() {
    deployment({.replicas = 0, .image = "v2"});
    set("old", {.replicas = 8});
    set("new", {.replicas = 5, .revision = 2, .image = "v2", .created = "2026-01-01T01:00:00Z"});
    Plan p = run();
    QCOMPARE(size(p, "old"), std::string("0"));
    QCOMPARE(size(p, "new"), std::string("0"));
  }

  void pausedDoesNotRoll() {
    deployment({.image = "v2", .extra = "paused: true, "});
    set("old", {.replicas = 10});
    Plan p = run();
    QCOMPARE(count(p, "create"), size_t(0));
    QCOMPARE(count(p, "patch replicasets"), size_t(0));
    QCOMPARE(condition(p, "Progressing", "reason"), std::string("DeploymentPaused"));
  }

  void recreateWaitsForTheLastOldPod() {
    deployment({.image = "v2", .strategy = "{type: Recreate}"});
    set("old", {.replicas = 10, .max = 10});
    Plan p = run();
    QCOMPARE(size(p, "old"), std::string("0"));
    QCOMPARE(count(p, "create"), size_t(0));

    c_ = std::make_unique<Cluster>();
    deployment({.image = "v2", .strategy = "{type: Recreate}"});
    set("old", {.replicas = 0, .max = 10});
    auto pod = c_->pod("p", {.owner = "old", .deleting = true});
    QCOMPARE(count(run(), "create"), size_t(0));
    c_->snapshot.erase(pod);
    QCOMPARE(text(body(run(), "create replicasets"), "spec.replicas"), std::string("10"));
  }

  void missesItsDeadline() {
    deployment({.extra = "progressDeadlineSeconds: 60, ",
                .status =
                    "{observedGeneration: 4, replicas: 10, updatedReplicas: 10, unavailableReplicas: 10, "
                    "conditions: [{type: Progressing, "
                    "status: 'True', reason: ReplicaSetUpdated, lastUpdateTime: '2026-01-02T11:58:00Z'}]}"});
    set("r1", {.replicas = 10, .available = 0});
    Plan p = run();
    QCOMPARE(condition(p, "Progressing", "status"), std::string("False"));
    QCOMPARE(condition(p, "Progressing", "reason"), std::string("ProgressDeadlineExceeded"));
  }

  void looksAgainAtItsDeadline() {
    deployment({.extra = "progressDeadlineSeconds: 60, ",
                .status =
                    "{observedGeneration: 4, replicas: 10, updatedReplicas: 10, unavailableReplicas: 10, "
                    "conditions: [{type: Progressing, "
                    "status: 'True', reason: ReplicaSetUpdated, lastUpdateTime: '2026-01-02T11:59:30Z'}]}"});
    set("r1", {.replicas = 10, .available = 0});
    Plan p = run();
    QCOMPARE(*p.again, Duration(31s));
  }

  void progressStartsTheDeadlineAnew() {
    deployment({.status = "{observedGeneration: 4, replicas: 10, updatedReplicas: 10, readyReplicas: 1, "
                          "availableReplicas: 1, conditions: [{type: "
                          "Progressing, status: 'True', reason: ReplicaSetUpdated, lastUpdateTime: "
                          "'2026-01-02T11:00:00Z', "
                          "lastTransitionTime: '2026-01-02T10:00:00Z'}]}"});
    set("r1", {.replicas = 10, .available = 4});
    Plan p = run();
    QCOMPARE(condition(p, "Progressing", "lastUpdateTime"), std::string("2026-01-02T12:00:00Z"));
    QCOMPARE(condition(p, "Progressing", "lastTransitionTime"), std::string("2026-01-02T10:00:00Z"));
  }

  void showsWhyASetCanNotMakePods() {
    deployment({});
    set("r1",
        {.replicas = 10,
         .available = 0,
         .status =
             ", conditions: [{type: ReplicaFailure, status: 'True', reason: FailedCreate, message: quota}]"});
    Plan p = run();
    QCOMPARE(condition(p, "ReplicaFailure", "message"), std::string("quota"));
  }

  void aTakenNameGetsAnotherHash() {
    deployment({});
    Plan first = run();
    std::string name = text(body(first, "create replicasets"), "metadata.name");
    c_->put("apiVersion: apps/v1\nkind: ReplicaSet\nmetadata: {name: " + name +
            "}\nspec: {replicas: 1, selector: {matchLabels: {x: y1}}, template: {metadata: {labels: {x: "
            "y1}}, spec: {containers: [{name: c, "
            "image: i}]}}}");
    Plan p = run();
    QVERIFY(text(body(p, "create replicasets"), "metadata.name") != name);
    QCOMPARE(text(body(p, "patch deployments/web/status"), "status.collisionCount"), std::string("1"));
  }

  void adoptsItsOwnStrays() {
    deployment({});
    c_->put(
        "apiVersion: apps/v1\nkind: ReplicaSet\nmetadata: {name: stray, labels: {app: web}}\nspec: "
        "{replicas: 1, selector: {matchLabels: "
        "{app: web}}, template: {metadata: {labels: {app: web}}, spec: {containers: [{name: c, image: "
        "v1}]}}}");
    Plan p = run();
    QCOMPARE(steps(p), (std::vector<std::string>{"patch replicasets/stray"}));
  }

  void minReadySecondsReachesTheSet() {
    deployment({.extra = "minReadySeconds: 7, "});
    set("r1", {.replicas = 10});
    QCOMPARE(text(body(run(), "patch replicasets/r1"), "spec.minReadySeconds"), std::string("7"));
  }

  void writesNothingWhenAllIsWell() {
    deployment({.status = "{observedGeneration: 4, replicas: 10, updatedReplicas: 10, readyReplicas: 10, "
                          "availableReplicas: 10, conditions: "
                          "[{type: Available, status: 'True', reason: MinimumReplicasAvailable, message: x}, "
                          "{type: Progressing, status: "
                          "'True', reason: NewReplicaSetAvailable, message: fine}]}"});
    set("r1", {.replicas = 10});
    Plan p = run();
    QCOMPARE(steps(p), std::vector<std::string>{});
  }
};

QTEST_GUILESS_MAIN(DeploymentTest)
#include "deployment_test.moc"
