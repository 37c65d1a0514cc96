// The design system keeps its promises: contrast of text, colors of the look, no motion when less is asked
// for.
#include <QTest>

#include "ui/theme/style_sheet.h"
#include "ui/theme/theme.h"

using namespace ph::ui;

class ThemeTest : public QObject {
  Q_OBJECT
 private slots:
  void textCanBeRead_data() {
    QTest::addColumn<bool>("dark");
    QTest::newRow("dark") << true;
    QTest::newRow("light") << false;
  }
  void textCanBeRead() {
    QFETCH(bool, dark);
    const Colors c = Theme::palette(dark);
    const std::pair<const char*, QColor> texts[] = {{"text", c.text},       {"muted", c.muted},
                                                    {"ok", c.okText},       {"warn", c.warnText},
                                                    {"error", c.errorText}, {"accent", c.accentText}};
    const std::pair<const char*, QColor> grounds[] = {
        {"background", c.background}, {"surface", c.surface}, {"raised", c.raised}};
    for (auto& [name, text] : texts) {
      for (auto& [on, ground] : grounds) {
        const double got = contrast(text, ground);
        QVERIFY2(got >= 4.5, qPrintable(QString("%1 on %2: %3").arg(name, on).arg(got)));
      }
    }
    for (auto& ground : {c.background, c.surface, c.raised, c.selection})
      QVERIFY(contrast(c.text, ground) >= 7);
    QVERIFY(contrast(c.onAccent, c.accent) >= 4.5);
  }

  void applicationsCanBeToldFromTheirGround() {
    for (bool dark : {true, false}) {
      const Colors c = Theme::palette(dark);
      for (auto& app : c.apps) QVERIFY2(contrast(app, c.surface) >= 2.4, qPrintable(app.name()));
    }
  }

  void theSheetNamesNoColorByHand() {
    for (bool dark : {true, false}) QVERIFY(!styleSheet(Theme::palette(dark)).contains('@'));
  }

  void lessMotion() {
    Theme::get().setMotion(true);
    qputenv("PILOTHOUSE_REDUCED_MOTION", "1");
    QCOMPARE(Theme::get().motion(), 0);
    qunsetenv("PILOTHOUSE_REDUCED_MOTION");
    QVERIFY(Theme::get().motion() <= 200);
  }
};

QTEST_MAIN(ThemeTest)
#include "theme_test.moc"
