// Workloads in real containers on emulated machines, by the real kubectl: Jobs run to their end, StatefulSets keep their data,
// DaemonSets are everywhere, autoscalers follow real load.
#include <QProcess>
#include <QTemporaryDir>
#include <QTest>
#include <algorithm>

#include "tests/cluster/fleet/cluster.h"

using namespace ph;

class WorkloadsTest : public QObject, fleettest::Cluster {
  Q_OBJECT
  QTemporaryDir dir_;

  QByteArray field(const QStringList& what, const QString& path) { return kubectl(QStringList{"get"} + what + QStringList{"-o", "jsonpath={" + path + "}"}).out; }
  bool apply(const QByteArray& yaml) { return kubectl({"apply", "-f", "-"}, yaml).exit == 0; }

 public:
  WorkloadsTest() : Cluster("workloads") {}

 private slots:
  void initTestCase() {
    if (auto why = Lab::impossible(); !why.isEmpty()) QSKIP(qPrintable(why));
    QVERIFY(lab_.up(2));
    const QString archive = dir_.filePath("web-1.tar");
    QCOMPARE(QProcess::execute(QString(PH_SOURCE_DIR) + "/tests/support/images/make-image", {"1", archive}), 0);
    QCOMPARE(startEngine(dir_.filePath("data"), true, true, PH_BIN_DIR), std::string());
    auto added = runtime::addImage(dir_.filePath("data").toStdString(), archive.toStdString(), "");
    QVERIFY2(added.ok(), added.ok() ? "" : added.status().message.c_str());
    for (int i : {1, 2}) QVERIFY(createMachine("m" + std::to_string(i), address(i).toStdString(), lab_.hostKey(i).toStdString()));
    for (auto name : {"m1", "m2"}) QTRY_COMPARE_WITH_TIMEOUT(phase(name), std::string("Ready"), 60000);
  }
  void cleanupTestCase() { stopEngine(); }

  void jobsRunToTheirEnd() {
    QVERIFY(apply(R"Y(
apiVersion: batch/v1
kind: Job
metadata: {name: count}
spec:
  completions: 4
  parallelism: 2
  completionMode: Indexed
  template:
    spec: {restartPolicy: Never, containers: [{name: c, image: "web:1", command: [sh, -c, "echo index $JOB_COMPLETION_INDEX"]}]}
---
apiVersion: batch/v1
kind: Job
metadata: {name: hopeless}
spec:
  backoffLimit: 0
  template: {spec: {restartPolicy: Never, containers: [{name: c, image: "web:1", command: ["false"]}]}}
)Y"));
    QCOMPARE(kubectl({"wait", "--for=condition=Complete", "job/count", "--timeout=60s"}, {}, 70000).exit, 0);
    QCOMPARE(field({"job/count"}, ".status.succeeded"), QByteArray("4"));
    QCOMPARE(field({"job/count"}, ".status.completedIndexes"), QByteArray("0-3"));
    auto logs = kubectl({"logs", "-l", "batch.kubernetes.io/job-name=count,batch.kubernetes.io/job-completion-index=2"});
    QCOMPARE(logs.out, QByteArray("index 2\n"));
    QCOMPARE(kubectl({"wait", "--for=condition=Failed", "job/hopeless", "--timeout=60s"}, {}, 70000).exit, 0);
    QCOMPARE(field({"job/hopeless"}, ".status.conditions[?(@.type==\"Failed\")].reason"), QByteArray("BackoffLimitExceeded"));
    // What has ended uses nothing: there is no metric of it.
    QTRY_VERIFY_WITH_TIMEOUT(kubectl({"get", "--raw", "/apis/metrics.k8s.io/v1beta1/nodes"}).out.contains("\"m1\""), 40000);
    auto metrics = kubectl({"get", "--raw", "/apis/metrics.k8s.io/v1beta1/namespaces/default/pods"}).out;
    QVERIFY2(metrics.contains("PodMetricsList") && !metrics.contains("count-"), metrics.constData());
  }

  void setsKeepTheirData() {
    QVERIFY(apply(R"Y(
apiVersion: v1
kind: Service
metadata: {name: db}
spec: {clusterIP: None, selector: {app: db}, ports: [{port: 8080}]}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  serviceName: db
  replicas: 2
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - {name: c, image: "web:1", volumeMounts: [{name: data, mountPath: /data}], command: [sh, -c, "hostname >> /data/starts; exec sleep 100000"]}
  volumeClaimTemplates:
  - {metadata: {name: data}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Mi}}}}
)Y"));
    QCOMPARE(kubectl({"rollout", "status", "statefulset/db", "--timeout=60s"}, {}, 70000).exit, 0);
    QCOMPARE(field({"pvc"}, ".items[*].status.phase"), QByteArray("Bound Bound"));
    QCOMPARE(field({"pv"}, ".items[*].status.phase"), QByteArray("Bound Bound"));
    // Where its data is, there it comes back.
    auto node = field({"pod/db-1"}, ".spec.nodeName"), uid = field({"pod/db-1"}, ".metadata.uid");
    QCOMPARE(kubectl({"delete", "pod", "db-1", "--wait=false"}).exit, 0);
    QTRY_VERIFY_WITH_TIMEOUT(field({"pod/db-1", "--ignore-not-found"}, ".metadata.uid") != uid &&
                                 field({"pod/db-1", "--ignore-not-found"}, ".status.phase") == "Running", 30000);
    QCOMPARE(field({"pod/db-1"}, ".spec.nodeName"), node);
    QCOMPARE(kubectl({"exec", "db-1", "--", "cat", "/data/starts"}).out, QByteArray("db-1\ndb-1\n"));
    // A smaller set keeps its claims for the day it grows again.
    QCOMPARE(kubectl({"scale", "statefulset/db", "--replicas=1"}).exit, 0);
    QTRY_VERIFY_WITH_TIMEOUT(kubectl({"get", "pod", "db-1", "--ignore-not-found"}).out.isEmpty(), 30000);
    QCOMPARE(field({"pvc/data-db-1"}, ".status.phase"), QByteArray("Bound"));
    QCOMPARE(kubectl({"scale", "statefulset/db", "--replicas=2"}).exit, 0);
    QCOMPARE(kubectl({"rollout", "status", "statefulset/db", "--timeout=60s"}, {}, 70000).exit, 0);
    QCOMPARE(kubectl({"exec", "db-1", "--", "cat", "/data/starts"}).out, QByteArray("db-1\ndb-1\ndb-1\n"));
  }

  void aDaemonRunsOnEachMachine() {
    QVERIFY(apply(R"Y(
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: every}
spec:
  selector: {matchLabels: {app: every}}
  template:
    metadata: {labels: {app: every}}
    spec: {terminationGracePeriodSeconds: 1, containers: [{name: c, image: "web:1", command: [sleep, "100000"]}]}
)Y"));
    QCOMPARE(kubectl({"rollout", "status", "daemonset/every", "--timeout=60s"}, {}, 70000).exit, 0);
    auto nodes = field({"pods", "-l", "app=every"}, ".items[*].spec.nodeName").split(' ');
    std::sort(nodes.begin(), nodes.end());
    QCOMPARE(nodes, (QList<QByteArray>{"m1", "m2"}));
    // A cordoned machine keeps its own; a machine that is drained for good does too.
    QCOMPARE(kubectl({"drain", "m2", "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=60s"}, {}, 70000).exit, 0);
    QCOMPARE(field({"daemonset/every"}, ".status.numberReady"), QByteArray("2"));
    QCOMPARE(kubectl({"uncordon", "m2"}).exit, 0);
  }

  void anAutoscalerFollowsRealLoad() {
    QVERIFY(apply(R"Y(
apiVersion: apps/v1
kind: Deployment
metadata: {name: busy}
spec:
  selector: {matchLabels: {app: busy}}
  template:
    metadata: {labels: {app: busy}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - {name: c, image: "web:1", resources: {requests: {cpu: 20m}}, command: [sh, -c, "while true; do i=0; while [ $i -lt 2000 ]; do i=$((i+1)); done; sleep 0.01; done"]}
)Y"));
    QCOMPARE(kubectl({"autoscale", "deployment", "busy", "--cpu-percent=50", "--min=1", "--max=2"}).exit, 0);
    QTRY_COMPARE_WITH_TIMEOUT(field({"deployment/busy"}, ".status.readyReplicas"), QByteArray("2"), 120000);
    QVERIFY(kubectl({"get", "events", "--field-selector=reason=SuccessfulRescale"}).out.contains("above target"));
    QCOMPARE(kubectl({"delete", "hpa,deployment", "busy"}).exit, 0);
  }

  // Last: what was joined goes, people's data stays.
  void removingAMachineLeavesItsVolumes() {
    auto folders = lab_.inside(1, "cat /var/lib/pilothouse-volumes/*/starts").out + lab_.inside(2, "cat /var/lib/pilothouse-volumes/*/starts").out;
    QVERIFY2(folders.contains("db-0") && folders.contains("db-1"), qPrintable(folders));
    QCOMPARE(kubectl({"delete", "machine", "m1", "m2", "--timeout=60s"}, {}, 70000).exit, 0);
    // The daemon's pods ended in time too: none was made again meanwhile.
    auto told = kubectl({"get", "events", "-A"}).out;
    QVERIFY2(told.contains("Cleaned") && !told.contains("PodsRemain"), told.constData());
    QCOMPARE(lab_.inside(1, "cat /var/lib/pilothouse-volumes/*/starts").out + lab_.inside(2, "cat /var/lib/pilothouse-volumes/*/starts").out, folders);
  }
};

QTEST_GUILESS_MAIN(WorkloadsTest)
#include "workloads_test.moc"
