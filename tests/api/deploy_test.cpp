// pilothouse-engine deploy from outside: an engine, hollow nodes, and the command itself: what it brings, prunes, waits for, undoes.
#include <QDir>
#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QTest>

#include "tests/support/engine/checks.h"

using namespace ph::test;

namespace {

QByteArray deployment(const QByteArray& image, const QByteArray& cpu = "10m") {
  return "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  replicas: 2\n  selector: {matchLabels: {app: web}}\n"
         "  template:\n    metadata: {labels: {app: web}}\n    spec:\n      containers:\n      - name: web\n        image: " + image +
         "\n        resources: {requests: {cpu: " + cpu + "}}\n";
}
QByteArray configMap(const QByteArray& name, const QByteArray& value = "1") {
  return "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: " + name + "}\ndata: {value: \"" + value + "\"}\n";
}

}  // namespace

class DeployTest : public QObject {
  Q_OBJECT
  std::unique_ptr<EngineProcess> engine_;
  std::unique_ptr<QProcess> agents_;
  QTemporaryDir dir_;

  QString folder(const QString& name, const QMap<QString, QByteArray>& files) {
    auto path = dir_.filePath(name);
    QDir(path).removeRecursively();
    QDir().mkpath(path);
    for (auto it = files.begin(); it != files.end(); ++it) {
      QFile f(path + "/" + it.key());
      if (!f.open(QIODevice::WriteOnly) || f.write(it.value()) != it.value().size()) qFatal("can't write");
    }
    return path;
  }
  Ran deploy(QStringList arguments, bool asAdmin = true) {
    arguments.prepend("deploy");
    if (asAdmin) arguments << "--kubeconfig" << engine_->kubeconfig();
    return runProgram(PH_BIN_DIR "/pilothouse-engine", arguments, {}, 90);
  }
  QString value(const QString& what, const QString& path) { return engine_->kubectl({"get", what, "-o", "jsonpath={" + path + "}"}).out; }
  bool there(const QString& what) { return engine_->kubectl({"get", what}).ok(); }

 private slots:
  void initTestCase() {
    engine_ = std::make_unique<EngineProcess>();
    QVERIFY2(engine_->start(), qPrintable(engine_->readyLine() + engine_->log()));
    agents_ = std::make_unique<QProcess>();
    agents_->start(PH_BIN_DIR "/pilothouse-agent", {"--hollow", "3", "--kubeconfig", engine_->kubeconfig()});
    QVERIFY(agents_->waitForStarted());
    QTRY_COMPARE_WITH_TIMEOUT(engine_->kubectl({"get", "nodes", "--no-headers"}).out.count(" Ready"), 3, 20000);
  }
  void cleanupTestCase() {
    if (agents_) {
      agents_->terminate();
      agents_->waitForFinished();
    }
  }

  void aFolderIsDeployed() {
    auto path = folder("v1", {{"web.yaml", deployment("web:1")}, {"more.yaml", configMap("one") + "---\n" + configMap("two")}});
    auto ran = deploy({path, "--app", "shop"});
    VERIFY_RAN(ran);
    QVERIFY2(ran.out.contains("Deployment web created") && ran.out.contains("ConfigMap one created") && ran.out.contains("2 of 2 replicas are available"), qPrintable(ran.out));
    QCOMPARE(value("deployment/web", ".status.availableReplicas"), "2");
    QCOMPARE(value("deployment/web", ".metadata.labels.app\\.kubernetes\\.io/instance"), "shop");
    // Again: nothing changes.
    ran = deploy({path, "--app", "shop"});
    VERIFY_RAN(ran);
    QVERIFY2(ran.out.contains("Deployment web unchanged") && !ran.out.contains("configured"), qPrintable(ran.out));
  }

  void theNextOneRemovesWhatItLacks() {
    VERIFY_RAN(engine_->kubectl({"create", "configmap", "bystander"}));
    auto ran = deploy({folder("v2", {{"web.yaml", deployment("web:2")}, {"more.yaml", configMap("one", "2")}}), "--app", "shop", "-o", "json"});
    VERIFY_RAN(ran);
    QCOMPARE(value("deployment/web", ".spec.template.spec.containers[0].image"), "web:2");
    QCOMPARE(value("configmap/one", ".data.value"), "2");
    QVERIFY(!there("configmap/two") && there("configmap/bystander"));
    int pruned = 0;
    for (auto& line : ran.out.split('\n', Qt::SkipEmptyParts)) {
      auto step = QJsonDocument::fromJson(line.toUtf8()).object();
      QVERIFY2(step.contains("step") && step.contains("seconds") && step.contains("time"), qPrintable(line));
      if (step["step"] == "prune") ++pruned;
    }
    QCOMPARE(pruned, 1);
  }

  void aFailureIsUndone() {
    auto ran = deploy({folder("v3", {{"web.yaml", deployment("web:3", "9000")}, {"more.yaml", configMap("one", "3") + "---\n" + configMap("three")}}), "--app", "shop", "--timeout", "4s"});
    QCOMPARE(ran.code, 1);
    QVERIFY2(ran.err.contains("Deployment web") && ran.err.contains("not ready within 4 s") && ran.err.contains("cpu"), qPrintable(ran.err));
    QVERIFY2(ran.out.contains("Deployment web restored") && ran.out.contains("ConfigMap three removed"), qPrintable(ran.out));
    QCOMPARE(value("deployment/web", ".spec.template.spec.containers[0].image"), "web:2");
    QCOMPARE(value("configmap/one", ".data.value"), "2");
    QVERIFY(!there("configmap/three"));
    QTRY_COMPARE_WITH_TIMEOUT(value("deployment/web", ".status.updatedReplicas"), "2", 15000);
  }

  void anotherAppsObjectIsNotTaken() {
    auto ran = deploy({folder("other", {{"web.yaml", configMap("zero") + "---\n" + deployment("web:9")}}), "--app", "other"});
    QCOMPARE(ran.code, 1);
    QVERIFY2(ran.err.contains("belongs to another app, shop"), qPrintable(ran.err));
    QVERIFY(!there("configmap/zero"));
  }

  void whatTheServerRefusesIsUndoneToo() {
    auto ran = deploy({folder("bad", {{"a.yaml", configMap("first")}, {"b.yaml", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: wrong}\nspec: {replicas: -1}\n"}}), "--app", "bad"});
    QCOMPARE(ran.code, 1);
    QVERIFY2(ran.err.contains("Deployment wrong") && ran.err.contains("spec"), qPrintable(ran.err));
    QVERIFY(!there("configmap/first"));
    ran = deploy({folder("unknown", {{"a.yaml", "apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: x}\n"}}), "--app", "bad"});
    QVERIFY2(ran.code == 1 && ran.err.contains("no kind Thing"), qPrintable(ran.err));
  }

  void misuseIsTold() {
    QCOMPARE(deploy({dir_.filePath("nothing"), "--app", "x"}).code, 1);
    QCOMPARE(deploy({dir_.path(), "--app", "No Name"}).code, 2);
    QCOMPARE(deploy({dir_.path(), "--app", "x", "--timeout", "soon"}).code, 2);
    QCOMPARE(deploy({dir_.path(), "--app", "x", "--image", "web"}).code, 2);
    QVERIFY(deploy({folder("image", {{"a.yaml", deployment("web:1")}}), "--app", "x", "--image", "other=web:2"}).err.contains("no container has this image"));
  }

  void anImageArchiveAlone() {
    auto archive = dir_.filePath("solo.tar");
    QCOMPARE(QProcess::execute(QString(PH_SOURCE_DIR) + "/tests/support/images/make-image", {"7", archive, "solo"}), 0);
    auto ran = deploy({archive, "--app", "solo"});
    VERIFY_RAN(ran);
    QVERIFY2(ran.out.contains("uploaded: docker.io/library/solo:7"), qPrintable(ran.out));
    QCOMPARE(value("deployment/solo", ".spec.template.spec.containers[0].image"), "docker.io/library/solo:7");
    QCOMPARE(value("service/solo", ".spec.ports[0].port"), "8080");
    auto listed = engine_->kubectl({"get", "--raw", "/pilothouse/images"});
    QVERIFY2(listed.out.contains("solo:7"), qPrintable(listed.out));
    QFile broken(dir_.filePath("broken.tar"));
    QVERIFY(broken.open(QIODevice::WriteOnly) && broken.write("no archive") > 0);
    broken.close();
    ran = deploy({broken.fileName(), "--app", "broken"});
    QVERIFY2(ran.code == 1 && ran.err.contains("broken.tar"), qPrintable(ran.err));
  }

  // As the README says: one service account, the role "edit" in one namespace.
  void aNamespacesTokenIsEnough() {
    for (auto arguments : {QStringList{"create", "namespace", "shop"}, QStringList{"-n", "shop", "create", "serviceaccount", "ci"},
                           QStringList{"-n", "shop", "create", "rolebinding", "ci", "--clusterrole=edit", "--serviceaccount=shop:ci"}})
      VERIFY_RAN(engine_->kubectl(arguments));
    auto made = engine_->kubectl({"-n", "shop", "create", "token", "ci"});
    VERIFY_RAN(made);
    auto ca = dir_.filePath("ca.crt");
    auto text = engine_->kubectl({"get", "configmap", "kube-root-ca.crt", "-n", "shop", "-o", "jsonpath={.data.ca\\.crt}"}).out.toUtf8();
    QFile f(ca);
    QVERIFY(f.open(QIODevice::WriteOnly) && f.write(text) == text.size() && text.startsWith("-----BEGIN"));
    f.close();
    auto archive = dir_.filePath("mine.tar");
    QCOMPARE(QProcess::execute(QString(PH_SOURCE_DIR) + "/tests/support/images/make-image", {"1", archive, "mine"}), 0);
    QStringList who{"--server", "https://" + engine_->address(), "--token", made.out.trimmed(), "--ca", ca, "-n", "shop"};
    QTRY_VERIFY_WITH_TIMEOUT(deploy(QStringList{archive, "--app", "mine"} + who, false).ok(), 30000);
    QCOMPARE(engine_->kubectl({"-n", "shop", "get", "deployment", "mine", "-o", "jsonpath={.status.availableReplicas}"}).out, "1");
    // Not elsewhere, and no image that others brought.
    who.last() = "default";
    auto ran = deploy(QStringList{archive, "--app", "mine"} + who, false);
    QVERIFY2(ran.code == 1 && ran.err.contains("forbidden"), qPrintable(ran.err));
    who.last() = "shop";
    auto theirs = dir_.filePath("solo.tar");
    ran = deploy(QStringList{theirs, "--app", "theirs"} + who, false);
    QVERIFY2(ran.code == 1 && ran.err.contains("brought by"), qPrintable(ran.err));
  }

  void uploadsAreChecked() {
    Http admin(*engine_, Http::admin(*engine_));
    auto id = QJsonDocument::fromJson(admin.post("/pilothouse/images/uploads?namespace=default", "").body).object()["id"].toString().toStdString();
    QVERIFY(!id.empty());
    auto base = "/pilothouse/images/uploads/" + id;
    QCOMPARE(admin.patch(base + "?offset=5", "hello", "application/octet-stream").code, 409);
    QCOMPARE(admin.patch(base + "?offset=0", "hello", "application/octet-stream").code, 202);
    Http stranger(*engine_, Http::issued(*engine_, "stranger", {}));
    QCOMPARE(stranger.patch(base + "?offset=5", "x", "application/octet-stream").code, 404);
    QCOMPARE(stranger.post("/pilothouse/images/uploads?namespace=default", "").code, 403);
    QCOMPARE(admin.put(base, "").code, 400);
    QCOMPARE(admin.put(base + "?digest=sha256:00", "").code, 400);
    QCOMPARE(admin.patch(base + "?offset=5", "x", "application/octet-stream").code, 404);
  }

  void topNeedsAgentsThatCanBeAsked() {
    // Nobody can ask hollow nodes: nothing is made up.
    auto ran = engine_->kubectl({"get", "--raw", "/apis/metrics.k8s.io/v1beta1/nodes"});
    VERIFY_RAN(ran);
    auto list = QJsonDocument::fromJson(ran.out.toUtf8()).object();
    QCOMPARE(list["kind"].toString(), "NodeMetricsList");
    QVERIFY(list["items"].toArray().isEmpty());
    QVERIFY(!engine_->kubectl({"top", "nodes"}).ok());
  }
};

QTEST_GUILESS_MAIN(DeployTest)
#include "deploy_test.moc"
