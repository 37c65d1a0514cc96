// Custom kinds from outside: definitions and their objects, with each kubectl, across restarts.
#include <QElapsedTimer>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QRegularExpression>
#include <QTest>

#include "tests/support/engine/each_kubectl.h"

using namespace ph::test;

namespace {

const char* kDefinition = R"(apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: crontabs.stable.example.com}
spec:
  group: stable.example.com
  scope: Namespaced
  names: {plural: crontabs, kind: CronTab, shortNames: [ct], categories: [all]}
  versions:
  - name: v1
    served: true
    storage: true
    subresources:
      status: {}
      scale: {specReplicasPath: .spec.replicas, statusReplicasPath: .status.replicas, labelSelectorPath: .status.selector}
    additionalPrinterColumns:
    - {name: Spec, type: string, jsonPath: .spec.cronSpec}
    - {name: Replicas, type: integer, jsonPath: .spec.replicas}
    - {name: Ready, type: string, jsonPath: '.status.conditions[?(@.type=="Ready")].status', priority: 1}
    - {name: Age, type: date, jsonPath: .metadata.creationTimestamp}
    selectableFields: [{jsonPath: .spec.cronSpec}]
    schema:
      openAPIV3Schema:
        type: object
        description: Runs something now and then.
        required: [spec]
        properties:
          spec:
            type: object
            required: [cronSpec]
            properties:
              cronSpec: {type: string, pattern: '^(\S+ ){4}\S+$', description: When it runs.}
              image: {type: string, default: busybox}
              replicas: {type: integer, minimum: 0, maximum: 10, default: 1}
          status:
            type: object
            properties:
              replicas: {type: integer}
              selector: {type: string}
              conditions: {type: array, items: {type: object, properties: {type: {type: string}, status: {type: string}}}}
)";

const char* kObject = R"(apiVersion: stable.example.com/v1
kind: CronTab
metadata: {name: nightly}
spec: {cronSpec: "0 3 * * *"}
)";

// A JSON value whose members are reached by name.
struct Tree {
  QJsonValue value;
  Tree operator[](const char* name) const { return {value.toObject().value(QLatin1String(name))}; }
  QString toString() const { return value.toString(); }
  int toInt() const { return value.toInt(); }
  QJsonArray toArray() const { return value.toArray(); }
  QJsonObject toObject() const { return value.toObject(); }
  bool contains(const char* name) const { return value.toObject().contains(QLatin1String(name)); }
};

Tree json(const QString& text) { return {QJsonDocument::fromJson(text.toUtf8()).object()}; }

// A definition as large as real ones: hundreds of fields, several levels.
QByteArray large() {
  QByteArray fields;
  for (int i = 0; i < 20; ++i) {
    fields += "              part" + QByteArray::number(i) + ":\n                type: object\n                properties:\n";
    for (int k = 0; k < 40; ++k)
      fields += "                  field" + QByteArray::number(k) + ": {type: string, maxLength: 100, pattern: '^[a-z0-9-]*$', description: \"What field " +
                QByteArray::number(k) + " of part " + QByteArray::number(i) + " is good for, in words of usual length.\"}\n";
  }
  return R"(apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: bigs.stable.example.com}
spec:
  group: stable.example.com
  scope: Cluster
  names: {plural: bigs, kind: Big}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            properties:
)" + fields;
}

}  // namespace


class CustomKindsTest : public QObject {
  Q_OBJECT
  std::unique_ptr<EngineProcess> engine_;
  QString binary_;

  void define(const QByteArray& text = kDefinition) {
    auto ran = KUBECTL_IN(text, "create", "-f", "-");
    VERIFY_RAN(ran);
    ran = KUBECTL("wait", "--for=condition=Established", "crd", "--all", "--timeout=10s");
    VERIFY_RAN(ran);
  }
  qint64 residentKb() const {
    QFile f("/proc/" + QString::number(engine_->pid()) + "/status");
    if (!f.open(QIODevice::ReadOnly)) return 0;
    for (auto& line : f.readAll().split('\n'))
      if (line.startsWith("VmRSS:")) return line.simplified().split(' ')[1].toLongLong();
    return 0;
  }

 private slots:
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

  void aDefinitionAndItsObjects_data() { kubectlRows(); }
  void aDefinitionAndItsObjects() {
    define();
    auto ran = KUBECTL_IN(kObject, "create", "-f", "-");
    VERIFY_RAN(ran);
    QCOMPARE(ran.out, "crontab.stable.example.com/nightly created\n");
    auto object = json(KUBECTL("get", "ct", "nightly", "-o", "json").out);
    QCOMPARE(object["spec"]["image"].toString(), "busybox");
    QCOMPARE(object["spec"]["replicas"].toInt(), 1);
    QCOMPARE(object["metadata"]["generation"].toInt(), 1);
    ran = KUBECTL("get", "crontabs");
    QVERIFY2(QRegularExpression("NAME +SPEC +REPLICAS +AGE\nnightly +0 3 \\* \\* \\* +1 +\\d+s").match(ran.out).hasMatch(), qPrintable(ran.all()));
    HAS(KUBECTL("get", "ct", "-o", "wide").out, "READY");
    HAS(KUBECTL("get", "all").out, "crontab.stable.example.com/nightly");
    HAS(KUBECTL("api-resources", "--api-group=stable.example.com").out, "crontabs");
    QTRY_VERIFY_WITH_TIMEOUT(KUBECTL("explain", "crontab.spec.cronSpec").out.contains("When it runs."), 10000);  // documents may be some seconds old
    HAS(KUBECTL("explain", "ct", "--recursive").all(), "replicas");
    auto metadata = KUBECTL("explain", "ct.metadata").all();  // in the words that Kubernetes' conformance tests look for
    HAS(metadata, "Standard object's metadata");
    HAS(metadata, "CreationTimestamp is a timestamp");
    ran = KUBECTL("get", "ct", "--field-selector", "spec.cronSpec=0 3 * * *", "-o", "name");
    QCOMPARE(ran.all(), "crontab.stable.example.com/nightly\n");
    QCOMPARE(KUBECTL("get", "ct", "--field-selector", "spec.cronSpec=x", "-o", "name").out, "");
    HAS(KUBECTL("get", "ct", "--field-selector", "spec.image=x").all(), "field label not supported");
  }

  void wrongObjectsAreRefused_data() { kubectlRows(); }
  void wrongObjectsAreRefused() {
    define();
    auto ran = KUBECTL_IN(QByteArray(kObject).replace("0 3 * * *", "whenever").append("\n").replace("}\n", "}\n"), "create", "--validate=false", "-f", "-");
    QVERIFY(!ran.ok());
    HAS(ran.err, "The CronTab \"nightly\" is invalid: spec.cronSpec: Invalid value: \"whenever\": spec.cronSpec in body should match");
    ran = KUBECTL_IN("apiVersion: stable.example.com/v1\nkind: CronTab\nmetadata: {name: a}\nspec: {cronSpec: '0 3 * * *', replicas: 11}\n", "create", "--validate=false", "-f", "-");
    HAS(ran.err, "spec.replicas: Invalid value: 11: spec.replicas in body should be less than or equal to 10");
    ran = KUBECTL_IN("apiVersion: stable.example.com/v1\nkind: CronTab\nmetadata: {name: a}\n", "create", "--validate=false", "-f", "-");
    HAS(ran.err, "spec: Required value");
    // An unknown field: kubectl says so, and the server drops it when told not to mind.
    QByteArray unknown = "apiVersion: stable.example.com/v1\nkind: CronTab\nmetadata: {name: a}\nspec: {cronSpec: '0 3 * * *', typo: 1}\n";
    QVERIFY(!KUBECTL_IN(unknown, "create", "-f", "-").ok());
    ran = KUBECTL_IN(unknown, "create", "--validate=false", "-f", "-");
    VERIFY_RAN(ran);
    QVERIFY(!json(KUBECTL("get", "ct", "a", "-o", "json").out)["spec"].toObject().contains("typo"));
  }

  void statusAndScale_data() { kubectlRows(); }
  void statusAndScale() {
    define();
    VERIFY_RAN(KUBECTL_IN(QByteArray(kObject) + "status: {replicas: 7}\n", "create", "-f", "-"));
    QVERIFY(!json(KUBECTL("get", "ct", "nightly", "-o", "json").out).contains("status"));
    VERIFY_RAN(KUBECTL("scale", "ct/nightly", "--replicas=3"));
    auto object = json(KUBECTL("get", "ct", "nightly", "-o", "json").out);
    QCOMPARE(object["spec"]["replicas"].toInt(), 3);
    QCOMPARE(object["metadata"]["generation"].toInt(), 2);
    HAS(KUBECTL("scale", "ct/nightly", "--replicas=30").err, "should be less than or equal to 10");
    // Through main the status stands still; through its subresource only it changes.
    VERIFY_RAN(KUBECTL("patch", "ct", "nightly", "--type=merge", "-p", R"({"status":{"replicas":3},"metadata":{"labels":{"a":"b"}}})"));
    object = json(KUBECTL("get", "ct", "nightly", "-o", "json").out);
    QVERIFY(!object.contains("status"));
    QCOMPARE(object["metadata"]["generation"].toInt(), 2);
    auto path = "/apis/stable.example.com/v1/namespaces/default/crontabs/nightly/status";
    auto written = object.toObject();
    written["status"] = QJsonObject{{"replicas", 3}, {"selector", "a=b"}, {"unknown", 1}};
    written["spec"] = QJsonObject{{"cronSpec", "1 1 1 1 1"}};
    auto ran = KUBECTL_IN(QJsonDocument(written).toJson(), "replace", "--raw", path, "-f", "-");
    VERIFY_RAN(ran);
    object = json(KUBECTL("get", "ct", "nightly", "-o", "json").out);
    QCOMPARE(object["status"].toObject(), (QJsonObject{{"replicas", 3}, {"selector", "a=b"}}));
    QCOMPARE(object["spec"]["cronSpec"].toString(), "0 3 * * *");
    auto scale = json(KUBECTL("get", "--raw", "/apis/stable.example.com/v1/namespaces/default/crontabs/nightly/scale").out);
    QCOMPARE(scale["status"]["selector"].toString(), "a=b");
    QCOMPARE(scale["spec"]["replicas"].toInt(), 3);
    HAS(KUBECTL("patch", "ct", "nightly", "--type=strategic", "-p", "{}").err, "the body of the request was in an unknown format");
  }

  void severalVersionsOfAKind_data() { kubectlRows(); }
  void severalVersionsOfAKind() {
    QByteArray two = QByteArray(kDefinition) + R"(  - name: v1beta1
    served: true
    storage: false
    deprecated: true
    schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {cronSpec: {type: string}}}}}}
)";
    define(two);
    VERIFY_RAN(KUBECTL_IN(QByteArray(kObject).replace("example.com/v1", "example.com/v1beta1"), "create", "-f", "-"));
    QCOMPARE(json(KUBECTL("get", "crontabs.v1.stable.example.com", "nightly", "-o", "json").out)["apiVersion"].toString(), "stable.example.com/v1");
    auto old = json(KUBECTL("get", "crontabs.v1beta1.stable.example.com", "nightly", "-o", "json").out);
    QCOMPARE(old["apiVersion"].toString(), "stable.example.com/v1beta1");
    QCOMPARE(json(KUBECTL("get", "crd", "crontabs.stable.example.com", "-o", "json").out)["status"]["storedVersions"].toArray(), QJsonArray{"v1"});
    // The other version becomes the stored one: both have been from now on.
    VERIFY_RAN(KUBECTL("patch", "crd", "crontabs.stable.example.com", "--type=json", "-p",
                       R"([{"op":"replace","path":"/spec/versions/0/storage","value":false},{"op":"replace","path":"/spec/versions/1/storage","value":true}])"));
    QCOMPARE(json(KUBECTL("get", "crd", "crontabs.stable.example.com", "-o", "json").out)["status"]["storedVersions"].toArray(), (QJsonArray{"v1", "v1beta1"}));
    QTRY_COMPARE(json(KUBECTL("get", "crontabs.v1.stable.example.com", "nightly", "-o", "json").out)["spec"]["cronSpec"].toString(), "0 3 * * *");
    auto ran = KUBECTL("patch", "crd", "crontabs.stable.example.com", "--type=json", "-p", R"([{"op":"remove","path":"/spec/versions/0"}])");
    HAS(ran.err, "status.storedVersions[0]: Invalid value: \"v1\": must appear in spec.versions");
  }

  void aSchemaChangesUnderItsObjects_data() { kubectlRows(); }
  void aSchemaChangesUnderItsObjects() {
    define();
    VERIFY_RAN(KUBECTL_IN(kObject, "create", "-f", "-"));
    VERIFY_RAN(KUBECTL("patch", "crd", "crontabs.stable.example.com", "--type=json", "-p",
                       R"([{"op":"add","path":"/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/zone","value":{"type":"string","default":"UTC"}},)"
                       R"({"op":"add","path":"/spec/versions/0/additionalPrinterColumns/-","value":{"name":"Zone","type":"string","jsonPath":".spec.zone"}}])"));
    QTRY_COMPARE(json(KUBECTL("get", "ct", "nightly", "-o", "json").out)["spec"]["zone"].toString(), "UTC");
    HAS(KUBECTL("get", "ct").out, "ZONE");
    engine_->kill9();
    QVERIFY(engine_->start());
    QCOMPARE(json(KUBECTL("get", "ct", "nightly", "-o", "json").out)["spec"]["zone"].toString(), "UTC");
    VERIFY_RAN(KUBECTL("annotate", "ct", "nightly", "a=b"));
    QCOMPARE(json(KUBECTL("get", "ct", "nightly", "-o", "json").out)["metadata"]["annotations"]["a"].toString(), "b");
  }

  void aDefinitionGoesWithItsObjects_data() { kubectlRows(); }
  void aDefinitionGoesWithItsObjects() {
    define();
    VERIFY_RAN(KUBECTL_IN(kObject, "create", "-f", "-"));
    VERIFY_RAN(KUBECTL_IN(QByteArray(kObject).replace("name: nightly", "name: held, finalizers: [example.com/hold]"), "create", "-f", "-"));
    VERIFY_RAN(KUBECTL("delete", "crd", "crontabs.stable.example.com", "--wait=false"));
    QTRY_COMPARE(KUBECTL("get", "ct", "-o", "name").out, "crontab.stable.example.com/held\n");
    auto crd = json(KUBECTL("get", "crd", "crontabs.stable.example.com", "-o", "json").out);
    QCOMPARE(crd["metadata"]["finalizers"].toArray(), QJsonArray{"customresourcecleanup.apiextensions.k8s.io"});
    HAS(KUBECTL_IN(QByteArray(kObject).replace("nightly", "late"), "create", "-f", "-").err, "create not allowed while custom resource definition is terminating");
    engine_->kill9();  // in the middle of it
    QVERIFY(engine_->start());
    VERIFY_RAN(KUBECTL("patch", "ct", "held", "--type=merge", "-p", R"({"metadata":{"finalizers":null}})"));
    QTRY_COMPARE_WITH_TIMEOUT(KUBECTL("get", "crd", "-o", "name").out, "", 20000);
    QVERIFY(!KUBECTL("get", "--raw", "/apis/stable.example.com/v1/crontabs").ok());
    define();
    QCOMPARE(KUBECTL("get", "ct", "-o", "name").out, "");
  }

  void namesBelongToOneDefinition_data() { kubectlRows(); }
  void namesBelongToOneDefinition() {
    define();
    QByteArray second = QByteArray(kDefinition).replace("crontabs", "tabs");
    VERIFY_RAN(KUBECTL_IN(second, "create", "-f", "-"));
    auto conditions = [&] {
      QString out;
      for (auto c : json(KUBECTL("get", "crd", "tabs.stable.example.com", "-o", "json").out)["status"]["conditions"].toArray())
        out += Tree{c}["type"].toString() + "=" + Tree{c}["status"].toString() + " ";
      return out;
    };
    QTRY_COMPARE(conditions(), "NamesAccepted=False Established=False ");
    VERIFY_RAN(KUBECTL("delete", "crd", "crontabs.stable.example.com"));
    QTRY_COMPARE(conditions(), "NamesAccepted=True Established=True ");
    VERIFY_RAN(KUBECTL_IN(kObject, "create", "-f", "-"));
  }

  void aNamespaceGoesWithItsObjects_data() { kubectlRows(); }
  void aNamespaceGoesWithItsObjects() {
    define();
    VERIFY_RAN(KUBECTL("create", "namespace", "team"));
    VERIFY_RAN(KUBECTL_IN(kObject, "create", "-n", "team", "-f", "-"));
    VERIFY_RAN(KUBECTL("delete", "namespace", "team", "--timeout=30s"));
    QCOMPARE(KUBECTL("get", "ct", "-A", "-o", "name").out, "");
  }

  void wrongDefinitionsAreRefused_data() { kubectlRows(); }
  void wrongDefinitionsAreRefused() {
    auto ran = KUBECTL_IN(QByteArray(kDefinition).replace("name: crontabs.stable", "name: other.stable"), "create", "-f", "-");
    HAS(ran.err, "metadata.name: Invalid value: \"other.stable.example.com\": must be spec.names.plural+\".\"+spec.group");
    ran = KUBECTL_IN(QByteArray(kDefinition).replace("default: 1", "default: one"), "create", "-f", "-");
    HAS(ran.err, "must be of type integer");
    ran = KUBECTL_IN(QByteArray(kDefinition).replace("storage: true", "storage: false"), "create", "-f", "-");
    HAS(ran.err, "must have exactly one version marked as storage version");
    QCOMPARE(KUBECTL("get", "crd", "-o", "name").out, "");
  }

  // Old operators still bring v1beta1: one schema for all versions, a single version by name, columns with JSONPath.
  void theOldVersionOfDefinitions_data() { kubectlRows(); }
  void theOldVersionOfDefinitions() {
    QByteArray old = R"(apiVersion: apiextensions.k8s.io/v1beta1
kind: CustomResourceDefinition
metadata: {name: tabs.old.example.com}
spec:
  group: old.example.com
  version: v1
  names: {plural: tabs, kind: Tab}
  preserveUnknownFields: false
  subresources: {status: {}}
  additionalPrinterColumns: [{name: Color, type: string, JSONPath: .spec.color}]
  validation:
    openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {color: {type: string, enum: [red, blue]}}}}}
)";
    define(old);
    auto now = json(KUBECTL("get", "--raw", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/tabs.old.example.com").out);
    QCOMPARE(now["spec"]["versions"].toArray().size(), 1);
    Tree version{now["spec"]["versions"].toArray()[0]};
    QVERIFY(version["schema"].contains("openAPIV3Schema") && version["subresources"].contains("status"));
    QCOMPARE(Tree{version["additionalPrinterColumns"].toArray()[0]}["jsonPath"].toString(), ".spec.color");
    QCOMPARE(now["spec"]["scope"].toString(), "Namespaced");
    auto before = json(KUBECTL("get", "--raw", "/apis/apiextensions.k8s.io/v1beta1/customresourcedefinitions/tabs.old.example.com").out);
    QCOMPARE(before["spec"]["version"].toString(), "v1");
    QVERIFY(before["spec"]["validation"].contains("openAPIV3Schema"));
    VERIFY_RAN(KUBECTL_IN("apiVersion: old.example.com/v1\nkind: Tab\nmetadata: {name: a}\nspec: {color: red}\n", "create", "-f", "-"));
    HAS(KUBECTL("get", "tabs").out, "COLOR");
    HAS(KUBECTL_IN("apiVersion: old.example.com/v1\nkind: Tab\nmetadata: {name: b}\nspec: {color: green}\n", "create", "--validate=false", "-f", "-").err, "Unsupported value: \"green\"");
  }

  void aDefinitionOfRealSize_data() { kubectlRows(); }
  void aDefinitionOfRealSize() {
    auto before = residentKb();
    QElapsedTimer clock;
    clock.start();
    define(large());
    auto usable = clock.elapsed();
    VERIFY_RAN(KUBECTL_IN("apiVersion: stable.example.com/v1\nkind: Big\nmetadata: {name: a}\nspec: {part3: {field7: x}}\n", "create", "-f", "-"));
    QTRY_VERIFY_WITH_TIMEOUT(KUBECTL("explain", "big.spec.part3.field7").out.contains("What field 7 of part 3"), 10000);
    qInfo("800 fields: %lld ms from kubectl create to kubectl wait, %lld KiB more resident", (long long)usable, (long long)(residentKb() - before));
    HAS(KUBECTL_IN("apiVersion: stable.example.com/v1\nkind: Big\nmetadata: {name: b}\nspec: {part3: {field7: X}}\n", "create", "-f", "-").err, "spec.part3.field7 in body should match");
  }
};

QTEST_GUILESS_MAIN(CustomKindsTest)
#include "custom_test.moc"
