#include "engine/controllers/clusterrole/clusterrole.h"

#include <QtTest>

#include "tests/unit/controllers/cluster.h"

using namespace ph;
using namespace ph::test;

class ClusterRoleTest : public QObject {
  Q_OBJECT
  std::unique_ptr<Cluster> c_;
  using Lines = std::vector<std::string>;

  ObjectPtr role(const std::string& name, const std::string& labels, const std::string& rest) {
    return c_->put("apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: " + name + ", labels: {" + labels +
                   "}}\n" + rest);
  }
  static std::string rule(const std::string& resource) {
    return "{apiGroups: [''], resources: [" + resource + "], verbs: [get]}";
  }
  Plan run(const std::string& name) { return controllers::reconcileClusterRole(c_->snapshot, key(name), c_->now); }

 private slots:
  void init() { c_ = std::make_unique<Cluster>(); }

  void takesTheRulesOfAllItSelectsInOrderOnce() {
    role("b", "to: view", "rules: [" + rule("pods") + ", " + rule("nodes") + "]");
    role("a", "to: view", "rules: [" + rule("secrets") + ", " + rule("nodes") + "]");
    role("c", "to: edit", "rules: [" + rule("services") + "]");
    role("view", "to: view", "aggregationRule: {clusterRoleSelectors: [{matchLabels: {to: view}}]}\nrules: [" + rule("mine") + "]");
    Plan p = run("view");
    QCOMPARE(steps(p), Lines{"patch clusterroles/view"});
    Json rules = body(p, "patch clusterroles/view").at("rules");
    QCOMPARE(rules.as_array().size(), size_t(3));
    QCOMPARE(text(rules, "0.resources.0"), std::string("secrets"));
    QCOMPARE(text(rules, "1.resources.0"), std::string("nodes"));
    QCOMPARE(text(rules, "2.resources.0"), std::string("pods"));
    QVERIFY(p.steps[0].write.revision > 0);
  }

  void isLeftAloneWhenItIsRight() {
    role("a", "to: view", "rules: [" + rule("pods") + "]");
    role("view", "", "aggregationRule: {clusterRoleSelectors: [{matchLabels: {to: view}}]}\nrules: [" + rule("pods") + "]");
    QVERIFY(run("view").empty());
    QVERIFY(run("a").empty());
    QVERIFY(run("none").empty());
  }

  void losesWhatIsGone() {
    role("view", "", "aggregationRule: {clusterRoleSelectors: [{matchLabels: {to: view}}]}\nrules: [" + rule("pods") + "]");
    QCOMPARE(steps(run("view")).size(), size_t(1));
  }
};

QTEST_GUILESS_MAIN(ClusterRoleTest)
#include "clusterrole_test.moc"
