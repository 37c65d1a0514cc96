#include "engine/controllers/volumebinding/volumebinding.h"

#include <QtTest>

#include "tests/unit/controllers/cluster.h"

using namespace ph;
using namespace ph::test;
using controllers::reconcileClaim;
using controllers::reconcileVolume;

class VolumeBindingTest : public QObject {
  Q_OBJECT

  std::unique_ptr<Cluster> c_;

  void claim(const std::string& spec = "", const std::string& meta = "", const std::string& status = "") {
    c_->put(fmt::format("apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {{name: data{}}}\n"
                        "spec: {{accessModes: [ReadWriteOnce], resources: {{requests: {{storage: 1Gi}}}}{}}}\nstatus: {{{}}}",
                        meta, spec, status));
  }
  void volume(const std::string& name, const std::string& size, const std::string& spec = "", const std::string& phase = "Available",
              const std::string& meta = "") {
    c_->put(fmt::format("apiVersion: v1\nkind: PersistentVolume\nmetadata: {{name: {}{}}}\n"
                        "spec: {{accessModes: [ReadWriteOnce], capacity: {{storage: {}}}, hostPath: {{path: /data}}, "
                        "persistentVolumeReclaimPolicy: Retain{}}}\nstatus: {{phase: {}}}",
                        name, meta, size, spec, phase));
  }
  void localClass(const std::string& mode = "WaitForFirstConsumer", const std::string& more = "reclaimPolicy: Retain") {
    c_->put(fmt::format("apiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata: {{name: local}}\n"
                        "provisioner: pilothouse.io/local\nvolumeBindingMode: {}\n{}", mode, more));
  }
  void consumer(const std::string& node) {
    c_->put(fmt::format("apiVersion: v1\nkind: Pod\nmetadata: {{name: p}}\nspec: {{{}containers: [{{name: c, image: i}}], "
                        "volumes: [{{name: v, persistentVolumeClaim: {{claimName: data}}}}]}}\nstatus: {{phase: Pending}}",
                        node.empty() ? "" : "nodeName: " + node + ", "));
  }
  Plan run() { return reconcileClaim(c_->snapshot, key("default/data"), c_->now); }
  Plan runVolume(const std::string& name = "disk") { return reconcileVolume(c_->snapshot, key(name), c_->now); }
  static std::string told(const Plan& plan) { return plan.notes.empty() ? "" : plan.notes[0].reason; }

  static constexpr const char* kHeld = ", claimRef: {namespace: default, name: data, uid: uid-data}";

 private slots:
  void init() { c_ = std::make_unique<Cluster>(); }

  void theSmallestVolumeThatWillDoIsTaken() {
    claim();
    volume("huge", "100Gi");
    volume("right", "2Gi");
    volume("small", "500Mi");
    volume("foreign", "1Gi", ", storageClassName: fast");
    volume("taken", "1Gi", ", claimRef: {namespace: other, name: their, uid: theirs}");
    volume("released", "1Gi", "", "Released");
    Plan p = run();
    QCOMPARE(steps(p)[0], std::string("patch persistentvolumes/right"));
    Json b = body(p, "patch persistentvolumes/right");
    QCOMPARE(text(b, "spec.claimRef.uid"), std::string("uid-data"));
    QCOMPARE(text(b, "spec.claimRef.namespace"), std::string("default"));
    QVERIFY(p.steps[0].write.revision > 0);  // of two claims that want it, one gets it
    QCOMPARE(count(p, "patch persistentvolumeclaims/data"), size_t(0));
  }

  void thenTheClaimSaysSo() {
    claim("", "", "phase: Pending");
    volume("disk", "2Gi", kHeld);
    Plan p = run();
    QCOMPARE(text(body(p, "patch persistentvolumeclaims/data"), "spec.volumeName"), std::string("disk"));
    Json status = body(p, "patch persistentvolumeclaims/data/status");
    QCOMPARE(text(status, "status.phase"), std::string("Bound"));
    QCOMPARE(text(status, "status.capacity.storage"), std::string("2Gi"));
    claim(", volumeName: disk", ", annotations: {pv.kubernetes.io/bind-completed: 'yes'}", "phase: Bound");
    QVERIFY(run().empty());
    QCOMPARE(text(body(runVolume(), "patch persistentvolumes/disk/status"), "status.phase"), std::string("Bound"));
    volume("disk", "2Gi", kHeld, "Bound");
    QVERIFY(runVolume().empty());
  }

  void withoutAVolumeItSaysWhatItWaitsFor() {
    claim();
    QCOMPARE(told(run()), std::string("FailedBinding"));
    QCOMPARE(text(body(run(), "patch persistentvolumeclaims/data/status"), "status.phase"), std::string("Pending"));
    claim(", storageClassName: local", "", "phase: Pending");
    QCOMPARE(told(run()), std::string("ProvisioningFailed"));  // no such class
    localClass();
    QCOMPARE(told(run()), std::string("WaitForFirstConsumer"));
    QVERIFY(run().empty());
    localClass("Immediate");
    QCOMPARE(told(run()), std::string("ProvisioningFailed"));
    QVERIFY(run().empty());
  }

  void aFolderIsMadeWhereTheFirstPodIs() {
    localClass();
    claim(", storageClassName: local", "", "phase: Pending");
    c_->put("apiVersion: v1\nkind: Node\nmetadata: {name: n1, labels: {kubernetes.io/hostname: host-1}}");
    consumer("");
    QCOMPARE(told(run()), std::string("WaitForFirstConsumer"));
    consumer("n1");
    Plan p = run();
    QCOMPARE(count(p, "create persistentvolumes"), size_t(1));
    Json b = body(p, "create persistentvolumes");
    QCOMPARE(text(b, "metadata.name"), std::string("pvc-uid-data"));
    QCOMPARE(text(b, "spec.local.path"), std::string("/var/lib/pilothouse-volumes/pvc-uid-data"));
    QCOMPARE(text(b, "spec.capacity.storage"), std::string("1Gi"));
    QCOMPARE(text(b, "spec.claimRef.uid"), std::string("uid-data"));
    QCOMPARE(text(b, "spec.persistentVolumeReclaimPolicy"), std::string("Retain"));
    QCOMPARE(text(b, "spec.nodeAffinity.required.nodeSelectorTerms.0.matchExpressions.0.values.0"), std::string("host-1"));
    // Made, but the claim has not heard yet: it is not made twice.
    b.as_object()["metadata"].as_object()["uid"] = "v";
    c_->putTree(b);
    p = run();
    QCOMPARE(count(p, "create"), size_t(0));
    QCOMPARE(text(body(p, "patch persistentvolumeclaims/data"), "spec.volumeName"), std::string("pvc-uid-data"));
  }

  void aVolumeThatIsThereAlreadyIsPreferredWhenTheNodeReachesIt() {
    localClass();
    claim(", storageClassName: local", "", "phase: Pending");
    c_->put("apiVersion: v1\nkind: Node\nmetadata: {name: n1, labels: {kubernetes.io/hostname: n1}}");
    auto on = [](const char* node) {
      return fmt::format(", storageClassName: local, nodeAffinity: {{required: {{nodeSelectorTerms: [{{matchExpressions: "
                         "[{{key: kubernetes.io/hostname, operator: In, values: [{}]}}]}}]}}}}", node);
    };
    volume("there", "1Gi", on("n2"));
    consumer("n1");
    QCOMPARE(count(run(), "create persistentvolumes"), size_t(1));
    volume("here", "1Gi", on("n1"));
    QCOMPARE(steps(run())[0], std::string("patch persistentvolumes/here"));
  }

  void aChosenVolumeIsTakenIfItWillDo() {
    claim(", volumeName: disk");
    QVERIFY(run().empty());  // it may come yet
    volume("disk", "500Mi");
    QCOMPARE(told(run()), std::string("VolumeMismatch"));
    volume("disk", "1Gi");
    QCOMPARE(steps(run())[0], std::string("patch persistentvolumes/disk"));
    volume("disk", "1Gi", ", claimRef: {namespace: default, name: data}");  // kept for it by hand
    QCOMPARE(text(body(run(), "patch persistentvolumes/disk"), "spec.claimRef.uid"), std::string("uid-data"));
    volume("disk", "1Gi", ", claimRef: {namespace: default, name: other, uid: o}");
    QCOMPARE(told(run()), std::string("FailedBinding"));
    QCOMPARE(run().steps.size(), size_t(0));
  }

  void aLostVolumeIsSaid() {
    claim(", volumeName: disk", ", annotations: {pv.kubernetes.io/bind-completed: 'yes'}", "phase: Bound");
    QCOMPARE(text(body(run(), "patch persistentvolumeclaims/data/status"), "status.phase"), std::string("Lost"));
    QCOMPARE(told(run()), std::string("ClaimLost"));
    volume("disk", "1Gi", ", claimRef: {namespace: default, name: data, uid: another}");
    QCOMPARE(told(run()), std::string("ClaimMisbound"));
    claim(", volumeName: disk", ", annotations: {pv.kubernetes.io/bind-completed: 'yes'}", "phase: Lost");
    QVERIFY(run().empty());
  }

  void phasesOfAVolume_data() {
    QTest::addColumn<QString>("ref");
    QTest::addColumn<QString>("claimSpec");  // "-": there is none
    QTest::addColumn<QString>("policy");
    QTest::addColumn<QString>("phase");
    QTest::newRow("free") << "" << "-" << "Retain" << "Available";
    QTest::newRow("kept by hand") << ", claimRef: {namespace: default, name: data}" << "-" << "Retain" << "Available";
    QTest::newRow("claim gone") << kHeld << "-" << "Retain" << "Released";
    QTest::newRow("claim made again") << ", claimRef: {namespace: default, name: data, uid: old}" << "" << "Retain" << "Released";
    QTest::newRow("bound") << kHeld << ", volumeName: disk" << "Retain" << "Bound";
    QTest::newRow("claim is about to say so") << kHeld << "" << "Retain" << "(none)";
    QTest::newRow("asked to delete") << kHeld << "-" << "Delete" << "Failed";
  }
  void phasesOfAVolume() {
    QFETCH(QString, ref);
    QFETCH(QString, claimSpec);
    QFETCH(QString, policy);
    QFETCH(QString, phase);
    if (claimSpec != "-") claim(claimSpec.toStdString());
    c_->put(fmt::format("apiVersion: v1\nkind: PersistentVolume\nmetadata: {{name: disk}}\nspec: {{accessModes: [ReadWriteOnce], "
                        "capacity: {{storage: 1Gi}}, local: {{path: /data/x}}, persistentVolumeReclaimPolicy: {}{}}}\nstatus: {{phase: Pending}}",
                        policy.toStdString(), ref.toStdString()));
    Plan p = runVolume();
    QCOMPARE(text(body(p, "patch persistentvolumes/disk/status"), "status.phase"), phase.toStdString());
    if (phase == "Failed") QVERIFY(text(body(p, "patch persistentvolumes/disk/status"), "status.message").find("/data/x") != std::string::npos);
  }

  void aVolumeThatItsClaimDoesNotWantIsFreeAgain() {
    claim(", volumeName: better");
    volume("disk", "1Gi", kHeld);
    Plan p = runVolume();
    QCOMPARE(steps(p)[0], std::string("patch persistentvolumes/disk"));
    QCOMPARE(text(body(p, "patch persistentvolumes/disk"), "spec.claimRef"), std::string("null"));
  }

  void whatIsGoingIsLeftAlone() {
    claim("", ", deletionTimestamp: '2026-01-02T11:59:59Z'");
    volume("disk", "1Gi");
    QVERIFY(run().empty());
    QVERIFY(reconcileClaim(c_->snapshot, key("default/none"), c_->now).empty());
    QVERIFY(runVolume("none").empty());
  }
};

QTEST_GUILESS_MAIN(VolumeBindingTest)
#include "volumebinding_test.moc"
