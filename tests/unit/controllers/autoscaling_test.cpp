// HorizontalPodAutoscaler: the reconcile function on a made-up cluster, and the controller on its runner.
#include "engine/controllers/autoscaling/autoscaling.h"

#include <QtTest>

#include "engine/api/convert.h"
#include "engine/api/types/autoscaling_v2.h"
#include "tests/support/fake_client.h"
#include "tests/unit/controllers/cluster.h"

using namespace ph;
using namespace ph::test;
using controllers::reconcileAutoscaler;
using controllers::autoscaling::Memory;

namespace {

namespace v2 = api::autoscaling_v2;

class Usage : public client::UsageSource {
 public:
  std::map<std::string, client::PodUse> pods;  // by uid
  std::optional<client::NodeUse> node(const std::string&) const override { return std::nullopt; }
  std::optional<client::PodUse> pod(const std::string& uid) const override {
    auto it = pods.find(uid);
    return it == pods.end() ? std::nullopt : std::optional(it->second);
  }
};

struct PodForm {
  int64_t milli = 50;  // of CPU; negative: nobody knows
  std::string phase = "Running", ready = "True", app = "web";
  std::string started = "2026-01-01T00:00:00Z", readySince = "2026-01-01T00:01:00Z";
  std::string requests = "{cpu: 100m, memory: 100Mi}";
  uint64_t memory = 50 << 20;
  bool deleting = false;
};

constexpr const char* kCpu = "{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 50}}}";

}  // namespace

class AutoscalingTest : public QObject {
  Q_OBJECT

  std::unique_ptr<Cluster> c_;
  std::unique_ptr<Usage> usage_;
  Memory memory_;

  void hpa(const std::string& metrics = kCpu, const std::string& rest = "minReplicas: 1, maxReplicas: 10",
           const std::string& target = "{apiVersion: apps/v1, kind: Deployment, name: web}", const std::string& name = "web") {
    c_->put(fmt::format("apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {{name: {}}}\nspec: {{scaleTargetRef: {}, "
                        "{}, metrics: [{}]}}",
                        name, target, rest, metrics));
  }
  void deployment(int replicas, const std::string& kind = "Deployment") {
    c_->put(fmt::format("apiVersion: apps/v1\nkind: {}\nmetadata: {{name: web}}\nspec: {{replicas: {}, serviceName: s, selector: "
                        "{{matchLabels: {{app: web}}}}, template: {{metadata: {{labels: {{app: web}}}}, spec: {{containers: [{{name: c, "
                        "image: i}}]}}}}}}",
                        kind, replicas));
  }
  void pod(const std::string& name, PodForm f = {}) {
    c_->put(fmt::format("apiVersion: v1\nkind: Pod\nmetadata: {{name: {}, labels: {{app: {}}}{}}}\n"
                        "spec: {{containers: [{{name: c, image: i, resources: {{requests: {}}}}}]}}\n"
                        "status: {{phase: {}, startTime: '{}', conditions: [{{type: Ready, status: '{}', lastTransitionTime: '{}'}}]}}",
                        name, f.app, f.deleting ? ", deletionTimestamp: '2026-01-02T11:59:59Z'" : "", f.requests, f.phase, f.started, f.ready,
                        f.readySince));
    if (f.milli < 0) return;
    client::PodUse use{{}, c_->now.wall, 15s};
    use.containers.push_back({"c", {uint64_t(f.milli) * 1'000'000, f.memory}});
    usage_->pods["uid-" + name] = use;
  }
  void pods(int count, int64_t milli) {
    for (int i = 0; i < count; ++i) pod(fmt::format("p{}", i), {.milli = milli});
  }

  Plan run(int failures = 0, std::string error = {}) {
    return reconcileAutoscaler(c_->snapshot, key("default/web", failures, std::move(error)), c_->now, usage_.get(), memory_);
  }
  // The size that a look asks for; -1: none.
  static int size(const Plan& p, const std::string& target = "deployments/web") {
    Json b = body(p, "patch " + target + "/scale");
    return b.is_null() ? -1 : int(b.at("spec").at("replicas").as_int64());
  }
  static Json status(const Plan& p) {
    Json b = body(p, "patch horizontalpodautoscalers/web/status");
    return b.is_null() ? b : b.at("status");
  }
  static std::string condition(const Plan& p, const std::string& type) {
    auto s = status(p);
    if (s.is_null()) return "(no status)";
    auto* all = s.as_object().if_contains("conditions");
    if (all && all->is_array())
      for (auto& c : all->as_array())
        if (text(c, "type") == type) return text(c, "status") + " " + text(c, "reason");
    return "(none)";
  }
  static std::vector<std::string> told(const Plan& p) {
    std::vector<std::string> out;
    for (auto& n : p.notes) out.push_back(n.type + " " + n.reason);
    return out;
  }
  // What a status write makes of the object.
  ObjectPtr keep(const Plan& p) {
    auto object = c_->snapshot.get(c_->snapshot.kinds().autoscalers, "default/web");
    Json tree = object->tree();
    if (Json s = status(p); !s.is_null()) tree.as_object()["status"] = s;
    return c_->putTree(tree);
  }

 private slots:
  void init() {
    c_ = std::make_unique<Cluster>();
    usage_ = std::make_unique<Usage>();
    memory_.clear();
  }

  void scalesUpAndSaysSoAfterwards() {
    hpa();
    deployment(2);
    pods(2, 100);
    Plan p = run();
    QCOMPARE(steps(p), std::vector<std::string>{"patch deployments/web/scale"});
    QCOMPARE(size(p), 4);
    auto& step = p.steps[0];
    QVERIFY(step.write.revision > 0);
    QCOMPARE(step.write.uid, std::string("uid-web"));
    QCOMPARE(step.ok->reason, std::string("SuccessfulRescale"));
    QCOMPARE(step.ok->message, std::string("New size: 4; reason: cpu resource utilization (percentage of request) above target"));
    QCOMPARE(step.failed->reason, std::string("FailedRescale"));
    QVERIFY(*p.again <= Duration(1s));

    p = run();  // it was done
    QCOMPARE(steps(p), std::vector<std::string>{"patch horizontalpodautoscalers/web/status"});
    QCOMPARE(condition(p, "AbleToScale"), std::string("True SucceededRescale"));
    QCOMPARE(condition(p, "ScalingActive"), std::string("True ValidMetricFound"));
    QCOMPARE(condition(p, "ScalingLimited"), std::string("False DesiredWithinRange"));
    auto s = status(p);
    QCOMPARE(text(s, "currentReplicas"), std::string("2"));
    QCOMPARE(text(s, "desiredReplicas"), std::string("4"));
    QCOMPARE(text(s, "lastScaleTime"), std::string("2026-01-02T12:00:00Z"));
    QCOMPARE(text(s, "currentMetrics.0.type"), std::string("Resource"));
    QCOMPARE(text(s, "currentMetrics.0.resource.current.averageUtilization"), std::string("100"));
    QCOMPARE(text(s, "currentMetrics.0.resource.current.averageValue"), std::string("100m"));
    QCOMPARE(*p.again, Duration(15s));
  }

  void kubectlReadsIt() {
    hpa();
    deployment(2);
    pods(2, 48);
    auto object = keep(run());
    std::vector<Json> cells;
    object->info().strategy->cells(object->tree(), c_->now.wall, cells);
    QCOMPARE(api::toText(cells[0]), std::string("\"Deployment/web\""));
    QCOMPARE(api::toText(cells[1]), std::string("\"cpu: 48%/50%\""));
    auto* v1 = c_->registry->find("autoscaling", "v1", "horizontalpodautoscalers");
    Json old = api::asVersion(object, *v1)->tree();
    QCOMPARE(text(old, "status.currentCPUUtilizationPercentage"), std::string("48"));
    QCOMPARE(text(old, "spec.targetCPUUtilizationPercentage"), std::string("50"));
  }

  void aConflictIsThoughtOfAnew() {
    hpa();
    deployment(2);
    pods(2, 100);
    QCOMPARE(size(run()), 4);
    deployment(3);  // somebody else
    pods(3, 100);
    QCOMPARE(size(run(1)), 6);
  }

  void aRefusalIsTold() {
    hpa();
    deployment(2);
    pods(2, 100);
    QCOMPARE(size(run()), 4);
    Plan p = run(1, "exceeded quota");
    QCOMPARE(condition(p, "AbleToScale"), std::string("False FailedUpdateScale"));
    QCOMPARE(text(status(p), "desiredReplicas"), std::string("0"));
    QCOMPARE(text(status(p), "lastScaleTime"), std::string("(none)"));
    QCOMPARE(*p.again, Duration(15s));
    keep(p);
    QCOMPARE(size(run()), 4);  // and it tries again
  }

  void leavesWellAlone() {
    hpa();
    deployment(2);
    pods(2, 50);
    Plan p = run();
    QCOMPARE(size(p), -1);
    QCOMPARE(condition(p, "AbleToScale"), std::string("True ReadyForNewScale"));
    QCOMPARE(text(status(p), "desiredReplicas"), std::string("2"));
    keep(p);
    c_->now.mono += 15s;
    c_->now.wall += 15s;
    p = run();
    QVERIFY(p.empty());
    QCOMPARE(*p.again, Duration(15s));
  }

  void scalesDownAfterTheWindow() {
    hpa();
    deployment(4);
    pods(4, 10);
    for (int i = 0; i < 20; ++i) {  // five minutes less one look
      Plan p = run();
      QCOMPARE(size(p), -1);
      keep(p);
      c_->now.mono += 15s;
    }
    Plan p = run();
    QCOMPARE(size(p), 1);
    QCOMPARE(p.steps[0].ok->message, std::string("New size: 1; reason: All metrics below target"));
  }

  void saysWhyItDoesNotScaleDown() {
    hpa();
    deployment(4);
    pods(4, 10);
    QCOMPARE(condition(run(), "AbleToScale"), std::string("True ScaleDownStabilized"));
  }

  void staysWithinBounds() {
    hpa(kCpu, "minReplicas: 2, maxReplicas: 3");
    deployment(5);
    Plan p = run();  // no metric is needed for that
    QCOMPARE(size(p), 3);
    QCOMPARE(p.steps[0].ok->message, std::string("New size: 3; reason: Current number of replicas above Spec.MaxReplicas"));
    memory_.clear();
    deployment(1);
    QCOMPARE(size(run()), 2);
    memory_.clear();
    deployment(2);
    pods(2, 400);
    QCOMPARE(size(run()), 3);
    QCOMPARE(condition(run(), "ScalingLimited"), std::string("True TooManyReplicas"));
    memory_.clear();
    pods(2, 1);
    hpa(kCpu, "minReplicas: 2, maxReplicas: 3, behavior: {scaleDown: {stabilizationWindowSeconds: 0}}");
    QCOMPARE(condition(run(), "ScalingLimited"), std::string("True TooFewReplicas"));
  }

  void policiesRememberWhatWasDone() {
    hpa(kCpu, "minReplicas: 1, maxReplicas: 50, behavior: {scaleUp: {policies: [{type: Pods, value: 2, periodSeconds: 60}]}}");
    deployment(2);
    pods(2, 500);
    QCOMPARE(size(run()), 4);
    QCOMPARE(condition(run(), "ScalingLimited"), std::string("True ScaleUpLimit"));
    deployment(4);
    pods(4, 500);
    c_->now.mono += 30s;
    QCOMPARE(size(run()), -1);
    c_->now.mono += 30s;
    QCOMPARE(size(run()), 6);
  }

  void noReplicasMeansOff() {
    hpa();
    deployment(0);
    Plan p = run();
    QCOMPARE(size(p), -1);
    QCOMPARE(condition(p, "ScalingActive"), std::string("False ScalingDisabled"));
    QCOMPARE(text(status(p), "desiredReplicas"), std::string("0"));
    QCOMPARE(*p.again, Duration(15s));
  }

  void theTargetIsMissing() {
    hpa();
    Plan p = run();
    QCOMPARE(condition(p, "AbleToScale"), std::string("False FailedGetScale"));
    QCOMPARE(told(p), std::vector<std::string>{"Warning FailedGetScale"});
    hpa(kCpu, "maxReplicas: 3", "{apiVersion: apps/v1, kind: DaemonSet, name: web}");
    QCOMPARE(condition(run(), "AbleToScale"), std::string("False FailedGetScale"));
    hpa(kCpu, "maxReplicas: 3", "{apiVersion: a/b/c, kind: Deployment, name: web}");
    QCOMPARE(condition(run(), "AbleToScale"), std::string("False FailedGetScale"));
    hpa(kCpu, "maxReplicas: 3", "{kind: Deployment, name: web}");
    deployment(1);
    QCOMPARE(condition(run(), "AbleToScale"), std::string("False FailedGetScale"));
    hpa(kCpu, "maxReplicas: 3", "{apiVersion: apps/v1beta1, kind: Deployment, name: web}");  // any version serves
    pods(1, 50);
    QCOMPARE(condition(run(), "AbleToScale"), std::string("True ReadyForNewScale"));
  }

  void otherKindsHaveAScaleToo() {
    pods(1, 100);
    for (std::string kind : {"ReplicaSet", "StatefulSet"}) {
      memory_.clear();
      hpa(kCpu, "maxReplicas: 10", fmt::format("{{apiVersion: apps/v1, kind: {}, name: web}}", kind));
      deployment(1, kind);
      QCOMPARE(size(run(), QString::fromStdString(kind).toLower().toStdString() + "s/web"), 2);
    }
    memory_.clear();
    hpa(kCpu, "maxReplicas: 10", "{apiVersion: v1, kind: ReplicationController, name: web}");
    c_->put("apiVersion: v1\nkind: ReplicationController\nmetadata: {name: web}\nspec: {replicas: 1, selector: {app: web}, template: "
            "{metadata: {labels: {app: web}}, spec: {containers: [{name: c, image: i}]}}}");
    pod("other", {.milli = 900, .app = "other"});  // its selector is a plain map
    QCOMPARE(size(run(), "replicationcontrollers/web"), 2);
  }

  void customKindsHaveAScaleToo() {
    auto info = *c_->snapshot.kinds().statefulSets;
    info.group = "shop.example", info.version = "v1", info.kind = "Store", info.plural = "stores", info.storageGroupKind = "shop.example/Store";
    info.scale = {".spec.copies", ".status.copies", ".status.selector"};
    info.builtin = false;
    auto added = c_->registry->add(info);
    QVERIFY(added.ok());
    hpa(kCpu, "maxReplicas: 10", "{apiVersion: shop.example/v1, kind: Store, name: web}");
    Plan early = run();  // the kind is new, its objects have not been seen: that is no fault
    QVERIFY(early.empty() && early.notes.empty());
    QCOMPARE(*early.again, Duration(1s));
    c_->snapshot.setSynced(*added);
    QCOMPARE(condition(run(), "AbleToScale"), std::string("False FailedGetScale"));
    auto make = [&](const std::string& selector) {
      c_->snapshot.put(api::Object::make(*added,
                                         *api::parseYaml("apiVersion: shop.example/v1\nkind: Store\nmetadata: {name: web, namespace: default, "
                                                         "uid: uid-web}\nspec: {copies: 1}\nstatus: {" +
                                                         selector + "}"),
                                         7));
    };
    pods(1, 100);
    make("selector: 'app in (web)'");
    QCOMPARE(size(run(), "stores/web"), 2);
    memory_.clear();
    make("copies: 1");
    Plan p = run();
    QCOMPARE(condition(p, "ScalingActive"), std::string("False InvalidSelector"));
    QCOMPARE(told(p), std::vector<std::string>{"Warning SelectorRequired"});
    make("selector: 'a in ('");
    QCOMPARE(told(run()), std::vector<std::string>{"Warning InvalidSelector"});
  }

  void withoutASourceNothingIsKnown() {
    hpa();
    deployment(2);
    pods(2, 100);
    Plan p = reconcileAutoscaler(c_->snapshot, key("default/web"), c_->now, nullptr, memory_);
    QCOMPARE(size(p), -1);
    QCOMPARE(condition(p, "ScalingActive"), std::string("False FailedGetResourceMetric"));
    QCOMPARE(told(p), (std::vector<std::string>{"Warning FailedGetResourceMetric", "Warning FailedComputeMetricsReplicas"}));
  }

  void soonAfterAStartNothingIsToldOfWhatIsNotMeasured() {
    hpa();
    deployment(2);
    pod("p0", {.milli = -1});
    c_->snapshot.setSteadySince(c_->now.mono - 59s);
    Plan p = run();
    QVERIFY(p.notes.empty());
    QCOMPARE(condition(p, "ScalingActive"), std::string("(none)"));
    QCOMPARE(condition(p, "AbleToScale"), std::string("True SucceededGetScale"));
    QCOMPARE(*p.again, Duration(15s));
    c_->snapshot.setSteadySince(c_->now.mono - 60s);
    QCOMPARE(condition(run(), "ScalingActive"), std::string("False FailedGetResourceMetric"));
  }

  void requestsAreNeededForUtilization() {
    hpa();
    deployment(1);
    pod("p0", {.milli = 100, .requests = "{memory: 1Gi}"});
    Plan p = run();
    QCOMPARE(condition(p, "ScalingActive"), std::string("False FailedGetResourceMetric"));
    QVERIFY(p.notes[0].message.find("missing request for cpu in container c of Pod p0") != std::string::npos);
    hpa("{type: Resource, resource: {name: cpu, target: {type: AverageValue, averageValue: 50m}}}");
    QCOMPARE(size(run()), 2);
  }

  void memoryByValue() {
    hpa("{type: Resource, resource: {name: memory, target: {type: AverageValue, averageValue: 25Mi}}}");
    deployment(1);
    pods(1, 0);
    QCOMPARE(size(run()), 2);
    Json s = status(run());
    QCOMPARE(text(s, "currentMetrics.0.resource.current.averageValue"), std::string("52428800"));
    QCOMPARE(text(s, "currentMetrics.0.resource.current.averageUtilization"), std::string("(none)"));
  }

  void aTargetOfNothingIsRefused() {
    hpa("{type: Resource, resource: {name: cpu, target: {type: AverageValue, averageValue: '0'}}}");
    deployment(1);
    pods(1, 50);
    QCOMPARE(condition(run(), "ScalingActive"), std::string("False FailedGetResourceMetric"));
  }

  void oneContainerOfThePod() {
    auto metric = [](const char* container) {
      return fmt::format("{{type: ContainerResource, containerResource: {{name: cpu, container: {}, target: {{type: Utilization, "
                         "averageUtilization: 50}}}}}}",
                         container);
    };
    hpa(metric("c"));
    deployment(1);
    pods(1, 100);
    usage_->pods["uid-p0"].containers.push_back({"other", {900'000'000, 0}});
    QCOMPARE(size(run()), 2);
    Json s = status(run());
    QCOMPARE(text(s, "currentMetrics.0.containerResource.container"), std::string("c"));
    QCOMPARE(text(s, "currentMetrics.0.containerResource.current.averageUtilization"), std::string("100"));
    memory_.clear();
    hpa(metric("nobody"));
    QCOMPARE(condition(run(), "ScalingActive"), std::string("False FailedGetContainerResourceMetric"));
  }

  void sidecarsCount() {
    hpa();
    deployment(1);
    c_->put("apiVersion: v1\nkind: Pod\nmetadata: {name: p0, labels: {app: web}}\nspec: {initContainers: [{name: setup, image: i}, {name: side, "
            "image: i, restartPolicy: Always, resources: {requests: {cpu: 100m}}}], containers: [{name: c, image: i, resources: {requests: "
            "{cpu: 100m}}}]}\nstatus: {phase: Running, startTime: '2026-01-01T00:00:00Z', conditions: [{type: Ready, status: 'True', "
            "lastTransitionTime: '2026-01-01T00:00:10Z'}]}");
    client::PodUse use{{{"c", {50'000'000, 0}}, {"side", {50'000'000, 0}}}, c_->now.wall, 15s};
    usage_->pods["uid-p0"] = use;
    QCOMPARE(text(status(run()), "currentMetrics.0.resource.current.averageUtilization"), std::string("50"));
  }

  void theHungriestMetricDecides() {
    hpa(std::string("{type: Resource, resource: {name: memory, target: {type: Utilization, averageUtilization: 50}}}, ") + kCpu);
    deployment(2);
    pods(2, 200);
    Plan p = run();
    QCOMPARE(size(p), 6);  // eight, but for the policy
    QVERIFY(p.steps[0].ok->message.find("cpu") != std::string::npos);
    QCOMPARE(text(status(run()), "currentMetrics.0.resource.name"), std::string("memory"));
  }

  void othersMetricsAreNotServedHere_data() {
    QTest::addColumn<QString>("metric");
    QTest::addColumn<QString>("reason");
    QTest::newRow("pods") << "{type: Pods, pods: {metric: {name: hits}, target: {type: AverageValue, averageValue: '1'}}}"
                          << "FailedGetPodsMetric";
    QTest::newRow("object") << "{type: Object, object: {metric: {name: hits}, describedObject: {kind: Service, name: s}, target: {type: Value, "
                               "value: '1'}}}"
                            << "FailedGetObjectMetric";
    QTest::newRow("external") << "{type: External, external: {metric: {name: hits}, target: {type: Value, value: '1'}}}"
                              << "FailedGetExternalMetric";
  }
  // Nor do they keep the rest from scaling up; but nothing is scaled down.
  void othersMetricsAreNotServedHere() {
    QFETCH(QString, metric);
    QFETCH(QString, reason);
    std::string wanted = "Warning " + reason.toStdString();
    hpa(metric.toStdString());
    deployment(2);
    pods(2, 100);
    Plan p = run();
    QCOMPARE(condition(p, "ScalingActive"), "False " + reason.toStdString());
    QCOMPARE(told(p), (std::vector<std::string>{wanted, "Warning FailedComputeMetricsReplicas"}));

    std::string both = metric.toStdString() + ", " + kCpu;
    std::string quick = "minReplicas: 1, maxReplicas: 10, behavior: {scaleDown: {stabilizationWindowSeconds: 0}}";
    hpa(both, quick);
    p = run();
    QCOMPARE(size(p), 4);
    QCOMPARE(told(p), std::vector<std::string>{wanted});
    p = run();
    QCOMPARE(condition(p, "ScalingActive"), std::string("True ValidMetricFound"));
    QCOMPARE(text(status(p), "currentMetrics.1.resource.name"), std::string("cpu"));  // in the order of the spec
    memory_.clear();
    pods(2, 1);
    p = run();
    QCOMPARE(size(p), -1);
    QCOMPARE(condition(p, "ScalingActive"), "False " + reason.toStdString());
    hpa(kCpu, quick);
    QCOMPARE(size(run()), 1);  // it would be, were all known
  }

  void countsOnlyPodsThatCount() {
    hpa();
    deployment(2);
    pod("a", {.milli = 100});
    pod("b", {.milli = 100});
    pod("failed", {.milli = 0, .phase = "Failed"});
    pod("ended", {.milli = 0, .phase = "Succeeded"});
    pod("going", {.milli = 0, .deleting = true});
    pod("foreign", {.milli = 0, .app = "db"});
    QCOMPARE(size(run()), 4);
  }

  void startingPodsDampen_data() {
    QTest::addColumn<QString>("phase");
    QTest::addColumn<QString>("ready");
    QTest::addColumn<QString>("started");
    QTest::addColumn<QString>("readySince");
    QTest::addColumn<bool>("counts");
    // At 12:00:00.
    auto row = [](const char* name, const char* phase, const char* ready, const char* started, const char* since, bool counts) {
      QTest::newRow(name) << phase << ready << QString("2026-01-02T%1Z").arg(started) << QString("2026-01-02T%1Z").arg(since) << counts;
    };
    row("long ready", "Running", "True", "11:00:00", "11:00:10", true);
    row("pending", "Pending", "False", "11:00:00", "11:00:00", false);
    row("young, not ready", "Running", "False", "11:58:00", "11:58:00", false);
    row("young, ready for a moment", "Running", "True", "11:58:00", "11:59:50", false);
    row("young, ready for a window", "Running", "True", "11:58:00", "11:59:45", true);
    row("old, never ready", "Running", "False", "11:00:00", "11:00:10", false);
    row("old, ready once", "Running", "False", "11:00:00", "11:30:00", true);
  }
  // One pod at twice the target, and one that uses as much: it counts in full, or as nothing.
  void startingPodsDampen() {
    QFETCH(QString, phase);
    QFETCH(QString, ready);
    QFETCH(QString, started);
    QFETCH(QString, readySince);
    QFETCH(bool, counts);
    hpa();
    deployment(2);
    pod("a", {.milli = 100});
    pod("b", {.milli = 100,
              .phase = phase.toStdString(),
              .ready = ready.toStdString(),
              .started = started.toStdString(),
              .readySince = readySince.toStdString()});
    QCOMPARE(size(run()), counts ? 4 : -1);
  }

  void memoryOfStartingPodsCounts() {
    hpa("{type: Resource, resource: {name: memory, target: {type: Utilization, averageUtilization: 25}}}");
    deployment(1);
    pod("a", {.ready = "False", .started = "2026-01-02T11:59:50Z", .readySince = "2026-01-02T11:59:50Z"});
    QCOMPARE(size(run()), 2);
  }

  void unmeasuredPodsDampen() {
    std::string quick = "minReplicas: 1, maxReplicas: 10, behavior: {scaleDown: {stabilizationWindowSeconds: 0}}";
    hpa(kCpu, quick);
    deployment(3);
    pod("a", {.milli = 10});
    pod("b", {.milli = 10});
    pod("c", {.milli = -1});
    QCOMPARE(size(run()), -1);
    pod("c", {.milli = 10});
    QCOMPARE(size(run()), 1);
  }

  void noPods() {
    hpa();
    deployment(2);
    QCOMPARE(condition(run(), "ScalingActive"), std::string("False FailedGetResourceMetric"));
  }

  void twoOnTheSamePodsDoNothing() {
    hpa();
    hpa(kCpu, "maxReplicas: 10", "{apiVersion: apps/v1, kind: Deployment, name: web}", "twin");
    deployment(1);
    pods(1, 100);
    reconcileAutoscaler(c_->snapshot, key("default/twin"), c_->now, usage_.get(), memory_);
    Plan p = run();
    QCOMPARE(size(p), -1);
    QCOMPARE(condition(p, "ScalingActive"), std::string("False AmbiguousSelector"));
    c_->snapshot.erase(c_->snapshot.get(c_->snapshot.kinds().autoscalers, "default/twin"));
    reconcileAutoscaler(c_->snapshot, key("default/twin"), c_->now, usage_.get(), memory_);
    QCOMPARE(size(run()), 2);
  }

  void forgetsWhatIsGone() {
    hpa();
    deployment(2);
    pods(2, 50);
    run();
    QCOMPARE(memory_.size(), size_t(1));
    c_->snapshot.erase(c_->snapshot.get(c_->snapshot.kinds().autoscalers, "default/web"));
    Plan p = run();
    QVERIFY(p.empty());
    QVERIFY(!p.again);
    QVERIFY(memory_.empty());
  }

  void aNewOneOfTheSameNameHasNoPast() {
    hpa();
    deployment(4);
    pods(4, 100);
    QCOMPARE(size(run()), 8);
    c_->put(fmt::format("apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {{name: web, uid: another}}\nspec: {{maxReplicas: "
                        "10, scaleTargetRef: {{apiVersion: apps/v1, kind: Deployment, name: web}}, metrics: [{}]}}",
                        kCpu));
    pods(4, 50);
    QCOMPARE(condition(run(), "AbleToScale"), std::string("True ReadyForNewScale"));
  }

  // The whole way: watches, the scale's write, events.
  void onItsRunner() {
    auto sim = SimExecutor::make(5);
    FakeClient server(sim);
    auto usage = std::make_shared<Usage>();
    server.create("apiVersion: v1\nkind: Namespace\nmetadata: {name: default}");
    auto runner = controllers::Runner::make(server, sim, {});
    runner->add(controllers::autoscalingController(controllers::Kinds(server.registry()), usage));
    runner->start();
    QVERIFY(sim->runUntil([&] { return runner->synced(); }, 60s));
    auto hpaNow = [&] { return server.find(server.kind("horizontalpodautoscalers"), "default/web")->as<v2::HorizontalPodAutoscaler>(); };
    auto reason = [&](const std::string& type) {
      for (auto& c : hpaNow().status.conditions)
        if (c.type == type) return c.reason;
      return std::string();
    };
    server.create(fmt::format("apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {{name: web}}\nspec: {{maxReplicas: 10, "
                           "scaleTargetRef: {{apiVersion: apps/v1, kind: Deployment, name: web}}, metrics: [{}]}}",
                           kCpu));
    QVERIFY(sim->runUntil([&] { return reason("AbleToScale") == "FailedGetScale"; }, 5s));
    auto p = server.create("apiVersion: v1\nkind: Pod\nmetadata: {name: p, labels: {app: web}}\nspec: {containers: [{name: c, image: i, "
                        "resources: {requests: {cpu: 100m}}}]}");
    server.edit(server.kind("pods"), "default/p", [&](Json& t) {
      t.as_object()["status"] = *api::parseYaml("{phase: Running, startTime: '2020-01-01T00:00:00Z', conditions: [{type: Ready, status: "
                                                "'True', lastTransitionTime: '2020-01-01T00:00:10Z'}]}");
    });
    client::PodUse use{{{"c", {250'000'000, 0}}}, sim->wallNow(), 15s};
    usage->pods[p->uid()] = use;
    bool refuse = true;
    server.onWrite = [&](const client::Write& w) -> std::optional<Status> {
      if (refuse && w.subresource == "scale") return Status::forbidden("not today");
      return std::nullopt;
    };
    // It is looked at as soon as there is something to scale.
    server.create("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {replicas: 1, selector: {matchLabels: {app: web}}, template: "
               "{metadata: {labels: {app: web}}, spec: {containers: [{name: c, image: i}]}}}");
    QVERIFY(sim->runUntil([&] { return reason("AbleToScale") == "FailedUpdateScale"; }, 5s));
    refuse = false;
    QVERIFY(sim->runUntil([&] { return reason("AbleToScale") == "SucceededRescale"; }, 16s));
    QCOMPARE(hpaNow().status.desiredReplicas, 5);
    auto size = [&] {
      return text(server.find(server.kind("deployments"), "default/web")->tree(), "spec.replicas");
    };
    QCOMPARE(size(), std::string("5"));
    QVERIFY(sim->runUntil([&] { return hpaNow().status.currentReplicas == 5; }, 16s));
    std::set<std::string> reasons;
    for (auto& [key, e] : server.all(server.kind("events"))) reasons.insert(text(e->tree(), "reason"));
    QCOMPARE(reasons, (std::set<std::string>{"FailedGetScale", "FailedRescale", "SuccessfulRescale"}));
    // Quiet from here on: four looks a minute, and no writes.
    sim->runFor(60s);
    auto writes = server.writes().size();
    auto before = runner->stats().reconciles;
    sim->runFor(10min);
    QCOMPARE(server.writes().size(), writes);
    QVERIFY(runner->stats().reconciles - before <= 41);
    QVERIFY(runner->stats().reconciles - before >= 39);
    runner->stop();
    sim->runFor(1s);
  }
};

QTEST_GUILESS_MAIN(AutoscalingTest)
#include "autoscaling_test.moc"
