#include <QTest>

#include "tests/unit/scheduler/builders.h"

using namespace ph;
using namespace ph::scheduler;
using test::node;
using test::pod;

namespace {

// A cluster and a chooser; what is chosen is placed.
struct Bench {
  explicit Bench(Packing packing = Packing::Spread)
      : random(seededRandom(1)), chooser(defaultProfile(packing), *random) {}

  Verdict place(const api::ObjectPtr& object) {
    auto info = podInfo(object);
    Verdict v = chooser.choose(*info, cluster);
    if (v.slot >= 0) cluster.setPod(info, v.node);
    return v;
  }

  std::unique_ptr<Random> random;
  Cluster cluster;
  Chooser chooser;
};

std::string str(const Verdict& v) { return v.slot >= 0 ? v.node : v.message(); }

constexpr auto kAppLabel = R"({"metadata":{"labels":{"app":"web"}}})";

std::string zone(const char* z) {
  return fmt::format(R"({{"metadata":{{"labels":{{"topology.kubernetes.io/zone":"{}"}}}}}})", z);
}

}  // namespace

class PluginsTest : public QObject {
  Q_OBJECT
 private slots:
  // Each row: the node's and the pod's particulars, and the node's name or the message expected.
  void oneNode_data() {
    QTest::addColumn<QString>("nodeExtra");
    QTest::addColumn<QString>("cpu");
    QTest::addColumn<QString>("podExtra");
    QTest::addColumn<QString>("expected");
    auto no = [](const char* why) { return QString("0/1 nodes are available: 1 %1.").arg(why); };
    QTest::newRow("fits") << "" << "500m" << "" << "a";
    QTest::newRow("cpu exactly") << "" << "4" << "" << "a";
    QTest::newRow("cpu short") << "" << "4001m" << "" << no("Insufficient cpu");
    QTest::newRow("memory short") << "" << ""
                                  << R"({"spec":{"containers":[{"name":"c","image":"i","resources":{"requests":{"memory":"9Gi"}}}]}})"
                                  << no("Insufficient memory");
    QTest::newRow("extended resource")
        << "" << "" << R"({"spec":{"containers":[{"name":"c","image":"i","resources":{"requests":{"nvidia.com/gpu":"1"}}}]}})"
        << no("Insufficient nvidia.com/gpu");
    QTest::newRow("init container peak")
        << "" << "" << R"({"spec":{"initContainers":[{"name":"i","image":"i","resources":{"requests":{"cpu":"5"}}}]}})"
        << no("Insufficient cpu");
    QTest::newRow("no room for pods") << R"({"status":{"allocatable":{"pods":"0"}}})" << "" << "" << no("Too many pods");
    QTest::newRow("cordoned") << R"({"spec":{"unschedulable":true}})" << "" << "" << no("node(s) were unschedulable");
    QTest::newRow("taint") << R"({"spec":{"taints":[{"key":"gpu","value":"yes","effect":"NoSchedule"}]}})" << "" << ""
                           << no("node(s) had untolerated taint {gpu: yes}");
    QTest::newRow("taint tolerated") << R"({"spec":{"taints":[{"key":"gpu","value":"yes","effect":"NoSchedule"}]}})" << ""
                                     << R"({"spec":{"tolerations":[{"key":"gpu","operator":"Exists"}]}})" << "a";
    QTest::newRow("taint, other value") << R"({"spec":{"taints":[{"key":"gpu","value":"yes","effect":"NoSchedule"}]}})"
                                        << ""
                                        << R"({"spec":{"tolerations":[{"key":"gpu","operator":"Equal","value":"no"}]}})"
                                        << no("node(s) had untolerated taint {gpu: yes}");
    QTest::newRow("PreferNoSchedule only prefers")
        << R"({"spec":{"taints":[{"key":"gpu","effect":"PreferNoSchedule"}]}})" << "" << "" << "a";
    QTest::newRow("selector") << R"({"metadata":{"labels":{"disk":"ssd"}}})" << ""
                              << R"({"spec":{"nodeSelector":{"disk":"ssd"}}})" << "a";
    QTest::newRow("selector misses") << R"({"metadata":{"labels":{"disk":"hdd"}}})" << ""
                                     << R"({"spec":{"nodeSelector":{"disk":"ssd"}}})"
                                     << no("node(s) didn't match Pod's node affinity/selector");
    auto affinity = [](const char* expression) {
      return QString(R"({"spec":{"affinity":{"nodeAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":
                         {"nodeSelectorTerms":[{"matchExpressions":[%1]}]}}}}})").arg(expression);
    };
    const char* cores = R"({"metadata":{"labels":{"cores":"8"}}})";
    QTest::newRow("affinity Gt") << cores << "" << affinity(R"({"key":"cores","operator":"Gt","values":["4"]})") << "a";
    QTest::newRow("affinity Lt misses") << cores << "" << affinity(R"({"key":"cores","operator":"Lt","values":["8"]})")
                                        << no("node(s) didn't match Pod's node affinity/selector");
    QTest::newRow("affinity NotIn without the label")
        << "" << "" << affinity(R"({"key":"cores","operator":"NotIn","values":["4"]})") << "a";
    QTest::newRow("affinity DoesNotExist misses")
        << cores << "" << affinity(R"({"key":"cores","operator":"DoesNotExist"})")
        << no("node(s) didn't match Pod's node affinity/selector");
    QTest::newRow("spread without the label")
        << "" << "" << R"({"metadata":{"labels":{"app":"web"}},"spec":{"topologySpreadConstraints":[{"maxSkew":1,
             "topologyKey":"zone","whenUnsatisfiable":"DoNotSchedule","labelSelector":{"matchLabels":{"app":"web"}}}]}})"
        << no("node(s) didn't match pod topology spread constraints (missing required label)");
    QTest::newRow("affinity to nobody")
        << "" << "" << R"({"spec":{"affinity":{"podAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":[
             {"topologyKey":"kubernetes.io/hostname","labelSelector":{"matchLabels":{"app":"db"}}}]}}}})"
        << no("node(s) didn't match pod affinity rules");
  }
  void oneNode() {
    QFETCH(QString, nodeExtra);
    QFETCH(QString, cpu);
    QFETCH(QString, podExtra);
    QFETCH(QString, expected);
    Bench b;
    b.cluster.setNode(node("a", nodeExtra.toStdString()));
    auto v = b.place(pod("p", cpu.toStdString(), podExtra.toStdString()));
    QCOMPARE(QString::fromStdString(str(v)), expected);
  }

  void reasonsAreCountedBySort() {
    Bench b;
    b.cluster.setNode(node("a", R"({"spec":{"unschedulable":true}})"));
    b.cluster.setNode(node("b", R"({"status":{"allocatable":{"cpu":"1"}}})"));
    b.cluster.setNode(node("c", R"({"status":{"allocatable":{"cpu":"1"}}})"));
    auto v = b.place(pod("p", "2"));
    QCOMPARE(str(v), std::string("0/3 nodes are available: 1 node(s) were unschedulable, 2 Insufficient cpu."));
    QVERIFY(v.wakeOn & kPodGone);
    QVERIFY(v.wakeOn & kNodeTaints);
    QCOMPARE(str(Bench().place(pod("p"))), std::string("no nodes available to schedule pods"));
  }

  void capacityIsNeverExceeded() {
    // 4 nodes of 4 cores hold 16 pods of one core, by the cached path (an owner) and the other.
    for (bool owned : {false, true}) {
      Bench b;
      for (auto n : {"a", "b", "c", "d"}) b.cluster.setNode(node(n));
      const char* owner = R"({"metadata":{"ownerReferences":[{"apiVersion":"apps/v1","kind":"ReplicaSet","name":"r","uid":"r1","controller":true}]}})";
      std::map<std::string, int> count;
      for (int i = 0; i < 16; ++i) ++count[b.place(pod("p" + std::to_string(i), "1", owned ? owner : "")).node];
      for (auto n : {"a", "b", "c", "d"}) QCOMPARE(count[n], 4);
      QVERIFY(b.place(pod("one too many", "1", owned ? owner : "")).slot < 0);
      b.cluster.removePod("p-p3");
      QVERIFY(b.place(pod("now it fits", "1", owned ? owner : "")).slot >= 0);
    }
  }

  void packingFillsOneNodeFirst() {
    Bench b(Packing::Pack);
    for (auto n : {"a", "b", "c"}) b.cluster.setNode(node(n));
    std::map<std::string, int> count;
    for (int i = 0; i < 4; ++i) ++count[b.place(pod("p" + std::to_string(i), "1")).node];
    QCOMPARE(count.size(), size_t(1));
  }

  void hostPortsExclude() {
    Bench b;
    b.cluster.setNode(node("a"));
    const char* port = R"({"spec":{"containers":[{"name":"c","image":"i","ports":[{"containerPort":80,"hostPort":8080}]}]}})";
    const char* other = R"({"spec":{"containers":[{"name":"c","image":"i","ports":[{"containerPort":80,"hostPort":8080,"protocol":"UDP"}]}]}})";
    QCOMPARE(str(b.place(pod("p1", "", port))), std::string("a"));
    QCOMPARE(str(b.place(pod("p2", "", port))),
             std::string("0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports."));
    QCOMPARE(str(b.place(pod("p3", "", other))), std::string("a"));
  }

  void hardSpreadingKeepsTheSkew() {
    Bench b;
    for (auto [n, z] : {std::pair{"a", "east"}, {"b", "east"}, {"c", "west"}}) b.cluster.setNode(node(n, zone(z)));
    const char* spread = R"({"metadata":{"labels":{"app":"web"}},"spec":{"topologySpreadConstraints":[{"maxSkew":1,
      "topologyKey":"topology.kubernetes.io/zone","whenUnsatisfiable":"DoNotSchedule","labelSelector":{"matchLabels":{"app":"web"}}}]}})";
    int west = 0;
    for (int i = 0; i < 6; ++i) west += b.place(pod("p" + std::to_string(i), "", spread)).node == "c";
    QCOMPARE(west, 3);
    // West is full: only east has room, but that would be a skew of 2.
    b.cluster.setNode(node("c", R"({"metadata":{"labels":{"topology.kubernetes.io/zone":"west"}},"status":{"allocatable":{"pods":"3"}}})"));
    QVERIFY(b.place(pod("p6", "", spread)).slot >= 0);
    QCOMPARE(str(b.place(pod("p7", "", spread))),
             std::string("0/3 nodes are available: 1 Too many pods, 2 node(s) didn't match pod topology spread constraints."));
  }

  void softSpreadingPrefersEmptyDomains() {
    Bench b;
    for (auto n : {"a", "b", "c"}) b.cluster.setNode(node(n));
    const char* spread = R"({"metadata":{"labels":{"app":"web"}},"spec":{"topologySpreadConstraints":[{"maxSkew":1,
      "topologyKey":"kubernetes.io/hostname","whenUnsatisfiable":"ScheduleAnyway","labelSelector":{"matchLabels":{"app":"web"}}}]}})";
    std::map<std::string, int> count;
    for (int i = 0; i < 9; ++i) ++count[b.place(pod("p" + std::to_string(i), "", spread)).node];
    for (auto n : {"a", "b", "c"}) QCOMPARE(count[n], 3);
  }

  void antiAffinityKeepsApartBothWays() {
    Bench b;
    b.cluster.setNode(node("a"));
    b.cluster.setNode(node("b"));
    const char* apart = R"({"metadata":{"labels":{"app":"web"}},"spec":{"affinity":{"podAntiAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":[
      {"topologyKey":"kubernetes.io/hostname","labelSelector":{"matchLabels":{"app":"web"}}}]}}}})";
    QVERIFY(b.place(pod("p1", "", apart)).slot >= 0);
    QVERIFY(b.place(pod("p2", "", apart)).slot >= 0);
    // A pod without rules of its own is kept away by theirs.
    QCOMPARE(str(b.place(pod("plain", "", kAppLabel))),
             std::string("0/2 nodes are available: 2 node(s) didn't satisfy existing pods anti-affinity rules."));
    b.cluster.removePod("p-p2");
    QVERIFY(b.place(pod("plain", "", kAppLabel)).slot >= 0);
    QVERIFY(b.place(pod("p3", "", apart)).slot < 0);
  }

  void affinityFollowsTheFirstOfItsKind() {
    Bench b;
    for (auto n : {"a", "b", "c"}) b.cluster.setNode(node(n));
    const char* together = R"({"metadata":{"labels":{"app":"web"}},"spec":{"affinity":{"podAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":[
      {"topologyKey":"kubernetes.io/hostname","labelSelector":{"matchLabels":{"app":"web"}}}]}}}})";
    std::string first = b.place(pod("p0", "", together)).node;
    QVERIFY(!first.empty());
    for (int i = 1; i < 5; ++i) QCOMPARE(b.place(pod("p" + std::to_string(i), "", together)).node, first);
  }

  void aRelabelledNodeIsCountedAnew() {
    Bench b;
    b.cluster.setNode(node("a", zone("east")));
    b.cluster.setNode(node("b", zone("west")));
    const char* apart = R"({"metadata":{"labels":{"app":"web"}},"spec":{"nodeSelector":{"kubernetes.io/hostname":"a"},"affinity":{"podAntiAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":[
      {"topologyKey":"topology.kubernetes.io/zone","labelSelector":{"matchLabels":{"app":"web"}}}]}}}})";
    QCOMPARE(str(b.place(pod("p1", "", apart))), std::string("a"));
    b.cluster.setNode(node("b", zone("east")));
    QVERIFY(b.place(pod("p2", "", kAppLabel)).slot < 0);
    b.cluster.setNode(node("b", zone("north")));
    QCOMPARE(str(b.place(pod("p3", "", kAppLabel))), std::string("b"));
  }

  void podsOfAnOwnerSpread() {
    Bench b;
    for (auto n : {"a", "b", "c"}) b.cluster.setNode(node(n));
    const char* owner = R"({"metadata":{"ownerReferences":[{"apiVersion":"apps/v1","kind":"ReplicaSet","name":"r","uid":"r1","controller":true}]}})";
    std::map<std::string, int> count;
    for (int i = 0; i < 6; ++i) ++count[b.place(pod("p" + std::to_string(i), "100m", owner)).node];
    for (auto n : {"a", "b", "c"}) QCOMPARE(count[n], 2);
  }

  void podsWaitForANodeThatComesLater() {
    Bench b;
    b.cluster.setPod(podInfo(pod("early", "3")), "a");
    b.cluster.setNode(node("a"));
    QCOMPARE(str(b.place(pod("p", "2"))), std::string("0/1 nodes are available: 1 Insufficient cpu."));
    b.cluster.removeNode("a");
    b.cluster.setNode(node("a"));
    QVERIFY(b.place(pod("p", "2")).slot < 0);
    b.cluster.removePod("p-early");
    QVERIFY(b.place(pod("p", "2")).slot >= 0);
  }

  void explainNamesTheBestFiveAndTheRefusals() {
    Bench b;
    for (int i = 0; i < 7; ++i) b.cluster.setNode(node("n" + std::to_string(i)));
    b.cluster.setNode(node("full", R"({"status":{"allocatable":{"cpu":"100m"}}})"));
    Verdict v = b.chooser.explain(*podInfo(pod("p", "1")), b.cluster);
    QCOMPARE(v.best.size(), size_t(5));
    QVERIFY(v.best[0].total >= v.best[4].total);
    QVERIFY(!v.best[0].plugins.empty());
    QCOMPARE(v.reasons.at("Insufficient cpu"), 1);
    QCOMPARE(v.feasible, 7);
  }

  void theMatrixHasEveryNodeAndRule() {
    Bench b;
    b.cluster.setNode(node("big"));
    b.cluster.setNode(node("small", R"({"status":{"allocatable":{"cpu":"100m"}}})"));
    b.cluster.setNode(node("shut", R"({"spec":{"unschedulable":true,"taints":[{"key":"gpu","value":"yes","effect":"NoSchedule"}]}})"));
    Matrix m = b.chooser.matrix(*podInfo(pod("p", "1")), b.cluster, 10);
    QCOMPARE(m.nodes, 3);
    QCOMPARE(m.feasible, 1);
    QCOMPARE(m.rows.size(), size_t(3));
    QCOMPARE(m.rows[0].node, std::string("big"));
    QVERIFY(m.rows[0].refusals.empty() && m.rows[0].scores.size() == m.scores.size() && m.rows[0].total > 0);
    double sum = 0;
    for (auto& [plugin, score] : m.rows[0].scores) sum += score;
    QCOMPARE(sum, m.rows[0].total);
    for (auto& row : m.rows)
      if (row.node == "shut") QCOMPARE(row.refusals.size(), size_t(2));
    QVERIFY(m.remedy.text.empty());  // it fits somewhere
    QCOMPARE(b.chooser.matrix(*podInfo(pod("p", "1")), b.cluster, 2).rows.size(), size_t(2));
    // The same answer as the decision itself.
    QCOMPARE(b.chooser.explain(*podInfo(pod("p", "1")), b.cluster).best[0].total, m.rows[0].total);
  }

  void aPendingPodLearnsTheSmallestChange_data() {
    QTest::addColumn<QByteArray>("nodes");  // "NAME EXTRA" a line
    QTest::addColumn<QByteArray>("extra");
    QTest::addColumn<QString>("remedy");
    QTest::newRow("cpu") << QByteArray("a {\"status\":{\"allocatable\":{\"cpu\":\"700m\"}}}\nb {\"status\":{\"allocatable\":{\"cpu\":\"300m\"}}}")
                         << QByteArray() << "ask for at most 700m of cpu (a has no more)";
    QTest::newRow("cordoned before short") << QByteArray("a {\"status\":{\"allocatable\":{\"cpu\":\"700m\"}}}\nb {\"spec\":{\"unschedulable\":true}}")
                                           << QByteArray() << "uncordon b";
    QTest::newRow("taint") << QByteArray("a {\"spec\":{\"taints\":[{\"key\":\"gpu\",\"value\":\"yes\",\"effect\":\"NoSchedule\"}]}}")
                           << QByteArray() << "let the pod tolerate gpu=yes:NoSchedule, or take that taint from a";
    QTest::newRow("label") << QByteArray("a {}") << QByteArray("{\"spec\":{\"nodeSelector\":{\"disk\":\"ssd\"}}}") << "label a with disk=ssd";
    QTest::newRow("two at once") << QByteArray("a {\"spec\":{\"unschedulable\":true}}") << QByteArray("{\"spec\":{\"nodeSelector\":{\"disk\":\"ssd\"}}}")
                                 << "uncordon a; label a with disk=ssd";
  }
  void aPendingPodLearnsTheSmallestChange() {
    QFETCH(QByteArray, nodes);
    QFETCH(QByteArray, extra);
    QFETCH(QString, remedy);
    Bench b;
    for (auto& line : nodes.split('\n')) b.cluster.setNode(node(line.left(1).toStdString(), line.mid(2).toStdString()));
    Matrix m = b.chooser.matrix(*podInfo(pod("p", "1", extra.toStdString())), b.cluster, 10);
    QCOMPARE(m.feasible, 0);
    QCOMPARE(QString::fromStdString(m.remedy.text), remedy);
  }

  void aPendingPodLearnsWhatToFree() {
    Bench b;
    b.cluster.setNode(node("a"));
    b.place(pod("big", "3500m"));
    QCOMPARE(b.chooser.matrix(*podInfo(pod("p", "1")), b.cluster, 10).remedy.text, std::string("free 500m of cpu on a, or ask for at most 500m"));
  }

  // Random placing and removing: the cached path, the full path and a plain count agree on what fits.
  void cachedAndFullAnswersAgree() {
    auto random = seededRandom(42);
    Bench b;
    for (int i = 0; i < 20; ++i) b.cluster.setNode(node("n" + std::to_string(i)));
    std::vector<std::string> placed;
    for (int round = 0; round < 400; ++round) {
      std::string name = "r" + std::to_string(round);
      std::string cpu = std::to_string(200 * (1 + random->below(6))) + "m";
      std::string owner = fmt::format(R"({{"metadata":{{"ownerReferences":[{{"apiVersion":"apps/v1","kind":"ReplicaSet","name":"r","uid":"o{}","controller":true}}]}}}})", cpu);
      auto object = pod(name, cpu, owner);
      Verdict fresh = Chooser(defaultProfile(), *random).explain(*podInfo(object), b.cluster);
      Verdict v = b.place(object);
      QCOMPARE(v.feasible, fresh.feasible);
      if (v.slot >= 0) placed.push_back("p-" + name);
      if (!placed.empty() && random->below(3) == 0) {
        size_t at = random->below(placed.size());
        b.cluster.removePod(placed[at]);
        placed.erase(placed.begin() + long(at));
      }
      for (auto& slot : b.cluster.nodes())
        QVERIFY(slot->requested.milliCpu <= slot->allocatable.milliCpu && slot->requested.milliCpu >= 0);
    }
  }
};

QTEST_GUILESS_MAIN(PluginsTest)
#include "plugins_test.moc"
