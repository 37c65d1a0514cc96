// The whole scheduler against an API server in memory, on a virtual clock: what it writes, when it tries
// again, and that no node is ever filled beyond its capacity, whatever goes wrong on the way.
#include "engine/scheduler/scheduler.h"

#include <fmt/format.h>

#include <QTest>

#include "engine/base/log.h"
#include "tests/support/fake_client.h"

using namespace ph;
using namespace ph::scheduler;
using namespace std::chrono_literals;
using test::FakeClient;

namespace {

std::string nodeYaml(const std::string& name, const std::string& cpu, const std::string& spec = "{}") {
  return fmt::format(
      "{{apiVersion: v1, kind: Node, metadata: {{name: {0}, labels: {{kubernetes.io/hostname: {0}}}}}, spec: "
      "{2}, "
      "status: {{allocatable: {{cpu: '{1}', memory: 8Gi, pods: '110'}}}}}}",
      name, cpu, spec);
}
std::string podYaml(const std::string& name, const std::string& cpu, const std::string& more = {}) {
  return fmt::format(
      "{{apiVersion: v1, kind: Pod, metadata: {{name: {}}}, spec: {{containers: [{{name: c, image: 'web:1', "
      "resources: "
      "{{requests: {{cpu: '{}'}}}}}}]{}}}}}",
      name, cpu, more);
}

struct World {
  std::shared_ptr<SimExecutor> sim;
  FakeClient client;
  std::unique_ptr<Scheduler> scheduler;
  const api::ResourceInfo *pods, *nodes, *events;
  std::map<std::string, std::string> places;  // pod uid -> node, as first seen bound
  std::set<std::string> ending;               // uids of pods that the agent ends
  std::string broken;                         // the first invariant that did not hold

  explicit World(uint64_t seed = 1)
      : sim(SimExecutor::make(seed)),
        client(sim),
        pods(client.kind("", "pods")),
        nodes(client.kind("", "nodes")),
        events(client.kind("", "events")) {}
  ~World() {
    scheduler.reset();
    sim->runFor(10min);  // what is under way still uses the client
  }
  void start(Options options = {}) {
    scheduler = Scheduler::make(client, sim, std::move(options));
    scheduler->start();
  }
  void addNode(const std::string& name, const std::string& cpu, const std::string& spec = "{}") {
    client.put(*api::parseYaml(nodeYaml(name, cpu, spec)));
  }
  void addPod(const std::string& name, const std::string& cpu, const std::string& more = {}) {
    client.create(podYaml(name, cpu, more));
  }
  // A pod of 4 cores that is asked to go, and does not: something still holds it.
  void addSlow() {
    client.create("{apiVersion: v1, kind: Pod, metadata: {name: slow, finalizers: [x.y/z]}, spec: {priority: 1, containers: [{name: c, image: 'web:1', resources: {requests: {cpu: '4'}}}]}}");
  }
  std::string placeOf(const std::string& name) const {
    auto pod = client.find(pods, "default/" + name);
    return pod ? pod->as<api::core::Pod>().spec.nodeName : "gone";
  }
  int bound() const {
    int n = 0;
    for (auto& [key, pod] : client.all(pods)) n += !pod->as<api::core::Pod>().spec.nodeName.empty();
    return n;
  }
  // "REASON: MESSAGE" of the pod's events, in name order.
  std::vector<std::string> eventsOf(const std::string& name) const {
    std::vector<std::string> texts;
    for (auto& [key, object] : client.all(events)) {
      auto& e = object->as<api::core::Event>();
      if (e.involvedObject.name == name) texts.push_back(e.reason + ": " + e.message);
    }
    return texts;
  }
  const api::core::PodCondition* scheduled(const std::string& name) const {
    static api::ObjectPtr pod;
    pod = client.find(pods, "default/" + name);
    for (auto& c : pod->as<api::core::Pod>().status.conditions)
      if (c.type == "PodScheduled") return &c;
    return nullptr;
  }
  // No node over its capacity, no pod bound twice.
  void check() {
    if (!broken.empty()) return;
    std::map<std::string, int64_t> used;
    for (auto& [key, object] : client.all(pods)) {
      auto& pod = object->as<api::core::Pod>();
      if (pod.spec.nodeName.empty()) continue;
      used[pod.spec.nodeName] += podRequest(pod.spec).milliCpu;
      auto [place, isNew] = places.emplace(object->uid(), pod.spec.nodeName);
      if (place->second != pod.spec.nodeName) broken = key + " moved";
    }
    for (auto& [name, milli] : used) {
      auto node = client.find(nodes, name);
      if (!node) continue;
      int64_t room = node->as<api::core::Node>().status.allocatable.at("cpu").milli();
      if (milli > room) broken = fmt::format("{} has {} of {}", name, milli, room);
    }
  }
  // As an agent does: what was asked to go is gone after a while.
  void endDeleted() {
    for (auto& [key, pod] : client.all(pods))
      if (pod->meta().deleting && ending.insert(pod->uid()).second)
        sim->after(2s, [this, key = key] { client.remove(pods, key); }).detach();
  }
  bool runUntil(const std::function<bool()>& done, Duration limit) {
    MonoTime end = sim->monoNow() + limit;
    while (!done() && sim->monoNow() < end) {
      int64_t before = client.revision();
      if (!sim->step()) break;
      if (client.revision() == before) continue;
      check();
      endDeleted();
    }
    return done();
  }
};

}  // namespace

class SchedulerTest : public QObject {
  Q_OBJECT
 private slots:
  void initTestCase() { log::setLevel(log::Level::Error); }

  void bindsAndSaysSo() {
    World w;
    w.addNode("n1", "2");
    w.addPod("early", "500m");
    w.start();
    w.sim->runFor(100ms);
    QCOMPARE(w.placeOf("early"), std::string("n1"));
    w.addPod("late", "500m");
    w.sim->runFor(100ms);
    QCOMPARE(w.placeOf("late"), std::string("n1"));
    w.sim->runFor(2s);
    QCOMPARE(w.eventsOf("late"),
             std::vector<std::string>{"Scheduled: Successfully assigned default/late to n1"});
    QCOMPARE(QString::fromStdString(w.scheduled("late")->status), QString("True"));
  }

  void saysWhyNot() {
    World w;
    w.addNode("small", "1");
    w.addNode("cordoned", "8", "{unschedulable: true}");
    w.addNode("tainted", "8", "{taints: [{key: gpu, value: 'yes', effect: NoSchedule}]}");
    w.start();
    w.addPod("big", "4");
    w.sim->runFor(5s);
    std::string why =
        "0/3 nodes are available: 1 Insufficient cpu, 1 node(s) had untolerated taint {gpu: yes}, 1 node(s) "
        "were unschedulable.";
    QCOMPARE(w.eventsOf("big"), std::vector<std::string>{"FailedScheduling: " + why});
    auto* condition = w.scheduled("big");
    QVERIFY(condition);
    QCOMPARE(condition->status, std::string("False"));
    QCOMPARE(condition->reason, std::string("Unschedulable"));
    QCOMPARE(condition->message, why);
    // Its own condition coming back is no reason to try again.
    size_t writes = w.client.writes().size();
    w.sim->runFor(60s);
    QCOMPARE(w.client.writes().size(), writes);
    // The cordon goes: it is tried at once.
    w.client.edit(w.nodes, "cordoned",
                  [](api::Json& node) { node.at("spec").as_object().erase("unschedulable"); });
    w.sim->runFor(100ms);
    QCOMPARE(w.placeOf("big"), std::string("cordoned"));
  }

  void waitsForRoom() {
    World w;
    w.start();
    w.addPod("a", "1");
    w.sim->runFor(3s);
    QCOMPARE(w.eventsOf("a"),
             std::vector<std::string>{"FailedScheduling: no nodes available to schedule pods"});
    w.addNode("n1", "1");
    w.sim->runFor(20s);
    QCOMPARE(w.placeOf("a"), std::string("n1"));
    w.addPod("b", "1");
    w.sim->runFor(20s);
    QCOMPARE(w.placeOf("b"), std::string());
    w.client.remove(w.pods, "default/a");
    w.sim->runFor(100ms);
    QCOMPARE(w.placeOf("b"), std::string("n1"));
    // A finished pod holds nothing.
    w.addPod("c", "1");
    w.sim->runFor(20s);
    w.client.edit(w.pods, "default/b",
                  [](api::Json& pod) { pod.at("status").as_object()["phase"] = "Succeeded"; });
    w.sim->runFor(100ms);
    QCOMPARE(w.placeOf("c"), std::string("n1"));
  }

  void leavesOthersPodsAlone() {
    World w;
    w.addNode("n1", "4");
    w.start();
    w.addPod("other", "100m", ", schedulerName: someone-else");
    w.addPod("gated", "100m", ", schedulingGates: [{name: wait}]");
    w.addPod("mine", "100m", ", schedulerName: default-scheduler");
    w.sim->runFor(5s);
    QCOMPARE(w.placeOf("other"), std::string());
    QCOMPARE(w.placeOf("gated"), std::string());
    QCOMPARE(w.placeOf("mine"), std::string("n1"));
    w.client.edit(w.pods, "default/gated",
                  [](api::Json& pod) { pod.at("spec").as_object().erase("schedulingGates"); });
    w.sim->runFor(1s);
    QCOMPARE(w.placeOf("gated"), std::string("n1"));
  }

  void priorityGoesFirst() {
    World w;
    w.addNode("n1", "1");
    w.addPod("low", "1");
    w.addPod("high", "1", ", priority: 100");
    w.start();
    w.sim->runFor(1s);
    QCOMPARE(w.placeOf("high"), std::string("n1"));
    QCOMPARE(w.placeOf("low"), std::string());
  }

  // A scheduler that starts in the middle counts what is already there.
  // What is more important gets its room from what is less, and keeps it until that has gone.
  void preempts() {
    World w;
    w.addNode("n1", "4");
    w.addNode("n2", "4");
    w.addPod("a", "3", ", priority: 10");
    w.addPod("b", "3", ", priority: 5");
    w.addPod("c", "1", ", priority: 1");
    w.start();
    w.sim->runFor(1s);
    QCOMPARE(w.bound(), 3);
    w.addPod("urgent", "3", ", priority: 100");
    w.addPod("waiting", "1", ", priority: 2");  // there is no room for it that is not urgent's
    const std::string home = w.placeOf("b");
    QVERIFY(w.runUntil([&] { return w.placeOf("urgent") == home; }, 60s));
    // b is less important than a. c stays where there is room for both.
    QCOMPARE(w.placeOf("b"), std::string("gone"));
    QVERIFY(w.placeOf("a") != home && w.placeOf("a") != "gone");
    QVERIFY(w.placeOf("c") != "gone");
    auto said = w.eventsOf("b");
    QVERIFY(std::count(said.begin(), said.end(), "Preempted: Preempted by default/urgent on node " + home) == 1);
    QCOMPARE(w.broken, std::string());
  }

  void preemptsOnlyWhenItMayAndItHelps() {
    World w;
    w.addNode("n1", "4");
    w.addNode("gpu", "4", "{taints: [{key: gpu, value: 'yes', effect: NoSchedule}]}");
    w.addPod("a", "3", ", priority: 10");
    w.start();
    w.sim->runFor(1s);
    w.addPod("polite", "3", ", priority: 100, preemptionPolicy: Never");
    w.addPod("equal", "3", ", priority: 10");
    w.addPod("huge", "5", ", priority: 1000");
    w.sim->runFor(60s);
    QCOMPARE(w.placeOf("a"), std::string("n1"));
    QCOMPARE(w.bound(), 1);
    for (auto& l : w.client.writes()) QVERIFY(l.write.verb != client::Verb::Delete);
  }

  // The victim takes its time: its room is the nominated pod's meanwhile, also after the engine started anew.
  void aNominatedPodKeepsItsRoom() {
    World w;
    w.addNode("n1", "4");
    w.addSlow();
    w.start();
    w.sim->runFor(1s);
    w.addPod("urgent", "3", ", priority: 100");
    w.sim->runFor(2s);
    auto nominated = [&] { return w.client.find(w.pods, "default/urgent")->as<api::core::Pod>().status.nominatedNodeName; };
    QCOMPARE(nominated(), std::string("n1"));
    auto slow = w.client.find(w.pods, "default/slow");
    QVERIFY(slow && slow->meta().deleting);
    auto& conditions = slow->as<api::core::Pod>().status.conditions;
    QVERIFY(std::any_of(conditions.begin(), conditions.end(), [](auto& c) { return c.type == "DisruptionTarget" && c.reason == "PreemptionByScheduler"; }));
    w.scheduler.reset();
    w.start();
    w.addPod("sneaky", "2", ", priority: 50");
    w.sim->runFor(5s);
    size_t deletes = 0;
    for (auto& l : w.client.writes()) deletes += l.write.verb == client::Verb::Delete;
    QCOMPARE(deletes, size_t(1));  // asked once
    w.client.remove(w.pods, "default/slow");
    QVERIFY(w.runUntil([&] { return w.placeOf("urgent") == "n1"; }, 30s));
    w.sim->runFor(30s);
    QCOMPARE(w.placeOf("sneaky"), std::string());
    QCOMPARE(w.broken, std::string());
  }

  void theMostImportantTakesNominatedRoomToo() {
    World w;
    w.addNode("n1", "4");
    w.addSlow();
    w.start();
    w.sim->runFor(1s);
    w.addPod("urgent", "3", ", priority: 100");
    w.sim->runFor(2s);
    w.addPod("king", "3", ", priority: 1000");
    w.sim->runFor(2s);
    w.client.remove(w.pods, "default/slow");
    QVERIFY(w.runUntil([&] { return w.placeOf("king") == "n1"; }, 30s));
    w.sim->runFor(30s);
    QCOMPARE(w.placeOf("urgent"), std::string());
    QCOMPARE(w.client.find(w.pods, "default/urgent")->as<api::core::Pod>().status.nominatedNodeName, std::string());
  }

  void budgetsAreKeptWhereThatIsPossible() {
    World w;
    w.addNode("n1", "4");
    w.addNode("n2", "4");
    w.client.create("{apiVersion: v1, kind: Pod, metadata: {name: guarded, labels: {app: db}}, spec: {priority: 1, nodeName: n1, containers: [{name: c, image: 'web:1', resources: {requests: {cpu: '4'}}}]}}");
    w.client.create("{apiVersion: v1, kind: Pod, metadata: {name: free}, spec: {priority: 5, nodeName: n2, containers: [{name: c, image: 'web:1', resources: {requests: {cpu: '4'}}}]}}");
    w.client.put(*api::parseYaml("{apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: db, namespace: default}, spec: {minAvailable: 1, selector: {matchLabels: {app: db}}}, status: {disruptionsAllowed: 0}}"));
    w.start();
    w.sim->runFor(1s);
    w.addPod("urgent", "4", ", priority: 100");
    QVERIFY(w.runUntil([&] { return w.placeOf("urgent") == "n2"; }, 60s));
    QCOMPARE(w.placeOf("guarded"), std::string("n1"));
    w.addPod("second", "4", ", priority: 100");
    QVERIFY(w.runUntil([&] { return w.placeOf("second") == "n1"; }, 60s));  // best effort: broken when nothing else helps
  }

  void startsInTheMiddle() {
    World w;
    w.addNode("n1", "4");
    w.addNode("n2", "4");
    for (int i = 0; i < 6; ++i) w.addPod("old" + std::to_string(i), "1");
    w.start();
    w.sim->runFor(5s);
    QCOMPARE(w.bound(), 6);
    w.scheduler.reset();
    for (int i = 0; i < 6; ++i) w.addPod("new" + std::to_string(i), "1");
    w.sim->runFor(5s);
    QCOMPARE(w.bound(), 6);
    w.start();
    w.sim->runFor(5s);
    w.check();
    QCOMPARE(w.broken, std::string());
    QCOMPARE(w.bound(), 8);
  }

  void whatIfChangesNothing() {
    World w;
    w.addNode("n1", "2");
    w.addNode("n2", "2");
    w.start();
    w.sim->runFor(1s);
    auto copies = [&](int n) {
      std::vector<std::string> places;
      auto tree = *api::parseYaml(podYaml("ghost", "1"));
      tree.at("metadata").as_object()["namespace"] = "default";
      w.scheduler->whatIf(api::Object::make(w.pods, tree, 0), n,
                          [&](std::vector<std::string> p) { places = std::move(p); });
      w.sim->runFor(100ms);
      return places;
    };
    auto places = copies(5);
    QCOMPARE(places.size(), size_t(5));
    QCOMPARE(std::count(places.begin(), places.end(), "n1"), 2);
    QCOMPARE(std::count(places.begin(), places.end(), "n2"), 2);
    QCOMPARE(places.back(), std::string());
    QCOMPARE(copies(4).back().empty(), false);  // the ghosts are gone again
  }

  void withoutANodeItsPodsGoElsewhere() {
    World w;
    w.addNode("n1", "4");
    w.start();
    for (int i = 0; i < 4; ++i) w.addPod("p" + std::to_string(i), "1");
    w.sim->runFor(1s);
    QCOMPARE(w.bound(), 4);
    w.addNode("n2", "3");
    w.sim->runFor(1s);
    auto moves = [&](const std::string& node) {
      std::vector<Move> out;
      w.scheduler->without(node, [&](Result<std::vector<Move>> r) { out = *r; });
      w.sim->runFor(10ms);
      return out;
    };
    for (int asked = 0; asked < 2; ++asked) {  // the second time nothing has changed
      auto first = moves("n1");
      QCOMPARE(first.size(), size_t(4));
      QCOMPARE(first[0].pod, std::string("default/p0"));
      for (int i = 0; i < 3; ++i) QCOMPARE(first[size_t(i)].node, std::string("n2"));
      QCOMPARE(first[3].node, std::string());
      QVERIFY2(first[3].reason.find("Insufficient cpu") != std::string::npos, first[3].reason.c_str());
    }
    QCOMPARE(moves("n2").size(), size_t(0));
    int code = 0;
    w.scheduler->without("none", [&](Result<std::vector<Move>> r) { code = r.status().code; });
    w.sim->runFor(10ms);
    QCOMPARE(code, 404);
    for (int i = 4; i < 8; ++i) w.addPod("p" + std::to_string(i), "1");
    w.sim->runFor(5s);
    w.check();
    QCOMPARE(w.broken, std::string());
    QCOMPARE(w.bound(), 7);  // n1 is back with all that it had: only n2 has room
  }

  void tellsWhyHere() {
    World w;
    w.addNode("n1", "4");
    w.addNode("n2", "2");
    w.addNode("full", "100m");
    w.start();
    w.addPod("a", "1");
    w.sim->runFor(1s);
    QCOMPARE(w.placeOf("a"), std::string("n1"));
    Decision kept;
    w.scheduler->lastDecision("default/a", [&](Result<Decision> d) { kept = *d; });
    w.sim->runFor(10ms);
    QCOMPARE(kept.verdict.node, std::string("n1"));
    QCOMPARE(kept.verdict.reasons.at("Insufficient cpu"), 1);
    QCOMPARE(kept.verdict.best.size(), size_t(2));
    QCOMPARE(kept.verdict.best[0].node, std::string("n1"));
    QVERIFY(kept.verdict.best[0].total > kept.verdict.best[1].total && !kept.verdict.best[0].plugins.empty());
    int code = 0;
    w.scheduler->lastDecision("default/none", [&](Result<Decision> d) { code = d.status().code; });
    w.scheduler->explain("default/none", 10, [&](Result<Explanation> d) { code += d.status().code; });
    w.sim->runFor(10ms);
    QCOMPARE(code, 808);
  }

  // Bindings are refused, fail, or are done while the answer says otherwise; watches end and history goes;
  // pods come and go. No node is ever over its capacity, no pod is bound twice, and in the end all that fits
  // is bound.
  void nothingIsOverfilledWhateverFails_data() {
    QTest::addColumn<int>("seed");
    for (int seed = 1; seed <= 40; ++seed) QTest::addRow("seed %d", seed) << seed;
  }
  void nothingIsOverfilledWhateverFails() {
    QFETCH(int, seed);
    auto random = seededRandom(uint64_t(seed) * 77);
    bool faults = true, inside = false;
    World w{uint64_t(seed)};  // last, for at its end it still uses the others
    w.client.delay = [&] { return Duration(std::chrono::milliseconds(random->below(300))); };
    w.client.onWrite = [&](const client::Write& write) -> std::optional<Status> {
      if (!faults || inside || write.subresource != "binding") return std::nullopt;
      switch (random->below(8)) {
        case 0:
          return Status::internal("the disk is slow");
        case 1:
          return Status::conflict("not now");
        case 2: {  // done, but the answer is lost
          inside = true;
          (void)w.client.apply(write);
          inside = false;
          return Status::timeout("no answer");
        }
        default:
          return std::nullopt;
      }
    };
    for (int i = 0; i < 5; ++i) w.addNode("n" + std::to_string(i), "2");
    w.start({.batch = 8, .maxInFlight = 16});
    int made = 0;
    for (int round = 0; round < 30; ++round) {
      for (uint64_t n = random->below(6); n > 0; --n)
        w.addPod("p" + std::to_string(made++), std::to_string(100 + 100 * random->below(8)) + "m");
      if (auto all = w.client.all(w.pods); random->below(3) == 0 && !all.empty()) {
        auto it = all.begin();
        for (uint64_t skip = random->below(all.size()); skip > 0; --skip) ++it;
        w.client.remove(w.pods, it->first);
      }
      if (random->below(10) == 0) w.client.endWatches(Status::unavailable("gone"));
      if (random->below(15) == 0) {
        w.client.compact();
        w.client.endWatches(Status::expired("too old"));
      }
      w.runUntil([] { return false; }, Duration(std::chrono::milliseconds(random->below(800))));
      if (!w.broken.empty()) QFAIL(w.broken.c_str());
    }
    faults = false;
    for (int i = 5; i < 15; ++i) w.addNode("n" + std::to_string(i), "8");
    bool all = w.runUntil([&] { return w.bound() == int(w.client.all(w.pods).size()); }, 10min);
    if (!w.broken.empty()) QFAIL(w.broken.c_str());
    QVERIFY(all);
  }
};

QTEST_GUILESS_MAIN(SchedulerTest)
#include "scheduler_test.moc"
