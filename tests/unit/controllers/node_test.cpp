// Node lifecycle, eviction, addresses for nodes, and the pods that are nobody's.
#include <QtTest>

#include "engine/controllers/events/events.h"
#include "engine/controllers/node/eviction.h"
#include "engine/controllers/node/ipam.h"
#include "engine/controllers/node/lifecycle.h"
#include "engine/controllers/podgc/podgc.h"
#include "tests/unit/controllers/cluster.h"

using namespace ph;
using namespace ph::test;

class NodeTest : public QObject {
  Q_OBJECT
  std::unique_ptr<Cluster> c_;
  int renewals_ = 0;

  client::ObjectPtr node(const std::string& name, const std::string& ready = "True", const std::string& spec = "{}") {
    return c_->put("apiVersion: v1\nkind: Node\nmetadata: {name: " + name + "}\nspec: " + spec +
            "\nstatus: {conditions: [{type: Ready, status: '" + ready +
            "', reason: X, lastTransitionTime: '2026-01-01T00:00:00Z'}]}");
  }
  void renew(const std::string& name) {
    c_->put(
        fmt::format("apiVersion: coordination.k8s.io/v1\nkind: Lease\nmetadata: {{name: {}, namespace: "
                    "kube-node-lease}}\n"
                    "spec: {{renewTime: '2026-01-01T00:00:00.{:06}Z'}}",
                    name, ++renewals_));
  }
  void machine(const std::string& name, const std::string& nodeName, bool connected) {
    c_->put(
        fmt::format("apiVersion: fleet.pilothouse.io/v1\nkind: Machine\nmetadata: {{name: {}}}\nspec: "
                    "{{address: a}}\nstatus: {{nodeName: {}, "
                    "conditions: [{{type: Connected, status: '{}', reason: X, message: m, "
                    "lastTransitionTime: '2026-01-01T00:00:00Z'}}]}}",
                    name, nodeName, connected ? "True" : "False"));
  }
  void pass(Duration d) {
    c_->now.mono += d;
    c_->now.wall += std::chrono::duration_cast<WallTime::duration>(d);
  }
  Plan look(const std::string& name) {
    return controllers::reconcileNode(c_->snapshot, key(name), c_->now, {});
  }
  bool evicts(const Plan& p, const std::string& name) {
    Json b = body(p, "patch nodes/" + name);
    return !b.is_null() && api::toText(b).find("NoExecute") != std::string::npos;
  }
  // What the API would hold after the plan's writes to this node.
  void become(const std::string& name, const std::string& ready, const std::string& taints = "[]") {
    node(name, ready, "{taints: " + taints + "}");
  }
  static constexpr auto kLost =
      "[{key: node.kubernetes.io/unreachable, effect: NoSchedule}, {key: node.kubernetes.io/unreachable, "
      "effect: NoExecute}]";

  // Nodes n1..nN that have renewed for a while; then `silent` of them stop for 11 s.
  void cluster(int all, int silent) {
    for (int i = 1; i <= all; ++i) node("n" + std::to_string(i));
    for (int t = 0; t < 5; ++t) {
      for (int i = 1; i <= all; ++i) renew("n" + std::to_string(i));
      pass(2500ms);
    }
    for (int t = 0; t < 5; ++t) {
      for (int i = silent + 1; i <= all; ++i) renew("n" + std::to_string(i));
      pass(2200ms);
    }
    for (int i = 1; i <= silent; ++i) become("n" + std::to_string(i), "Unknown");
  }

 private slots:
  void init() {
    c_ = std::make_unique<Cluster>();
    c_->snapshot.setSteadySince(c_->now.mono - 1h);
  }

  void aSilentNodeIsLostAfterItsGrace() {
    node("n1");
    node("n2");
    renew("n1");
    Plan p = look("n1");
    QVERIFY(p.empty());
    QCOMPARE(*p.again, Duration(10s));
    pass(9900ms);
    renew("n2");
    QVERIFY(look("n1").empty());
    pass(100ms);
    p = look("n1");
    QCOMPARE(steps(p), std::vector<std::string>{"patch nodes/n1/status"});
    QCOMPARE(text(body(p, "patch"), "status.conditions.0.status"), std::string("Unknown"));
    QCOMPARE(text(body(p, "patch"), "status.conditions.0.reason"), std::string("NodeStatusUnknown"));
    become("n1", "Unknown");
    c_->pod("p", {.node = "n1"});
    p = look("n1");
    QVERIFY(evicts(p, "n1"));
    QCOMPARE(text(body(p, "patch pods/p/status"), "status.conditions.0.status"), std::string("False"));
    QVERIFY(look("n2").empty());
  }

  void aRenewedLeaseStartsTheGraceAnew() {
    node("n1");
    renew("n1");
    pass(9s);
    renew("n1");
    pass(9s);
    QVERIFY(look("n1").empty());
    // The same renewTime again (a relist) is no renewal.
    c_->put(
        fmt::format("apiVersion: coordination.k8s.io/v1\nkind: Lease\nmetadata: {{name: n1, namespace: "
                    "kube-node-lease}}\nspec: "
                    "{{renewTime: '2026-01-01T00:00:00.{:06}Z'}}",
                    renewals_));
    pass(1s);
    QVERIFY(!look("n1").empty());
  }

  void nobodyIsJudgedBeforeAWholeGraceAfterAJump() {
    node("n1");
    renew("n1");
    pass(8h);
    c_->snapshot.setSteadySince(c_->now.mono);
    Plan p = look("n1");
    QVERIFY(p.empty());
    QCOMPARE(*p.again, Duration(10s));
    pass(10s);
    QVERIFY(!look("n1").empty());
  }

  void aDroppedConnectionJudgesSooner() {
    node("n1");
    node("n2");
    renew("n1");
    machine("m", "n1", false);
    QCOMPARE(*look("n1").again, Duration(3s));
    pass(2s);
    renew("n1");  // it answers by another way
    pass(2900ms);
    QVERIFY(look("n1").empty());
    pass(100ms);
    QVERIFY(!look("n1").empty());
    machine("m", "n1", true);
    QVERIFY(look("n1").empty());
  }

  void disruption_data() {
    QTest::addColumn<int>("all");
    QTest::addColumn<int>("silent");
    QTest::addColumn<bool>("evicts");
    QTest::newRow("the only one") << 1 << 1 << false;
    QTest::newRow("1 of 2") << 2 << 1 << true;
    QTest::newRow("2 of 2") << 2 << 2 << false;
    QTest::newRow("1 of 3") << 3 << 1 << true;
    QTest::newRow("2 of 3") << 3 << 2 << true;
    QTest::newRow("3 of 3") << 3 << 3 << false;
    QTest::newRow("3 of 4") << 4 << 3 << false;
    QTest::newRow("5 of 10") << 10 << 5 << true;
    QTest::newRow("6 of 10") << 10 << 6 << false;
    QTest::newRow("10 of 10") << 10 << 10 << false;
  }
  void disruption() {
    QFETCH(int, all);
    QFETCH(int, silent);
    QFETCH(bool, evicts);
    cluster(all, silent);
    Plan p = look("n1");
    QCOMPARE(this->evicts(p, "n1"), evicts);
    // New pods stay away in any case.
    QVERIFY(api::toText(body(p, "patch nodes/n1")).find("NoSchedule") != std::string::npos);
    if (!evicts) QVERIFY(p.again.has_value());
  }

  void nodesDeadForLongDoNotCountAsDisruption() {
    cluster(10, 5);
    for (int i = 0; i < 60; ++i) {
      for (int n = 6; n <= 10; ++n) renew("n" + std::to_string(n));
      pass(2s);
    }
    for (int i = 0; i < 5; ++i) {  // n6 goes too: 6 of 10 are silent, but 5 of them since long
      for (int n = 7; n <= 10; ++n) renew("n" + std::to_string(n));
      pass(2200ms);
    }
    become("n6", "Unknown");
    QVERIFY(evicts(look("n6"), "n6"));
  }

  void taintsFollowConditions() {
    node("n1", "False");
    renew("n1");
    std::string t = api::toText(body(look("n1"), "patch nodes/n1"));
    QVERIFY(t.find("not-ready") != std::string::npos && t.find("NoExecute") != std::string::npos);
    node("n1", "True",
         std::string("{unschedulable: true, taints: [{key: mine, effect: NoSchedule}, ") + (kLost + 1) + "}");
    t = api::toText(body(look("n1"), "patch nodes/n1"));
    QVERIFY(t.find("mine") != std::string::npos);
    QVERIFY(t.find("unreachable") == std::string::npos);
    QVERIFY(t.find("node.kubernetes.io/unschedulable") != std::string::npos);
  }

  // ---- eviction ----

  void evictsThoseThatDoNotTolerate() {
    node("n1", "Unknown",
         "{taints: [{key: node.kubernetes.io/unreachable, effect: NoExecute, timeAdded: "
         "'2026-01-02T11:59:50Z'}]}");
    auto pod = [&](const std::string& name, const std::string& tolerations, bool deleting = false) {
      auto o = c_->pod(name, {.deleting = deleting});
      Json t = o->tree();
      t.at("spec").as_object()["tolerations"] = *api::parseYaml(tolerations);
      c_->putTree(t);
    };
    pod("none", "[]");
    pod("ever", "[{key: node.kubernetes.io/unreachable, operator: Exists, effect: NoExecute}]");
    pod("all", "[{operator: Exists}]");
    pod("past",
        "[{key: node.kubernetes.io/unreachable, operator: Exists, effect: NoExecute, tolerationSeconds: "
        "10}]");
    pod("later",
        "[{key: node.kubernetes.io/unreachable, operator: Exists, effect: NoExecute, tolerationSeconds: "
        "17}]");
    pod("shortest",
        "[{operator: Exists}, {key: node.kubernetes.io/unreachable, operator: Exists, tolerationSeconds: "
        "5}]");
    pod("other", "[{key: other, operator: Exists}]");
    pod("dying", "[]", true);
    Plan p = controllers::evictFromNode(c_->snapshot, key("n1"), c_->now, 10s);
    QCOMPARE(steps(p), (std::vector<std::string>{"delete pods/none", "delete pods/other", "delete pods/past",
                                                 "delete pods/shortest"}));
    QCOMPARE(*p.again, Duration(7s));
    c_->snapshot.setSteadySince(c_->now.mono - 4s);
    p = controllers::evictFromNode(c_->snapshot, key("n1"), c_->now, 10s);
    QVERIFY(p.empty());
    QCOMPARE(*p.again, Duration(6s));
  }

  // ---- addresses ----

  void eachNodeGetsItsOwnNetwork() {
    auto pool = controllers::CidrPool::parse("10.244.0.0/16", 24);
    QVERIFY(pool.ok());
    QCOMPARE(pool->at(255), std::string("10.244.255.0/24"));
    QCOMPARE(*pool->indexOf("10.244.3.0/24"), 3u);
    QVERIFY(!pool->indexOf("10.245.0.0/24") && !pool->indexOf("10.244.3.0/25") &&
            !pool->indexOf("10.243.255.0/24"));
    node("a");
    node("b", "True", "{podCIDR: 10.244.0.0/24, podCIDRs: [10.244.0.0/24]}");
    node("c");
    node("d", "True", "{podCIDR: 10.244.2.0/24, podCIDRs: [10.244.2.0/24]}");
    Plan p = controllers::assignCidrs(c_->snapshot, *pool);
    QCOMPARE(text(body(p, "patch nodes/a"), "spec.podCIDR"), std::string("10.244.1.0/24"));
    QCOMPARE(text(body(p, "patch nodes/c"), "spec.podCIDRs"), std::string("[\"10.244.3.0/24\"]"));
    QCOMPARE(p.steps.size(), size_t(2));
    auto tiny = controllers::CidrPool::parse("10.244.0.0/24", 24);
    p = controllers::assignCidrs(c_->snapshot, *tiny);
    QVERIFY(p.empty());
    QCOMPARE(p.notes.size(), size_t(2));
    // Asked again when one comes or goes, not at each heartbeat.
    auto asked = [&](client::ObjectPtr old, client::ObjectPtr now) {
      controllers::Keys keys;
      for (auto& w : controllers::ipamController(c_->snapshot.kinds(), *tiny).watches)
        w.keys(c_->snapshot, {std::move(old), std::move(now)}, keys);
      return keys.size();
    };
    auto bare = node("a"), served = node("b", "True", "{podCIDR: 10.244.0.0/24}");
    QCOMPARE(asked(nullptr, bare), size_t(1));
    QCOMPARE(asked(served, bare), size_t(1));
    QCOMPARE(asked(served, nullptr), size_t(1));
    QCOMPARE(asked(bare, bare), size_t(0));
    QCOMPARE(asked(bare, served), size_t(0));
    QVERIFY(!controllers::CidrPool::parse("10.244.0.0", 24).ok());
    QVERIFY(!controllers::CidrPool::parse("10.244.0.0/28", 24).ok());
    QVERIFY(!controllers::CidrPool::parse("fd00::/64", 24).ok());
  }

  // ---- nobody's pods ----

  void podsOfAGoneNodeGoToo() {
    node("n1");
    c_->pod("here", {});
    c_->pod("lost", {.node = "gone"});
    auto go = [&](const std::string& name) {
      return controllers::collectPod(c_->snapshot, key("default/" + name), c_->now);
    };
    QVERIFY(go("here").empty());
    Plan p = go("lost");
    QCOMPARE(steps(p), std::vector<std::string>{"delete pods/lost"});
    QCOMPARE(*p.steps[0].write.gracePeriodSeconds, int64_t(0));
    QCOMPARE(p.absences.size(), size_t(1));
    c_->pod("new", {.node = "gone", .created = "2026-01-02T11:59:59Z"});
    p = go("new");
    QVERIFY(p.empty() && p.again);
  }

  void endedPodsBeyondTheLimitGoOldestFirst() {
    for (int i = 0; i < 5; ++i)
      c_->pod("p" + std::to_string(i),
              {.phase = "Succeeded", .created = fmt::format("2026-01-01T0{}:00:00Z", 9 - i)});
    c_->pod("running", {.created = "2025-01-01T00:00:00Z"});
    Plan p = controllers::collectEnded(c_->snapshot, 3);
    QCOMPARE(steps(p), (std::vector<std::string>{"delete pods/p4", "delete pods/p3"}));
  }

  void eventsAreForgottenAfterAnHour() {
    auto event = [&](const std::string& name, const std::string& created, const std::string& last) {
      c_->put("apiVersion: v1\nkind: Event\nmetadata: {name: " + name + ", creationTimestamp: '" + created +
              "'}\ninvolvedObject: {kind: Pod, name: p}\nlastTimestamp: '" + last + "'");
    };
    event("old", "2026-01-02T10:00:00Z", "2026-01-02T10:30:00Z");
    event("repeated", "2026-01-02T10:00:00Z", "2026-01-02T11:30:00Z");
    event("new", "2026-01-02T11:50:00Z", "2026-01-02T11:50:00Z");
    Plan p = controllers::sweepEvents(c_->snapshot, c_->now, 1h);
    QCOMPARE(steps(p), std::vector<std::string>{"delete events/old"});
    QVERIFY(p.again.has_value());
  }
};

QTEST_GUILESS_MAIN(NodeTest)
#include "node_test.moc"
