// Admission and its controllers as a user of kubectl meets them.
#include <QJsonDocument>
#include <QTest>

#include "tests/support/engine/checks.h"

using namespace ph::test;

#define KUBECTL(...) engine_->kubectl({__VA_ARGS__})
#define KUBECTL_IN(input, ...) engine_->kubectl({__VA_ARGS__}, input)

namespace {

QByteArray pod(const char* name, const char* more = "") {
  return QByteArray("apiVersion: v1\nkind: Pod\nmetadata: {name: ") + name + ", labels: {app: web}}\nspec:\n  containers: [{name: c, image: i}]\n" + more;
}

}  // namespace

class AdmissionApiTest : public QObject {
  Q_OBJECT
  std::unique_ptr<EngineProcess> engine_;

  QString get(const QStringList& what, const QString& path) {
    return engine_->kubectl(QStringList{"get"} + what + QStringList{"-o", "jsonpath=" + path}).out;
  }
  // As an agent reports a pod that runs.
  void run(const char* name, const char* ip) {
    auto r = KUBECTL("patch", "pod", name, "--subresource=status", "--type=merge", "-p",
                     QString("{\"status\":{\"phase\":\"Running\",\"podIP\":\"%1\",\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\"}]}}").arg(ip));
    VERIFY_RAN(r);
  }

 private slots:
  void init() {
    engine_ = std::make_unique<EngineProcess>();
    QVERIFY2(engine_->start(), qPrintable(engine_->readyLine() + engine_->log()));
  }
  void cleanup() {
    if (QTest::currentTestFailed() && engine_) qWarning("%s", qPrintable(engine_->log()));
    engine_.reset();
  }

  void quotas() {
    VERIFY_RAN(KUBECTL("create", "quota", "q", "--hard=pods=2,configmaps=10"));
    QTRY_COMPARE(get({"quota", "q"}, "{.status.hard.pods} {.status.used.pods}"), "2 0");
    VERIFY_RAN(KUBECTL_IN(pod("a"), "apply", "-f", "-"));
    VERIFY_RAN(KUBECTL_IN(pod("b"), "apply", "-f", "-"));
    auto ran = KUBECTL_IN(pod("c"), "apply", "-f", "-");
    QVERIFY2(!ran.ok() && ran.err.contains("pods \"c\" is forbidden: exceeded quota: q, requested: pods=1, used: pods=2, limited: pods=2"),
             qPrintable(ran.all()));
    QTRY_COMPARE(get({"quota", "q"}, "{.status.used.pods}"), "2");
    QVERIFY(KUBECTL("describe", "quota", "q").out.contains("pods"));
    // A controller runs into it too, and says so.
    VERIFY_RAN(KUBECTL("create", "deployment", "d", "--image=i"));
    QTRY_VERIFY(get({"rs"}, "{.items[0].status.conditions[0].message}").contains("exceeded quota"));
    // And comes to rest: it tries again after ever longer times, and writes nothing but that.
    auto revision = [&] {
      auto list = QJsonDocument::fromJson(KUBECTL("get", "--raw", "/api/v1/configmaps?limit=1").out.toUtf8());
      return list["metadata"]["resourceVersion"].toString().toLongLong();
    };
    auto growth = [&](int milliseconds) {
      auto before = revision();
      QTest::qWait(milliseconds);
      return revision() - before;
    };
    QVERIFY(revision() > 0);
    QTRY_VERIFY_WITH_TIMEOUT(growth(1000) < 15, 10000);
    // After a restart the ledger knows what is used.
    engine_->kill9();
    QVERIFY(engine_->start());
    QVERIFY(!KUBECTL_IN(pod("c"), "apply", "-f", "-").ok());
    VERIFY_RAN(KUBECTL("delete", "deployment", "d"));
    VERIFY_RAN(KUBECTL("delete", "pod", "a", "--now"));
    VERIFY_RAN(KUBECTL_IN(pod("c"), "apply", "-f", "-"));
    QTRY_COMPARE(get({"quota", "q"}, "{.status.used.pods}"), "2");
  }

  void limitRanges() {
    VERIFY_RAN(KUBECTL_IN("apiVersion: v1\nkind: LimitRange\nmetadata: {name: l}\nspec: {limits: [{type: Container, default: {cpu: 500m}, "
                          "defaultRequest: {cpu: 100m}, max: {cpu: 1}}]}", "apply", "-f", "-"));
    VERIFY_RAN(KUBECTL_IN(pod("a"), "apply", "-f", "-"));
    QCOMPARE(get({"pod", "a"}, "{.spec.containers[0].resources.requests.cpu} {.spec.containers[0].resources.limits.cpu} {.status.qosClass}"),
             "100m 500m Burstable");
    auto ran = KUBECTL("run", "big", "--image=i", "--overrides={\"spec\":{\"containers\":[{\"name\":\"big\",\"image\":\"i\",\"resources\":{\"limits\":{\"cpu\":\"2\"}}}]}}");
    QVERIFY2(!ran.ok() && ran.err.contains("maximum cpu usage per Container is 1, but limit is 2"), qPrintable(ran.all()));
  }

  void podSecurity() {
    VERIFY_RAN(KUBECTL("create", "namespace", "safe"));
    VERIFY_RAN(KUBECTL("label", "namespace", "safe", "pod-security.kubernetes.io/enforce=baseline", "pod-security.kubernetes.io/warn=restricted"));
    auto ran = KUBECTL_IN(pod("net", "  hostNetwork: true\n"), "apply", "-n", "safe", "-f", "-");
    QVERIFY2(!ran.ok() && ran.err.contains("violates PodSecurity \"baseline:latest\": host namespaces (hostNetwork=true)"), qPrintable(ran.all()));
    ran = KUBECTL_IN(pod("a"), "apply", "-n", "safe", "-f", "-");
    VERIFY_RAN(ran);
    QVERIFY2(ran.err.contains("Warning: would violate PodSecurity \"restricted:latest\""), qPrintable(ran.all()));
    ran = KUBECTL("create", "deployment", "d", "--image=i", "-n", "safe");
    VERIFY_RAN(ran);
    QVERIFY2(ran.err.contains("Warning: would violate PodSecurity"), qPrintable(ran.all()));
    ran = KUBECTL("label", "--overwrite", "--dry-run=server", "namespace", "safe", "pod-security.kubernetes.io/enforce=restricted");
    VERIFY_RAN(ran);
    QVERIFY2(ran.err.contains("existing pods in namespace \"safe\" violate the new PodSecurity enforce level \"restricted:latest\""), qPrintable(ran.all()));
    ran = KUBECTL("label", "--overwrite", "namespace", "safe", "pod-security.kubernetes.io/enforce=strict");
    QVERIFY2(!ran.ok() && ran.err.contains("must be one of privileged, baseline, restricted"), qPrintable(ran.all()));
  }

  void priorities() {
    QVERIFY(KUBECTL("get", "priorityclasses").out.contains("system-cluster-critical"));
    VERIFY_RAN(KUBECTL("create", "priorityclass", "gold", "--value=1000"));
    VERIFY_RAN(KUBECTL_IN(pod("a", "  priorityClassName: gold\n"), "apply", "-f", "-"));
    QCOMPARE(get({"pod", "a"}, "{.spec.priority}"), "1000");
    auto ran = KUBECTL_IN(pod("b", "  priorityClassName: tin\n"), "apply", "-f", "-");
    QVERIFY2(!ran.ok() && ran.err.contains("no PriorityClass with name tin was found"), qPrintable(ran.all()));
  }

  // Drained against a budget: the first pod goes, the second stays until the budget allows it.
  void drain() {
    VERIFY_RAN(KUBECTL_IN("apiVersion: v1\nkind: Node\nmetadata: {name: n1}", "apply", "-f", "-"));
    for (auto [name, ip] : {std::pair{"a", "10.0.0.1"}, {"b", "10.0.0.2"}}) {
      VERIFY_RAN(KUBECTL_IN(pod(name, "  nodeName: n1\n  tolerations: [{operator: Exists}]\n"), "apply", "-f", "-"));
      run(name, ip);
    }
    VERIFY_RAN(KUBECTL("create", "pdb", "b", "--selector=app=web", "--min-available=1"));
    QTRY_COMPARE(get({"pdb", "b"}, "{.status.currentHealthy} {.status.desiredHealthy} {.status.disruptionsAllowed}"), "2 1 1");
    auto ran = KUBECTL("drain", "n1", "--force", "--grace-period=0", "--timeout=3s", "--ignore-daemonsets");
    QVERIFY(!ran.ok());
    QVERIFY2(ran.err.contains("Cannot evict pod as it would violate the pod's disruption budget."), qPrintable(ran.all()));
    QCOMPARE(KUBECTL("get", "pods", "-o", "name").out.count('\n'), 1);
    QTRY_COMPARE(get({"pdb", "b"}, "{.status.currentHealthy} {.status.disruptionsAllowed}"), "1 0");
    VERIFY_RAN(KUBECTL("delete", "pdb", "b"));
    VERIFY_RAN(KUBECTL("drain", "n1", "--force", "--grace-period=0", "--timeout=10s", "--ignore-daemonsets"));
    QCOMPARE(KUBECTL("get", "pods", "-o", "name").out, "");
  }

  void replicationControllers() {
    VERIFY_RAN(KUBECTL_IN("apiVersion: v1\nkind: ReplicationController\nmetadata: {name: web}\nspec:\n  replicas: 2\n  selector: {app: web}\n"
                          "  template:\n    metadata: {labels: {app: web}}\n    spec: {containers: [{name: c, image: i}]}", "apply", "-f", "-"));
    QTRY_COMPARE(get({"rc", "web"}, "{.status.replicas}"), "2");
    VERIFY_RAN(KUBECTL("scale", "rc/web", "--replicas=3"));
    QTRY_COMPARE(KUBECTL("get", "pods", "-o", "name").out.count('\n'), 3);
    VERIFY_RAN(KUBECTL("scale", "rc/web", "--replicas=0"));
    QTRY_COMPARE(KUBECTL("get", "pods", "-o", "name").out, "");
  }

  void endpointSlices() {
    VERIFY_RAN(KUBECTL_IN("apiVersion: v1\nkind: Node\nmetadata: {name: n1}", "apply", "-f", "-"));
    VERIFY_RAN(KUBECTL_IN(pod("a", "  nodeName: n1\n  tolerations: [{operator: Exists}]\n"), "apply", "-f", "-"));
    VERIFY_RAN(KUBECTL("create", "service", "clusterip", "web", "--tcp=80:8080"));
    auto slice = [&](const char* path) { return get({"endpointslices", "-l", "kubernetes.io/service-name=web"}, path); };
    QTRY_COMPARE(slice("{.items[*].endpoints}"), "[]");
    run("a", "10.0.0.7");
    QTRY_COMPARE(slice("{.items[*].endpoints[*].addresses[0]}"), "10.0.0.7");
    QCOMPARE(slice("{.items[0].ports[0].port} {.items[0].endpoints[0].conditions.ready} {.items[0].endpoints[0].nodeName}"), "8080 true n1");
    VERIFY_RAN(KUBECTL("delete", "service", "web"));
    QTRY_COMPARE(slice("{.items[*].metadata.name}"), "");
  }

  void claimsInUse() {
    VERIFY_RAN(KUBECTL_IN("apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: data}\nspec: {accessModes: [ReadWriteOnce], resources: "
                          "{requests: {storage: 1Gi}}}", "apply", "-f", "-"));
    VERIFY_RAN(KUBECTL_IN(pod("a", "  volumes: [{name: v, persistentVolumeClaim: {claimName: data}}]\n"), "apply", "-f", "-"));
    VERIFY_RAN(KUBECTL("delete", "pvc", "data", "--wait=false"));
    QCOMPARE(KUBECTL("get", "pvc", "-o", "name").out, "persistentvolumeclaim/data\n");
    VERIFY_RAN(KUBECTL("delete", "pod", "a", "--now"));
    QTRY_COMPARE(KUBECTL("get", "pvc", "-o", "name").out, "");
  }
};

QTEST_GUILESS_MAIN(AdmissionApiTest)
#include "admission_test.moc"
