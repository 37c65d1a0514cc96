// The window's flows, by mouse and keyboard, against a real engine with hollow agents: first machine with
// trust, select, zoom, pan, deploy, scale by hand, palette, power off, remove, close.
#include <signal.h>

#include <QAbstractButton>
#include <QLineEdit>
#include <QPlainTextEdit>
#include <QProcess>
#include <QSpinBox>
#include <QStackedWidget>
#include <QTemporaryDir>
#include <QTest>

#include "engine/runtime/engine.h"
#include "tests/support/fake_client.h"
#include "ui/dialogs/add_machine_dialog.h"
#include "ui/dialogs/ask.h"
#include "ui/dialogs/deploy_dialog.h"
#include "ui/shell/command_palette.h"
#include "ui/shell/main_window.h"
#include "ui/theme/translations.h"

using namespace ph;
using namespace ph::ui;
using models::CardState;
using models::PodState;
using models::Subject;

namespace {

// A client whose log streams the test feeds by hand.
class LogClient : public test::FakeClient {
 public:
  using FakeClient::FakeClient;
  std::shared_ptr<void> raw(std::string, std::string path, std::string, std::string,
                            std::function<void(std::string_view)> onData,
                            client::Callback<std::string> done) override {
    paths.push_back(path);
    data = std::move(onData);
    end = std::move(done);
    return std::make_shared<int>(0);
  }
  std::vector<std::string> paths;
  std::function<void(std::string_view)> data;
  client::Callback<std::string> end;
};

}  // namespace

class FlowsTest : public QObject {
  Q_OBJECT

  QTemporaryDir dir_;
  std::unique_ptr<runtime::Engine> engine_;
  std::unique_ptr<models::Session> session_;
  std::unique_ptr<MainWindow> window_;
  QProcess most_, solo_;

  MapView* map() { return window_->fleet()->map(); }
  static QString app() { return models::appKey("Deployment", "default", "shop-web"); }

  int podsIn(PodState state) {
    int n = 0;
    for (auto& key : session_->state.podsOfApp(app())) n += session_->state.pod(key)->state == state;
    return n;
  }

  // One write, as somebody else than the window would do it.
  void write(client::Write w) {
    bool done = false, ok = false;
    std::string problem;
    engine_->client()->write(std::move(w), [&](Result<client::ObjectPtr> r) {
      ok = r.ok();
      if (!ok) problem = r.status().message;
      done = true;
    });
    QTRY_VERIFY(done);
    QVERIFY2(ok, problem.c_str());
  }
  void machineStatus(const char* name, const QString& json) {
    client::Write w;
    w.verb = client::Verb::Patch;
    w.info = engine_->client()->registry().find("fleet.pilothouse.io", "v1", "machines");
    w.name = name;
    w.subresource = "status";
    w.body = QString("{\"status\":%1}").arg(json).toStdString();
    write(std::move(w));
  }
  template <class T>
  T* dialog() {
    for (auto* w : QApplication::topLevelWidgets()) {
      if (auto* d = qobject_cast<T*>(w); d && d->isVisible()) return d;
    }
    return nullptr;
  }
  void click(QWidget* w) { QTest::mouseClick(w, Qt::LeftButton); }
  QPushButton* buttonNamed(QWidget* in, const QString& text) {
    for (auto* b : in->findChildren<QPushButton*>()) {
      if (b->text() == text && b->isVisible()) return b;
    }
    return nullptr;
  }
  void startHollow(QProcess& process, int n, const QString& prefix) {
    process.setProcessChannelMode(QProcess::MergedChannels);
    process.start(
        QStringLiteral(PH_BIN_DIR) + "/pilothouse-agent",
        {"--hollow", QString::number(n), "--kubeconfig", QString::fromStdString(engine_->kubeconfig()),
         "--name-prefix", prefix + "-", "--lease-duration", "2s"});
    QVERIFY(process.waitForStarted());
  }

 private slots:
  void initTestCase() {
    installTranslations(*qApp);
    Theme::get().setMotion(false);
    Theme::get().setMode(Theme::Mode::Dark);
    runtime::Options options;
    options.dataDir = dir_.path().toStdString();
    options.listen = "127.0.0.1:0";
    options.nodeGrace = std::chrono::seconds(3);
    options.fleet = false;  // the test plays the machines
    auto engine = runtime::Engine::start(options);
    QVERIFY2(engine.ok(), engine.ok() ? "" : engine.status().message.c_str());
    engine_ = std::move(*engine);
    session_ = std::make_unique<models::Session>();
    session_->connectTo(engine_->client(), engine_->executor());
    window_ = std::make_unique<MainWindow>(session_.get());
    window_->show();
    QVERIFY(QTest::qWaitForWindowExposed(window_.get()));
    QTRY_COMPARE(session_->state.link(), models::Link::Live);
  }

  void cleanupTestCase() {
    for (auto* p : {&most_, &solo_}) {
      if (p->state() == QProcess::NotRunning) continue;
      p->kill();
      p->waitForFinished();
    }
    window_.reset();
    session_.reset();
    engine_.reset();
  }

  void theFirstMachine() {
    auto* first = window_->findChild<QPushButton*>("firstMachine");
    QTRY_VERIFY(first && first->isVisible());
    click(first);
    QTRY_VERIFY(dialog<AddMachineDialog>());
    auto* add = dialog<AddMachineDialog>();
    auto* submit = add->findChild<QPushButton*>("submit");
    click(submit);  // nothing typed: said at the field
    QVERIFY(!add->findChild<Form*>()->problemOf("address").isEmpty());
    auto* address = add->findChild<QLineEdit*>("address");
    QTest::keyClicks(address, "10.77.0.9");
    QTest::keyClicks(add->findChild<QLineEdit*>("zone"), "shelf");
    QTest::keyClicks(add->findChild<QLineEdit*>("machineName"), "pi-9");
    QVERIFY(add->findChild<Form*>()->problemOf("address").isEmpty());
    QTest::keyClick(address, Qt::Key_Return);
    QTRY_VERIFY(session_->state.machine("pi-9"));
    QCOMPARE(session_->state.machine("pi-9")->address, QString("10.77.0.9"));
    QVERIFY(address->text().isEmpty());  // ready for the next one
    QTRY_COMPARE(session_->map.card(session_->map.cardIndex("pi-9")).group, QString("shelf"));

    // It shows a key that nobody trusts yet; the window asks, and a click trusts exactly what was shown.
    machineStatus("pi-9",
                  "{\"phase\":\"Untrusted\",\"hostKey\":\"SHA256:uNiVztksCsDhcc0u9e8BgrJXVGDQ0hCTNLH3vuqTCEg\",\"hostKeyType\":\"ssh-ed25519\"}");
    auto* row = add->row("pi-9");
    QVERIFY(row);
    QTRY_VERIFY(row->trustButton()->isVisible());
    QCOMPARE(session_->map.card(session_->map.cardIndex("pi-9")).state, CardState::NeedsTrust);
    click(row->trustButton());
    QTRY_COMPARE(session_->state.machine("pi-9")->trustedHostKey, QString("SHA256:uNiVztksCsDhcc0u9e8BgrJXVGDQ0hCTNLH3vuqTCEg"));
    machineStatus("pi-9",
                  "{\"phase\":\"Installing\",\"progress\":{\"step\":\"Uploading the agent\",\"percent\":40},"
                  "\"findings\":[{\"name\":\"Disk\",\"severity\":\"Warning\",\"message\":\"little "
                  "room\",\"fix\":\"make some\"}]}");
    QTRY_COMPARE(session_->map.card(session_->map.cardIndex("pi-9")).percent, 40);
    QTRY_VERIFY(!row->trustButton()->isVisible());
    QTRY_VERIFY(row->findChildren<QLabel*>().size() > 2);

    // A second one of the same name is refused before it is asked for.
    QTest::keyClicks(address, "10.77.0.10");
    QTest::keyClicks(add->findChild<QLineEdit*>("machineName"), "pi-9");
    click(submit);
    QVERIFY(add->findChild<Form*>()->problemOf("name").contains("already"));
    click(buttonNamed(add, "Close"));
    QTRY_VERIFY(!dialog<AddMachineDialog>());

    // A host that shows another key than the trusted one is never trusted by a click.
    machineStatus(
        "pi-9", "{\"phase\":\"Untrusted\",\"hostKey\":\"SHA256:AAAAztksCsDhcc0u9e8BgrJXVGDQ0hCTNLH3vuqTCEg\",\"message\":\"the host key changed\"}");
    window_->select({Subject::Kind::Machine, "pi-9"});
    QTRY_COMPARE(session_->map.card(session_->map.cardIndex("pi-9")).state, CardState::Failed);
    QTRY_VERIFY(buttonNamed(window_->inspector(), "Remove…"));
    QVERIFY(!buttonNamed(window_->inspector(), "Trust this key"));

    click(buttonNamed(window_->inspector(), "Remove…"));
    QTRY_VERIFY(dialog<AskDialog>());
    click(dialog<AskDialog>()->findChild<QPushButton*>("yes"));
    QTRY_VERIFY(!session_->state.machine("pi-9"));
    QTRY_VERIFY(first->isVisible());
    QVERIFY(!window_->selection());  // what is gone is not selected
  }

  void machinesAppear() {
    startHollow(most_, 4, "rack");
    startHollow(solo_, 1, "solo");
    QTRY_COMPARE_WITH_TIMEOUT(session_->state.health().machinesReady, 5, 20000);
    QCOMPARE(session_->map.machineCount(), 5);
    QTRY_VERIFY(!map()->cardRect("rack-0").isEmpty());
  }

  void selectZoomPan() {
    const QPoint at = map()->cardRect("rack-1").topLeft().toPoint() + QPoint(40, 20);
    QTest::mouseClick(map(), Qt::LeftButton, {}, at);
    QCOMPARE(window_->selection(), (Subject{Subject::Kind::Machine, "rack-1"}));
    QCOMPARE(window_->inspector()->subject(), window_->selection());

    const double before = map()->scale();
    QWheelEvent wheel(at, map()->mapToGlobal(at), {}, QPoint(0, 360), Qt::NoButton, Qt::NoModifier,
                      Qt::NoScrollPhase, false);
    QApplication::sendEvent(map(), &wheel);
    QVERIFY(map()->scale() > before * 1.5);
    const QRectF card = map()->cardRect("rack-1");
    QVERIFY(card.contains(at));  // what is under the pointer stays there
    QTest::mousePress(map(), Qt::LeftButton, {}, at);
    QTest::mouseMove(map(), at + QPoint(-30, 0));
    QTest::mouseMove(map(), at + QPoint(-60, 0));
    QTest::mouseRelease(map(), Qt::LeftButton, {}, at + QPoint(-60, 0));
    QVERIFY(map()->cardRect("rack-1").left() < card.left());
    QCOMPARE(window_->selection().key, QString("rack-1"));  // a drag selects nothing

    map()->setFocus();
    QTest::keyClick(map(), Qt::Key_0);
    QCOMPARE(map()->scale(), before);
    QTest::keyClick(map(), Qt::Key_Plus);
    QVERIFY(map()->scale() > before);
    QTest::keyClick(map(), Qt::Key_Escape);  // first the selection, then the zoom
    QVERIFY(!window_->selection());
    QTest::keyClick(map(), Qt::Key_Escape);
    QCOMPARE(map()->scale(), before);
    QTest::keyClick(map(), Qt::Key_Right);
    QTest::keyClick(map(), Qt::Key_Return);
    QCOMPARE(window_->selection().kind, Subject::Kind::Machine);
    QTest::mouseDClick(map(), Qt::LeftButton, {}, map()->cardRect("rack-0").center().toPoint());
    QVERIFY(map()->scale() > 2 * before);  // dives
    QTest::keyClick(map(), Qt::Key_0);
    QVERIFY(map()->describe({Subject::Kind::Machine, "rack-0"}).contains("room:"));
  }

  void deploy() {
    click(buttonNamed(window_->fleet(), "Deploy"));
    QTRY_VERIFY(dialog<DeployDialog>());
    auto* d = dialog<DeployDialog>();
    auto* form = d->findChild<Form*>();
    auto* submit = d->findChild<QPushButton*>("submit");
    auto* name = d->findChild<QLineEdit*>("name");
    click(submit);
    QVERIFY(!form->problemOf("image").isEmpty());
    QTest::keyClicks(d->findChild<QLineEdit*>("image"), "shop/shop-web:2.4");
    QCOMPARE(name->text(), QString("shop-web"));  // follows the image until somebody types one
    name->selectAll();
    QTest::keyClicks(name, "Shop Web");
    QVERIFY(!form->problemOf("name").isEmpty());
    name->selectAll();
    QTest::keyClicks(name, "shop-web");
    QVERIFY(form->problemOf("name").isEmpty());
    QTest::keyClicks(d->findChild<QLineEdit*>("ports"), "80:8080");
    d->findChild<QPlainTextEdit*>("env")->setPlainText("GREETING=hello");
    QTest::keyClicks(d->findChild<QLineEdit*>("cpu"), "lots");
    QVERIFY(!form->problemOf("cpu").isEmpty());
    d->findChild<QLineEdit*>("cpu")->setText("100m");
    QVERIFY(d->manifest().contains("replicas: 3"));
    QVERIFY(d->manifest().contains("kind: Service"));
    QVERIFY(d->manifest().contains("value: hello"));
    QVERIFY(d->manifest().contains("cpu: 100m"));
    click(submit);
    QTRY_VERIFY(!dialog<DeployDialog>());
    QTRY_COMPARE_WITH_TIMEOUT(podsIn(PodState::Ready), 3, 20000);
    QTRY_COMPARE(window_->selection(), (Subject{Subject::Kind::App, app()}));
    QTRY_VERIFY(session_->state.serviceOfApp(app()));
    const QString pod = *session_->state.podsOfApp(app()).begin();
    QVERIFY(!map()->tileRect(pod).isEmpty());
    QTest::mouseClick(map(), Qt::LeftButton, {}, map()->tileRect(pod).center().toPoint());
    QCOMPARE(window_->selection(), (Subject{Subject::Kind::Pod, pod}));

    // The same name again is said at the field, before anything is sent.
    window_->deploy();
    QTRY_VERIFY(dialog<DeployDialog>());
    d = dialog<DeployDialog>();
    d->findChild<QLineEdit*>("image")->setText("x");
    d->findChild<QLineEdit*>("name")->setText("shop-web");
    click(d->findChild<QPushButton*>("submit"));
    QVERIFY(d->findChild<Form*>()->problemOf("name").contains("already"));
    click(buttonNamed(d, "Cancel"));
  }

  void scaleByHand() {
    window_->select({Subject::Kind::App, app()});
    auto* handle = window_->inspector()->appOverview()->handle();
    QTRY_VERIFY(handle->isVisible() && handle->width() > 100);
    QTest::mousePress(handle, Qt::LeftButton, {}, handle->knob(3).toPoint());
    QTest::mouseMove(handle, handle->knob(5).toPoint());
    QTest::mouseMove(handle, handle->knob(6).toPoint());
    QCOMPARE(session_->scale.target(), 6);
    int ghosts = 0;
    for (auto& card : session_->map.cards()) ghosts += card.ghosts;
    QCOMPARE(ghosts, 3);
    QVERIFY(session_->scale.hint().contains("Release"));
    QCOMPARE(session_->state.workload(app())->wanted, 3);  // nothing is done before the release
    QTest::mouseRelease(handle, Qt::LeftButton, {}, handle->knob(6).toPoint());
    QTRY_COMPARE(session_->state.workload(app())->wanted, 6);
    QTRY_COMPARE_WITH_TIMEOUT(podsIn(PodState::Ready), 6, 20000);

    // By keys: tried, let go, nothing happened; then applied.
    handle->setFocus();
    QTest::keyClick(handle, Qt::Key_Right);
    QCOMPARE(session_->scale.target(), 7);
    QTest::keyClick(handle, Qt::Key_Escape);
    QVERIFY(!session_->scale.active());
    QTest::keyClick(handle, Qt::Key_Left);
    QTest::keyClick(handle, Qt::Key_Return);
    QTRY_COMPARE(session_->state.workload(app())->wanted, 5);

    // On the legend: sideways.
    auto* legend = window_->fleet()->legend();
    const QPoint from = legend->itemRect(app()).center();
    QTest::mousePress(legend, Qt::LeftButton, {}, from);
    QTest::mouseMove(legend, from + QPoint(12, 0));
    QTest::mouseMove(legend, from + QPoint(LegendBar::kPixelsPerCopy, 0));
    QCOMPARE(session_->scale.target(), 6);
    QTest::mouseRelease(legend, Qt::LeftButton, {}, from + QPoint(LegendBar::kPixelsPerCopy, 0));
    QTRY_COMPARE(session_->state.workload(app())->wanted, 6);
    QTRY_COMPARE_WITH_TIMEOUT(podsIn(PodState::Ready), 6, 20000);
  }

  void palette() {
    window_->activateWindow();  // shortcuts belong to the active window
    QVERIFY(QTest::qWaitForWindowActive(window_.get()));
    QTest::keyClick(window_.get(), Qt::Key_K, Qt::ControlModifier);
    QTRY_VERIFY(dialog<CommandPalette>());
    auto* field = dialog<CommandPalette>()->findChild<QLineEdit*>();
    QTest::keyClicks(field, "rack-3");
    QTest::keyClick(field, Qt::Key_Return);
    QTRY_VERIFY(!dialog<CommandPalette>());
    QCOMPARE(window_->selection(), (Subject{Subject::Kind::Machine, "rack-3"}));
  }

  void cordon() {
    click(buttonNamed(window_->inspector(), "Keep new pods off"));
    QTRY_VERIFY(session_->state.node("rack-3")->cordoned);
    QTRY_VERIFY(buttonNamed(window_->inspector(), "Take new pods"));
    click(buttonNamed(window_->inspector(), "Take new pods"));
    QTRY_VERIFY(!session_->state.node("rack-3")->cordoned);
  }

  void powerOff() {
    const int before = int(session_->state.podsOnNode("solo-0").size());
    solo_.kill();
    solo_.waitForFinished();
    QTRY_COMPARE_WITH_TIMEOUT(session_->map.card(session_->map.cardIndex("solo-0")).state, CardState::Lost,
                              15000);
    QTRY_VERIFY(session_->now.index(0).data().toString().contains("solo-0"));
    QVERIFY(before > 0);
    // Its pods come up elsewhere.
    auto elsewhere = [&] {
      int n = 0;
      for (auto& key : session_->state.podsOfApp(app())) {
        auto* p = session_->state.pod(key);
        n += p->state == PodState::Ready && p->node != u"solo-0";
      }
      return n;
    };
    QTRY_COMPARE_WITH_TIMEOUT(elsewhere(), 6, 30000);
  }

  void logsAreFollowed() {
    auto fake = std::make_shared<LogClient>(engine_->executor());
    models::LogModel log;
    log.follow(fake, {{"default/web-1", "web", {}}});
    QCOMPARE(fake->paths.size(), 1u);
    QVERIFY(fake->paths[0].find("/api/v1/namespaces/default/pods/web-1/log?follow=true") == 0);
    QVERIFY(log.live());
    fake->data("one\ntwo\nthr");
    QTRY_COMPARE(log.rowCount(), 2);
    fake->data("ee\n");
    QTRY_COMPARE(log.rowCount(), 3);
    QCOMPARE(log.index(2).data().toString(), QString("three"));
    fake->data("no newline at the end");
    fake->end(Result<std::string>(Status::unavailable("the machine went away")));
    QTRY_COMPARE(log.rowCount(), 4);
    QTRY_VERIFY(!log.live());
    QCOMPARE(log.problem(), QString("the machine went away"));
  }

  void aRefusalIsSaidWhereOneIs() {
    QString problem;
    QObject scope;  // the connection ends with this function, as `problem` does
    connect(&session_->actions, &models::Actions::finished, &scope,
            [&](const QString&, const QString&, bool ok, const QString& what) {
              problem = ok ? QString() : what;
            });
    session_->actions.scale(models::appKey("Deployment", "default", "no-such"), 2);
    QTRY_VERIFY2(problem.contains("not found"), qPrintable(problem));
  }

  void removeTheApplication() {
    window_->select({Subject::Kind::App, app()});
    QTRY_VERIFY(buttonNamed(window_->inspector(), "Remove…"));
    click(buttonNamed(window_->inspector(), "Remove…"));
    QTRY_VERIFY(dialog<AskDialog>());
    QTest::keyClick(dialog<AskDialog>(), Qt::Key_Return);  // the safe answer has the focus
    QTRY_VERIFY(!dialog<AskDialog>());
    QVERIFY(session_->state.workload(app()));
    click(buttonNamed(window_->inspector(), "Remove…"));
    QTRY_VERIFY(dialog<AskDialog>());
    click(dialog<AskDialog>()->findChild<QPushButton*>("yes"));
    QTRY_VERIFY(!session_->state.workload(app()));
    QTRY_VERIFY(!session_->state.serviceOfApp(app()));
  }

  void closingSaysWhatGoesOn() {
    window_->close();
    QTRY_VERIFY(dialog<AskDialog>());
    QVERIFY(window_->isVisible());
    QString all;
    for (auto* l : dialog<AskDialog>()->findChildren<QLabel*>()) all += l->text() + '\n';
    QVERIFY(all.contains("Goes on") && all.contains("Stops"));
    click(dialog<AskDialog>()->findChild<QPushButton*>("no"));
    QTRY_VERIFY(!dialog<AskDialog>());
    QVERIFY(window_->isVisible());
    window_->close();
    QTRY_VERIFY(dialog<AskDialog>());
    click(dialog<AskDialog>()->findChild<QPushButton*>("yes"));
    QTRY_VERIFY(!window_->isVisible());
  }
};

QTEST_MAIN(FlowsTest)
#include "flows_test.moc"
