// Tables of every kind, and the inspector beside them: by mouse and keyboard, in a real window over a real engine with
// hollow nodes.
#include <QAbstractItemModelTester>
#include <QComboBox>
#include <QHeaderView>
#include <QLineEdit>
#include <QTabBar>
#include <QTest>
#include <algorithm>

#include "models/kind_list.h"
#include "models/table_rows.h"
#include "tests/ui/harness.h"
#include "tests/ui/pictures.h"
#include "ui/views/resource_page.h"

using namespace ph;
using namespace ph::ui;
using models::ObjectRef;
using models::ResourceTable;
using models::Subject;
using test::Harness;

namespace {

constexpr const char* kQuiet = R"({"metadata":{"name":"quiet"}})";
constexpr const char* kSettings = R"({"metadata":{"name":"settings"},"data":{"greeting":"hello"}})";
constexpr const char* kTelescopes = R"({"metadata":{"name":"telescopes.lab.example"},"spec":{"group":"lab.example","scope":"Namespaced",
  "names":{"kind":"Telescope","plural":"telescopes","singular":"telescope"},"versions":[{"name":"v1","served":true,"storage":true,
  "additionalPrinterColumns":[{"name":"Mirror","type":"integer","jsonPath":".spec.mirror","description":"In millimeters"},
                              {"name":"Site","type":"string","jsonPath":".spec.site"}],
  "schema":{"openAPIV3Schema":{"type":"object","properties":{"spec":{"type":"object","properties":{
     "mirror":{"type":"integer"},"site":{"type":"string"}}}}}}}]}})";

std::string telescope(const std::string& name, int mirror, const std::string& site) {
  return R"({"apiVersion":"lab.example/v1","kind":"Telescope","metadata":{"name":")" + name + R"("},"spec":{"mirror":)" + std::to_string(mirror) +
         R"(,"site":")" + site + "\"}}";
}

}  // namespace

class TableFlowsTest : public QObject {
  Q_OBJECT

  Harness h_;

  ResourcePage* page() { return h_.window().resources(); }
  ResourceTable* model() { return page()->model(); }
  QTableView* table() { return page()->table(); }
  Inspector* inspector() { return h_.window().inspector(); }
  QStringList column(const QString& name) {
    QStringList out;
    for (int c = 0; c < model()->columnCount(); ++c) {
      if (model()->headerData(c, Qt::Horizontal, Qt::DisplayRole).toString() != name) continue;
      for (int row = 0; row < model()->rowCount(); ++row) out << model()->index(row, c).data().toString();
    }
    return out;
  }
  void clickHeader(const QString& name) {
    auto* header = table()->horizontalHeader();
    for (int c = 0; c < model()->columnCount(); ++c) {
      if (model()->headerData(c, Qt::Horizontal, Qt::DisplayRole).toString() == name)
        QTest::mouseClick(header->viewport(), Qt::LeftButton, {}, QPoint(header->sectionViewportPosition(c) + 20, header->height() / 2));
    }
  }
  void clickRow(int row, Qt::KeyboardModifiers keys = {}) {
    QTest::mouseClick(table()->viewport(), Qt::LeftButton, keys, table()->visualRect(model()->index(row, 0)).center());
  }
  bool openTab(const QString& name) {
    auto* tabs = inspector()->findChild<QTabBar*>();
    for (int i = 0; i < tabs->count(); ++i) {
      if (tabs->tabText(i) != name) continue;
      QTest::mouseClick(tabs, Qt::LeftButton, {}, tabs->tabRect(i).center());
      return tabs->currentIndex() == i;
    }
    return false;
  }
  void picture(const char* name) {
    const QString problem = test::savePictures(h_.window(), QLatin1String(name));
    QVERIFY2(problem.isEmpty(), qPrintable(problem));
  }

 private slots:
  void initTestCase() {
    QVERIFY2(h_.start().isEmpty(), "the window does not start");
    // All that follows happens under them: rows and kinds as the engine sends them.
    for (QAbstractItemModel* m : {static_cast<QAbstractItemModel*>(model()), static_cast<QAbstractItemModel*>(page()->kinds())})
      new QAbstractItemModelTester(m, QAbstractItemModelTester::FailureReportingMode::QtTest, m);
    const QString problem = h_.hollow(4, "n");
    QVERIFY2(problem.isEmpty(), qPrintable(problem));
    QVERIFY(h_.apply("", "v1", "namespaces", "", kQuiet).isEmpty());
    QVERIFY(h_.apply("", "v1", "configmaps", "quiet", kSettings).isEmpty());
    for (auto* name : {"web", "api", "cache"}) QVERIFY(h_.apply("apps", "v1", "deployments", "default", test::deployment(name, 4)).isEmpty());
    QVERIFY(h_.apply("apps", "v1", "deployments", "default", test::deployment("greedy", 1, R"("cpu":"5000")")).isEmpty());
    QTest::keyClick(&h_.window(), Qt::Key_4, Qt::ControlModifier);
    QTRY_VERIFY(page()->isVisible());
    QTRY_VERIFY(page()->kinds()->rowCount() > 30);
  }
  void cleanupTestCase() { h_.stop(); }

  void theKindsAreFound() {
    auto* find = page()->findChild<QLineEdit*>("kindFilter");
    find->setFocus();
    QTest::keyClicks(find, "configm");
    QTest::keyClick(find, Qt::Key_Return);
    QVERIFY(page()->kindView()->hasFocus());
    QTRY_VERIFY(column("Name").contains("kube-root-ca.crt"));  // each namespace has the certificate
    find->clear();
  }

  void namespacesAreChosen() {
    auto* namespaces = page()->findChild<QComboBox*>("namespaces");
    QTRY_VERIFY(namespaces->findData("quiet") > 0);
    namespaces->setCurrentIndex(namespaces->findData("quiet"));
    QTRY_COMPARE(column("Name"), (QStringList{"kube-root-ca.crt", "settings"}));
    QVERIFY(column("Namespace").isEmpty());  // it would say the same in each row
    namespaces->setCurrentIndex(0);
    QTRY_VERIFY(model()->rowCount() > 2);
    QVERIFY(!column("Namespace").isEmpty());
  }

  void sortedByAnyColumn() {
    page()->openKind("pods");
    QTRY_COMPARE_WITH_TIMEOUT(model()->rowCount(), 13, 10000);
    QTRY_COMPARE_WITH_TIMEOUT(column("Status").count("Running"), 12, 20000);
    QStringList up = column("Name");
    // Numbers in names by what they count: the random end of a pod's name may hold some.
    QVERIFY2(std::is_sorted(up.begin(), up.end(), [](const QString& a, const QString& b) {
               return models::naturalCompare(a.toStdString(), b.toStdString()) < 0;
             }), qPrintable(up.join(' ')));
    clickHeader("Name");
    QTRY_COMPARE(column("Name"), QStringList(up.rbegin(), up.rend()));
    clickHeader("Status");
    QTRY_COMPARE(column("Status").first(), QString("Pending"));
    picture("table-pods");
    clickHeader("Name");
    QTRY_COMPARE(column("Name"), up);
  }

  void filtered() {
    auto* filter = page()->findChild<QLineEdit*>("tableFilter");
    filter->setFocus();
    QTest::keyClicks(filter, "web");
    QTRY_COMPARE(model()->rowCount(), 4);
    for (auto& name : column("Name")) QVERIFY(name.startsWith("web-"));
    // What comes and does not fit stays out, what fits comes in.
    QVERIFY(h_.patch("apps", "v1", "deployments", "default", "api", R"({"spec":{"replicas":5}})").isEmpty());
    QVERIFY(h_.patch("apps", "v1", "deployments", "default", "web", R"({"spec":{"replicas":5}})").isEmpty());
    QTRY_COMPARE_WITH_TIMEOUT(model()->rowCount(), 5, 10000);
    QTRY_COMPARE_WITH_TIMEOUT(model()->total(), 15, 10000);
    QTest::keyClick(filter, Qt::Key_Return);
    QVERIFY(table()->hasFocus());
    filter->clear();
    QTRY_COMPARE(model()->rowCount(), 15);
  }

  void theInspectorFollows() {
    clickRow(0);
    const ObjectRef pod = model()->refAt(0);
    QTRY_VERIFY(inspector()->isVisible());
    QCOMPARE(h_.window().selection(), (Subject{Subject::Kind::Pod, pod.ns + '/' + pod.name}));
    QVERIFY(openTab("YAML"));
    auto* yaml = inspector()->findChild<YamlPage*>();
    QVERIFY(yaml);
    QTRY_VERIFY(yaml->text().contains("name: " + pod.name));
    picture("table-yaml");
    // By keyboard, to the next row.
    table()->setFocus();
    QTest::keyClick(table(), Qt::Key_Down);
    QTRY_VERIFY(yaml->text().contains("name: " + model()->refAt(1).name));
    QVERIFY(openTab("Overview"));
    // Several: what can be done with all of them is offered, and nothing moves for it.
    const int top = table()->y();
    table()->clearSelection();
    QTRY_VERIFY(!page()->findChild<QPushButton*>("delete")->isVisible());
    QCOMPARE(table()->y(), top);
    clickRow(0);
    clickRow(3, Qt::ShiftModifier);
    QVERIFY(page()->selection().size() >= 3);
    QVERIFY(page()->findChild<QPushButton*>("delete")->isVisible());
    QVERIFY(page()->findChild<QPushButton*>("logs")->isVisible());
    QTest::qWait(0);
    QCOMPARE(table()->y(), top);
    picture("table-chosen");
  }

  // A kind that is made while the window looks: its own columns, as its definition says.
  void customKinds() {
    QVERIFY2(h_.apply("apiextensions.k8s.io", "v1", "customresourcedefinitions", "", kTelescopes).isEmpty(), "no definition");
    const std::string telescopes = "/apis/lab.example/v1/namespaces/default/telescopes";
    QString problem;
    QVERIFY2(QTest::qWaitFor([&] { return (problem = h_.post(telescopes, telescope("big", 8200, "Paranal"))).isEmpty(); }, 10000), qPrintable(problem));
    QCOMPARE(h_.post(telescopes, telescope("small", 200, "the roof")), QString());
    page()->kinds()->refresh();
    QTRY_VERIFY_WITH_TIMEOUT(page()->kinds()->find("telescopes", "lab.example"), 10000);
    page()->openKind("telescopes", "lab.example");
    QTRY_COMPARE_WITH_TIMEOUT(column("Name"), (QStringList{"big", "small"}), 10000);
    QCOMPARE(column("Site"), (QStringList{"Paranal", "the roof"}));
    clickHeader("Mirror");  // by number
    QTRY_COMPARE(column("Mirror"), (QStringList{"200", "8200"}));
    clickRow(1);
    QVERIFY(openTab("YAML"));
    QTRY_VERIFY(inspector()->findChild<YamlPage*>()->text().contains("mirror: 8200"));
    picture("table-custom");
  }

  void nothingThere() {
    h_.window().select({});
    QVERIFY(page()->findChild<QPushButton*>("delete")->isVisible());
    page()->openKind("cronjobs", "batch");
    QVERIFY(!page()->findChild<QPushButton*>("delete")->isVisible());  // what was chosen is not of this kind
    QTRY_COMPARE(model()->phase(), ResourceTable::Phase::Live);
    QCOMPARE(model()->rowCount(), 0);
    picture("table-empty");
  }
};

QTEST_MAIN(TableFlowsTest)
#include "table_flows_test.moc"
