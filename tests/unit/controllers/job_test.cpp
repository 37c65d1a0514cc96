#include "engine/controllers/job/job.h"

#include <QtTest>
#include <algorithm>
#include <map>
#include <set>

#include "engine/api/patch.h"
#include "engine/api/types/batch.h"
#include "engine/base/random.h"
#include "engine/controllers/job/indexes.h"
#include "engine/controllers/job/ttl.h"
#include "tests/unit/controllers/cluster.h"

using namespace ph;
using namespace ph::test;
using controllers::job::Indexes;

namespace {
const std::string kFinalizer = "batch.kubernetes.io/job-tracking";
const std::string kIndex = "batch.kubernetes.io/job-completion-index";
}  // namespace

class JobTest : public QObject {
  Q_OBJECT

  std::unique_ptr<Cluster> c_;
  int made_ = 0;
  std::vector<std::string> events_;  // of plans that were applied
  bool faulty_ = false;              // a third of all steps fail
  std::unique_ptr<Random> random_;

  void job(const std::string& spec = "completions: 1", const std::string& status = "{}", const std::string& meta = "") {
    c_->put(fmt::format("apiVersion: batch/v1\nkind: Job\nmetadata: {{name: sum{}}}\n"
                        "spec: {{parallelism: 1, backoffLimit: 6, {}, selector: {{matchLabels: {{batch.kubernetes.io/controller-uid: uid-sum}}}}, "
                        "template: {{metadata: {{labels: {{batch.kubernetes.io/controller-uid: uid-sum, job-name: sum}}}}, "
                        "spec: {{restartPolicy: Never, containers: [{{name: c, image: i}}]}}}}}}\nstatus: {}",
                        meta, spec, status));
  }
  struct P {
    std::string phase = "Running", meta, node = "n1", status;
    bool tracked = true, owned = true;
    int index = -1;
    std::string created = "2026-01-02T11:00:00Z";
  };
  // Deleted with half a minute's grace.
  static constexpr const char* kDying = ", deletionTimestamp: '2026-01-02T12:00:30Z', deletionGracePeriodSeconds: 30";
  ObjectPtr pod(const std::string& name, P p) {
    std::string index = p.index < 0 ? "" : fmt::format(", annotations: {{{}: '{}'}}", kIndex, p.index);
    std::string owner =
        !p.owned ? "" : ", ownerReferences: [{apiVersion: batch/v1, kind: Job, name: sum, uid: uid-sum, controller: true, blockOwnerDeletion: true}]";
    return c_->put(fmt::format("apiVersion: v1\nkind: Pod\nmetadata: {{name: {}, creationTimestamp: '{}', labels: "
                               "{{batch.kubernetes.io/controller-uid: uid-sum}}{}{}{}{}}}\nspec: {{nodeName: '{}', containers: [{{name: c, image: i}}]}}\n"
                               "status: {{phase: {}{}}}",
                               name, p.created, index, owner, p.tracked ? ", finalizers: [" + kFinalizer + "]" : "", p.meta, p.node, p.phase, p.status));
  }
  static std::string exitedAt(const std::string& time, int code = 1) {
    return fmt::format(", containerStatuses: [{{name: c, image: i, imageID: i, ready: false, restartCount: 0, state: {{terminated: {{exitCode: {}, "
                       "finishedAt: '{}'}}}}}}]",
                       code, time);
  }
  Plan run(int failures = 0) { return controllers::reconcileJob(c_->snapshot, key("default/sum", failures), c_->now); }
  Json status(const Plan& p) {
    Json b = body(p, "patch jobs/sum/status");
    return b.is_null() ? b : b.at("status");
  }
  // reason of a condition that is True.
  static std::string holds(const Json& status, const std::string& type) {
    auto* all = status.is_object() ? status.as_object().if_contains("conditions") : nullptr;
    if (!all || !all->is_array()) return "(none)";
    for (auto& c : all->as_array())
      if (text(c, "type") == type && text(c, "status") == "True") return text(c, "reason");
    return "(none)";
  }

  // What the server does with a plan's steps.
  void store(Json tree) {
    auto& meta = tree.at("metadata").as_object();
    auto* finalizers = meta.if_contains("finalizers");
    bool held = finalizers && !finalizers->as_array().empty();
    bool pod = tree.at("kind") == "Pod";
    bool over = meta.contains("deletionTimestamp") && (!pod || text(tree, "metadata.deletionGracePeriodSeconds") == "0");
    if (over && !held) {
      if (auto old = c_->snapshot.get(pod ? c_->snapshot.kinds().pods : c_->snapshot.kinds().jobs, "default/" + text(tree, "metadata.name")))
        c_->snapshot.erase(old);
      return;
    }
    meta.erase("resourceVersion");
    c_->putTree(std::move(tree));
  }
  // The second time a pod's grace is over.
  void kill(const ObjectPtr& object) {
    Json tree = object->tree();
    auto& meta = tree.at("metadata").as_object();
    auto phase = text(tree, "status.phase");
    bool atOnce = meta.contains("deletionTimestamp") || text(tree, "spec.nodeName") == "(none)" || phase == "Succeeded" || phase == "Failed";
    if (!meta.contains("deletionTimestamp")) meta["deletionTimestamp"] = formatTime(c_->now.wall);
    meta["deletionGracePeriodSeconds"] = atOnce ? 0 : 30;
    store(std::move(tree));
  }
  void apply(const Plan& plan) {
    bool fault = false;
    for (auto& s : plan.steps) {
      auto& w = s.write;
      if (faulty_ && random_->below(3) == 0) {
        fault = true;
        continue;
      }
      Json change = w.body.empty() ? Json() : *api::parseJson(w.body);
      if (w.verb == client::Verb::Create) {
        auto& meta = change.at("metadata").as_object();
        meta["name"] = text(change, "metadata.generateName") + std::to_string(++made_);
        meta["creationTimestamp"] = formatTime(c_->now.wall);
        change.at("spec").as_object()["nodeName"] = "n1";
        change.as_object()["status"] = JsonObject{{"phase", "Running"}};
        store(std::move(change));
      } else if (ObjectPtr object = c_->snapshot.get(w.info, w.ns + "/" + w.name); object && object->uid() == w.uid) {
        if (w.revision && w.revision != object->revision()) {
          fault = true;
          continue;
        }
        if (w.verb == client::Verb::Delete) {
          kill(object);
          continue;
        }
        Json tree = object->tree();
        api::applyMergePatch(tree, change);
        store(std::move(tree));
      }
    }
    if (fault) return;
    for (auto& n : plan.notes) events_.push_back(n.reason);
  }
  // Plans and writes until nothing is left to do.
  void settle() {
    for (int i = 0; i < 100; ++i) {
      Plan p = run();
      if (p.empty()) return;
      apply(p);
    }
    QFAIL("it does not come to rest");
  }
  void end(const ObjectPtr& pod, const std::string& phase) {
    Json tree = pod->tree();
    tree.as_object()["status"] = JsonObject{{"phase", phase}};
    store(std::move(tree));
  }
  std::vector<ObjectPtr> pods(const std::string& phase = "Running") {
    std::vector<ObjectPtr> out;
    for (auto& [k, p] : c_->snapshot.all(c_->snapshot.kinds().pods))
      if (text(p->tree(), "status.phase") == phase) out.push_back(p);
    return out;
  }
  ObjectPtr object() { return c_->snapshot.get(c_->snapshot.kinds().jobs, "default/sum"); }
  const api::batch::JobStatus& statusNow() { return object()->as<api::batch::Job>().status; }
  void patchSpec(const std::string& yaml) {
    Json tree = object()->tree();
    api::applyMergePatch(tree.at("spec"), *api::parseYaml(yaml));
    store(std::move(tree));
  }

  static constexpr const char* kPolicy =
      "completions: 2, parallelism: 2, podReplacementPolicy: Failed, podFailurePolicy: {rules: [{action: FailJob, onExitCodes: {containerName: c, "
      "operator: In, values: [42]}}, {action: Ignore, onPodConditions: [{type: DisruptionTarget, status: 'True'}]}, {action: Count, onExitCodes: "
      "{operator: NotIn, values: [1]}}]}";

 private slots:
  void init() {
    c_ = std::make_unique<Cluster>();
    random_ = seededRandom(7);
    made_ = 0;
    faulty_ = false;
    events_.clear();
  }

  void indexTexts() {
    QCOMPARE(Indexes(10, "1,3-5").text(), std::string("1,3-5"));
    QCOMPARE(Indexes(10, "1,3-5").count(), 4);
    QCOMPARE(Indexes(4, "1,3-5").text(), std::string("1,3"));
    QCOMPARE(Indexes(10, "0,1,2,4,5").text(), std::string("0-2,4,5"));
    QCOMPARE(Indexes(10, "x,2-,-3,,7,99999999999").text(), std::string("7"));
    QCOMPARE(Indexes(0, "0-5").count(), 0);
    Indexes all(3);
    for (int i : {2, 0, 1, 1, 3, -1}) all.add(i);
    QCOMPARE(all.text(), std::string("0-2"));
  }

  void makesAPod() {
    job();
    Plan p = run();
    QCOMPARE(count(p, "create pods"), size_t(1));
    Json b = body(p, "create pods");
    QCOMPARE(text(b, "metadata.generateName"), std::string("sum-"));
    QCOMPARE(text(b, "metadata.finalizers.0"), kFinalizer);
    QCOMPARE(text(b, "metadata.labels.job-name"), std::string("sum"));
    QCOMPARE(text(b, "metadata.ownerReferences.0.kind"), std::string("Job"));
    QCOMPARE(text(b, "spec.restartPolicy"), std::string("Never"));
    QCOMPARE(p.steps[0].ok->reason, std::string("SuccessfulCreate"));
    QCOMPARE(p.steps[0].failed->reason, std::string("FailedCreate"));
    QCOMPARE(text(status(p), "startTime"), std::string("2026-01-02T12:00:00Z"));
    QCOMPARE(text(status(p), "ready"), std::string("0"));
  }

  void runsToItsEnd() {
    job();
    settle();
    QCOMPARE(statusNow().active, 1);
    c_->now.wall += 5s;
    end(pods()[0], "Succeeded");
    settle();
    auto& s = statusNow();
    QCOMPARE(s.succeeded, 1);
    QCOMPARE(s.active, 0);
    QVERIFY(!s.uncountedTerminatedPods);
    QCOMPARE(formatTime(*s.completionTime), std::string("2026-01-02T12:00:05Z"));
    QCOMPARE(holds(object()->tree().at("status"), "SuccessCriteriaMet"), std::string("CompletionsReached"));
    QCOMPARE(holds(object()->tree().at("status"), "Complete"), std::string("CompletionsReached"));
    QVERIFY(pods("Succeeded")[0]->meta().finalizers.empty());
    QCOMPARE(events_, (std::vector<std::string>{"Completed"}));
  }

  // The uid is stored first, then the finalizer goes, then the number changes: each in a plan of its own.
  void countsInThreeSteps() {
    job("completions: 2", "{startTime: '2026-01-02T11:00:00Z', succeeded: 1, active: 1, ready: 0, terminating: 0}");
    pod("a", {.phase = "Succeeded"});
    Plan p = run();
    QCOMPARE(steps(p), (std::vector<std::string>{"patch jobs/sum/status"}));
    QCOMPARE(text(status(p), "uncountedTerminatedPods.succeeded.0"), std::string("uid-a"));
    QCOMPARE(text(status(p), "succeeded"), std::string("1"));
    QVERIFY(p.steps[0].write.revision > 0);
    apply(p);
    p = run();
    QCOMPARE(steps(p), (std::vector<std::string>{"patch pods/a"}));
    QCOMPARE(text(body(p, "patch pods/a"), "metadata.finalizers"), std::string("null"));
    apply(p);
    p = run();
    QCOMPARE(text(status(p), "succeeded"), std::string("2"));
    QCOMPARE(text(status(p), "uncountedTerminatedPods"), std::string("null"));
  }

  // A list of two that becomes empty beside one that does not is named in the patch.
  void oneOfTheListsBecomesEmpty() {
    job("completions: 5", "{startTime: '2026-01-02T11:00:00Z', uncountedTerminatedPods: {succeeded: [uid-a], failed: [uid-b]}}");
    pod("b", {.phase = "Failed"});
    Json s = status(run());
    QCOMPARE(text(s, "succeeded"), std::string("1"));
    QCOMPARE(text(s, "uncountedTerminatedPods.succeeded"), std::string("null"));
    QCOMPARE(text(s, "uncountedTerminatedPods.failed.0"), std::string("uid-b"));
  }

  void countsEachOnceWhateverFails_data() {
    QTest::addColumn<int>("seed");
    QTest::addColumn<bool>("indexed");
    QTest::addColumn<bool>("perIndex");
    for (int i = 0; i < 21; ++i) QTest::addRow("%d", i) << i << (i % 3 > 0) << (i % 3 == 2);
  }
  void countsEachOnceWhateverFails() {
    QFETCH(int, seed);
    QFETCH(bool, indexed);
    QFETCH(bool, perIndex);
    random_ = seededRandom(uint64_t(seed));
    job(std::string("completions: 20, parallelism: 4, backoffLimit: 1000") + (indexed ? ", completionMode: Indexed" : "") +
        (perIndex ? ", backoffLimitPerIndex: 1000" : ""));
    std::map<std::string, std::string> ends;  // by uid
    for (int round = 0; round < 500 && !statusNow().completionTime; ++round) {
      faulty_ = round < 400;
      for (int i = 0; i < 3; ++i) apply(run());
      c_->now.wall += 6min;
      for (auto& p : pods()) {
        if (p->meta().deleting) {
          kill(p);
          continue;
        }
        switch (random_->below(4)) {
          case 0:
            end(p, ends[p->uid()] = "Succeeded");
            break;
          case 1:
            end(p, ends[p->uid()] = "Failed");
            break;
          case 2:
            if (random_->below(3) == 0) {
              ends[p->uid()] = "Failed";
              kill(p);
            }
            break;
        }
      }
    }
    QVERIFY(statusNow().completionTime);
    auto number = [&](const char* how) { return std::count_if(ends.begin(), ends.end(), [&](auto& e) { return e.second == how; }); };
    QCOMPARE(statusNow().succeeded, 20);
    if (!indexed) QCOMPARE(number("Succeeded"), 20);
    QCOMPARE(statusNow().failed, int(number("Failed")));
    QVERIFY(!statusNow().uncountedTerminatedPods);
    if (indexed) QCOMPARE(statusNow().completedIndexes, std::string("0-19"));
  }

  void asManyAsWanted() {
    job("completions: 5, parallelism: 3", "{startTime: '2026-01-02T11:00:00Z', succeeded: 3}");
    QCOMPARE(count(run(), "create pods"), size_t(2));  // no more than are left
    job("completions: 50, parallelism: 3");
    QCOMPARE(count(run(), "create pods"), size_t(3));
    QCOMPARE(count(run(2), "create pods"), size_t(1));  // carefully after a failure
    job("completions: 5, parallelism: 0");
    QCOMPARE(count(run(), "create pods"), size_t(0));
    job("completions: 2000, parallelism: 2000");
    QCOMPARE(count(run(), "create pods"), size_t(500));
  }

  void nothingToDoIsDoneAtOnce() {
    job("completions: 0");
    Plan p = run();
    QCOMPARE(holds(status(p), "Complete"), std::string("CompletionsReached"));
    QCOMPARE(count(p, "create"), size_t(0));
  }

  void aWorkQueue() {
    job("parallelism: 3");
    settle();
    QCOMPARE(pods().size(), size_t(3));
    end(pods()[0], "Succeeded");
    settle();
    QCOMPARE(pods().size(), size_t(2));  // they go on, but get no fellow
    QVERIFY(!statusNow().completionTime);
    end(pods()[0], "Failed");
    end(pods()[0], "Succeeded");
    settle();
    QVERIFY(statusNow().completionTime);
    QCOMPARE(statusNow().succeeded, 2);
    QCOMPARE(statusNow().failed, 1);
  }

  void lessParallelIsNoFailure() {
    job("completions: 10, parallelism: 3");
    settle();
    patchSpec("{parallelism: 1}");
    Plan p = run();
    QCOMPARE(count(p, "patch pods"), size_t(2));  // the finalizers first
    QCOMPARE(count(p, "delete"), size_t(0));
    apply(p);
    p = run();
    QCOMPARE(count(p, "delete pods"), size_t(2));
    QCOMPARE(p.steps[0].ok->reason, std::string("SuccessfulDelete"));
    apply(p);
    settle();
    QCOMPARE(statusNow().failed, 0);
    QCOMPARE(statusNow().active, 1);
    QCOMPARE(statusNow().terminating.value_or(0), 2);
  }

  void backOff_data() {
    QTest::addColumn<int>("failures");
    QTest::addColumn<int>("seconds");
    QTest::newRow("first") << 1 << 10;
    QTest::newRow("second") << 2 << 20;
    QTest::newRow("fourth") << 4 << 80;
    QTest::newRow("at most") << 20 << 360;
  }
  void backOff() {
    QFETCH(int, failures);
    QFETCH(int, seconds);
    job("completions: 9, backoffLimit: 100", fmt::format("{{startTime: '2026-01-02T11:00:00Z', failed: {}, terminating: 0, ready: 0}}", failures));
    for (int i = 0; i < failures; ++i)
      pod("f" + std::to_string(i), {.phase = "Failed", .status = exitedAt(i == 0 ? "2026-01-02T11:59:56Z" : "2026-01-02T11:30:00Z"), .tracked = false});
    Plan p = run();
    QVERIFY(p.empty());
    QCOMPARE(*p.again, Duration(std::chrono::seconds(seconds - 4)));
    c_->now.wall += std::chrono::seconds(seconds - 4);
    QCOMPARE(count(run(), "create pods"), size_t(1));
  }

  void aSuccessEndsTheBackOff() {
    job("completions: 9", "{startTime: '2026-01-02T11:00:00Z', failed: 1, succeeded: 1}");
    pod("f", {.phase = "Failed", .status = exitedAt("2026-01-02T11:59:55Z"), .tracked = false});
    pod("s", {.phase = "Succeeded", .status = exitedAt("2026-01-02T11:59:57Z", 0), .tracked = false});
    QCOMPARE(count(run(), "create pods"), size_t(1));
  }

  void aNodeWhoseClockIsAhead() {
    job("completions: 9", "{startTime: '2026-01-02T11:00:00Z', failed: 1}");
    pod("f", {.phase = "Failed", .status = exitedAt("2026-01-02T15:00:00Z"), .tracked = false});
    QCOMPARE(*run().again, Duration(10s));
  }

  void givesUpAfterTheLimit() {
    job("completions: 3, parallelism: 2, backoffLimit: 1");
    settle();
    end(pods()[0], "Failed");
    settle();
    c_->now.wall += 1min;
    settle();
    QCOMPARE(pods().size(), size_t(2));
    end(pods()[0], "Failed");
    Plan p = run();
    QCOMPARE(holds(status(p), "FailureTarget"), std::string("BackoffLimitExceeded"));
    QCOMPARE(holds(status(p), "Failed"), std::string("(none)"));  // a pod still runs
    QCOMPARE(count(p, "delete pods"), size_t(1));
    QCOMPARE(count(p, "create pods"), size_t(0));
    apply(p);
    settle();
    QCOMPARE(holds(object()->tree().at("status"), "Failed"), std::string("(none)"));  // it is not yet gone
    end(pods()[0], "Failed");
    settle();
    QCOMPARE(holds(object()->tree().at("status"), "Failed"), std::string("BackoffLimitExceeded"));
    QVERIFY(!statusNow().completionTime);
    QCOMPARE(statusNow().active, 0);
    QCOMPARE(statusNow().failed, 3);
    QCOMPARE(events_, (std::vector<std::string>{"BackoffLimitExceeded"}));
  }

  void restartsCountWithOnFailure() {
    auto set = [&](int limit) {
      job(fmt::format("completions: 1, backoffLimit: {}", limit), "{startTime: '2026-01-02T11:00:00Z', active: 1}");
      patchSpec("{template: {spec: {restartPolicy: OnFailure}}}");
    };
    pod("a", {.status = ", containerStatuses: [{name: c, image: i, imageID: i, ready: true, restartCount: 3}]"});
    set(4);
    QCOMPARE(count(run(), "delete"), size_t(0));
    set(3);
    QCOMPARE(holds(status(run()), "FailureTarget"), std::string("BackoffLimitExceeded"));
    QCOMPARE(count(run(), "delete pods/a"), size_t(1));
  }

  void deadline() {
    job("completions: 1, activeDeadlineSeconds: 60", "{startTime: '2026-01-02T11:59:10Z', active: 1, ready: 0, terminating: 0}");
    pod("a", {});
    Plan p = run();
    QVERIFY(p.empty());
    QCOMPARE(*p.again, Duration(10s));
    c_->now.wall += 10s;
    p = run();
    QCOMPARE(holds(status(p), "FailureTarget"), std::string("DeadlineExceeded"));
    QCOMPARE(count(p, "delete pods/a"), size_t(1));
  }

  void suspendsAndResumes() {
    job("completions: 3, parallelism: 2, activeDeadlineSeconds: 60, backoffLimit: 0");
    settle();
    patchSpec("{suspend: true}");
    settle();
    QCOMPARE(events_, (std::vector<std::string>{"Suspended"}));
    QCOMPARE(holds(object()->tree().at("status"), "Suspended"), std::string("JobSuspended"));
    QVERIFY(!statusNow().startTime);
    QCOMPARE(statusNow().active, 0);
    for (auto& p : pods()) {
      QVERIFY(p->meta().deleting);
      kill(p);
    }
    c_->now.wall += 1h;
    settle();
    QCOMPARE(pods().size(), size_t(0));
    patchSpec("{suspend: false}");
    settle();
    QCOMPARE(events_, (std::vector<std::string>{"Suspended", "Resumed"}));
    QCOMPARE(holds(object()->tree().at("status"), "Suspended"), std::string("(none)"));
    QCOMPARE(formatTime(*statusNow().startTime), std::string("2026-01-02T13:00:00Z"));
    QCOMPARE(pods().size(), size_t(2));
    QCOMPARE(statusNow().failed, 0);
  }

  void bornSuspended() {
    job("completions: 1, suspend: true");
    Plan p = run();
    QCOMPARE(count(p, "create"), size_t(0));
    QCOMPARE(holds(status(p), "Suspended"), std::string("JobSuspended"));
    QCOMPARE(text(status(p), "startTime"), std::string("(none)"));
  }

  void indexedPods() {
    job("completions: 5, parallelism: 2, completionMode: Indexed", "{startTime: '2026-01-02T11:00:00Z', completedIndexes: '1'}");
    pod("a", {.index = 2});
    Plan p = run();
    QCOMPARE(count(p, "create pods"), size_t(1));
    Json b = body(p, "create pods");
    QCOMPARE(text(b, "metadata.generateName"), std::string("sum-0-"));
    QVERIFY(b.at("metadata").at("annotations").at(kIndex) == "0");
    QVERIFY(b.at("metadata").at("labels").at(kIndex) == "0");
    QCOMPARE(text(b, "spec.hostname"), std::string("sum-0"));
    QCOMPARE(text(b, "spec.containers.0.env.0.name"), std::string("JOB_COMPLETION_INDEX"));
    QVERIFY(api::toText(b).find("metadata.labels['" + kIndex + "']") != std::string::npos);
    QCOMPARE(text(status(p), "succeeded"), std::string("1"));
  }

  void indexedProgress() {
    job("completions: 6, parallelism: 6, completionMode: Indexed");
    settle();
    for (auto& p : pods())
      if (!p->name().starts_with("sum-2-")) end(p, "Succeeded");
    settle();
    QCOMPARE(statusNow().completedIndexes, std::string("0,1,3-5"));
    QCOMPARE(statusNow().succeeded, 5);
    end(pods()[0], "Failed");
    c_->now.wall += 1min;
    settle();
    QCOMPARE(pods().size(), size_t(1));
    QVERIFY(pods()[0]->name().starts_with("sum-2-"));
    end(pods()[0], "Succeeded");
    settle();
    QVERIFY(statusNow().completionTime);
    QCOMPARE(statusNow().completedIndexes, std::string("0-5"));
    QCOMPARE(statusNow().failed, 1);
  }

  void oddIndexesGo() {
    job("completions: 3, parallelism: 3, completionMode: Indexed", "{startTime: '2026-01-02T11:00:00Z'}");
    pod("two", {.index = 2});
    pod("two-again", {.index = 2, .created = "2026-01-02T11:30:00Z"});
    pod("seven", {.index = 7});
    pod("none", {});
    pod("eight", {.phase = "Succeeded", .index = 8});
    Plan p = run();
    QCOMPARE(count(p, "patch pods"), size_t(4));
    QCOMPARE(count(p, "patch pods/two"), size_t(1));  // the younger
    QCOMPARE(count(p, "patch pods/two-again"), size_t(1));
    QCOMPARE(count(p, "create"), size_t(0));
    settle();
    QCOMPARE(statusNow().succeeded, 0);
    QCOMPARE(statusNow().active, 3);
  }

  void longNamesOfIndexedPods() {
    std::string name(60, 'x');
    c_->put("apiVersion: batch/v1\nkind: Job\nmetadata: {name: " + name +
            ", uid: u}\nspec: {parallelism: 1, completions: 1, completionMode: Indexed, selector: {matchLabels: {a: b}}, template: {metadata: {labels: "
            "{a: b}}, spec: {containers: [{name: c, image: i}]}}}");
    Plan p = controllers::reconcileJob(c_->snapshot, key("default/" + name), c_->now);
    QCOMPARE(text(body(p, "create pods"), "metadata.generateName"), std::string(55, 'x') + "-0-");
  }

  void failurePolicyFailsTheJob() {
    job(kPolicy, "{startTime: '2026-01-02T11:00:00Z'}");
    pod("a", {.phase = "Failed", .status = exitedAt("2026-01-02T11:59:00Z", 42)});
    pod("b", {});
    Plan p = run();
    QCOMPARE(holds(status(p), "FailureTarget"), std::string("PodFailurePolicy"));
    QCOMPARE(count(p, "delete pods/b"), size_t(1));
    apply(p);
    for (auto& q : pods()) end(q, "Failed");
    settle();
    QCOMPARE(holds(object()->tree().at("status"), "Failed"), std::string("PodFailurePolicy"));
    QCOMPARE(statusNow().failed, 2);
    QCOMPARE(events_, (std::vector<std::string>{"PodFailurePolicy"}));
  }

  void failurePolicyForgives() {
    job(kPolicy, "{startTime: '2026-01-02T11:00:00Z'}");
    pod("a", {.phase = "Failed", .status = ", conditions: [{type: DisruptionTarget, status: 'True'}]" + exitedAt("2026-01-02T11:59:00Z", 137)});
    pod("b", {.phase = "Failed", .status = exitedAt("2026-01-02T11:59:00Z", 3)});
    settle();
    QCOMPARE(statusNow().failed, 1);
    QVERIFY(!c_->snapshot.get(c_->snapshot.kinds().pods, "default/a")->meta().finalizers.size());
    QCOMPARE(pods().size(), size_t(2));
  }

  void replacementWaitsForTheEnd() {
    for (auto& [policy, want] : std::map<std::string, size_t>{{"Failed", 0}, {"TerminatingOrFailed", 1}}) {
      job("completions: 1, podReplacementPolicy: " + policy, "{startTime: '2026-01-02T11:00:00Z'}");
      pod("a", {.meta = kDying});
      c_->now.wall = kNoon + 1min;
      Plan p = run();
      QCOMPARE(count(p, "create pods"), want);
      QCOMPARE(text(status(p), "terminating"), std::string("1"));
      QCOMPARE(text(status(p), "uncountedTerminatedPods.failed.0"), std::string(want ? "uid-a" : "(none)"));
    }
    // Nobody will ever say how this one ended.
    job("completions: 1, podReplacementPolicy: Failed", "{startTime: '2026-01-02T11:00:00Z'}");
    pod("a", {.phase = "Pending", .meta = kDying, .node = ""});
    QCOMPARE(text(status(run()), "uncountedTerminatedPods.failed.0"), std::string("uid-a"));
  }

  void successPolicy() {
    std::string spec = "completions: 4, parallelism: 4, completionMode: Indexed, successPolicy: {rules: [{succeededIndexes: '0,2-3', succeededCount: 2}]}";
    job(spec, "{startTime: '2026-01-02T11:00:00Z', completedIndexes: '1,2'}");
    pod("a", {.index = 0});
    QCOMPARE(count(run(), "delete"), size_t(0));
    job(spec, "{startTime: '2026-01-02T11:00:00Z', completedIndexes: '2,3'}");
    Plan p = run();
    QCOMPARE(holds(status(p), "SuccessCriteriaMet"), std::string("SuccessPolicy"));
    QCOMPARE(count(p, "delete pods/a"), size_t(1));
  }

  void failuresOfEachIndex() {
    job("completions: 2, parallelism: 2, completionMode: Indexed, backoffLimit: 2147483647, backoffLimitPerIndex: 1");
    settle();
    auto of = [&](const std::string& prefix) {
      for (auto& p : pods())
        if (p->name().starts_with(prefix)) return p;
      return ObjectPtr();
    };
    auto noted = [](const ObjectPtr& p) { return p->tree().at("metadata").at("annotations").at("batch.kubernetes.io/job-index-failure-count"); };
    auto first = of("sum-0-");
    QVERIFY(noted(first) == "0");
    end(first, "Failed");
    settle();
    // Nothing else remembers the failure as yet.
    first = c_->snapshot.get(c_->snapshot.kinds().pods, first->key());
    QCOMPARE(first->meta().finalizers.size(), size_t(1));
    QVERIFY(!of("sum-0-"));
    QVERIFY(run().again && *run().again <= Duration(10s));
    c_->now.wall += 11s;
    settle();
    QVERIFY(noted(of("sum-0-")) == "1");
    QVERIFY(c_->snapshot.get(c_->snapshot.kinds().pods, first->key())->meta().finalizers.empty());
    QCOMPARE(statusNow().failed, 1);
    end(of("sum-0-"), "Failed");
    c_->now.wall += 11s;
    settle();
    QCOMPARE(statusNow().failedIndexes, std::string("0"));
    QVERIFY(!of("sum-0-"));
    end(of("sum-1-"), "Succeeded");
    settle();
    QCOMPARE(holds(object()->tree().at("status"), "Failed"), std::string("FailedIndexes"));
    QCOMPARE(statusNow().succeeded, 1);
    QCOMPARE(statusNow().failed, 2);
    QCOMPARE(statusNow().completedIndexes, std::string("1"));
  }

  // The failed pod that waits to be remembered does not keep the job from ending.
  void theEndComesBeforeTheReplacement() {
    job("completions: 2, parallelism: 2, completionMode: Indexed, backoffLimit: 2147483647, backoffLimitPerIndex: 5, activeDeadlineSeconds: 5");
    settle();
    end(pods()[0], "Failed");
    settle();
    c_->now.wall += 5s;
    apply(run());
    for (auto& p : pods()) end(p, "Failed");
    settle();
    QCOMPARE(holds(object()->tree().at("status"), "Failed"), std::string("DeadlineExceeded"));
    QCOMPARE(statusNow().failed, 2);
    for (auto& p : pods("Failed")) QVERIFY(p->meta().finalizers.empty());
  }

  void tooManyFailedIndexes() {
    job("completions: 4, parallelism: 4, completionMode: Indexed, backoffLimit: 2147483647, backoffLimitPerIndex: 0, maxFailedIndexes: 1, "
        "podFailurePolicy: {rules: [{action: FailIndex, onExitCodes: {operator: In, values: [9]}}]}",
        "{startTime: '2026-01-02T11:00:00Z', failedIndexes: '2'}");
    pod("a", {.phase = "Failed", .status = exitedAt("2026-01-02T11:59:00Z", 9), .index = 0});
    pod("b", {.index = 1});
    Plan p = run();
    QCOMPARE(holds(status(p), "FailureTarget"), std::string("MaxFailedIndexesExceeded"));
    QCOMPARE(text(status(p), "failedIndexes"), std::string("0,2"));
    QCOMPARE(count(p, "delete pods/b"), size_t(1));
  }

  void adoptsAndReleases() {
    job("completions: 5");
    pod("stray", {.tracked = false, .owned = false});
    Json renamed = pod("renamed", {})->tree();
    renamed.at("metadata").as_object()["labels"] = JsonObject{{"a", "b"}};
    c_->putTree(renamed);
    Plan p = run();
    QCOMPARE(text(body(p, "patch pods/stray"), "metadata.ownerReferences.0.uid"), std::string("uid-sum"));
    QCOMPARE(text(body(p, "patch pods/renamed"), "metadata.ownerReferences"), std::string("null"));
    QCOMPARE(count(p, "create"), size_t(0));
    settle();
    QCOMPARE(text(c_->snapshot.get(c_->snapshot.kinds().pods, "default/stray")->tree(), "metadata.finalizers.0"), kFinalizer);
    QCOMPARE(statusNow().active, 1);
  }

  void aDeletedJobLetsGoOfItsPods() {
    job("completions: 5, parallelism: 3", "{}", ", deletionTimestamp: '2026-01-02T11:59:00Z', finalizers: [foregroundDeletion]");
    pod("a", {});
    pod("b", {.phase = "Succeeded"});
    Plan p = run();
    QCOMPARE(count(p, "create"), size_t(0));
    QCOMPARE(count(p, "patch pods/a"), size_t(1));
    QCOMPARE(count(p, "patch pods/b"), size_t(1));
  }

  void aFinishedJobRests() {
    job("completions: 2", "{startTime: '2026-01-02T11:00:00Z', failed: 1, conditions: [{type: Failed, status: 'True'}]}");
    pod("late", {.phase = "Succeeded"});
    pod("stray", {.tracked = false, .owned = false});
    Plan p = run();
    QCOMPARE(steps(p), (std::vector<std::string>{"patch pods/late"}));
  }

  void someoneElsesJob() {
    job("completions: 1, managedBy: example.com/other");
    QVERIFY(run().empty());
    job("completions: 1, managedBy: kubernetes.io/job-controller");
    QVERIFY(!run().empty());
  }

  void strayPodsLoseTheirFinalizer() {
    auto release = [&](const ObjectPtr& pod) { return controllers::releaseStrayPod(c_->snapshot, key(pod->key())); };
    auto a = pod("a", {});
    Plan p = release(a);
    QCOMPARE(steps(p), (std::vector<std::string>{"patch pods/a"}));
    QCOMPARE(p.absences.size(), size_t(1));  // the API is asked first
    QCOMPARE(p.absences[0].uid, std::string("uid-sum"));
    QCOMPARE(steps(release(pod("b", {.owned = false}))), (std::vector<std::string>{"patch pods/b"}));
    QVERIFY(release(pod("c", {.tracked = false})).empty());
    job();
    QVERIFY(release(a).empty());

    auto spec = controllers::strayJobPodsController(c_->snapshot.kinds());
    controllers::Keys keys;
    for (auto& w : spec.watches)
      if (w.kind == c_->snapshot.kinds().jobs) w.keys(c_->snapshot, {object(), nullptr}, keys);
    std::sort(keys.begin(), keys.end());
    QCOMPARE(keys, (controllers::Keys{"default/a", "default/c"}));
  }

  void keysOfPods() {
    job();
    auto spec = controllers::jobController(c_->snapshot.kinds());
    auto keysFor = [&](const ObjectPtr& pod) {
      controllers::Keys keys;
      for (auto& w : spec.watches)
        if (w.kind == c_->snapshot.kinds().pods) w.keys(c_->snapshot, {nullptr, pod}, keys);
      return keys;
    };
    QCOMPARE(keysFor(pod("a", {})), (controllers::Keys{"default/sum"}));
    QCOMPARE(keysFor(pod("b", {.owned = false})), (controllers::Keys{"default/sum"}));
    QCOMPARE(keysFor(c_->pod("web", {})), controllers::Keys{});
  }

  void timeToLive() {
    auto ttl = [&] { return controllers::reconcileTtl(c_->snapshot, key("default/sum"), c_->now); };
    std::string over = "{conditions: [{type: Complete, status: 'True', lastTransitionTime: '2026-01-02T11:59:00Z'}]}";
    job("completions: 1, ttlSecondsAfterFinished: 100", over);
    Plan p = ttl();
    QVERIFY(p.empty());
    QCOMPARE(*p.again, Duration(40s));
    c_->now.wall += 40s;
    p = ttl();
    QCOMPARE(steps(p), (std::vector<std::string>{"delete jobs/sum"}));
    QVERIFY(p.steps[0].write.propagation == client::Propagation::Background);
    QCOMPARE(p.steps[0].write.revision, object()->revision());
    job("completions: 1, ttlSecondsAfterFinished: 0");  // it runs
    QVERIFY(ttl().empty() && !ttl().again);
    job("completions: 1", over);
    QVERIFY(ttl().empty() && !ttl().again);
  }
};

QTEST_GUILESS_MAIN(JobTest)
#include "job_test.moc"
