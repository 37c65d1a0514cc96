// Seeds through the simulated cluster. PH_SIM_SEEDS: how many (200); PH_SIM_SEED: only this one, telling what
// happens; PH_SIM_FIRST: the first one (1). A failing seed is printed, and runs again the same way.
#include <QtTest>
#include <atomic>
#include <mutex>
#include <thread>

#include "engine/base/log.h"
#include "tests/sim/world.h"

using namespace ph;

class SimTest : public QObject {
  Q_OBJECT

  static uint64_t number(const char* variable, uint64_t otherwise) {
    bool ok = false;
    auto n = qEnvironmentVariable(variable).toULongLong(&ok);
    return ok ? n : otherwise;
  }
  static sim::Report run(uint64_t seed) { return sim::World(seed, {}).run(); }

 private slots:
  void initTestCase() {
    bool one = qEnvironmentVariableIsSet("PH_SIM_SEED");
    log::setLevel(one ? log::parseLevel(qEnvironmentVariable("PH_LOG", "warn").toStdString())
                      : log::Level::Error);
  }

  void aSeedReplaysExactly() {
    uint64_t seed = number("PH_SIM_SEED", 12345);
    auto a = run(seed), b = run(seed);
    for (size_t i = 0; i < std::min(a.trace.size(), b.trace.size()); ++i)
      if (a.trace[i] != b.trace[i])
        QFAIL(qPrintable(QString("change %1 differs: %2, %3")
                             .arg(i)
                             .arg(a.trace[i].second.c_str())
                             .arg(b.trace[i].second.c_str())));
    QCOMPARE(a.text(), b.text());
  }

  void seeds() {
    if (qEnvironmentVariableIsSet("PH_SIM_SEED")) {
      sim::Options options;
      options.tell = qEnvironmentVariable("PH_SIM_TELL").toStdString();
      auto report = sim::World(number("PH_SIM_SEED", 1), options).run();
      std::fprintf(stderr, "%s\n%s\n", report.text().c_str(), report.broken.c_str());
      QVERIFY2(report.broken.empty(), report.broken.c_str());
      return;
    }
    uint64_t first = number("PH_SIM_FIRST", 1), count = number("PH_SIM_SEEDS", 200);
    std::atomic<uint64_t> next{first};
    std::mutex mutex;
    std::vector<std::pair<uint64_t, std::string>> failed;
    uint64_t pods = 0, crashes = 0, lost = 0;
    auto worker = [&] {
      for (uint64_t seed; (seed = next++) < first + count;) {
        auto report = run(seed);
        std::lock_guard lock(mutex);
        pods += uint64_t(report.podsMade);
        crashes += uint64_t(report.crashes);
        lost += uint64_t(report.nodesLost + report.cuts);
        if (!report.broken.empty()) failed.emplace_back(seed, report.broken);
      }
    };
    QElapsedTimer timer;
    timer.start();
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < std::max(1u, std::thread::hardware_concurrency()); ++i)
      threads.emplace_back(worker);
    for (auto& t : threads) t.join();
    qInfo("%llu seeds in %.1f s: %llu pods made, %llu engines killed, %llu nodes lost or cut off",
          qulonglong(count), double(timer.elapsed()) / 1000, qulonglong(pods), qulonglong(crashes),
          qulonglong(lost));
    for (auto& [seed, why] : failed) qWarning("PH_SIM_SEED=%llu: %s", qulonglong(seed), why.c_str());
    QVERIFY2(failed.empty(), qPrintable(QString("%1 of %2 seeds failed").arg(failed.size()).arg(count)));
  }
};

QTEST_GUILESS_MAIN(SimTest)
#include "sim_test.moc"
