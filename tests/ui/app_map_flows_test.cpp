// The application map: by mouse and keyboard, in a real window over a real engine with hollow nodes.
#include <QSignalSpy>
#include <QTest>

#include "tests/ui/harness.h"
#include "ui/appmap/app_map_page.h"
#include "ui/dialogs/deploy_dialog.h"

using namespace ph;
using namespace ph::ui;
using models::AppGraph;
using models::Subject;
using models::Tone;
using test::Harness;

namespace {

constexpr const char* kService = R"({"apiVersion":"v1","kind":"Service","metadata":{"name":"web"},"spec":{"selector":{"app":"web"},"ports":[{"port":80}]}})";
constexpr const char* kWay = R"({"apiVersion":"networking.k8s.io/v1","kind":"Ingress","metadata":{"name":"shop"},"spec":{"rules":[{"host":"shop.lab",
  "http":{"paths":[{"path":"/","pathType":"Prefix","backend":{"service":{"name":"web","port":{"number":80}}}}]}}]}})";
constexpr const char* kThree = R"({"spec":{"replicas":3}})";
constexpr const char* kTwo = R"({"spec":{"replicas":2}})";
constexpr const char* kUses = R"({"spec":{"template":{"spec":{"containers":[{"name":"main","image":"x:2","envFrom":[{"configMapRef":{"name":"settings"}}]}]}}}})";
constexpr const char* kSettings = R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"settings"},"data":{"a":"1"}})";

}  // namespace

class AppMapFlowsTest : public QObject {
  Q_OBJECT

  Harness h_;

  static QString app(const char* name) { return models::appKey("Deployment", "default", name); }
  AppMapPage* page() { return h_.window().appMap(); }
  AppMapView* map() { return page()->map(); }
  const AppGraph* graph(const char* name) { return page()->model()->app(app(name)); }
  QString said(const char* name) {
    auto* g = graph(name);
    return g ? g->headline : QString();
  }
  bool at(const QRectF& r) { return !r.isEmpty() && map()->rect().contains(r.center().toPoint()); }
  void click(const QRectF& r) { QTest::mouseClick(map(), Qt::LeftButton, {}, r.center().toPoint()); }
  // A point of the card that is on no part of it.
  QPoint head(const char* name) { return map()->cardRect(app(name)).topLeft().toPoint() + QPoint(60, 12); }
  Subject object(const char* group, const char* version, const char* kind, const char* plural, const char* name) {
    return models::ObjectRef{group, version, kind, plural, "default", name}.subject();
  }
  Subject settings() { return object("", "v1", "ConfigMap", "configmaps", "settings"); }

 private slots:
  void initTestCase() { QVERIFY2(h_.start().isEmpty(), "the window does not start"); }
  void cleanupTestCase() { h_.stop(); }

  void emptyAndTheWayIn() {
    QTest::keyClick(&h_.window(), Qt::Key_2, Qt::ControlModifier);
    QTRY_VERIFY(page()->isVisible());
    auto* first = page()->findChild<QPushButton*>("firstApp");
    QVERIFY(first);
    QTRY_VERIFY(first->isVisible());
    QTest::mouseClick(first, Qt::LeftButton);
    auto* dialog = h_.window().findChild<DeployDialog*>();
    QVERIFY(dialog && dialog->isVisible());
    dialog->reject();
    const QString problem = h_.hollow(2, "n");
    QVERIFY2(problem.isEmpty(), qPrintable(problem));
  }

  void anApplicationAppears() {
    QVERIFY(h_.apply("apps", "v1", "deployments", "default", test::deployment("web", 3)).isEmpty());
    QVERIFY(h_.apply("apps", "v1", "deployments", "default", test::deployment("api", 2)).isEmpty());
    QVERIFY(h_.apply("", "v1", "services", "default", kService).isEmpty());
    QVERIFY(h_.apply("networking.k8s.io", "v1", "ingresses", "default", kWay).isEmpty());
    QTRY_COMPARE_WITH_TIMEOUT(said("web"), QString("3 of 3 ready"), 20000);
    QTRY_VERIFY(graph("web")->ingresses.size() == 1);
    QCOMPARE(int(graph("web")->services.size()), 1);
    QCOMPARE(int(graph("web")->sets.size()), 1);
    QVERIFY(graph("web")->sets[0].box.name.startsWith("web-"));
    QCOMPARE(graph("web")->sets[0].pods, 3);
    QVERIFY(at(map()->cardRect(app("web"))) && at(map()->cardRect(app("api"))));
    // Left to right: the ingress, the service, the pods.
    const QRectF way = map()->partRect(object("networking.k8s.io", "v1", "Ingress", "ingresses", "shop"));
    const QRectF service = map()->partRect(object("", "v1", "Service", "services", "web"));
    const QRectF pod = map()->partRect({Subject::Kind::Pod, graph("web")->sets[0].tiles[0].pod});
    QVERIFY(at(way) && at(service) && at(pod));
    QVERIFY(way.right() < service.left() && service.right() < pod.left());
  }

  void hoverTellsAndClickSelects() {
    const QString pod = graph("web")->sets[0].tiles[0].pod;
    const QRectF tile = map()->partRect({Subject::Kind::Pod, pod});
    QVERIFY(map()->describeAt(tile.center()).startsWith(pod.section('/', 1)));
    QVERIFY(map()->describeAt(head("web")).contains("3 of 3 ready"));
    click(tile);
    QCOMPARE(h_.window().selection(), (Subject{Subject::Kind::Pod, pod}));
    QTest::mouseClick(map(), Qt::LeftButton, {}, head("web"));
    QCOMPARE(h_.window().selection(), (Subject{Subject::Kind::App, app("web")}));
    const Subject service = object("", "v1", "Service", "services", "web");
    click(map()->partRect(service));
    QCOMPARE(h_.window().selection(), service);
    QTRY_VERIFY(h_.window().inspector()->isVisible());
    // Beside everything there is nothing.
    QTest::mouseClick(map(), Qt::LeftButton, {}, map()->rect().bottomLeft() + QPoint(4, -4));
    QVERIFY(!h_.window().selection());
  }

  // What comes and goes is told for a while, where it happened.
  void changesAreTold() {
    QTRY_VERIFY_WITH_TIMEOUT(map()->news(app("api")).isEmpty(), 10000);
    QSignalSpy told(page()->model(), &models::AppMapModel::happened);
    auto picture = [&] { return map()->grab(map()->cardRect(app("api")).toRect()).toImage(); };
    const QImage before = picture();
    const QRectF place = map()->cardRect(app("api"));
    QVERIFY(h_.patch("apps", "v1", "deployments", "default", "api", kThree).isEmpty());
    QTRY_VERIFY_WITH_TIMEOUT(!told.isEmpty(), 10000);
    QVERIFY(map()->news(app("api")).contains("+1 pod"));
    QVERIFY(map()->news(app("web")).isEmpty());
    QTRY_COMPARE_WITH_TIMEOUT(said("api"), QString("3 of 3 ready"), 20000);
    QVERIFY(picture() != before);
    QVERIFY(h_.patch("apps", "v1", "deployments", "default", "api", kTwo).isEmpty());
    QTRY_VERIFY_WITH_TIMEOUT(map()->news(app("api")).contains(QString::fromUtf8("\u22121 pod")), 10000);
    QTRY_COMPARE_WITH_TIMEOUT(said("api"), QString("2 of 2 ready"), 20000);
    QTRY_VERIFY_WITH_TIMEOUT(map()->news(app("api")).isEmpty(), 10000);
    QCOMPARE(map()->cardRect(app("api")), place);  // it stands where it stood
  }

  void missingAndMended() {
    QVERIFY(h_.patch("apps", "v1", "deployments", "default", "web", kUses).isEmpty());
    QTRY_COMPARE_WITH_TIMEOUT(said("web"), QString("ConfigMap settings is missing"), 10000);
    QCOMPARE(graph("web")->tone, Tone::Error);
    QVERIFY(at(map()->partRect(settings())));
    QVERIFY(map()->describeAt(map()->partRect(settings()).center()).contains("missing"));
    const QImage before = map()->grab().toImage();
    QVERIFY(h_.apply("", "v1", "configmaps", "default", kSettings).isEmpty());
    QTRY_VERIFY_WITH_TIMEOUT(graph("web")->tone != Tone::Error, 10000);
    QTRY_COMPARE_WITH_TIMEOUT(said("web"), QString("3 of 3 ready"), 20000);
    QTRY_COMPARE(int(graph("web")->sets.size()), 1);
    QCOMPARE(graph("web")->olderSets, 1);
    QVERIFY(map()->grab().toImage() != before);
  }

  // What uses the same object is marked with it, and the view stays where it is.
  void sharedObjects() {
    QVERIFY(h_.patch("apps", "v1", "deployments", "default", "api", kUses).isEmpty());
    QTRY_VERIFY_WITH_TIMEOUT(graph("api")->uses.size() == 1, 10000);
    QTRY_COMPARE_WITH_TIMEOUT(int(graph("api")->sets.size()), 1, 20000);
    const QRectF api = map()->cardRect(app("api")), web = map()->cardRect(app("web"));
    QTRY_VERIFY_WITH_TIMEOUT(map()->news(app("web")).isEmpty(), 10000);
    auto picture = [&](const QRectF& r) { return map()->grab(r.toRect()).toImage(); };
    h_.window().select({});
    const QImage plain = picture(web);
    QVERIFY(map()->describeAt(map()->partRect(settings()).center()).contains("also part of 1 other"));
    click(map()->partRect(settings()));  // in the first of the two
    QCOMPARE(h_.window().selection(), settings());
    QCOMPARE(map()->cardRect(app("api")), api);
    QVERIFY(picture(web) != plain);
    h_.window().select({});
  }

  void zoomAndBack() {
    const double before = map()->scale();
    QTest::mouseDClick(map(), Qt::LeftButton, {}, head("web"));
    QVERIFY(map()->scale() >= before);
    QVERIFY(map()->rect().adjusted(-1, -1, 1, 1).contains(map()->cardRect(app("web")).toRect()));
    map()->zoomBy(0.2);
    QVERIFY(map()->scale() < before);
    map()->setFocus();
    QTest::keyClick(map(), Qt::Key_Escape);  // the selection first
    QTest::keyClick(map(), Qt::Key_Escape);
    QTest::keyClick(map(), Qt::Key_0);
    QCOMPARE(map()->scale(), before);
    // Dragging pans and selects nothing.
    h_.window().select({});
    map()->zoomBy(2.5);
    const QRectF was = map()->cardRect(app("api"));
    QTest::mousePress(map(), Qt::LeftButton, {}, QPoint(400, 300));
    for (int i = 1; i <= 5; ++i) QTest::mouseMove(map(), QPoint(400 - 12 * i, 300));
    QTest::mouseRelease(map(), Qt::LeftButton, {}, QPoint(340, 300));
    QVERIFY(map()->cardRect(app("api")).left() < was.left());
    QVERIFY(!h_.window().selection());
    map()->fit();
  }

  void byKeyboard() {
    h_.window().select({});
    h_.window().activateWindow();  // after the dialog of before
    QVERIFY(QTest::qWaitForWindowActive(&h_.window()));
    map()->setFocus(Qt::TabFocusReason);
    QVERIFY(map()->hasFocus());
    for (int i = 0; i < 6; ++i) QTest::keyClick(map(), i % 2 ? Qt::Key_Up : Qt::Key_Left);
    QTest::keyClick(map(), Qt::Key_Return);
    QCOMPARE(h_.window().selection(), (Subject{Subject::Kind::App, app("api")}));  // the first
    QTest::keyClick(map(), Qt::Key_Down);
    QTest::keyClick(map(), Qt::Key_Right);
    QTest::keyClick(map(), Qt::Key_Return);
    QCOMPARE(h_.window().selection(), (Subject{Subject::Kind::App, app("web")}));
    QVERIFY(map()->accessibleDescription().startsWith("web"));
    QTest::keyClick(map(), Qt::Key_Return);  // inside: the first part is what leads in
    QCOMPARE(h_.window().selection(), object("networking.k8s.io", "v1", "Ingress", "ingresses", "shop"));
    QTest::keyClick(map(), Qt::Key_Right);
    QCOMPARE(h_.window().selection(), object("", "v1", "Service", "services", "web"));
    QTest::keyClick(map(), Qt::Key_Right);
    QVERIFY(h_.window().selection().kind == Subject::Kind::Pod || h_.window().selection().key.contains("ReplicaSet"));
    QTest::keyClick(map(), Qt::Key_Escape);
    QCOMPARE(h_.window().selection(), (Subject{Subject::Kind::App, app("web")}));
    QTest::keyClick(map(), Qt::Key_Escape);
    QVERIFY(!h_.window().selection());
  }

  void filterDims() {
    map()->fit();
    QTRY_VERIFY_WITH_TIMEOUT(map()->news(app("web")).isEmpty(), 10000);
    auto picture = [&] { return map()->grab(map()->cardRect(app("web")).toRect()).toImage(); };
    const QImage whole = picture();
    QTest::keyClick(map(), Qt::Key_F, Qt::ControlModifier);
    QTRY_VERIFY(page()->filter()->hasFocus());
    QTest::keyClicks(page()->filter(), "api");
    QVERIFY(graph("api")->fits && !graph("web")->fits);
    QVERIFY(picture() != whole);
    QTest::keyClick(page()->filter(), Qt::Key_Escape);
    QVERIFY(map()->hasFocus());
    QCOMPARE(picture(), whole);
  }

  void offlineSaysSo() {
    h_.session().state.setLink(models::Link::Offline, "gone");
    QVERIFY(graph("web"));
    bool told = false;
    for (auto* l : page()->findChildren<QLabel*>()) told |= l->isVisible() && l->text().startsWith("The engine does not answer");
    QVERIFY(told);
    h_.session().state.setLink(models::Link::Live);
  }
};

QTEST_MAIN(AppMapFlowsTest)
#include "app_map_flows_test.moc"
