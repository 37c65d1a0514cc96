// Texts: YAML, forms, names, durations, decoding of objects.
#include <QTest>
#include <QTemporaryFile>

#include "engine/api/codec.h"
#include "engine/api/registry.h"
#include "models/actions.h"
#include "models/facts_decode.h"
#include "models/forms.h"
#include "models/words.h"
#include "models/yaml_text.h"

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
    const char* texts[] = {
        R"({"a":1,"b":"x","c":[1,2,{"d":"e","f":[]}],"g":{},"h":null,"i":true})",
        R"({"s":["true","null","1.5","-","a: b","# no","","  x","x ","~","yes","0x1F","1e3","2026-01-01","a\nb\n","a\nb","\ttab","quote\"d","it's","[x]","{y}","*z","&z","!z","%z","@z",": x","x:","- x"]})",
        R"({"labels":{"app.kubernetes.io/name":"web","true":"1"},"list":[[1,2],[3]],"text":"line one\nline two\n\nline four"})",
        R"({"name":"订单","cmd":["sh","-c","echo hi; sleep 1"]})"};
    for (auto* text : texts) {
      const auto tree = bj::parse(text);
      const QString yaml = toYaml(tree);
      auto back = api::parseYaml(yaml.toStdString());
      QVERIFY2(back.ok(), qPrintable(yaml));
      QVERIFY2(*back == tree, qPrintable(yaml + "\n" + QString::fromStdString(bj::serialize(*back))));
    }
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
    QCOMPARE(fields(check(f)), QStringList({"name", "namespace", "image", "copies", "ports", "name", "cpu", "memory"}));
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
    const auto o = object(f);
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
    QCOMPARE(kubectl::scale("Deployment/default/web", 12), QString("kubectl scale deployment/web --replicas=12"));
    QCOMPARE(kubectl::restart("Deployment/shop/web"), QString("kubectl rollout restart deployment/web -n shop"));
    QCOMPARE(kubectl::remove({Subject::Kind::Pod, "default/web-1"}), QString("kubectl delete pod web-1"));
    QCOMPARE(kubectl::cordon("pi", false), QString("kubectl uncordon pi"));
  }

  void decodesAPod() {
    FactDecoder d;
    auto p = d.pod(object("", "pods", R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"web-7c-x","namespace":"default","uid":"u",
      "creationTimestamp":"2026-01-02T03:04:05Z","labels":{"app":"web","pod-template-hash":"7c"},
      "ownerReferences":[{"apiVersion":"apps/v1","kind":"ReplicaSet","name":"web-7c","uid":"r","controller":true}]},
      "spec":{"nodeName":"kepler","containers":[{"name":"c","image":"web:1","resources":{"requests":{"cpu":"250m"},"limits":{"memory":"1Gi"}}}]},
      "status":{"phase":"Running","podIP":"10.0.0.1","conditions":[{"type":"Ready","status":"True"}],
      "containerStatuses":[{"name":"c","ready":true,"restartCount":2,"image":"web:1","imageID":"","state":{"running":{"startedAt":"2026-01-02T03:04:06Z"}},
      "lastState":{"terminated":{"exitCode":3,"finishedAt":"2026-01-02T03:04:05Z"}}}]}})"));
    QCOMPARE(p.app, QString("Deployment/default/web"));
    QCOMPARE(p.node, QString("kepler"));
    QCOMPARE(p.state, PodState::Ready);
    QCOMPARE(p.cpuRequest, 250);
    QCOMPARE(p.memoryRequest, 1ll << 30);  // a limit without a request is the request
    QCOMPARE(p.restarts, 2);
    QCOMPARE(p.containers[0].exitCode, 3);
    auto crash = d.pod(object("", "pods", R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"p","namespace":"default"},"spec":{"nodeName":"k","containers":[{"name":"c","image":"x"}]},
      "status":{"phase":"Running","containerStatuses":[{"name":"c","ready":false,"restartCount":3,"image":"x","imageID":"","state":{"waiting":{"reason":"CrashLoopBackOff"}}}]}})"));
    QCOMPARE(crash.state, PodState::Failing);
    QCOMPARE(crash.app, QString("Pod/default/p"));
    auto waiting = d.pod(object("", "pods", R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"p","namespace":"default"},"spec":{"containers":[{"name":"c","image":"x"}]},
      "status":{"phase":"Pending","conditions":[{"type":"PodScheduled","status":"False","reason":"Unschedulable","message":"0/1 nodes are available: 1 Insufficient cpu."}]}})"));
    QCOMPARE(waiting.state, PodState::Waiting);
    QVERIFY(words::podProblem(waiting, 0).contains("cpu short on 1"));
    auto leaving = d.pod(object("", "pods", R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"p","namespace":"default","deletionTimestamp":"2026-01-02T03:04:05Z"},"spec":{"nodeName":"k","containers":[{"name":"c","image":"x"}]}})"));
    QCOMPARE(leaving.state, PodState::Leaving);
  }

  void decodesAMachineAndANode() {
    FactDecoder d;
    auto m = d.machine(object("fleet.pilothouse.io", "machines", R"({"apiVersion":"fleet.pilothouse.io/v1","kind":"Machine","metadata":{"name":"pi"},
      "spec":{"address":"10.0.0.2","port":22,"user":"pi","labels":{"topology.kubernetes.io/zone":"shelf"}},
      "status":{"phase":"Untrusted","hostKey":"SHA256:abc","hostKeyType":"ssh-ed25519","findings":[{"name":"Disk","severity":"Warning","message":"little","fix":"more"}]}})"));
    QCOMPARE(m.zone, QString("shelf"));
    auto view = words::machineView(&m, nullptr);
    QCOMPARE(view.tone, Tone::Warn);
    QVERIFY(view.title.contains("trust"));
    m.trustedHostKey = "SHA256:other";
    QCOMPARE(words::machineView(&m, nullptr).tone, Tone::Error);  // a changed key is refused, never asked for by a click
    auto n = d.node(object("", "nodes", R"({"apiVersion":"v1","kind":"Node","metadata":{"name":"pi","labels":{"topology.kubernetes.io/zone":"shelf"}},
      "spec":{"unschedulable":true},"status":{"capacity":{"cpu":"4","memory":"8Gi"},"allocatable":{"cpu":"3800m","memory":"7Gi","pods":"110"},
      "conditions":[{"type":"Ready","status":"Unknown","lastTransitionTime":"2026-01-02T03:04:05Z"},{"type":"MemoryPressure","status":"True"}],
      "nodeInfo":{"architecture":"arm64"}}})"));
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
