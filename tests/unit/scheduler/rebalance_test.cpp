// Rebalancing: which pod would better stand elsewhere, and the whole scheduler at it, with a controller that replaces what
// was evicted, on a virtual clock.
#include <QTest>

#include "engine/base/log.h"
#include "engine/scheduler/rebalancer.h"
#include "engine/scheduler/scheduler.h"
#include "tests/support/fake_client.h"
#include "tests/unit/scheduler/builders.h"

using namespace ph;
using namespace ph::scheduler;
using namespace std::chrono_literals;

namespace {

std::string owned(const std::string& owner) {
  return fmt::format(R"({{"metadata":{{"ownerReferences":[{{"apiVersion":"apps/v1","kind":"ReplicaSet","name":"{0}","uid":"{0}","controller":true}}]}}}})", owner);
}

struct Placed {
  Cluster cluster;
  std::unique_ptr<Random> random = seededRandom(1);
  Chooser chooser{defaultProfile(), *random};
  int made = 0;

  // `count` copies of an application on a node.
  void put(const std::string& node, const std::string& app, int count, const std::string& cpu) {
    for (int i = 0; i < count; ++i) cluster.setPod(podInfo(test::pod(fmt::format("{}-{}", app, made++), cpu, owned(app))), node);
  }
  std::optional<Relocation> find(size_t tries = 64) {
    size_t skip = 0;
    return findRelocation(cluster, chooser, [](auto&) { return true; }, tries, skip);
  }
};

// A ReplicaSet of one kind of pod, and the machines they run on.
struct World {
  std::shared_ptr<SimExecutor> sim = SimExecutor::make(1);
  test::FakeClient client{sim};
  std::unique_ptr<Scheduler> scheduler;
  const api::ResourceInfo *pods = client.kind("", "pods"), *events = client.kind("", "events");
  int wanted = 0, made = 0, gone = 0, mostGoing = 0;
  std::string more;  // of each pod's spec
  std::set<std::string> ending;

  ~World() {
    scheduler.reset();
    sim->runFor(10min);
  }
  void addNode(const std::string& name) {
    client.put(*api::parseYaml(fmt::format("{{apiVersion: v1, kind: Node, metadata: {{name: {0}, labels: {{kubernetes.io/hostname: {0}}}}}, "
                                           "status: {{allocatable: {{cpu: '4', memory: 8Gi, pods: '110'}}}}}}", name)));
  }
  void space(const std::string& labels) {
    client.put(*api::parseYaml("{apiVersion: v1, kind: Namespace, metadata: {name: default, labels: {" + labels + "}}}"));
  }
  void start(int replicas) {
    wanted = replicas;
    scheduler = Scheduler::make(client, sim);
    scheduler->start();
    tend();
  }
  // What the controller and the agents would do, twice a second.
  void tend() {
    int have = 0, going = 0;
    for (auto& [key, pod] : client.all(pods)) {
      if (pod->meta().deleting) {
        ++going;
        if (ending.insert(pod->uid()).second) {
          ++gone;
          sim->after(3s, [this, key = key] { client.remove(pods, key); }).detach();
        }
        continue;
      }
      ++have;
      auto& p = pod->as<api::core::Pod>();
      if (p.spec.nodeName.empty() || p.status.phase == "Running") continue;
      client::Write w;
      w.verb = client::Verb::Patch;
      w.info = pods;
      w.ns = "default";
      w.name = pod->name();
      w.subresource = "status";
      w.body = R"({"status":{"phase":"Running","conditions":[{"type":"Ready","status":"True"}]}})";
      client.write(std::move(w), [](auto) {});
    }
    mostGoing = std::max(mostGoing, going);
    for (; have < wanted; ++have)
      client.create(fmt::format("{{apiVersion: v1, kind: Pod, metadata: {{name: web-{}, ownerReferences: [{{apiVersion: apps/v1, kind: ReplicaSet, name: web, "
                                "uid: web, controller: true}}]}}, spec: {{containers: [{{name: c, image: 'web:1', resources: {{requests: {{cpu: 500m}}}}}}]{}}}}}",
                                made++, more));
    sim->after(500ms, [this] { tend(); }).detach();
  }
  std::map<std::string, int> places() {
    std::map<std::string, int> out;
    for (auto& [key, pod] : client.all(pods)) ++out[pod->as<api::core::Pod>().spec.nodeName];
    return out;
  }
  int told(const std::string& reason) {
    int n = 0;
    for (auto& [key, e] : client.all(events)) n += e->as<api::core::Event>().reason == reason;
    return n;
  }
};

using Places = std::map<std::string, int>;

}  // namespace

class RebalanceTest : public QObject {
  Q_OBJECT
 private slots:
  void initTestCase() { log::setLevel(log::Level::Error); }

  void copiesStandApart() {
    Placed p;
    p.cluster.setNode(test::node("a"));
    p.cluster.setNode(test::node("b"));
    p.put("a", "web", 3, "10m");
    auto r = p.find();
    QVERIFY(r);
    QCOMPARE(r->from + ">" + r->to, std::string("a>b"));
    QCOMPARE(r->fromCopies, 3);
    QCOMPARE(r->toCopies, 0);
    QCOMPARE(p.cluster.node(p.cluster.slotOf("a"))->pods.size(), size_t(3));  // nothing has changed yet
    p.cluster.removePod(r->pod->uid);
    p.put("b", "web", 1, "10m");
    QVERIFY(!p.find());  // 2 and 1
  }

  void aFullNodeGivesOneAway() {
    Placed p;
    p.cluster.setNode(test::node("a"));
    p.cluster.setNode(test::node("b"));
    for (auto app : {"x", "y", "z"}) p.put("a", app, 1, "1");  // 3 of 4 cores
    auto r = p.find();
    QVERIFY(r);
    QCOMPARE(r->to, std::string("b"));
    QVERIFY(std::abs(r->fromUse - 0.75) < 0.01 && r->toUse < 0.01);
  }

  void littleIsLeftAlone() {
    Placed p;
    p.cluster.setNode(test::node("a"));
    p.cluster.setNode(test::node("b"));
    for (auto app : {"x", "y", "z"}) p.put("a", app, 1, "100m");
    QVERIFY(!p.find());
    // Nor does a pod move that would only make the other one the full one.
    p.put("a", "big", 1, "3");
    p.put("b", "other", 1, "2");
    auto r = p.find();
    QVERIFY(!r || r->pod->owner != "big");
  }

  void nothingWhereNothingFits() {
    Placed p;
    p.cluster.setNode(test::node("a"));
    p.cluster.setNode(test::node("b", R"({"spec":{"unschedulable":true}})"));
    p.put("a", "web", 3, "1");
    QVERIFY(!p.find());
    Placed tainted;
    tainted.cluster.setNode(test::node("a"));
    tainted.cluster.setNode(test::node("b", R"({"spec":{"taints":[{"key":"k","effect":"NoSchedule"}]}})"));
    tainted.put("a", "web", 3, "1");
    QVERIFY(!tainted.find());
    QVERIFY(!Placed().find());
  }

  void aLookIsBoundedAndTheNextGoesOn() {
    Placed p;
    p.cluster.setNode(test::node("a"));
    p.cluster.setNode(test::node("b"));
    // Five that may only stand where they are, and after them one that may go.
    for (int i = 0; i < 5; ++i) {
      auto tree = test::pod(fmt::format("pinned-{}", i), "500m", owned(fmt::format("app{}", i)))->tree();
      tree.at("spec").as_object()["nodeSelector"] = {{"kubernetes.io/hostname", "a"}};
      p.cluster.setPod(podInfo(api::Object::make(test::registry().storage("", "pods"), tree, 1)), "a");
    }
    p.put("a", "free", 1, "500m");
    size_t skip = 0;
    std::vector<size_t> begins;
    std::optional<Relocation> r;
    do {
      r = findRelocation(p.cluster, p.chooser, [](auto&) { return true; }, 2, skip);
      begins.push_back(skip);
    } while (!r && skip != 0);
    QVERIFY(r);
    QCOMPARE(r->pod->owner, std::string("free"));
    QCOMPARE(begins, (std::vector<size_t>{2, 4, 4}));
  }

  void aMachineThatComesTakesItsShare() {
    World w;
    w.space("pilothouse.io/rebalance: enabled");
    w.addNode("n1");
    w.start(6);
    w.sim->runFor(50s);
    QCOMPARE(w.places(), (Places{{"n1", 6}}));
    w.addNode("n2");
    w.sim->runFor(5min);
    QCOMPARE(w.places(), (Places{{"n1", 3}, {"n2", 3}}));
    QCOMPARE(w.gone, 3);
    QCOMPARE(w.mostGoing, 1);  // one at a time
    QCOMPARE(w.told("Rebalanced"), 3);
    w.sim->runFor(1h);
    QCOMPARE(w.gone, 3);  // and then there is peace
  }

  void onlyWhereItIsAskedFor_data() {
    QTest::addColumn<QString>("labels");
    QTest::addColumn<QString>("more");
    QTest::addColumn<int>("replicas");
    QTest::addColumn<bool>("moves");
    QTest::newRow("asked for") << "pilothouse.io/rebalance: enabled" << "" << 4 << true;
    QTest::newRow("not asked for") << "a: b" << "" << 4 << false;
    QTest::newRow("a single copy") << "pilothouse.io/rebalance: enabled" << "" << 1 << false;
    QTest::newRow("data of its own") << "pilothouse.io/rebalance: enabled" << ", volumes: [{name: d, emptyDir: {}}]" << 4 << false;
    QTest::newRow("part of the system") << "pilothouse.io/rebalance: enabled" << ", priority: 2000000000" << 4 << false;
    QTest::newRow("bound to the machine") << "pilothouse.io/rebalance: enabled" << ", nodeSelector: {kubernetes.io/hostname: n1}" << 4 << false;
  }
  void onlyWhereItIsAskedFor() {
    QFETCH(QString, labels);
    QFETCH(QString, more);
    QFETCH(int, replicas);
    QFETCH(bool, moves);
    World w;
    w.space(labels.toStdString());
    w.more = more.toStdString();
    w.addNode("n1");
    w.start(replicas);
    w.sim->runFor(30s);
    QCOMPARE(w.places(), (Places{{"n1", replicas}}));
    w.addNode("n2");
    w.sim->runFor(10min);
    QCOMPARE(w.gone > 0, moves);
  }

  void theLabelMayComeAndGo() {
    World w;
    w.space("a: b");
    w.addNode("n1");
    w.start(4);
    w.sim->runFor(2min);
    w.addNode("n2");
    w.sim->runFor(2min);
    QCOMPARE(w.gone, 0);
    w.space("pilothouse.io/rebalance: enabled");
    w.sim->runFor(8s);
    QCOMPARE(w.gone, 1);
    w.space("a: b");
    w.sim->runFor(10min);
    QCOMPARE(w.gone, 1);
  }

  void aRefusedOneWaits() {
    World w;
    int asked = 0;
    w.client.onWrite = [&](const client::Write& write) -> std::optional<Status> {
      if (write.subresource != "eviction") return std::nullopt;
      ++asked;
      return Status::tooManyRequests("Cannot evict pod as it would violate the pod's disruption budget.", 10);
    };
    w.space("pilothouse.io/rebalance: enabled");
    w.addNode("n1");
    w.start(4);
    w.sim->runFor(2min);
    w.addNode("n2");
    w.sim->runFor(5min);
    QVERIFY2(asked >= 3 && asked <= 6, qPrintable(QString::number(asked)));
    QCOMPARE(w.gone, 0);
    QCOMPARE(w.told("Rebalanced"), 0);
  }
};

QTEST_GUILESS_MAIN(RebalanceTest)
#include "rebalance_test.moc"
