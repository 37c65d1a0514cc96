// Jobs and CronJobs through the real kubectl, the real engine and nodes that pretend.
#include <QTest>

#include "tests/support/engine/checks.h"

using namespace ph;
using namespace ph::test;

class JobsTest : public QObject {
  Q_OBJECT
  std::unique_ptr<EngineProcess> engine_;
  std::unique_ptr<HollowNodes> nodes_;

  Ran kubectl(const QString& command, const QByteArray& input = {}) { return engine_->kubectl(command.split(' ', Qt::SkipEmptyParts), input); }
  static QByteArray job(const QByteArray& name, const QByteArray& spec, const QByteArray& pod = {}) {
    return "apiVersion: batch/v1\nkind: Job\nmetadata: {name: " + name + "}\nspec: {" + spec +
           ", template: {spec: {restartPolicy: Never, " + pod + "containers: [{name: c, image: i}]}}}\n";
  }
  QStringList pods(const QString& job, const QString& phase) {
    return kubectl("get pods -o name -l job-name=" + job + " --field-selector status.phase=" + phase).out.split('\n', Qt::SkipEmptyParts);
  }
  // On no node: nobody else says how it ends.
  void end(const QString& pod, const QString& phase) {
    auto ran = kubectl("patch " + pod + " --subresource=status --type=merge -p {\"status\":{\"phase\":\"" + phase + "\"}}");
    VERIFY_RAN(ran);
  }
  QString field(const QString& object, const QString& path) { return kubectl("get " + object + " -o jsonpath={" + path + "}").out; }

 private slots:
  void initTestCase() {
    if (EngineProcess::kubectlPath().isEmpty()) QSKIP("no kubectl on the box (PH_KUBECTL)");
    engine_ = std::make_unique<EngineProcess>();
    QVERIFY2(engine_->start(), qPrintable(engine_->readyLine() + engine_->log()));
    nodes_ = std::make_unique<HollowNodes>();
    QVERIFY(nodes_->start(*engine_, 2));
  }
  void cleanup() {
    if (QTest::currentTestFailed() && engine_) qWarning("%s", qPrintable(engine_->log()));
  }

  void countsOverARestart() {
    VERIFY_RAN(kubectl("apply -f -", job("sum", "completions: 6, parallelism: 3, completionMode: Indexed", "nodeSelector: {no: where}, ")));
    QTRY_COMPARE(pods("sum", "Pending").size(), 3);
    for (auto& p : pods("sum", "Pending")) end(p, "Succeeded");
    engine_->kill9();
    QVERIFY(engine_->start());
    QTRY_COMPARE_WITH_TIMEOUT(field("job/sum", ".status.completedIndexes"), QString("0-2"), 20000);
    QTRY_COMPARE(pods("sum", "Pending").size(), 3);
    for (auto& p : pods("sum", "Pending")) end(p, "Succeeded");
    VERIFY_RAN(kubectl("wait job/sum --for=condition=Complete --timeout=20s"));
    QCOMPARE(field("job/sum", ".status.succeeded"), QString("6"));
    QCOMPARE(field("job/sum", ".status.uncountedTerminatedPods"), QString());
    QCOMPARE(field("pods -l job-name=sum", ".items[*].metadata.finalizers"), QString());
    HAS(kubectl("get job sum").out, "6/6");
  }

  void suspendsWithoutFailing() {
    VERIFY_RAN(kubectl("apply -f -", job("hold", "parallelism: 2, completions: 2, backoffLimit: 0")));
    QTRY_COMPARE_WITH_TIMEOUT(field("job/hold", ".status.ready"), QString("2"), 20000);
    VERIFY_RAN(kubectl("patch job hold --type=merge -p {\"spec\":{\"suspend\":true}}"));
    VERIFY_RAN(kubectl("wait job/hold --for=condition=Suspended --timeout=20s"));
    QTRY_COMPARE_WITH_TIMEOUT(kubectl("get pods -l job-name=hold -o name").out, QString(), 20000);
    VERIFY_RAN(kubectl("patch job hold --type=merge -p {\"spec\":{\"suspend\":false}}"));
    QTRY_COMPARE_WITH_TIMEOUT(field("job/hold", ".status.ready"), QString("2"), 20000);
    QCOMPARE(field("job/hold", ".status.failed"), QString());
    VERIFY_RAN(kubectl("delete job hold --timeout=20s"));
  }

  void deletesWithItsPods_data() {
    QTest::addColumn<QString>("cascade");
    for (auto* how : {"background", "foreground", "orphan"}) QTest::newRow(how) << how;
  }
  void deletesWithItsPods() {
    QFETCH(QString, cascade);
    VERIFY_RAN(kubectl("apply -f -", job("brief", "parallelism: 2, completions: 4")));
    QTRY_COMPARE_WITH_TIMEOUT(field("job/brief", ".status.active"), QString("2"), 20000);
    VERIFY_RAN(kubectl("delete job brief --timeout=20s --cascade=" + cascade));
    if (cascade == "orphan") {
      QTRY_COMPARE(field("pods -l job-name=brief", ".items[*].metadata.finalizers"), QString());
      QCOMPARE(kubectl("get pods -l job-name=brief -o name").out.count("pod/"), 2);
      VERIFY_RAN(kubectl("delete pods -l job-name=brief --timeout=20s"));
    }
    QTRY_COMPARE_WITH_TIMEOUT(kubectl("get pods -l job-name=brief -o name").out, QString(), 20000);
  }

  void aCronJobsJobFailsInTimeAndGoes() {
    QByteArray cron =
        "apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: tick}\nspec: {schedule: '@every 1s', timeZone: Europe/Berlin, concurrencyPolicy: "
        "Forbid, jobTemplate: {spec: {activeDeadlineSeconds: 1, ttlSecondsAfterFinished: 1, template: {spec: {restartPolicy: Never, "
        "containers: [{name: c, image: i}]}}}}}\n";
    VERIFY_RAN(kubectl("apply -f -", cron));
    QTRY_VERIFY_WITH_TIMEOUT(!field("cronjob/tick", ".status.lastScheduleTime").isEmpty(), 20000);
    auto events = [&](const char* reason) { return kubectl(QString("get events -o name --field-selector reason=") + reason).out; };
    QTRY_VERIFY_WITH_TIMEOUT(!events("DeadlineExceeded").isEmpty(), 20000);
    QTRY_VERIFY_WITH_TIMEOUT(!events("SawCompletedJob").isEmpty(), 20000);
    VERIFY_RAN(kubectl("patch cronjob tick --type=merge -p {\"spec\":{\"suspend\":true}}"));
    QTRY_COMPARE_WITH_TIMEOUT(kubectl("get pods,jobs -o name").out.count("tick"), 0, 20000);
  }
};

QTEST_GUILESS_MAIN(JobsTest)
#include "jobs_test.moc"
