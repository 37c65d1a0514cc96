#include <QTest>

#include "engine/api/codec.h"
#include "engine/api/protobuf.h"
#include "engine/base/random.h"

using namespace ph;
using namespace ph::api;

namespace {

const ResourceInfo& info(const char* group, const char* plural) {
  static auto registry = Registry::builtin();
  return *registry->storage(group, plural);
}

Json json(const char* text) {
  auto r = parseJson(text);
  if (!r.ok()) qFatal("%s", r.status().message.c_str());
  return *r;
}

const char* kPod = R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"p","namespace":"a","labels":{"app":"web","tier":"front"},
  "creationTimestamp":"2026-01-02T03:04:05Z","ownerReferences":[{"apiVersion":"apps/v1","kind":"ReplicaSet","name":"r","uid":"u","controller":true}]},
  "spec":{"containers":[{"name":"c","image":"web:1","args":["-x","1"],"env":[{"name":"A","value":"b"},
    {"name":"S","valueFrom":{"secretKeyRef":{"name":"s","key":"k","optional":false}}}],
    "ports":[{"containerPort":80,"protocol":"TCP"}],"resources":{"limits":{"cpu":"500m","memory":"1Gi"}},
    "readinessProbe":{"httpGet":{"path":"/","port":"http"},"periodSeconds":5},"livenessProbe":{"tcpSocket":{"port":80}},
    "securityContext":{"runAsUser":0,"privileged":false}}],
    "volumes":[{"name":"v","configMap":{"name":"cm","defaultMode":420}},{"name":"e","emptyDir":{"sizeLimit":"1Gi"}}],
    "nodeSelector":{"disk":"ssd"},"terminationGracePeriodSeconds":0,"hostNetwork":true,
    "tolerations":[{"key":"k","operator":"Exists","tolerationSeconds":300}]},
  "status":{"phase":"Running","podIP":"10.244.0.2","conditions":[{"type":"Ready","status":"True","lastTransitionTime":"2026-01-02T03:04:05Z"}]}})";

}  // namespace

class ProtobufTest : public QObject {
  Q_OBJECT
 private slots:
  void objectsComeBack_data() {
    QTest::addColumn<QString>("group");
    QTest::addColumn<QString>("plural");
    QTest::addColumn<QString>("text");
    QTest::newRow("pod") << "" << "pods" << kPod;
    QTest::newRow("secret") << "" << "secrets" << R"({"apiVersion":"v1","kind":"Secret","metadata":{"name":"s"},"data":{"k":"AAECAw=="},"type":"Opaque"})";
    QTest::newRow("service") << "" << "services" << R"({"apiVersion":"v1","kind":"Service","metadata":{"name":"s"},"spec":{"ports":[{"port":80,"targetPort":"http"},{"port":81,"targetPort":8081}],"selector":{"app":"web"}}})";
    QTest::newRow("deployment") << "apps" << "deployments" << R"({"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"d"},"spec":{"replicas":0,
      "selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"c","image":"i"}]}},
      "strategy":{"type":"RollingUpdate","rollingUpdate":{"maxSurge":"25%","maxUnavailable":0}}}})";
    QTest::newRow("lease") << "coordination.k8s.io" << "leases" << R"({"apiVersion":"coordination.k8s.io/v1","kind":"Lease","metadata":{"name":"l"},"spec":{"holderIdentity":"n","leaseDurationSeconds":8,"renewTime":"2026-01-02T03:04:05.123456Z"}})";
  }
  void objectsComeBack() {
    QFETCH(QString, group);
    QFETCH(QString, plural);
    QFETCH(QString, text);
    const Type& type = *info(group.toUtf8(), plural.toUtf8()).type;
    Json before = json(text.toUtf8());
    auto after = objectFromProtobuf(objectToProtobuf(before, type), type);
    QVERIFY2(after.ok(), after.ok() ? "" : after.status().message.c_str());
    // Structs that JSON had not named may come back as {} where Go would write them: compare what each means.
    ErrorList errors;
    conform(before, type, errors, nullptr);
    conform(*after, type, errors, nullptr);
    QVERIFY(errors.empty());
    QCOMPARE(makeText(*after), makeText(before));
  }

  void readsWhatGoWrites() {
    // ConfigMap {metadata {name "c", empty generateName, empty creationTimestamp}, data {"k": "v"}}, as client-go encodes it.
    std::string meta = std::string("\x0a\x01") + "c" + "\x12" + std::string(1, '\0') + "\x42" + std::string(1, '\0');
    std::string raw = "\x0a" + std::string(1, char(meta.size())) + meta + "\x12\x06\x0a\x01k\x12\x01v";
    std::string typeMeta = "\x0a\x02v1\x12\x09" "ConfigMap";
    std::string body = std::string("k8s\0", 4) + "\x0a" + char(typeMeta.size()) + typeMeta + "\x12" + char(raw.size()) + raw;
    auto tree = objectFromProtobuf(body, *info("", "configmaps").type);
    QVERIFY2(tree.ok(), tree.ok() ? "" : tree.status().message.c_str());
    QCOMPARE(makeText(*tree), makeText(json(R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c"},"data":{"k":"v"}})")));
  }

  void damageIsAnErrorNeverMore() {
    const Type& type = *info("", "pods").type;
    std::string good = objectToProtobuf(json(kPod), type);
    auto random = seededRandom(5);
    int refused = 0;
    for (int i = 0; i < 20000; ++i) {
      std::string bad = good;
      for (uint64_t k = random->below(4) + 1; k > 0; --k) bad[random->below(bad.size())] = char(random->next());
      bad.resize(random->below(bad.size() + 1));
      refused += !objectFromProtobuf(bad, type).ok();
    }
    QVERIFY(refused > 1000);
    QVERIFY(!objectFromProtobuf("{}", type).ok());
    QVERIFY(!objectFromProtobuf("", type).ok());
  }

 private:
  // Keys sorted, so that order doesn't count.
  static std::string makeText(const Json& v) {
    if (v.is_object()) {
      std::map<std::string, std::string> sorted;
      for (auto& [key, item] : v.get_object()) sorted[std::string(key)] = makeText(item);
      std::string out = "{";
      for (auto& [key, item] : sorted) out += key + ":" + item + ",";
      return out + "}";
    }
    if (v.is_array()) {
      std::string out = "[";
      for (auto& item : v.get_array()) out += makeText(item) + ",";
      return out + "]";
    }
    return toText(v);
  }
};

QTEST_GUILESS_MAIN(ProtobufTest)
#include "protobuf_test.moc"
