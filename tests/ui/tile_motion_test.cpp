// What moves on a map: it begins with an event, runs its course, ends by itself, and is told in words meanwhile.
#include <QApplication>
#include <QSignalSpy>
#include <QTest>

#include "ui/map/tile_motion.h"
#include "ui/theme/translations.h"

using namespace ph;
using namespace ph::ui;
using models::PodState;
using What = TileMotion::What;

class TileMotionTest : public QObject {
  Q_OBJECT

  static TileMotion::Event event(What what, const char* pod, PodState state = PodState::Ready, const char* card = "n-1") {
    return {what, card, {}, 3, pod, state, 2};
  }

 private slots:
  void initTestCase() { installTranslations(*qApp); }
  void init() { Theme::get().setMotion(true); }
  void cleanup() { Theme::get().setMotion(true); }

  void aNewcomerGrows() {
    TileMotion m;
    QCOMPARE(m.arrival("default/a"), 1.0);
    m.add(event(What::Came, "default/a"));
    QVERIFY(m.moving());
    QVERIFY(m.arrival("default/a") < 1);
    QCOMPARE(m.arrival("default/b"), 1.0);
    QTRY_VERIFY(!m.moving());
    QCOMPARE(m.arrival("default/a"), 1.0);
  }

  void whatTurnedIsRinged() {
    TileMotion m;
    m.add(event(What::Turned, "default/a", PodState::Failing));
    QVERIFY(m.pulse("default/a") < 1);
    QCOMPARE(m.arrival("default/a"), 1.0);
    QTRY_VERIFY(!m.moving());
    QCOMPARE(m.pulse("default/a"), 1.0);
  }

  void whatWentFades() {
    TileMotion m;
    QSignalSpy changed(&m, &TileMotion::changed);
    m.add(event(What::Left, "default/a", PodState::Leaving));
    QCOMPARE(int(m.departures().size()), 1);
    QCOMPARE(m.departures()[0].slot, 3);
    QCOMPARE(m.departures()[0].color, 2);
    QTRY_VERIFY(m.departures().empty());
    QVERIFY(!m.moving());
    QVERIFY(changed.size() > 2);
    for (auto& c : changed) QCOMPARE(c[0].toString(), QString("n-1"));  // no other card is painted for it
  }

  void words_data() {
    QTest::addColumn<QList<int>>("events");  // what * 10 + state
    QTest::addColumn<QString>("says");
    auto e = [](What w, PodState s) { return int(w) * 10 + int(s); };
    QTest::newRow("one ready") << QList<int>{e(What::Turned, PodState::Ready)} << "pod-0 is ready";
    QTest::newRow("one failing") << QList<int>{e(What::Turned, PodState::Failing)} << "pod-0 is failing";
    QTest::newRow("starting is no news") << QList<int>{e(What::Turned, PodState::Starting)} << "";
    QTest::newRow("one came") << QList<int>{e(What::Came, PodState::Waiting)} << "+1 pod";
    QTest::newRow("all sorts") << QList<int>{e(What::Came, PodState::Waiting), e(What::Came, PodState::Waiting), e(What::Left, PodState::Leaving),
                                             e(What::Turned, PodState::Ready), e(What::Turned, PodState::Failing)}
                               << QString::fromUtf8("+2 pods · −1 pod · 1 ready · 1 failing");
    QTest::newRow("a machine's own head says it") << QList<int>{e(What::Machine, PodState::Ready)} << "";
  }
  void words() {
    QFETCH(QList<int>, events);
    QFETCH(QString, says);
    TileMotion m;
    for (int i = 0; i < events.size(); ++i)
      m.add(event(What(events[i] / 10), qPrintable(QString("default/pod-%1").arg(i)), PodState(events[i] % 10)));
    QCOMPARE(m.news("n-1"), says);
    QVERIFY(m.news("n-2").isEmpty());
  }

  void wordsEnd() {
    TileMotion m;
    QSignalSpy changed(&m, &TileMotion::changed);
    m.add(event(What::Turned, "default/a", PodState::Failing));
    QCOMPARE(m.newsTone("n-1"), Tone::Error);
    QTRY_VERIFY_WITH_TIMEOUT(m.news("n-1").isEmpty(), TileMotion::kNewsMs + 2000);
    QVERIFY(!changed.isEmpty());
    auto silent = event(What::Came, "default/b");
    silent.told = false;
    m.add(silent);
    QVERIFY(m.news("n-1").isEmpty());
  }

  void noMotionWhereNoneIsWanted() {
    Theme::get().setMotion(false);
    TileMotion m;
    m.add(event(What::Came, "default/a"));
    m.add(event(What::Left, "default/b"));
    QVERIFY(!m.moving());
    QCOMPARE(m.arrival("default/a"), 1.0);
    QVERIFY(m.departures().empty());
    QVERIFY(!m.news("n-1").isEmpty());
  }
};

QTEST_MAIN(TileMotionTest)
#include "tile_motion_test.moc"
