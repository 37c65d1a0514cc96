// The ten steps, why here, why pending, and the map's groups and filter: by mouse and keyboard, in a real window over a
// real engine with hollow nodes.
#include <QMenu>
#include <QTabBar>
#include <QTest>

#include "tests/ui/harness.h"

using namespace ph;
using namespace ph::ui;
using models::DecisionModel;
using models::Step;
using models::StepsModel;
using models::Subject;
using test::Harness;

class InsightFlowsTest : public QObject {
  Q_OBJECT

  Harness h_;

  static QString app(const char* name) { return models::appKey("Deployment", "default", name); }
  MapView* map() { return h_.window().fleet()->map(); }
  Inspector* inspector() { return h_.window().inspector(); }
  QString podOf(const char* name) { return StepsModel::podsOf(h_.session().state, {Subject::Kind::App, app(name)}).value(0); }
  int ready(const char* name) {
    auto* w = h_.session().state.workload(app(name));
    return w ? w->ready : -1;
  }
  // A click on the inspector's tab of this name.
  bool openTab(const QString& name) {
    auto* tabs = inspector()->findChild<QTabBar*>();
    for (int i = 0; i < tabs->count(); ++i) {
      if (tabs->tabText(i) != name) continue;
      QTest::mouseClick(tabs, Qt::LeftButton, {}, tabs->tabRect(i).center());
      return tabs->currentIndex() == i;
    }
    return false;
  }
  bool label(const char* node, const std::string& rack) {
    const std::string patch = "{\"metadata\":{\"labels\":{\"lab/rack\":\"" + rack + "\"}}}";
    return h_.patch("", "v1", "nodes", "", node, patch).isEmpty();
  }
  bool close(const QString& node, bool closed) {
    const std::string patch = std::string("{\"spec\":{\"unschedulable\":") + (closed ? "true}}" : "null}}");
    return h_.patch("", "v1", "nodes", "", node.toStdString(), patch).isEmpty();
  }
  bool scaleTo(int replicas) {
    const std::string patch = "{\"spec\":{\"replicas\":" + std::to_string(replicas) + "}}";
    return h_.patch("apps", "v1", "deployments", "default", "web", patch).isEmpty();
  }
  bool deploy(const char* name, int replicas, const std::string& requests = {}) {
    return h_.apply("apps", "v1", "deployments", "default", test::deployment(name, replicas, requests)).isEmpty();
  }
  QImage pictureOf(const QString& machine) {
    return map()->grab(map()->cardRect(machine).adjusted(-3, -3, 3, 3).toAlignedRect()).toImage();
  }

 private slots:
  void initTestCase() {
    QVERIFY2(h_.start().isEmpty(), "the window does not start");
    const QString problem = h_.hollow(3, "n");
    QVERIFY2(problem.isEmpty(), qPrintable(problem));
  }
  void cleanupTestCase() { h_.stop(); }

  void theStepsOfAPod() {
    QVERIFY(deploy("web", 2));
    QTRY_COMPARE_WITH_TIMEOUT(ready("web"), 2, 20000);
    h_.window().select({Subject::Kind::Pod, podOf("web")});
    QVERIFY(openTab("Steps"));
    auto* page = inspector()->stepsPage();
    QTRY_VERIFY(page->isVisible());
    QTRY_VERIFY_WITH_TIMEOUT(page->model()->complete(), 10000);
    double last = 0;
    for (auto& s : page->model()->steps()) {
      QCOMPARE(s.state, Step::State::Done);
      QVERIFY(!s.name.isEmpty() && !s.who.isEmpty() && !s.what.isEmpty());
      QVERIFY(s.at >= last && s.from == last);
      last = s.at;
    }
    QCOMPARE(page->model()->cause(), QString("Deployment web made"));
    QVERIFY(page->model()->summary(0).startsWith("In service "));
    // Bars: one after the other, to one scale, inside the page.
    double right = 0;
    for (int i = 1; i < StepsModel::kSteps; ++i) {
      const QRectF bar = page->view()->barRect(i);
      QVERIFY(bar.width() >= 2 && bar.right() <= page->view()->width());
      QVERIFY(bar.right() >= right - 2.5);
      right = bar.right();
    }
    // Each step can be read by keyboard.
    page->view()->setFocus();
    const QString first = page->view()->accessibleDescription();
    QTest::keyClick(page->view(), Qt::Key_Down);
    QVERIFY(page->view()->accessibleDescription() != first);
    QVERIFY(page->view()->accessibleDescription().contains("Written down"));
  }

  void theStepsOfAnApplicationAreItsNewestPods() {
    h_.window().select({Subject::Kind::App, app("web")});
    QVERIFY(openTab("Steps"));
    auto* page = inspector()->stepsPage();
    QTRY_COMPARE(page->which()->count(), 2);
    QCOMPARE(page->model()->pod(), podOf("web"));
    // One is chosen, and stays chosen when a newer comes.
    page->which()->setFocus();
    QTest::keyClick(page->which(), Qt::Key_Down);
    const QString chosen = page->which()->currentData().toString();
    QCOMPARE(page->model()->pod(), chosen);
    QVERIFY(scaleTo(3));
    QTRY_COMPARE(page->which()->count(), 3);
    QCOMPARE(page->model()->pod(), chosen);
    // Who looks at the newest goes on with the newest, live.
    page->which()->setCurrentIndex(0);
    QVERIFY(scaleTo(4));
    QTRY_COMPARE(page->which()->count(), 4);
    QTRY_COMPARE(page->model()->pod(), podOf("web"));
    QTRY_VERIFY_WITH_TIMEOUT(page->model()->complete(), 15000);
    QTRY_COMPARE_WITH_TIMEOUT(ready("web"), 4, 15000);
  }

  void whyHere() {
    const QString pod = podOf("web");
    h_.window().select({Subject::Kind::Pod, pod});
    QVERIFY(openTab("Why here"));
    auto* page = inspector()->decisionPage();
    auto& model = *page->model();
    QTRY_COMPARE_WITH_TIMEOUT(model.state(), DecisionModel::State::Ready, 10000);
    QCOMPARE(model.node(), h_.session().state.pod(pod)->node);
    QCOMPARE(int(model.rows().size()), 3);
    QCOMPARE(model.fitting(), 3);
    QVERIFY(model.summary().contains(model.node()));
    // A row under the mouse rings its machine on the map.
    const QString node = model.rows()[1].node;
    const QImage before = pictureOf(node);
    auto* view = page->matrix()->viewport();
    QTest::mouseMove(view, page->matrix()->rowRect(0).center().toPoint());
    QTest::mouseMove(view, page->matrix()->rowRect(1).center().toPoint());
    QTRY_VERIFY(pictureOf(node) != before);
    QVERIFY(page->matrix()->tipAt(page->matrix()->cellRect(1, 0).center().toPoint()).contains(model.rules()[0].what));
    // By keyboard: along the rows, and into the machine.
    page->matrix()->setFocus(Qt::TabFocusReason);
    QTest::keyClick(page->matrix(), Qt::Key_Home);
    QTest::keyClick(page->matrix(), Qt::Key_Down);
    QCOMPARE(page->matrix()->current(), 1);
    QVERIFY(page->matrix()->accessibleDescription().contains(node));
    QTest::keyClick(page->matrix(), Qt::Key_Return);
    QCOMPARE(h_.window().selection(), (Subject{Subject::Kind::Machine, node}));
    QTRY_COMPARE(pictureOf(model.rows().empty() ? "n-0" : node).isNull(), false);
  }

  void whyPendingAndWhatWouldHelp() {
    // All machines closed: the smallest change is to open one, and that is a button.
    QStringList nodes;
    for (auto& [name, node] : h_.session().state.nodes()) nodes << name;
    for (auto& name : nodes)
      QVERIFY(close(name, true));
    QVERIFY(deploy("late", 1));
    QTRY_VERIFY(!podOf("late").isEmpty());
    h_.window().select({Subject::Kind::Pod, podOf("late")});
    QVERIFY(openTab("Why pending"));
    auto* page = inspector()->decisionPage();
    auto& model = *page->model();
    QTRY_VERIFY2_WITH_TIMEOUT(!model.remedy().uncordon.isEmpty(), qPrintable(model.summary() + " " + model.remedy().text), 10000);
    QVERIFY2(model.summary().contains("takes no new pods"), qPrintable(model.summary()));
    QCOMPARE(model.fitting(), 0);
    for (auto& row : model.rows()) QCOMPARE(row.why, QString("takes no new pods"));
    auto* button = page->findChild<QPushButton*>("uncordon");
    QVERIFY(button->isVisible());
    QTest::mouseClick(button, Qt::LeftButton);
    QTRY_COMPARE_WITH_TIMEOUT(ready("late"), 1, 20000);
    QTRY_VERIFY_WITH_TIMEOUT(!model.waits(), 10000);
    auto* tabs = inspector()->findChild<QTabBar*>();
    QTRY_COMPARE(tabs->tabText(tabs->currentIndex()), QString("Why here"));
    for (auto& name : nodes)
      QVERIFY(close(name, false));
  }

  void tooGreedyIsSaidWithItsCommand() {
    QVERIFY(deploy("greedy", 1, "\"cpu\":\"5000\""));
    QTRY_VERIFY(!podOf("greedy").isEmpty());
    h_.window().select({Subject::Kind::Pod, podOf("greedy")});
    QVERIFY(openTab("Why pending"));
    auto& model = *inspector()->decisionPage()->model();
    QTRY_VERIFY_WITH_TIMEOUT(model.remedy().text.startsWith("Ask for at most "), 10000);
    QVERIFY2(model.remedy().command.startsWith("kubectl set resources deployment/greedy --requests=cpu="),
             qPrintable(model.remedy().command));
    QVERIFY2(model.summary().contains("not enough cpu"), qPrintable(model.summary()));
    // While it is looked at, the machines that refuse it step back on the map.
    h_.window().fleet()->map()->setFocus();
    const QString node = model.rows()[0].node;
    const QImage refused = pictureOf(node);
    QVERIFY(openTab("Overview"));
    QTRY_VERIFY(pictureOf(node) != refused);
    QCOMPARE(h_.remove("apps", "v1", "deployments", "default", "greedy"), QString());
  }

  void theMapIsGroupedByALabel() {
    int i = 0;
    for (auto* node : {"n-0", "n-1", "n-2"}) {
      const std::string rack = i++ < 2 ? "a" : "b";
      QVERIFY(label(node, rack));
    }
    auto& map = h_.session().map;
    QTRY_VERIFY(map.groupingLabels().contains("lab/rack"));
    auto labelled = [&](const QString& node) {
      auto* n = h_.session().state.node(node);
      return n && std::any_of(n->labels.begin(), n->labels.end(), [](auto& l) { return l.first == u"lab/rack"; });
    };
    QTRY_VERIFY(labelled("n-0") && labelled("n-1") && labelled("n-2"));
    auto* menu = h_.window().fleet()->grouping()->menu();
    emit menu->aboutToShow();
    QAction* rack = nullptr;
    for (auto* a : menu->actions()) rack = a->data().toString() == u"lab/rack" ? a : rack;
    QVERIFY(rack);
    rack->trigger();
    QCOMPARE(map.groups().size(), 2u);
    QCOMPARE(map.groups()[0].name, QString("a"));
    QCOMPARE(int(map.groups()[0].places.size()), 2);
    QVERIFY(h_.window().fleet()->grouping()->text().contains("rack"));
    // A machine that gets another label moves to its group.
    QVERIFY(label("n-1", "b"));
    QTRY_COMPARE(int(map.groups()[1].places.size()), 2);
  }

  void theFilterDims() {
    auto* fleet = h_.window().fleet();
    h_.window().open(MainWindow::Fleet);
    QTest::keyClick(fleet, Qt::Key_F, Qt::ControlModifier);
    QTRY_VERIFY(fleet->filter()->hasFocus());
    const QImage before = pictureOf("n-2");
    const QRectF place = map()->cardRect("n-2");
    QTest::keyClicks(fleet->filter(), "rack=a");
    auto& model = h_.session().map;
    QVERIFY(model.filtering());
    QCOMPARE(model.fitting().machines, 1);
    QVERIFY(!model.card(model.cardIndex("n-2")).fits);
    QVERIFY(pictureOf("n-2") != before);
    QCOMPARE(map()->cardRect("n-2"), place);  // it steps back, and stays
    QTest::keyClick(fleet->filter(), Qt::Key_Escape);
    QVERIFY(!model.filtering() && map()->hasFocus());
  }
};

QTEST_MAIN(InsightFlowsTest)
#include "insight_flows_test.moc"
