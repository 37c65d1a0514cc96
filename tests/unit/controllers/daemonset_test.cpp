#include "engine/controllers/daemonset/daemonset.h"

#include <QtTest>

#include <map>
#include <set>

#include "engine/controllers/node/eviction.h"
#include "tests/unit/controllers/cluster.h"

using namespace ph;
using namespace ph::test;
using controllers::reconcileDaemonSet;

namespace {

using Strings = std::vector<std::string>;

struct Set {
  std::string image = "v1", update = "{type: RollingUpdate, rollingUpdate: {maxUnavailable: 1, maxSurge: 0}}";
  std::string spec;    // more of the pods' spec: "nodeSelector: {...}, "
  std::string meta;    // more of metadata
  std::string extra;   // more of the set's spec
  std::string status = "{desiredNumberScheduled: 0}";
};

struct P {
  std::string node = "n1", hash, phase = "Running";
  bool ready = true, bound = true, deleting = false;
  std::string created = "2026-01-01T00:00:00Z", readySince = "2026-01-01T00:01:00Z", notes;
};

}  // namespace

class DaemonSetTest : public QObject {
  Q_OBJECT

  std::unique_ptr<Cluster> c_;

  void set(Set s = {}) {
    c_->put(fmt::format(
        "apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {{name: log, generation: 4{}}}\nspec: {{updateStrategy: {}, "
        "selector: {{matchLabels: {{app: log}}}}, {}template: {{metadata: {{labels: {{app: log}}}}, spec: "
        "{{{}containers: [{{name: c, image: {}}}]}}}}}}\nstatus: {}",
        s.meta, s.update, s.extra, s.spec, s.image, s.status));
  }
  // The set, with the revision of its template there already; gives the hash.
  std::string known(Set s = {}) {
    set(std::move(s));
    Json made = body(run(), "create controllerrevisions");
    if (!made.is_null()) c_->putTree(made);
    for (auto& [key, r] : c_->snapshot.all(c_->snapshot.kinds().controllerRevisions))
      newest_ = std::max(newest_, {r->as<api::apps::ControllerRevision>().revision, hashOf(r)});
    return newest_.second;
  }
  static std::string hashOf(const ObjectPtr& o) { return std::string(o->meta().label("controller-revision-hash")); }
  std::pair<int64_t, std::string> newest_;

  void node(const std::string& name, const std::string& labels = "", const std::string& taints = "") {
    c_->put(fmt::format("apiVersion: v1\nkind: Node\nmetadata: {{name: {0}, labels: {{kubernetes.io/hostname: {0}{1}}}}}\n"
                        "spec: {{taints: [{2}]}}",
                        name, labels, taints));
  }
  void nodes(int count) {
    for (int i = 1; i <= count; ++i) node("n" + std::to_string(i));
  }
  ObjectPtr pod(const std::string& name, P p) {
    std::string placed = p.bound ? "nodeName: " + p.node
                                 : "affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: "
                                   "{nodeSelectorTerms: [{matchFields: [{key: metadata.name, operator: In, values: [" +
                                       p.node + "]}]}]}}}";
    return c_->put(fmt::format(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: {}, labels: {{app: log, controller-revision-hash: '{}'}}, "
        "creationTimestamp: '{}', annotations: {{{}}}, ownerReferences: [{{apiVersion: apps/v1, kind: DaemonSet, name: "
        "log, uid: uid-log, controller: true, blockOwnerDeletion: true}}]{}}}\nspec: {{{}, containers: [{{name: c, "
        "image: i}}]}}\nstatus: {{phase: {}, conditions: [{{type: Ready, status: '{}', lastTransitionTime: '{}'}}]}}",
        name, p.hash, p.created, p.notes,
        p.deleting ? ", deletionTimestamp: '2026-01-02T11:59:59Z', deletionGracePeriodSeconds: 30" : "", placed,
        p.phase, p.ready ? "True" : "False", p.readySince));
  }
  Plan run(int failures = 0) {
    return reconcileDaemonSet(c_->snapshot, key("default/log", failures, failures ? "no" : ""), c_->now);
  }
  // Nodes that get a pod, in order.
  static Strings made(const Plan& p) {
    Strings out;
    for (auto& s : p.steps)
      if (s.write.verb == client::Verb::Create && s.write.info->plural == "pods")
        out.push_back(text(*api::parseJson(s.write.body),
                           "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution."
                           "nodeSelectorTerms.0.matchFields.0.values.0"));
    return out;
  }
  static Strings deleted(const Plan& p) {
    Strings out;
    for (auto& s : p.steps)
      if (s.write.verb == client::Verb::Delete && s.write.info->plural == "pods") out.push_back(s.write.name);
    std::sort(out.begin(), out.end());
    return out;
  }
  static std::string status(const Plan& p, const std::string& field) {
    return text(body(p, "patch daemonsets/log/status"), "status." + field);
  }
  static Strings notes(const Plan& p) {
    Strings out;
    for (auto& n : p.notes) out.push_back(n.reason);
    return out;
  }
  Strings keysFor(const api::ResourceInfo* kind, const client::Change& change) {
    controllers::Keys keys;
    for (auto& w : controllers::daemonSetController(c_->snapshot.kinds()).watches)
      if (w.kind == kind) w.keys(c_->snapshot, change, keys);
    return keys;
  }
  const controllers::Kinds& kinds() { return c_->snapshot.kinds(); }

 private slots:
  void init() {
    c_ = std::make_unique<Cluster>();
    newest_ = {};
  }

  void theRevisionComesFirst() {
    nodes(2);
    set();
    Plan p = run();
    QCOMPARE(count(p, "create controllerrevisions"), size_t(1));
    QCOMPARE(made(p), Strings{});
    QCOMPARE(status(p, "desiredNumberScheduled"), std::string("2"));
    QCOMPARE(status(p, "observedGeneration"), std::string("4"));
  }

  void onePodForEachNode() {
    nodes(3);
    std::string hash = known();
    pod("a", {.node = "n2", .hash = hash});
    Plan p = run();
    QCOMPARE(made(p), (Strings{"n1", "n3"}));
    Json b = body(p, "create pods");
    QCOMPARE(text(b, "metadata.generateName"), std::string("log-"));
    QCOMPARE(text(b, "metadata.labels.app"), std::string("log"));
    QCOMPARE(text(b, "metadata.labels.controller-revision-hash"), hash);
    QCOMPARE(text(b, "metadata.ownerReferences.0.uid"), std::string("uid-log"));
    QCOMPARE(text(b, "spec.nodeName"), std::string("(none)"));
    QCOMPARE(text(b, "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution"),
             std::string(R"({"nodeSelectorTerms":[{"matchFields":[{"key":"metadata.name","operator":"In","values":["n1"]}]}]})"));
    auto it = std::find_if(p.steps.begin(), p.steps.end(), [](auto& s) { return s.ok.has_value(); });
    QVERIFY(it != p.steps.end());
    QCOMPARE(it->ok->reason, std::string("SuccessfulCreate"));
    QCOMPARE(it->failed->reason, std::string("FailedCreate"));
  }

  void toleratesWhatHappensToItsNode() {
    nodes(1);
    known({.spec = "hostNetwork: true, tolerations: [{key: node.kubernetes.io/not-ready, operator: Exists, effect: "
                   "NoExecute, tolerationSeconds: 5}, {key: mine, operator: Exists}], "});
    std::set<std::string> have;
    Json b = body(run(), "create pods");
    for (auto& t : b.at("spec").at("tolerations").as_array()) {
      QVERIFY(!t.as_object().contains("tolerationSeconds"));
      have.insert(text(t, "key") + ":" + text(t, "effect"));
    }
    std::string k = "node.kubernetes.io/";
    QVERIFY(have == (std::set<std::string>{"mine:(none)", k + "not-ready:NoExecute", k + "unreachable:NoExecute",
                                           k + "disk-pressure:NoSchedule", k + "memory-pressure:NoSchedule",
                                           k + "pid-pressure:NoSchedule", k + "unschedulable:NoSchedule",
                                           k + "network-unavailable:NoSchedule"}));
    QCOMPARE(b.at("spec").at("tolerations").as_array().size(), have.size());
  }

  void fits_data() {
    QTest::addColumn<QString>("spec");
    QTest::addColumn<QString>("taint");
    QTest::addColumn<QString>("fit");  // run, stay, never
    auto row = [](const char* name, const char* spec, const char* taint, const char* fit) {
      QTest::newRow(name) << spec << taint << fit;
    };
    auto taint = [](const char* key, const char* effect) {
      return QString("{key: node.kubernetes.io/%1, effect: %2}").arg(key, effect).toStdString();
    };
    row("plain", "", "", "run");
    row("node selector", "nodeSelector: {disk: ssd}, ", "", "run");
    row("other node selector", "nodeSelector: {disk: hdd}, ", "", "never");
    row("an empty label is not a missing one", "nodeSelector: {gpu: ''}, ", "", "never");
    row("an empty label", "nodeSelector: {role: ''}, ", "", "run");
    std::string affinity =
        "affinity: {{nodeAffinity: {{requiredDuringSchedulingIgnoredDuringExecution: {{nodeSelectorTerms: [{}]}}}}}}, ";
    auto required = [&](const char* terms) { return fmt::format(fmt::runtime(affinity), terms); };
    row("affinity", required("{matchExpressions: [{key: disk, operator: In, values: [ssd]}]}").c_str(), "", "run");
    row("either term", required("{matchExpressions: [{key: gpu, operator: Exists}]}, {matchFields: [{key: metadata.name, "
                                "operator: In, values: [n1]}]}").c_str(), "", "run");
    row("other affinity", required("{matchExpressions: [{key: disk, operator: NotIn, values: [ssd]}]}").c_str(), "", "never");
    row("its node by name", "nodeName: n1, ", "", "run");
    row("another node by name", "nodeName: n2, ", "", "never");
    row("NoSchedule", "", "{key: a, effect: NoSchedule}", "stay");
    row("NoExecute", "", "{key: a, effect: NoExecute}", "never");
    row("both", "", "{key: a, effect: NoSchedule}, {key: b, effect: NoExecute}", "never");
    row("PreferNoSchedule", "", "{key: a, effect: PreferNoSchedule}", "run");
    row("tolerated", "tolerations: [{key: a, value: b}], ", "{key: a, value: b, effect: NoSchedule}", "run");
    row("tolerated otherwise", "tolerations: [{key: a, value: c}], ", "{key: a, value: b, effect: NoSchedule}", "stay");
    row("cordoned", "", taint("unschedulable", "NoSchedule").c_str(), "run");
    row("lost", "", taint("unreachable", "NoExecute").c_str(), "run");
    row("under pressure", "", taint("memory-pressure", "NoSchedule").c_str(), "run");
    row("not ready", "", taint("not-ready", "NoSchedule").c_str(), "stay");
    row("no network", "", taint("network-unavailable", "NoSchedule").c_str(), "stay");
    row("no network, but it needs none", "hostNetwork: true, ", taint("network-unavailable", "NoSchedule").c_str(), "run");
  }
  void fits() {
    QFETCH(QString, spec);
    QFETCH(QString, taint);
    QFETCH(QString, fit);
    node("n1", ", disk: ssd, role: ''", taint.toStdString());
    std::string hash = known({.spec = spec.toStdString()});
    Plan p = run();
    QCOMPARE(made(p).size(), size_t(fit == "run"));
    pod("a", {.hash = hash});
    p = run();
    QCOMPARE(deleted(p), fit == "never" ? Strings{"a"} : Strings{});
    QCOMPARE(made(p), Strings{});
    QCOMPARE(status(p, "desiredNumberScheduled"), std::string(fit == "run" ? "1" : "0"));
    QCOMPARE(status(p, "numberMisscheduled"), std::string(fit == "run" ? "0" : "1"));
  }

  void onlyTheOldestStays() {
    nodes(1);
    std::string hash = known();
    pod("young", {.hash = hash, .created = "2026-01-01T03:00:00Z"});
    pod("old", {.hash = hash, .created = "2026-01-01T01:00:00Z"});
    pod("older-but-unbound", {.hash = hash, .bound = false});
    Plan p = run();
    QCOMPARE(deleted(p), (Strings{"older-but-unbound", "young"}));
    auto it = std::find_if(p.steps.begin(), p.steps.end(), [](auto& s) { return s.ok.has_value(); });
    QCOMPARE(it->ok->reason, std::string("SuccessfulDelete"));
  }

  void theNextComesWhenTheOneBeforeIsGone() {
    nodes(1);
    std::string hash = known();
    auto dying = pod("a", {.hash = hash, .deleting = true});
    QVERIFY(made(run()).empty());
    c_->snapshot.erase(dying);
    QCOMPARE(made(run()), Strings{"n1"});
    // Nothing of it runs any more.
    pod("a", {.hash = hash, .phase = "Failed", .deleting = true});
    QCOMPARE(made(run()), Strings{"n1"});
  }

  void aPodThatWaitsForItsNodeCounts() {
    nodes(2);
    std::string hash = known();
    pod("a", {.node = "n1", .hash = hash, .phase = "Pending", .ready = false, .bound = false});
    pod("b", {.node = "gone", .hash = hash, .phase = "Pending", .ready = false, .bound = false});
    Plan p = run();
    QCOMPARE(made(p), Strings{"n2"});
    QCOMPARE(deleted(p), Strings{"b"});
  }

  void failedOnesAreReplacedWithBackOff() {
    nodes(1);
    std::string hash = known();
    std::string notes = "daemonset.pilothouse.io/failures: '4'";
    pod("a", {.hash = hash, .phase = "Failed", .ready = false, .created = "2026-01-02T11:59:55Z"});
    Plan p = run();  // the first one at once
    QCOMPARE(deleted(p), Strings{"a"});
    QCOMPARE(made(p), Strings{"n1"});
    auto failures = [](const Plan& p) {
      return std::string(body(p, "create pods").at("metadata").at("annotations").at("daemonset.pilothouse.io/failures").as_string());
    };
    QCOMPARE(failures(p), std::string("1"));
    QCOMPARE(DaemonSetTest::notes(p), Strings{"FailedDaemonPod"});
    QVERIFY(p.notes[0].message.find("default/a on node n1") != std::string::npos);

    pod("a", {.hash = hash, .phase = "Failed", .ready = false, .created = "2026-01-02T11:59:55Z", .notes = notes});
    p = run();  // after 4 failures: 8 s
    QCOMPARE(deleted(p), Strings{});
    QCOMPARE(made(p), Strings{});
    QCOMPARE(*p.again, Duration(3s));
    c_->now.wall += 3s;
    p = run();
    QCOMPARE(deleted(p), Strings{"a"});
    QCOMPARE(failures(p), std::string("5"));

    c_->now.wall -= 1h;  // the clock went back
    QCOMPARE(deleted(run()), Strings{"a"});
    c_->now.wall += 2h;  // it had lasted
    QCOMPARE(failures(run()), std::string("1"));
    pod("a", {.hash = "other", .phase = "Succeeded", .ready = false, .notes = notes});
    p = run();  // another template is no culprit
    QCOMPARE(text(body(p, "create pods"), "metadata.annotations"), std::string("(none)"));
    QCOMPARE(DaemonSetTest::notes(p), Strings{"SucceededDaemonPod"});
  }

  void oddCountsOfFailures_data() {
    QTest::addColumn<QString>("count");
    for (auto* count : {"-3", "many", "99999999999999", "2000000000"}) QTest::newRow(count) << count;
  }
  void oddCountsOfFailures() {
    QFETCH(QString, count);
    nodes(1);
    std::string hash = known();
    pod("a", {.hash = hash, .phase = "Failed", .ready = false, .created = "2026-01-02T11:44:59Z",
              .notes = "daemonset.pilothouse.io/failures: '" + count.toStdString() + "'"});
    QCOMPARE(deleted(run()), Strings{"a"});  // never longer than a quarter of an hour
  }

  void goesCarefullyAfterAFailure() {
    nodes(5);
    known();
    QCOMPARE(made(run(0)).size(), size_t(5));
    QCOMPARE(made(run(2)), Strings{"n1"});
  }

  void aGiantIsMadeInBursts() {
    nodes(600);
    known();
    QCOMPARE(made(run()).size(), size_t(250));
  }

  void countsItsStatus() {
    for (auto* n : {"n1", "n2", "n3", "n4"}) node(n);
    node("closed", "", "{key: a, effect: NoSchedule}");
    std::string hash = known({.extra = "minReadySeconds: 10, "});
    pod("a", {.node = "n1", .hash = hash});
    pod("b", {.node = "n2", .hash = hash, .readySince = "2026-01-02T11:59:55Z"});
    pod("c", {.node = "n3", .hash = "old", .ready = false});
    pod("d", {.node = "closed", .hash = hash});
    Plan p = run();
    QCOMPARE(status(p, "desiredNumberScheduled"), std::string("4"));
    QCOMPARE(status(p, "currentNumberScheduled"), std::string("3"));
    QCOMPARE(status(p, "numberMisscheduled"), std::string("1"));
    QCOMPARE(status(p, "numberReady"), std::string("2"));
    QCOMPARE(status(p, "numberAvailable"), std::string("1"));
    QCOMPARE(status(p, "numberUnavailable"), std::string("3"));
    QCOMPARE(status(p, "updatedNumberScheduled"), std::string("2"));
    QCOMPARE(*p.again, Duration(5s));
  }

  void writesNothingWhenAllIsWell() {
    nodes(1);
    std::string hash = known({.status = "{desiredNumberScheduled: 1, currentNumberScheduled: 1, numberReady: 1, "
                                        "numberMisscheduled: 0, numberAvailable: 1, updatedNumberScheduled: 1, "
                                        "observedGeneration: 4}"});
    pod("a", {.hash = hash});
    QCOMPARE(steps(run()), Strings{});
  }

  void rollsWithinMaxUnavailable_data() {
    QTest::addColumn<QString>("limit");
    QTest::addColumn<int>("down");     // new pods that are not ready yet
    QTest::addColumn<int>("replaced");
    QTest::newRow("one") << "1" << 0 << 1;
    QTest::newRow("one, taken") << "1" << 1 << 0;
    QTest::newRow("two, one taken") << "2" << 1 << 1;
    QTest::newRow("more taken than allowed") << "1" << 3 << 0;
    QTest::newRow("percents round up") << "'15%'" << 0 << 2;
    QTest::newRow("all") << "'100%'" << 0 << 10;
    QTest::newRow("more than all") << "50" << 0 << 10;
    QTest::newRow("both zero is one") << "0" << 0 << 1;
  }
  void rollsWithinMaxUnavailable() {
    QFETCH(QString, limit);
    QFETCH(int, down);
    QFETCH(int, replaced);
    nodes(10);
    std::string old = known(),
                hash = known({.image = "v2", .update = "{type: RollingUpdate, rollingUpdate: {maxSurge: 0, maxUnavailable: " +
                                                       limit.toStdString() + "}}"});
    QVERIFY(old != hash);
    for (int i = 1; i <= 10; ++i)
      pod("p" + std::to_string(i), {.node = "n" + std::to_string(i), .hash = i <= down ? hash : old, .ready = i > down});
    Plan p = run();
    QCOMPARE(deleted(p).size(), size_t(replaced));
    QCOMPARE(made(p), Strings{});  // after the old one has gone
  }

  void oldOnesThatServeNobodyGoAtOnce() {
    nodes(4);
    std::string old = known(), hash = known({.image = "v2"});
    pod("a", {.node = "n1", .hash = old, .ready = false});
    pod("b", {.node = "n2", .hash = old, .phase = "Pending", .ready = false});
    pod("c", {.node = "n3", .hash = old});
    pod("d", {.node = "n4", .hash = hash});
    QCOMPARE(deleted(run()), (Strings{"a", "b"}));
  }

  void waitsForMinReadySeconds() {
    nodes(2);
    std::string old = known(), hash = known({.image = "v2", .extra = "minReadySeconds: 10, "});
    pod("a", {.node = "n1", .hash = hash, .readySince = "2026-01-02T11:59:52Z"});
    pod("b", {.node = "n2", .hash = old});
    Plan p = run();
    QCOMPARE(deleted(p), Strings{});
    QCOMPARE(*p.again, Duration(2s));
    c_->now.wall += 2s;
    QCOMPARE(deleted(run()), Strings{"b"});
  }

  void aLostNodeHoldsNobodyUp() {
    nodes(1);
    node("lost", "", "{key: node.kubernetes.io/unreachable, effect: NoSchedule}, {key: node.kubernetes.io/unreachable, "
                     "effect: NoExecute}");
    std::string old = known();
    pod("a", {.node = "n1", .hash = old});
    pod("b", {.node = "lost", .hash = old, .ready = false});
    QCOMPARE(deleted(run()), Strings{});
    known({.image = "v2"});
    QCOMPARE(deleted(run()), Strings{"a"});
  }

  void theLossOfANodeDeletesNoPod() {
    node("n1");
    known();
    Json made = body(run(), "create pods");
    made.at("metadata").as_object()["name"] = "a";
    made.at("spec").as_object()["nodeName"] = "n1";
    c_->putTree(made);
    node("n1", "", "{key: node.kubernetes.io/unreachable, effect: NoExecute, timeAdded: '2026-01-01T00:00:00Z'}");
    QCOMPARE(steps(controllers::evictFromNode(c_->snapshot, key("n1"), c_->now, 10s)), Strings{});
    QCOMPARE(deleted(run()), Strings{});
    node("n1", "", "{key: mine, effect: NoExecute, timeAdded: '2026-01-01T00:00:00Z'}");
    QCOMPARE(steps(controllers::evictFromNode(c_->snapshot, key("n1"), c_->now, 10s)), Strings{"delete pods/a"});
  }

  void onDeleteLeavesOldPods() {
    nodes(2);
    std::string old = known();
    std::string hash = known({.image = "v2", .update = "{type: OnDelete}"});
    pod("a", {.node = "n1", .hash = old});
    Plan p = run();
    QCOMPARE(deleted(p), Strings{});
    QCOMPARE(made(p), Strings{"n2"});
    QCOMPARE(text(body(p, "create pods"), "metadata.labels.controller-revision-hash"), hash);
    QCOMPARE(text(body(p, "create pods"), "spec.containers.0.image"), std::string("v2"));
  }

  void surges() {
    nodes(4);
    std::string old = known();
    std::string hash =
        known({.image = "v2", .update = "{type: RollingUpdate, rollingUpdate: {maxSurge: '50%', maxUnavailable: 0}}"});
    for (auto* n : {"n1", "n2", "n3", "n4"}) pod(std::string("old-") + n, {.node = n, .hash = old});
    Plan p = run();
    QCOMPARE(made(p), (Strings{"n1", "n2"}));
    QCOMPARE(deleted(p), Strings{});

    pod("new-n1", {.node = "n1", .hash = hash, .ready = false, .created = "2026-01-01T10:00:00Z"});
    pod("new-n2", {.node = "n2", .hash = hash, .ready = false, .created = "2026-01-01T10:00:00Z"});
    p = run();  // both still start
    QCOMPARE(made(p), Strings{});
    QCOMPARE(deleted(p), Strings{});

    pod("new-n1", {.node = "n1", .hash = hash, .created = "2026-01-01T10:00:00Z"});
    p = run();
    QCOMPARE(deleted(p), Strings{"old-n1"});
    QCOMPARE(made(p), Strings{"n3"});

    // An old one that no longer serves is not waited for, and takes no room.
    pod("old-n2", {.node = "n2", .hash = old, .ready = false});
    pod("old-n4", {.node = "n4", .hash = old, .ready = false});
    p = run();
    QCOMPARE(deleted(p), (Strings{"old-n1", "old-n2"}));
    QCOMPARE(made(p), (Strings{"n3", "n4"}));
  }

  void aSurgeThatFailsBacksOff() {
    nodes(1);
    std::string old = known();
    std::string hash =
        known({.image = "v2", .update = "{type: RollingUpdate, rollingUpdate: {maxSurge: 1, maxUnavailable: 0}}"});
    pod("old", {.hash = old});
    pod("new", {.hash = hash, .phase = "Failed", .ready = false, .created = "2026-01-02T11:59:59Z",
                .notes = "daemonset.pilothouse.io/failures: '2'"});
    Plan p = run();
    QCOMPARE(deleted(p), Strings{});
    QCOMPARE(made(p), Strings{});
    c_->now.wall += 1s;
    p = run();
    QCOMPARE(deleted(p), Strings{"new"});
    QCOMPARE(made(p), Strings{"n1"});
    QVERIFY(text(body(p, "create pods"), "metadata.annotations").find("\"3\"") != std::string::npos);
  }

  void adoptsBeforeItMakes() {
    nodes(2);
    known();
    c_->put("apiVersion: v1\nkind: Pod\nmetadata: {name: stray, labels: {app: log}}\nspec: {nodeName: n1, containers: "
            "[{name: c, image: i}]}");
    Plan p = run();
    QCOMPARE(text(body(p, "patch pods/stray"), "metadata.ownerReferences.0.uid"), std::string("uid-log"));
    QCOMPARE(made(p), Strings{});
  }

  void keepsItsHistoryShort() {
    nodes(1);
    std::string v1 = known(), v2 = known({.image = "v2"}), v3 = known({.image = "v3"});
    pod("a", {.hash = v1});
    known({.image = "v4", .extra = "revisionHistoryLimit: 1, "});
    Plan p = run();  // v1 still runs
    QCOMPARE(count(p, "delete controllerrevisions"), size_t(1));
    QCOMPARE(count(p, "delete controllerrevisions/log-" + v2), size_t(1));
  }

  void aDeletedSetDoesNothing() {
    nodes(1);
    known();
    set({.meta = ", deletionTimestamp: '2026-01-02T11:00:00Z', finalizers: [foregroundDeletion]"});
    QCOMPARE(steps(run()), Strings{});
  }

  void aTakenNameIsCounted() {
    set();
    std::string name = text(body(run(), "create controllerrevisions"), "metadata.name");
    c_->put("apiVersion: apps/v1\nkind: ControllerRevision\nmetadata: {name: " + name + "}\nrevision: 1\ndata: {}");
    QCOMPARE(status(run(), "collisionCount"), std::string("1"));
  }

  void selectingAllIsRefused() {
    c_->put("apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: log}\nspec: {selector: {}, template: {metadata: "
            "{labels: {app: log}}, spec: {containers: [{name: c, image: i}]}}}");
    Plan p = run();
    QVERIFY(p.empty());
    QCOMPARE(notes(p), Strings{"SelectingAll"});
  }

  void whatLeadsToIt() {
    set();
    node("n1");
    auto before = c_->snapshot.get(kinds().nodes, "n1");
    QCOMPARE(keysFor(kinds().nodes, {nullptr, before}), Strings{"default/log"});
    QCOMPARE(keysFor(kinds().nodes, {before, nullptr}), Strings{"default/log"});
    c_->put("apiVersion: v1\nkind: Node\nmetadata: {name: n1}\nstatus: {conditions: [{type: Ready, status: 'True'}]}");
    QCOMPARE(keysFor(kinds().nodes, {before, c_->snapshot.get(kinds().nodes, "n1")}), Strings{});  // a heartbeat
    node("n1", "", "{key: a, effect: NoSchedule}");
    QCOMPARE(keysFor(kinds().nodes, {before, c_->snapshot.get(kinds().nodes, "n1")}), Strings{"default/log"});
    auto mine = pod("a", {});
    QCOMPARE(keysFor(kinds().pods, {nullptr, mine}), Strings{"default/log"});
    QCOMPARE(keysFor(kinds().pods, {nullptr, c_->pod("stray", {.app = "log"})}), Strings{"default/log"});
    QCOMPARE(keysFor(kinds().pods, {nullptr, c_->pod("other", {.app = "web"})}), Strings{});
    auto revision = c_->putTree(body(run(), "create controllerrevisions"));
    QCOMPARE(keysFor(kinds().controllerRevisions, {revision, nullptr}), Strings{"default/log"});
  }
};

QTEST_GUILESS_MAIN(DaemonSetTest)
#include "daemonset_test.moc"
