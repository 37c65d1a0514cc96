// For those who see or point otherwise: whatever takes the focus has a name, on every page and in every dialog, and Tab
// comes by all of it.
#include <QAbstractButton>
#include <QAccessible>
#include <QApplication>
#include <QButtonGroup>
#include <QSet>
#include <QTest>

#include "tests/ui/sample.h"
#include "ui/dialogs/add_machine_dialog.h"
#include "ui/dialogs/deploy_dialog.h"
#include "ui/dialogs/object_dialog.h"
#include "ui/shell/main_window.h"

using namespace ph;
using namespace ph::ui;
using models::Subject;

namespace {

QString nameOf(QWidget* w) {
  auto* interface = QAccessible::queryAccessibleInterface(w);
  return interface ? interface->text(QAccessible::Name) : QString();
}

QList<QWidget*> focusable(QWidget& window) {
  QList<QWidget*> out;
  for (auto* w : window.findChildren<QWidget*>()) {
    const bool takes = w->focusPolicy() & Qt::TabFocus;
    if (takes && w->isVisibleTo(&window) && w->isEnabled() && w->window() == &window && !w->focusProxy()) out << w;
  }
  return out;
}

QStringList nameless(QWidget& window) {
  QStringList out;
  for (auto* w : focusable(window)) {
    if (nameOf(w).trimmed().isEmpty())
      out << QStringLiteral("%1 \"%2\" in %3").arg(QLatin1String(w->metaObject()->className()), w->objectName(), QLatin1String(w->parentWidget()->metaObject()->className()));
  }
  return out;
}

}  // namespace

class AccessTest : public QObject {
  Q_OBJECT

  models::Session session_;
  std::unique_ptr<MainWindow> window_;

 private slots:
  void initTestCase() {
    sample::fleet(session_);
    window_ = std::make_unique<MainWindow>(&session_);
    window_->resize(1440, 900);
    window_->show();
    QVERIFY(QTest::qWaitForWindowActive(window_.get()));
  }
  void cleanupTestCase() { window_.reset(); }

  void everythingHasAName_data() {
    QTest::addColumn<int>("key");
    for (int key = Qt::Key_1; key <= Qt::Key_5; ++key) QTest::addRow("page %d", key - Qt::Key_0) << key;
  }
  void everythingHasAName() {
    QFETCH(int, key);
    QTest::keyClick(window_.get(), Qt::Key(key), Qt::ControlModifier);
    QVERIFY(focusable(*window_).size() > 5);
    QCOMPARE(nameless(*window_).join(QStringLiteral("; ")), QString());
  }

  void theInspectorToo() {
    QTest::keyClick(window_.get(), Qt::Key_1, Qt::ControlModifier);
    QString pod;
    for (auto& [key, p] : session_.state.pods()) pod = key;
    window_->select({Subject::Kind::Pod, pod});
    for (auto page : {Inspector::Page::Overview, Inspector::Page::Steps, Inspector::Page::Logs, Inspector::Page::Events, Inspector::Page::Yaml}) {
      window_->inspector()->open(page);
      QCOMPARE(nameless(*window_).join(QStringLiteral("; ")), QString());
    }
    window_->select({});
  }

  void dialogsToo() {
    AddMachineDialog add(&session_, window_.get());
    add.show();
    QCOMPARE(nameless(add).join(QStringLiteral("; ")), QString());
    DeployDialog deploy(&session_, window_.get());
    deploy.show();
    QCOMPARE(nameless(deploy).join(QStringLiteral("; ")), QString());
    for (auto kind : {models::ObjectForm::Kind::Namespace, models::ObjectForm::Kind::ConfigMap, models::ObjectForm::Kind::Secret, models::ObjectForm::Kind::Quota}) {
      models::ObjectForm form;
      form.kind = kind;
      ObjectDialog object(&session_, form, window_.get());
      object.show();
      QCOMPARE(nameless(object).join(QStringLiteral("; ")), QString());
    }
  }

  // No trap: with Tab alone the focus comes to all, and back to where it began; among those of which one is chosen, with arrows.
  void tabComesByAll() {
    QTest::keyClick(window_.get(), Qt::Key_1, Qt::ControlModifier);
    auto all = focusable(*window_);
    all.first()->setFocus(Qt::TabFocusReason);
    QSet<QWidget*> met;
    for (int i = 0; i < 200 && !met.contains(QApplication::focusWidget()); ++i) {
      QVERIFY(QApplication::focusWidget());
      met << QApplication::focusWidget();
      QTest::keyClick(QApplication::focusWidget(), Qt::Key_Tab);
    }
    QStringList missed;
    auto* rail = qobject_cast<QAbstractButton*>(all.first());
    for (auto* w : std::as_const(met)) {
      if (auto* b = qobject_cast<QAbstractButton*>(w); b && b->group()) rail = b;
    }
    QVERIFY(rail && rail->group() && rail->isChecked());
    rail->setFocus(Qt::TabFocusReason);
    for (int i = 0; i < 4; ++i) {
      QTest::keyClick(QApplication::focusWidget(), Qt::Key_Down);
      met << QApplication::focusWidget();
    }
    for (auto* w : all) {
      if (!met.contains(w)) missed << QLatin1String(w->metaObject()->className()) + QLatin1Char(' ') + nameOf(w);
    }
    QCOMPARE(missed.join(QStringLiteral("; ")), QString());
  }
};

QTEST_MAIN(AccessTest)
#include "access_test.moc"
