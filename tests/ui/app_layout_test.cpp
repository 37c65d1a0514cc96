// The application map's geometry: nothing overlaps, everything is inside what holds it, and few things move.
#include <QTest>

#include "ui/appmap/app_layout.h"

using namespace ph;
using namespace ph::ui;
using models::AppGraph;

class AppLayoutTest : public QObject {
  Q_OBJECT

  static models::AppPods pods(const QString& name, int count) {
    models::AppPods s;
    s.box.name = name;
    s.tiles.resize(size_t(count), {QStringLiteral("ns/pod"), models::PodState::Ready});
    s.pods = count;
    return s;
  }
  static AppGraph app(const QString& ns, const QString& name, int services, int uses, int count) {
    AppGraph g;
    g.ns = ns;
    g.name = name;
    g.services.resize(size_t(services));
    g.uses.resize(size_t(uses));
    g.sets.push_back(pods(name + "-1", count));
    return g;
  }
  static std::vector<AppGraph> several(int count) {
    std::vector<AppGraph> out;
    for (int i = 0; i < count; ++i)
      out.push_back(app(i < count / 2 ? "a" : "b", QString::number(i), i % 3, (i * 7) % 4, (i * 13) % 60));
    return out;
  }

 private slots:
  void cardsFlowInOrder() {
    const auto apps = several(40);
    AppLayout layout;
    layout.build(apps, 936);
    QCOMPARE(layout.cards().size(), apps.size());
    QCOMPARE(int(layout.bands().size()), 2);
    QCOMPARE(layout.bands()[0].apps, 20);
    for (size_t i = 0; i < apps.size(); ++i) {
      const QRectF r = layout.cards()[i].rect;
      QCOMPARE(layout.cards()[i].app, int(i));
      QVERIFY(r.left() >= 0 && r.right() <= 936);
      QVERIFY(r.height() >= planOf(apps[i]).size.height() - 0.01);
      for (size_t j = 0; j < i; ++j) QVERIFY(!layout.cards()[j].rect.intersects(r));
      for (auto& band : layout.bands()) QVERIFY(!band.head.intersects(r));
      if (i > 0) {
        const QRectF before = layout.cards()[i - 1].rect;
        QVERIFY(r.top() > before.top() || (r.top() == before.top() && r.left() > before.left()));
      }
      QCOMPARE(layout.cardAt(r.center()), int(i));
    }
    QCOMPARE(layout.cardAt({-5, 5}), -1);
    const QRectF middle = layout.cards()[20].rect;
    const auto [first, last] = layout.between(middle.top() + 1, middle.bottom() - 1);
    QVERIFY(first <= 20 && last > 20 && last - first < 10);
    const auto none = layout.between(layout.size().height() + 10, layout.size().height() + 20);
    QCOMPARE(none.first, none.second);
  }

  // A wider card than the window has is not lost.
  void narrowWindow() {
    AppLayout layout;
    layout.build({app("a", "x", 1, 1, 3)}, 100);
    QVERIFY(layout.size().width() >= layout.cards()[0].rect.width());
    layout.build({}, 100);
    QVERIFY(layout.cards().empty() && layout.bands().empty());
    QCOMPARE(layout.cardAt({5, 5}), -1);
  }

  void partsAreInTheirCard() {
    AppGraph g = app("a", "x", 9, 20, 5);
    g.ingresses.resize(2);
    g.routes = {{0, 0}};
    g.sets.push_back(pods("x-2", 300));
    const AppPlan plan = planOf(g);
    const QRectF card(QPointF(), plan.size);
    double last = 0;
    int more = 0;
    for (size_t i = 0; i < plan.boxes.size(); ++i) {
      const auto& box = plan.boxes[i];
      QVERIFY(card.contains(box.rect));
      QVERIFY(box.rect.left() >= last);  // columns, left to right
      last = box.rect.left();
      for (size_t j = 0; j < i; ++j) QVERIFY(!plan.boxes[j].rect.intersects(box.rect));
      if (box.what == AppBox::What::More) more += box.index;
    }
    // What has no room is counted.
    QCOMPARE(more, (9 - (app_card::kMaxRows - 1)) + (20 - (app_card::kMaxRows - 1)));
    QVERIFY(plan.find(AppBox::What::Ingress, 1));
    QVERIFY(!plan.find(AppBox::What::Service, 8));
  }

  void tilesFit_data() {
    QTest::addColumn<int>("count");
    for (int count : {0, 1, 10, 11, 40, 60, 61, 200, 700}) QTest::addRow("%d", count) << count;
  }
  void tilesFit() {
    QFETCH(int, count);
    AppGraph g = app("a", "x", 0, 0, count);
    const AppPlan plan = planOf(g);
    for (double scale : {1.0, 0.5, 1.7}) {
      const QRectF box = boxRect(QRectF(QPointF(31, 17), plan.size * scale), plan.boxes[0], scale);
      const TileGrid grid = setGrid(box, g.sets[0], scale);
      QVERIFY(grid.capacity >= count);
      for (int i = 0; i < count; ++i) QVERIFY2(box.adjusted(-1, -1, 1, 1).contains(grid.slot(i)), qPrintable(QString::number(i)));
    }
  }

  void tooManyForTiles() {
    AppGraph g = app("a", "x", 0, 0, 20000);
    const AppPlan plan = planOf(g);
    QCOMPARE(setGrid(plan.boxes[0].rect, g.sets[0], 1).capacity, 0);
    QVERIFY(plan.size.height() <= planOf(app("a", "x", 0, 0, 100)).size.height());
  }

  // One pod more or less rarely changes a card.
  void heightsAreFew() {
    QSet<double> heights;
    for (int count = 0; count <= 700; ++count) heights.insert(planOf(app("a", "x", 0, 0, count)).size.height());
    QVERIFY(heights.size() <= 5);
  }

  void fitShowsAll() {
    const auto apps = several(60);
    const QSizeF window(936, 700);
    const double scale = AppLayout::fitScale(apps, window, 0.1);
    QVERIFY(scale > 0.1 && scale < 1);
    AppLayout layout;
    layout.build(apps, window.width() / scale);
    QVERIFY(layout.size().height() * scale <= window.height() + 1);
    QCOMPARE(AppLayout::fitScale({apps[0]}, window, 0.1), 1.0);
    QCOMPARE(AppLayout::fitScale(several(5000), window, 0.1), 0.1);
  }
};

QTEST_GUILESS_MAIN(AppLayoutTest)
#include "app_layout_test.moc"
