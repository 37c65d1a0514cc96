#include <QTest>
#include <condition_variable>
#include <mutex>

#include "engine/base/base64.h"
#include "engine/base/executor.h"
#include "engine/base/result.h"

using namespace ph;
using namespace std::chrono_literals;

namespace {

// Lets a test wait for something that other threads do.
class Latch {
 public:
  explicit Latch(int n) : left_(n) {}
  void down() {
    std::lock_guard lock(mutex_);
    if (--left_ <= 0) done_.notify_all();
  }
  bool wait() {
    std::unique_lock lock(mutex_);
    return done_.wait_for(lock, 20s, [this] { return left_ <= 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable done_;
  int left_;
};

Result<int> half(int n) {
  if (n % 2) return Status::invalid("odd");
  return n / 2;
}
Result<int> quarter(int n) {
  PH_ASSIGN(int h, half(n));
  return half(h);
}

}  // namespace

class BaseTest : public QObject {
  Q_OBJECT
 private slots:
  void resultCarriesValueOrStatus() {
    QCOMPARE(*quarter(8), 2);
    auto r = quarter(6);
    QVERIFY(!r.ok());
    QCOMPARE(r.status().code, 422);
    QCOMPARE(r.status().message, std::string("odd"));
  }

  void base64() {
    for (std::string s : {std::string(), std::string("a"), std::string("ab"), std::string("abc"), std::string("abcd"),
                          std::string("\xff\x00\x10", 3)}) {
      QCOMPARE(fromBase64(toBase64(s)), std::optional<std::string>(s));
      QCOMPARE(base64Size(toBase64(s)), s.size());
    }
    QCOMPARE(toBase64("f"), std::string("Zg=="));
    QCOMPARE(toBase64("pilot"), std::string("cGlsb3Q="));
    QCOMPARE(toBase64("foobar"), std::string("Zm9vYmFy"));
    QCOMPARE(fromBase64("cGls\nb3Q=\r\n"), std::optional<std::string>("pilot"));
    for (auto* bad : {"a", "ab", "abc", "a===", "ab=c", "====", "ab$d", "abcd=", "YQ=", "YQ===", "Z*=="})
      QVERIFY2(checkBase64(bad).has_value(), bad);
    size_t at = 0;
    QVERIFY(!fromBase64("ab$d", &at));
    QCOMPARE(at, size_t(2));
  }

  void times_data() {
    QTest::addColumn<QString>("text");
    QTest::addColumn<QString>("micro");
    QTest::newRow("plain") << "2026-01-02T03:04:05Z" << "2026-01-02T03:04:05.000000Z";
    QTest::newRow("fraction") << "2026-01-02T03:04:05.25Z" << "2026-01-02T03:04:05.250000Z";
    QTest::newRow("nanos") << "2026-01-02T03:04:05.123456789Z" << "2026-01-02T03:04:05.123456Z";
    QTest::newRow("offset") << "2026-01-02T03:04:05+02:00" << "2026-01-02T01:04:05.000000Z";
    QTest::newRow("leap day") << "2024-02-29T00:00:00Z" << "2024-02-29T00:00:00.000000Z";
    QTest::newRow("no such day") << "2026-02-29T00:00:00Z" << "";
    QTest::newRow("short") << "2026-02-01T00:00Z" << "";
    QTest::newRow("words") << "yesterday, about noon" << "";
    QTest::newRow("bad offset") << "2026-01-02T03:04:05+2:00" << "";
  }
  void times() {
    QFETCH(QString, text);
    QFETCH(QString, micro);
    auto t = parseTime(text.toStdString());
    QCOMPARE(t ? formatMicroTime(*t) : std::string(), micro.toStdString());
  }

  void durations() {
    QCOMPARE(*parseDuration("10s"), Duration(10s));
    QCOMPARE(*parseDuration("1m30s"), Duration(90s));
    QCOMPARE(*parseDuration("1.5h"), Duration(90min));
    QCOMPARE(*parseDuration("-250ms"), Duration(-250ms));
    for (auto bad : {"", "10", "s", "10 s", "1x", "1e9s", "-"}) QVERIFY2(!parseDuration(bad), bad);
  }

  void seededRandomReplays() {
    auto a = seededRandom(7), b = seededRandom(7), c = seededRandom(8);
    QCOMPARE(a->uuid(), b->uuid());
    QVERIFY(a->suffix(10) != c->suffix(10));
    QCOMPARE(systemRandom().uuid().size(), size_t(36));
    for (int i = 0; i < 1000; ++i) QVERIFY(a->below(3) < 3);
  }

  void threadsRunTasksAndTimersInOrder() {
    auto ex = makeThreadExecutor(2, "test");
    Latch latch(3);
    std::mutex m;
    std::vector<int> order;
    auto note = [&](int i) {
      { std::lock_guard lock(m); order.push_back(i); }
      latch.down();
    };
    ex->after(60ms, [&] { note(3); }).detach();
    ex->after(20ms, [&] { note(2); }).detach();
    ex->post([&] { note(1); });
    QVERIFY(latch.wait());
    QCOMPARE(order, (std::vector<int>{1, 2, 3}));
  }

  void aTimerFiresWhileOthersAreBusy() {
    auto ex = makeThreadExecutor(2, "test");
    Latch started(1), fired(1), release(1);
    auto timer = ex->after(30ms, [&] { fired.down(); });
    ex->post([&] { started.down(); release.wait(); });
    QVERIFY(started.wait());
    QVERIFY(fired.wait());
    release.down();
  }

  void aCancelledTimerDoesNotFire() {
    auto ex = SimExecutor::make(1);
    int fired = 0;
    {
      auto timer = ex->after(5s, [&] { ++fired; });
      auto strandTimer = ex->strand()->after(5s, [&] { ++fired; });
    }
    ex->runFor(10s);
    QCOMPARE(fired, 0);
  }

  void strandsKeepOrderAcrossThreads() {
    auto ex = makeThreadExecutor(4, "test");
    auto strand = ex->strand();
    constexpr int kTasks = 20000;
    Latch latch(1);
    std::vector<int> seen;  // no lock: the strand is the lock
    for (int i = 0; i < kTasks; ++i) strand->post([&, i] { seen.push_back(i); });
    strand->post([&] { latch.down(); });
    QVERIFY(latch.wait());
    QCOMPARE(seen.size(), size_t(kTasks));
    QVERIFY(std::is_sorted(seen.begin(), seen.end()));
  }

  void simulationReplaysFromItsSeed() {
    auto run = [](uint64_t seed) {
      auto ex = SimExecutor::make(seed);
      std::vector<int> order;
      for (int i = 0; i < 20; ++i) ex->post([&order, i] { order.push_back(i); });
      ex->runFor(1s);
      return order;
    };
    QCOMPARE(run(3), run(3));
    QVERIFY(run(3) != run(4));
  }

  void virtualTimeStopsWhereItIsTold() {
    auto ex = SimExecutor::make(1);
    int ticks = 0;
    std::function<void()> tick = [&] {
      ++ticks;
      ex->after(1s, tick).detach();
    };
    tick();
    auto start = ex->monoNow();
    ex->runFor(10s);
    QCOMPARE(ticks, 11);
    QVERIFY(ex->monoNow() - start == 10s);
    QVERIFY(ex->runUntil([&] { return ticks == 20; }, 60s));
    auto wall = ex->wallNow();
    ex->jumpWall(1h);
    QVERIFY(ex->wallNow() - wall == 1h);
    QVERIFY(!ex->runUntil([] { return false; }, 5s));
  }
};

QTEST_GUILESS_MAIN(BaseTest)
#include "base_test.moc"
