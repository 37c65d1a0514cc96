// Logs: the block store and its bounds, cleaning, widths, stamps, search, merging by time, a stream that is asked
// again, saving; and a million lines, with figures.
#include <QAbstractItemModelTester>
#include <QElapsedTimer>
#include <QFile>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>

#include "models/log_model.h"
#include "tests/support/fake_client.h"

using namespace ph;
using namespace ph::models;

namespace {

// A client whose log streams the test feeds by hand.
class LogClient : public test::FakeClient {
 public:
  using FakeClient::FakeClient;
  struct Asked {
    std::string path;
    std::function<void(std::string_view)> data;
    client::Callback<std::string> end;
    std::weak_ptr<void> handle;
  };
  std::shared_ptr<void> raw(std::string, std::string path, std::string, std::string,
                            std::function<void(std::string_view)> onData,
                            client::Callback<std::string> done) override {
    auto handle = std::make_shared<int>(0);
    asked.push_back({path, std::move(onData), std::move(done), handle});
    return handle;
  }
  std::vector<Asked> asked;
};

QStringList texts(const LogModel& log) {
  QStringList out;
  for (int i = 0; i < log.rowCount(); ++i) out << log.index(i).data().toString();
  return out;
}

size_t residentBytes() {
  QFile f("/proc/self/statm");
  if (!f.open(QIODevice::ReadOnly)) return 0;
  return f.readAll().split(' ').value(1).toULongLong() * 4096;
}

}  // namespace

class LogsTest : public QObject {
  Q_OBJECT
 private slots:
  void aLineIsCleaned() {
    std::string out;
    cleanLine("\x1b[31merror\x1b[0m: no \x1b]0;title\x07route\r", out);
    QCOMPARE(QString::fromStdString(out), QString("error: no route"));
    cleanLine("a\tb\x01", out);
    QCOMPARE(QString::fromStdString(out), QString("a\tb"));
    cleanLine("broken \xff\xc3 utf", out);
    QCOMPARE(QString::fromStdString(out), QString::fromUtf8("broken \xEF\xBF\xBD\xEF\xBF\xBD utf"));
    cleanLine("cut \xe4\xb8", out);
    QVERIFY(QString::fromStdString(out).startsWith("cut "));
  }

  void widths() {
    QCOMPARE(cellsOf("plain"), 5);
    QCOMPARE(cellsOf("日志"), 4);
    QCOMPARE(cellsOf("a\tb"), 9);
    QCOMPARE(cellsOf("e\xCC\x81"), 1);  // e with a combining accent
  }

  void stamps() {
    size_t n = 0;
    QCOMPARE(parseStamp("1970-01-01T00:00:01Z x", n), int64_t(1'000'000'000));
    QCOMPARE(n, size_t(21));
    QCOMPARE(parseStamp("2026-03-14T12:04:35.123456789Z text", n), int64_t(1773489875'123456789));
    QCOMPARE(n, size_t(31));
    QCOMPARE(parseStamp("2026-03-14T13:04:35.5+01:00 text", n), int64_t(1773489875'500000000));
    QCOMPARE(parseStamp("2026-03-14 12:04:35 not ours", n), int64_t(0));
    QCOMPARE(n, size_t(0));
  }

  void howBadALineIs() {
    QCOMPARE(logTone("level=error msg=x"), Tone::Error);
    QCOMPARE(logTone("2026 WARN  low disk"), Tone::Warn);
    QCOMPARE(logTone("E1125 12:04:35.1 1 a.go:1] x"), Tone::Error);
    QCOMPARE(logTone("terrorists of mirrors"), Tone::Plain);
  }

  void theStoreIsBounded() {
    LogStore s(3000);
    for (int i = 0; i < 5000; ++i) {
      s.append(0, i, "line " + std::to_string(i));
      if (auto n = s.excess()) s.dropOldest(n);
    }
    QVERIFY(s.size() <= 3000 && s.size() > 3000 - LogStore::kBlockLines);
    QCOMPARE(s.end(), uint64_t(5000));
    QCOMPARE(std::string(s.line(4999).text), std::string("line 4999"));
    QCOMPARE(std::string(s.line(s.first()).text), "line " + std::to_string(s.first()));
    LogStore small(1'000'000, 100'000);
    for (int i = 0; i < 20000; ++i) {
      small.append(0, 0, std::string(80, 'x'));
      if (auto n = small.excess()) small.dropOldest(n);
    }
    QVERIFY2(small.bytes() < 300'000, qPrintable(QString::number(small.bytes())));
  }

  void theModelIsAModel() {
    LogModel log(nullptr, 3000);
    QAbstractItemModelTester tester(&log, QAbstractItemModelTester::FailureReportingMode::QtTest);
    QSignalSpy gone(&log, &LogModel::trimmed);
    for (int i = 0; i < 8; ++i) {
      QStringList lines;
      for (int j = 0; j < 700; ++j) lines << QString("%1").arg(i * 700 + j);
      log.add(0, lines);
    }
    QVERIFY(gone.count() > 0);
    QVERIFY(log.rowCount() <= 3000);
    QCOMPARE(log.index(log.rowCount() - 1).data().toString(), QString("5599"));
  }

  void searching() {
    LogModel log;
    log.add(0, {"GET /a 200", "get /b 500", "PUT /c 500", "a(b"});
    auto* s = log.search();
    s->set("get", false);
    QCOMPARE(s->count(), size_t(2));
    s->set("(", false);  // a text, not an expression
    QCOMPARE(s->count(), size_t(1));
    s->set("^(get|put).* 500$", true);
    QCOMPARE(s->count(), size_t(2));
    QCOMPARE(s->at(0), uint64_t(1));
    log.add(0, {"put /d 500", "x"});
    QCOMPARE(s->count(), size_t(3));  // fresh lines too
    QCOMPARE(s->indexFrom(2), size_t(1));
    QCOMPARE(s->ranges("put /d 500").size(), size_t(1));
    s->set("(", true);
    QVERIFY(!s->problem().isEmpty());
    QVERIFY(!s->active());
    s->set("日", false);
    log.add(0, {"日志"});
    QCOMPARE(s->count(), size_t(1));
    QCOMPARE(s->ranges("日志")[0], std::make_pair(0, 3));
  }

  void matchesGoWithTheirLines() {
    LogModel log(nullptr, 2048);
    log.search()->set("7", false);
    for (int i = 0; i < 10; ++i) {
      QStringList lines;
      for (int j = 0; j < 1000; ++j) lines << QString::number(j % 10);
      log.add(0, lines);
    }
    auto* s = log.search();
    QVERIFY(s->count() > 0 && s->at(0) >= log.store().first());
    size_t expected = 0;
    for (uint64_t i = log.store().first(); i < log.store().end(); ++i) expected += log.store().line(i).text == "7";
    QCOMPARE(s->count(), expected);
    QCOMPARE(s->dropped() + s->count(), uint64_t(1000));
  }

  void severalLogsMergeByTime() {
    auto executor = makeThreadExecutor(1, "test");
    auto fake = std::make_shared<LogClient>(executor);
    LogModel log;
    log.follow(fake, {{"default/web-1", "web", "1"}, {"default/web-2", "web", "2"}});
    QCOMPARE(fake->asked.size(), size_t(2));
    QVERIFY(fake->asked[0].path.find("timestamps=true") != std::string::npos);
    fake->asked[0].data("2026-03-14T12:00:01Z one\n2026-03-14T12:00:03Z three\n");
    QTest::qWait(150);
    QCOMPARE(log.rowCount(), 0);  // held until the other has said something too
    fake->asked[1].data("2026-03-14T12:00:02Z two\n2026-03-14T12:00:04Z four\n");
    QTRY_COMPARE(texts(log), QStringList({"one", "two", "three", "four"}));
    QCOMPARE(log.index(1).data(LogModel::SourceRole).toInt(), 1);
    QCOMPARE(log.index(0).data(LogModel::TimeRole).toLongLong() % 1'000'000'000, 0);
    // One that comes later is followed too; the lines stay.
    log.setSources({{"default/web-2", "web", "2"}, {"default/web-3", "web", "3"}});
    QCOMPARE(fake->asked.size(), size_t(3));
    QVERIFY(fake->asked[0].handle.expired());  // nobody asks for it any more
    QVERIFY(!fake->asked[1].handle.expired());
    fake->asked[2].data("2026-03-14T12:00:05Z five\n");
    QTRY_COMPARE(log.rowCount(), 5);
    QCOMPARE(log.index(4).data(LogModel::SourceRole).toInt(), 2);
  }

  void aSilentLogHoldsNobodyBack() {
    auto executor = makeThreadExecutor(1, "test");
    auto fake = std::make_shared<LogClient>(executor);
    LogModel log;
    log.follow(fake, {{"default/web-1", "web", "1"}, {"default/web-2", "web", "2"}});
    fake->asked[0].data("2026-03-14T12:00:01Z one\n");
    QTRY_COMPARE(log.rowCount(), 1);
  }

  void aStreamThatEndsIsAskedAgainFromThere() {
    auto executor = makeThreadExecutor(1, "test");
    auto fake = std::make_shared<LogClient>(executor);
    LogModel log;
    log.follow(fake, {{"default/web-1", "web", {}}});
    fake->asked[0].data("2026-03-14T12:00:01.5Z one\n");
    QTRY_COMPARE(log.rowCount(), 1);
    fake->asked[0].end(Result<std::string>(Status::unavailable("the machine went away")));
    QTRY_COMPARE(log.problem(), QString("the machine went away"));
    QVERIFY(!log.live());
    QTRY_COMPARE_WITH_TIMEOUT(fake->asked.size(), size_t(2), 5000);
    QVERIFY(fake->asked[1].path.find("sinceTime=2026-03-14T12%3A00%3A01Z") != std::string::npos);
    fake->asked[1].data("2026-03-14T12:00:01.5Z one\n2026-03-14T12:00:02Z two\n");
    QTRY_COMPARE(texts(log), QStringList({"one", "two"}));  // what was shown is not shown again
    QVERIFY(log.problem().isEmpty());
    // A pod that is gone is not asked for again.
    fake->asked[1].end(Result<std::string>(Status{404, "NotFound", "pods \"web-1\" not found"}));
    QTRY_VERIFY(!log.live());
    QTest::qWait(2300);
    QCOMPARE(fake->asked.size(), size_t(2));
  }

  void saved() {
    QTemporaryDir dir;
    LogModel log;
    log.add(0, {"one", "two", "three"});
    QString problem = "not called";
    log.save(dir.filePath("a.log"), false, false, [&](const QString& p) { problem = p; });
    QTRY_VERIFY(problem.isEmpty());
    QFile f(dir.filePath("a.log"));
    QVERIFY(f.open(QIODevice::ReadOnly));
    QCOMPARE(f.readAll(), QByteArray("one\ntwo\nthree\n"));
    log.search()->set("t", false);
    log.save(dir.filePath("b.log"), true, false, [&](const QString& p) { problem = p; });
    QFile g(dir.filePath("b.log"));
    QTRY_VERIFY(g.exists());
    QVERIFY(g.open(QIODevice::ReadOnly));
    QCOMPARE(g.readAll(), QByteArray("two\nthree\n"));
    problem.clear();
    log.save(dir.filePath("no/such/folder.log"), false, false, [&](const QString& p) { problem = p; });
    QTRY_VERIFY(!problem.isEmpty());
  }

  void aMillionLines() {
    auto executor = makeThreadExecutor(1, "test");
    LogModel log;
    log.setExecutor(executor);
    const size_t before = residentBytes();
    QElapsedTimer clock;
    clock.start();
    std::vector<LogEntry> entries;
    int64_t longest = 0;
    for (int i = 0; i < 1'000'000; ++i) {
      entries.push_back({i % 8, 1773489875'000000000 + i * 1000,
                         "10.244.3." + std::to_string(i % 250) + " - GET /api/orders/" + std::to_string(i) +
                             " HTTP/1.1 " + (i % 100 == 7 ? "500" : "200") + " 1532 upstream=orders-db took=12ms"});
      if (entries.size() < 5000) continue;
      QElapsedTimer one;
      one.start();
      log.append(entries);
      longest = std::max<int64_t>(longest, one.nsecsElapsed());
      entries.clear();
    }
    const qint64 added = clock.elapsed();
    const size_t used = residentBytes() - before;
    QCOMPARE(log.rowCount(), 1'000'000 > int(LogStore::kMaxLines) ? int(LogStore::kMaxLines) : 1'000'000);
    auto search = [&](const QString& text, bool regex) {
      clock.restart();
      log.search()->set(text, regex);
      const qint64 blocked = clock.elapsed();
      while (log.search()->busy()) QCoreApplication::processEvents(QEventLoop::WaitForMoreEvents);
      return std::make_pair(clock.elapsed(), blocked);
    };
    const auto [plain, plainBlocked] = search(" 500 ", false);
    QCOMPARE(log.search()->count(), size_t(10'000));
    const auto [regex, regexBlocked] = search("orders/\\d*99 .* 200", true);
    QVERIFY(log.search()->count() > 1000);
    qInfo("1,000,000 lines: added in %lld ms (longest batch of 5,000: %.1f ms), %.0f MiB resident, %.0f MiB in blocks; "
          "text found in %lld ms, expression in %lld ms, in the background (the GUI thread: %lld and %lld ms)",
          added, double(longest) / 1e6, double(used) / 1048576, double(log.store().bytes()) / 1048576, plain, regex,
          plainBlocked, regexBlocked);
    QVERIFY(used < size_t(320) << 20);
    // Twice as many: not more memory.
    for (int i = 0; i < 200; ++i) {
      entries.assign(5000, {0, 1, std::string(90, 'y')});
      log.append(entries);
    }
    QVERIFY(log.rowCount() <= int(LogStore::kMaxLines));
    QVERIFY(log.store().bytes() <= LogStore::kMaxBytes);
  }
};

QTEST_GUILESS_MAIN(LogsTest)
#include "logs_test.moc"
