// Steering by hand, by mouse and keyboard, against a real engine with hollow agents: another image, pause, undo; what
// if a machine goes, drain it, take it back; manifests that are dropped; machines by the dozen; forms of objects; the
// palette.
#include <QAbstractItemModelTester>
#include <QDropEvent>
#include <QFile>
#include <QMenu>
#include <QMimeData>
#include <QTemporaryDir>
#include <QTest>

#include "tests/ui/harness.h"
#include "tests/ui/pictures.h"
#include "ui/dialogs/add_machine_dialog.h"
#include "ui/dialogs/apply_dialog.h"
#include "ui/dialogs/ask.h"
#include "ui/dialogs/deploy_dialog.h"
#include "ui/dialogs/drain_dialog.h"
#include "ui/dialogs/object_dialog.h"
#include "ui/dialogs/rollout_dialogs.h"
#include "ui/shell/command_palette.h"

using namespace ph;
using namespace ph::ui;
using models::DrainModel;
using models::PodState;
using models::Subject;
using What = models::ApplyRow::What;

class SteerFlowsTest : public QObject {
  Q_OBJECT

  test::Harness h_;
  QTemporaryDir files_;
  QString said_;  // the last notice's command

  models::Session& session() { return h_.session(); }
  models::ClusterState& state() { return h_.session().state; }
  static QString app(const char* name) { return models::appKey("Deployment", "default", name); }
  const models::WorkloadFacts* web() { return state().workload(app("web")); }
  static void click(QWidget* w) { QTest::mouseClick(w, Qt::LeftButton); }
  template <class T>
  static T* dialog() {
    for (auto* w : QApplication::topLevelWidgets()) {
      if (auto* d = qobject_cast<T*>(w); d && d->isVisible()) return d;
    }
    return nullptr;
  }
  static QPushButton* buttonNamed(QWidget* in, const QString& text) {
    for (auto* b : in->findChildren<QPushButton*>()) {
      if (b->text() == text && b->isVisible()) return b;
    }
    return nullptr;
  }
  bool rolledOut(const QString& image, int copies) {
    auto* w = web();
    if (!w || !models::rolloutState(*w).done || w->wanted != copies || w->images != QStringList{image}) return false;
    return w->ready == copies;
  }
  QString file(const QString& name, const QByteArray& text) {
    QFile f(files_.filePath(name));
    if (!f.open(QIODevice::WriteOnly)) return {};
    f.write(text);
    return f.fileName();
  }
  // As a file manager drops.
  void drop(const QStringList& paths) {
    QMimeData data;
    QList<QUrl> urls;
    for (auto& p : paths) urls << QUrl::fromLocalFile(p);
    data.setUrls(urls);
    QDragEnterEvent enter(QPoint(300, 300), Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
    QApplication::sendEvent(&h_.window(), &enter);
    dropTaken_ = enter.isAccepted();
    QDropEvent event(QPointF(300, 300), Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
    QApplication::sendEvent(&h_.window(), &event);
  }
  bool dropTaken_ = false;
  static void picture(QWidget* w, const char* name) {
    const QString problem = test::savePictures(*w, QLatin1String(name));
    QVERIFY2(problem.isEmpty(), qPrintable(problem));
  }
  static What whatOf(ApplyDialog* d, const QString& name) {
    for (int i = 0; i < d->model()->rowCount(); ++i) {
      if (d->model()->index(i).data().toString() == name) return d->model()->row(i).what;
    }
    return What::Checking;
  }
  void palette(const QString& words) {
    h_.window().palette();
    QTRY_VERIFY(dialog<CommandPalette>());
    auto* field = dialog<CommandPalette>()->findChild<QLineEdit*>();
    auto* list = dialog<CommandPalette>()->findChild<QListView*>();
    QTest::keyClicks(field, words);
    // What had to be asked for comes a moment later.
    QTRY_VERIFY2(list->model()->rowCount() > 0, qPrintable(words));
    QTest::keyClick(field, Qt::Key_Return);
  }

 private slots:
  void initTestCase() {
    QString problem = h_.start();
    QVERIFY2(problem.isEmpty(), qPrintable(problem));
    problem = h_.hollow(4, "rack");
    QVERIFY2(problem.isEmpty(), qPrintable(problem));
    problem = h_.apply("apps", "v1", "deployments", "default", test::deployment("web", 3, R"("cpu": "100m")"));
    QVERIFY2(problem.isEmpty(), qPrintable(problem));
    QTRY_VERIFY_WITH_TIMEOUT(web() && web()->ready == 3, 20000);
    connect(&session().actions, &models::Actions::finished, this,
            [this](const QString&, const QString& command, bool, const QString&) { said_ = command; });
  }
  void cleanupTestCase() { h_.stop(); }

  void anotherImage() {
    h_.window().select({Subject::Kind::App, app("web")});
    const QString before = web()->images.first();
    auto* open = h_.window().inspector()->findChild<QPushButton*>("newImage");
    QTRY_VERIFY(open->isVisible());
    click(open);
    QTRY_VERIFY(dialog<ImageDialog>());
    auto* d = dialog<ImageDialog>();
    auto* submit = d->findChild<QPushButton*>("submit");
    QVERIFY(!submit->isEnabled());  // nothing has changed yet
    d->field(0)->setText("Not An Image");
    click(submit);
    QVERIFY(dialog<ImageDialog>() && !d->findChild<Form*>()->problemOf(models::containersOf(*web())[0].name).isEmpty());
    picture(d, "new-image-wrong");
    d->field(0)->setText("shop/web:2.5");
    QTest::keyClick(d->field(0), Qt::Key_Return);
    QTRY_VERIFY(!dialog<ImageDialog>());
    QVERIFY2(said_.startsWith("kubectl set image deployment/web "), qPrintable(said_));
    QTRY_VERIFY_WITH_TIMEOUT(rolledOut("shop/web:2.5", 3), 30000);
    QTRY_VERIFY(h_.window().inspector()->findChild<QLabel*>("rolloutSentence")->text().contains("newest"));

    // Pause, a change that waits, resume.
    click(buttonNamed(h_.window().inspector(), "Pause"));
    QTRY_VERIFY(web()->paused);
    session().actions.setImage(app("web"), {{models::containersOf(*web())[0].name, "shop/web:2.6", false}});
    QTRY_COMPARE(web()->images, QStringList{"shop/web:2.6"});
    QTRY_VERIFY(h_.window().inspector()->findChild<QLabel*>("rolloutSentence")->text().contains("Paused"));
    picture(&h_.window(), "rollout-paused");
    QTRY_VERIFY(buttonNamed(h_.window().inspector(), "Resume"));
    click(buttonNamed(h_.window().inspector(), "Resume"));
    QTRY_VERIFY_WITH_TIMEOUT(rolledOut("shop/web:2.6", 3), 30000);

    // Undo, two revisions back, after having seen what it changes.
    click(h_.window().inspector()->findChild<QPushButton*>("revisions"));
    QTRY_VERIFY(dialog<RevisionsDialog>());
    auto* r = dialog<RevisionsDialog>();
    QTRY_COMPARE(r->model()->rowCount(), 3);
    QTRY_COMPARE(r->list()->currentIndex().row(), 1);
    QVERIFY2(r->diff()->plain().contains("-") && r->diff()->plain().contains("+    image: shop/web:2.5"), qPrintable(r->diff()->plain()));
    QTest::keyClick(r->list(), Qt::Key_Down);
    QVERIFY2(r->diff()->plain().contains("image: " + before), qPrintable(r->diff()->plain()));
    picture(r, "revisions");
    QCOMPARE(r->undoButton()->text(), QString("Undo to revision 1"));
    click(r->undoButton());
    QTRY_VERIFY(!dialog<RevisionsDialog>());
    QCOMPARE(said_, QString("kubectl rollout undo deployment/web --to-revision=1"));
    QTRY_VERIFY_WITH_TIMEOUT(rolledOut(before, 3), 30000);
  }

  void theSchedulerIsAskedForGhosts() {
    session().scale.hold(app("web"), 7);
    QVERIFY(session().scale.hint().contains("estimate"));  // until it has answered
    QTRY_VERIFY(session().scale.estimate().sure);
    int ghosts = 0;
    for (auto& card : session().map.cards()) ghosts += card.ghosts;
    QCOMPARE(ghosts, 4);
    QVERIFY2(session().scale.hint().contains("the scheduler would put"), qPrintable(session().scale.hint()));
    session().scale.hold(app("web"), 200);  // more than was asked for
    QTRY_VERIFY(session().scale.estimate().sure);
    session().scale.cancel();
    QCOMPARE(web()->wanted, 3);
  }

  void whatIfAMachineGoes() {
    // A budget that lets none go yet, and a pod that nobody would make again.
    QString problem = h_.apply("policy", "v1", "poddisruptionbudgets", "default",
                               R"({"apiVersion":"policy/v1","kind":"PodDisruptionBudget","metadata":{"name":"keep-web"},
                                  "spec":{"minAvailable":3,"selector":{"matchLabels":{"app":"web"}}}})");
    QVERIFY2(problem.isEmpty(), qPrintable(problem));
    QString node;
    for (auto& key : state().podsOfApp(app("web"))) {
      if (state().pod(key)->state == PodState::Ready) node = state().pod(key)->node;
    }
    problem = h_.apply("", "v1", "pods", "default",
                       QString(R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"alone"},"spec":{"nodeName":"%1","containers":[{"name":"c","image":"c:1"}]}})")
                           .arg(node)
                           .toStdString());
    QVERIFY2(problem.isEmpty(), qPrintable(problem));
    QTRY_VERIFY_WITH_TIMEOUT(state().pod("default/alone") && state().pod("default/alone")->state == PodState::Ready, 15000);
    h_.window().select({Subject::Kind::Machine, node});
    auto* open = h_.window().inspector()->findChild<QPushButton*>("drainPreview");
    QTRY_VERIFY(open->isVisible());
    click(open);
    QTRY_VERIFY(dialog<DrainDialog>());
    auto* d = dialog<DrainDialog>();
    QTRY_COMPARE(d->model()->phase(), DrainModel::Phase::Previewed);
    QCOMPARE(d->model()->count(models::Fate::Lost), 1);
    auto heldWhenAsked = [&] {
      click(d->findChild<QPushButton*>("again"));
      return QTest::qWaitFor([&] { return d->model()->phase() == DrainModel::Phase::Previewed; }) &&
             d->model()->count(models::Fate::Held) > 0;
    };
    QVERIFY(QTest::qWaitFor(heldWhenAsked, 15000));
    const int webHere = int(d->model()->pods().size()) - 1;
    QCOMPARE(d->model()->count(models::Fate::Held), webHere);
    int ghosts = 0;
    for (auto& card : session().map.cards()) {
      ghosts += card.ghosts;
      if (card.node == node) QCOMPARE(card.ghosts, 0);
    }
    QVERIFY(ghosts >= webHere);  // what is held has a place too, for when it may go
    QVERIFY(session().map.wouldGo("default/alone"));
    QVERIFY2(d->findChild<QLabel*>("summary")->text().contains("held back"), qPrintable(d->findChild<QLabel*>("summary")->text()));
    picture(d, "drain");
    picture(&h_.window(), "drain-map");
    QVERIFY(!state().node(node)->cordoned);  // nothing has happened

    // It drains: the budget refuses, which is said, and asked again; then it is cancelled.
    click(d->findChild<QPushButton*>("drain"));
    QTRY_VERIFY(state().node(node)->cordoned);
    auto again = [&] {
      for (auto& p : d->model()->pods()) {
        if (p.step == models::DrainPod::Step::Again && p.answer.contains("budget")) return true;
      }
      return false;
    };
    QTRY_VERIFY_WITH_TIMEOUT(again(), 10000);
    QCOMPARE(d->model()->gone(), 0);
    click(d->findChild<QPushButton*>("cancelDrain"));
    QTRY_COMPARE(d->model()->phase(), DrainModel::Phase::Cancelled);
    QVERIFY(state().node(node)->cordoned);

    // The budget gives way: it drains on; what nothing makes again stays until one says so.
    problem = h_.patch("policy", "v1", "poddisruptionbudgets", "default", "keep-web", R"({"spec":{"minAvailable":1}})");
    QVERIFY2(problem.isEmpty(), qPrintable(problem));
    click(d->findChild<QPushButton*>("drain"));
    QTRY_COMPARE_WITH_TIMEOUT(d->model()->phase(), DrainModel::Phase::Done, 45000);
    QVERIFY(state().pod("default/alone"));
    auto elsewhere = [&] {
      int n = 0;
      for (auto& key : state().podsOfApp(app("web"))) {
        auto* p = state().pod(key);
        n += p->state == PodState::Ready && p->node != node;
      }
      return n;
    };
    QTRY_COMPARE_WITH_TIMEOUT(elsewhere(), 3, 20000);
    QVERIFY(said_.startsWith("kubectl drain " + node));
    click(d->findChild<QPushButton*>("uncordon"));
    QTRY_VERIFY(!state().node(node)->cordoned);
    d->close();
    QTRY_VERIFY(!dialog<DrainDialog>());
    for (auto& card : session().map.cards()) QCOMPARE(card.ghosts, 0);
  }

  void manifestsAreDropped() {
    const QString folder = files_.filePath("k8s");
    QVERIFY(QDir().mkpath(folder));
    file("k8s/a.yaml", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: shop, namespace: shop}\nspec:\n  replicas: 2\n  selector: {matchLabels: {app: shop}}\n"
                       "  template:\n    metadata: {labels: {app: shop}}\n    spec: {containers: [{name: shop, image: 'shop:1'}]}\n---\n"
                       "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n");
    file("k8s/b.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {greeting: hello}\n---\n"
                       "apiVersion: v1\nkind: Secret\nmetadata: {name: login}\nstringData: {password: hunter2}\n");
    file("k8s/c.yaml", "# bad\n---\napiVersion: v1\nkind: Service\nmetadata: {name: wrong}\nspec: {ports: [{port: 99999}]}\n---\n"
                       "apiVersion: example.io/v1\nkind: Nothing\nmetadata: {name: nothing}\n---\na: [\n");
    file("k8s/d.yaml",
         "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: boats.sea.io}\nspec:\n  group: sea.io\n  scope: Namespaced\n"
         "  names: {kind: Boat, plural: boats, singular: boat, listKind: BoatList}\n  versions: [{name: v1, served: true, storage: true, schema: "
         "{openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}]\n---\napiVersion: sea.io/v1\nkind: Boat\nmetadata: {name: ada}\n");
    drop({files_.filePath("nothing.txt")});
    QVERIFY(!dropTaken_);
    QVERIFY(!dialog<ApplyDialog>());
    drop({folder});
    QVERIFY(dropTaken_);
    QTRY_VERIFY(dialog<ApplyDialog>());
    auto* d = dialog<ApplyDialog>();
    QAbstractItemModelTester tester(d->model(), QAbstractItemModelTester::FailureReportingMode::QtTest);
    QTRY_COMPARE_WITH_TIMEOUT(d->model()->phase(), models::ApplyModel::Phase::Checked, 15000);
    QVERIFY2(d->model()->count(What::Wrong) == 3, qPrintable(d->model()->summary()));
    QCOMPARE(d->model()->row(0).what, What::Wrong);  // what is wrong comes first
    QCOMPARE(d->model()->row(0).doc.problemLine >= 11, true);
    QCOMPARE(whatOf(d, "settings"), What::Make);
    QCOMPARE(whatOf(d, "shop"), What::Make);  // the namespace; the Deployment in it:
    QCOMPARE(d->model()->count(What::Later), 2);
    for (int i = 0; i < d->model()->rowCount(); ++i) {
      d->list()->setCurrentIndex(d->model()->index(i));
      QVERIFY(!d->diff()->plain().contains("hunter2") && !d->diff()->plain().contains("aHVudGVyMg"));
    }
    d->list()->setCurrentIndex(d->model()->index(0));
    picture(d, "apply");
    QVERIFY(!state().workload(models::appKey("Deployment", "shop", "shop")));  // nothing has happened
    click(d->findChild<QPushButton*>("apply"));
    QTRY_COMPARE_WITH_TIMEOUT(d->model()->phase(), models::ApplyModel::Phase::Done, 30000);
    QVERIFY2(d->model()->count(What::Made) == 6, qPrintable(d->model()->summary()));
    QCOMPARE(d->model()->count(What::LeftOut), 3);
    QCOMPARE(said_, QString("kubectl apply --server-side -f k8s/"));
    QTRY_VERIFY(state().workload(models::appKey("Deployment", "shop", "shop")));
    click(d->findChild<QPushButton*>("close"));
    QTRY_VERIFY(!dialog<ApplyDialog>());

    // Again, with one value changed, and one that somebody else set meanwhile.
    file("k8s/b.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {greeting: good day}\n");
    QFile::remove(files_.filePath("k8s/c.yaml"));
    QString problem = h_.patch("apps", "v1", "deployments", "shop", "shop", R"({"spec":{"replicas":3}})");
    QVERIFY2(problem.isEmpty(), qPrintable(problem));
    h_.window().deployFiles({folder});
    QTRY_VERIFY(dialog<ApplyDialog>());
    d = dialog<ApplyDialog>();
    QTRY_COMPARE_WITH_TIMEOUT(d->model()->phase(), models::ApplyModel::Phase::Checked, 15000);
    QCOMPARE(whatOf(d, "settings"), What::Change);
    QString changes;
    for (int i = 0; i < d->model()->rowCount(); ++i) {
      auto& row = d->model()->row(i);
      if (row.what != What::Change) continue;
      changes += row.doc.kind + ' ' + row.doc.name + '\n';
      for (auto& line : row.diff.lines) {
        if (line.kind == models::DiffLine::Kind::Gone || line.kind == models::DiffLine::Kind::New) changes += "  " + line.text + '\n';
      }
    }
    QVERIFY2(d->model()->count(What::Change) == 2, qPrintable(changes));  // that, and the Deployment's replicas
    for (int i = 0; i < d->model()->rowCount(); ++i) {
      if (d->model()->row(i).what == What::Change) d->list()->setCurrentIndex(d->model()->index(i));
    }
    picture(d, "apply-changes");
    QCOMPARE(whatOf(d, "ada"), What::Same);
    QVERIFY2(d->model()->count(What::Wrong) == 0, qPrintable(d->model()->summary()));
    QTest::keyClick(d, Qt::Key_Escape);
    QTRY_VERIFY(!dialog<ApplyDialog>());

    // An image archive alone is for the deploy form; this one holds no image, and that is said there.
    drop({file("web.tar", "no archive")});
    QTRY_VERIFY(dialog<DeployDialog>());
    auto* deploy = dialog<DeployDialog>();
    auto said = [&] {
      for (auto* l : deploy->findChildren<QLabel*>()) {
        if (l->property("role") == "error" && !l->text().isEmpty()) return true;
      }
      return false;
    };
    QTRY_VERIFY(said());
    click(buttonNamed(deploy, "Cancel"));
    QTRY_VERIFY(!dialog<DeployDialog>());
  }

  void machinesByTheDozen() {
    h_.window().addMachine(AddMachineDialog::Way::List);
    QTRY_VERIFY(dialog<AddMachineDialog>());
    auto* d = dialog<AddMachineDialog>();
    auto* page = d->page(AddMachineDialog::Way::List);
    auto* submit = d->findChild<QPushButton*>("submit");
    QVERIFY(!submit->isEnabled());
    auto* list = page->findChild<QPlainTextEdit*>("machineList");
    QTest::keyClicks(list, "pi@pi-[01-03].lab");
    QTest::keyClick(list, Qt::Key_Return);
    QTest::keyClicks(list, "bad host!");
    QCOMPARE(page->model()->rowCount(), 4);
    QCOMPARE(submit->text(), QString("Add 3 machines"));
    // One of them by the keyboard out again.
    page->table()->setFocus();
    page->table()->setCurrentIndex(page->model()->index(1, 0));
    QTest::keyClick(page->table(), Qt::Key_Space);
    QCOMPARE(submit->text(), QString("Add 2 machines"));
    picture(d, "machines-list");
    click(submit);
    QTRY_VERIFY(state().machine("pi-01") && state().machine("pi-03"));
    QVERIFY(!state().machine("pi-02"));
    QCOMPARE(state().machine("pi-03")->user, QString("pi"));
    // Each with its own trust and progress.
    for (auto* name : {"pi-01", "pi-03"}) {
      QVERIFY(d->row(name));
      const QString status = QString(R"({"status":{"phase":"Untrusted","hostKey":"SHA256:%1ztksCsDhcc0u9e8BgrJXVGDQ0hCTNLH3vuqTCEg","hostKeyType":"ssh-ed25519"}})")
                                 .arg(QLatin1String(name[4] == '1' ? "AAAA" : "BBBB"));
      client::Write w;
      w.verb = client::Verb::Patch;
      w.info = h_.engine().client()->registry().find("fleet.pilothouse.io", "v1", "machines");
      w.name = name;
      w.subresource = "status";
      w.body = status.toStdString();
      h_.engine().client()->write(std::move(w), [](Result<client::ObjectPtr>) {});
    }
    QTRY_VERIFY(d->row("pi-01")->trustButton()->isVisible() && d->row("pi-03")->trustButton()->isVisible());
    picture(d, "machines-trust");
    click(d->row("pi-03")->trustButton());
    QTRY_VERIFY(state().machine("pi-03")->trustedHostKey.startsWith("SHA256:BBBB"));
    QVERIFY(state().machine("pi-01")->trustedHostKey.isEmpty());

    // Out of an SSH configuration.
    page = d->page(AddMachineDialog::Way::SshConfig);
    page->setPath(file("config", "Host kepler\n  HostName 10.3.0.1\n  User root\nHost behind\n  ProxyJump kepler\nHost pi-01\n  HostName pi-01.lab\n"));
    d->setWay(AddMachineDialog::Way::SshConfig);
    QTRY_COMPARE(page->model()->rowCount(), 3);
    QCOMPARE(submit->text(), QString("Add 1 machine"));
    picture(d, "machines-ssh-config");
    QVERIFY(page->model()->index(1, 2).data().toString().contains("not possible yet"));
    QVERIFY(page->model()->index(2, 2).data().toString().contains("already"));
    click(submit);
    QTRY_VERIFY(state().machine("kepler"));
    QCOMPARE(state().machine("kepler")->address, QString("10.3.0.1"));
    click(buttonNamed(d, "Close"));
    QTRY_VERIFY(!dialog<AddMachineDialog>());
    for (auto* name : {"pi-01", "pi-03", "kepler"}) session().actions.removeMachine(name);
    QTRY_VERIFY(!state().machine("pi-01") && !state().machine("pi-03") && !state().machine("kepler"));
  }

  void formsOfObjects() {
    palette("new secret");
    QTRY_VERIFY(dialog<ObjectDialog>());
    auto* d = dialog<ObjectDialog>();
    auto* submit = d->findChild<QPushButton*>("submit");
    click(submit);
    QVERIFY(!d->findChild<Form*>()->problemOf("name").isEmpty());
    QTest::keyClicks(d->findChild<QLineEdit*>("name"), "token");
    click(d->findChild<QPushButton*>("addEntry"));
    d->keys()->item(0)->setText("password");
    d->value()->setFocus();
    QTest::keyClicks(d->value(), "s3cret");
    QVERIFY2(d->manifest().contains("password: ") && !d->manifest().contains("s3cret") && !d->manifest().contains("czNjcmV0"), qPrintable(d->manifest()));
    picture(d, "secret");
    click(submit);
    QTRY_VERIFY(!dialog<ObjectDialog>());
    QCOMPARE(said_, QString("kubectl create -f secret.yaml"));

    // Found again by its name; its value shows only when one asks.
    palette("edit token");
    QTRY_VERIFY(dialog<ObjectDialog>());
    d = dialog<ObjectDialog>();
    QTRY_COMPARE(d->keys()->count(), 1);
    QVERIFY(!d->value()->toPlainText().contains("s3cret"));
    click(d->findChild<QPushButton*>("reveal"));
    QCOMPARE(d->value()->toPlainText(), QString("s3cret"));
    click(d->findChild<QPushButton*>("reveal"));
    QVERIFY(!d->value()->toPlainText().contains("s3cret"));
    click(d->findChild<QPushButton*>("reveal"));
    d->value()->setPlainText("other");
    // Somebody else is faster: said, and nothing is written over.
    QString problem = h_.patch("", "v1", "secrets", "default", "token", R"({"metadata":{"labels":{"a":"b"}}})");
    QVERIFY2(problem.isEmpty(), qPrintable(problem));
    submit = d->findChild<QPushButton*>("submit");
    click(submit);
    auto said = [&] {
      for (auto* l : d->findChildren<QLabel*>()) {
        if (l->text().contains("Somebody else")) return true;
      }
      return false;
    };
    QTRY_VERIFY(said());
    click(buttonNamed(d, "Cancel"));
    QTRY_VERIFY(!dialog<ObjectDialog>());

    // A quota, which the server then keeps; and away with the secret, asked first.
    palette("new quota");
    QTRY_VERIFY(dialog<ObjectDialog>());
    d = dialog<ObjectDialog>();
    QTest::keyClicks(d->findChild<QLineEdit*>("name"), "small");
    QVERIFY(d->manifest().contains("pods: \"20\""));
    // What can be limited is offered, with what it means; what is limited already is not.
    auto* limits = d->findChild<QPushButton*>("addEntry")->menu();
    emit limits->aboutToShow();
    QAction* memory = nullptr;
    for (auto* a : limits->actions()) {
      QVERIFY(a->text() != "pods");
      if (a->text() == "requests.memory") memory = a;
    }
    QVERIFY(memory);
    memory->trigger();
    QCOMPARE(d->value()->toPlainText(), QString("8Gi"));
    QTest::keyClicks(d->value(), "4Gi");
    QTest::keyClick(d->value(), Qt::Key_Return);  // a value has one line
    QVERIFY2(d->manifest().contains("requests.memory: 4Gi"), qPrintable(d->manifest()));
    picture(d, "quota");
    click(d->findChild<QPushButton*>("submit"));
    QTRY_VERIFY(!dialog<ObjectDialog>());

    // A namespace may have its copies moved: its known labels are offered too.
    palette("edit default");
    QTRY_VERIFY(dialog<ObjectDialog>());
    d = dialog<ObjectDialog>();
    QTRY_VERIFY(d->keys()->count() > 0);
    auto* labels = d->findChild<QPushButton*>("addEntry")->menu();
    QVERIFY(labels);
    emit labels->aboutToShow();
    QAction* rebalance = nullptr;
    for (auto* a : labels->actions())
      if (a->text() == "pilothouse.io/rebalance") rebalance = a;
    QVERIFY(rebalance);
    rebalance->trigger();
    QCOMPARE(d->value()->toPlainText(), QString("enabled"));
    QVERIFY2(d->manifest().contains("pilothouse.io/rebalance: enabled"), qPrintable(d->manifest()));
    picture(d, "namespace");
    click(d->findChild<QPushButton*>("submit"));
    QTRY_VERIFY(!dialog<ObjectDialog>());
    palette("edit token");
    QTRY_VERIFY(dialog<ObjectDialog>());
    d = dialog<ObjectDialog>();
    QTRY_COMPARE(d->keys()->count(), 1);
    click(d->findChild<QPushButton*>("delete"));
    QTRY_VERIFY(dialog<AskDialog>());
    click(dialog<AskDialog>()->findChild<QPushButton*>("yes"));
    QTRY_VERIFY(!dialog<ObjectDialog>());
    QCOMPARE(said_, QString("kubectl delete secret token"));
  }

  void everythingFromThePalette() {
    h_.window().select({});
    palette("revisions web");
    QTRY_VERIFY(dialog<RevisionsDialog>());
    dialog<RevisionsDialog>()->close();
    QTRY_VERIFY(!dialog<RevisionsDialog>());
    palette("what if rack-2");
    QTRY_VERIFY(dialog<DrainDialog>());
    QCOMPARE(dialog<DrainDialog>()->model()->node(), QString("rack-2"));
    dialog<DrainDialog>()->close();
    QTRY_VERIFY(!dialog<DrainDialog>());
    palette("keep off rack-2");
    QTRY_VERIFY(state().node("rack-2")->cordoned);
    palette("let onto rack-2");
    QTRY_VERIFY(!state().node("rack-2")->cordoned);
    palette("import ssh config");
    QTRY_VERIFY(dialog<AddMachineDialog>());
    dialog<AddMachineDialog>()->close();
    QTRY_VERIFY(!dialog<AddMachineDialog>());
    palette("new image web");
    QTRY_VERIFY(dialog<ImageDialog>());
    dialog<ImageDialog>()->close();
  }
};

QTEST_MAIN(SteerFlowsTest)
#include "steer_flows_test.moc"
