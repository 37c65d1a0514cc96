// The runner, and all controllers together on a fake API with a make-believe scheduler and agents.
#include "engine/controllers/runner.h"

#include <QtTest>
#include <map>

#include "engine/api/types/apps.h"
#include "engine/api/types/core.h"
#include "engine/controllers/controllers.h"
#include "tests/support/fake_client.h"

using namespace ph;
using namespace std::chrono_literals;
using api::Json;
using api::JsonArray;
using api::JsonObject;
using api::ObjectPtr;
using controllers::Plan;
using controllers::Runner;

// Binds pods to nodes in turn and says that they run.
class Helpers {
 public:
  Helpers(test::FakeClient& api, SimExecutor& sim) : api_(api), sim_(sim) {}
  std::vector<std::string> nodes;  // those alive
  bool renewing = true;
  std::function<bool(const std::string&)> ready = [](auto&) { return true; };  // by image

  void start() { tick(); }

 private:
  void tick() {
    if (++ticks_ % 10 == 0 && renewing) renew();
    for (auto& [key, pod] : api_.all(api_.kind("pods"))) step(key, pod);
    sim_.after(100ms, [this] { tick(); }).detach();
  }
  void renew() {
    for (auto& n : nodes) {
      api_.put(JsonObject{{"apiVersion", "coordination.k8s.io/v1"},
                          {"kind", "Lease"},
                          {"metadata", JsonObject{{"name", n}, {"namespace", "kube-node-lease"}}},
                          {"spec", JsonObject{{"renewTime", formatMicroTime(sim_.wallNow())}}}});
      if (auto node = api_.find(api_.kind("nodes"), n)) {
        auto& c = node->as<api::core::Node>().status.conditions;
        if (!c.empty() && c[0].status != "True") setReady(n);
      }
    }
  }
  void setReady(const std::string& n) {
    api_.edit(api_.kind("nodes"), n, [](Json& t) {
      t.as_object()["status"] =
          JsonObject{{"conditions", JsonArray{JsonObject{{"type", "Ready"}, {"status", "True"}}}}};
    });
  }
  void step(const std::string& key, const ObjectPtr& object) {
    auto& pod = object->as<api::core::Pod>();
    auto alive = [&](auto& n) { return std::find(nodes.begin(), nodes.end(), n) != nodes.end(); };
    if (pod.spec.nodeName.empty()) {
      if (nodes.empty() || object->meta().deleting) return;
      std::string node = nodes[next_++ % nodes.size()];
      api_.edit(api_.kind("pods"), key, [&](Json& t) { t.at("spec").as_object()["nodeName"] = node; });
      return;
    }
    if (!alive(pod.spec.nodeName)) return;
    if (object->meta().deleting) return api_.remove(api_.kind("pods"), key);
    bool isReady = !pod.status.conditions.empty() && pod.status.conditions[0].status == "True";
    bool want = ready(pod.spec.containers[0].image);
    if (pod.status.phase == "Running" && isReady == want) return;
    api_.edit(api_.kind("pods"), key, [&](Json& t) {
      t.as_object()["status"] = JsonObject{
          {"phase", "Running"},
          {"podIP", "10.0.0." + std::to_string(++ips_ % 250 + 1)},
          {"conditions", JsonArray{JsonObject{{"type", "Ready"},
                                              {"status", want ? "True" : "False"},
                                              {"lastTransitionTime", formatTime(sim_.wallNow())}}}}};
    });
  }
  test::FakeClient& api_;
  SimExecutor& sim_;
  size_t next_ = 0;
  int ticks_ = 0, ips_ = 0;
};

class RunnerTest : public QObject {
  Q_OBJECT
  std::shared_ptr<SimExecutor> sim_;
  std::unique_ptr<test::FakeClient> api_;
  std::unique_ptr<Helpers> helpers_;
  std::unique_ptr<controllers::Controllers> all_;
  bool withHelpers_ = false;

  void world(uint64_t seed) {
    all_.reset();
    if (sim_) sim_->runFor(0s);
    helpers_.reset();
    sim_ = SimExecutor::make(seed);
    api_ = std::make_unique<test::FakeClient>(sim_);
    helpers_ = std::make_unique<Helpers>(*api_, *sim_);
    for (auto* ns : {"default", "kube-system", "kube-node-lease"})
      api_->create(std::string("apiVersion: v1\nkind: Namespace\nmetadata: {name: ") + ns + "}");
  }
  void begin(controllers::Options o = {}) {
    auto r = controllers::startControllers(*api_, sim_, o);
    QVERIFY(r.ok());
    all_ = std::move(*r);
    helpers_->start();
    QVERIFY(sim_->runUntil([&] { return all_->synced(); }, 60s));
  }
  void nodes(int n) {
    for (int i = 1; i <= n; ++i) {
      std::string name = "n" + std::to_string(i);
      api_->put(*api::parseYaml("apiVersion: v1\nkind: Node\nmetadata: {name: " + name +
                                "}\nstatus: {conditions: [{type: Ready, status: 'True'}]}"));
      helpers_->nodes.push_back(name);
    }
  }
  ObjectPtr deploy(int replicas, const std::string& image = "v1") {
    return api_->create("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {replicas: " +
                        std::to_string(replicas) +
                        ", selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}, "
                        "spec: {containers: [{name: c, "
                        "image: " +
                        image + "}]}}}");
  }
  void patch(const std::string& plural, const std::string& key, const std::string& body) {
    client::Write w;
    w.verb = client::Verb::Patch;
    w.info = api_->kind(plural);
    auto slash = key.find('/');
    w.ns = slash == key.npos ? "" : key.substr(0, slash);
    w.name = slash == key.npos ? key : key.substr(slash + 1);
    w.body = body;
    auto r = api_->apply(w);
    QVERIFY2(r.ok(), r.ok() ? "" : r.status().message.c_str());
  }
  client::ObjectMap pods() { return api_->all(api_->kind("pods")); }
  int running(const std::string& image = {}) {
    int n = 0;
    for (auto& [k, p] : pods()) {
      auto& pod = p->as<api::core::Pod>();
      n += !p->meta().deleting && !pod.status.conditions.empty() &&
           pod.status.conditions[0].status == "True" &&
           (image.empty() || pod.spec.containers[0].image == image);
    }
    return n;
  }
  const api::apps::Deployment& web() {
    return api_->find(api_->kind("deployments"), "default/web")->as<api::apps::Deployment>();
  }
  bool rolledOut(int n) {
    auto d = api_->find(api_->kind("deployments"), "default/web");
    auto& s = d->as<api::apps::Deployment>().status;
    return s.observedGeneration == d->meta().generation && s.updatedReplicas == n && s.replicas == n &&
           s.availableReplicas == n;
  }
  size_t podCreates() {
    size_t n = 0;
    for (auto& w : api_->writes())
      n += w.ok && w.write.verb == client::Verb::Create && w.write.info->plural == "pods";
    return n;
  }

 private slots:
  void init() { world(11); }
  void cleanup() {
    all_.reset();
    if (sim_) sim_->runFor(1s);
  }

  // ---- the runner alone ----

  void neverPlansOnAPictureWithoutItsLastPlan() {
    // A naive counter: as many configmaps as wanted. With slow events it would make too many if it looked too
    // soon.
    for (uint64_t seed = 1; seed <= 30; ++seed) {
      world(seed);
      api_->delay = [&] { return Duration(std::chrono::milliseconds(sim_->random().below(400))); };
      auto runner = Runner::make(*api_, sim_, {});
      auto* maps = api_->kind("configmaps");
      size_t made = 0;
      runner->add(
          {.name = "counter",
           .watches = {{maps, [](const controllers::Snapshot&, const client::Change&,
                                 controllers::Keys& k) { k.push_back("one"); }},
                       {api_->kind("nodes"), [](const controllers::Snapshot&, const client::Change&,
                                                controllers::Keys& k) { k.push_back("one"); }}},
           .reconcile =
               [&](const controllers::Snapshot& s, const controllers::Key&, controllers::Moment) {
                 Plan p;
                 for (size_t i = s.all(maps).size(); i < 10; ++i, ++made)
                   p.create(maps, "default", JsonObject{{"metadata", JsonObject{{"generateName", "m-"}}}});
                 return p;
               },
           .initialKeys = {"one"}});
      runner->start();
      for (int i = 0; i < 60; ++i) {  // nudges the key at odd times
        api_->put(JsonObject{{"apiVersion", "v1"},
                             {"kind", "Node"},
                             {"metadata", JsonObject{{"name", "n"}, {"labels", JsonObject{{"turn", std::to_string(i)}}}}}});
        sim_->runFor(std::chrono::milliseconds(sim_->random().below(100)));
      }
      sim_->runFor(60s);
      QCOMPARE(made, size_t(10));
      QCOMPARE(api_->all(maps).size(), size_t(10));
      runner->stop();
      sim_->runFor(1s);
    }
  }

  void backsOffFromFailuresAndTellsWhy() {
    int refused = 0;
    api_->onWrite = [&](const client::Write& w) -> std::optional<Status> {
      if (w.verb != client::Verb::Create || w.info->plural != "pods") return std::nullopt;
      ++refused;
      return Status::forbidden("exceeded quota");
    };
    begin();
    deploy(50);
    sim_->runFor(60s);
    // The first try makes all, then one at a time with growing pauses.
    QVERIFY2(refused > 50 && refused < 75, QByteArray::number(refused));
    auto set = api_->all(api_->kind("replicasets")).begin()->second;
    QCOMPARE(set->as<api::apps::ReplicaSet>().status.conditions[0].message, std::string("exceeded quota"));
    bool told = false;
    for (auto& [k, e] : api_->all(api_->kind("events"))) {
      auto& event = e->as<api::core::Event>();
      told = told ||
             (event.reason == "FailedCreate" && event.message.find("exceeded quota") != std::string::npos &&
              event.source.component == "replicaset-controller");
    }
    QVERIFY(told);
    api_->onWrite = nullptr;
    nodes(2);
    QVERIFY(sim_->runUntil([&] { return rolledOut(50); }, 300s));
  }

  void stopsForGood() {
    begin();
    all_->stop();
    sim_->runFor(1s);
    size_t before = api_->writes().size();
    deploy(3);
    sim_->runFor(30s);
    QCOMPARE(api_->writes().size(), before);
    QCOMPARE(api_->openWatches(), size_t(0));
  }

  void aPlanWhoseAbsencesFailIsDropped() {
    auto runner = Runner::make(*api_, sim_, {});
    auto* maps = api_->kind("configmaps");
    auto thing = api_->create("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: thing}");
    runner->add(
        {.name = "x",
         .watches = {{maps, controllers::keySelf}},
         .reconcile = [&](const controllers::Snapshot& s, const controllers::Key&, controllers::Moment) {
           Plan p;
           if (s.get(maps, "default/made")) return p;
           p.absences.push_back({maps, "default", "thing", thing->uid()});
           p.create(maps, "default", JsonObject{{"metadata", JsonObject{{"name", "made"}}}});
           return p;
         }});
    runner->start();
    sim_->runFor(10s);
    QVERIFY(!api_->find(maps, "default/made"));
    api_->remove(maps, "default/thing");
    QVERIFY(sim_->runUntil([&] { return api_->find(maps, "default/made") != nullptr; }, 60s));
    runner->stop();
  }

  void noticesClockJumps() {
    begin();
    sim_->runFor(30s);
    QCOMPARE(all_->stats().clockJumps, uint64_t(0));
    sim_->jumpWall(1h);
    sim_->runFor(5s);
    QCOMPARE(all_->stats().clockJumps, uint64_t(1));
  }

  void whatWasPlannedForATimeOfDayComesAfterASleep() {
    begin();
    api_->create("apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: nightly, namespace: default}\nspec: {schedule: '0 * * * *', jobTemplate: "
                 "{spec: {template: {spec: {restartPolicy: Never, containers: [{name: c, image: i}]}}}}}");
    sim_->runFor(5s);
    auto* jobs = api_->kind("batch", "jobs");
    QCOMPARE(api_->all(jobs).size(), size_t(0));
    sim_->jumpWall(1h);  // the monotonic clock stands still while a laptop sleeps
    QVERIFY(sim_->runUntil([&] { return api_->all(jobs).size() == 1; }, 10s));
  }

  // ---- all together ----

  void deploysScalesRollsAndUndoes() {
    nodes(3);
    begin();
    deploy(5);
    QVERIFY(sim_->runUntil([&] { return rolledOut(5); }, 30s));
    QCOMPARE(podCreates(), size_t(5));
    patch("deployments", "default/web", R"({"spec":{"replicas":8}})");
    QVERIFY(sim_->runUntil([&] { return rolledOut(8); }, 30s));
    QCOMPARE(podCreates(), size_t(8));
    patch("deployments", "default/web",
          R"({"spec":{"template":{"spec":{"containers":[{"name":"c","image":"v2"}]}}}})");
    int least = 100, most = 0;
    QVERIFY(sim_->runUntil(
        [&] {
          int live = 0;
          for (auto& [k, p] : pods()) live += !p->meta().deleting;
          least = std::min(least, running());
          most = std::max(most, live);
          return rolledOut(8) && running("v2") == 8;
        },
        60s));
    QVERIFY2(least >= 6 && most <= 10, qPrintable(QString("%1 %2").arg(least).arg(most)));
    QCOMPARE(web().metadata.annotations.at("deployment.kubernetes.io/revision"), std::string("2"));
    patch("deployments", "default/web",
          R"({"spec":{"template":{"spec":{"containers":[{"name":"c","image":"v1"}]}}}})");
    QVERIFY(sim_->runUntil([&] { return rolledOut(8) && running("v1") == 8; }, 60s));
    QCOMPARE(web().metadata.annotations.at("deployment.kubernetes.io/revision"), std::string("3"));
    QCOMPARE(api_->all(api_->kind("replicasets")).size(), size_t(2));
    sim_->runFor(60s);
    size_t quiet = api_->writes().size();
    sim_->runFor(300s);
    QCOMPARE(api_->writes().size(), quiet);  // nothing to do means nothing is written
  }

  void aBadImageStopsTheRolloutNotTheService() {
    nodes(3);
    begin();
    helpers_->ready = [](const std::string& image) { return image != "bad"; };
    deploy(4);
    QVERIFY(sim_->runUntil([&] { return rolledOut(4); }, 30s));
    patch(
        "deployments", "default/web",
        R"({"spec":{"progressDeadlineSeconds":30,"template":{"spec":{"containers":[{"name":"c","image":"bad"}]}}}})");
    sim_->runFor(120s);
    QVERIFY(running("v1") >= 3);
    bool failed = false;
    for (auto& c : web().status.conditions) failed = failed || c.reason == "ProgressDeadlineExceeded";
    QVERIFY(failed);
  }

  void deletedThingsTakeTheirOwnAlong() {
    nodes(2);
    begin();
    deploy(4);
    api_->create(
        "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {selector: {app: web}, ports: [{port: "
        "80}]}");
    QVERIFY(sim_->runUntil([&] { return rolledOut(4) && api_->find(api_->kind("endpoints"), "default/web"); },
                           30s));
    sim_->runFor(2s);
    auto& ep = api_->find(api_->kind("endpoints"), "default/web")->as<api::core::Endpoints>();
    QCOMPARE(ep.subsets.at(0).addresses.size(), size_t(4));
    client::Write w;
    w.verb = client::Verb::Delete;
    w.ns = "default";
    w.name = "web";
    w.info = api_->kind("deployments");
    w.propagation = client::Propagation::Background;
    QVERIFY(api_->apply(w).ok());
    w.info = api_->kind("services");
    QVERIFY(api_->apply(w).ok());
    QVERIFY(sim_->runUntil(
        [&] {
          return pods().empty() && api_->all(api_->kind("replicasets")).empty() &&
                 api_->all(api_->kind("endpoints")).empty();
        },
        30s));
  }

  void foregroundDeletionGoesFromTheLeaves() {
    nodes(2);
    begin();
    deploy(4);
    QVERIFY(sim_->runUntil([&] { return rolledOut(4); }, 30s));
    client::Write w;
    w.verb = client::Verb::Delete;
    w.ns = "default";
    w.name = "web";
    w.info = api_->kind("deployments");
    w.propagation = client::Propagation::Foreground;
    QVERIFY(api_->apply(w).ok());
    QVERIFY(sim_->runUntil(
        [&] {
          bool gone = !api_->find(api_->kind("deployments"), "default/web");
          if (gone) {
            auto sets = api_->all(api_->kind("replicasets")).size();
            if (sets || !pods().empty()) return false;
          }
          return gone;
        },
        30s));
  }

  void orphansStayAndAreAdopted() {
    nodes(2);
    begin();
    deploy(4);
    QVERIFY(sim_->runUntil([&] { return rolledOut(4); }, 30s));
    client::Write w;
    w.verb = client::Verb::Delete;
    w.ns = "default";
    w.name = "web";
    w.info = api_->kind("deployments");
    w.propagation = client::Propagation::Orphan;
    QVERIFY(api_->apply(w).ok());
    QVERIFY(sim_->runUntil([&] { return !api_->find(api_->kind("deployments"), "default/web"); }, 30s));
    sim_->runFor(10s);
    QCOMPARE(running(), 4);
    deploy(4);
    QVERIFY(sim_->runUntil([&] { return rolledOut(4); }, 30s));
    QCOMPARE(podCreates(), size_t(4));
  }

  void aNamespaceGoesWithAllThatItHolds() {
    nodes(2);
    begin();
    api_->create("apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}");
    sim_->runFor(2s);
    QVERIFY(api_->find(api_->kind("serviceaccounts"), "shop/default"));
    api_->create("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: shop}");
    api_->create(
        "apiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: shop}\nspec: {containers: [{name: c, "
        "image: i}]}");
    sim_->runFor(2s);
    client::Write w;
    w.verb = client::Verb::Delete;
    w.name = "shop";
    w.info = api_->kind("namespaces");
    QVERIFY(api_->apply(w).ok());
    QVERIFY(sim_->runUntil([&] { return !api_->find(api_->kind("namespaces"), "shop"); }, 60s));
    for (auto* info : api_->registry().all())
      for (auto& [k, o] : api_->all(info)) QVERIFY2(o->ns() != "shop", k.c_str());
  }

  void aLostNodesPodsComeBackElsewhere() {
    nodes(3);
    begin();
    deploy(6);
    QVERIFY(sim_->runUntil([&] { return rolledOut(6); }, 30s));
    for (auto& [k, n] : api_->all(api_->kind("nodes")))
      QVERIFY(!n->as<api::core::Node>().spec.podCIDR.empty());
    sim_->runFor(5s);
    helpers_->nodes.erase(helpers_->nodes.begin());
    MonoTime from = sim_->monoNow();
    auto elsewhere = [&] {
      int n = 0;
      for (auto& [k, p] : pods()) {
        auto& pod = p->as<api::core::Pod>();
        n += !p->meta().deleting && pod.spec.nodeName != "n1" && pod.status.phase == "Running";
      }
      return n == 6;
    };
    QVERIFY(sim_->runUntil(elsewhere, 60s));
    auto took = sim_->monoNow() - from;
    QVERIFY2(took > 8s && took < 13s, QByteArray::number(qlonglong(took / 1ms)));
    QVERIFY(sim_->runUntil([&] { return rolledOut(6); }, 5s));
    // It comes back: the taints go, and its old pods go for good.
    helpers_->nodes.push_back("n1");
    QVERIFY(sim_->runUntil(
        [&] { return api_->find(api_->kind("nodes"), "n1")->as<api::core::Node>().spec.taints.empty(); },
        10s));
    QVERIFY(sim_->runUntil([&] { return pods().size() == 6; }, 10s));
  }

  void nobodyIsEvictedWhenAllVanish() {
    nodes(3);
    begin();
    deploy(6);
    QVERIFY(sim_->runUntil([&] { return rolledOut(6); }, 30s));
    auto before = pods();
    helpers_->renewing = false;
    sim_->runFor(120s);
    for (auto& [k, p] : before) {
      QVERIFY(pods().contains(k));
      QVERIFY(!pods().get(k)->meta().deleting);
    }
    helpers_->renewing = true;
    sim_->runFor(30s);
    QCOMPARE(running(), 6);
    QCOMPARE(podCreates(), size_t(6));
  }

  void convergesUnderFaults() {
    for (uint64_t seed = 1; seed <= 25; ++seed) {
      world(seed);
      auto& random = sim_->random();
      api_->delay = [this] { return Duration(std::chrono::milliseconds(sim_->random().below(60))); };
      bool calm = false;
      api_->onWrite = [&](const client::Write&) -> std::optional<Status> {
        if (calm || random.below(10)) return std::nullopt;
        return Status::unavailable("not now");
      };
      nodes(4);
      begin();
      int wanted = 3 + int(random.below(5));
      deploy(wanted);
      for (int i = 0; i < 20; ++i) {
        sim_->runFor(std::chrono::milliseconds(random.below(3000)));
        switch (random.below(5)) {
          case 0:
            api_->endWatches(Status::unavailable("cut"));
            break;
          case 1:
            api_->compact();
            break;
          case 2:
            wanted = int(random.below(8));
            api_->edit(api_->kind("deployments"), "default/web", [&](Json& t) {
              t.at("spec").as_object()["replicas"] = wanted;
              auto& g = t.at("metadata").as_object()["generation"];
              g = g.as_int64() + 1;
            });
            break;
          case 3:
            if (!pods().empty()) api_->remove(api_->kind("pods"), pods().begin()->first);
            break;
          default: {  // the engine starts anew
            all_.reset();
            sim_->runFor(10ms);
            auto r = controllers::startControllers(*api_, sim_, {});
            all_ = std::move(*r);
          }
        }
      }
      calm = true;
      bool done = sim_->runUntil(
          [&] { return rolledOut(wanted) && int(pods().size()) == wanted && running() == wanted; }, 300s);
      QVERIFY2(done, qPrintable(QString("seed %1: wanted %2, pods %3, running %4")
                                    .arg(seed)
                                    .arg(wanted)
                                    .arg(pods().size())
                                    .arg(running())));
      sim_->runFor(60s);
      QCOMPARE(int(pods().size()), wanted);
    }
  }
};

QTEST_GUILESS_MAIN(RunnerTest)
#include "runner_test.moc"
