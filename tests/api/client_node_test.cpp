// Programs built on the JavaScript client library (dashboards, operators), against the real engine: client_node/suite.mjs.
#include <QDir>
#include <QTest>

#include "tests/support/engine/engine_process.h"

using namespace ph::test;

class ClientNodeTest : public QObject {
  Q_OBJECT
  const QString folder_ = qEnvironmentVariable("PH_CLIENT_NODE");  // client_node with its packages, as tests/run makes it

  Ran node(const QString& argument, const QString& kubeconfig) {
    return runProgram("node", {folder_ + "/suite.mjs", argument}, {}, 60, {"KUBECONFIG=" + kubeconfig});
  }

 private slots:
  void initTestCase() {
    if (folder_.isEmpty()) QSKIP("the client library is not on the box (PH_CLIENT_NODE)");
  }
  // Each case has an engine of its own.
  void suite_data() {
    QTest::addColumn<QString>("name");
    auto listed = node("--list", "/dev/null");
    QVERIFY2(listed.ok(), qPrintable(listed.all()));
    for (auto& name : listed.out.split('\n', Qt::SkipEmptyParts)) QTest::newRow(qPrintable(name)) << name;
  }
  void suite() {
    QFETCH(QString, name);
    EngineProcess engine;
    QVERIFY2(engine.start(), qPrintable(engine.readyLine() + engine.log()));
    auto ran = node(name, engine.kubeconfig());
    QVERIFY2(ran.ok(), qPrintable(ran.all()));
  }
};

QTEST_GUILESS_MAIN(ClientNodeTest)
#include "client_node_test.moc"
