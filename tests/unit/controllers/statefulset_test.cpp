#include "engine/controllers/statefulset/statefulset.h"

#include <QtTest>

#include "engine/api/patch.h"
#include "tests/unit/controllers/cluster.h"

using namespace ph;
using namespace ph::test;
using controllers::reconcileStatefulSet;
using Lines = std::vector<std::string>;

class StatefulSetTest : public QObject {
  Q_OBJECT

  std::unique_ptr<Cluster> c_;
  int made_ = 0;

  struct S {
    int64_t replicas = 3;
    std::string image = "v1", spec, meta, selector = "{matchLabels: {app: web}}";
  };
  // Keeps the status that it has.
  void set(S s) {
    auto before = c_->snapshot.get(c_->snapshot.kinds().statefulSets, "default/web");
    auto tree = api::parseYaml(fmt::format(
        "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {{name: web, generation: 3{}}}\n"
        "spec: {{replicas: {}, serviceName: svc, revisionHistoryLimit: 10, selector: {}, {}template: {{metadata: "
        "{{labels: {{app: web}}, annotations: {{note: hi}}}}, spec: {{containers: [{{name: c, image: {}}}], volumes: "
        "[{{name: data, emptyDir: {{}}}}, {{name: tmp, emptyDir: {{}}}}]}}}}}}",
        s.meta, s.replicas, s.selector, s.spec, s.image));
    QVERIFY(tree.ok());
    Json was = before ? before->tree() : Json(JsonObject{});
    if (auto* status = api::at(was, "status")) tree->as_object()["status"] = *status;
    c_->putTree(*tree);
  }
  ObjectPtr find(const std::string& plural, const std::string& name) {
    for (auto* info : c_->registry->all())
      if (info->plural == plural && info->stored) return c_->snapshot.get(c_->registry->storage(info->group, plural), "default/" + name);
    return nullptr;
  }
  ObjectPtr pod(const std::string& name) { return find("pods", name); }
  std::string of(const ObjectPtr& object, const std::string& path) { return object ? text(object->tree(), path) : "(gone)"; }
  std::string image(const std::string& name) { return of(pod(name), "spec.containers.0.image"); }
  std::string status(const std::string& field) { return of(find("statefulsets", "web"), "status." + field); }
  std::string label(const std::string& name, std::string_view key) { return std::string(pod(name)->meta().label(key)); }

  void change(const ObjectPtr& object, const std::string& yaml) {
    Json tree = object->tree();
    api::applyMergePatch(tree, *api::parseYaml(yaml));
    c_->putTree(std::move(tree));
  }
  void ready(const std::string& name, const std::string& since = "2026-01-01T00:01:00Z") {
    change(pod(name), fmt::format("status: {{phase: Running, conditions: [{{type: Ready, status: 'True', "
                                  "lastTransitionTime: '{}'}}]}}", since));
  }
  void unready(const std::string& name) { change(pod(name), "status: {phase: Running, conditions: [{type: Ready, status: 'False'}]}"); }
  void phase(const std::string& name, const std::string& phase) { change(pod(name), "status: {phase: " + phase + "}"); }
  void erase(const std::string& plural, const std::string& name) { c_->snapshot.erase(find(plural, name)); }

  Plan run(int failures = 0) { return reconcileStatefulSet(c_->snapshot, key("default/web", failures, failures ? "no" : ""), c_->now); }
  // Does to the cluster what a plan says; deleted pods end when end() says so.
  void apply(const Plan& plan) {
    for (auto& step : plan.steps) {
      auto& w = step.write;
      if (w.verb == client::Verb::Create) {
        Json tree = *api::parseJson(w.body);
        tree.at("metadata").as_object()["uid"] = fmt::format("uid-{}", ++made_);
        if (w.info->plural == "pods") tree.as_object()["status"] = JsonObject{{"phase", "Pending"}};
        c_->putTree(std::move(tree));
        continue;
      }
      ObjectPtr object = find(w.info->plural, w.name);
      QVERIFY2(object && (w.uid.empty() || w.uid == object->uid()), w.name.c_str());
      QVERIFY(w.revision == 0 || w.revision == object->revision());
      if (w.verb == client::Verb::Patch)
        change(object, w.body);
      else if (w.info->plural == "pods")
        change(object, "metadata: {deletionTimestamp: '2026-01-02T11:59:59Z', deletionGracePeriodSeconds: 30}");
      else
        c_->snapshot.erase(object);
    }
  }
  // Looks until nothing is left to do; what was done but for the set's status.
  Lines look() {
    Lines out;
    for (int i = 0; i < 50; ++i) {
      Plan p = run();
      if (p.empty()) return out;
      for (auto& s : p.steps) {
        auto name = s.write.verb == client::Verb::Create ? "/" + text(*api::parseJson(s.write.body), "metadata.name") : "";
        Plan one;
        one.steps.push_back(s);
        std::string line = steps(one)[0] + name;
        if (!line.ends_with("/status") && line.find("controllerrevisions") == line.npos) out.push_back(line);
      }
      apply(p);
    }
    out.push_back("never done");
    return out;
  }
  // The same, while nodes do their part: pods come up, and go.
  Lines live() {
    Lines all;
    for (int i = 0; i < 100; ++i) {
      Lines now = look();
      all.insert(all.end(), now.begin(), now.end());
      bool changed = false;
      std::vector<ObjectPtr> pods;
      for (auto& [key, p] : c_->snapshot.all(c_->snapshot.kinds().pods)) pods.push_back(p);
      for (auto& p : pods) {
        if (p->meta().deleting) c_->snapshot.erase(p), changed = true;
        else if (of(p, "status.phase") == "Pending") ready(p->name()), changed = true;
      }
      if (!changed) return all;
    }
    return {"never done"};
  }
  void started(S s) {
    set(s);
    live();
  }
  static bool told(const Plan& p, const std::string& reason) {
    for (auto& n : p.notes)
      if (n.reason == reason) return true;
    return false;
  }
  void claim(const std::string& name, const std::string& meta) {
    c_->put(fmt::format("apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {{name: {}{}}}\nspec: {{accessModes: [ReadWriteOnce], "
                        "resources: {{requests: {{storage: 1Gi}}}}}}", name, meta));
  }
  static inline const std::string kClaims =
      "volumeClaimTemplates: [{metadata: {name: data, labels: {tier: gold}, annotations: {a: b}}, spec: {accessModes: "
      "[ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}], ";
  static std::string retention(const std::string& deleted, const std::string& scaled) {
    return fmt::format("persistentVolumeClaimRetentionPolicy: {{whenDeleted: {}, whenScaled: {}}}, ", deleted, scaled);
  }
  static std::string partition(int n) { return fmt::format("updateStrategy: {{type: RollingUpdate, rollingUpdate: {{partition: {}}}}}, ", n); }

 private slots:
  void init() {
    c_ = std::make_unique<Cluster>();
    made_ = 0;
  }

  void startsOneAfterTheOther() {
    set({});
    Plan p = run();
    QCOMPARE(steps(p), Lines{"create controllerrevisions"});
    apply(p);
    QCOMPARE(look(), Lines{"create pods/web-0"});
    QCOMPARE(look(), Lines{});
    unready("web-0");
    QCOMPARE(look(), Lines{});
    ready("web-0");
    QCOMPARE(look(), Lines{"create pods/web-1"});
    QCOMPARE(status("replicas"), std::string("2"));
    QCOMPARE(status("readyReplicas"), std::string("1"));
    // One before it fails: the next has to wait.
    ready("web-1");
    unready("web-0");
    QCOMPARE(look(), Lines{});
    ready("web-0");
    QCOMPARE(live(), Lines{"create pods/web-2"});
    for (auto field : {"replicas", "readyReplicas", "availableReplicas", "currentReplicas", "updatedReplicas", "observedGeneration"})
      QCOMPARE(status(field), std::string("3"));
    QVERIFY(status("currentRevision").starts_with("web-"));
    QCOMPARE(status("currentRevision"), status("updateRevision"));
    QVERIFY(run().empty());
  }

  void givesPodsTheirIdentity() {
    set({});
    apply(run());
    Plan p = run();
    Json b = body(p, "create pods");
    QCOMPARE(text(b, "metadata.name"), std::string("web-0"));
    auto& labels = b.at("metadata").at("labels").as_object();
    QVERIFY(labels.at("app") == "web");
    QVERIFY(labels.at("statefulset.kubernetes.io/pod-name") == "web-0");
    QVERIFY(labels.at("apps.kubernetes.io/pod-index") == "0");
    QVERIFY(std::string_view(labels.at("controller-revision-hash").as_string()).starts_with("web-"));
    QCOMPARE(text(b, "metadata.annotations.note"), std::string("hi"));
    QCOMPARE(text(b, "metadata.ownerReferences.0.uid"), std::string("uid-web"));
    QCOMPARE(text(b, "metadata.ownerReferences.0.controller"), std::string("true"));
    QCOMPARE(text(b, "spec.hostname"), std::string("web-0"));
    QCOMPARE(text(b, "spec.subdomain"), std::string("svc"));
    QCOMPARE(text(b, "spec.volumes.0.name"), std::string("data"));
    QCOMPARE(p.steps[0].ok->reason, std::string("SuccessfulCreate"));
    QCOMPARE(p.steps[0].ok->message, std::string("create Pod web-0 in StatefulSet web successful"));
    QCOMPARE(p.steps[0].failed->reason, std::string("FailedCreate"));
  }

  void waitsForMinReadySeconds() {
    set({.spec = "minReadySeconds: 10, "});
    look();
    ready("web-0", "2026-01-02T11:59:55Z");
    QCOMPARE(look(), Lines{});
    QCOMPARE(*run().again, Duration(5s));
    QCOMPARE(status("readyReplicas"), std::string("1"));
    QCOMPARE(status("availableReplicas"), std::string("(none)"));
    ready("web-0", "2026-01-02T11:59:50Z");
    QCOMPARE(look(), Lines{"create pods/web-1"});
  }

  void parallelDoesNotWait() {
    set({.spec = "podManagementPolicy: Parallel, "});
    QCOMPARE(look(), (Lines{"create pods/web-0", "create pods/web-1", "create pods/web-2"}));
    set({.replicas = 1, .spec = "podManagementPolicy: Parallel, "});
    QCOMPARE(look(), (Lines{"delete pods/web-2", "delete pods/web-1"}));
  }

  void aGiantIsMadeInBursts() {
    set({.replicas = 2000000000, .spec = "podManagementPolicy: Parallel, "});
    apply(run());
    QCOMPARE(count(run(), "create pods"), size_t(500));
    QCOMPARE(count(run(3), "create pods"), size_t(1));  // after a failure
  }

  void numbersMayStartElsewhere() {
    started({.replicas = 2});
    set({.replicas = 2, .spec = "ordinals: {start: 1}, "});
    QCOMPARE(live(), (Lines{"create pods/web-2", "delete pods/web-0"}));
  }

  void scalesDownFromTheHighest() {
    started({});
    set({.replicas = 1});
    QCOMPARE(look(), Lines{"delete pods/web-2"});
    QCOMPARE(look(), Lines{});  // until it is gone
    erase("pods", "web-2");
    unready("web-0");  // one that stays is not well
    QCOMPARE(look(), Lines{});
    ready("web-0");
    Plan p = run();
    QCOMPARE(count(p, "delete pods/web-1"), size_t(1));
    QVERIFY(!p.steps[0].write.uid.empty());
    QCOMPARE(p.steps[0].ok->reason, std::string("SuccessfulDelete"));
    QCOMPARE(live(), Lines{"delete pods/web-1"});
    QCOMPARE(status("replicas"), std::string("1"));
  }

  void scalingDownWaitsForTheUnhealthyBelow() {
    started({.replicas = 4});
    set({.replicas = 1});
    unready("web-3");
    unready("web-2");
    QCOMPARE(look(), Lines{});
    ready("web-2");
    QCOMPARE(look(), Lines{"delete pods/web-3"});
  }

  void updatesFromTheHighest() {
    started({});
    std::string old = status("currentRevision");
    set({.image = "v2"});
    QCOMPARE(look(), Lines{"delete pods/web-2"});
    QCOMPARE(look(), Lines{});
    QCOMPARE(status("replicas"), std::string("3"));  // what is on its way out is there, but of no version
    QCOMPARE(status("currentReplicas"), std::string("2"));
    erase("pods", "web-2");
    QCOMPARE(look(), Lines{"create pods/web-2"});
    QCOMPARE(image("web-2"), std::string("v2"));
    QCOMPARE(look(), Lines{});
    QCOMPARE(status("currentRevision"), old);
    QVERIFY(status("updateRevision") != old);
    QCOMPARE(label("web-2", "controller-revision-hash"), status("updateRevision"));
    QCOMPARE(status("currentReplicas"), std::string("2"));
    QCOMPARE(status("updatedReplicas"), std::string("1"));
    QCOMPARE(live(), (Lines{"delete pods/web-1", "create pods/web-1", "delete pods/web-0", "create pods/web-0"}));
    QCOMPARE(image("web-0"), std::string("v2"));
    QCOMPARE(status("currentRevision"), status("updateRevision"));
    QCOMPARE(status("currentReplicas"), std::string("3"));
  }

  void isNotDoneWhileOneIsMissing() {
    started({});
    set({.image = "v2", .spec = partition(1)});
    live();
    erase("pods", "web-0");  // all that are left are of the new version
    apply(run());
    QVERIFY(status("currentRevision") != status("updateRevision"));
    QCOMPARE(image("web-0"), std::string("v1"));
  }

  void aPartitionHoldsTheLowerBack() {
    started({});
    std::string old = status("currentRevision");
    set({.image = "v2", .spec = partition(2)});
    QCOMPARE(live(), (Lines{"delete pods/web-2", "create pods/web-2"}));
    QCOMPARE(status("currentRevision"), old);
    QCOMPARE(status("currentReplicas"), std::string("2"));
    QCOMPARE(status("updatedReplicas"), std::string("1"));
    erase("pods", "web-0");
    erase("pods", "web-2");
    QCOMPARE(live(), (Lines{"create pods/web-0", "create pods/web-2"}));
    QCOMPARE(image("web-0"), std::string("v1"));
    QCOMPARE(label("web-0", "controller-revision-hash"), old);
    QCOMPARE(label("web-0", "statefulset.kubernetes.io/pod-name"), std::string("web-0"));
    QCOMPARE(image("web-2"), std::string("v2"));
    set({.image = "v2", .spec = partition(0)});
    live();
    QCOMPARE(image("web-0") + image("web-1"), std::string("v2v2"));
    QCOMPARE(status("currentRevision"), status("updateRevision"));
  }

  void anUnreadableOldVersionGivesWayToTheNew() {
    started({});
    std::string old = status("currentRevision");
    set({.image = "v2", .spec = partition(3)});
    live();
    change(find("controllerrevisions", old), "data: {spec: {template: {spec: {containers: nonsense}}}}");
    erase("pods", "web-0");
    look();
    QCOMPARE(image("web-0"), std::string("v2"));
    QCOMPARE(label("web-0", "controller-revision-hash"), status("updateRevision"));
  }

  void goesBackInTheMiddle() {
    started({});
    std::string old = status("currentRevision");
    set({.image = "v2"});
    look();
    erase("pods", "web-2");
    look();
    ready("web-2");
    set({.image = "v1"});
    QCOMPARE(live(), (Lines{"delete pods/web-2", "create pods/web-2"}));
    QCOMPARE(image("web-2"), std::string("v1"));
    QCOMPARE(status("currentRevision"), old);
    QCOMPARE(status("updateRevision"), old);
    QCOMPARE(of(find("controllerrevisions", old), "revision"), std::string("3"));
    QCOMPARE(c_->snapshot.all(c_->snapshot.kinds().controllerRevisions).size(), size_t(2));
  }

  void aBrokenUpdateStops() {
    started({});
    set({.image = "broken"});
    look();
    erase("pods", "web-2");
    look();
    unready("web-2");
    QCOMPARE(look(), Lines{});
    // As documented: in order, a broken pod must be taken away by hand after the undo.
    set({.image = "v1"});
    QCOMPARE(look(), Lines{});
    erase("pods", "web-2");
    QCOMPARE(live(), Lines{"create pods/web-2"});
    QCOMPARE(image("web-2"), std::string("v1"));
  }

  void parallelGoesBackFromABrokenUpdate() {
    started({.spec = "podManagementPolicy: Parallel, "});
    set({.image = "broken", .spec = "podManagementPolicy: Parallel, "});
    QCOMPARE(look(), Lines{"delete pods/web-2"});
    erase("pods", "web-2");
    look();
    unready("web-2");
    QCOMPARE(look(), Lines{});
    set({.image = "v1", .spec = "podManagementPolicy: Parallel, "});
    QCOMPARE(live(), (Lines{"delete pods/web-2", "create pods/web-2"}));
  }

  void onDeleteLeavesItToTheUser() {
    std::string spec = "updateStrategy: {type: OnDelete}, ";
    started({.spec = spec});
    set({.image = "v2", .spec = spec});
    QCOMPARE(live(), Lines{});
    erase("pods", "web-1");
    QCOMPARE(live(), Lines{"create pods/web-1"});
    QCOMPARE(image("web-1"), std::string("v2"));
    QCOMPARE(status("updatedReplicas"), std::string("1"));
    QVERIFY(status("currentRevision") != status("updateRevision"));
  }

  void severalMayBeMissing() {
    std::string spec = "podManagementPolicy: Parallel, updateStrategy: {type: RollingUpdate, rollingUpdate: {partition: 0, maxUnavailable: 50%}}, ";
    started({.replicas = 4, .spec = spec});
    set({.replicas = 4, .image = "v2", .spec = spec});
    unready("web-0");  // it counts, and may go itself
    QCOMPARE(look(), Lines{"delete pods/web-3"});
    ready("web-0");
    QCOMPARE(look(), Lines{"delete pods/web-2"});
    live();
    QCOMPARE(image("web-0"), std::string("v2"));
    // Those that do not work make room for themselves.
    set({.replicas = 4, .image = "broken", .spec = spec});
    QCOMPARE(look(), (Lines{"delete pods/web-3", "delete pods/web-2"}));
    for (auto name : {"web-3", "web-2"}) erase("pods", name);
    look();
    for (auto name : {"web-3", "web-2"}) unready(name);
    QCOMPARE(look(), Lines{});
    set({.replicas = 4, .image = "v2", .spec = spec});
    QCOMPARE(look(), (Lines{"delete pods/web-3", "delete pods/web-2"}));
  }

  void anEndedPodIsMadeAgain_data() {
    QTest::addColumn<QString>("ended");
    QTest::addColumn<QString>("reason");
    QTest::newRow("failed") << "Failed" << "RecreatingFailedPod";
    QTest::newRow("succeeded") << "Succeeded" << "RecreatingTerminatedPod";
  }
  void anEndedPodIsMadeAgain() {
    QFETCH(QString, ended);
    QFETCH(QString, reason);
    started({});
    phase("web-1", ended.toStdString());
    Plan p = run();
    QCOMPARE(count(p, "delete pods/web-1"), size_t(1));
    QVERIFY(told(p, reason.toStdString()));
    apply(p);
    QVERIFY(!told(run(), reason.toStdString()));
    QCOMPARE(live(), Lines{"create pods/web-1"});
  }

  void adoptsItsOwnAndReleasesOthers() {
    set({});
    apply(run());
    c_->pod("web-0", {});
    c_->pod("stray", {});
    c_->pod("web-1", {.app = "db"});
    Plan p = run();
    QCOMPARE(count(p, "patch pods"), size_t(1));
    QCOMPARE(text(body(p, "patch pods/web-0"), "metadata.ownerReferences.0.uid"), std::string("uid-web"));
    QCOMPARE(count(p, "create"), size_t(0));
    QVERIFY(!told(p, "FailedCreate"));
    apply(p);
    // What it lacks of an identity it gets, and then the version.
    p = run();
    QVERIFY(body(p, "patch pods/web-0").at("metadata").at("labels").at("statefulset.kubernetes.io/pod-name") == "web-0");
    apply(p);
    change(pod("web-0"), "metadata: {labels: {app: db}}");
    QCOMPARE(text(body(run(), "patch pods/web-0"), "metadata.ownerReferences"), std::string("null"));
  }

  void anotherPodOfTheNameIsInTheWay() {
    set({});
    apply(run());
    c_->pod("web-0", {.owner = "other"});
    Plan p = run();
    QCOMPARE(count(p, "create"), size_t(0));
    QCOMPARE(count(p, "patch pods") + count(p, "delete"), size_t(0));
    QVERIFY(told(p, "FailedCreate"));
    erase("pods", "web-0");
    QCOMPARE(look(), Lines{"create pods/web-0"});
  }

  void oddNamesAreNotItsPods() {
    set({.replicas = 1});
    apply(run());
    for (auto name : {"web-00", "web--0", "web-x", "web-0x", "web-99999999999999999999"}) c_->pod(name, {.app = "web"});
    QCOMPARE(steps(run()), (Lines{"create pods", "patch statefulsets/web/status"}));
  }

  void claimsComeBeforeThePod() {
    set({.spec = kClaims});
    apply(run());
    Plan p = run();
    Json b = body(p, "create persistentvolumeclaims");
    QCOMPARE(text(b, "metadata.name"), std::string("data-web-0"));
    QCOMPARE(text(b, "metadata.labels.app"), std::string("web"));
    QCOMPARE(text(b, "metadata.labels.tier"), std::string("gold"));
    QCOMPARE(text(b, "metadata.annotations.a"), std::string("b"));
    QCOMPARE(text(b, "metadata.ownerReferences"), std::string("(none)"));
    QCOMPARE(text(b, "spec.resources.requests.storage"), std::string("1Gi"));
    QCOMPARE(count(p, "create pods"), size_t(0));
    apply(p);
    p = run();
    QCOMPARE(count(p, "create"), size_t(1));
    b = body(p, "create pods");
    QCOMPARE(text(b, "spec.volumes.0.name"), std::string("data"));
    QCOMPARE(text(b, "spec.volumes.0.persistentVolumeClaim.claimName"), std::string("data-web-0"));
    QCOMPARE(text(b, "spec.volumes.1.name"), std::string("tmp"));  // the claim stands for the template's "data"
    QCOMPARE(text(b, "spec.volumes.2"), std::string("(none)"));
  }

  void claimsOutliveThePod() {
    started({.spec = kClaims});
    set({.replicas = 1, .spec = kClaims});
    live();
    QVERIFY(!pod("web-1"));
    QVERIFY(find("persistentvolumeclaims", "data-web-1"));
    set({.replicas = 2, .spec = kClaims});
    QCOMPARE(live(), Lines{"create pods/web-1"});
  }

  void aClaimThatGoesIsWaitedFor() {
    set({.spec = kClaims});
    apply(run());
    claim("data-web-0", ", deletionTimestamp: '2026-01-02T11:00:00Z', finalizers: [kubernetes.io/pvc-protection]");
    Plan p = run();
    QCOMPARE(count(p, "create"), size_t(0));
    QVERIFY(told(p, "FailedCreate"));
    erase("persistentvolumeclaims", "data-web-0");
    QCOMPARE(look(), (Lines{"create persistentvolumeclaims/data-web-0", "create pods/web-0"}));
    // A pod that still waits for its claim gets another one.
    erase("persistentvolumeclaims", "data-web-0");
    QCOMPARE(look(), Lines{"create persistentvolumeclaims/data-web-0"});
  }

  void claimsMayGoWithTheSet() {
    std::string spec = kClaims + retention("Delete", "Retain");
    started({.spec = kClaims});
    QCOMPARE(of(find("persistentvolumeclaims", "data-web-0"), "metadata.ownerReferences"), std::string("(none)"));
    set({.spec = spec});
    QCOMPARE(live().size(), size_t(3));
    QCOMPARE(of(find("persistentvolumeclaims", "data-web-0"), "metadata.ownerReferences.0.uid"), std::string("uid-web"));
    set({.replicas = 4, .spec = spec});
    live();
    QCOMPARE(of(find("persistentvolumeclaims", "data-web-3"), "metadata.ownerReferences.0.uid"), std::string("uid-web"));
    set({.replicas = 4, .spec = kClaims + retention("Retain", "Retain")});
    live();
    QCOMPARE(of(find("persistentvolumeclaims", "data-web-3"), "metadata.ownerReferences"), std::string("(none)"));
  }

  void claimsMayGoWithTheScaledAway() {
    std::string spec = kClaims + retention("Delete", "Delete");
    started({.spec = spec});
    std::string uid = pod("web-2")->uid();
    set({.replicas = 2, .spec = spec});
    QCOMPARE(look(), (Lines{"patch persistentvolumeclaims/data-web-2", "delete pods/web-2"}));
    auto claim = find("persistentvolumeclaims", "data-web-2");
    QCOMPARE(of(claim, "metadata.ownerReferences.0.uid"), uid);
    QCOMPARE(of(claim, "metadata.ownerReferences.1"), std::string("(none)"));
    QCOMPARE(of(find("persistentvolumeclaims", "data-web-1"), "metadata.ownerReferences.0.uid"), std::string("uid-web"));
    // Up again before the claim went after its pod: another pod must not get it.
    erase("pods", "web-2");
    set({.replicas = 3, .spec = spec});
    QCOMPARE(look(), Lines{});
    erase("persistentvolumeclaims", "data-web-2");
    QCOMPARE(live(), (Lines{"create persistentvolumeclaims/data-web-2", "create pods/web-2"}));
  }

  void claimsOfOthersAreLeftAlone() {
    started({.replicas = 1, .spec = kClaims});
    change(find("persistentvolumeclaims", "data-web-0"),
           "metadata: {ownerReferences: [{apiVersion: x/v1, kind: Backup, name: b, uid: u, controller: true}]}");
    set({.replicas = 1, .spec = kClaims + retention("Delete", "Delete")});
    QCOMPARE(look(), Lines{});
    change(find("persistentvolumeclaims", "data-web-0"), "metadata: {ownerReferences: [{apiVersion: apps/v1, kind: StatefulSet, name: web, uid: uid-web}]}");
    set({.replicas = 1, .spec = kClaims + retention("Retain", "Retain")});
    QCOMPARE(look(), Lines{});
  }

  void makesNothingWhenDeleted() {
    started({.replicas = 2});
    erase("pods", "web-0");
    c_->pod("web-5", {});
    set({.replicas = 3, .image = "v2", .meta = ", deletionTimestamp: '2026-01-02T11:00:00Z', finalizers: [foregroundDeletion]"});
    QCOMPARE(look(), Lines{});
    QCOMPARE(c_->snapshot.all(c_->snapshot.kinds().controllerRevisions).size(), size_t(1));
    QCOMPARE(status("replicas"), std::string("1"));
  }

  void selectingAllDoesNothing() {
    set({.selector = "{}"});
    c_->pod("web-0", {});
    QVERIFY(run().empty());
    QVERIFY(reconcileStatefulSet(c_->snapshot, key("default/gone"), c_->now).empty());
  }

  void repairsItsLabels() {
    started({.replicas = 1});
    change(pod("web-0"), "metadata: {labels: {statefulset.kubernetes.io/pod-name: x, apps.kubernetes.io/pod-index: null}}");
    Plan p = run();
    QCOMPARE(p.steps[0].failed->reason, std::string("FailedUpdate"));
    QCOMPARE(look(), Lines{"patch pods/web-0"});
    QCOMPARE(label("web-0", "statefulset.kubernetes.io/pod-name"), std::string("web-0"));
    QCOMPARE(label("web-0", "apps.kubernetes.io/pod-index"), std::string("0"));
  }

  void forgetsOldVersions() {
    for (auto image : {"v1", "v2", "v3", "v4"}) started({.image = image, .spec = "revisionHistoryLimit: 1, "});
    QCOMPARE(c_->snapshot.all(c_->snapshot.kinds().controllerRevisions).size(), size_t(2));
    // Those of pods stay.
    set({.image = "v5", .spec = "revisionHistoryLimit: 0, " + partition(1)});
    live();
    QCOMPARE(c_->snapshot.all(c_->snapshot.kinds().controllerRevisions).size(), size_t(2));
    erase("pods", "web-0");
    live();
    QCOMPARE(image("web-0"), std::string("v4"));
    // Even one that is neither the first nor the last.
    std::string between = label("web-2", "controller-revision-hash"), byHand = "revisionHistoryLimit: 0, updateStrategy: {type: OnDelete}, ";
    set({.image = "v6", .spec = byHand});
    live();
    QVERIFY(find("controllerrevisions", between));
    for (auto name : {"web-1", "web-2"}) erase("pods", name);
    live();
    QVERIFY(!find("controllerrevisions", between));
  }

  void knowsWhoseChangesAre() {
    started({.replicas = 1, .spec = kClaims});
    auto spec = controllers::statefulSetController(c_->snapshot.kinds());
    auto keys = [&](const ObjectPtr& object, bool gone = false) {
      controllers::Keys out;
      for (auto& w : spec.watches)
        if (w.kind == &object->info()) w.keys(c_->snapshot, gone ? client::Change{object, nullptr} : client::Change{nullptr, object}, out);
      std::sort(out.begin(), out.end());
      out.erase(std::unique(out.begin(), out.end()), out.end());
      return out;
    };
    const Lines ours{"default/web"};
    QCOMPARE(keys(find("statefulsets", "web")), ours);
    QCOMPARE(keys(pod("web-0")), ours);
    QCOMPARE(keys(c_->pod("web-7", {})), ours);
    QCOMPARE(keys(c_->pod("web-8", {.owner = "other"}), true), ours);  // it was in the way
    QCOMPARE(keys(c_->pod("other-0", {})), Lines{});
    QCOMPARE(keys(c_->pod("plain", {})), Lines{});
    QCOMPARE(keys(find("persistentvolumeclaims", "data-web-0"), true), ours);
    claim("more-web-0", "");
    QCOMPARE(keys(find("persistentvolumeclaims", "more-web-0")), Lines{});
    QCOMPARE(keys(find("controllerrevisions", status("currentRevision")), true), ours);
    auto stray = c_->put("apiVersion: apps/v1\nkind: ControllerRevision\nmetadata: {name: r, labels: {app: web}}\nrevision: 1");
    QCOMPARE(keys(stray), ours);
  }
};

QTEST_GUILESS_MAIN(StatefulSetTest)
#include "statefulset_test.moc"
