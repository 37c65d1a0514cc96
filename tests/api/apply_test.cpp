// Server-side apply and who owns which field, from outside: kubectl of both ages, and plain HTTP.
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
        env: [{name: COLOR, value: blue}, {name: SIZE, value: big}]
)";

QJsonArray managed(const QJsonObject& object) { return object["metadata"].toObject()["managedFields"].toArray(); }
QJsonObject entry(const QJsonObject& object, const QString& manager, const QString& operation = "Apply", const QString& sub = {}) {
  for (auto e : managed(object)) {
    auto o = e.toObject();
    if (o["manager"] == manager && o["operation"] == operation && o["subresource"].toString() == sub) return o;
  }
  return {};
}
QStringList managers(const QJsonObject& object) {
  QStringList out;
  for (auto e : managed(object)) {
    auto o = e.toObject();
    out << o["manager"].toString() + "/" + o["operation"].toString() + (o.contains("subresource") ? "/" + o["subresource"].toString() : "");
  }
  out.sort();
  return out;
}

const char* kApply = "application/apply-patch+yaml";
const char* kConfigMaps = "/api/v1/namespaces/default/configmaps";
const std::string kMap = "/api/v1/namespaces/default/configmaps/m";
const std::string kWeb = "/apis/apps/v1/namespaces/default/deployments/web";

std::string map(const std::string& data, const std::string& more = "") {
  return "{apiVersion: v1, kind: ConfigMap, metadata: {name: m" + more + "}, data: " + data + "}";
}

}  // namespace

class ApplyTest : public QObject {
  Q_OBJECT
  std::unique_ptr<EngineProcess> engine_;
  std::unique_ptr<Http> http_;
  QString binary_;

  void chooseKubectl() {
    QFETCH(QString, binary);
    binary_ = binary;
  }
  Answer apply(const std::string& path, const std::string& body, const std::string& manager, const std::string& more = "") {
    return http_->patch(path + "?fieldManager=" + manager + more, body, kApply);
  }

 private slots:
  void init() {
    engine_ = std::make_unique<EngineProcess>();
    QVERIFY2(engine_->start(), qPrintable(engine_->readyLine() + engine_->log()));
    http_ = std::make_unique<Http>(*engine_, Http::admin(*engine_));
  }
  void cleanup() {
    if (QTest::currentTestFailed() && engine_) qWarning("%s", qPrintable(engine_->log()));
    http_.reset();
    engine_.reset();
  }

  void kubectlServerSide_data() { kubectlRows(); }
  void kubectlServerSide() {
    chooseKubectl();
    if (binary_.isEmpty()) QSKIP("this kubectl is not on the box (PH_KUBECTL, PH_KUBECTL_120)");
    auto ran = KUBECTL_IN(kDeployment, "apply", "--server-side", "-f", "-");
    VERIFY_RAN(ran);
    QCOMPARE(ran.out, "deployment.apps/web serverside-applied\n");
    auto object = json(http_->get(kWeb).body);
    auto own = entry(object, "kubectl");
    QCOMPARE(own["apiVersion"].toString(), "apps/v1");
    QCOMPARE(own["fieldsType"].toString(), "FieldsV1");
    auto container = own["fieldsV1"].toObject()["f:spec"].toObject()["f:template"].toObject()["f:spec"].toObject()["f:containers"]
                         .toObject()["k:{\"name\":\"web\"}"].toObject();
    QVERIFY(container.contains(".") && container.contains("f:image"));
    QVERIFY(container["f:ports"].toObject().contains("k:{\"containerPort\":8080,\"protocol\":\"TCP\"}"));

    // Someone else scales; an apply with another number must not win silently.
    ran = KUBECTL("scale", "deployment", "web", "--replicas=5");
    VERIFY_RAN(ran);
    object = json(http_->get(kWeb).body);
    QVERIFY(!entry(object, "kubectl")["fieldsV1"].toObject()["f:spec"].toObject().contains("f:replicas"));
    ran = KUBECTL_IN(kDeployment, "apply", "--server-side", "-f", "-");
    QVERIFY(!ran.ok());
    HAS(ran.err, "Apply failed with 1 conflict: conflict with \"kubectl\" with subresource \"scale\" using apps/v1");
    HAS(ran.err, ".spec.replicas");
    ran = KUBECTL_IN(kDeployment, "apply", "--server-side", "--force-conflicts", "-f", "-");
    VERIFY_RAN(ran);
    QCOMPARE(json(http_->get(kWeb).body)["spec"].toObject()["replicas"].toInt(), 2);

    // Without the field it is the other's again; without an element that element goes.
    QByteArray less = QByteArray(kDeployment).replace(", {name: SIZE, value: big}", "").replace("  replicas: 2\n", "");
    VERIFY_RAN(KUBECTL_IN(less, "apply", "--server-side", "-f", "-"));
    object = json(http_->get(kWeb).body);
    auto pod = object["spec"].toObject()["template"].toObject()["spec"].toObject();
    QCOMPARE(pod["containers"].toArray()[0].toObject()["env"].toArray().size(), 1);
    QCOMPARE(object["spec"].toObject()["replicas"].toInt(), 1);

    // What changes nothing leaves no revision. (A ConfigMap has no controller that writes at the same time.)
    const QByteArray map = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: same}\ndata: {a: b}\n";
    const char* path = "/api/v1/namespaces/default/configmaps/same";
    VERIFY_RAN(KUBECTL_IN(map, "apply", "--server-side", "-f", "-"));
    QJsonValue before = json(http_->get(path).body)["metadata"].toObject()["resourceVersion"];
    QVERIFY(!before.toString().isEmpty());
    VERIFY_RAN(KUBECTL_IN(map, "apply", "--server-side", "-f", "-"));
    QCOMPARE(json(http_->get(path).body)["metadata"].toObject()["resourceVersion"], before);
    ran = KUBECTL_IN(QByteArray(kDeployment).replace("replicas: 2", "nonsense: 2"), "apply", "--server-side", "--validate=false", "-f", "-");
    QVERIFY(!ran.ok());
    HAS(ran.err, ".spec.nonsense: field not declared in schema");
  }

  // kubectl moves from one way of applying to the other, and back.
  void kubectlBothWays_data() { kubectlRows(); }
  void kubectlBothWays() {
    chooseKubectl();
    if (binary_.isEmpty()) QSKIP("this kubectl is not on the box (PH_KUBECTL, PH_KUBECTL_120)");
    VERIFY_RAN(KUBECTL_IN(kDeployment, "apply", "-f", "-"));
    auto object = json(http_->get(kWeb).body);
    QVERIFY2(managers(object).contains("kubectl-client-side-apply/Update"), qPrintable(managers(object).join(' ')));
    QByteArray changed = QByteArray(kDeployment).replace("blue", "red");
    auto ran = KUBECTL_IN(changed, "apply", "--server-side", "-f", "-");
    VERIFY_RAN(ran);
    object = json(http_->get(kWeb).body);
    QVERIFY(managers(object).contains("kubectl/Apply"));
    auto annotation = object["metadata"].toObject()["annotations"].toObject()["kubectl.kubernetes.io/last-applied-configuration"].toString();
    HAS(annotation, "red");
    ran = KUBECTL_IN(QByteArray(changed).replace(", {name: SIZE, value: big}", ""), "apply", "-f", "-");
    VERIFY_RAN(ran);
    auto pod = json(http_->get(kWeb).body)["spec"].toObject()["template"].toObject()["spec"].toObject();
    QCOMPARE(pod["containers"].toArray()[0].toObject()["env"].toArray().size(), 1);
  }

  void createAndConflict() {
    auto a = apply(kMap, map("{a: '1', b: '2'}"), "one");
    CODE(a, 201);
    CODE(apply(kMap, map("{a: '1', b: '2'}"), "one"), 200);
    CODE(apply(kMap, map("{c: '3'}"), "two"), 200);
    a = apply(kMap, map("{c: '3'}", ", resourceVersion: '1'"), "two");
    CODE(a, 409);
    HAS(a.body, "the object has been modified; please apply your changes to the latest version and try again");
    a = apply(kMap, map("{a: x, b: w}"), "two");
    CODE(a, 409);
    auto status = json(a.body);
    QCOMPARE(status["reason"].toString(), "Conflict");
    QCOMPARE(status["message"].toString(), "Apply failed with 2 conflicts: conflicts with \"one\":\n- .data.a\n- .data.b");
    auto causes = status["details"].toObject()["causes"].toArray();
    QCOMPARE(causes.size(), 2);
    QCOMPARE(causes[0].toObject()["reason"].toString(), "FieldManagerConflict");
    QCOMPARE(causes[0].toObject()["field"].toString(), ".data.a");
    QCOMPARE(causes[0].toObject()["message"].toString(), "conflict with \"one\"");
    // The same value is shared, not fought over; then each can let go of it.
    CODE(apply(kMap, map("{a: '1', c: '3'}"), "two"), 200);
    CODE(apply(kMap, map("{b: '2'}"), "one"), 200);
    QCOMPARE(QJsonDocument(json(http_->get(kMap).body)["data"].toObject()).toJson(QJsonDocument::Compact), "{\"a\":\"1\",\"b\":\"2\",\"c\":\"3\"}");
    a = apply(kMap, map("{b: z}"), "two", "&force=true");
    CODE(a, 200);
    auto object = json(a.body);
    QCOMPARE(QJsonDocument(object["data"].toObject()).toJson(QJsonDocument::Compact), "{\"b\":\"z\"}");
    QCOMPARE(managers(object), QStringList({"two/Apply"}));
  }

  void updatesAreTracked() {
    auto a = http_->send("POST", kConfigMaps, R"({"metadata":{"name":"m"},"data":{"a":"1"}})", {{"user-agent", "robot/v1 (linux)"}});
    CODE(a, 201);
    QCOMPARE(managers(json(a.body)), QStringList({"robot/Update"}));
    auto fields = entry(json(a.body), "robot", "Update")["fieldsV1"].toObject();
    QCOMPARE(QJsonDocument(fields).toJson(QJsonDocument::Compact), "{\"f:data\":{\".\":{},\"f:a\":{}}}");
    a = http_->patch(kMap + "?fieldManager=hand", R"({"data":{"a":"2","b":"3"}})");
    CODE(a, 200);
    fields = entry(json(a.body), "hand", "Update")["fieldsV1"].toObject();
    QCOMPARE(QJsonDocument(fields).toJson(QJsonDocument::Compact), "{\"f:data\":{\"f:a\":{},\"f:b\":{}}}");
    a = apply(kMap, map("{a: x}"), "one");
    CODE(a, 409);
    QCOMPARE(json(a.body)["message"].toString(), "Apply failed with 1 conflict: conflict with \"hand\" using v1: .data.a");
    // Emptying the bookkeeping; an empty list means nothing.
    CODE(http_->patch(kMap, R"({"metadata":{"managedFields":[]}})"), 200);
    QCOMPARE(managed(json(http_->get(kMap).body)).size(), 2);
    CODE(http_->patch(kMap, R"({"metadata":{"managedFields":[{}]}})"), 200);
    QCOMPARE(managed(json(http_->get(kMap).body)).size(), 0);
    a = apply(kMap, map("{a: x}"), "one");
    CODE(a, 409);
    QCOMPARE(json(a.body)["message"].toString(), "Apply failed with 1 conflict: conflict with \"before-first-apply\" using v1: .data.a");
    a = apply(kMap, map("{a: '2'}"), "one");
    CODE(a, 200);
    QCOMPARE(managers(json(a.body)), QStringList({"before-first-apply/Update", "one/Apply"}));
  }

  void manyUpdatersBecomeOne() {
    CODE(apply(kMap, map("{a: '1'}"), "one"), 201);
    for (int i = 0; i < 14; ++i)
      CODE(http_->patch(kMap + "?fieldManager=u" + std::to_string(i), "{\"data\":{\"k" + std::to_string(i) + "\":\"v\"}}"), 200);
    auto object = json(http_->get(kMap).body);
    QCOMPARE(managed(object).size(), 11);
    auto ancient = entry(object, "ancient-changes", "Update")["fieldsV1"].toObject()["f:data"].toObject();
    QCOMPARE(ancient.size(), 5);
  }

  void statusAndScaleHaveTheirOwn() {
    VERIFY_RAN(engine_->kubectl({"apply", "--server-side", "-f", "-"}, QByteArray(kDeployment).replace("  replicas: 2\n", "")));
    auto a = apply(kWeb + "/status", "{apiVersion: apps/v1, kind: Deployment, metadata: {name: web, labels: {x: y}}, status: {collisionCount: 7}}", "st");
    CODE(a, 200);
    auto object = json(a.body);
    auto fields = entry(object, "st", "Apply", "status")["fieldsV1"].toObject();
    QCOMPARE(QJsonDocument(fields).toJson(QJsonDocument::Compact), "{\"f:status\":{\"f:collisionCount\":{}}}");
    QVERIFY(!object["metadata"].toObject()["labels"].toObject().contains("x"));
    CODE(http_->put(kWeb + "/scale?fieldManager=scaler", R"({"metadata":{"name":"web"},"spec":{"replicas":4}})"), 200);
    object = json(http_->get(kWeb).body);
    fields = entry(object, "scaler", "Update", "scale")["fieldsV1"].toObject();
    QCOMPARE(QJsonDocument(fields).toJson(QJsonDocument::Compact), "{\"f:spec\":{\"f:replicas\":{}}}");
    a = apply(kWeb + "/scale", "{apiVersion: autoscaling/v1, kind: Scale, metadata: {name: web}, spec: {replicas: 6}}", "other");
    CODE(a, 409);
    HAS(json(a.body)["message"].toString(), "conflict with \"scaler\" with subresource \"scale\" using apps/v1: .spec.replicas");
    a = apply(kWeb + "/scale", "{apiVersion: autoscaling/v1, kind: Scale, metadata: {name: web}, spec: {replicas: 6}}", "other", "&force=true");
    CODE(a, 200);
    QCOMPARE(json(a.body)["kind"].toString(), "Scale");
    QCOMPARE(json(a.body)["spec"].toObject()["replicas"].toInt(), 6);
    QVERIFY(!entry(json(http_->get(kWeb).body), "other", "Apply", "scale").isEmpty());
    CODE(apply(kWeb + "-none/status", "{apiVersion: apps/v1, kind: Deployment, metadata: {name: web-none}, status: {}}", "st"), 404);
  }

  void dryRunsLeaveNothing() {
    CODE(apply(kMap, map("{a: '1'}"), "one", "&dryRun=All"), 201);
    CODE(http_->get(kMap), 404);
    CODE(apply(kMap, map("{a: '1'}"), "one"), 201);
    auto a = apply(kMap, map("{a: '2'}"), "one", "&dryRun=All");
    CODE(a, 200);
    QCOMPARE(json(a.body)["data"].toObject()["a"].toString(), "2");
    QCOMPARE(json(http_->get(kMap).body)["data"].toObject()["a"].toString(), "1");
  }

  // What the engine makes for itself carries no bookkeeping.
  void ownObjectsCarryNone() {
    CODE(http_->post("/apis/apps/v1/namespaces/default/deployments", q(
        "{'metadata':{'name':'web'},'spec':{'replicas':1,'selector':{'matchLabels':{'a':'b'}},'template':{'metadata':{'labels':{'a':'b'}},"
        "'spec':{'containers':[{'name':'c','image':'i'}]}}}}")), 201);
    QTRY_COMPARE_WITH_TIMEOUT(json(http_->get("/api/v1/namespaces/default/pods").body)["items"].toArray().size(), 1, 10000);
    auto pod = json(http_->get("/api/v1/namespaces/default/pods").body)["items"].toArray()[0].toObject();
    QCOMPARE(managed(pod).size(), 0);
    QTRY_VERIFY_WITH_TIMEOUT(managers(json(http_->get(kWeb).body)).join(' ').contains("/Update/status"), 10000);
  }

  void badInput_data() {
    QTest::addColumn<QByteArray>("query");
    QTest::addColumn<QByteArray>("body");
    QTest::addColumn<int>("code");
    QTest::addColumn<QByteArray>("words");
    auto row = [](const char* name, QByteArray query, const std::string& body, int code, const char* words) {
      QTest::newRow(name) << query << QByteArray::fromStdString(body) << code << QByteArray(words);
    };
    row("no manager", "", map("{}"), 422, "PatchOptions.meta.k8s.io \\\"\\\" is invalid: fieldManager: Required value: is required for apply patch");
    row("long manager", "?fieldManager=" + QByteArray(129, 'x'), map("{}"), 422, "fieldManager: Too long");
    row("unprintable manager", "?fieldManager=a%07b", map("{}"), 422, "invalid character U+0007 (at position 1)");
    row("managedFields", "?fieldManager=x", map("{}", ", managedFields: []"), 400, "metadata.managedFields must be nil");
    row("other version", "?fieldManager=x", "{apiVersion: v2, kind: ConfigMap, metadata: {name: m}}", 400, "Incorrect version specified in apply patch");
    row("no YAML", "?fieldManager=x", "{a: [", 400, "error decoding YAML");
    row("a list", "?fieldManager=x", "[]", 400, "");
    row("other name", "?fieldManager=x", "{apiVersion: v1, kind: ConfigMap, metadata: {name: other}}", 400, "does not match the name on the URL");
    row("wrong type", "?fieldManager=x", map("[1]"), 400, "");
    row("unknown field", "?fieldManager=x", map("{}") + "\n", 201, "");
    row("undeclared", "?fieldManager=x", "{apiVersion: v1, kind: ConfigMap, metadata: {name: m}, foo: 1}", 400,
        "failed to create typed patch object (default/m; v1, Kind=ConfigMap): .foo: field not declared in schema");
  }
  void badInput() {
    QFETCH(QByteArray, query);
    QFETCH(QByteArray, body);
    QFETCH(int, code);
    QFETCH(QByteArray, words);
    auto a = http_->patch(kMap + query.toStdString(), body.toStdString(), kApply);
    CODE(a, code);
    QVERIFY2(a.body.contains(words), a.body.constData());
    a = http_->patch(kMap + "?force=true", "{}");
    CODE(a, 422);
    HAS(a.body, "force: Forbidden: may not be specified for non-apply patch");
  }
};

QTEST_GUILESS_MAIN(ApplyTest)
#include "apply_test.moc"
