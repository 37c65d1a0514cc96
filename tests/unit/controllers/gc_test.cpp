#include "engine/controllers/gc/gc.h"

#include <QtTest>

#include "engine/controllers/namespaces/namespaces.h"
#include "engine/controllers/serviceaccount/serviceaccount.h"
#include "tests/unit/controllers/cluster.h"

using namespace ph;
using namespace ph::test;

class GcTest : public QObject {
  Q_OBJECT
  std::unique_ptr<Cluster> c_;

  std::string ref(const std::string& name, bool block = true) {
    return "{apiVersion: v1, kind: ConfigMap, name: " + name + ", uid: uid-" + name +
           (block ? ", blockOwnerDeletion: true}" : "}");
  }
  ObjectPtr map(const std::string& name, const std::string& owners = "", const std::string& meta = "") {
    return c_->put("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: " + name +
                   (owners.empty() ? "" : ", ownerReferences: [" + owners + "]") + meta + "}");
  }
  std::string dying(const std::string& finalizer) {
    return ", deletionTimestamp: '2026-01-02T11:00:00Z', finalizers: [" + finalizer + "]";
  }
  Plan run(const ObjectPtr& o) {
    return controllers::collectGarbage(c_->snapshot, key(controllers::gcKey(*o)), c_->now);
  }
  using Lines = std::vector<std::string>;

 private slots:
  void init() { c_ = std::make_unique<Cluster>(); }

  void leavesTheOwnedAlone() {
    map("owner");
    QVERIFY(run(map("child", ref("owner"))).empty());
    QVERIFY(run(map("free")).empty());
  }

  void deletesWhenAllOwnersAreGoneAfterAsking() {
    Plan p = run(map("child", ref("owner") + ", " + ref("other")));
    QCOMPARE(steps(p), Lines{"delete configmaps/child"});
    QVERIFY(p.steps[0].write.propagation == client::Propagation::Background);
    QCOMPARE(p.absences.size(), size_t(2));
    QCOMPARE(p.absences[0].name, std::string("owner"));
    QCOMPARE(p.absences[0].uid, std::string("uid-owner"));
  }

  void aNewOwnerOfTheSameNameIsAnother() {
    c_->put("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: owner, uid: another}");
    QCOMPARE(steps(run(map("child", ref("owner")))), Lines{"delete configmaps/child"});
  }

  void forgetsGoneOwnersWhenOneLives() {
    map("alive");
    Plan p = run(map("child", ref("gone") + ", " + ref("alive")));
    Json owners = body(p, "patch configmaps/child").at("metadata").at("ownerReferences");
    QCOMPARE(owners.as_array().size(), size_t(1));
    QCOMPARE(text(owners, "0.name"), std::string("alive"));
  }

  void unknownKindsAreNotJudged() {
    Plan p = run(map("child", "{apiVersion: example.com/v1, kind: Thing, name: t, uid: u}"));
    QVERIFY(p.empty() && p.again);
  }

  void foregroundWaitsForThoseThatBlock() {
    auto owner = map("owner", "", dying("foregroundDeletion"));
    auto blocking = map("blocking", ref("owner"));
    map("loose", ref("owner", false));
    QVERIFY(run(owner).empty());
    QCOMPARE(steps(run(blocking)), Lines{"delete configmaps/blocking"});
    c_->snapshot.erase(blocking);
    Plan p = run(owner);
    QCOMPARE(steps(p), Lines{"patch configmaps/owner"});
    QCOMPARE(text(body(p, "patch"), "metadata.finalizers"), std::string("null"));
  }

  void foregroundGoesDownTheTree() {
    map("top", "", dying("foregroundDeletion"));
    auto middle = map("middle", ref("top"));
    map("leaf", ref("middle"));
    Plan p = run(middle);
    QCOMPARE(steps(p), Lines{"delete configmaps/middle"});
    QVERIFY(p.steps[0].write.propagation == client::Propagation::Foreground);
  }

  void orphansAreLetGoFirst() {
    auto owner = map("owner", "", dying("orphan, other"));
    map("child", ref("owner"));
    Plan p = run(owner);
    QCOMPARE(steps(p), Lines{"patch configmaps/child"});
    QCOMPARE(text(body(p, "patch"), "metadata.ownerReferences"), std::string("null"));
    map("child");
    p = run(owner);
    QCOMPARE(steps(p), Lines{"patch configmaps/owner"});
    QCOMPARE(text(body(p, "patch"), "metadata.finalizers"), std::string("[\"other\"]"));
  }

  void changesFindTheirKeys() {
    auto owner = map("owner");
    auto child = map("child", ref("owner"));
    auto keysFor = [&](const ObjectPtr& old, const ObjectPtr& now) {
      controllers::Keys keys;
      controllers::gcKeys(c_->snapshot, {old, now}, keys);
      std::sort(keys.begin(), keys.end());
      return keys;
    };
    auto k = [](const ObjectPtr& o) { return controllers::gcKey(*o); };
    QCOMPARE(keysFor(nullptr, child), controllers::Keys{k(child)});
    QCOMPARE(keysFor(child, child), controllers::Keys{});
    c_->snapshot.erase(owner);
    QCOMPARE(keysFor(owner, nullptr), controllers::Keys{k(child)});
    auto leaving = map("owner", "", dying("foregroundDeletion"));
    QCOMPARE(keysFor(owner, leaving), (controllers::Keys{k(child), k(owner)}));
    c_->snapshot.erase(child);
    QCOMPARE(keysFor(child, nullptr), controllers::Keys{k(owner)});
  }

  // ---- namespaces ----

  void namespaceEmptiesItselfThenGoes() {
    c_->put(
        "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop, deletionTimestamp: "
        "'2026-01-02T11:00:00Z'}\nspec: {finalizers: "
        "[kubernetes]}\nstatus: {phase: Terminating}");
    auto a = c_->put("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: shop}");
    auto b = c_->put("apiVersion: v1\nkind: Secret\nmetadata: {name: b, namespace: shop, finalizers: [x/y]}");
    c_->put("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: shopping}");
    auto go = [&] { return controllers::reconcileNamespace(c_->snapshot, key("shop"), c_->now); };
    Plan p = go();
    QCOMPARE(count(p, "delete"), size_t(2));
    QVERIFY(p.again.has_value());
    Json status = body(p, "patch namespaces/shop/status").at("status");
    QVERIFY(api::toText(status).find("configmaps. has 1 resource instances") != std::string::npos);
    QVERIFY(api::toText(status).find("x/y has 1 resource instances") != std::string::npos);
    c_->snapshot.erase(a);
    c_->snapshot.erase(b);
    p = go();
    QCOMPARE(steps(p), Lines{"update namespaces/shop/finalize"});
    QVERIFY(p.absences.size() > 8);
    QCOMPARE(text(body(p, "update"), "spec.finalizers"), std::string("[]"));
  }

  void livingNamespacesGetAnAccount() {
    c_->put("apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}");
    QVERIFY(controllers::reconcileNamespace(c_->snapshot, key("shop"), c_->now).empty());
    auto go = [&] { return controllers::reconcileServiceAccount(c_->snapshot, key("shop"), c_->now); };
    QCOMPARE(text(body(go(), "create serviceaccounts"), "metadata.name"), std::string("default"));
    c_->put("apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: default, namespace: shop}");
    QVERIFY(go().empty());
  }
};

QTEST_GUILESS_MAIN(GcTest)
#include "gc_test.moc"
