#include "engine/controllers/cronjob/cronjob.h"

#include <QtTest>

#include "engine/controllers/cronjob/schedule.h"
#include "tests/unit/controllers/cluster.h"

using namespace ph;
using namespace ph::test;
using controllers::Schedule;
using controllers::Zone;
using controllers::Zones;

class CronJobTest : public QObject {
  Q_OBJECT

  std::unique_ptr<Cluster> c_;
  Zones zones_;

  struct C {
    std::string schedule = "*/10 * * * *", extra, status = "{}", meta, created = "2026-01-02T11:55:00Z", zone = "Etc/UTC";
  };
  void cron(C c) {
    c_->put(fmt::format("apiVersion: batch/v1\nkind: CronJob\nmetadata: {{name: tick, creationTimestamp: '{}'{}}}\n"
                        "spec: {{schedule: '{}', {}{}jobTemplate: {{metadata: {{labels: {{app: t}}, annotations: {{a: b}}}}, spec: "
                        "{{template: {{spec: {{restartPolicy: Never, containers: [{{name: c, image: i}}]}}}}}}}}}}\nstatus: {}",
                        c.created, c.meta, c.schedule, c.zone.empty() ? "" : "timeZone: '" + c.zone + "', ", c.extra, c.status));
  }
  // `end` is Complete, Failed or nothing.
  void job(const std::string& name, const std::string& scheduled, const std::string& end = "", const std::string& started = "2026-01-02T11:00:00Z") {
    std::string conditions = end.empty() ? "" : ", conditions: [{type: " + end + ", status: 'True', lastTransitionTime: '2026-01-02T11:30:00Z'}]";
    if (end == "Complete") conditions += ", completionTime: '2026-01-02T11:30:00Z'";
    c_->put(fmt::format("apiVersion: batch/v1\nkind: Job\nmetadata: {{name: {}{}, ownerReferences: [{{apiVersion: batch/v1, kind: CronJob, "
                        "name: tick, uid: uid-tick, controller: true}}]}}\nspec: {{template: {{spec: {{restartPolicy: Never, containers: [{{name: c, "
                        "image: i}}]}}}}}}\nstatus: {{startTime: '{}'{}}}",
                        name, scheduled.empty() ? "" : ", annotations: {batch.kubernetes.io/cronjob-scheduled-timestamp: '" + scheduled + "'}",
                        started, conditions));
  }
  static std::string active(const std::string& name) {
    return fmt::format("active: [{{apiVersion: batch/v1, kind: Job, namespace: default, name: {0}, uid: uid-{0}}}]", name);
  }
  Plan run() { return controllers::reconcileCronJob(c_->snapshot, key("default/tick"), c_->now, zones_); }
  static std::string reasons(const Plan& p) {
    std::string out;
    for (auto& n : p.notes) out += (out.empty() ? "" : " ") + n.reason;
    return out;
  }
  // The name of a job for that time.
  static std::string nameAt(const char* time) {
    return "tick-" + std::to_string(std::chrono::duration_cast<std::chrono::minutes>(parseTime(time)->time_since_epoch()).count());
  }
  static std::string next(const std::string& schedule, const char* after, const Zone& zone = {}) {
    auto s = Schedule::parse(schedule);
    if (!s.ok()) return s.status().message;
    auto t = s->next(*parseTime(after), zone);
    return t ? formatTime(*t) : "never";
  }

 private slots:
  void init() { c_ = std::make_unique<Cluster>(); }

  void times_data() {
    QTest::addColumn<QString>("schedule");
    QTest::addColumn<QString>("after");
    QTest::addColumn<QString>("want");
    auto row = [](const char* schedule, const char* after, const char* want) {
      QTest::addRow("%s after %s", schedule, after) << schedule << after << want;
    };
    row("* * * * *", "2026-01-02T12:00:00Z", "2026-01-02T12:01:00Z");
    row("* * * * *", "2026-01-02T12:00:59Z", "2026-01-02T12:01:00Z");
    row("*/15 * * * *", "2026-01-02T12:46:00Z", "2026-01-02T13:00:00Z");
    row("7-59/20 * * * *", "2026-01-02T12:27:00Z", "2026-01-02T12:47:00Z");
    row("5/20 * * * *", "2026-01-02T12:26:00Z", "2026-01-02T12:45:00Z");
    row("30 4,16 * * *", "2026-01-02T16:30:00Z", "2026-01-03T04:30:00Z");
    row("0 9-17 * * mon-fri", "2026-01-02T17:00:00Z", "2026-01-05T09:00:00Z");
    row("0 0 * * 7", "2026-01-02T00:00:00Z", "2026-01-04T00:00:00Z");
    row("0 0 * * 5-7", "2026-01-03T00:00:00Z", "2026-01-04T00:00:00Z");
    row("0 0 * JAN,jul *", "2026-01-31T00:00:00Z", "2026-07-01T00:00:00Z");
    row("0 0 13 * fri", "2026-01-02T00:00:00Z", "2026-01-09T00:00:00Z");  // either day will do
    row("0 0 13 * fri", "2026-01-09T00:00:00Z", "2026-01-13T00:00:00Z");
    row("0 0 13 * *", "2026-01-02T00:00:00Z", "2026-01-13T00:00:00Z");
    row("0 0 ? * fri", "2026-01-03T00:00:00Z", "2026-01-09T00:00:00Z");
    row("0 0 */2 * mon", "2026-01-01T00:00:00Z", "2026-01-03T00:00:00Z");  // a step is no star
    row("0 0 31 * *", "2026-01-31T00:00:00Z", "2026-03-31T00:00:00Z");
    row("0 0 29 2 *", "2026-01-01T00:00:00Z", "2028-02-29T00:00:00Z");
    row("0 0 29 2 *", "2096-03-01T00:00:00Z", "2104-02-29T00:00:00Z");  // 2100 has no leap day
    row("0 0 30 2 *", "2026-01-01T00:00:00Z", "never");
    row("0 0 31 4,6 *", "2026-01-01T00:00:00Z", "never");
    row("59 23 31 12 *", "2026-12-31T23:59:00Z", "2027-12-31T23:59:00Z");
    row("@hourly", "2026-01-02T12:00:00Z", "2026-01-02T13:00:00Z");
    row("@daily", "2026-01-02T12:00:00Z", "2026-01-03T00:00:00Z");
    row("@midnight", "2026-01-02T12:00:00Z", "2026-01-03T00:00:00Z");
    row("@weekly", "2026-01-02T12:00:00Z", "2026-01-04T00:00:00Z");
    row("@monthly", "2026-01-02T12:00:00Z", "2026-02-01T00:00:00Z");
    row("@yearly", "2026-01-02T12:00:00Z", "2027-01-01T00:00:00Z");
    row("@every 90s", "2026-01-02T12:00:00Z", "2026-01-02T12:01:30Z");
    row("  0\t1  *  * * ", "2026-01-02T12:00:00Z", "2026-01-03T01:00:00Z");
  }
  void times() {
    QFETCH(QString, schedule);
    QFETCH(QString, after);
    QFETCH(QString, want);
    QCOMPARE(next(schedule.toStdString(), after.toUtf8()), want.toStdString());
  }

  void isNoSchedule_data() {
    QTest::addColumn<QString>("schedule");
    for (auto* s : {"", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * 32 * *", "* * * 13 *", "* * * 0 *",
                    "* * * * 8", "5-1 * * * *", "*/0 * * * *", "*/x * * * *", "1,,2 * * * *", "-1 * * * *", "mon * * * *", "* * * * mo",
                    "* * * * onm", "@fortnightly", "@every", "@every soon", "@every -5s", "1- * * * *", "*/ * * * *"})
      QTest::newRow(s) << s;
  }
  void isNoSchedule() {
    QFETCH(QString, schedule);
    QVERIFY(!Schedule::parse(schedule.toStdString()).ok());
  }

  void theLastTimeAndHowMany() {
    auto s = *Schedule::parse("*/10 * * * *");
    auto since = *parseTime("2020-01-01T00:00:00Z"), now = *parseTime("2026-01-02T12:34:56Z");
    QCOMPARE(formatTime(*s.last(since, now, {})), std::string("2026-01-02T12:30:00Z"));
    QCOMPARE(s.count(since, now, {}, 101), 101);
    QCOMPARE(s.count(now - 30min, now, {}, 101), 3);
    QVERIFY(!s.last(*parseTime("2026-01-02T12:30:00Z"), now, {}));
    QCOMPARE(formatTime(*s.last(*parseTime("2026-01-02T12:29:59Z"), *parseTime("2026-01-02T12:30:00Z"), {})), std::string("2026-01-02T12:30:00Z"));
    auto rare = *Schedule::parse("0 0 29 2 *");
    QCOMPARE(formatTime(*rare.last(since, now, {})), std::string("2024-02-29T00:00:00Z"));
    auto every = *Schedule::parse("@every 7m");
    QCOMPARE(formatTime(*every.last(*parseTime("2026-01-02T12:00:00Z"), now, {})), std::string("2026-01-02T12:28:00Z"));
  }

  // Berlin: clocks go from 2 to 3 on 29 March 2026, and from 3 to 2 on 25 October.
  void clocksThatJump() {
    const Zone* berlin = zones_.find("Europe/Berlin");
    QVERIFY(berlin);
    QCOMPARE(next("0 8 * * *", "2026-03-28T12:00:00Z", *berlin), std::string("2026-03-29T06:00:00Z"));
    QCOMPARE(next("0 8 * * *", "2026-03-27T12:00:00Z", *berlin), std::string("2026-03-28T07:00:00Z"));
    QCOMPARE(next("30 2 * * *", "2026-03-28T12:00:00Z", *berlin), std::string("2026-03-30T00:30:00Z"));  // no such time on the 29th
    QCOMPARE(next("0 3 * * *", "2026-03-28T12:00:00Z", *berlin), std::string("2026-03-29T01:00:00Z"));
    QCOMPARE(next("30 2 * * *", "2026-10-24T12:00:00Z", *berlin), std::string("2026-10-25T00:30:00Z"));
    QCOMPARE(next("30 2 * * *", "2026-10-25T00:30:00Z", *berlin), std::string("2026-10-25T01:30:00Z"));  // it comes twice
    QCOMPARE(next("30 2 * * *", "2026-10-25T01:30:00Z", *berlin), std::string("2026-10-26T01:30:00Z"));
    QCOMPARE(berlin->format(*parseTime("2026-07-01T10:00:00Z")), std::string("2026-07-01T12:00:00+02:00"));
  }

  // Beyond what the file lists, its footer holds: the rules of today, for ever.
  void zonesFarAhead() {
    auto offset = [&](const char* zone, const char* time) {
      return zones_.find(zone)->at(std::chrono::floor<std::chrono::seconds>(*parseTime(time)).time_since_epoch().count()).offset;
    };
    QCOMPARE(offset("Europe/Berlin", "2150-01-15T00:00:00Z"), int64_t(3600));
    QCOMPARE(offset("Europe/Berlin", "2150-07-15T00:00:00Z"), int64_t(7200));
    QCOMPARE(offset("America/New_York", "2150-07-15T00:00:00Z"), int64_t(-4 * 3600));
    QCOMPARE(offset("Australia/Sydney", "2150-01-15T00:00:00Z"), int64_t(11 * 3600));
    QCOMPARE(offset("Australia/Sydney", "2150-07-15T00:00:00Z"), int64_t(10 * 3600));
    QCOMPARE(offset("Asia/Kolkata", "2150-07-15T00:00:00Z"), int64_t(19800));
    QCOMPARE(offset("America/New_York", "1970-07-15T00:00:00Z"), int64_t(-4 * 3600));
    QCOMPARE(offset("Etc/UTC", "2026-01-01T00:00:00Z"), int64_t(0));
    QCOMPARE(next("0 12 1 7 *", "2150-01-01T00:00:00Z", *zones_.find("Europe/Berlin")), std::string("2150-07-01T10:00:00Z"));
  }

  void zonesThatAreNone() {
    for (auto* name : {"Mars/Olympus", "../etc/passwd", "/etc/localtime", "Europe", "tzdata.zi", "zone tab"}) QVERIFY2(!zones_.find(name), name);
    QVERIFY(zones_.find(""));
    QVERIFY(!Zone::parse("").ok());
    QVERIFY(!Zone::parse(std::string(44, 'x')).ok());
    std::string huge = "TZif2" + std::string(15, '\0') + std::string(24, '\x7f');
    QVERIFY(!Zone::parse(huge).ok());
  }

  void makesAJobAtItsTime() {
    cron({});
    Plan p = run();
    Json b = body(p, "create jobs");
    QCOMPARE(text(b, "metadata.name"), nameAt("2026-01-02T12:00:00Z"));
    QVERIFY(b.at("metadata").at("annotations").at("batch.kubernetes.io/cronjob-scheduled-timestamp") == "2026-01-02T12:00:00Z");
    QCOMPARE(text(b, "metadata.annotations.a"), std::string("b"));
    QCOMPARE(text(b, "metadata.labels.app"), std::string("t"));
    QCOMPARE(text(b, "metadata.ownerReferences.0.uid"), std::string("uid-tick"));
    QCOMPARE(text(b, "metadata.ownerReferences.0.kind"), std::string("CronJob"));
    QCOMPARE(text(b, "spec.template.spec.containers.0.image"), std::string("i"));
    QCOMPARE(p.steps[0].ok->reason, std::string("SuccessfulCreate"));
    QCOMPARE(count(p, "patch"), size_t(0));  // the time is noted once the job is there
    QCOMPARE(*p.again, Duration(10min));
  }

  void notesTheJobThatItMade() {
    cron({.extra = "concurrencyPolicy: Forbid, "});
    job(nameAt("2026-01-02T12:00:00Z"), "2026-01-02T12:00:00Z");
    Plan p = run();
    QCOMPARE(count(p, "create"), size_t(0));
    Json s = body(p, "patch cronjobs/tick/status").at("status");
    QCOMPARE(text(s, "lastScheduleTime"), std::string("2026-01-02T12:00:00Z"));
    QCOMPARE(text(s, "active.0.name"), nameAt("2026-01-02T12:00:00Z"));
    QVERIFY(p.steps[0].write.revision > 0);
    QVERIFY(p.notes.empty());
  }

  void nothingIsDueYet() {
    cron({.created = "2026-01-02T12:00:00Z"});
    Plan p = run();
    QVERIFY(p.empty());
    QCOMPARE(*p.again, Duration(10min));
  }

  void inItsTimeZone() {
    cron({.schedule = "0 13 * * *", .zone = "Europe/Berlin"});
    Json b = body(run(), "create jobs");
    QVERIFY(b.at("metadata").at("annotations").at("batch.kubernetes.io/cronjob-scheduled-timestamp") == "2026-01-02T13:00:00+01:00");
    QCOMPARE(text(b, "metadata.name"), nameAt("2026-01-02T12:00:00Z"));
  }

  void whatItCannotRead() {
    cron({.zone = "Mars/Olympus"});
    Plan p = run();
    QCOMPARE(reasons(p), std::string("UnknownTimeZone"));
    QVERIFY(p.empty() && !p.again);
    cron({.schedule = "every day"});
    QCOMPARE(reasons(run()), std::string("UnparseableSchedule"));
    cron({.schedule = "0 0 30 2 *"});
    QCOMPARE(reasons(run()), std::string("InvalidSchedule"));
  }

  void suspendedOrDeletedItMakesNone() {
    cron({.extra = "suspend: true, "});
    QVERIFY(run().empty() && !run().again);
    cron({.meta = ", deletionTimestamp: '2026-01-02T11:59:00Z', finalizers: [foregroundDeletion]"});
    QVERIFY(run().empty());
  }

  void onlyTheLatestOfThoseMissed() {
    cron({.status = "{lastScheduleTime: '2026-01-02T03:00:00Z'}", .created = "2025-01-01T00:00:00Z"});
    Plan p = run();
    QCOMPARE(count(p, "create jobs"), size_t(1));
    QCOMPARE(text(body(p, "create jobs"), "metadata.name"), nameAt("2026-01-02T12:00:00Z"));
    QCOMPARE(reasons(p), std::string());
  }

  void tooManyMissed() {
    cron({.created = "2025-06-01T00:00:00Z"});
    Plan p = run();
    QCOMPARE(reasons(p), std::string("TooManyMissedTimes"));
    QCOMPARE(text(body(p, "create jobs"), "metadata.name"), nameAt("2026-01-02T12:00:00Z"));
    cron({.extra = "startingDeadlineSeconds: 600, ", .created = "2025-06-01T00:00:00Z"});  // few in that time
    p = run();
    QCOMPARE(reasons(p), std::string());
    QCOMPARE(count(p, "create jobs"), size_t(1));
  }

  void tooLateToStart() {
    cron({.schedule = "30 11 * * *", .extra = "startingDeadlineSeconds: 1799, ", .created = "2026-01-01T12:00:00Z"});
    Plan p = run();
    QCOMPARE(reasons(p), std::string("MissSchedule"));
    QVERIFY(p.empty());
    QCOMPARE(*p.again, Duration(23h + 30min));
    cron({.schedule = "30 11 * * *", .extra = "startingDeadlineSeconds: 1800, ", .created = "2026-01-01T12:00:00Z"});
    QCOMPARE(count(run(), "create jobs"), size_t(1));
  }

  void concurrency() {
    std::string status = "{lastScheduleTime: '2026-01-02T11:50:00Z', " + active("old") + "}";
    job("old", "2026-01-02T11:50:00Z");
    cron({.extra = "concurrencyPolicy: Forbid, ", .status = status});
    Plan p = run();
    QVERIFY(p.empty());
    QCOMPARE(reasons(p), std::string("JobAlreadyActive"));

    cron({.extra = "concurrencyPolicy: Allow, ", .status = status});
    QCOMPARE(steps(run()), (std::vector<std::string>{"create jobs"}));

    cron({.extra = "concurrencyPolicy: Replace, ", .status = status});
    p = run();
    QCOMPARE(steps(p), (std::vector<std::string>{"delete jobs/old", "create jobs", "patch cronjobs/tick/status"}));
    QVERIFY(p.steps[0].write.propagation == client::Propagation::Background);
    QCOMPARE(p.steps[0].ok->reason, std::string("SuccessfulDelete"));
    QCOMPARE(text(body(p, "patch cronjobs/tick/status"), "status.active"), std::string("null"));
  }

  void theMissedOneStartsWhenTheOldOneEnds() {
    cron({.extra = "concurrencyPolicy: Forbid, ", .status = "{lastScheduleTime: '2026-01-02T11:50:00Z', " + active("old") + "}"});
    job("old", "2026-01-02T11:50:00Z", "Complete");
    Plan p = run();
    QCOMPARE(count(p, "create jobs"), size_t(1));
    QCOMPARE(reasons(p), std::string("SawCompletedJob"));
    Json s = body(p, "patch cronjobs/tick/status").at("status");
    QCOMPARE(text(s, "active"), std::string("null"));
    QCOMPARE(text(s, "lastSuccessfulTime"), std::string("2026-01-02T11:30:00Z"));
  }

  void missingAndUnexpectedJobs() {
    cron({.status = "{" + active("gone") + "}", .created = "2026-01-02T12:00:00Z"});
    job("by-hand", "");
    Plan p = run();
    QCOMPARE(reasons(p), std::string("MissingJob UnexpectedJob"));
    QCOMPARE(text(body(p, "patch cronjobs/tick/status"), "status.active"), std::string("null"));
  }

  void aNameThatSomebodyElseTook() {
    cron({});
    c_->put("apiVersion: batch/v1\nkind: Job\nmetadata: {name: " + nameAt("2026-01-02T12:00:00Z") +
            "}\nspec: {template: {spec: {restartPolicy: Never, containers: [{name: c, image: i}]}}}");
    Plan p = run();
    QVERIFY(p.empty());
    QCOMPARE(reasons(p), std::string("FailedCreate"));
  }

  void history() {
    cron({.extra = "successfulJobsHistoryLimit: 1, failedJobsHistoryLimit: 0, ", .created = "2026-01-02T12:00:00Z"});
    job("a", "2026-01-02T09:00:00Z", "Complete", "2026-01-02T09:00:00Z");
    job("b", "2026-01-02T07:00:00Z", "Complete", "2026-01-02T07:00:00Z");
    job("c", "2026-01-02T08:00:00Z", "Complete", "2026-01-02T08:00:00Z");
    job("f", "2026-01-02T10:00:00Z", "Failed");
    Plan p = run();
    QCOMPARE(count(p, "delete jobs"), size_t(3));
    QCOMPARE(count(p, "delete jobs/a"), size_t(0));
    cron({.created = "2026-01-02T12:00:00Z"});  // three and one by default
    QCOMPARE(count(run(), "delete jobs"), size_t(0));
  }

  void keysOfItsJobs() {
    cron({});
    job("old", "2026-01-02T11:50:00Z");
    ObjectPtr job = c_->snapshot.get(c_->snapshot.kinds().jobs, "default/old");
    auto spec = controllers::cronJobController(c_->snapshot.kinds());
    controllers::Keys keys;
    for (auto& w : spec.watches)
      if (w.kind == c_->snapshot.kinds().jobs) w.keys(c_->snapshot, {nullptr, job}, keys);
    QCOMPARE(keys, (controllers::Keys{"default/tick"}));
    QVERIFY(spec.reconcile(c_->snapshot, key("default/none"), c_->now).empty());
  }
};

QTEST_GUILESS_MAIN(CronJobTest)
#include "cronjob_test.moc"
