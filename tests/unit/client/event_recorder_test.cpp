#include "engine/client/event_recorder.h"

#include <QtTest>

#include "engine/api/types/core.h"
#include "tests/support/fake_client.h"

using namespace ph;
using namespace std::chrono_literals;

class EventRecorderTest : public QObject {
  Q_OBJECT
  std::shared_ptr<SimExecutor> sim_;
  std::unique_ptr<test::FakeClient> api_;
  std::shared_ptr<client::EventRecorder> recorder_;
  client::ObjectReference pod_{"v1", "Pod", "default", "web", "uid-1", "", 5};

  std::vector<api::core::Event> events() {
    std::vector<api::core::Event> out;
    for (auto& [k, e] : api_->all(api_->kind("events"))) out.push_back(e->as<api::core::Event>());
    return out;
  }

 private slots:
  void init() {
    sim_ = SimExecutor::make(3);
    api_ = std::make_unique<test::FakeClient>(sim_);
    recorder_ = client::EventRecorder::make(*api_, sim_->strand(), {.component = "tester", .host = "h1"});
  }
  void cleanup() {
    recorder_->stop();
    sim_->runFor(1s);
    recorder_.reset();
  }

  void writesAnEvent() {
    recorder_->event(pod_, "Normal", "Pulled", "it was there");
    sim_->runFor(1s);
    auto all = events();
    QCOMPARE(all.size(), size_t(1));
    QCOMPARE(all[0].involvedObject.name, std::string("web"));
    QCOMPARE(all[0].source.component, std::string("tester"));
    QCOMPARE(all[0].source.host, std::string("h1"));
    QCOMPARE(all[0].count, 1);
    QVERIFY(all[0].lastTimestamp.has_value());
  }

  void countsRepeats() {
    for (int i = 0; i < 5; ++i) {
      recorder_->event(pod_, "Warning", "BackOff", "again");
      sim_->runFor(10s);
    }
    auto all = events();
    QCOMPARE(all.size(), size_t(1));
    QCOMPARE(all[0].count, 5);
    QVERIFY(*all[0].lastTimestamp - *all[0].firstTimestamp >= 39s);
  }

  void cutsAFloodShort() {
    for (int i = 0; i < 100; ++i) recorder_->event(pod_, "Normal", "Made", "pod " + std::to_string(i));
    sim_->runFor(1s);
    QCOMPARE(events().size(), size_t(25));
    sim_->runFor(5min);
    recorder_->event(pod_, "Normal", "Made", "later");
    sim_->runFor(1s);
    QCOMPARE(events().size(), size_t(26));
  }

  void startsAfreshWhenTheFirstIsGone() {
    recorder_->event(pod_, "Warning", "BackOff", "again");
    sim_->runFor(1s);
    for (auto& [k, e] : api_->all(api_->kind("events"))) api_->remove(api_->kind("events"), k);
    recorder_->event(pod_, "Warning", "BackOff", "again");
    sim_->runFor(1s);
    QVERIFY(events().empty());
    recorder_->event(pod_, "Warning", "BackOff", "again");
    sim_->runFor(1s);
    QCOMPARE(events().size(), size_t(1));
  }
};

QTEST_GUILESS_MAIN(EventRecorderTest)
#include "event_recorder_test.moc"
