// The real kubectl against the real engine: what users do, and what they do wrong.
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QTest>

#include "tests/support/engine/each_kubectl.h"

using namespace ph::test;

namespace {

const char* kDeployment = R"(apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  labels: {app: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: web
        image: web:1
        ports: [{containerPort: 8080}]
        env: [{name: COLOR, value: blue}]
)";

const char* kService = R"(apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  selector: {app: web}
  ports: [{port: 80, targetPort: 8080}]
)";

QJsonObject json(const QString& text) { return QJsonDocument::fromJson(text.toUtf8()).object(); }

}  // namespace

class KubectlTest : public QObject {
  Q_OBJECT
  std::unique_ptr<EngineProcess> engine_;
  QString binary_;

 private slots:
  // Every function runs with each kubectl on an engine of its own.
  void init() {
    QFETCH(QString, binary);
    if (binary.isEmpty()) QSKIP("this kubectl is not on the box (PH_KUBECTL, PH_KUBECTL_120)");
    binary_ = binary;
    engine_ = std::make_unique<EngineProcess>();
    QVERIFY2(engine_->start(), qPrintable(engine_->readyLine() + engine_->log()));
  }
  void cleanup() {
    if (QTest::currentTestFailed() && engine_) qWarning("%s", qPrintable(engine_->log()));
    engine_.reset();
  }

  void aDeploymentFromApplyToDelete_data() { kubectlRows(); }
  void aDeploymentFromApplyToDelete() {
    auto ran = KUBECTL_IN(kDeployment, "apply", "-f", "-");
    VERIFY_RAN(ran);
    QCOMPARE(ran.out, "deployment.apps/web created\n");
    ran = KUBECTL_IN(kDeployment, "apply", "-f", "-");
    QCOMPARE(ran.all(), "deployment.apps/web unchanged\n");
    QByteArray changed = QByteArray(kDeployment).replace("blue", "red").replace("replicas: 2", "replicas: 3");
    ran = KUBECTL_IN(changed, "diff", "-f", "-");
    QCOMPARE(ran.code, 1);
    QVERIFY2(ran.out.contains("red"), qPrintable(ran.all()));
    ran = KUBECTL_IN(changed, "apply", "-f", "-");
    QCOMPARE(ran.all(), "deployment.apps/web configured\n");
    ran = KUBECTL("get", "deployment", "web", "-o", "jsonpath={.spec.replicas} {.spec.template.spec.containers[0].env[0].value}");
    QCOMPARE(ran.out, "3 red");
    QTRY_COMPARE(KUBECTL("get", "pods", "-o", "name").out.count('\n'), 4);  // a rolling update without nodes: 3 old or 1 new over
    ran = KUBECTL("get", "deploy,rs,pods", "-o", "wide");
    VERIFY_RAN(ran);
    QVERIFY2(ran.out.contains("web:1") && ran.out.contains("NOMINATED NODE"), qPrintable(ran.out));
    ran = KUBECTL("describe", "deployment", "web");
    VERIFY_RAN(ran);
    QVERIFY2(ran.out.contains("RollingUpdate") && ran.out.contains("ScalingReplicaSet"), qPrintable(ran.out));
    VERIFY_RAN(KUBECTL("describe", "pods"));
    ran = KUBECTL("delete", "deployment", "web");
    QCOMPARE(ran.all(), "deployment.apps \"web\" deleted\n");
    QTRY_COMPARE(KUBECTL("get", "rs,pods", "-o", "name").out, "");
  }

  void scaleSetImageAndUndo_data() { kubectlRows(); }
  void scaleSetImageAndUndo() {
    VERIFY_RAN(KUBECTL_IN(kDeployment, "create", "-f", "-"));
    auto ran = KUBECTL("scale", "deployment/web", "--replicas=5");
    VERIFY_RAN(ran);
    QCOMPARE(KUBECTL("get", "deployment", "web", "-o", "jsonpath={.spec.replicas}").out, "5");
    QTRY_COMPARE(KUBECTL("get", "pods", "-o", "name").out.count('\n'), 5);
    ran = KUBECTL("scale", "deployment/web", "--replicas=1", "--current-replicas=2");
    QVERIFY2(!ran.ok() && ran.all().contains("Expected replicas to be 2, was 5"), qPrintable(ran.all()));
    VERIFY_RAN(KUBECTL("set", "image", "deployment/web", "web=web:2"));
    QTRY_COMPARE(KUBECTL("get", "rs", "-o", "name").out.count('\n'), 2);
    QVERIFY(KUBECTL("rollout", "history", "deployment/web").out.contains("2"));
    ran = KUBECTL("rollout", "undo", "deployment/web");
    QCOMPARE(ran.all(), "deployment.apps/web rolled back\n");
    QTRY_COMPARE(KUBECTL("get", "deployment", "web", "-o", "jsonpath={.spec.template.spec.containers[0].image}").out, "web:1");
    ran = KUBECTL("rollout", "status", "deployment/web", "--timeout=1s");
    QVERIFY2(!ran.ok() && ran.all().contains("aiting"), qPrintable(ran.all()));
  }

  void labelsAnnotationsAndSelectors_data() { kubectlRows(); }
  void labelsAnnotationsAndSelectors() {
    VERIFY_RAN(KUBECTL("create", "configmap", "a", "--from-literal=k=v"));
    VERIFY_RAN(KUBECTL("create", "configmap", "b", "--from-literal=k=v"));
    VERIFY_RAN(KUBECTL("label", "configmap", "a", "tier=front"));
    auto ran = KUBECTL("label", "configmap", "a", "tier=back");
    QVERIFY2(!ran.ok() && ran.all().contains("--overwrite"), qPrintable(ran.all()));
    VERIFY_RAN(KUBECTL("annotate", "configmap", "a", "note=hello world"));
    QCOMPARE(KUBECTL("get", "cm", "-l", "tier=front", "-o", "name").out, "configmap/a\n");
    QCOMPARE(KUBECTL("get", "cm", "-l", "tier notin (front)", "-o", "name").out.remove("configmap/kube-root-ca.crt\n"), "configmap/b\n");
    QCOMPARE(KUBECTL("get", "cm", "--field-selector", "metadata.name=b", "-o", "name").out, "configmap/b\n");
    QVERIFY(KUBECTL("get", "cm", "a", "-o", "yaml").out.contains("note: hello world"));
    VERIFY_RAN(KUBECTL("label", "configmap", "a", "tier-"));
    QCOMPARE(KUBECTL("get", "cm", "-l", "tier", "-o", "name").out, "");
    ran = KUBECTL("get", "cm", "-l", "=!");
    QVERIFY2(!ran.ok() && ran.err.contains("parse"), qPrintable(ran.all()));
  }

  void patchesOfAllTypes_data() { kubectlRows(); }
  void patchesOfAllTypes() {
    VERIFY_RAN(KUBECTL_IN(kDeployment, "create", "-f", "-"));
    VERIFY_RAN(KUBECTL("patch", "deployment", "web", "-p",
                       R"({"spec":{"template":{"spec":{"containers":[{"name":"side","image":"side:1"}]}}}})"));
    QCOMPARE(KUBECTL("get", "deployment", "web", "-o", "jsonpath={.spec.template.spec.containers[*].name}").out, "side web");
    VERIFY_RAN(KUBECTL("patch", "deployment", "web", "--type=merge", "-p", R"({"spec":{"replicas":0}})"));
    VERIFY_RAN(KUBECTL("patch", "deployment", "web", "--type=json", "-p",
                       R"([{"op":"replace","path":"/spec/replicas","value":4}])"));
    QCOMPARE(KUBECTL("get", "deployment", "web", "-o", "jsonpath={.spec.replicas}").out, "4");
    auto ran = KUBECTL("patch", "deployment", "web", "--type=json", "-p", R"([{"op":"test","path":"/spec/replicas","value":9}])");
    QVERIFY2(!ran.ok(), qPrintable(ran.all()));
    QVERIFY(KUBECTL("patch", "deployment", "web", "-p", R"({"metadata":{"labels":{"x":"y"}}})").out.contains("patched"));
    QVERIFY(KUBECTL("patch", "deployment", "web", "-p", R"({"metadata":{"labels":{"x":"y"}}})").out.contains("no change"));
  }

  void badManifestsSayWhatIsWrong_data() { kubectlRows(); }
  void badManifestsSayWhatIsWrong() {
    QByteArray unknown = QByteArray(kDeployment).replace("replicas:", "replicaz:");
    auto ran = KUBECTL_IN(unknown, "apply", "-f", "-");
    QVERIFY2(!ran.ok() && ran.err.contains("replicaz"), qPrintable(ran.all()));
    QByteArray wrongType = QByteArray(kDeployment).replace("replicas: 2", "replicas: many");
    ran = KUBECTL_IN(wrongType, "apply", "-f", "-");
    QVERIFY2(!ran.ok() && ran.err.contains("replicas"), qPrintable(ran.all()));
    ran = KUBECTL_IN(wrongType, "apply", "--validate=false", "-f", "-");
    QVERIFY2(!ran.ok() && ran.err.contains("spec.replicas"), qPrintable(ran.all()));
    QByteArray badName = QByteArray(kDeployment).replace("name: web\n  labels", "name: Web_1\n  labels");
    ran = KUBECTL_IN(badName, "apply", "-f", "-");
    QVERIFY2(!ran.ok() && ran.err.contains("metadata.name") && ran.err.contains("RFC 1123"), qPrintable(ran.all()));
    QByteArray otherLabels = QByteArray(kDeployment).replace("template:\n    metadata: {labels: {app: web}}", "template:\n    metadata: {labels: {app: x}}");
    ran = KUBECTL_IN(otherLabels, "apply", "-f", "-");
    QVERIFY2(!ran.ok() && ran.err.contains("spec.template.metadata.labels"), qPrintable(ran.all()));
    ran = KUBECTL_IN("apiVersion: v1\nkind: Nonsense\nmetadata: {name: x}\n", "apply", "-f", "-");
    QVERIFY2(!ran.ok() && ran.err.contains("Nonsense"), qPrintable(ran.all()));
    ran = KUBECTL_IN("kind: [\n", "apply", "-f", "-");
    QVERIFY2(!ran.ok() && ran.err.contains("yaml"), qPrintable(ran.all()));
    QCOMPARE(KUBECTL("get", "deployments", "-o", "name").out, "");  // nothing was left half-made
  }

  void conflictsAndLimits_data() { kubectlRows(); }
  void conflictsAndLimits() {
    VERIFY_RAN(KUBECTL_IN(kDeployment, "create", "-f", "-"));
    auto ran = KUBECTL_IN(kDeployment, "create", "-f", "-");
    QVERIFY2(!ran.ok() && ran.err.contains("(AlreadyExists)") && ran.err.contains("deployments.apps \"web\" already exists"),
             qPrintable(ran.all()));
    auto object = json(KUBECTL("get", "deployment", "web", "-o", "json").out);
    VERIFY_RAN(KUBECTL("annotate", "deployment", "web", "a=b"));
    ran = KUBECTL_IN(QJsonDocument(object).toJson(), "replace", "-f", "-");
    QVERIFY2(!ran.ok() && ran.err.contains("the object has been modified"), qPrintable(ran.all()));
    QByteArray huge = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: huge}\ndata:\n  x: " + QByteArray(4 * 1024 * 1024, 'x') + "\n";
    ran = KUBECTL_IN(huge, "create", "--validate=false", "-f", "-");
    QVERIFY2(!ran.ok() && ran.err.contains("large"), qPrintable(ran.all()));
    ran = KUBECTL("get", "pod", "nobody");
    QVERIFY2(!ran.ok() && ran.err.contains("Error from server (NotFound): pods \"nobody\" not found"), qPrintable(ran.all()));
    ran = KUBECTL("create", "configmap", "x", "-n", "nowhere");
    QVERIFY2(!ran.ok() && ran.err.contains("namespaces \"nowhere\" not found"), qPrintable(ran.all()));
  }

  void namespacesEmptyThemselves_data() { kubectlRows(); }
  void namespacesEmptyThemselves() {
    VERIFY_RAN(KUBECTL("create", "namespace", "team"));
    VERIFY_RAN(KUBECTL_IN(kDeployment, "create", "-n", "team", "-f", "-"));
    VERIFY_RAN(KUBECTL("create", "configmap", "c", "-n", "team", "--from-literal=a=b"));
    auto ran = KUBECTL("delete", "namespace", "team", "--timeout=30s");
    VERIFY_RAN(ran);
    QVERIFY(!KUBECTL("get", "namespace", "team").ok());
    QCOMPARE(KUBECTL("get", "cm,deploy,rs,pods", "-n", "team", "-o", "name").out, "");
    ran = KUBECTL("delete", "namespace", "kube-system");
    QVERIFY2(!ran.ok() && ran.err.contains("may not be deleted"), qPrintable(ran.all()));
  }

  void servicesGetTheirAddresses_data() { kubectlRows(); }
  void servicesGetTheirAddresses() {
    VERIFY_RAN(KUBECTL_IN(kService, "apply", "-f", "-"));
    auto ip = KUBECTL("get", "service", "web", "-o", "jsonpath={.spec.clusterIP}").out;
    QVERIFY2(ip.startsWith("10.96."), qPrintable(ip));
    QCOMPARE(KUBECTL_IN(kService, "apply", "-f", "-").all(), "service/web unchanged\n");
    VERIFY_RAN(KUBECTL("patch", "service", "web", "-p", R"({"spec":{"type":"NodePort"}})"));
    auto port = KUBECTL("get", "service", "web", "-o", "jsonpath={.spec.ports[0].nodePort}").out.toInt();
    QVERIFY2(port >= 30000 && port <= 32767, qPrintable(QString::number(port)));
    QCOMPARE(KUBECTL("get", "service", "web", "-o", "jsonpath={.spec.clusterIP}").out, ip);
    auto ran = KUBECTL_IN(QByteArray(kService).replace("name: web", "name: other").replace("spec:", "spec:\n  clusterIP: " + ip.toUtf8()),
                          "create", "-f", "-");
    QVERIFY2(!ran.ok() && ran.err.contains("already allocated"), qPrintable(ran.all()));
    VERIFY_RAN(KUBECTL("delete", "service", "web"));
    ran = KUBECTL_IN(QByteArray(kService).replace("name: web", "name: other").replace("spec:", "spec:\n  clusterIP: " + ip.toUtf8()),
                     "create", "-f", "-");
    VERIFY_RAN(ran);
    QVERIFY(KUBECTL("describe", "service", "other").out.contains(ip));
    QVERIFY(KUBECTL("get", "endpoints", "other").ok());
  }

  void theServerExplainsItself_data() { kubectlRows(); }
  void theServerExplainsItself() {
    auto ran = KUBECTL("api-resources");
    VERIFY_RAN(ran);
    for (auto word : {"deployments", "machines", "leases", "Secret"}) QVERIFY2(ran.out.contains(word), word);
    VERIFY_RAN(KUBECTL("api-versions"));
    ran = KUBECTL("version");
    QVERIFY2(ran.out.contains("pilothouse"), qPrintable(ran.all()));
    ran = KUBECTL("explain", "deployment.spec.replicas");
    QVERIFY2(ran.ok() && ran.out.contains("replicas") && ran.out.contains("integer"), qPrintable(ran.all()));
    ran = KUBECTL("explain", "machine.spec");
    QVERIFY2(ran.ok() && ran.out.contains("address"), qPrintable(ran.all()));
    ran = KUBECTL("get", "machines");
    VERIFY_RAN(ran);
    QCOMPARE(KUBECTL("get", "--raw", "/readyz").out, "ok");
    ran = KUBECTL("get", "all", "-A");
    QVERIFY2(ran.ok() && ran.out.contains("service/kubernetes"), qPrintable(ran.all()));
    VERIFY_RAN(KUBECTL("cluster-info"));
  }

  void createCommandsAndDryRuns_data() { kubectlRows(); }
  void createCommandsAndDryRuns() {
    VERIFY_RAN(KUBECTL("create", "deployment", "app", "--image=app:1"));
    VERIFY_RAN(KUBECTL("create", "secret", "generic", "s", "--from-literal=password=x"));
    QCOMPARE(KUBECTL("get", "secret", "s", "-o", "jsonpath={.data.password}").out, "eA==");
    VERIFY_RAN(KUBECTL("create", "serviceaccount", "robot"));
    VERIFY_RAN(KUBECTL("run", "one", "--image=one:1", "--restart=Never"));
    QCOMPARE(KUBECTL("get", "pod", "one", "-o", "jsonpath={.status.phase} {.spec.serviceAccountName}").out, "Pending default");
    VERIFY_RAN(KUBECTL("create", "configmap", "dry", "--from-literal=a=b", "--dry-run=server"));
    QVERIFY(!KUBECTL("get", "configmap", "dry").ok());
    VERIFY_RAN(KUBECTL("expose", "deployment", "app", "--port=80"));
    VERIFY_RAN(KUBECTL("delete", "pod", "one", "--wait=true", "--timeout=20s"));
    VERIFY_RAN(KUBECTL("delete", "deployment,service,secret", "--all", "--timeout=20s"));
  }

  void waitSeesConditionsAndDeletion_data() { kubectlRows(); }
  void waitSeesConditionsAndDeletion() {
    VERIFY_RAN(KUBECTL("run", "one", "--image=one:1", "--restart=Never"));
    auto ran = KUBECTL("wait", "--for=condition=PodScheduled=False", "pod/one", "--timeout=10s");
    VERIFY_RAN(ran);
    ran = KUBECTL("wait", "--for=condition=Ready", "pod/one", "--timeout=1s");
    QVERIFY2(!ran.ok() && ran.err.contains("timed out"), qPrintable(ran.all()));
    VERIFY_RAN(KUBECTL("delete", "pod", "one", "--wait=false"));
    ran = KUBECTL("wait", "--for=delete", "pod/one", "--timeout=10s");
    QVERIFY2(ran.ok() || ran.err.contains("not found") || ran.err.contains("no matching resources"), qPrintable(ran.all()));
  }

  void manyObjectsComeInPages_data() { kubectlRows(); }
  void manyObjectsComeInPages() {
    QByteArray list = "apiVersion: v1\nkind: List\nitems:\n";
    for (int i = 0; i < 60; ++i)
      list += "- {apiVersion: coordination.k8s.io/v1, kind: Lease, metadata: {name: c" + QByteArray::number(i) + "}}\n";
    VERIFY_RAN(KUBECTL_IN(list, "create", "-f", "-"));
    QCOMPARE(KUBECTL("get", "lease", "--chunk-size=7", "-o", "name").out.count('\n'), 60);
    VERIFY_RAN(KUBECTL_IN(list, "delete", "-f", "-", "--wait=false"));
    QTRY_COMPARE(KUBECTL("get", "lease", "-o", "name").out.count('\n'), 0);
  }
};

QTEST_GUILESS_MAIN(KubectlTest)
#include "kubectl_test.moc"
