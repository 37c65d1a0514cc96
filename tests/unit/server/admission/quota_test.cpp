// Quotas: what counts, what is refused in which words, and that no number of writers at once gets past one.
#include <QTest>
#include <atomic>
#include <thread>

#include "engine/server/admission/quota_ledger.h"
#include "tests/unit/server/admission/core_fixture.h"

using namespace ph;
using namespace ph::test;

namespace {

std::string quota(const std::string& hard, const std::string& more = "", const std::string& name = "q") {
  return "apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: " + name + "}\nspec: {hard: {" + hard + "}" + more + "}";
}
std::string pod(const std::string& name, const std::string& resources = "{}", const std::string& more = "") {
  return "apiVersion: v1\nkind: Pod\nmetadata: {name: " + name + "}\nspec: {containers: [{name: c, image: i, resources: " + resources +
         "}]" + more + "}";
}
std::string configMap(const std::string& name) { return "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: " + name + "}"; }
std::string service(const std::string& name, const std::string& type) {
  return "apiVersion: v1\nkind: Service\nmetadata: {name: " + name + "}\nspec: {type: " + type + ", ports: [{port: 80, name: a}, {port: 81, name: b}]}";
}

}  // namespace

class QuotaTest : public QObject {
  Q_OBJECT
  std::unique_ptr<CoreFixture> c_;

  static std::string why(const Result<server::WriteAnswer>& r) { return CoreFixture::why(r); }
  std::string used(const std::string& name = "q", const std::string& ns = "default") {
    return api::amountsText(c_->core->quota->used(ns, name));
  }

 private slots:
  void init() { c_ = std::make_unique<CoreFixture>(); }
  void cleanup() { c_.reset(); }

  void countsAndWords() {
    QVERIFY(c_->create(pod("before")).ok());
    QVERIFY(c_->create(quota("pods: 2")).ok());
    QCOMPARE(used(), std::string("pods=1"));
    QVERIFY(c_->create(pod("a")).ok());
    auto r = c_->create(pod("b"));
    QCOMPARE(r.status().code, 403);
    QCOMPARE(why(r), std::string("pods \"b\" is forbidden: exceeded quota: q, requested: pods=1, used: pods=2, limited: pods=2"));
    // Elsewhere there is room.
    QVERIFY(c_->create("apiVersion: v1\nkind: Namespace\nmetadata: {name: team}").ok());
    QVERIFY(c_->create(pod("b"), "team").ok());
    // What ended makes room; so does what went.
    QVERIFY(c_->patch("apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nstatus: {phase: Succeeded}", "status").ok());
    QCOMPARE(used(), std::string("pods=1"));
    QVERIFY(c_->create(pod("b")).ok());
    QVERIFY(!c_->create(pod("c")).ok());
    QVERIFY(c_->remove(pod("before")).ok());
    QVERIFY(c_->create(pod("c")).ok());
    QCOMPARE(used(), std::string("pods=2"));
    QVERIFY(c_->remove(quota("")).ok());
    QVERIFY(c_->create(pod("d")).ok());
  }

  void computeMustBeSpecified() {
    QVERIFY(c_->create(quota("requests.cpu: 1, limits.memory: 1Gi")).ok());
    QCOMPARE(why(c_->create(pod("a"))), std::string("pods \"a\" is forbidden: failed quota: q: must specify limits.memory,requests.cpu"));
    QVERIFY(c_->create(pod("a", "{requests: {cpu: 600m}, limits: {memory: 256Mi}}")).ok());
    QCOMPARE(why(c_->create(pod("b", "{requests: {cpu: 500m}, limits: {memory: 256Mi}}"))),
             std::string("pods \"b\" is forbidden: exceeded quota: q, requested: requests.cpu=500m, used: requests.cpu=600m, limited: requests.cpu=1"));
    QVERIFY(c_->create(pod("b", "{requests: {cpu: 400m}, limits: {memory: 768Mi}}")).ok());
    QCOMPARE(used(), std::string("limits.memory=1Gi,requests.cpu=1"));
  }

  void sumsOfContainers() {
    QVERIFY(c_->create(quota("cpu: 10, requests.example.com/gpu: 3")).ok());
    QVERIFY(c_->create("apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  initContainers: [{name: i, image: i, resources: {requests: {cpu: 3}}}]\n"
                       "  containers: [{name: c, image: i, resources: {requests: {cpu: 1}, limits: {example.com/gpu: 2}}}, "
                       "{name: d, image: i, resources: {requests: {cpu: 1}}}]").ok());
    QCOMPARE(used(), std::string("cpu=3,requests.example.com/gpu=2"));
  }

  void scopes() {
    QVERIFY(c_->create(quota("pods: 1", ", scopes: [BestEffort]", "cheap")).ok());
    QVERIFY(c_->create(quota("pods: 1", ", scopeSelector: {matchExpressions: [{scopeName: PriorityClass, operator: In, values: [gold]}]}", "gold")).ok());
    QVERIFY(c_->create(quota("pods: 1", ", scopes: [Terminating]", "short")).ok());
    QVERIFY(c_->create("apiVersion: scheduling.k8s.io/v1\nkind: PriorityClass\nmetadata: {name: gold}\nvalue: 5").ok());
    std::string asks = "{requests: {cpu: 1m}}";
    QVERIFY(c_->create(pod("a")).ok());
    QVERIFY(why(c_->create(pod("b"))).find("exceeded quota: cheap,") != std::string::npos);
    QVERIFY(c_->create(pod("c", asks)).ok());
    QVERIFY(c_->create(pod("d", asks, ", priorityClassName: gold")).ok());
    QVERIFY(why(c_->create(pod("e", asks, ", priorityClassName: gold"))).find("exceeded quota: gold,") != std::string::npos);
    QVERIFY(c_->create(pod("f", asks, ", activeDeadlineSeconds: 5")).ok());
    QVERIFY(why(c_->create(pod("g", asks, ", activeDeadlineSeconds: 5"))).find("exceeded quota: short,") != std::string::npos);
    QCOMPARE(used("cheap"), std::string("pods=1"));
    QVERIFY(c_->create(configMap("x")).ok());  // scopes speak of pods only
  }

  void servicesAndTheirChanges() {
    QVERIFY(c_->create(quota("services: 3, services.nodeports: 2, services.loadbalancers: 1, count/configmaps: 1, configmaps: 5")).ok());
    QCOMPARE(used(), std::string("services=1"));  // "kubernetes"
    QVERIFY(c_->create(service("a", "NodePort")).ok());
    QVERIFY(why(c_->create(service("b", "NodePort"))).find("requested: services.nodeports=2, used: services.nodeports=2") != std::string::npos);
    QVERIFY(c_->create(service("b", "ClusterIP")).ok());
    auto r = c_->patch("apiVersion: v1\nkind: Service\nmetadata: {name: b}\nspec: {type: NodePort}");
    QVERIFY(why(r).find("exceeded quota: q, requested: services.nodeports=2") != std::string::npos);
    QVERIFY(c_->patch("apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {type: ClusterIP}").ok());
    QVERIFY(c_->patch("apiVersion: v1\nkind: Service\nmetadata: {name: b}\nspec: {type: LoadBalancer}").ok());
    QCOMPARE(used(), std::string("services=3,services.loadbalancers=1,services.nodeports=2"));
    QVERIFY(c_->create(configMap("m")).ok());
    QVERIFY(why(c_->create(configMap("second"))).find("requested: count/configmaps=1, used: count/configmaps=1, limited: count/configmaps=1") != std::string::npos);
  }

  void claims() {
    QVERIFY(c_->create(quota("requests.storage: 5Gi, fast.storageclass.storage.k8s.io/requests.storage: 2Gi, persistentvolumeclaims: 9")).ok());
    auto claim = [&](const char* name, const char* size, const char* cls) {
      return std::string("apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: ") + name + "}\nspec: {accessModes: [ReadWriteOnce], storageClassName: " +
             cls + ", resources: {requests: {storage: " + size + "}}}";
    };
    QVERIFY(c_->create(claim("a", "2Gi", "fast")).ok());
    QVERIFY(why(c_->create(claim("b", "1Gi", "fast"))).find("limited: fast.storageclass.storage.k8s.io/requests.storage=2Gi") != std::string::npos);
    QVERIFY(c_->create(claim("b", "1Gi", "slow")).ok());
    QVERIFY(!c_->create(claim("c", "3Gi", "slow")).ok());
    QCOMPARE(used(), std::string("fast.storageclass.storage.k8s.io/requests.storage=2Gi,persistentvolumeclaims=2,requests.storage=3Gi"));
  }

  void aChangedQuotaCountsAnew() {
    QVERIFY(c_->create(quota("pods: 1")).ok());
    QVERIFY(c_->create(pod("a")).ok());
    QVERIFY(!c_->create(pod("b")).ok());
    QVERIFY(c_->patch(quota("pods: 2, count/configmaps: 1")).ok());
    QVERIFY(c_->create(pod("b")).ok());
    QVERIFY(c_->create(configMap("x")).ok());
    QVERIFY(!c_->create(configMap("z")).ok());
    // Less than is used already: what is there stays, nothing comes.
    QVERIFY(c_->patch(quota("pods: 1")).ok());
    QVERIFY(!c_->create(pod("c")).ok());
    QCOMPARE(used(), std::string("count/configmaps=1,pods=2"));
  }

  void whatFailsUsesNothing() {
    QVERIFY(c_->create(quota("pods: 1")).ok());
    QVERIFY(!c_->create("apiVersion: v1\nkind: Pod\nmetadata: {name: Bad_Name}\nspec: {containers: [{name: c, image: i}]}").ok());
    auto dry = c_->request(server::Verb::Create, CoreFixture::yaml(pod("dry")), "default");
    dry.options.dryRun = true;
    QVERIFY(c_->send(dry).ok());
    QVERIFY(c_->create(pod("a")).ok());
    QCOMPARE(c_->create(pod("a")).status().code, 409);
    dry.name = "";
    auto r = c_->send(dry);
    QVERIFY(why(r).find("exceeded quota") != std::string::npos);
    QCOMPARE(used(), std::string("pods=1"));
    QVERIFY(c_->remove(pod("a")).ok());
    QVERIFY(c_->create(pod("b")).ok());
  }

  // Many writers at once, creating and deleting: at every moment there are as many as allowed at the most, and in the end the
  // ledger holds what is there.
  void aRace() {
    constexpr int kThreads = 8, kEach = 60, kMost = 25;
    QVERIFY(c_->create(quota("count/configmaps: " + std::to_string(kMost) + ", pods: 10")).ok());
    std::atomic<int> made{0}, refused{0}, other{0}, most{0};
    auto* maps = c_->registry->storage("", "configmaps");
    std::atomic<bool> over{false};
    std::thread observer([&] {
      while (!over) {
        int n = 0;
        auto snapshot = c_->core->cache->snapshot(*maps);
        std::string prefix = "default/";
        for (auto& entry : snapshot.objects.prefix(prefix)) n += !entry.first.empty();
        most = std::max(most.load(), n);
      }
    });
    std::vector<std::thread> writers;
    for (int t = 0; t < kThreads; ++t)
      writers.emplace_back([&, t] {
        for (int i = 0; i < kEach; ++i) {
          auto name = "m-" + std::to_string(t) + "-" + std::to_string(i);
          auto r = c_->create(configMap(name));
          if (r.ok()) ++made;
          else if (r.status().code == 403) ++refused;
          else ++other;
          if (r.ok() && i % 3 == 0 && !c_->remove(configMap(name)).ok()) ++other;
        }
      });
    for (auto& w : writers) w.join();
    over = true;
    observer.join();
    QCOMPARE(other.load(), 0);
    QVERIFY2(most <= kMost, std::to_string(most).c_str());
    QVERIFY(refused > 0);
    // What is left to give is given exactly.
    int left = 0;
    for (int i = 0; c_->create(configMap("last-" + std::to_string(i))).ok(); ++i) ++left;
    int n = 0;
    auto snapshot = c_->core->cache->snapshot(*maps);
    std::string prefix = "default/";
    for (auto& entry : snapshot.objects.prefix(prefix)) n += !entry.first.empty();
    QCOMPARE(n, kMost);
    QCOMPARE(used(), "count/configmaps=" + std::to_string(kMost));
  }

  // Quotas that come and change while others write: the count misses nothing and takes nothing twice.
  void aQuotaComesInTheMiddle() {
    constexpr int kThreads = 4, kEach = 80;
    std::atomic<int> failed{0};
    std::vector<std::thread> writers;
    for (int t = 0; t < kThreads; ++t)
      writers.emplace_back([&, t] {
        for (int i = 0; i < kEach; ++i) {
          auto name = "m-" + std::to_string(t) + "-" + std::to_string(i);
          if (!c_->create(configMap(name)).ok()) ++failed;
          if (i % 4 == 0 && !c_->remove(configMap(name)).ok()) ++failed;
        }
      });
    QVERIFY(c_->create(quota("count/configmaps: 1000")).ok());
    for (int i = 0; i < 10; ++i) QVERIFY(c_->patch(quota("count/configmaps: " + std::to_string(2000 + i))).ok());
    for (auto& w : writers) w.join();
    QCOMPARE(failed.load(), 0);
    QCOMPARE(used(), "count/configmaps=" + std::to_string(kThreads * kEach * 3 / 4));
  }

  void countedAnewAfterARestart() {
    QVERIFY(c_->create(quota("pods: 2")).ok());
    QVERIFY(c_->create(pod("a")).ok());
    server::QuotaLedger again(*c_->core->cache, *c_->registry);
    again.load();
    QCOMPARE(api::amountsText(again.used("default", "q")), std::string("pods=1"));
  }
};

QTEST_GUILESS_MAIN(QuotaTest)
#include "quota_test.moc"
