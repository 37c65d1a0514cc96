// The arithmetic of autoscaling: replicas from samples, stabilization, policies.
#include <QtTest>

#include "engine/controllers/autoscaling/behavior.h"
#include "engine/controllers/autoscaling/replica_count.h"

using namespace ph;
using namespace ph::controllers::autoscaling;
using namespace std::chrono_literals;

namespace {

namespace v2 = api::autoscaling_v2;
using State = Sample::State;

// "60 60 u ?": measured pods by what they use, u unready, ? unknown; each requests 100.
std::vector<Sample> pods(const std::string& text) {
  std::vector<Sample> out;
  for (auto& word : QString::fromStdString(text).split(' ', Qt::SkipEmptyParts)) {
    Sample s{State::Measured, 0, 100};
    if (word == "u") s.state = State::Unready;
    else if (word == "?") s.state = State::Unknown;
    else s.used = word.toLongLong();
    out.push_back(s);
  }
  return out;
}

MonoTime at(int seconds) { return MonoTime(1h + std::chrono::seconds(seconds)); }

v2::HorizontalPodAutoscalerSpec specOf(v2::HPAScalingRules up, v2::HPAScalingRules down) {
  v2::HorizontalPodAutoscalerSpec spec;
  spec.behavior.ensure().scaleUp = std::move(up);
  spec.behavior->scaleDown = std::move(down);
  return spec;
}

v2::HPAScalingRules rules(std::vector<v2::HPAScalingPolicy> policies, std::optional<std::string> select = {},
                          std::optional<int32_t> window = {}) {
  v2::HPAScalingRules r;
  r.policies = std::move(policies);
  r.selectPolicy = std::move(select);
  r.stabilizationWindowSeconds = window;
  return r;
}

std::string text(std::string_view view) { return std::string(view); }

}  // namespace

class AutoscalingMathTest : public QObject {
  Q_OBJECT
 private slots:
  void proposes_data() {
    QTest::addColumn<QString>("samples");
    QTest::addColumn<int>("current");
    QTest::addColumn<int>("target");
    QTest::addColumn<int>("wanted");
    auto row = [](const char* name, const char* samples, int current, int target, int wanted) {
      QTest::newRow(name) << QString(samples) << current << target << wanted;
    };
    row("twice the target", "100 100", 2, 50, 4);
    row("rounded up", "60 60 60", 3, 50, 4);
    row("no rounding of what is whole", "110 110 110 110 110 110 110 110 110 110", 10, 50, 22);
    row("half the target", "25 25 25 25", 4, 50, 2);
    row("nothing used", "0 0 0", 3, 50, 0);
    row("within the tolerance above", "55 55", 2, 50, 2);
    row("just beyond it", "56 56", 2, 50, 3);
    row("within the tolerance below", "45 45", 2, 50, 2);
    row("just below it", "44 44 44 44 44 44 44 44 44 44", 10, 50, 9);
    // Unready: as if they used nothing when it would grow, left out otherwise.
    row("unready dampens growth", "200 u", 2, 50, 4);
    row("unready stops growth", "100 u", 2, 50, 2);
    row("unready brings it near the target", "100 u", 1, 50, 1);
    row("unready brings it below the target", "100 u u", 1, 50, 1);
    row("unready does not turn growth into shrinking", "60 u u u", 4, 50, 4);
    row("unready counts for nothing when shrinking", "10 10 u", 3, 50, 1);
    // Unknown: all of the request when it would shrink, nothing when it would grow.
    row("unknown dampens shrinking", "10 10 ?", 3, 50, 3);
    row("unknown lets a little go", "10 10 10 10 10 10 10 10 ?", 9, 50, 4);
    row("unknown dampens growth", "200 ?", 2, 50, 4);
    row("unknown stops growth", "100 ?", 2, 50, 2);
    row("unknown brings it near the target", "100 ?", 1, 50, 1);
    row("at the target nothing is assumed", "50 ? ?", 3, 50, 3);
    row("a target above 100 %", "150 150 ?", 3, 200, 3);
    row("both", "300 u ?", 3, 50, 6);
    row("only pods that there are count", "60 60", 10, 50, 3);
    row("never the other way, with unknown ones", "90 90 ?", 10, 50, 10);
  }
  void proposes() {
    QFETCH(QString, samples);
    QFETCH(int, current);
    QFETCH(int, target);
    auto p = propose(pods(samples.toStdString()), current, {Aim::By::Utilization, target}, {});
    QVERIFY(p.ok());
    QTEST(p->replicas, "wanted");
  }

  void averagesHaveTheirOwnAssumption() {
    Aim aim{Aim::By::Average, 100};
    auto p = propose(pods("200 200"), 2, aim, {});
    QCOMPARE(p->replicas, 4);
    QCOMPARE(p->average, int64_t(200));
    QVERIFY(!p->utilization);
    QCOMPARE(propose(pods("10 10 ?"), 3, aim, {})->replicas, 2);  // the unknown one: just what is aimed at
    auto heavy = pods("9000000000000000000 9000000000000000000");
    QCOMPARE(propose(heavy, 2, {Aim::By::Average, 1}, {})->replicas, INT32_MAX);
  }

  void tellsWhatIsUsed() {
    auto p = propose(pods("30 60"), 2, {Aim::By::Utilization, 45}, {});
    QCOMPARE(*p->utilization, 45);
    QCOMPARE(p->average, int64_t(45));
    // Of the measured ones, not of what is assumed.
    QCOMPARE(*propose(pods("30 ?"), 2, {Aim::By::Utilization, 80}, {})->utilization, 30);
  }

  void cannotTell() {
    Aim aim{Aim::By::Utilization, 50};
    QVERIFY(!propose({}, 1, aim, {}).ok());
    QVERIFY(!propose(pods("? ? u"), 3, aim, {}).ok());
    QVERIFY(!propose({{State::Measured, 10, 0}}, 1, aim, {}).ok());
    QVERIFY(propose({{State::Measured, 10, 0}}, 1, {Aim::By::Average, 50}, {}).ok());
  }

  void toleranceOfTheSpec() {
    auto down = rules({});
    down.tolerance = api::Quantity::parse("0.3");
    auto up = rules({});
    up.tolerance = api::Quantity::parse("0");
    auto tolerance = behaviorOf(specOf(up, down)).tolerance;
    Aim aim{Aim::By::Utilization, 100};
    QCOMPARE(propose(pods("70 70 70 70"), 4, aim, tolerance)->replicas, 4);
    QCOMPARE(propose(pods("69 69 69 69"), 4, aim, tolerance)->replicas, 3);
    QCOMPARE(propose(pods("101 101 101 101"), 4, aim, tolerance)->replicas, 5);
  }

  void holdsBackForFiveMinutes() {
    Behavior b = behaviorOf({});
    History h;
    h.wanted(at(0), 10);
    auto held = stabilize(b, h, 10, 4, at(15));
    QCOMPARE(held.replicas, 10);
    QCOMPARE(text(held.reason), std::string("ScaleDownStabilized"));
    QCOMPARE(stabilize(b, h, 10, 6, at(200)).replicas, 10);
    // The ten has just left the window, what was wanted since then counts.
    QCOMPARE(stabilize(b, h, 10, 3, at(300)).replicas, 6);
    auto up = stabilize(b, h, 6, 20, at(301));
    QCOMPARE(up.replicas, 20);
    QCOMPARE(text(up.reason), std::string("ReadyForNewScale"));
  }

  void holdsBackUpwardsWhenAsked() {
    Behavior b = behaviorOf(specOf(rules({}, {}, 60), rules({}, {}, 0)));
    History h;
    h.wanted(at(0), 2);
    auto held = stabilize(b, h, 2, 8, at(30));
    QCOMPARE(held.replicas, 2);
    QCOMPARE(text(held.reason), std::string("ScaleUpStabilized"));
    QCOMPARE(stabilize(b, h, 2, 9, at(60)).replicas, 8);
    QCOMPARE(stabilize(b, h, 8, 1, at(61)).replicas, 1);  // no window downwards
  }

  void defaultPolicies() {
    Behavior b = behaviorOf({});
    History h;
    auto up = [&](int current, int desired, int most = 1000) { return limit(b, h, current, desired, 1, most, at(0)); };
    QCOMPARE(up(1, 100).replicas, 5);
    QCOMPARE(up(3, 100).replicas, 7);
    QCOMPARE(up(10, 100).replicas, 20);
    QCOMPARE(text(up(10, 100).reason), std::string("ScaleUpLimit"));
    QCOMPARE(up(10, 100, 15).replicas, 15);
    QCOMPARE(text(up(10, 100, 15).reason), std::string("TooManyReplicas"));
    QCOMPARE(up(10, 12).replicas, 12);
    QCOMPARE(text(up(10, 12).reason), std::string("DesiredWithinRange"));
    auto down = limit(b, h, 100, 0, 2, 100, at(0));
    QCOMPARE(down.replicas, 2);
    QCOMPARE(text(down.reason), std::string("TooFewReplicas"));
    QCOMPARE(text(limit(b, h, 2, 1, 2, 100, at(0)).reason), std::string("TooFewReplicas"));
  }

  void countsWhatWasDoneInThePeriod() {
    Behavior b = behaviorOf(specOf(rules({{"Pods", 4, 60}}), rules({{"Percent", 10, 60}})));
    History h;
    QCOMPARE(limit(b, h, 10, 20, 1, 50, at(0)).replicas, 14);
    h.scaled(at(0), 4);
    QCOMPARE(limit(b, h, 14, 20, 1, 50, at(30)).replicas, 14);
    QCOMPARE(text(limit(b, h, 14, 20, 1, 50, at(30)).reason), std::string("ScaleUpLimit"));
    QCOMPARE(limit(b, h, 14, 20, 1, 50, at(60)).replicas, 18);
    // Downwards from what it was when the period began.
    QCOMPARE(limit(b, {}, 80, 0, 1, 100, at(0)).replicas, 72);
    History down;
    down.scaled(at(0), -8);
    auto none = limit(b, down, 72, 0, 1, 100, at(30));
    QCOMPARE(none.replicas, 72);
    QCOMPARE(text(none.reason), std::string("ScaleDownLimit"));
    QCOMPARE(limit(b, down, 72, 0, 1, 100, at(61)).replicas, 64);
  }

  void choosesAmongPolicies() {
    auto both = std::vector<v2::HPAScalingPolicy>{{"Pods", 2, 15}, {"Percent", 50, 15}};
    Behavior most = behaviorOf(specOf(rules(both), rules(both)));
    Behavior least = behaviorOf(specOf(rules(both, "Min"), rules(both, "Min")));
    Behavior off = behaviorOf(specOf(rules(both, "Disabled"), rules(both, "Disabled")));
    History h;
    auto go = [&](const Behavior& b, int desired) { return limit(b, h, 10, desired, 1, 100, at(0)).replicas; };
    QCOMPARE(go(most, 99), 15);
    QCOMPARE(go(least, 99), 12);
    QCOMPARE(go(off, 99), 10);
    QCOMPARE(go(most, 1), 5);
    QCOMPARE(go(least, 1), 8);
    QCOMPARE(go(off, 1), 10);
  }

  void percentIsExact() {
    Behavior b = behaviorOf(specOf(rules({{"Percent", 10, 15}}), rules({{"Percent", 200, 15}})));
    QCOMPARE(limit(b, {}, 10, 99, 1, 100, at(0)).replicas, 11);
    QCOMPARE(limit(b, {}, 11, 99, 1, 100, at(0)).replicas, 13);  // 12.1, rounded up
    QCOMPARE(limit(b, {}, 10, 0, 1, 100, at(0)).replicas, 1);
  }

  void oddNumbersAreKeptInBounds() {
    auto odd = rules({{"Pods", -5, -1}}, {}, -7);
    Behavior b = behaviorOf(specOf(odd, odd));
    QCOMPARE(b.up.window, Duration(0s));
    QCOMPARE(limit(b, {}, 10, 99, 1, 100, at(0)).replicas, 10);
    Behavior far = behaviorOf(specOf(rules({{"Percent", INT32_MAX, INT32_MAX}}, {}, INT32_MAX), rules({})));
    QCOMPARE(far.up.window, Duration(1h));
    QCOMPARE(limit(far, {}, INT32_MAX, INT32_MAX, 1, INT32_MAX, at(0)).replicas, INT32_MAX);
    QCOMPARE(limit(far, {}, INT32_MAX - 1, INT32_MAX, 1, INT32_MAX, at(0)).replicas, INT32_MAX);
  }

  void forgetsWhatIsOld() {
    History h;
    h.scaled(at(0), 5);
    h.scaled(at(1800), 3);
    QCOMPARE(h.changed(at(-10000)), int64_t(3));
    for (int i = 0; i < int(History::kMost) * 2; ++i) h.wanted(at(0), i);
    QCOMPARE(h.least(at(-1), INT32_MAX), int32_t(History::kMost));
    h.wanted(at(3600), 7);
    QCOMPARE(h.most(at(-10000), 0), 7);
  }
};

QTEST_GUILESS_MAIN(AutoscalingMathTest)
#include "autoscaling_math_test.moc"
