// What kubectl get shows: cells of each kind, ages, and the many words for a pod.
#include <QtTest>

#include "engine/api/human.h"
#include "engine/api/pod_summary.h"
#include "engine/api/selector.h"
#include "tests/unit/api/support.h"

using namespace ph;
using namespace ph::api;
using namespace ph::api::test;

class TableTest : public QObject {
  Q_OBJECT
 private slots:
  void ages_data() {
    QTest::addColumn<qint64>("seconds");
    QTest::addColumn<QByteArray>("text");
    auto row = [](qint64 s, const char* t) { QTest::newRow(t) << s << QByteArray(t); };
    const qint64 m = 60, h = 3600, d = 86400, y = 365 * d;
    row(0, "0s");
    row(5, "5s");
    row(119, "119s");
    row(120, "2m");
    row(2 * m + 3, "2m3s");
    row(9 * m + 59, "9m59s");
    row(10 * m + 5, "10m");
    row(179 * m, "179m");
    row(3 * h, "3h");
    row(3 * h + 5 * m, "3h5m");
    row(8 * h + 5 * m, "8h");
    row(47 * h, "47h");
    row(48 * h, "2d");
    row(2 * d + 5 * h, "2d5h");
    row(8 * d + 5 * h, "8d");
    row(2 * y - d, "729d");
    row(2 * y + 3 * d, "2y3d");
    row(9 * y, "9y");
    row(-5, "<invalid>");
  }
  void ages() {
    QFETCH(qint64, seconds);
    QFETCH(QByteArray, text);
    QCOMPARE(QByteArray::fromStdString(humanDuration(std::chrono::seconds(seconds))), text);
  }
  void neverIsUnknown() { QCOMPARE(humanAge(WallTime{}, at("2026-01-01T00:00:00Z")), std::string("<unknown>")); }

  void podWords_data() {
    QTest::addColumn<QByteArray>("pod");
    QTest::addColumn<QByteArray>("cells");
    auto row = [](const char* name, const char* pod, const char* cells) { QTest::newRow(name) << QByteArray(pod) << QByteArray(cells); };
    row("pending", "{spec: {containers: [{name: a}]}, status: {phase: Pending}}", R"(["0/1","Pending","0","<none>","<none>","<none>","<none>"])");
    row("running",
        "{spec: {nodeName: n1, containers: [{name: a}, {name: b}]}, status: {phase: Running, podIP: 10.1.0.4, containerStatuses: [{name: a, ready: true, state: {running: {}}}, {name: b, ready: false, restartCount: 2, state: {running: {}}}]}}",
        R"(["1/2","Running","2","10.1.0.4","n1","<none>","<none>"])");
    row("restarted",
        "{spec: {containers: [{name: a}]}, status: {phase: Running, containerStatuses: [{name: a, ready: true, restartCount: 3, state: {running: {}}, lastState: {terminated: {finishedAt: '2026-01-01T00:57:00Z'}}}]}}",
        R"x(["1/1","Running","3 (3m ago)","<none>","<none>","<none>","<none>"])x");
    row("crash loop", "{spec: {containers: [{name: a}]}, status: {phase: Running, containerStatuses: [{name: a, restartCount: 1, state: {waiting: {reason: CrashLoopBackOff}}}]}}",
        R"(["0/1","CrashLoopBackOff","1","<none>","<none>","<none>","<none>"])");
    row("image", "{spec: {containers: [{name: a}]}, status: {phase: Pending, containerStatuses: [{name: a, state: {waiting: {reason: ErrImagePull}}}]}}",
        R"(["0/1","ErrImagePull","0","<none>","<none>","<none>","<none>"])");
    row("completed", "{spec: {containers: [{name: a}]}, status: {phase: Succeeded, containerStatuses: [{name: a, state: {terminated: {exitCode: 0, reason: Completed}}}]}}",
        R"(["0/1","Completed","0","<none>","<none>","<none>","<none>"])");
    row("one completed, one running",
        "{spec: {containers: [{name: a}, {name: b}]}, status: {phase: Running, conditions: [{type: Ready, status: 'True'}], containerStatuses: [{name: a, state: {terminated: {reason: Completed}}}, {name: b, ready: true, state: {running: {}}}]}}",
        R"(["1/2","Running","0","<none>","<none>","<none>","<none>"])");
    row("exit code", "{spec: {containers: [{name: a}]}, status: {phase: Failed, containerStatuses: [{name: a, state: {terminated: {exitCode: 3}}}]}}",
        R"(["0/1","ExitCode:3","0","<none>","<none>","<none>","<none>"])");
    row("signal", "{spec: {containers: [{name: a}]}, status: {phase: Failed, containerStatuses: [{name: a, state: {terminated: {exitCode: 137, signal: 9}}}]}}",
        R"(["0/1","Signal:9","0","<none>","<none>","<none>","<none>"])");
    row("init running", "{spec: {initContainers: [{name: i}, {name: j}], containers: [{name: a}]}, status: {phase: Pending, initContainerStatuses: [{name: i, state: {terminated: {exitCode: 0}}}, {name: j, state: {running: {}}}], containerStatuses: [{name: a, state: {waiting: {reason: PodInitializing}}}]}}",
        R"(["0/1","Init:1/2","0","<none>","<none>","<none>","<none>"])");
    row("init failed", "{spec: {initContainers: [{name: i}], containers: [{name: a}]}, status: {phase: Pending, initContainerStatuses: [{name: i, restartCount: 2, state: {terminated: {exitCode: 1, reason: Error}}}]}}",
        R"(["0/1","Init:Error","2","<none>","<none>","<none>","<none>"])");
    row("init looping", "{spec: {initContainers: [{name: i}], containers: [{name: a}]}, status: {phase: Pending, initContainerStatuses: [{name: i, state: {waiting: {reason: CrashLoopBackOff}}}]}}",
        R"(["0/1","Init:CrashLoopBackOff","0","<none>","<none>","<none>","<none>"])");
    row("sidecar", "{spec: {initContainers: [{name: i, restartPolicy: Always}], containers: [{name: a}]}, status: {phase: Running, initContainerStatuses: [{name: i, started: true, ready: true, state: {running: {}}}], containerStatuses: [{name: a, ready: true, state: {running: {}}}]}}",
        R"(["2/2","Running","0","<none>","<none>","<none>","<none>"])");
    row("terminating", "{metadata: {deletionTimestamp: '2026-01-01T00:00:00Z'}, spec: {containers: [{name: a}]}, status: {phase: Running, containerStatuses: [{name: a, ready: true, state: {running: {}}}]}}",
        R"(["1/1","Terminating","0","<none>","<none>","<none>","<none>"])");
    row("lost", "{metadata: {deletionTimestamp: '2026-01-01T00:00:00Z'}, spec: {containers: [{name: a}]}, status: {phase: Running, reason: NodeLost}}",
        R"(["0/1","Unknown","0","<none>","<none>","<none>","<none>"])");
    row("evicted", "{spec: {containers: [{name: a}]}, status: {phase: Failed, reason: Evicted}}", R"(["0/1","Evicted","0","<none>","<none>","<none>","<none>"])");
    row("gates", "{spec: {readinessGates: [{conditionType: x}, {conditionType: z}], containers: [{name: a}]}, status: {phase: Running, nominatedNodeName: n2, conditions: [{type: x, status: 'True'}]}}",
        R"(["0/1","Running","0","<none>","<none>","n2","1/2"])");
    row("empty", "{}", R"(["0/0","","0","<none>","<none>","<none>","<none>"])");
  }
  void podWords() {
    QFETCH(QByteArray, pod);
    QFETCH(QByteArray, cells);
    std::vector<Json> out;
    kind("Pod")->strategy->cells(yaml(pod.constData()), at("2026-01-01T01:00:00Z"), out);
    QCOMPARE(QByteArray::fromStdString(toText(JsonArray(out.begin(), out.end()))), cells);
  }

  void otherCells_data() {
    QTest::addColumn<QByteArray>("kindName");
    QTest::addColumn<QByteArray>("object");
    QTest::addColumn<QByteArray>("cells");
    auto row = [](const char* kind, const char* object, const char* cells) { QTest::addRow("%s %.40s", kind, object) << QByteArray(kind) << QByteArray(object) << QByteArray(cells); };
    row("Deployment", "{spec: {replicas: 3, selector: {matchLabels: {b: c, a: x}}, template: {spec: {containers: [{name: m, image: i:1}, {name: nn, image: j}]}}}, status: {readyReplicas: 2, updatedReplicas: 3, availableReplicas: 2}}",
        R"(["2/3",3,2,"m,nn","i:1,j","a=x,b=c"])");
    row("ReplicaSet", "{spec: {replicas: 3, selector: {matchLabels: {a: x}}, template: {spec: {containers: [{name: m, image: i}]}}}, status: {replicas: 2}}", R"([3,2,0,"m","i","a=x"])");
    row("Service", "{spec: {type: ClusterIP, clusterIP: 10.0.0.1, ports: [{port: 80, protocol: TCP}, {port: 53, protocol: UDP}], selector: {b: c, a: x}}}", R"(["10.0.0.1","<none>","80/TCP,53/UDP","a=x,b=c"])");
    row("Service", "{spec: {type: NodePort, clusterIP: 10.0.0.1, ports: [{port: 80, nodePort: 30080, protocol: TCP}]}}", R"(["10.0.0.1","<none>","80:30080/TCP","<none>"])");
    row("Service", "{spec: {type: LoadBalancer, clusterIP: 10.0.0.1, ports: [{port: 80, protocol: TCP}]}}", R"(["10.0.0.1","<pending>","80/TCP","<none>"])");
    row("Service", "{spec: {type: LoadBalancer, clusterIP: 10.0.0.1}, status: {loadBalancer: {ingress: [{ip: 1.2.3.4}, {hostname: h}]}}}", R"(["10.0.0.1","1.2.3.4,h","<none>","<none>"])");
    row("Service", "{spec: {type: ExternalName, externalName: a.b}}", R"(["<none>","a.b","<none>","<none>"])");
    row("Service", "{spec: {type: ClusterIP, clusterIP: None, externalIPs: [1.1.1.1]}}", R"(["None","1.1.1.1","<none>","<none>"])");
    row("Endpoints", "{subsets: [{addresses: [{ip: 10.0.0.1}, {ip: 10.0.0.2}], ports: [{port: 80}, {port: 81}]}]}", R"(["10.0.0.1:80,10.0.0.1:81,10.0.0.2:80 + 1 more..."])");
    row("Endpoints", "{}", R"(["<none>"])");
    row("Node",
        "{metadata: {labels: {node-role.kubernetes.io/worker: '', node-role.kubernetes.io/gpu: ''}}, spec: {unschedulable: true}, status: {conditions: [{type: Ready, status: 'True'}], addresses: [{type: InternalIP, address: 10.0.0.5}], nodeInfo: {osImage: Debian, kernelVersion: 6.1, containerRuntimeVersion: c}}}",
        R"(["Ready,SchedulingDisabled","gpu,worker","10.0.0.5","<none>","Debian","<unknown>","c"])");
    row("Node", "{status: {conditions: [{type: Ready, status: Unknown}]}}", R"(["NotReady","<none>","<none>","<none>","<unknown>","<unknown>","<unknown>"])");
    row("Node", "{}", R"(["Unknown","<none>","<none>","<none>","<unknown>","<unknown>","<unknown>"])");
    row("ConfigMap", "{data: {a: b}, binaryData: {c: aGk=}}", "[2]");
    row("Secret", "{data: {a: aGk=}}", "[1]");
    row("ServiceAccount", "{}", "[0]");
    row("Event", "{involvedObject: {kind: Pod, name: p}, message: ' hi\n', count: 4, firstTimestamp: '2026-01-01T00:00:00Z', lastTimestamp: '2026-01-01T00:59:00Z', source: {component: kubelet, host: n1}}",
        R"(["60s","pod/p","kubelet, n1","hi","60m","4"])");
    row("Event", "{involvedObject: {kind: Node, name: nn}, eventTime: '2026-01-01T00:58:00.000000Z', reportingComponent: sched}", R"(["2m","node/nn","sched","","2m","1"])");
    row("Event", "{series: {count: 7, lastObservedTime: '2026-01-01T00:59:30.000000Z'}}", R"(["30s","","","","<unknown>","7"])");
  }
  void otherCells() {
    QFETCH(QByteArray, kindName);
    QFETCH(QByteArray, object);
    QFETCH(QByteArray, cells);
    std::vector<Json> out;
    kind(kindName.toStdString())->strategy->cells(yaml(object.constData()), at("2026-01-01T01:00:00Z"), out);
    QCOMPARE(QByteArray::fromStdString(toText(JsonArray(out.begin(), out.end()))), cells);
  }

  // A cell for each column that has no path of its own.
  void cellsMatchColumns() {
    for (auto* r : Registry::builtin()->all()) {
      size_t wanted = 0;
      for (auto& c : r->columns) wanted += c.jsonPath.empty();
      std::vector<Json> out;
      if (r->strategy->cells) r->strategy->cells(JsonObject(), at("2026-01-01T01:00:00Z"), out);
      QVERIFY2(out.size() == wanted, r->kind.c_str());
    }
  }

  void fieldSelectors_data() {
    QTest::addColumn<QByteArray>("kindName");
    QTest::addColumn<QByteArray>("selector");
    QTest::addColumn<int>("outcome");  // 1 matches, 0 does not, 400 refused
    auto row = [](const char* kind, const char* s, int outcome) { QTest::addRow("%s %s", kind, s) << QByteArray(kind) << QByteArray(s) << outcome; };
    row("Pod", "", 1);
    row("Pod", "metadata.name=x", 1);
    row("Pod", "metadata.name==x,metadata.namespace=ns", 1);
    row("Pod", "metadata.name!=x", 0);
    row("Pod", "spec.nodeName=n1", 1);
    row("Pod", "spec.nodeName!=n2,status.phase!=Failed", 1);
    row("Pod", "spec.nodeName=", 0);
    row("Pod", "status.nominatedNodeName=", 1);
    row("Pod", "spec.hostNetwork=false", 1);
    row("Pod", "spec.containers=x", 400);
    row("Pod", "nonsense", 400);
    row("Node", "spec.unschedulable=false", 1);
    row("Node", "metadata.namespace=x", 400);
    row("Event", "involvedObject.kind=Pod,involvedObject.name=p", 1);
    row("Event", "source=kubelet", 1);
    row("Event", "type!=Normal", 0);
    row("Secret", "type=Opaque", 1);
    row("ReplicaSet", "status.replicas=2", 1);
    row("ConfigMap", "data.x=1", 400);
  }
  void fieldSelectors() {
    QFETCH(QByteArray, kindName);
    QFETCH(QByteArray, selector);
    QFETCH(int, outcome);
    auto* info = kind(kindName.toStdString());
    auto object = Object::make(info, yaml("{metadata: {name: x, namespace: ns}, spec: {nodeName: n1}, status: {phase: Running, replicas: 2}, type: " +
                                          std::string(kindName == "Event" ? "Normal" : "Opaque") + ", involvedObject: {kind: Pod, name: p}, source: {component: kubelet}}"), 1);
    auto s = FieldSelector::parse(selector.toStdString());
    if (!s.ok() || !s->check(*info).ok()) {
      QCOMPARE(400, outcome);
      return;
    }
    QCOMPARE(int(s->matches(*object)), outcome);
  }
};

QTEST_GUILESS_MAIN(TableTest)
#include "table_test.moc"
