// A working day with the real kubectl on a cluster that has nodes: rollouts, drains, taints, editing, deleting in all ways.
#include <QFile>
#include <QRegularExpression>
#include <QSet>
#include <QTest>

#include "tests/support/engine/each_kubectl.h"

using namespace ph::test;

class KubectlTour : public QObject {
  Q_OBJECT
  std::unique_ptr<EngineProcess> engine_;
  std::unique_ptr<HollowNodes> nodes_;
  QString binary_;

  bool old() const { return binary_ != EngineProcess::kubectlPath(); }
  QString value(const QString& what, const QString& path) { return KUBECTL("get", what, "-o", "jsonpath=" + path).out; }
  int count(const QString& kinds, const QString& selector = "app=web") {
    return int(KUBECTL("get", kinds, "-l", selector, "-o", "name").out.count('\n'));
  }
  void deployWeb(int copies) {
    VERIFY_RAN(KUBECTL("create", "deployment", "web", "--image=web:1", "--replicas=" + QString::number(copies)));
    VERIFY_RAN(KUBECTL("rollout", "status", "deployment/web", "--timeout=30s"));
  }

 private slots:
  void init() {
    QFETCH(QString, binary);
    if (binary.isEmpty()) QSKIP("this kubectl is not on the box (PH_KUBECTL, PH_KUBECTL_120)");
    binary_ = binary;
    engine_ = std::make_unique<EngineProcess>();
    QVERIFY2(engine_->start(), qPrintable(engine_->readyLine() + engine_->log()));
    nodes_ = std::make_unique<HollowNodes>();
    QVERIFY2(nodes_->start(*engine_, 3), qPrintable(nodes_->log() + KUBECTL("get", "nodes").all()));
  }
  void cleanup() {
    if (QTest::currentTestFailed() && engine_) qWarning("%s", qPrintable(KUBECTL("get", "all,events", "-A").all() + engine_->log()));
    nodes_.reset();
    engine_.reset();
  }

  void rolloutsGoForthAndBack_data() { kubectlRows(); }
  void rolloutsGoForthAndBack() {
    deployWeb(3);
    VERIFY_RAN(KUBECTL("set", "image", "deployment/web", "web=web:2"));
    VERIFY_RAN(KUBECTL("rollout", "status", "deployment/web", "--timeout=30s"));
    VERIFY_RAN(KUBECTL("set", "env", "deployment/web", "COLOR=red"));
    VERIFY_RAN(KUBECTL("rollout", "status", "deployment/web", "--timeout=30s"));
    auto history = KUBECTL("rollout", "history", "deployment/web");
    QVERIFY2(history.out.contains("\n3 "), qPrintable(history.all()));
    QVERIFY(KUBECTL("rollout", "history", "deployment/web", "--revision=2").out.contains("web:2"));
    VERIFY_RAN(KUBECTL("rollout", "undo", "deployment/web", "--to-revision=1"));
    VERIFY_RAN(KUBECTL("rollout", "status", "deployment/web", "--timeout=30s"));
    QCOMPARE(value("deployment/web", "{.spec.template.spec.containers[0].image}"), "web:1");
    VERIFY_RAN(KUBECTL("rollout", "pause", "deployment/web"));
    VERIFY_RAN(KUBECTL("set", "image", "deployment/web", "web=web:3"));
    auto undo = KUBECTL("rollout", "undo", "deployment/web");
    QVERIFY2(!undo.ok() && undo.err.contains("paused"), qPrintable(undo.all()));
    QCOMPARE(count("rs"), 3);  // no new version while paused
    VERIFY_RAN(KUBECTL("rollout", "resume", "deployment/web"));
    VERIFY_RAN(KUBECTL("rollout", "status", "deployment/web", "--timeout=30s"));
    QCOMPARE(count("rs"), 4);
    VERIFY_RAN(KUBECTL("rollout", "restart", "deployment/web"));
    VERIFY_RAN(KUBECTL("rollout", "status", "deployment/web", "--timeout=30s"));
    QVERIFY(value("deployment/web", "{.spec.template.metadata.annotations}").contains("restartedAt"));
    QTRY_COMPARE(count("pods"), 3);
  }

  void daemonSetsRollForthAndBack_data() { kubectlRows(); }
  void daemonSetsRollForthAndBack() {
    QByteArray manifest = R"(
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: web, annotations: {kubernetes.io/change-cause: the first}}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "web:1"}]}
)";
    auto rolledOut = [&] { return KUBECTL("rollout", "status", "daemonset/web", "--timeout=30s"); };
    auto onNodes = [&] {
      auto nodes = value("pods", "{.items[*].spec.nodeName}").split(' ');
      return QSet<QString>(nodes.begin(), nodes.end()).size();
    };
    VERIFY_RAN(KUBECTL_IN(manifest, "apply", "-f", "-"));
    VERIFY_RAN(rolledOut());
    QCOMPARE(count("pods"), 3);
    QCOMPARE(onNodes(), 3);
    VERIFY_RAN(KUBECTL("set", "image", "daemonset/web", "web=web:2"));
    VERIFY_RAN(rolledOut());
    QCOMPARE(value("pods", "{.items[*].spec.containers[0].image}"), "web:2 web:2 web:2");
    auto history = KUBECTL("rollout", "history", "daemonset/web");
    QVERIFY2(history.out.contains("\n2 ") && history.out.contains("the first"), qPrintable(history.all()));
    auto first = KUBECTL("rollout", "history", "daemonset/web", "--revision=1");
    QVERIFY2(first.out.contains("web:1"), qPrintable(first.all()));
    VERIFY_RAN(KUBECTL("rollout", "undo", "daemonset/web"));
    VERIFY_RAN(rolledOut());
    QCOMPARE(value("daemonset/web", "{.spec.template.spec.containers[0].image}"), "web:1");
    QCOMPARE(count("controllerrevisions"), 2);  // the first is the newest again
    QTRY_VERIFY(KUBECTL("rollout", "history", "daemonset/web").out.contains("\n3 "));
    VERIFY_RAN(KUBECTL("rollout", "restart", "daemonset/web"));
    VERIFY_RAN(rolledOut());
    QCOMPARE(count("controllerrevisions"), 3);

    auto node = value("pods", "{.items[0].spec.nodeName}");
    VERIFY_RAN(KUBECTL("drain", node, "--ignore-daemonsets", "--timeout=50s"));
    QCOMPARE(count("pods"), 3);  // what belongs on every node stays on a cordoned one
    VERIFY_RAN(KUBECTL("uncordon", node));
    VERIFY_RAN(KUBECTL("taint", "node", node, "only=us:NoExecute"));
    QTRY_COMPARE(count("pods"), 2);
    QTRY_COMPARE(value("daemonset/web", "{.status.desiredNumberScheduled}"), "2");
    VERIFY_RAN(KUBECTL("taint", "node", node, "only-"));
    QTRY_COMPARE(onNodes(), 3);

    // One of the same template adopts what was left, history and all.
    VERIFY_RAN(rolledOut());
    auto before = value("pods", "{.items[*].metadata.uid}");
    auto again = KUBECTL("get", "daemonset/web", "-o", "yaml").out.remove(QRegularExpression("  (resourceVersion|uid): .*\n"));
    VERIFY_RAN(KUBECTL("delete", "daemonset", "web", "--cascade=orphan", "--timeout=20s"));
    VERIFY_RAN(KUBECTL_IN(again.toUtf8(), "create", "-f", "-"));
    VERIFY_RAN(rolledOut());
    QCOMPARE(value("pods", "{.items[*].metadata.uid}"), before);
    QCOMPARE(count("controllerrevisions"), 3);
    VERIFY_RAN(KUBECTL("delete", "daemonset", "web", "--cascade=foreground", "--timeout=30s"));
    QCOMPARE(count("controllerrevisions,pods"), 0);
  }

  void nodesAreCordonedDrainedAndTainted_data() { kubectlRows(); }
  void nodesAreCordonedDrainedAndTainted() {
    deployWeb(4);
    auto node = value("pods", "{.items[0].spec.nodeName}");
    VERIFY_RAN(KUBECTL("cordon", node));
    QVERIFY(KUBECTL("get", "node", node).out.contains("SchedulingDisabled"));
    VERIFY_RAN(KUBECTL("drain", node, "--ignore-daemonsets", "--timeout=50s"));
    QTRY_COMPARE(KUBECTL("get", "pods", "--field-selector", "spec.nodeName=" + node, "-o", "name").out, "");
    VERIFY_RAN(KUBECTL("rollout", "status", "deployment/web", "--timeout=30s"));
    VERIFY_RAN(KUBECTL("uncordon", node));
    QVERIFY(!KUBECTL("get", "node", node).out.contains("SchedulingDisabled"));
    VERIFY_RAN(KUBECTL("taint", "node", node, "only=us:NoExecute"));
    VERIFY_RAN(KUBECTL("scale", "deployment/web", "--replicas=9"));
    VERIFY_RAN(KUBECTL("rollout", "status", "deployment/web", "--timeout=30s"));
    QCOMPARE(KUBECTL("get", "pods", "--field-selector", "spec.nodeName=" + node, "-o", "name").out, "");
    VERIFY_RAN(KUBECTL("taint", "node", node, "only-"));
    auto bad = KUBECTL("taint", "node", node, "only=us:Nonsense");
    QVERIFY(!bad.ok());
  }

  void createExposeAutoscaleAndWait_data() { kubectlRows(); }
  void createExposeAutoscaleAndWait() {
    deployWeb(2);
    VERIFY_RAN(KUBECTL("expose", "deployment", "web", "--port=80", "--target-port=8080"));
    VERIFY_RAN(KUBECTL("autoscale", "deployment", "web", "--min=2", "--max=5", "--cpu-percent=70"));
    auto hpa = KUBECTL("get", "hpa", "web");
    QVERIFY2(hpa.out.contains("Deployment/web") && hpa.out.contains("70%"), qPrintable(hpa.all()));
    VERIFY_RAN(KUBECTL("describe", "hpa", "web"));
    VERIFY_RAN(KUBECTL("run", "one", "--image=one:1", "--labels=app=one"));
    VERIFY_RAN(KUBECTL("wait", "--for=condition=Ready", "pod/one", "--timeout=20s"));
    VERIFY_RAN(KUBECTL("expose", "pod", "one", "--port=9000", "--name=one"));
    QTRY_VERIFY(value("endpoints/web", "{.subsets[0].addresses[*].ip}").split(' ').size() == 2);
    VERIFY_RAN(KUBECTL("create", "job", "once", "--image=job:1"));
    VERIFY_RAN(KUBECTL("create", "cronjob", "nightly", "--image=job:1", "--schedule=0 3 * * *"));
    // kubectl 1.20 knows no other version of it.
    VERIFY_RAN(KUBECTL("create", "job", "by-hand", "--from=" + QString(old() ? "cronjob.v1beta1.batch/nightly" : "cronjob/nightly")));
    VERIFY_RAN(KUBECTL("create", "ingress", "front", "--rule=lab.example/=web:80"));
    VERIFY_RAN(KUBECTL("create", "poddisruptionbudget", "web", "--selector=app=web", "--min-available=1"));
    VERIFY_RAN(KUBECTL("create", "quota", "q", "--hard=pods=50"));
    VERIFY_RAN(KUBECTL("create", "priorityclass", "high", "--value=1000"));
    VERIFY_RAN(KUBECTL("create", "role", "reader", "--verb=get,list", "--resource=pods,deployments.apps"));
    VERIFY_RAN(KUBECTL("create", "rolebinding", "reader", "--role=reader", "--user=ann"));
    VERIFY_RAN(KUBECTL("create", "clusterrole", "scaler", "--verb=patch", "--resource=deployments/scale"));
    VERIFY_RAN(KUBECTL("create", "clusterrolebinding", "scaler", "--clusterrole=scaler", "--group=ops"));
    for (auto kind : {"hpa", "jobs", "cronjobs", "ingresses", "pdb", "quota", "priorityclasses", "roles", "rolebindings", "clusterroles", "endpointslices"}) {
      VERIFY_RAN(KUBECTL("get", kind, "-o", "wide"));
      VERIFY_RAN(KUBECTL("describe", kind));
    }
  }

  void deletionsCascadeInThreeWays_data() { kubectlRows(); }
  void deletionsCascadeInThreeWays() {
    deployWeb(2);
    VERIFY_RAN(KUBECTL("delete", "deployment", "web", "--cascade=orphan", "--timeout=20s"));
    QTRY_COMPARE(value("rs", "{.items[*].metadata.ownerReferences}"), "");
    QCOMPARE(count("rs"), 1);
    QCOMPARE(count("pods"), 2);
    // A deployment of the same template adopts what was left.
    VERIFY_RAN(KUBECTL("create", "deployment", "web", "--image=web:1", "--replicas=2"));
    VERIFY_RAN(KUBECTL("rollout", "status", "deployment/web", "--timeout=20s"));
    QCOMPARE(count("rs"), 1);
    VERIFY_RAN(KUBECTL("delete", "deployment", "web", "--cascade=foreground", "--timeout=30s"));
    QCOMPARE(count("rs,pods"), 0);  // foreground: all is gone when the owner is
    deployWeb(2);
    VERIFY_RAN(KUBECTL("delete", "deployment", "web", "--cascade=background"));
    QTRY_COMPARE_WITH_TIMEOUT(count("rs,pods"), 0, 20000);
  }

  void editReplaceAndDiff_data() { kubectlRows(); }
  void editReplaceAndDiff() {
    deployWeb(1);
    QFile editor(engine_->home() + "/editor");
    QVERIFY(editor.open(QIODevice::WriteOnly));
    editor.write("#!/bin/sh\nsed -i 's/replicas: 1/replicas: 2/' \"$1\"\n");
    editor.close();
    editor.setPermissions(QFile::ReadOwner | QFile::WriteOwner | QFile::ExeOwner);
    auto edited = runProgram(binary_, {"edit", "deployment", "web"}, {}, 60,
                             {"KUBECONFIG=" + engine_->kubeconfig(), "HOME=" + engine_->home(), "KUBE_EDITOR=" + editor.fileName()});
    VERIFY_RAN(edited);
    QCOMPARE(value("deployment/web", "{.spec.replicas}"), "2");
    auto manifest = KUBECTL("get", "deployment", "web", "-o", "yaml").out.replace("replicas: 2", "replicas: 3").toUtf8();
    auto diff = KUBECTL_IN(manifest, "diff", "-f", "-");
    QCOMPARE(diff.code, 1);
    QVERIFY2(diff.out.contains("+  replicas: 3"), qPrintable(diff.all()));
    diff = KUBECTL_IN(manifest, "diff", "--server-side", "--force-conflicts", "-f", "-");
    QVERIFY2(diff.code == 1 || diff.err.contains("managedFields must be nil"), qPrintable(diff.all()));
    QTRY_VERIFY(value("deployment/web", "{.status.readyReplicas}") == "2");
    manifest = KUBECTL("get", "deployment", "web", "-o", "yaml").out.replace("  replicas: 2\n  revisionHistoryLimit", "  replicas: 3\n  revisionHistoryLimit").toUtf8();
    VERIFY_RAN(KUBECTL_IN(manifest, "replace", "-f", "-"));
    QCOMPARE(value("deployment/web", "{.spec.replicas}"), "3");
    VERIFY_RAN(KUBECTL_IN(manifest, "replace", "--force", "-f", "-", "--timeout=30s"));
    VERIFY_RAN(KUBECTL("rollout", "status", "deployment/web", "--timeout=30s"));
  }

  void everyKindIsExplained_data() { kubectlRows(); }
  void everyKindIsExplained() {
    auto listed = KUBECTL("api-resources", "--no-headers");
    VERIFY_RAN(listed);
    int kinds = 0;
    for (auto& line : listed.out.split('\n', Qt::SkipEmptyParts)) {
      auto name = line.section(' ', 0, 0);
      // NAME [SHORTNAMES] APIVERSION NAMESPACED KIND: kubectl explain takes the group from the API version.
      auto words = line.simplified().split(' ');
      auto version = words[words.size() - 3];
      if (old() && version.startsWith("metrics.k8s.io")) continue;  // it takes the names for those of nodes and pods
      auto ran = KUBECTL("explain", name, "--recursive", "--api-version=" + version);
      QVERIFY2(ran.ok() && ran.out.contains("metadata"), qPrintable(line + "\n" + ran.all()));
      ++kinds;
    }
    QVERIFY2(kinds >= 45, qPrintable(listed.out));
  }
};

QTEST_GUILESS_MAIN(KubectlTour)
#include "kubectl_tour_test.moc"
