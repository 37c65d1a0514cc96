// Texts: YAML, forms, names, durations, decoding of objects.
#include <QTemporaryFile>
#include <QTest>

#include "engine/api/codec.h"
#include "engine/api/registry.h"
#include "models/actions.h"
#include "models/facts_decode.h"
#include "models/forms.h"
#include "models/words.h"
#include "models/yaml_text.h"
#include "tests/unit/models/text_samples.h"

using namespace ph;
using namespace ph::models;
namespace bj = boost::json;

class TextTest : public QObject {
  Q_OBJECT

  static QStringList fields(const QList<FieldProblem>& problems) {
    QStringList out;
    for (auto& p : problems) out << p.field;
    return out;
  }
  api::ObjectPtr object(const char* group, const char* plural, const char* json) {
    static const auto registry = api::Registry::builtin();
    auto parsed = api::Object::parse(registry->find(group, "v1", plural), json, 7);
    if (!parsed.ok()) qFatal("%s", parsed.status().message.c_str());
    return *parsed;
  }

 private slots:
  void yamlReadsBackAsTheSame() {
    const char* texts[] = {sample::kScalars, sample::kStrings, sample::kNested, sample::kChinese};
    for (auto* text : texts) {
      const auto tree = bj::parse(text);
      const QString yaml = toYaml(tree);
      auto back = api::parseYaml(yaml.toStdString());
      QVERIFY2(back.ok(), qPrintable(yaml));
      QVERIFY2(*back == tree, qPrintable(yaml + "\n" + QString::fromStdString(bj::serialize(*back))));
    }
  }

  void yamlIsNotQuotedWithoutNeed() {
    QCOMPARE(toYaml(bj::parse("{\"image\":\"shop/web:2.4\",\"ip\":\"10.0.0.1\",\"hash\":\"7c9f4\"}")),
             QString("image: shop/web:2.4\nip: 10.0.0.1\nhash: 7c9f4\n"));
  }

  void keysInTheOrderOfBefore() {
    const auto before = bj::parse(R"({"kind":"A","metadata":{"name":"x","labels":{"b":"1","a":"2"}},"list":[{"name":"one","v":1},{"name":"two","v":2},7]})");
    const auto after = bj::parse(R"({"new":1,"list":[{"v":2,"name":"two"},{"extra":0,"v":3,"name":"one"},8],"metadata":{"labels":{"a":"2","c":"3","b":"1"},"name":"x"}})");
    const auto ordered = orderedLike(after, before);
    QVERIFY(ordered == after);  // the values stay
    QCOMPARE(QString::fromStdString(bj::serialize(ordered)),
             QString(R"({"metadata":{"name":"x","labels":{"b":"1","a":"2","c":"3"}},"list":[{"name":"two","v":2},{"name":"one","v":3,"extra":0},8],"new":1})"));
    QCOMPARE(QString::fromStdString(bj::serialize(inReadingOrder(bj::parse(
                 R"({"status":{"a":1},"data":{"b":1,"a":2},"metadata":{"uid":"u","labels":{},"namespace":"n","name":"x"},"kind":"A","apiVersion":"v1"})")))),
             QString(R"({"apiVersion":"v1","kind":"A","metadata":{"name":"x","namespace":"n","labels":{},"uid":"u"},"data":{"b":1,"a":2},"status":{"a":1}})"));
    QVERIFY(inReadingOrder(7) == bj::value(7));
    QVERIFY(orderedLike(7, before) == bj::value(7));
    QVERIFY(orderedLike(before, nullptr) == before);
  }

  void deployFormBecomesAManifest() {
    DeployForm f;
    f.name = "web";
    f.image = "shop/web:2.4";
    f.copies = 3;
    f.ports = parsePorts("80:8080, 443");
    f.env = parseEnv("A=1\n\n# not this\nB=x=y");
    f.cpuLimit = "500m";
    QCOMPARE(check(f).size(), 0);
    const auto all = objects(f);
    QCOMPARE(all.size(), 2);
    QCOMPARE(all[0].at_pointer("/spec/replicas").as_int64(), 3);
    QCOMPARE(all[0].at_pointer("/spec/template/spec/containers/0/env/1/value").as_string(), "x=y");
    QCOMPARE(all[0].at_pointer("/spec/template/spec/containers/0/resources/limits/cpu").as_string(), "500m");
    QCOMPARE(all[1].at_pointer("/spec/ports/0/targetPort").as_int64(), 8080);
    QCOMPARE(all[1].at_pointer("/spec/ports/1/port").as_int64(), 443);
    QVERIFY(manifest(f).contains("---\napiVersion: v1\nkind: Service"));
    f.ports.clear();
    QCOMPARE(objects(f).size(), 1);
  }

  void deployFormSaysWhatIsWrong() {
    DeployForm f;
    QCOMPARE(fields(check(f)), QStringList({"name", "image"}));
    f.name = "Web!";
    f.image = "spaces are wrong";
    f.ns = "-x";
    f.copies = -1;
    f.cpuLimit = "lots";
    f.memoryLimit = "-1Gi";
    f.ports = {{80, 80}, {80, 81}};
    QCOMPARE(fields(check(f)),
             QStringList({"name", "namespace", "image", "copies", "ports", "name", "cpu", "memory"}));
    QList<FieldProblem> problems;
    QCOMPARE(parsePorts("80:8080 x 70000 0 9", &problems).size(), 2);
    QCOMPARE(problems.size(), 3);
    problems.clear();
    QCOMPARE(parseEnv("A=1\nnothing\n=x\n1A=2", &problems).size(), 1);
    QCOMPARE(problems.size(), 3);
  }

  void machineForm() {
    MachineForm f;
    QCOMPARE(fields(check(f)), QStringList({"address"}));
    f.address = "pi-3.local";
    QCOMPARE(check(f).size(), 0);
    QCOMPARE(machineName(f), QString("pi-3"));
    f.address = "192.168.1.20";
    f.port = 2222;
    QCOMPARE(machineName(f), QString("192-168-1-20-2222"));
    f.zone = "shelf";
    const auto o = models::object(f);
    QCOMPARE(o.at_pointer("/spec/labels").as_object().at("topology.kubernetes.io/zone").as_string(), "shelf");
    QCOMPARE(o.at_pointer("/spec/port").as_int64(), 2222);
    f.address = "two words";
    f.user = "a b";
    f.port = 0;
    f.identityFile = "/no/such/file";
    f.name = "UPPER";
    f.zone = "a b";
    QCOMPARE(fields(check(f)), QStringList({"address", "user", "port", "key", "name", "zone"}));
    QTemporaryFile publicHalf("XXXXXX.pub");
    QVERIFY(publicHalf.open());
    MachineForm g;
    g.address = "h";
    g.identityFile = publicHalf.fileName();
    QVERIFY(check(g).first().text.contains("public half"));
  }

  void names() {
    QCOMPARE(toName("Shop Web_2.4!"), QString("shop-web-2-4"));
    QCOMPARE(toName("--"), QString());
    QCOMPARE(toName(QString(100, 'a')).size(), 63);
    QCOMPARE(words::span(59000), QString("59 s"));
    QCOMPARE(words::span(61000), QString("1 min"));
    QCOMPARE(words::span(-5), QString("0 s"));
    QCOMPARE(words::took(412), QString("412 ms"));
    QCOMPARE(words::took(2600), QString("2.6 s"));
    QCOMPARE(words::memory(int64_t(3.5 * 1024 * 1024 * 1024)), QString("3.5 GiB"));
    QCOMPARE(words::cores(250), QString("0.25"));
    QCOMPARE(words::cores(8000), QString("8"));
    QCOMPARE(words::percent(-1), QString("–"));
    QCOMPARE(words::imageTag("registry:5000/shop/web:2.4"), QString("2.4"));
    QCOMPARE(words::imageTag("registry:5000/shop/web"), QString());
  }

  void kubectlLines() {
    QCOMPARE(kubectl::scale("Deployment/default/web", 12),
             QString("kubectl scale deployment/web --replicas=12"));
    QCOMPARE(kubectl::restart("Deployment/shop/web"),
             QString("kubectl rollout restart deployment/web -n shop"));
    QCOMPARE(kubectl::remove({Subject::Kind::Pod, "default/web-1"}), QString("kubectl delete pod web-1"));
    QCOMPARE(kubectl::cordon("pi", false), QString("kubectl uncordon pi"));
  }

  void decodesAPod() {
    FactDecoder d;
    auto p = d.pod(object("", "pods", sample::kReadyPod));
    QCOMPARE(p.app, QString("Deployment/default/web"));
    QCOMPARE(p.node, QString("kepler"));
    QCOMPARE(p.state, PodState::Ready);
    QCOMPARE(p.cpuRequest, 250);
    QCOMPARE(p.memoryRequest, 1ll << 30);  // a limit without a request is the request
    QCOMPARE(p.restarts, 2);
    QCOMPARE(p.containers[0].exitCode, 3);
    auto crash = d.pod(object("", "pods", sample::kCrashingPod));
    QCOMPARE(crash.state, PodState::Failing);
    QCOMPARE(crash.app, QString("Pod/default/p"));
    auto waiting = d.pod(object("", "pods", sample::kWaitingPod));
    QCOMPARE(waiting.state, PodState::Waiting);
    QVERIFY(words::podProblem(waiting, 0).contains("cpu short on 1"));
    auto leaving = d.pod(object("", "pods", sample::kLeavingPod));
    QCOMPARE(leaving.state, PodState::Leaving);
  }

  void decodesAMachineAndANode() {
    FactDecoder d;
    auto m = d.machine(object("fleet.pilothouse.io", "machines", sample::kMachine));
    QCOMPARE(m.zone, QString("shelf"));
    auto view = words::machineView(&m, nullptr);
    QCOMPARE(view.tone, Tone::Warn);
    QVERIFY(view.title.contains("trust"));
    m.trustedHostKey = "SHA256:other";
    QCOMPARE(words::machineView(&m, nullptr).tone,
             Tone::Error);  // a changed key is refused, never asked for by a click
    auto n = d.node(object("", "nodes", sample::kNode));
    QVERIFY(n.cordoned && !n.ready && !n.known);
    QCOMPARE(n.cpuAllocatable, 3800);
    QCOMPARE(n.zone, QString("shelf"));
    QCOMPARE(n.pressure, QStringList{"memory"});
  }

  void explainsFailures() {
    Status s = Status::invalid("Deployment.apps \"web\" is invalid");
    s.causes.push_back({"FieldValueRequired", "Required value", "spec.selector"});
    QCOMPARE(Actions::explain(s), QString("spec.selector: Required value"));
    QVERIFY(Actions::explain(Status::alreadyExists("x")).contains("already"));
  }
};

QTEST_GUILESS_MAIN(TextTest)
#include "text_test.moc"
