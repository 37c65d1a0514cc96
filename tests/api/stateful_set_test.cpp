// StatefulSets with the real kubectl, on nodes that run pods: started in order, scaled, updated, undone, deleted.
#include <QTest>

#include "tests/support/engine/each_kubectl.h"

using namespace ph::test;

class StatefulSetKubectl : public QObject {
  Q_OBJECT
  std::unique_ptr<EngineProcess> engine_;
  std::unique_ptr<HollowNodes> nodes_;
  QString binary_;

  QString value(const QString& what, const QString& path) { return KUBECTL("get", what, "-o", "jsonpath=" + path).out; }
  QString pods() { return value("pods", "{.items[*].metadata.name}"); }
  QString images() { return value("pods", "{.items[*].spec.containers[0].image}"); }
  void create(const QByteArray& more = {}) {
    VERIFY_RAN(KUBECTL_IN("apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: web}\nspec: {replicas: 3, serviceName: web, selector: "
                          "{matchLabels: {app: web}}, " + more + "template: {metadata: {labels: {app: web}}, spec: {containers: [{name: web, "
                          "image: 'web:1'}]}}}\n", "apply", "-f", "-"));
  }
  // Without waiting: kubectl takes a pod that is back within milliseconds for one that does not go.
  void deletePods(const QStringList& names) {
    VERIFY_RAN(engine_->kubectl(QStringList{"delete", "pod", "--wait=false"} + names, {}, binary_));
  }

 private slots:
  void init() {
    QFETCH(QString, binary);
    if (binary.isEmpty()) QSKIP("this kubectl is not on the box (PH_KUBECTL, PH_KUBECTL_120)");
    binary_ = binary;
    engine_ = std::make_unique<EngineProcess>();
    QVERIFY2(engine_->start(), qPrintable(engine_->readyLine() + engine_->log()));
    nodes_ = std::make_unique<HollowNodes>();
    QVERIFY2(nodes_->start(*engine_, 3), qPrintable(nodes_->log() + KUBECTL("get", "nodes").all()));
  }
  void cleanup() {
    if (QTest::currentTestFailed() && engine_)
      qWarning("%s", qPrintable(KUBECTL("get", "all,pvc,controllerrevisions,events", "-A").all() + KUBECTL("get", "sts,pods", "-o", "yaml").out + engine_->log()));
    nodes_.reset();
    engine_.reset();
  }

  void aDayInItsLife_data() { kubectlRows(); }
  void aDayInItsLife() {
    create();
    VERIFY_RAN(KUBECTL("rollout", "status", "statefulset/web", "--timeout=30s"));
    QCOMPARE(pods(), "web-0 web-1 web-2");
    QVERIFY(KUBECTL("get", "sts", "web").out.contains("3/3"));
    VERIFY_RAN(KUBECTL("describe", "sts", "web"));
    QTRY_VERIFY(KUBECTL("describe", "sts", "web").out.contains("SuccessfulCreate"));

    VERIFY_RAN(KUBECTL("set", "image", "statefulset/web", "web=web:2"));
    VERIFY_RAN(KUBECTL("rollout", "status", "statefulset/web", "--timeout=60s"));
    QCOMPARE(images(), "web:2 web:2 web:2");
    auto history = KUBECTL("rollout", "history", "statefulset/web");
    QVERIFY2(history.out.contains("\n1") && history.out.contains("\n2"), qPrintable(history.all()));
    QVERIFY(KUBECTL("rollout", "history", "statefulset/web", "--revision=1").out.contains("web:1"));
    VERIFY_RAN(KUBECTL("rollout", "undo", "statefulset/web"));
    VERIFY_RAN(KUBECTL("rollout", "status", "statefulset/web", "--timeout=60s"));
    QCOMPARE(images(), "web:1 web:1 web:1");
    history = KUBECTL("rollout", "history", "statefulset/web");
    QVERIFY2(!history.out.contains("\n1") && history.out.contains("\n3"), qPrintable(history.all()));
    VERIFY_RAN(KUBECTL("rollout", "undo", "statefulset/web", "--to-revision=2"));
    VERIFY_RAN(KUBECTL("rollout", "status", "statefulset/web", "--timeout=60s"));
    QCOMPARE(images(), "web:2 web:2 web:2");
    VERIFY_RAN(KUBECTL("rollout", "restart", "statefulset/web"));
    VERIFY_RAN(KUBECTL("rollout", "status", "statefulset/web", "--timeout=60s"));

    VERIFY_RAN(KUBECTL("scale", "statefulset/web", "--replicas=5"));
    QTRY_COMPARE_WITH_TIMEOUT(value("sts/web", "{.status.readyReplicas}"), "5", 30000);
    VERIFY_RAN(KUBECTL("scale", "statefulset/web", "--replicas=1"));
    QTRY_COMPARE_WITH_TIMEOUT(pods(), "web-0", 30000);
    auto uid = value("pod/web-0", "{.metadata.uid}");
    deletePods({"web-0"});
    QTRY_VERIFY_WITH_TIMEOUT(value("pod/web-0", "{.status.phase}") == "Running" && value("pod/web-0", "{.metadata.uid}") != uid, 30000);
    VERIFY_RAN(KUBECTL("delete", "sts", "web", "--cascade=foreground", "--timeout=30s"));
    QCOMPARE(pods() + value("controllerrevisions", "{.items[*].metadata.name}"), "");
  }

  void aPartitionHoldsTheLowerBack_data() { kubectlRows(); }
  void aPartitionHoldsTheLowerBack() {
    create("updateStrategy: {rollingUpdate: {partition: 2}}, ");
    VERIFY_RAN(KUBECTL("rollout", "status", "statefulset/web", "--timeout=30s"));
    VERIFY_RAN(KUBECTL("set", "image", "statefulset/web", "web=web:2"));
    auto status = KUBECTL("rollout", "status", "statefulset/web", "--timeout=30s");
    QVERIFY2(status.ok() && status.out.contains("partitioned roll out complete: 1 new pods"), qPrintable(status.all()));
    auto uids = value("pods", "{.items[*].metadata.uid}").split(' ');
    deletePods({"web-0", "web-2"});
    QTRY_VERIFY_WITH_TIMEOUT(value("pod/web-0", "{.metadata.uid}") != uids[0] && value("pod/web-2", "{.metadata.uid}") != uids[2] &&
                                 value("sts/web", "{.status.readyReplicas}") == "3", 30000);
    QCOMPARE(images(), "web:1 web:1 web:2");
  }

  void claimsAreMadeAndKept_data() { kubectlRows(); }
  void claimsAreMadeAndKept() {
    create("volumeClaimTemplates: [{metadata: {name: data}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}], ");
    QTRY_VERIFY(pods().startsWith("web-0"));
    QCOMPARE(value("pvc/data-web-0", "{.metadata.labels.app}"), "web");
    QCOMPARE(value("pod/web-0", "{.spec.volumes[0].persistentVolumeClaim.claimName}"), "data-web-0");
    VERIFY_RAN(KUBECTL("delete", "sts", "web", "--timeout=30s"));
    QTRY_COMPARE_WITH_TIMEOUT(pods(), "", 30000);
    QCOMPARE(value("pvc/data-web-0", "{.metadata.deletionTimestamp}{.metadata.name}"), "data-web-0");
  }

  // What an orphaning deletion leaves is adopted, history included.
  void itsPodsAreAdopted_data() { kubectlRows(); }
  void itsPodsAreAdopted() {
    create();
    VERIFY_RAN(KUBECTL("rollout", "status", "statefulset/web", "--timeout=30s"));
    auto uids = value("pods", "{.items[*].metadata.uid}");
    VERIFY_RAN(KUBECTL("delete", "sts", "web", "--cascade=orphan", "--timeout=20s"));
    QTRY_COMPARE(value("pods", "{.items[*].metadata.ownerReferences}"), "");
    create();
    VERIFY_RAN(KUBECTL("rollout", "status", "statefulset/web", "--timeout=30s"));
    QCOMPARE(value("pods", "{.items[*].metadata.uid}"), uids);
    QCOMPARE(value("controllerrevisions", "{.items[*].revision}"), "1");
  }
};

QTEST_GUILESS_MAIN(StatefulSetKubectl)
#include "stateful_set_test.moc"
