// The ten steps of a pod, watched on a virtual clock.
#include "engine/timeline/pod_timelines.h"

#include <fmt/format.h>

#include <QTest>

#include "tests/support/fake_client.h"

using namespace ph;
using namespace ph::timeline;
using namespace std::chrono_literals;
using api::Json;
using test::FakeClient;

namespace {

struct World {
  std::shared_ptr<SimExecutor> sim = SimExecutor::make(1);
  FakeClient client{sim};
  std::map<int64_t, Written> written;
  std::unique_ptr<PodTimelines> timelines;

  World() {
    timelines = PodTimelines::start(client, sim, [this](int64_t revision) -> std::optional<Written> {
      auto it = written.find(revision);
      return it == written.end() ? std::nullopt : std::optional(it->second);
    });
    sim->runFor(100ms);
  }
  ~World() {
    timelines.reset();
    sim->runFor(10s);
  }
  // Each write is asked for 1 ms before it is durable; 10 ms pass between two.
  api::ObjectPtr note(api::ObjectPtr object) {
    written[object->revision()] = {sim->monoNow() - 1ms, sim->monoNow()};
    sim->runFor(10ms);
    return object;
  }
  void make(const std::string& yaml) { note(client.create(yaml)); }
  void edit(const char* plural, const std::string& key, const std::function<void(Json&)>& change) {
    note(client.edit(client.kind(plural), key, change));
  }
  std::vector<Json> read(const std::string& ns = "", const std::string& name = "") {
    std::vector<Json> out;
    timelines->read(ns, name, [&](Result<std::vector<Json>> r) { out = *r; });
    sim->runFor(10ms);
    return out;
  }
  // "Request 0, Stored 1, ...": milliseconds since the first step.
  std::string steps(const std::string& name) {
    auto all = read("default", name);
    if (all.size() != 1) return fmt::format("{} timelines", all.size());
    std::string out;
    for (auto& s : all[0].at("status").at("steps").as_array())
      out += fmt::format("{}{} {:.0f}", out.empty() ? "" : ", ", s.at("name").as_string().c_str(), s.at("milliseconds").to_number<double>());
    return out;
  }
  std::string cause(const std::string& name) { return read("default", name).at(0).at("status").at("cause").as_string().c_str(); }
};

std::string uidOf(World& w, const char* plural, const std::string& key) { return w.client.find(w.client.kind(plural), key)->uid(); }

std::string podYaml(const std::string& name, const std::string& owner = {}) {
  return fmt::format("{{apiVersion: v1, kind: Pod, metadata: {{name: {}, namespace: default{}}}, spec: {{containers: [{{name: c, image: 'c:1'}}]}}}}", name, owner);
}
std::string ownedBy(const char* kind, const std::string& name, const std::string& uid) {
  return fmt::format(", ownerReferences: [{{apiVersion: apps/v1, kind: {}, name: {}, uid: {}, controller: true}}]", kind, name, uid);
}
std::string workload(const char* kind, const std::string& name, const std::string& owner = {}) {
  return fmt::format(
      "{{apiVersion: apps/v1, kind: {}, metadata: {{name: {}, namespace: default{}}}, spec: {{replicas: 1, selector: {{matchLabels: {{a: b}}}}, "
      "template: {{metadata: {{labels: {{a: b}}}}, spec: {{containers: [{{name: c, image: 'c:1'}}]}}}}}}}}",
      kind, name, owner);
}

void bind(World& w, const std::string& pod) {
  w.edit("pods", "default/" + pod, [](Json& p) { p.at("spec").as_object()["nodeName"] = "n1"; });
}
void status(World& w, const std::string& pod, const std::string& text) {
  w.edit("pods", "default/" + pod, [&](Json& p) { p.as_object()["status"] = *api::parseYaml(text); });
}

}  // namespace

class TimelineTest : public QObject {
  Q_OBJECT

 private slots:
  void aPodOfADeploymentFromRequestToService() {
    World w;
    w.make(workload("Deployment", "web"));
    w.make(workload("ReplicaSet", "web-1", ownedBy("Deployment", "web", uidOf(w, "deployments", "default/web"))));
    w.make(podYaml("web-1-a", ownedBy("ReplicaSet", "web-1", uidOf(w, "replicasets", "default/web-1"))));
    QCOMPARE(w.steps("web-1-a"), std::string("Request 0, Stored 1, Controller 11, PodMade 21"));
    QCOMPARE(w.cause("web-1-a"), std::string("Deployment web made"));
    bind(w, "web-1-a");
    status(w, "web-1-a", "{startTime: '2026-01-01T00:00:00Z', containerStatuses: [{name: c, containerID: x}]}");
    status(w, "web-1-a", "{startTime: '2026-01-01T00:00:00Z', containerStatuses: [{name: c, containerID: x, state: {running: {startedAt: '2026-01-01T00:00:00Z'}}}]}");
    status(w, "web-1-a", "{startTime: '2026-01-01T00:00:00Z', conditions: [{type: Ready, status: 'True'}], containerStatuses: [{name: c, containerID: x, state: {running: {startedAt: '2026-01-01T00:00:00Z'}}}]}");
    auto steps = w.steps("web-1-a");
    QVERIFY2(QString::fromStdString(steps).startsWith("Request 0, Stored 1, Controller 11, PodMade 21, Scheduled "), steps.c_str());
    QVERIFY2(QString::fromStdString(steps).contains("InService"), steps.c_str());
    auto before = w.read("default", "web-1-a")[0].at("status").at("seconds").as_string();
    // A service takes it in later than it was ready: that is when it is in service.
    w.make(fmt::format("{{apiVersion: v1, kind: Endpoints, metadata: {{name: web, namespace: default}}, subsets: [{{addresses: [{{ip: 10.0.0.1, targetRef: {{kind: Pod, name: web-1-a, uid: {}}}}}]}}]}}",
                       uidOf(w, "pods", "default/web-1-a")));
    QVERIFY(w.read("default", "web-1-a")[0].at("status").at("seconds").as_string() > before);
    QCOMPARE(w.read("default", "web-1-a")[0].at("status").at("node").as_string(), "n1");
  }

  void aReplacedPodIsCausedByTheOneThatWentAway() {
    World w;
    w.make(workload("ReplicaSet", "solo"));
    auto owner = ownedBy("ReplicaSet", "solo", uidOf(w, "replicasets", "default/solo"));
    w.make(podYaml("solo-a", owner));
    QCOMPARE(w.cause("solo-a"), std::string("ReplicaSet solo made"));
    w.client.remove(w.client.kind("pods"), "default/solo-a");
    w.sim->runFor(10ms);
    w.make(podYaml("solo-b", owner));
    QCOMPARE(w.cause("solo-b"), std::string("Pod solo-a went away"));
    QCOMPARE(w.read("default").size(), size_t(2));  // the one that went is still told
    w.edit("replicasets", "default/solo", [](Json& rs) {
      rs.at("spec").as_object()["replicas"] = 2;
      rs.at("metadata").as_object()["generation"] = 2;
    });
    w.make(podYaml("solo-c", owner));
    QCOMPARE(w.cause("solo-c"), std::string("ReplicaSet solo changed"));
  }

  // Each kind is watched by itself, and news may cross: what made the pod is heard of after the pod.
  void causesHeardOfLate() {
    for (int late = 1; late <= 2; ++late) {
      World w;
      Duration way = 60ms;
      w.client.delay = [&] { return way; };
      w.make(workload("Deployment", "web"));
      if (late == 1) way = 0ms;  // else the ReplicaSet is late too
      w.make(workload("ReplicaSet", "web-1", ownedBy("Deployment", "web", uidOf(w, "deployments", "default/web"))));
      way = 0ms;
      w.make(podYaml("web-1-a", ownedBy("ReplicaSet", "web-1", uidOf(w, "replicasets", "default/web-1"))));
      QVERIFY(w.cause("web-1-a") != "Deployment web made");  // not yet
      w.sim->runFor(100ms);
      QCOMPARE(w.cause("web-1-a"), std::string("Deployment web made"));
      QCOMPARE(w.steps("web-1-a"), std::string("Request 0, Stored 1, Controller 11, PodMade 21"));
      // What happens to it later made none of this.
      w.edit("deployments", "default/web", [](Json& d) { d.at("metadata").as_object()["generation"] = 2; });
      QCOMPARE(w.cause("web-1-a"), std::string("Deployment web made"));
    }
  }

  void aPodOfItsOwnHasNoController() {
    World w;
    w.make(podYaml("alone"));
    QCOMPARE(w.steps("alone"), std::string("Request 0, Stored 1, PodMade 1"));
    QCOMPARE(w.steps("nobody"), std::string("0 timelines"));
    QCOMPARE(w.read("elsewhere").size(), size_t(0));
  }

  void whatWasThereBeforeIsNotTold() {
    auto sim = SimExecutor::make(1);
    FakeClient client{sim};
    client.create(podYaml("old"));
    auto timelines = PodTimelines::start(client, sim, [](int64_t) { return std::nullopt; });
    sim->runFor(100ms);
    size_t n = 99;
    timelines->read("", "", [&](Result<std::vector<Json>> r) { n = r->size(); });
    sim->runFor(10ms);
    QCOMPARE(n, size_t(0));
    timelines.reset();
    sim->runFor(10s);
  }

  void onlyTheLastAreKept() {
    World w;
    for (int i = 0; i < 2100; ++i) w.client.create(podYaml("p" + std::to_string(i)));
    w.sim->runFor(1s);
    QCOMPARE(w.read().size(), size_t(2000));
    QCOMPARE(w.read("default", "p0").size(), size_t(0));
    QCOMPARE(w.read("default", "p2099").size(), size_t(1));
  }
};

QTEST_GUILESS_MAIN(TimelineTest)
#include "timeline_test.moc"
