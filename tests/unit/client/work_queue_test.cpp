#include "engine/client/work_queue.h"

#include <QtTest>

using namespace ph;
using client::WorkQueue;
using namespace std::chrono_literals;

class WorkQueueTest : public QObject {
  Q_OBJECT

  std::shared_ptr<SimExecutor> sim_;
  std::vector<std::string> taken_;

  // Takes all that is ready whenever something is, and finishes it at once.
  std::unique_ptr<WorkQueue> eager(WorkQueue::Options options = {}) {
    auto holder = std::make_shared<WorkQueue*>(nullptr);
    auto q = std::make_unique<WorkQueue>(sim_, options, [this, holder] {
      while (auto k = (*holder)->take()) {
        taken_.push_back(*k);
        (*holder)->done(*k);
      }
    });
    *holder = q.get();
    return q;
  }

 private slots:
  void init() {
    sim_ = SimExecutor::make(1);
    taken_.clear();
  }

  void eachKeyOnce() {
    auto q = eager();
    for (auto* k : {"a", "b", "a", "a", "c"}) QVERIFY(q->add(k));
    sim_->runFor(1s);
    QCOMPARE(taken_, (std::vector<std::string>{"a", "b", "c"}));
    QCOMPARE(q->size(), size_t(0));
  }

  void addedWhileWorkedOnComesAgain() {
    WorkQueue q(sim_, {}, nullptr);
    q.add("a");
    QCOMPARE(*q.take(), std::string("a"));
    q.add("a");
    q.add("a");
    QVERIFY(!q.take());
    q.done("a");
    QCOMPARE(*q.take(), std::string("a"));
    q.done("a");
    QVERIFY(!q.take());
    QCOMPARE(q.size(), size_t(0));
  }

  void whatIsInAHurryComesNow() {
    auto q = eager();
    q->addAfter("later", 10s);
    q->addAfter("much later", 3h);
    sim_->runFor(1s);
    QVERIFY(taken_.empty());
    q->hurry();
    sim_->runFor(1s);
    QCOMPARE(taken_, (std::vector<std::string>{"later", "much later"}));
    q->addAfter("a", 2s);  // delays count as before
    sim_->runFor(1s);
    QCOMPARE(taken_.size(), size_t(2));
    sim_->runFor(2s);
    QCOMPARE(taken_.size(), size_t(3));
    QCOMPARE(q->size(), size_t(0));
  }

  void delaysKeepTheEarliest() {
    auto q = eager();
    q->addAfter("a", 10s);
    q->addAfter("a", 2s);
    q->addAfter("a", 5s);
    sim_->runFor(1900ms);
    QVERIFY(taken_.empty());
    sim_->runFor(200ms);
    QCOMPARE(taken_.size(), size_t(1));
    sim_->runFor(20s);
    QCOMPARE(taken_.size(), size_t(1));
  }

  void aLookNowCoversTheOneLater() {
    auto q = eager();
    q->addAfter("a", 3s);
    q->add("a");
    sim_->runFor(10s);
    QCOMPARE(taken_.size(), size_t(1));
  }

  void backsOffUntilForgotten() {
    auto q = eager({.baseDelay = 5ms, .maxDelay = 1s});
    auto waited = [&] {
      taken_.clear();
      q->addRateLimited("a");
      MonoTime from = sim_->monoNow();
      while (taken_.empty() && sim_->step()) {
      }
      return std::chrono::duration_cast<std::chrono::milliseconds>(sim_->monoNow() - from).count();
    };
    QCOMPARE(waited(), 5);
    QCOMPARE(waited(), 10);
    QCOMPARE(waited(), 20);
    for (int i = 0; i < 10; ++i) waited();
    QCOMPARE(waited(), 1000);
    QCOMPARE(q->failures("a"), 14);
    q->forget("a");
    QCOMPARE(waited(), 5);
  }

  void isBounded() {
    WorkQueue q(sim_, {.maxKeys = 2}, nullptr);
    QVERIFY(q.add("a"));
    QVERIFY(q.add("b"));
    QVERIFY(!q.add("c"));
    QVERIFY(q.add("a"));
  }

  void diesWithTimersPending() {
    auto q = eager();
    q->addAfter("a", 1s);
    q->add("b");
    q.reset();
    sim_->runFor(5s);
    QVERIFY(taken_.empty());
  }
};

QTEST_GUILESS_MAIN(WorkQueueTest)
#include "work_queue_test.moc"
