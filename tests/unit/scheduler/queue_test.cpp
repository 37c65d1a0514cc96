#include <QTest>

#include "engine/scheduler/framework/plugin.h"
#include "engine/scheduler/framework/queue.h"

using namespace ph;
using namespace ph::scheduler;
using namespace std::chrono_literals;

namespace {
PodInfoPtr info(std::string uid, int priority = 0, std::string classKey = "c") {
  auto p = std::make_shared<PodInfo>();
  p->uid = std::move(uid);
  p->priority = priority;
  p->classKey = std::move(classKey);
  return p;
}
// The uids of the next `count` pods, "-" where there is none.
std::string popped(SchedulingQueue& q, int count = 1) {
  std::string uids;
  while (count-- > 0) {
    auto p = q.pop();
    uids += p ? p->uid : "-";
  }
  return uids;
}
}  // namespace

class QueueTest : public QObject {
  Q_OBJECT
  const MonoTime t0{1h};

 private slots:
  void priorityThenArrival() {
    SchedulingQueue q;
    q.add(info("a"), t0);
    q.add(info("b", 10), t0);
    q.add(info("c"), t0);
    QCOMPARE(popped(q, 4), std::string("bac-"));
  }

  void wakesOnlyWhatTheEventMayHelp() {
    SchedulingQueue q;
    for (auto uid : {"a", "b"}) q.add(info(uid), t0);
    auto a = q.pop(), b = q.pop();
    q.unschedulable(a, kPodGone, t0);
    q.unschedulable(b, kNodeTaints, t0);
    q.wake(kPodGone, t0 + 2s);
    QCOMPARE(popped(q, 2), std::string("a-"));
  }

  void backoffGrowsAndHoldsEvenWhenWoken() {
    SchedulingQueue q;
    q.add(info("a"), t0);
    MonoTime now = t0;
    for (Duration expected : {Duration(1s), Duration(2s), Duration(4s), Duration(8s), Duration(10s), Duration(10s)}) {
      auto a = q.pop();
      QVERIFY(a);
      q.unschedulable(a, kAnything, now);
      q.wake(kNodeAdded, now);
      QVERIFY(!q.hasActive());
      QVERIFY(q.nextDue() == now + expected);
      now += expected;
      q.tick(now);
    }
  }

  void nothingWaitsForEver() {
    SchedulingQueue q;
    q.add(info("a"), t0);
    q.unschedulable(q.pop(), 0, t0);
    q.tick(t0 + 4min);
    QVERIFY(!q.hasActive());
    q.tick(t0 + 5min);
    QCOMPARE(popped(q), std::string("a"));
  }

  void aStatusUpdateIsNoReasonToTryAgain() {
    SchedulingQueue q;
    q.add(info("a"), t0);
    q.unschedulable(q.pop(), kPodGone, t0);
    q.add(info("a"), t0 + 20s);
    QVERIFY(!q.hasActive());
    q.add(info("a", 0, "another spec"), t0 + 20s);
    QCOMPARE(popped(q), std::string("a"));
  }

  void removedWhereverItIs() {
    SchedulingQueue q;
    for (auto uid : {"a", "b", "c"}) q.add(info(uid), t0);
    auto a = q.pop();
    q.unschedulable(a, kAnything, t0);
    for (auto uid : {"a", "b", "c", "never"}) q.remove(uid);
    q.unschedulable(a, kAnything, t0);  // its verdict came after it had gone
    q.tick(t0 + 1h);
    QVERIFY(!q.hasActive());
    QCOMPARE(q.size(), size_t(0));
  }
};

QTEST_GUILESS_MAIN(QueueTest)
#include "queue_test.moc"
