#include "engine/controllers/common/revisions.h"

#include <QtTest>

#include "engine/controllers/common/pods.h"
#include "tests/unit/controllers/cluster.h"

using namespace ph;
using namespace ph::test;
using controllers::History;
using controllers::keepHistory;
using controllers::templateOf;
using controllers::trimHistory;

class RevisionsTest : public QObject {
  Q_OBJECT

  std::unique_ptr<Cluster> c_;
  Plan plan_;

  ObjectPtr set(const std::string& image = "v1", const std::string& kind = "DaemonSet", const std::string& meta = "") {
    return c_->put(fmt::format(
        "apiVersion: apps/v1\nkind: {0}\nmetadata: {{name: web, annotations: {{kubernetes.io/change-cause: why, "
        "kubectl.kubernetes.io/last-applied-configuration: big}}{1}}}\nspec: {{serviceName: web, selector: "
        "{{matchLabels: {{app: web}}}}, template: {{metadata: {{labels: {{app: web}}}}, spec: {{containers: "
        "[{{name: c, image: {2}}}]}}}}}}",
        kind, meta, image));
  }
  History keep(const ObjectPtr& owner, int collisions = 0) {
    plan_ = {};
    auto& s = owner->info().kind == "DaemonSet" ? owner->as<api::apps::DaemonSet>().spec.selector
                                                : owner->as<api::apps::StatefulSet>().spec.selector;
    return keepHistory(c_->snapshot, owner, controllers::selectorOf(s.orEmpty()), collisions, plan_);
  }
  // Makes what a look at the set with this image asks for, and gives its name.
  std::string made(const std::string& image) {
    keep(set(image));
    return c_->putTree(body(plan_, "create controllerrevisions"))->name();
  }
  // A revision that someone else wrote.
  ObjectPtr revision(const std::string& name, int64_t number, const std::string& data,
                     const std::string& meta = "labels: {app: web}") {
    return c_->put(fmt::format("apiVersion: apps/v1\nkind: ControllerRevision\nmetadata: {{name: {}, {}}}\n"
                               "revision: {}\ndata: {}",
                               name, meta, number, data));
  }

 private slots:
  void init() { c_ = std::make_unique<Cluster>(); }

  void makesTheFirst() {
    auto owner = set();
    History h = keep(owner);
    QVERIFY(!h.current);
    QCOMPARE(h.nextRevision, int64_t(1));
    Json b = body(plan_, "create controllerrevisions");
    QCOMPARE(text(b, "metadata.name"), h.currentName);
    QCOMPARE(text(b, "metadata.labels.app"), std::string("web"));
    QCOMPARE("web-" + text(b, "metadata.labels.controller-revision-hash"), h.currentName);
    QCOMPARE(text(b, "metadata.ownerReferences.0.uid"), std::string("uid-web"));
    QCOMPARE(text(b, "metadata.ownerReferences.0.controller"), std::string("true"));
    QCOMPARE(text(b, "revision"), std::string("1"));
    QCOMPARE(text(b, "data.spec.template.$patch"), std::string("replace"));
    QCOMPARE(text(b, "data.spec.template.spec.containers.0.image"), std::string("v1"));
    auto& notes = b.at("metadata").at("annotations").as_object();
    QVERIFY(notes.at("kubernetes.io/change-cause") == "why");
    QVERIFY(!notes.contains("kubectl.kubernetes.io/last-applied-configuration"));

    auto stored = c_->putTree(b);
    h = keep(owner);
    QVERIFY(plan_.empty());
    QCOMPARE(h.current, stored);
    QCOMPARE(h.currentName, stored->name());
    QCOMPARE(h.nextRevision, int64_t(2));
    auto meaning = [](const Json& pod) { return api::toText(*api::fromJson<api::core::PodTemplateSpec>(pod)); };
    QCOMPARE(meaning(templateOf(*stored)), meaning(owner->tree().at("spec").at("template")));
  }

  // kubectl and Kubernetes' own tests compare these very bytes with what they would write.
  void theDataIsWrittenAsClientsWriteIt() {
    keep(set());
    auto stored = c_->putTree(body(plan_, "create controllerrevisions"));
    auto data = stored->json();
    data = data.substr(data.find("\"data\":"));
    QVERIFY2(data.starts_with(R"("data":{"spec":{"template":{"$patch":"replace","metadata":{"creationTimestamp":null,"labels":{"app":"web"}},"spec":{"containers":[{"image":"v1",)"), data.c_str());
    QVERIFY2(data.find(R"("name":"c","resources":{})") != std::string::npos, data.c_str());
  }

  void statefulSetsLabelTheirsAsKubernetesDoes() {
    History h = keep(set("v1", "StatefulSet"));
    Json b = body(plan_, "create controllerrevisions");
    auto& labels = b.at("metadata").at("labels").as_object();
    QCOMPARE("web-" + std::string(labels.at("controller.kubernetes.io/hash").as_string()), h.currentName);
    QVERIFY(!labels.contains("controller-revision-hash"));
  }

  void anotherTemplateIsTheNextRevision() {
    std::string first = made("v1"), second = made("v2");
    QVERIFY(first != second);
    History h = keep(set("v3"));
    QCOMPARE(h.revisions.size(), size_t(2));
    QCOMPARE(h.revisions[0]->name(), first);
    QCOMPARE(h.revisions[1]->name(), second);
    QCOMPARE(text(body(plan_, "create controllerrevisions"), "revision"), std::string("3"));
  }

  void undoMakesAnOldOneTheNewest() {
    std::string first = made("v1");
    made("v2");
    History h = keep(set("v1"));
    QCOMPARE(h.currentName, first);
    QVERIFY(h.current);
    QCOMPARE(steps(plan_), std::vector<std::string>{"patch controllerrevisions/" + first});
    QCOMPARE(text(body(plan_, "patch"), "revision"), std::string("3"));
    QVERIFY(plan_.steps[0].write.revision > 0);
  }

  void theOrderOfFieldsIsNoDifference() {
    made("v1");
    auto owner = c_->put(
        "apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: web}\nspec: {template: {spec: {containers: [{image: "
        "v1, name: c}]}, metadata: {labels: {app: web}}}, selector: {matchLabels: {app: web}}}");
    QVERIFY(keep(owner).current);
    QVERIFY(plan_.empty());
  }

  void aTakenNameGetsAnotherHash() {
    std::string name = keep(set()).currentName;
    revision(name, 1, "{spec: {}}", "labels: {app: other}");
    History h = keep(set());
    QVERIFY(h.currentName != name);
    QCOMPARE(h.collisionCount, 1);
    QCOMPARE(text(body(plan_, "create controllerrevisions"), "metadata.name"), h.currentName);
    QCOMPARE(keep(set(), 1).currentName, h.currentName);
  }

  void adoptsBeforeItMakes() {
    set();
    Json orphan = (made("v1"), body(plan_, "create controllerrevisions"));
    auto& meta = orphan.at("metadata").as_object();
    meta.erase("ownerReferences");
    auto stored = c_->putTree(orphan);
    History h = keep(set());
    QVERIFY(!h.current);
    QCOMPARE(h.currentName, stored->name());
    QCOMPARE(steps(plan_), std::vector<std::string>{"patch controllerrevisions/" + stored->name()});
    QCOMPARE(text(body(plan_, "patch"), "metadata.ownerReferences.0.uid"), std::string("uid-web"));
  }

  void aDeletedOwnerMakesNothing() {
    std::string dying = ", deletionTimestamp: '2026-01-02T11:00:00Z', finalizers: [foregroundDeletion]";
    History h = keep(set("v1", "DaemonSet", dying));
    QVERIFY(!h.current);
    QVERIFY(!h.currentName.empty());
    QVERIFY(plan_.empty());
    std::string first = made("v1");
    made("v2");
    QCOMPARE(keep(set("v1", "DaemonSet", dying)).currentName, first);
    QVERIFY(plan_.empty());
  }

  void oddDataIsNobodysTemplate_data() {
    QTest::addColumn<QString>("data");
    for (auto* data : {"{}", "text", "{spec: 3}", "{spec: {template: [1]}}", "{spec: {template: {spec: {containers: 7}}}}"})
      QTest::newRow(data) << data;
  }
  void oddDataIsNobodysTemplate() {
    QFETCH(QString, data);
    auto odd = revision("odd", 7, data.toStdString(),
                        "labels: {app: web}, ownerReferences: [{apiVersion: apps/v1, kind: DaemonSet, name: web, uid: "
                        "uid-web, controller: true}]");
    History h = keep(set());
    QVERIFY(!h.current);
    QCOMPARE(h.revisions.size(), size_t(1));
    QCOMPARE(text(body(plan_, "create controllerrevisions"), "revision"), std::string("8"));
    QVERIFY(!templateOf(*odd).is_object() || templateOf(*odd).as_object().contains("spec"));
  }

  void forgetsTheOldest() {
    std::string r1 = made("v1"), r2 = made("v2"), r3 = made("v3"), r4 = made("v4");
    made("v5");
    History h = keep(set("v5"));
    auto trimmed = [&](int limit, std::set<std::string> inUse) {
      Plan p;
      trimHistory(h, limit, inUse, p);
      return steps(p);
    };
    using Steps = std::vector<std::string>;
    std::string del = "delete controllerrevisions/";
    QCOMPARE(trimmed(4, {}), Steps{});
    QCOMPARE(trimmed(2, {}), (Steps{del + r1, del + r2}));
    QCOMPARE(trimmed(2, {r1}), Steps{del + r2});
    QCOMPARE(trimmed(0, {r2, r3}), (Steps{del + r1, del + r4}));
  }
};

QTEST_GUILESS_MAIN(RevisionsTest)
#include "revisions_test.moc"
