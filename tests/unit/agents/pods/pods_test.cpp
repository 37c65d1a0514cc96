// A node's pods over the fake runtime, on a virtual clock: starting, failing, probing, restarting, ending, adopting.
#include <QTemporaryDir>
#include <QTest>

#include <chrono>
#include <set>

#include "agents/hollow.h"
#include "agents/pods/pod_status.h"
#include "engine/api/types/coordination.h"
#include "engine/api/types/core.h"
#include "tests/support/fake_client.h"

using namespace ph;
using namespace ph::agents;
using namespace std::chrono_literals;
namespace core = api::core;

namespace {

// A probe's answer is whatever the test says.
class TestChecker : public ProbeChecker {
 public:
  explicit TestChecker(std::shared_ptr<Executor> strand) : strand_(std::move(strand)) {}
  void check(const core::Probe&, const ProbeTarget& target, Done<ProbeOutcome> done) override {
    ++checks;
    last = target.containerId;
    strand_->post([done, ok = ok] { done(ProbeOutcome{ok, ok ? "" : "it says no"}); });
  }
  void hook(const core::LifecycleHandler&, const ProbeTarget&, Duration, Done<ProbeOutcome> done) override {
    ++hooks;
    strand_->after(2s, [done] { done(ProbeOutcome{true, ""}); }).detach();
  }
  bool ok = true;
  int checks = 0, hooks = 0;
  std::string last;

 private:
  std::shared_ptr<Executor> strand_;
};

// One node with everything in memory; `restartAgent` is a new life of the agent over the same runtime.
struct Bench {
  std::shared_ptr<SimExecutor> sim = SimExecutor::make(7);
  test::FakeClient api{sim};
  std::shared_ptr<FakeRuntime> runtime = std::make_shared<FakeRuntime>(sim);
  std::shared_ptr<NodeContext> context;
  std::shared_ptr<TestChecker> checker;
  std::shared_ptr<NodeAgent> agent;
  std::string stateFolder;

  explicit Bench(std::string state = {}) : stateFolder(std::move(state)) { startAgent(); }
  ~Bench() { stopAgent(); }

  void startAgent() {
    context = std::make_shared<NodeContext>();
    context->strand = sim;
    context->hostIp = "10.0.0.1";
    context->runtimeName = "fake";
    context->config.nodeName = "n1";
    context->runtime = runtime;
    context->images = std::make_shared<ImageManager>(sim, runtime, nullptr);
    context->status = std::make_shared<StatusWriter>(api, sim);
    context->events = client::EventRecorder::make(api, sim, {"pilothouse-agent", "n1"});
    checker = std::make_shared<TestChecker>(sim);
    context->checker = checker;
    NodeOptions options;
    options.name = "n1";
    options.ip = "10.0.0.1";
    options.machine.cpuMilli = 4000;
    options.machine.memoryBytes = int64_t(8) << 30;
    options.pods.stateFolder = stateFolder;
    agent = std::make_shared<NodeAgent>(api, context, options);
    agent->start();
  }
  void stopAgent() {
    if (!agent) return;
    agent->stop();
    context->events->stop();
    agent.reset();
  }
  void restartAgent() {
    stopAgent();
    startAgent();
  }

  const ph::api::ResourceInfo* pods() { return api.kind("", "pods"); }
  ph::api::ObjectPtr pod(const std::string& name) { return api.find(pods(), "default/" + name); }
  const core::PodStatus& status(const std::string& name) { return pod(name)->as<core::Pod>().status; }
  void add(const std::string& name, const std::string& container = "", const std::string& spec = "") {
    api.create("apiVersion: v1\nkind: Pod\nmetadata: {name: " + name + "}\nspec:\n  nodeName: n1\n" + spec +
               "  containers:\n  - name: web\n    image: web:1\n" + container);
  }
  bool until(const std::function<bool()>& done, Duration limit = 60s) { return sim->runUntil(done, limit); }
  bool ready(const std::string& name) {
    for (auto& c : status(name).conditions)
      if (c.type == "Ready") return c.status == "True";
    return false;
  }
  std::string waiting(const std::string& name) {
    auto& s = status(name);
    return s.containerStatuses.empty() || !s.containerStatuses[0].state.waiting ? "" : s.containerStatuses[0].state.waiting->reason;
  }
  int restarts(const std::string& name) {
    auto& s = status(name);
    return s.containerStatuses.empty() ? -1 : int(s.containerStatuses[0].restartCount);
  }
  std::string running() {  // the id of the one running container
    std::string id;
    for (auto& [cid, item] : runtime->containers())
      if (item.container.state == ContainerState::Running) id = cid;
    return id;
  }
  int events(const std::string& reason) {
    int n = 0;
    for (auto& [key, event] : api.all(api.kind("", "events")))
      if (event->as<core::Event>().reason == reason) n += std::max(1, int(event->as<core::Event>().count));
    return n;
  }
  void erase(const std::string& name, std::optional<int64_t> grace = {}) {
    client::Write w;
    w.verb = client::Verb::Delete;
    w.info = pods();
    w.ns = "default";
    w.name = name;
    w.gracePeriodSeconds = grace;
    QVERIFY(api.apply(w).ok());
  }
};

}  // namespace

class PodsTest : public QObject {
  Q_OBJECT
 private slots:
  // An engine that thought the node lost marks its pods; the agent knows better, and says so.
  void correctsWhatOthersWrote() {
    Bench b;
    b.add("a");
    QVERIFY(b.until([&] { return b.ready("a"); }));
    b.sim->runFor(2s);
    b.api.edit(b.pods(), "default/a", [](ph::api::Json& tree) {
      for (auto& c : tree.at("status").at("conditions").as_array())
        if (c.at("type") == "Ready") c.as_object()["status"] = "False";
    });
    QVERIFY(!b.ready("a"));
    QVERIFY(b.until([&] { return b.ready("a"); }, 5s));
  }

  // The answer to a status is lost, and the status changes back meanwhile: what the API holds is not known, so it is told.
  void aLostAnswerIsNoAnswer() {
    Bench b;
    b.add("a");
    QVERIFY(b.until([&] { return b.ready("a"); }));
    b.api.onWrite = [&](const client::Write& w) -> std::optional<Status> {
      return w.subresource == "status" && w.info->plural == "pods" ? std::optional(Status::unavailable("no answer")) : std::nullopt;
    };
    b.runtime->exitContainer(b.running(), 1);
    b.sim->runFor(30s);
    b.api.onWrite = nullptr;
    QVERIFY(b.until([&] { return b.ready("a") && b.restarts("a") == 1; }));
    b.erase("a");
    QVERIFY(b.until([&] { return !b.pod("a"); }));
  }

  void nodeRegistersWithLeaseAndStatus() {
    Bench b;
    QVERIFY(b.until([&] {
      auto node = b.api.find(b.api.kind("", "nodes"), "n1");
      return node && !node->as<core::Node>().status.conditions.empty() && b.api.find(b.api.kind("coordination.k8s.io", "leases"), "kube-node-lease/n1");
    }));
    auto node = b.api.find(b.api.kind("", "nodes"), "n1");
    auto& status = node->as<core::Node>().status;
    QCOMPARE(status.capacity.at("cpu").milli(), int64_t(4000));
    QCOMPARE(QString::fromStdString(std::string(node->meta().label("kubernetes.io/hostname"))), "n1");
    bool ready = false;
    for (auto& c : status.conditions) ready = ready || (c.type == "Ready" && c.status == "True");
    QVERIFY(ready);
    // The lease goes on: four renewals in its duration of 8 s.
    auto* leases = b.api.kind("coordination.k8s.io", "leases");
    auto first = b.api.find(leases, "kube-node-lease/n1")->as<api::coordination::Lease>().spec.renewTime;
    b.sim->runFor(20s);
    auto later = b.api.find(leases, "kube-node-lease/n1")->as<api::coordination::Lease>().spec.renewTime;
    QVERIFY(*later - *first >= 17s);
  }

  void podBecomesReadyWithOneWrite() {
    Bench b;
    b.add("a");
    QVERIFY(b.until([&] { return b.ready("a"); }));
    auto& s = b.status("a");
    QCOMPARE(QString::fromStdString(s.phase), "Running");
    QCOMPARE(QString::fromStdString(s.qosClass), "BestEffort");
    QVERIFY(!s.podIP.empty());
    QCOMPARE(QString::fromStdString(s.hostIP), "10.0.0.1");
    QVERIFY(s.containerStatuses.at(0).ready && s.containerStatuses[0].started.value_or(false));
    int writes = 0;
    for (auto& w : b.api.writes()) writes += w.write.subresource == "status" && w.write.info->plural == "pods";
    QCOMPARE(writes, 1);
    QCOMPARE(b.events("Started"), 1);
  }

  void crashLoopBacksOffAsKubernetesDoes() {
    Bench b;
    b.add("a");
    QVERIFY(b.until([&] { return b.ready("a"); }));
    b.runtime->exitContainer(b.running(), 1);
    QVERIFY(b.until([&] { return b.restarts("a") == 1 && b.ready("a"); }, 3s));  // the first restart is immediate
    b.runtime->exitContainer(b.running(), 1);
    QVERIFY(b.until([&] { return b.waiting("a") == "CrashLoopBackOff"; }, 3s));
    QCOMPARE(b.status("a").containerStatuses[0].lastState.terminated->exitCode, 1);
    QVERIFY(!b.until([&] { return b.restarts("a") == 2; }, 9s));
    QVERIFY(b.until([&] { return b.restarts("a") == 2 && b.ready("a"); }, 3s));
    b.runtime->exitContainer(b.running(), 1);
    QVERIFY(!b.until([&] { return b.restarts("a") == 3; }, 19s));
    QVERIFY(b.until([&] { return b.restarts("a") == 3; }, 3s));
    QVERIFY(b.events("BackOff") >= 2);
    // Dead containers don't pile up: the newest and the one before it.
    QVERIFY(b.runtime->containers().size() <= 2);
  }

  void restartPolicyDecidesTheEnd() {
    Bench b;
    b.add("job", "", "  restartPolicy: OnFailure\n");
    QVERIFY(b.until([&] { return b.ready("job"); }));
    b.runtime->exitContainer(b.running(), 3);
    QVERIFY(b.until([&] { return b.restarts("job") == 1 && b.ready("job"); }, 5s));
    b.runtime->exitContainer(b.running(), 0);
    QVERIFY(b.until([&] { return b.status("job").phase == "Succeeded"; }, 5s));
    QVERIFY(b.until([&] { return !b.runtime->sandboxes().begin()->second.sandbox.ready; }, 5s));
    b.add("once", "", "  restartPolicy: Never\n");
    QVERIFY(b.until([&] { return b.ready("once"); }));
    b.runtime->exitContainer(b.running(), 9);
    QVERIFY(b.until([&] { return b.status("once").phase == "Failed"; }, 5s));
    QCOMPARE(b.status("once").containerStatuses[0].state.terminated->exitCode, 9);
  }

  void initContainersRunInOrderBeforeTheOthers() {
    Bench b;
    b.add("a", "", "  initContainers:\n  - {name: one, image: i}\n  - {name: two, image: i}\n");
    QVERIFY(b.until([&] { return b.runtime->containers().size() == 1 && !b.running().empty(); }));
    QVERIFY(b.until([&] { return b.status("a").initContainerStatuses.size() == 2; }));
    QCOMPARE(QString::fromStdString(b.waiting("a")), "PodInitializing");
    b.runtime->exitContainer(b.running(), 0);
    QVERIFY(b.until([&] { return !b.running().empty() && b.runtime->containers().at(b.running()).spec.name == "two"; }, 5s));
    b.runtime->exitContainer(b.running(), 1);  // fails: runs again
    QVERIFY(b.until([&] { return !b.running().empty() && b.runtime->containers().at(b.running()).spec.attempt == 1; }, 15s));
    QVERIFY(!b.ready("a"));
    b.runtime->exitContainer(b.running(), 0);
    QVERIFY(b.until([&] { return b.ready("a"); }, 5s));
  }

  void imageTroubleIsToldAndHealed() {
    Bench b;
    b.runtime->failImage("web:1", Status::notFound("no such image: web:1"));
    b.add("a");
    QVERIFY(b.until([&] { return b.waiting("a") == "ErrImagePull"; }, 5s));
    QVERIFY(b.status("a").containerStatuses[0].state.waiting->message.find("no such image") != std::string::npos);
    QVERIFY(b.until([&] { return b.waiting("a") == "ImagePullBackOff"; }, 15s));
    QCOMPARE(QString::fromStdString(b.status("a").phase), "Pending");
    b.runtime->healImage("web:1");
    QVERIFY(b.until([&] { return b.ready("a"); }, 60s));
    b.runtime->absentImage("other:1");
    b.api.create("apiVersion: v1\nkind: Pod\nmetadata: {name: never}\nspec:\n  nodeName: n1\n  containers:\n  - {name: c, image: 'other:1', imagePullPolicy: Never}\n");
    QVERIFY(b.until([&] { return b.waiting("never") == "ErrImageNeverPull"; }, 5s));
  }

  void readinessFollowsItsProbe() {
    Bench b;
    b.checker->ok = false;
    b.add("a", "    readinessProbe: {tcpSocket: {port: 80}, periodSeconds: 2, failureThreshold: 2}\n");
    QVERIFY(b.until([&] { return b.status("a").phase == "Running"; }));
    b.sim->runFor(10s);
    QVERIFY(!b.ready("a"));
    b.checker->ok = true;
    QVERIFY(b.until([&] { return b.ready("a"); }, 3s));
    b.checker->ok = false;
    QVERIFY(!b.until([&] { return !b.ready("a"); }, 1s));
    QVERIFY(b.until([&] { return !b.ready("a"); }, 5s));  // two failures later
    QCOMPARE(b.restarts("a"), 0);
    QVERIFY(b.events("Unhealthy") > 0);
  }

  void livenessRestartsTheContainer() {
    Bench b;
    b.add("a", "    livenessProbe: {exec: {command: [x]}, periodSeconds: 1, failureThreshold: 3}\n");
    QVERIFY(b.until([&] { return b.ready("a"); }));
    b.checker->ok = false;
    QVERIFY(b.until([&] { return b.restarts("a") == 1; }, 10s));
    QVERIFY(b.events("Killing") >= 1);
    b.checker->ok = true;
    QVERIFY(b.until([&] { return b.ready("a"); }, 5s));
  }

  void startupProbeHoldsTheOthersBack() {
    Bench b;
    b.checker->ok = false;
    b.add("a", "    startupProbe: {exec: {command: [x]}, periodSeconds: 1, failureThreshold: 30}\n    livenessProbe: {exec: {command: [x]}, periodSeconds: 1, failureThreshold: 1}\n");
    QVERIFY(b.until([&] { return b.status("a").phase == "Running"; }));
    b.sim->runFor(10s);
    QCOMPARE(b.restarts("a"), 0);
    QVERIFY(!b.status("a").containerStatuses[0].started.value_or(false));
    b.checker->ok = true;
    QVERIFY(b.until([&] { return b.ready("a"); }, 5s));
    b.checker->ok = false;
    QVERIFY(b.until([&] { return b.restarts("a") == 1; }, 5s));
  }

  void deletionIsGracefulAndLeavesNothing() {
    Bench b;
    b.runtime->ignoreTerm = true;
    b.add("a", "    lifecycle: {preStop: {exec: {command: [x]}}}\n", "  terminationGracePeriodSeconds: 10\n");
    QVERIFY(b.until([&] { return b.ready("a"); }));
    b.erase("a");
    QVERIFY(!b.until([&] { return !b.pod("a"); }, 9s));
    QCOMPARE(b.checker->hooks, 1);
    QVERIFY(b.until([&] { return !b.pod("a"); }, 5s));
    QVERIFY(b.runtime->sandboxes().empty());
    QVERIFY(b.runtime->containers().empty());
    QVERIFY(b.until([&] { return b.agent->pods().workers().empty(); }, 1s));
  }

  void aShorterGraceTakesOver() {
    Bench b;
    b.runtime->ignoreTerm = true;
    b.add("a", "", "  terminationGracePeriodSeconds: 600\n");
    QVERIFY(b.until([&] { return b.ready("a"); }));
    b.erase("a");
    b.sim->runFor(3s);
    QVERIFY(b.pod("a"));
    b.erase("a", 1);
    QVERIFY(b.until([&] { return !b.pod("a"); }, 5s));
  }

  void forceDeletedPodIsKilledToo() {
    Bench b;
    b.add("a");
    QVERIFY(b.until([&] { return b.ready("a"); }));
    b.api.remove(b.pods(), "default/a");
    QVERIFY(b.until([&] { return b.runtime->sandboxes().empty(); }, 10s));
    // A new one of the same name is another pod.
    b.add("a");
    QVERIFY(b.until([&] { return b.ready("a"); }));
  }

  void aDeadSandboxIsMadeAgain() {
    Bench b;
    b.add("a");
    QVERIFY(b.until([&] { return b.ready("a"); }));
    auto old = b.runtime->sandboxes().begin()->first;
    b.runtime->killSandbox(old);
    QVERIFY(b.until([&] { return b.runtime->sandboxes().size() == 1 && b.runtime->sandboxes().begin()->first != old && b.ready("a"); }, 10s));
    QCOMPARE(b.restarts("a"), 1);
  }

  void failuresOfTheRuntimeAreRetried() {
    Bench b;
    b.runtime->failNext("runSandbox", Status::internal("no network"));
    b.runtime->failNext("createContainer", Status::internal("disk full"));
    b.add("a");
    QVERIFY(b.until([&] { return b.waiting("a") == "CreateContainerError"; }, 10s));
    QCOMPARE(b.events("FailedCreatePodSandBox"), 1);
    QVERIFY(b.until([&] { return b.ready("a"); }, 20s));
    b.runtime->failNext("stopSandbox", Status::internal("busy"));
    b.erase("a", 1);
    QVERIFY(b.until([&] { return !b.pod("a"); }, 20s));
  }

  void agentsNewLifeAdoptsWhatRuns() {
    QTemporaryDir dir;
    Bench b(dir.path().toStdString());
    b.add("a");
    b.add("b");
    QVERIFY(b.until([&] { return b.ready("a") && b.ready("b"); }));
    b.stopAgent();
    auto before = b.runtime->containers().size();
    b.erase("b", 5);                      // wanted gone while the agent is away
    b.runtime->recordCalls();
    b.startAgent();
    QVERIFY(b.until([&] { return !b.pod("b"); }, 20s));
    QVERIFY(b.ready("a"));
    QCOMPARE(b.restarts("a"), 0);
    QCOMPARE(b.runtime->containers().size(), before - 1);
    for (auto& call : b.runtime->calls()) QVERIFY(call != "createContainer");
  }

  void podsGoOnWithoutTheEngine() {
    QTemporaryDir dir;
    Bench b(dir.path().toStdString());
    b.add("a");
    QVERIFY(b.until([&] { return b.ready("a"); }));
    b.stopAgent();
    // The engine is away, and a container dies: the agent's new life restarts it from what it remembers.
    b.api.onList = [](const api::ResourceInfo&) { return std::optional<Status>(Status::unavailable("away")); };
    b.api.onWrite = [](const client::Write&) { return std::optional<Status>(Status::unavailable("away")); };
    b.startAgent();
    b.sim->runFor(5s);
    auto old = b.running();
    QVERIFY(!old.empty());
    b.runtime->exitContainer(old, 1);
    QVERIFY(b.until([&] { return !b.running().empty() && b.running() != old; }, 10s));
    b.api.onList = nullptr;
    b.api.onWrite = nullptr;
    QVERIFY(b.until([&] { return b.restarts("a") == 1 && b.ready("a"); }, 30s));
  }

  void orphansAreRemovedOnceTheEngineHasSpoken() {
    Bench b;
    b.add("a");
    QVERIFY(b.until([&] { return b.ready("a"); }));
    b.stopAgent();
    b.api.remove(b.pods(), "default/a");
    b.startAgent();  // nothing on the disk: it is known by its labels only
    QVERIFY(b.until([&] { return b.runtime->sandboxes().empty(); }, 20s));
  }

  void activeDeadlineEndsThePod() {
    Bench b;
    b.add("a", "", "  activeDeadlineSeconds: 20\n");
    QVERIFY(b.until([&] { return b.ready("a"); }));
    QVERIFY(b.until([&] { return b.status("a").phase == "Failed"; }, 40s));
    QCOMPARE(QString::fromStdString(b.status("a").reason), "DeadlineExceeded");
    QVERIFY(b.until([&] { return b.running().empty(); }, 5s));
  }

  // As Kubernetes' documentation has it for extended resources: the capacity is patched, the rest follows.
  void whatOthersAddToANodeCanBeTaken() {
    Bench b;
    auto* nodes = b.api.kind("", "nodes");
    auto status = [&] { return &b.api.find(nodes, "n1")->as<core::Node>().status; };
    auto patch = [&](const char* body) {
      client::Write w;
      w.verb = client::Verb::Patch;
      w.info = nodes;
      w.name = "n1";
      w.subresource = "status";
      w.body = body;
      QVERIFY(b.api.apply(w).ok());
    };
    QVERIFY(b.until([&] { auto n = b.api.find(nodes, "n1"); return n && !n->as<core::Node>().status.conditions.empty(); }));
    patch(R"({"status":{"capacity":{"example.com/dongle":"4"}}})");
    QVERIFY(b.until([&] { return status()->allocatable.count("example.com/dongle"); }, 15s));
    QCOMPARE(status()->allocatable.at("example.com/dongle").text(), std::string("4"));
    QCOMPARE(status()->allocatable.at("cpu").text(), std::string("4"));
    patch(R"({"status":{"capacity":{"example.com/dongle":"2"}}})");
    QVERIFY(b.until([&] { return status()->allocatable.at("example.com/dongle").text() == "2"; }, 15s));
    patch(R"({"status":{"capacity":{"example.com/dongle":null}}})");
    QVERIFY(b.until([&] { return !status()->allocatable.count("example.com/dongle"); }, 15s));
  }

  void aNodeGivenUpSaysThatItLives() {
    Bench b;
    auto* nodes = b.api.kind("", "nodes");
    QVERIFY(b.until([&] { auto n = b.api.find(nodes, "n1"); return n && !n->as<core::Node>().status.conditions.empty(); }));
    b.sim->runFor(5s);
    b.api.edit(nodes, "n1", [](api::Json& node) {
      for (auto& c : node.at("status").at("conditions").as_array()) c.as_object()["status"] = "Unknown";
    });
    QVERIFY(b.until([&] {
      for (auto& c : b.api.find(nodes, "n1")->as<core::Node>().status.conditions)
        if (c.type == "Ready" && c.status == "True") return true;
      return false;
    }, 15s));
    // Deleted by mistake: it comes back.
    b.api.remove(nodes, "n1");
    QVERIFY(b.until([&] { return b.api.find(nodes, "n1") != nullptr; }, 30s));
  }

  void hollowNodesRunPods() {
    auto sim = SimExecutor::make(3);
    test::FakeClient api(sim);
    std::vector<std::unique_ptr<HollowNode>> nodes;
    for (uint32_t i = 0; i < 20; ++i) {
      HollowOptions o;
      o.name = "hollow-" + std::to_string(i);
      o.number = i;
      nodes.push_back(makeHollowNode(api, sim, o));
    }
    for (int i = 0; i < 200; ++i)
      api.create("apiVersion: v1\nkind: Pod\nmetadata: {name: p" + std::to_string(i) + "}\nspec:\n  nodeName: hollow-" + std::to_string(i % 20) +
                 "\n  containers: [{name: c, image: x}]\n");
    auto allReady = [&] {
      for (auto& [key, pod] : api.all(api.kind("", "pods")))
        if (pod->as<core::Pod>().status.phase != "Running") return false;
      return true;
    };
    QVERIFY(sim->runUntil(allReady, 30s));
    size_t running = 0;
    std::set<std::string> ips;
    for (auto& node : nodes) running += node->runningContainers();
    for (auto& [key, pod] : api.all(api.kind("", "pods"))) ips.insert(pod->as<core::Pod>().status.podIP);
    QCOMPARE(running, size_t(200));
    QCOMPARE(ips.size(), size_t(200));
    nodes.clear();
    sim->runFor(1s);
  }
};

QTEST_GUILESS_MAIN(PodsTest)
#include "pods_test.moc"
