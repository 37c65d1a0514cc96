// What writes mean, from outside: kubectl's editing verbs, cascading deletes, and the rules of PUT, PATCH and DELETE.
#include <QFile>
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
  labels: {app: web, part: one}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: web
        image: web:1
        env: [{name: COLOR, value: blue}]
)";

QByteArray configMap(const QByteArray& name, const QByteArray& value) {
  return "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: " + name + ", labels: {set: s}}\ndata: {k: " + value + "}\n---\n";
}

QString message(const Answer& a) { return json(a.body)["message"].toString(); }
QString warning(const Answer& a) { return QString::fromStdString(std::string(a.headers.get("warning"))); }
QString revision(const Answer& a) { return json(a.body)["metadata"].toObject()["resourceVersion"].toString(); }

const std::string kMaps = "/api/v1/namespaces/default/configmaps";
const std::string kDeployments = "/apis/apps/v1/namespaces/default/deployments";
const std::string kLeases = "/apis/coordination.k8s.io/v1/namespaces/default/leases";
const std::string kStrategic = "application/strategic-merge-patch+json";
const std::string kJson = "application/json-patch+json";

const std::string kWebJson = q(
    "{'metadata':{'name':'web'},'spec':{'replicas':1,'selector':{'matchLabels':{'a':'b'}},'template':{'metadata':{'labels':{'a':'b'}},"
    "'spec':{'containers':[{'name':'c','image':'i'}]}}}}");

}  // namespace

class WritesTest : public QObject {
  Q_OBJECT
  std::unique_ptr<EngineProcess> engine_;
  std::unique_ptr<Http> http_;
  QString binary_;

  bool chooseKubectl() {
    QFETCH(QString, binary);
    binary_ = binary;
    return !binary.isEmpty();
  }
  QJsonArray items(const std::string& path) { return json(http_->get(path).body)["items"].toArray(); }
  QJsonObject web() { return json(http_->get(kDeployments + "/web").body); }
  QJsonObject container() {
    return web()["spec"].toObject()["template"].toObject()["spec"].toObject()["containers"].toArray()[0].toObject();
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

  void editingWithKubectl_data() { kubectlRows(); }
  void editingWithKubectl() {
    if (!chooseKubectl()) QSKIP("this kubectl is not on the box (PH_KUBECTL, PH_KUBECTL_120)");
    VERIFY_RAN(KUBECTL_IN(kDeployment, "apply", "-f", "-"));
    // Three ways: what others set stays, what was applied and is no longer goes.
    VERIFY_RAN(KUBECTL("scale", "deployment/web", "--replicas=4"));
    VERIFY_RAN(KUBECTL("annotate", "deployment/web", "who=me"));
    QByteArray less = QByteArray(kDeployment).replace("  replicas: 2\n", "").replace(", part: one", "");
    auto ran = KUBECTL_IN(less, "diff", "-f", "-");
    QCOMPARE(ran.code, 1);
    HAS(ran.out, "-    part: one");
    VERIFY_RAN(KUBECTL_IN(less, "apply", "-f", "-"));
    auto meta = web()["metadata"].toObject();
    QVERIFY(!meta["labels"].toObject().contains("part"));
    QCOMPARE(meta["annotations"].toObject()["who"].toString(), "me");
    QCOMPARE(KUBECTL_IN(less, "diff", "-f", "-").code, 0);

    auto script = engine_->home() + "/editor";
    QFile file(script);
    QVERIFY(file.open(QIODevice::WriteOnly));
    file.write("#!/bin/sh\nsed -i s/web:1/web:2/ \"$1\"\n");
    file.close();
    QVERIFY(file.setPermissions(QFile::ReadOwner | QFile::WriteOwner | QFile::ExeOwner));
    qputenv("EDITOR", script.toUtf8());
    qputenv("KUBE_EDITOR", script.toUtf8());
    ran = KUBECTL("edit", "deployment/web");
    qunsetenv("EDITOR");
    qunsetenv("KUBE_EDITOR");
    VERIFY_RAN(ran);
    QCOMPARE(container()["image"].toString(), "web:2");

    VERIFY_RAN(KUBECTL("set", "image", "deployment/web", "web=web:3"));
    VERIFY_RAN(KUBECTL("set", "env", "deployment/web", "SIZE=big", "COLOR-"));
    VERIFY_RAN(KUBECTL("set", "resources", "deployment/web", "--limits=cpu=200m,memory=64Mi"));
    auto c = container();
    QCOMPARE(c["image"].toString(), "web:3");
    QCOMPARE(c["env"].toArray().size(), 1);
    QCOMPARE(c["env"].toArray()[0].toObject()["name"].toString(), "SIZE");
    QCOMPARE(c["resources"].toObject()["limits"].toObject()["cpu"].toString(), "200m");

    VERIFY_RAN(KUBECTL("label", "deployment/web", "part=two"));
    ran = KUBECTL("label", "deployment/web", "part=three", "--overwrite", "--resource-version=1");
    QVERIFY(!ran.ok());
    HAS(ran.err, "the object has been modified");
    VERIFY_RAN(KUBECTL("patch", "deployment/web", "--type=strategic", "-p",
                       R"({"spec":{"template":{"spec":{"containers":[{"name":"web","env":[{"$patch":"delete","name":"SIZE"}]}]}}}})"));
    QCOMPARE(container()["env"].toArray().size(), 0);
    VERIFY_RAN(KUBECTL("patch", "deployment/web", "--type=merge", "-p", R"({"metadata":{"labels":{"part":null}}})"));
    VERIFY_RAN(KUBECTL("patch", "deployment/web", "--type=json", "-p", R"([{"op":"add","path":"/metadata/labels/part","value":"four"}])"));
    QCOMPARE(web()["metadata"].toObject()["labels"].toObject()["part"].toString(), "four");

    const QString uid = web()["metadata"].toObject()["uid"].toString();
    VERIFY_RAN(KUBECTL_IN(kDeployment, "replace", "-f", "-"));
    QCOMPARE(web()["metadata"].toObject()["uid"].toString(), uid);
    VERIFY_RAN(KUBECTL_IN(kDeployment, "replace", "--force", "-f", "-"));
    QVERIFY(web()["metadata"].toObject()["uid"].toString() != uid);

    VERIFY_RAN(KUBECTL_IN(configMap("a", "v") + configMap("b", "v"), "apply", "-f", "-"));
    ran = KUBECTL_IN(configMap("a", "w"), "apply", "--prune", "-l", "set=s", "-f", "-");
    VERIFY_RAN(ran);
    HAS(ran.out, "configmap/b pruned");
    CODE(http_->get(kMaps + "/b"), 404);
    CODE(http_->get(kMaps + "/a"), 200);
  }

  void cascades_data() { kubectlRows(); }
  void cascades() {
    if (!chooseKubectl()) QSKIP("this kubectl is not on the box (PH_KUBECTL, PH_KUBECTL_120)");
    const std::string sets = "/apis/apps/v1/namespaces/default/replicasets", pods = "/api/v1/namespaces/default/pods";
    auto fresh = [&] {
      if (http_->post(kDeployments, kWebJson).code != 201) return false;
      return QTest::qWaitFor([&] { return items(pods).size() == 1; }, 15000);
    };
    for (auto policy : {"background", "foreground"}) {
      QVERIFY(fresh());
      VERIFY_RAN(KUBECTL("delete", "deployment", "web", QString("--cascade=") + policy));
      QTRY_COMPARE_WITH_TIMEOUT(items(sets).size(), 0, 15000);
      QTRY_COMPARE_WITH_TIMEOUT(items(pods).size(), 0, 15000);
      CODE(http_->get(kDeployments + "/web"), 404);
    }
    QVERIFY(fresh());
    VERIFY_RAN(KUBECTL("delete", "deployment", "web", "--cascade=orphan"));
    CODE(http_->get(kDeployments + "/web"), 404);
    auto left = items(sets);
    QCOMPARE(left.size(), 1);
    QVERIFY(!left[0].toObject()["metadata"].toObject().contains("ownerReferences"));
    QCOMPARE(items(pods).size(), 1);
    // The pod belongs to its set still.
    QCOMPARE(items(pods)[0].toObject()["metadata"].toObject()["ownerReferences"].toArray().size(), 1);
  }

  void foregroundWaitsForBlockers() {
    auto owner = http_->post(kMaps, q("{'metadata':{'name':'owner'}}"));
    CODE(owner, 201);
    auto uid = json(owner.body)["metadata"].toObject()["uid"].toString().toStdString();
    auto child = [&](const std::string& name, const std::string& blocks) {
      return q("{'metadata':{'name':'" + name + "','finalizers':['example.com/held'],'ownerReferences':[{'apiVersion':'v1','kind':'ConfigMap',"
               "'name':'owner','uid':'" + uid + "','blockOwnerDeletion':" + blocks + "}]}}");
    };
    CODE(http_->post(kMaps, child("blocker", "true")), 201);
    auto deleted = http_->del(kMaps + "/owner?propagationPolicy=Foreground");
    CODE(deleted, 200);
    QCOMPARE(json(deleted.body)["kind"].toString(), "ConfigMap");
    QVERIFY(deleted.body.contains("foregroundDeletion"));
    QTRY_VERIFY(http_->get(kMaps + "/blocker").body.contains("deletionTimestamp"));
    CODE(http_->get(kMaps + "/owner"), 200);
    CODE(http_->patch(kMaps + "/blocker", R"({"metadata":{"finalizers":null}})"), 200);
    QTRY_COMPARE(http_->get(kMaps + "/owner").code, 404);
  }

  void fieldValidation() {
    std::string body = R"({"metadata":{"name":"web"},"spec":{"foo":1,"replicas":1,"replicas":2,"selector":{"matchLabels":{"a":"b"}},)"
                       R"("template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"c","image":"i","bar":2}]}}}})";
    auto a = http_->post(kDeployments + "?fieldValidation=Strict", body);
    CODE(a, 400);
    QCOMPARE(message(a), "Deployment in version \"v1\" cannot be handled as a Deployment: strict decoding error: unknown field \"spec.foo\", "
                         "unknown field \"spec.template.spec.containers[0].bar\", duplicate field \"spec.replicas\"");
    a = http_->post(kDeployments + "?fieldValidation=Ignore&dryRun=All", body);
    CODE(a, 201);
    QVERIFY(warning(a).isEmpty());
    a = http_->post(kDeployments, body);
    CODE(a, 201);
    HAS(warning(a), "299 - \"unknown field \\\"spec.foo\\\"\"");
    a = http_->put(kDeployments + "/web?fieldValidation=Strict", body);
    CODE(a, 400);
    for (auto& type : {std::string("application/merge-patch+json"), kStrategic}) {
      auto patch = [&](const std::string& how, const std::string& text) {
        return http_->patch(kDeployments + "/web?fieldValidation=" + how, text, type);
      };
      a = patch("Strict", R"({"spec":{"foo":1}})");
      CODE(a, 422);
      HAS(message(a), "strict decoding error: unknown field \"spec.foo\"");
      a = patch("Strict", R"({"spec":{"paused":true,"paused":false}})");
      CODE(a, 422);
      HAS(message(a), "strict decoding error: duplicate field \"spec.paused\"");
      a = patch("Warn", R"({"spec":{"foo":1}})");
      CODE(a, 200);
      HAS(warning(a), "unknown field \\\"spec.foo\\\"");
      a = patch("Ignore", R"({"spec":{"foo":1}})");
      CODE(a, 200);
      QVERIFY(warning(a).isEmpty());
      a = patch("Strict", R"({"spec":{"replicas":"many"}})");
      CODE(a, 422);
      HAS(message(a), "patch: Invalid value");
    }
    CODE(http_->patch(kDeployments + "/web?fieldValidation=Strict", R"([{"op":"add","path":"/spec/foo","value":1}])", kJson), 422);
  }

  void kubectlValidates() {
    QByteArray unknown = QByteArray(kDeployment).replace("replicas: 2", "replicaz: 2");
    auto ran = engine_->kubectl({"apply", "--validate=strict", "-f", "-"}, unknown);
    QVERIFY(!ran.ok());
    HAS(ran.err, "strict decoding error: unknown field \"spec.replicaz\"");
    ran = engine_->kubectl({"apply", "--validate=warn", "-f", "-"}, unknown);
    VERIFY_RAN(ran);
    HAS(ran.err, "Warning: unknown field \"spec.replicaz\"");
    ran = engine_->kubectl({"apply", "--validate=ignore", "-f", "-"}, unknown);
    VERIFY_RAN(ran);
    QVERIFY2(!ran.err.contains("Warning"), qPrintable(ran.err));
  }

  void jsonPatches() {
    CODE(http_->post(kMaps, R"({"metadata":{"name":"m"},"data":{"a":"1"}})"), 201);
    auto patch = [&](const std::string& text) { return http_->patch(kMaps + "/m", text, kJson); };
    auto a = patch(R"([{"op":"test","path":"/data/a","value":"2"},{"op":"add","path":"/data/b","value":"x"}])");
    CODE(a, 422);
    QCOMPARE(json(a.body)["reason"].toString(), "Invalid");
    HAS(message(a), "the server rejected our request due to an error in our request");
    CODE(patch(R"([{"op":"remove","path":"/data/none"}])"), 422);
    CODE(patch(R"([{"op":"dance","path":"/data/a"}])"), 400);
    CODE(patch(R"({"op":"remove"})"), 400);
    CODE(patch("["), 400);
    CODE(patch(""), 400);
    QVERIFY(!http_->get(kMaps + "/m").body.contains("\"b\""));
    CODE(http_->patch(kMaps + "/m", "{}", "application/json"), 415);
    CODE(http_->patch(kMaps + "/none", "{}"), 404);
    // A resourceVersion in a patch is a precondition.
    a = http_->patch(kMaps + "/m", R"({"metadata":{"resourceVersion":"1"},"data":{"a":"3"}})");
    CODE(a, 409);
    QCOMPARE(message(a), "Operation cannot be fulfilled on configmaps \"m\": the object has been modified; please apply your changes to the "
                         "latest version and try again");
    CODE(http_->patch(kMaps + "/m", R"({"metadata":{"name":"other"}})"), 400);
  }

  void updatesThatCreate() {
    auto a = http_->put(kLeases + "/l", R"({"metadata":{"name":"l"},"spec":{"holderIdentity":"me"}})");
    CODE(a, 201);
    a = http_->put(kLeases + "/l", R"({"metadata":{"name":"l"},"spec":{"holderIdentity":"you"}})");
    CODE(a, 422);
    HAS(message(a), "metadata.resourceVersion: Invalid value: 0x0: must be specified for an update");
    auto now = revision(http_->get(kLeases + "/l")).toStdString();
    a = http_->put(kLeases + "/l", R"({"metadata":{"name":"l","resourceVersion":")" + now + R"("},"spec":{"holderIdentity":"you"}})");
    CODE(a, 200);
    a = http_->put(kLeases + "/l", R"({"metadata":{"name":"l","resourceVersion":")" + now + R"("},"spec":{"holderIdentity":"me"}})");
    CODE(a, 409);
    CODE(http_->put(kLeases + "/dry?dryRun=All", R"({"metadata":{"name":"dry"},"spec":{}})"), 201);
    CODE(http_->get(kLeases + "/dry"), 404);
    CODE(http_->put(kMaps + "/m", R"({"metadata":{"name":"m"}})"), 404);
    CODE(http_->put(kMaps + "/m", R"({"metadata":{"name":"n"}})"), 400);
    CODE(http_->put("/api/v1/namespaces/none/endpoints/e", R"({"metadata":{"name":"e"}})"), 404);
  }

  void deletes() {
    CODE(http_->post(kMaps, R"({"metadata":{"name":"m","labels":{"x":"1"}}})"), 201);
    CODE(http_->post(kMaps, R"({"metadata":{"name":"n","labels":{"x":"2"}}})"), 201);
    auto a = http_->del(kMaps + "/m", q("{'kind':'DeleteOptions','apiVersion':'v1','preconditions':{'uid':'other'}}"));
    CODE(a, 409);
    HAS(message(a), "Precondition failed: UID in precondition: other, UID in object meta: ");
    a = http_->del(kMaps + "/m", q("{'preconditions':{'resourceVersion':'1'}}"));
    CODE(a, 409);
    a = http_->del(kMaps + "/m", q("{'propagationPolicy':'Sideways'}"));
    CODE(a, 422);
    a = http_->del(kMaps + "/m", q("{'orphanDependents':true,'propagationPolicy':'Orphan'}"));
    CODE(a, 422);
    CODE(http_->del(kMaps + "/m?dryRun=All"), 200);
    CODE(http_->del(kMaps + "/m", q("{'dryRun':['All']}")), 200);
    CODE(http_->del(kMaps + "/m", q("{'dryRun':['Some']}")), 422);
    CODE(http_->del(kMaps + "?dryRun=All&labelSelector=x"), 200);
    CODE(http_->get(kMaps + "/m"), 200);
    a = http_->del(kMaps + "?labelSelector=x%3D1");
    CODE(a, 200);
    QCOMPARE(json(a.body)["items"].toArray().size(), 1);
    CODE(http_->get(kMaps + "/m"), 404);
    a = http_->del(kMaps + "/n");
    CODE(a, 200);
    QCOMPARE(json(a.body)["kind"].toString(), "Status");
    QCOMPARE(json(a.body)["details"].toObject()["name"].toString(), "n");
    CODE(http_->del(kMaps + "/n"), 404);
  }

  void dryRunsTakeNothing() {
    auto make = [&](const std::string& name, const std::string& more) {
      return http_->post("/api/v1/namespaces/default/services" + more,
                         R"({"metadata":{"name":")" + name + R"("},"spec":{"type":"NodePort","ports":[{"port":80,"nodePort":30123}]}})");
    };
    for (int i = 0; i < 3; ++i) CODE(make("dry", "?dryRun=All"), 201);
    CODE(make("real", ""), 201);
    CODE(make("dry", "?dryRun=All"), 422);
    CODE(http_->post(kMaps + "?dryRun=All", R"({"metadata":{"generateName":"g-"}})"), 201);
    CODE(http_->post(kMaps + "?dryRun=All", R"({"metadata":{"name":"NOT OK"}})"), 422);
    QCOMPARE(items(kMaps + "?fieldSelector=metadata.name!=kube-root-ca.crt").size(), 0);
  }

  void metadataThatDoesNotFit_data() {
    QTest::addColumn<QString>("field");
    QTest::addColumn<QString>("says");
    auto row = [](const char* name, const char* field, const char* says) { QTest::newRow(name) << field << says; };
    row("a generation past 64 bits", "'generation':18446744073709551616", "must be a whole number of 64 bits");
    row("a generation past 63 bits", "'generation':9223372036854775808", "must be a whole number of 64 bits");
    row("a generation in words", "'generation':'two'", "must be of type integer");
    row("a revision as a number", "'resourceVersion':7", "must be of type string");
    row("a uid as a list", "'uid':[]", "must be of type string");
    row("a grace with a fraction", "'deletionGracePeriodSeconds':1.5", "must be a whole number");
    row("no time of creation", "'creationTimestamp':'yesterday'", "must be a time");
    row("owners that are none", "'managedFields':{'manager':'m'}", "must be of type array");
    row("a link as an object", "'selfLink':{}", "must be of type string");
  }
  // What the server sets itself must still be readable as what it is.
  void metadataThatDoesNotFit() {
    QFETCH(QString, field);
    QFETCH(QString, says);
    auto wrong = [&](const char* name) { return q("{'metadata':{'name':'") + name + q("',") + q(field.toUtf8().constData()) + "}}"; };
    auto refused = [&](const Answer& a, int code) {
      CODE(a, code);
      HAS(message(a), "metadata." + field.section('\'', 1, 1) + ": Invalid value: ");
      HAS(message(a), says);
    };
    refused(http_->post(kMaps, wrong("m")), 400);
    CODE(http_->post(kMaps, R"({"metadata":{"name":"m"}})"), 201);
    auto before = http_->get(kMaps + "/m");
    refused(http_->put(kMaps + "/m", wrong("m")), 400);
    refused(http_->patch(kMaps + "/m", wrong("m")), 422);
    QCOMPARE(http_->get(kMaps + "/m").body, before.body);
    refused(http_->put("/api/v1/namespaces/default/status", wrong("default")), 400);
    CODE(http_->post(kMaps, q("{'metadata':'m'}")), 400);
  }

  void namesThatDoNotFit() {
    auto a = http_->post(kMaps, R"({"metadata":{"name":"m","namespace":"other"}})");
    CODE(a, 400);
    QCOMPARE(message(a), "the namespace of the provided object does not match the namespace sent on the request");
    CODE(http_->post(kMaps, R"({"metadata":{}})"), 422);
    CODE(http_->post("/api/v1/namespaces/none/configmaps", R"({"metadata":{"name":"m"}})"), 404);
    CODE(http_->send("PATCH", kMaps, "{}"), 405);
    CODE(http_->send("PUT", kMaps, "{}"), 405);
    CODE(http_->send("POST", kMaps + "/m", "{}"), 405);
    CODE(http_->post("/api/v1/namespaces", R"({"metadata":{"name":"going","finalizers":["example.com/held"]}})"), 201);
    CODE(http_->del("/api/v1/namespaces/going"), 200);
    a = http_->post("/api/v1/namespaces/going/configmaps", R"({"metadata":{"name":"m"}})");
    CODE(a, 403);
    HAS(message(a), "because it is being terminated");
    QCOMPARE(json(a.body)["details"].toObject()["causes"].toArray()[0].toObject()["reason"].toString(), "NamespaceTerminating");
  }
};

QTEST_GUILESS_MAIN(WritesTest)
#include "writes_test.moc"
