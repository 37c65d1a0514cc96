// ReplicationController, ResourceQuota's status, and the protection of volumes in use.
#include <QtTest>

#include "engine/controllers/replicationcontroller/replicationcontroller.h"
#include "engine/controllers/resourcequota/resourcequota.h"
#include "engine/controllers/volumeprotection/volumeprotection.h"
#include "engine/controllers/serviceaccount/secrets.h"
#include "tests/unit/controllers/cluster.h"

using namespace ph;
using namespace ph::test;

class SmallControllersTest : public QObject {
  Q_OBJECT
  std::unique_ptr<Cluster> c_;

  void rc(int replicas, const std::string& selector = ", selector: {app: web}") {
    c_->put(fmt::format("apiVersion: v1\nkind: ReplicationController\nmetadata: {{name: web, generation: 3}}\nspec: {{replicas: {}{}, template: "
                        "{{metadata: {{labels: {{app: web}}}}, spec: {{containers: [{{name: c, image: i}}]}}}}}}", replicas, selector));
  }
  ObjectPtr mine(const std::string& name) {
    return c_->pod(name, {.extra = ", ownerReferences: [{apiVersion: v1, kind: ReplicationController, name: web, uid: uid-web, controller: true}]"});
  }
  Plan runRc() { return controllers::reconcileReplicationController(c_->snapshot, key("default/web"), c_->now); }

 private slots:
  void init() { c_ = std::make_unique<Cluster>(); }

  void keepsReplicas() {
    rc(2);
    mine("a");
    Plan p = runRc();
    QCOMPARE(count(p, "create pods"), size_t(1));
    Json b = body(p, "create pods");
    QCOMPARE(text(b, "metadata.ownerReferences.0.kind"), std::string("ReplicationController"));
    QCOMPARE(text(b, "metadata.ownerReferences.0.apiVersion"), std::string("v1"));
    QCOMPARE(text(body(p, "patch replicationcontrollers/web/status"), "status.readyReplicas"), std::string("1"));
    mine("b");
    mine("c");
    QCOMPARE(count(runRc(), "delete pods"), size_t(1));
    rc(3, "");  // the template's labels select
    QCOMPARE(count(runRc(), "create pods") + count(runRc(), "delete pods"), size_t(0));
    c_->pod("stray", {});
    QCOMPARE(count(runRc(), "patch pods/stray"), size_t(1));
  }

  void accountsNameTheirSecret() {
    c_->put("apiVersion: v1\nkind: Namespace\nmetadata: {name: default}");
    c_->put("apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: robot, uid: '12345678'}");
    Plan p = controllers::reconcileAccountSecret(c_->snapshot, key("default/robot"));
    QCOMPARE(text(body(p, "create secrets"), "metadata.name"), std::string("robot-token-12345"));
    // Asked again before the secret is seen, it is the same one.
    QCOMPARE(text(body(controllers::reconcileAccountSecret(c_->snapshot, key("default/robot")), "create secrets"), "metadata.name"),
             std::string("robot-token-12345"));
    c_->put("apiVersion: v1\nkind: Secret\ntype: kubernetes.io/service-account-token\nmetadata: {name: robot-token-12345, annotations: "
            "{kubernetes.io/service-account.name: robot, kubernetes.io/service-account.uid: '12345678'}}");
    p = controllers::reconcileAccountSecret(c_->snapshot, key("default/robot"));
    QCOMPARE(text(body(p, "patch serviceaccounts/robot"), "secrets.0.name"), std::string("robot-token-12345"));
    c_->put("apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: robot, uid: '12345678'}\nsecrets: [{name: robot-token-12345}]");
    QVERIFY(controllers::reconcileAccountSecret(c_->snapshot, key("default/robot")).steps.empty());
  }

  void quotaStatus() {
    c_->put("apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: q}\nspec: {hard: {pods: 5, services: 1, count/replicasets.apps: 3}}\n"
            "status: {hard: {secrets: 1}, used: {secrets: 1}}");
    c_->pod("a", {});
    c_->pod("b", {.phase = "Succeeded"});
    Plan p = controllers::reconcileResourceQuota(c_->snapshot, key("default/q"), c_->now);
    Json s = body(p, "patch resourcequotas/q/status").at("status");
    QCOMPARE(text(s, "used.pods"), std::string("1"));
    QCOMPARE(text(s, "used.services"), std::string("0"));
    QCOMPARE(text(s, "used.secrets"), std::string("null"));
    QCOMPARE(text(s, "hard.pods"), std::string("5"));
    QCOMPARE(s.at("used").at("count/replicasets.apps").as_string(), "0");
    c_->put("apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: q}\nspec: {hard: {pods: 5}}\nstatus: {hard: {pods: 5}, used: {pods: 1}}");
    QVERIFY(controllers::reconcileResourceQuota(c_->snapshot, key("default/q"), c_->now).empty());
  }

  void claimsInUseStay() {
    auto claim = [&](const std::string& more) {
      c_->put("apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: data, finalizers: [kubernetes.io/pvc-protection]" + more +
              "}\nspec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}");
      return controllers::reconcileClaimProtection(c_->snapshot, key("default/data"), c_->now);
    };
    std::string deleted = ", deletionTimestamp: '2026-01-02T11:00:00Z'";
    QVERIFY(claim("").empty());
    auto pod = c_->put("apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: c, image: i}], volumes: [{name: v, "
                       "persistentVolumeClaim: {claimName: data}}]}\nstatus: {phase: Running}");
    QVERIFY(claim(deleted).empty());
    c_->snapshot.erase(pod);
    Plan p = claim(deleted);
    QCOMPARE(text(body(p, "patch persistentvolumeclaims/data"), "metadata.finalizers"), std::string("null"));
  }
};

QTEST_GUILESS_MAIN(SmallControllersTest)
#include "small_controllers_test.moc"
