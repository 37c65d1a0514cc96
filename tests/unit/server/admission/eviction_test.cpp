// Evictions against budgets, and the debug containers of a pod, through the writes.
#include <QTest>
#include <atomic>
#include <thread>

#include "tests/unit/server/admission/core_fixture.h"

using namespace ph;
using namespace ph::test;

class EvictionTest : public QObject {
  Q_OBJECT
  std::unique_ptr<CoreFixture> c_;

  static std::string why(const Result<server::WriteAnswer>& r) { return CoreFixture::why(r); }

  // Bound and running, as an agent would say.
  void pod(const std::string& name, bool ready = true, const std::string& phase = "Running") {
    QVERIFY(c_->create("apiVersion: v1\nkind: Pod\nmetadata: {name: " + name +
                       ", labels: {app: web}}\nspec: {nodeName: n1, terminationGracePeriodSeconds: 0, containers: [{name: c, image: i}]}").ok());
    QVERIFY(c_->patch("apiVersion: v1\nkind: Pod\nmetadata: {name: " + name + "}\nstatus: {phase: " + phase +
                          ", conditions: [{type: Ready, status: '" + (ready ? "True" : "False") + "'}]}", "status").ok());
  }
  void budget(const std::string& status, const std::string& name = "b") {
    std::string head = "apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: " + name + "}\n";
    auto r = c_->create(head + "spec: {minAvailable: 1, selector: {matchLabels: {app: web}}}");
    QVERIFY2(r.ok(), why(r).c_str());
    r = c_->patch(head + "status: " + status, "status");
    QVERIFY2(r.ok(), why(r).c_str());
  }
  Result<server::WriteAnswer> evict(const std::string& name, const std::string& version = "policy/v1", bool dry = false) {
    server::ApiRequest r;
    r.verb = server::Verb::Create;
    r.info = c_->core->pods;
    r.ns = "default";
    r.name = name;
    r.subresource = "eviction";
    r.body = "{\"apiVersion\":\"" + version + "\",\"kind\":\"Eviction\",\"metadata\":{\"name\":\"" + name + "\"}}";
    r.user = server::systemAdmin();
    r.options.dryRun = dry;
    return c_->send(std::move(r));
  }
  Json budgetNow() { return c_->core->cache->get(*c_->registry->storage("policy", "poddisruptionbudgets"), "default/b")->tree(); }
  bool there(const std::string& name) { return c_->core->cache->get(*c_->core->pods, "default/" + name) != nullptr; }

 private slots:
  void init() { c_ = std::make_unique<CoreFixture>(); }
  void cleanup() { c_.reset(); }

  void withoutABudget() {
    pod("a");
    auto r = evict("a");
    QVERIFY2(r.ok(), why(r).c_str());
    QCOMPARE(r->code, 201);
    QVERIFY(r->text.find("\"Success\"") != std::string::npos);
    QVERIFY(!there("a"));
    QCOMPARE(evict("a").status().code, 404);
    pod("b");
    QVERIFY(evict("b", "policy/v1beta1").ok());
    QCOMPARE(evict("b", "apps/v1").status().code, 400);
  }

  void aBudgetGivesOnesAway() {
    for (auto name : {"a", "b"}) pod(name);
    budget("{observedGeneration: 1, currentHealthy: 2, desiredHealthy: 1, expectedPods: 2, disruptionsAllowed: 1}");
    QVERIFY(evict("a", "policy/v1", true).ok());
    QVERIFY(there("a"));
    QVERIFY2(evict("a").ok(), "there was one to give");
    QVERIFY(!there("a"));
    Json now = budgetNow();
    QCOMPARE(api::at(now, "status.disruptionsAllowed")->as_int64(), int64_t(0));
    QVERIFY(api::at(now, "status.disruptedPods.a"));
    auto r = evict("b");
    QCOMPARE(r.status().code, 429);
    QCOMPARE(r.status().reason, std::string("TooManyRequests"));
    QCOMPARE(why(r), std::string("Cannot evict pod as it would violate the pod's disruption budget."));
    QCOMPARE(r.status().causes.at(0).reason, std::string("DisruptionBudget"));
    QCOMPARE(r.status().causes.at(0).message, std::string("The disruption budget b needs 1 healthy pods and has 2 currently"));
    QVERIFY(there("b"));
  }

  void aStatusThatIsBehind() {
    pod("a");
    budget("{observedGeneration: 0, currentHealthy: 2, desiredHealthy: 1, expectedPods: 2, disruptionsAllowed: 1}");
    auto r = evict("a");
    QCOMPARE(r.status().code, 429);
    QCOMPARE(r.status().causes.at(0).message, std::string("The disruption budget b is still being processed by the server."));
  }

  void thoseThatDoNotCount() {
    pod("sick", false);
    pod("done", false, "Succeeded");
    pod("early", false, "Pending");
    pod("well");
    budget("{observedGeneration: 1, currentHealthy: 1, desiredHealthy: 1, expectedPods: 2, disruptionsAllowed: 0}");
    for (auto name : {"sick", "done", "early"}) QVERIFY2(evict(name).ok(), name);
    QCOMPARE(evict("well").status().code, 429);
    budget("{observedGeneration: 1, currentHealthy: 9, desiredHealthy: 1, expectedPods: 9, disruptionsAllowed: 8}", "second");
    auto r = evict("well");
    QCOMPARE(r.status().code, 500);
    QVERIFY(why(r).find("more than one PodDisruptionBudget") != std::string::npos);
  }

  // However many ask at once: as many go as are allowed.
  void aRace() {
    constexpr int kPods = 24, kAllowed = 7;
    for (int i = 0; i < kPods; ++i) pod("p" + std::to_string(i));
    budget("{observedGeneration: 1, currentHealthy: 24, desiredHealthy: 17, expectedPods: 24, disruptionsAllowed: 7}");
    std::atomic<int> gone{0}, refused{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 6; ++t)
      threads.emplace_back([&, t] {
        for (int i = t; i < kPods; i += 6) {
          auto r = evict("p" + std::to_string(i));
          if (r.ok()) ++gone;
          else if (r.status().code == 429) ++refused;
        }
      });
    for (auto& t : threads) t.join();
    QCOMPARE(gone.load(), kAllowed);
    QCOMPARE(refused.load(), kPods - kAllowed);
  }

  void debugContainers() {
    pod("a");
    auto debug = [&](const std::string& list, const std::string& more = "") {
      return c_->patch("apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {" + more + "ephemeralContainers: [" + list + "]}", "ephemeralcontainers");
    };
    auto r = debug("{name: d, image: tools, targetContainerName: c}", "activeDeadlineSeconds: 5, ");
    QVERIFY2(r.ok(), why(r).c_str());
    QCOMPARE(CoreFixture::text(r, "spec.ephemeralContainers.0.name"), std::string("d"));
    QCOMPARE(CoreFixture::text(r, "spec.activeDeadlineSeconds"), std::string("(none)"));  // only these change
    QVERIFY(why(debug("{name: d, image: other, targetContainerName: c}")).find("existing ephemeral containers \"d\" may not be changed") != std::string::npos);
    QVERIFY(why(debug("")).find("existing ephemeral containers \"d\" may not be removed") != std::string::npos);
    std::string d = "{name: d, image: tools, targetContainerName: c}, ";
    QVERIFY(why(debug(d + "{name: c, image: i}")).find("spec.ephemeralContainers[1].name: Duplicate value: \"c\"") != std::string::npos);
    QVERIFY(why(debug(d + "{name: e, image: i, targetContainerName: x}")).find("spec.ephemeralContainers[1].targetContainerName: Not found: \"x\"") != std::string::npos);
    QVERIFY(why(debug(d + "{name: e, image: i, livenessProbe: {exec: {command: [x]}}}")).find("cannot be set for an Ephemeral Container") != std::string::npos);
    QVERIFY(why(debug(d + "{name: e}")).find("spec.ephemeralContainers[1].image: Required value") != std::string::npos);
    // Not by an update of the pod itself.
    QVERIFY(!c_->patch("apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {ephemeralContainers: [" + d + "{name: f, image: i}]}").ok());
  }
};

QTEST_GUILESS_MAIN(EvictionTest)
#include "eviction_test.moc"
