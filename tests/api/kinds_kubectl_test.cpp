// Every kind through the real kubectl: explained, created, listed; and one object through several versions.
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QTest>

#include "engine/api/registry.h"
#include "tests/unit/api/kind_samples.h"
#include "tests/support/engine/checks.h"

using namespace ph;
using namespace ph::test;

namespace {
QJsonObject json(const QString& text) { return QJsonDocument::fromJson(text.toUtf8()).object(); }
QJsonValue in(const QJsonObject& o, const char* path) {
  QJsonValue v = o;
  for (auto& key : QString(path).split('.')) v = v.isArray() ? v.toArray().at(key.toInt()) : QJsonValue(v.toObject()[key]);
  return v;
}
}  // namespace

class KindsKubectlTest : public QObject {
  Q_OBJECT
  std::unique_ptr<EngineProcess> engine_;

  // After ---, since kubectl takes a leading { for JSON.
  Ran kubectl(const QStringList& arguments, const QByteArray& input = {}) {
    return engine_->kubectl(arguments, input.isEmpty() ? QByteArray() : QByteArray("---\n").append(input));
  }

 private slots:
  void initTestCase() {
    if (EngineProcess::kubectlPath().isEmpty()) QSKIP("no kubectl on the box (PH_KUBECTL)");
    engine_ = std::make_unique<EngineProcess>();
    QVERIFY2(engine_->start(), qPrintable(engine_->readyLine() + engine_->log()));
  }
  void cleanup() {
    if (QTest::currentTestFailed() && engine_) qWarning("%s", qPrintable(engine_->log()));
  }

  void explain_data() {
    QTest::addColumn<QString>("resource");
    QTest::addColumn<QString>("version");
    for (auto* r : api::Registry::builtin()->all()) {
      auto full = QString::fromStdString(r->plural) + (r->group.empty() ? "" : "." + QString::fromStdString(r->group));
      QTest::addRow("%s %s", qPrintable(full), r->version.c_str()) << full << QString::fromStdString(r->apiVersion());
    }
  }
  void explain() {
    QFETCH(QString, resource);
    QFETCH(QString, version);
    auto ran = kubectl({"explain", resource.section('.', 0, 0), "--api-version=" + version, "--recursive"});
    VERIFY_RAN(ran);
    QVERIFY2(ran.out.contains("FIELDS:") && ran.out.contains("metadata"), qPrintable(ran.out));
    QVERIFY2(!ran.out.contains("<empty>"), qPrintable(ran.out.left(600)));
  }

  void samples_data() {
    QTest::addColumn<QByteArray>("object");
    for (auto& s : api::test::kKindSamples) QTest::addRow("%.50s", s.object) << QByteArray(s.object);
  }
  void samples() {
    QFETCH(QByteArray, object);
    if (object.contains("kind: Namespace,") || object.contains("kind: CertificateSigningRequest,")) QSKIP("has tests of its own");
    object.replace("metadata: {name: s", "metadata: {name: sample");
    auto made = kubectl({"create", "-f", "-", "-o", "json"}, object);
    VERIFY_RAN(made);
    auto tree = json(made.out);
    auto kind = tree["kind"].toString().toLower();
    auto group = tree["apiVersion"].toString().section('/', 0, -2);
    auto resource = kind + (group.isEmpty() ? "" : "." + tree["apiVersion"].toString().section('/', 1) + "." + group);
    auto name = in(tree, "metadata.name").toString();
    auto wide = kubectl({"get", resource, name, "-o", "wide"});
    VERIFY_RAN(wide);
    QVERIFY2(wide.out.contains(name) && wide.out.split('\n').size() >= 2, qPrintable(wide.all()));
    QVERIFY2(!wide.out.contains("<invalid>"), qPrintable(wide.out));
    VERIFY_RAN(kubectl({"label", resource, name, "a=b"}));
    VERIFY_RAN(kubectl({"delete", resource, name, "--wait=false"}));
  }

  void cronJobInTwoVersions() {
    QByteArray old = "{apiVersion: batch/v1beta1, kind: CronJob, metadata: {name: twice}, spec: {schedule: '@daily', jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: web}]}}}}}}";
    auto made = kubectl({"create", "-f", "-", "-o", "json"}, old);
    VERIFY_RAN(made);
    QCOMPARE(json(made.out)["apiVersion"].toString(), QString("batch/v1beta1"));
    QVERIFY2(made.err.contains("batch/v1beta1 CronJob is deprecated in v1.21+, unavailable in v1.25+; use batch/v1 CronJob"), qPrintable(made.err));
    auto now = kubectl({"get", "cronjobs.v1.batch", "twice", "-o", "json"});
    VERIFY_RAN(now);
    QCOMPARE(json(now.out)["apiVersion"].toString(), QString("batch/v1"));
    QVERIFY2(!now.err.contains("deprecated"), qPrintable(now.err));
    QCOMPARE(in(json(now.out), "spec.concurrencyPolicy").toString(), QString("Allow"));
    VERIFY_RAN(kubectl({"patch", "cronjobs.v1beta1.batch", "twice", "-p", "{\"spec\":{\"suspend\":true}}"}));
    VERIFY_RAN(kubectl({"patch", "cronjobs.v1.batch", "twice", "--type=json", "-p", R"([{"op":"replace","path":"/spec/schedule","value":"@hourly"}])"}));
    auto back = kubectl({"get", "cronjobs.v1beta1.batch", "-o", "json"});
    auto first = in(json(back.out), "items.0").toObject();
    QCOMPARE(first["apiVersion"].toString(), QString("batch/v1beta1"));
    QCOMPARE(in(first, "spec.schedule").toString(), QString("@hourly"));
    QCOMPARE(in(first, "spec.suspend").toBool(), true);
    VERIFY_RAN(kubectl({"get", "cronjobs.v1beta1.batch"}));
    VERIFY_RAN(kubectl({"delete", "cronjobs.v1beta1.batch", "twice"}));
    QVERIFY(!kubectl({"get", "cronjobs.v1.batch", "twice"}).ok());
  }

  void ingressOfAllGroups() {
    QByteArray old = "{apiVersion: extensions/v1beta1, kind: Ingress, metadata: {name: way}, spec: {rules: [{host: x.org, http: {paths: [{path: /, backend: {serviceName: web, servicePort: 80}}]}}]}}";
    VERIFY_RAN(kubectl({"create", "-f", "-"}, old));
    auto now = json(kubectl({"get", "ingresses.v1.networking.k8s.io", "way", "-o", "json"}).out);
    QCOMPARE(in(now, "spec.rules.0.http.paths.0.backend.service.port.number").toInt(), 80);
    QCOMPARE(in(now, "spec.rules.0.http.paths.0.pathType").toString(), QString("ImplementationSpecific"));
    auto beta = json(kubectl({"get", "ingresses.v1beta1.networking.k8s.io", "way", "-o", "json"}).out);
    QCOMPARE(in(beta, "spec.rules.0.http.paths.0.backend.serviceName").toString(), QString("web"));
    auto table = kubectl({"get", "ingresses.v1beta1.networking.k8s.io"});
    QVERIFY2(table.out.contains("x.org"), qPrintable(table.all()));
    VERIFY_RAN(kubectl({"delete", "ing", "way"}));
  }

  void autoscalerInTwoVersions() {
    QByteArray v1 = "{apiVersion: autoscaling/v1, kind: HorizontalPodAutoscaler, metadata: {name: s}, spec: {scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: d}, maxReplicas: 3, targetCPUUtilizationPercentage: 55}}";
    VERIFY_RAN(kubectl({"create", "-f", "-"}, v1));
    auto now = json(kubectl({"get", "horizontalpodautoscalers.v2.autoscaling", "s", "-o", "json"}).out);
    QCOMPARE(in(now, "spec.metrics.0.resource.target.averageUtilization").toInt(), 55);
    auto table = kubectl({"get", "horizontalpodautoscalers.v1.autoscaling", "s"});
    QVERIFY2(table.out.contains("cpu: <unknown>/55%") && table.out.contains("Deployment/d"), qPrintable(table.all()));
    QCOMPARE(in(json(kubectl({"get", "horizontalpodautoscalers.v1.autoscaling", "s", "-o", "json"}).out), "spec.targetCPUUtilizationPercentage").toInt(), 55);
  }

  void eventsOfBothGroups() {
    QByteArray event = "{apiVersion: events.k8s.io/v1, kind: Event, metadata: {name: happened, namespace: default}, eventTime: '2026-01-01T00:00:00.000000Z', reportingController: me, reportingInstance: i, action: Test, reason: Because, type: Normal, "
                       "regarding: {kind: Pod, namespace: default, name: p}, note: hello}";
    VERIFY_RAN(kubectl({"create", "-f", "-"}, event));
    auto core = json(kubectl({"get", "events.v1.", "happened", "-o", "json"}).out);
    QCOMPARE(core["apiVersion"].toString(), QString("v1"));
    QCOMPARE(core["message"].toString(), QString("hello"));
    QCOMPARE(in(core, "involvedObject.name").toString(), QString("p"));
    auto picked = json(kubectl({"get", "events.v1.events.k8s.io", "--field-selector", "regarding.name=p", "-o", "json"}).out);
    QCOMPARE(picked["items"].toArray().size(), 1);
    QCOMPARE(in(picked, "items.0.note").toString(), QString("hello"));
    auto table = kubectl({"get", "events.v1.events.k8s.io"});
    QVERIFY2(table.out.contains("pod/p") && table.out.contains("hello"), qPrintable(table.all()));
  }

  void whatIsNotKept() {
    auto components = kubectl({"get", "cs"});
    VERIFY_RAN(components);
    QVERIFY2(components.out.contains("Healthy"), qPrintable(components.all()));
    auto made = kubectl({"create", "-f", "-"}, "{apiVersion: v1, kind: ComponentStatus, metadata: {name: x}}");
    QVERIFY2(!made.ok() && made.err.contains("MethodNotAllowed"), qPrintable(made.all()));
  }
};

QTEST_GUILESS_MAIN(KindsKubectlTest)
#include "kinds_kubectl_test.moc"
