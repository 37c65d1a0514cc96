// The steps of admission, through the writes that pass them.
#include <QTest>

#include "engine/server/admission/admission.h"
#include "tests/unit/server/admission/core_fixture.h"

using namespace ph;
using namespace ph::test;

namespace {

std::string pod(const std::string& name, const std::string& resources = "{}", const std::string& more = "") {
  return "apiVersion: v1\nkind: Pod\nmetadata: {name: " + name + "}\nspec: {containers: [{name: c, image: i, resources: " + resources +
         "}]" + more + "}";
}

std::string range(const std::string& item) {
  return "apiVersion: v1\nkind: LimitRange\nmetadata: {name: range}\nspec: {limits: [" + item + "]}";
}

std::string priorityClass(const std::string& name, int value, const std::string& more = "") {
  return "apiVersion: scheduling.k8s.io/v1\nkind: PriorityClass\nmetadata: {name: " + name + "}\nvalue: " + std::to_string(value) + more;
}

std::string labelled(const std::string& name, const std::string& labels) {
  return "apiVersion: v1\nkind: Namespace\nmetadata: {name: " + name + ", labels: {" + labels + "}}";
}

const std::string kEnforce = "pod-security.kubernetes.io/enforce", kWarn = "pod-security.kubernetes.io/warn";

}  // namespace

class AdmissionTest : public QObject {
  Q_OBJECT
  std::unique_ptr<CoreFixture> c_;

  static std::string why(const Result<server::WriteAnswer>& r) { return CoreFixture::why(r); }
  static std::string text(const Result<server::WriteAnswer>& r, std::string_view path) { return CoreFixture::text(r, path); }

 private slots:
  void init() { c_ = std::make_unique<CoreFixture>(); }
  void cleanup() { c_.reset(); }

  void namespacesThatStay() {
    for (auto name : {"default", "kube-system", "kube-public"}) {
      auto r = c_->remove("apiVersion: v1\nkind: Namespace\nmetadata: {name: " + std::string(name) + "}");
      QCOMPARE(r.ok() ? 200 : r.status().code, 403);
      QCOMPARE(why(r), "namespaces \"" + std::string(name) + "\" is forbidden: this namespace may not be deleted");
    }
    auto r = c_->create(pod("a"), "nowhere");
    QCOMPARE(r.status().code, 404);
    QCOMPARE(why(r), std::string("namespaces \"nowhere\" not found"));
  }

  void nothingNewInAnEndingNamespace() {
    QVERIFY(c_->create(labelled("team", "")).ok());
    QVERIFY(c_->remove(labelled("team", "")).ok());  // it waits for its finalizer
    auto r = c_->create(pod("a"), "team");
    QCOMPARE(r.status().code, 403);
    QCOMPARE(why(r), std::string("pods \"a\" is forbidden: unable to create new content in namespace team because it is being terminated"));
    QCOMPARE(r.status().causes.at(0).reason, std::string("NamespaceTerminating"));
  }

  void limitDefaults() {
    QVERIFY(c_->create(range("{type: Container, default: {cpu: 500m, memory: 1Gi}, defaultRequest: {cpu: 100m}}")).ok());
    auto r = c_->create(pod("a", "{limits: {memory: 64Mi}}"));
    QCOMPARE(text(r, "spec.containers.0.resources.limits.cpu"), std::string("500m"));
    QCOMPARE(text(r, "spec.containers.0.resources.limits.memory"), std::string("64Mi"));
    QCOMPARE(text(r, "spec.containers.0.resources.requests.cpu"), std::string("100m"));
    QCOMPARE(text(r, "spec.containers.0.resources.requests.memory"), std::string("64Mi"));
    QCOMPARE(text(r, "status.qosClass"), std::string("Burstable"));
    Json tree = r->object->tree();
    QCOMPARE(std::string(tree.at("metadata").at("annotations").at("kubernetes.io/limit-ranger").as_string()),
             std::string("LimitRanger plugin set: cpu request for container c; cpu limit for container c"));
    // Elsewhere nothing is added.
    QVERIFY(c_->create(labelled("team", "")).ok());
    QCOMPARE(text(c_->create(pod("a"), "team"), "spec.containers.0.resources.limits"), std::string("(none)"));
  }

  void limits_data() {
    QTest::addColumn<QString>("item");
    QTest::addColumn<QString>("resources");
    QTest::addColumn<QString>("wanted");
    auto row = [](const char* name, const char* item, const char* resources, const char* wanted) {
      QTest::newRow(name) << item << resources << wanted;
    };
    row("within", "{type: Container, min: {cpu: 100m}, max: {cpu: 2}}", "{limits: {cpu: 1}}", "");
    row("less than the least", "{type: Container, min: {cpu: 100m}}", "{requests: {cpu: 50m}}", "minimum cpu usage per Container is 100m, but request is 50m");
    row("a request by default", "{type: Container, min: {cpu: 100m}}", "{}", "");  // the least is the default
    row("says nothing", "{type: Pod, min: {cpu: 100m}}", "{}", "minimum cpu usage per Pod is 100m.  No request is specified");
    row("more than the most", "{type: Container, max: {memory: 1Gi}}", "{limits: {memory: 2Gi}}", "maximum memory usage per Container is 1Gi, but limit is 2Gi");
    row("no limit", "{type: Pod, max: {memory: 1Gi}}", "{}", "maximum memory usage per Pod is 1Gi.  No limit is specified");
    row("ratio", "{type: Container, maxLimitRequestRatio: {cpu: 2}}", "{limits: {cpu: 1}, requests: {cpu: 250m}}",
        "cpu max limit to request ratio per Container is 2, but provided ratio is 4.000000");
    row("ratio held", "{type: Container, maxLimitRequestRatio: {cpu: 2}}", "{limits: {cpu: 1}, requests: {cpu: 500m}}", "");
    row("a pod as a whole", "{type: Pod, max: {cpu: 1}}", "{limits: {cpu: 2}}", "maximum cpu usage per Pod is 1, but limit is 2");
    row("several", "{type: Container, min: {cpu: 100m, memory: 1Mi}}", "{requests: {cpu: 1m, memory: 1}}",
        "[minimum cpu usage per Container is 100m, but request is 1m, minimum memory usage per Container is 1Mi, but request is 1]");
  }
  void limits() {
    QFETCH(QString, item);
    QFETCH(QString, resources);
    QFETCH(QString, wanted);
    QVERIFY(c_->create(range(item.toStdString())).ok());
    auto r = c_->create(pod("a", resources.toStdString()));
    if (!wanted.isEmpty()) {
      QVERIFY(!r.ok());
      QCOMPARE(r.status().code, 403);
      wanted = "pods \"a\" is forbidden: " + wanted;
    }
    QCOMPARE(QString::fromStdString(why(r)), wanted);
  }

  void limitsOfClaims() {
    QVERIFY(c_->create(range("{type: PersistentVolumeClaim, min: {storage: 1Gi}, max: {storage: 5Gi}}")).ok());
    auto claim = [&](const char* name, const char* size) {
      return why(c_->create(std::string("apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: ") + name +
                            "}\nspec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: " + size + "}}}"));
    };
    QCOMPARE(claim("ok", "2Gi"), std::string());
    QCOMPARE(claim("small", "1Mi"),
             std::string("persistentvolumeclaims \"small\" is forbidden: minimum storage usage per PersistentVolumeClaim is 1Gi, but request is 1Mi"));
    QCOMPARE(claim("big", "9Gi"),
             std::string("persistentvolumeclaims \"big\" is forbidden: maximum storage usage per PersistentVolumeClaim is 5Gi, but request is 9Gi"));
  }

  void priorities() {
    auto r = c_->create(pod("plain"));
    QCOMPARE(text(r, "spec.priority"), std::string("0"));
    QCOMPARE(text(r, "spec.preemptionPolicy"), std::string("PreemptLowerPriority"));
    QCOMPARE(why(c_->create(pod("lost", "{}", ", priorityClassName: gold"))),
             std::string("pods \"lost\" is forbidden: no PriorityClass with name gold was found"));
    QVERIFY(c_->create(priorityClass("gold", 1000, "\npreemptionPolicy: Never")).ok());
    r = c_->create(pod("rich", "{}", ", priorityClassName: gold"));
    QCOMPARE(text(r, "spec.priority"), std::string("1000"));
    QCOMPARE(text(r, "spec.preemptionPolicy"), std::string("Never"));
    QCOMPARE(why(c_->create(pod("cheat", "{}", ", priorityClassName: gold, priority: 5000"))),
             std::string("pods \"cheat\" is forbidden: the integer value of priority (5000) must not be provided in pod spec; priority "
                         "admission controller computed 1000 from the given PriorityClass name"));
    QCOMPARE(text(c_->create(pod("sys", "{}", ", priorityClassName: system-node-critical")), "spec.priority"), std::string("2000001000"));
  }

  void oneDefaultPriority() {
    QVERIFY(c_->create(priorityClass("usual", 7, "\nglobalDefault: true")).ok());
    auto r = c_->create(pod("a"));
    QCOMPARE(text(r, "spec.priority"), std::string("7"));
    QCOMPARE(text(r, "spec.priorityClassName"), std::string("usual"));
    auto second = c_->create(priorityClass("other", 8, "\nglobalDefault: true"));
    QCOMPARE(second.status().code, 403);
    QVERIFY(why(second).ends_with("PriorityClass usual is already marked as default. Only one default can exist"));
    QVERIFY(c_->update(priorityClass("usual", 7, "\nglobalDefault: true\ndescription: x")).ok());
  }

  void storage() {
    auto claim = [&](const char* name, const char* more) {
      return c_->create(std::string("apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: ") + name +
                        "}\nspec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}" + more + "}");
    };
    QCOMPARE(text(claim("first", ""), "spec.storageClassName"), std::string("local"));  // a new cluster has it
    QVERIFY(c_->remove("apiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata: {name: local}").ok());
    auto r = claim("early", "");
    QCOMPARE(text(r, "spec.storageClassName"), std::string("(none)"));
    QCOMPARE(text(r, "metadata.finalizers"), std::string("[\"kubernetes.io/pvc-protection\"]"));
    QVERIFY(c_->create("apiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata: {name: slow}\nprovisioner: x").ok());
    QVERIFY(c_->create("apiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata: {name: fast, annotations: "
                       "{storageclass.kubernetes.io/is-default-class: 'true'}}\nprovisioner: x").ok());
    QCOMPARE(text(claim("a", ""), "spec.storageClassName"), std::string("fast"));
    QCOMPARE(text(claim("b", ", storageClassName: slow"), "spec.storageClassName"), std::string("slow"));
    QCOMPARE(text(claim("c", ", storageClassName: ''"), "spec.storageClassName"), std::string(""));
  }

  void ingressClasses() {
    auto ingress = [&](const std::string& name, const std::string& annotations, const std::string& more) {
      return c_->create("apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: " + name + ", annotations: {" + annotations +
                        "}}\nspec: {defaultBackend: {service: {name: s, port: {number: 80}}}" + more + "}");
    };
    QCOMPARE(text(ingress("a", "", ""), "spec.ingressClassName"), std::string("(none)"));
    QVERIFY(c_->create("apiVersion: networking.k8s.io/v1\nkind: IngressClass\nmetadata: {name: front, annotations: "
                       "{ingressclass.kubernetes.io/is-default-class: 'true'}}\nspec: {controller: x.io/y}").ok());
    QCOMPARE(text(ingress("b", "", ""), "spec.ingressClassName"), std::string("front"));
    QCOMPARE(text(ingress("c", "", ", ingressClassName: other"), "spec.ingressClassName"), std::string("other"));
    QCOMPARE(text(ingress("d", "kubernetes.io/ingress.class: old", ""), "spec.ingressClassName"), std::string("(none)"));
  }

  void runtimeClasses() {
    auto with = [&](const std::string& name, const std::string& more) { return c_->create(pod(name, "{}", ", runtimeClassName: sandbox" + more)); };
    auto r = with("a", "");
    QCOMPARE(r.ok() ? 201 : r.status().code, 403);
    QCOMPARE(why(r), std::string("pods \"a\" is forbidden: pod rejected: RuntimeClass \"sandbox\" not found"));
    QVERIFY(c_->create("apiVersion: node.k8s.io/v1\nkind: RuntimeClass\nmetadata: {name: sandbox}\nhandler: box\n"
                       "overhead: {podFixed: {memory: 10Mi}}\nscheduling: {nodeSelector: {box: 'yes'}, "
                       "tolerations: [{key: box, operator: Exists}]}").ok());
    r = with("b", ", nodeSelector: {disk: ssd}");
    QVERIFY2(r.ok(), why(r).c_str());
    QCOMPARE(text(r, "spec.overhead.memory"), std::string("10Mi"));
    QCOMPARE(text(r, "spec.nodeSelector.box"), std::string("yes"));
    QCOMPARE(text(r, "spec.nodeSelector.disk"), std::string("ssd"));
    QCOMPARE(text(r, "spec.tolerations.0.key"), std::string("box"));
    r = with("c", ", nodeSelector: {box: 'no'}");
    QCOMPARE(why(r), std::string("pods \"c\" is forbidden: conflict: runtimeClass.scheduling.nodeSelector[box] = yes; pod.spec.nodeSelector[box] = no"));
    r = with("d", ", overhead: {memory: 20Mi}");
    QCOMPARE(why(r), std::string("pods \"d\" is forbidden: pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead"));
    r = c_->create(pod("e", "{}", ", overhead: {memory: 20Mi}"));
    QCOMPARE(why(r), std::string("pods \"e\" is forbidden: pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead"));
  }

  void podSecurity() {
    QVERIFY(c_->create(labelled("safe", kEnforce + ": baseline, " + kWarn + ": restricted")).ok());
    auto r = c_->create(pod("a", "{}", ", hostNetwork: true"), "safe");
    QCOMPARE(r.status().code, 403);
    QCOMPARE(why(r), std::string("pods \"a\" is forbidden: violates PodSecurity \"baseline:latest\": host namespaces (hostNetwork=true)"));
    r = c_->create(pod("b"), "safe");
    QVERIFY(r.ok());
    QCOMPARE(r->warnings.size(), size_t(1));
    QVERIFY2(r->warnings[0].starts_with("would violate PodSecurity \"restricted:latest\": allowPrivilegeEscalation != false (container \"c\""),
             r->warnings[0].c_str());
    // A template is never refused.
    r = c_->create("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec: {selector: {matchLabels: {a: b}}, template: "
                   "{metadata: {labels: {a: b}}, spec: {hostNetwork: true, containers: [{name: c, image: i}]}}}", "safe");
    QVERIFY2(r.ok(), why(r).c_str());
    QCOMPARE(r->warnings.size(), size_t(1));
    QVERIFY(r->warnings[0].starts_with("would violate PodSecurity \"restricted:latest\": host namespaces (hostNetwork=true)"));
    QVERIFY(c_->create(pod("c"), "default")->warnings.empty());
  }

  void podSecurityLabels() {
    auto r = c_->create(labelled("odd", kEnforce + ": strict"));
    QCOMPARE(r.status().code, 422);
    QCOMPARE(r.status().causes.at(0).field, "metadata.labels[" + kEnforce + "]");
    QVERIFY(!c_->create(labelled("odd", kEnforce + "-version: '1.24'")).ok());
    QVERIFY(c_->create(labelled("team", "")).ok());
    for (auto name : {"a", "b", "c"}) QVERIFY(c_->create(pod(name), "team").ok());
    QVERIFY(c_->create(pod("net", "{}", ", hostNetwork: true"), "team").ok());
    r = c_->patch(labelled("team", kEnforce + ": baseline"));
    QVERIFY2(r.ok(), why(r).c_str());
    QCOMPARE(r->warnings.size(), size_t(2));
    QCOMPARE(r->warnings[0], std::string("existing pods in namespace \"team\" violate the new PodSecurity enforce level \"baseline:latest\""));
    QCOMPARE(r->warnings[1], std::string("net: host namespaces"));
    r = c_->patch(labelled("team", kEnforce + ": restricted"));
    QCOMPARE(r->warnings.size(), size_t(3));
    QVERIFY(r->warnings[1].starts_with("a (and 2 other pods): allowPrivilegeEscalation != false, unrestricted capabilities"));
    QVERIFY(c_->patch(labelled("team", kEnforce + ": privileged"))->warnings.empty());
  }
};

QTEST_GUILESS_MAIN(AdmissionTest)
#include "admission_test.moc"
