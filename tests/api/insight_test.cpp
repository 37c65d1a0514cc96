// Timelines, decisions and previews, asked for as users do.
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QTest>

#include "tests/support/engine/engine_process.h"

using namespace ph::test;

class InsightTest : public QObject {
  Q_OBJECT
  EngineProcess engine_;
  HollowNodes nodes_;

  QJsonObject json(const QStringList& arguments, const QByteArray& input = {}) {
    auto ran = engine_.kubectl(arguments + QStringList{"-o", "json"}, input);
    if (!ran.ok()) qWarning("%s", qPrintable(ran.all()));
    return QJsonDocument::fromJson(ran.out.toUtf8()).object();
  }

 private slots:
  void initTestCase() {
    QVERIFY2(engine_.start(), qPrintable(engine_.log()));
    QVERIFY2(nodes_.start(engine_, 3), qPrintable(nodes_.log()));
  }

  void theTenStepsOfAPod() {
    QVERIFY(engine_.kubectl({"create", "deployment", "web", "--image=web:1", "--replicas=2"}).ok());
    auto ran = engine_.kubectl({"rollout", "status", "deployment/web", "--timeout=30s"});
    QVERIFY2(ran.ok(), qPrintable(ran.all()));
    auto name = engine_.kubectl({"get", "pods", "-l", "app=web", "-o", "jsonpath={.items[0].metadata.name}"}).out;
    QTRY_COMPARE(json({"get", "podtimeline", name})["status"].toObject()["step"].toString(), "InService");
    auto status = json({"get", "podtimeline", name})["status"].toObject();
    QStringList steps;
    double last = 0;
    for (auto s : status["steps"].toArray()) {
      steps += s.toObject()["name"].toString();
      QVERIFY(s.toObject()["milliseconds"].toDouble() >= last);
      last = s.toObject()["milliseconds"].toDouble();
    }
    QCOMPARE(steps.join(' '), "Request Stored Controller PodMade Scheduled Bound Agent Container Started InService");
    QVERIFY2(last > 0 && last < 30000, qPrintable(QString::number(last)));
    QCOMPARE(status["cause"].toString(), "Deployment web made");
    auto table = engine_.kubectl({"get", "podtimelines"});
    QVERIFY2(table.out.contains("InService") && table.out.contains(name), qPrintable(table.all()));
    ran = engine_.kubectl({"get", "podtimeline", "nobody"});
    QVERIFY2(!ran.ok() && ran.err.contains("NotFound"), qPrintable(ran.all()));
  }

  void whyHereAndWhyPending() {
    auto name = engine_.kubectl({"get", "pods", "-l", "app=web", "-o", "jsonpath={.items[0].metadata.name}"}).out;
    auto node = engine_.kubectl({"get", "pod", name, "-o", "jsonpath={.spec.nodeName}"}).out;
    auto here = json({"get", "schedulingdecision", name})["status"].toObject();
    QCOMPARE(here["node"].toString(), node);
    QCOMPARE(here["feasible"].toInt(), 3);
    QCOMPARE(here["rows"].toArray().size(), 3);
    QVERIFY(here["rows"].toArray()[0].toObject()["scores"].toObject().contains("NodeResourcesFit"));
    QVERIFY(engine_.kubectl({"run", "greedy", "--image=g:1", "--overrides",
                             R"({"spec":{"containers":[{"name":"greedy","image":"g:1","resources":{"requests":{"cpu":"5000"}}}]}})"}).ok());
    QTRY_VERIFY(json({"get", "schedulingdecision", "greedy"})["status"].toObject()["remedy"].toString().startsWith("ask for at most"));
    auto pending = json({"get", "schedulingdecision", "greedy"})["status"].toObject();
    QCOMPARE(pending["feasible"].toInt(), 0);
    QCOMPARE(pending["rows"].toArray()[0].toObject()["refusals"].toObject()["NodeResourcesFit"].toString(), "Insufficient cpu");
  }

  void previewsChangeNothing() {
    auto before = engine_.kubectl({"get", "pods", "-A", "-o", "name"}).out;
    QByteArray ask = "apiVersion: pilothouse.io/v1\nkind: SchedulingPreview\nmetadata: {name: more}\nspec: {copies: 4, template: {spec: {containers: [{name: c, image: 'c:1'}]}}}\n";
    auto places = json({"create", "-f", "-"}, ask)["status"].toObject();
    QCOMPARE(places["places"].toArray().size(), 4);
    QCOMPARE(places["unplaced"].toInt(), 0);
    auto none = json({"create", "-f", "-"}, QByteArray(ask).replace("image: 'c:1'", "image: 'c:1', resources: {requests: {cpu: '5000'}}"))["status"].toObject();
    QCOMPARE(none["unplaced"].toInt(), 4);
    auto bad = engine_.kubectl({"create", "-f", "-"}, "apiVersion: pilothouse.io/v1\nkind: SchedulingPreview\nmetadata: {name: more}\nspec: {copies: 2}\n");
    QVERIFY2(!bad.ok() && bad.err.contains("one of pod and template"), qPrintable(bad.all()));
    QCOMPARE(engine_.kubectl({"get", "pods", "-A", "-o", "name"}).out, before);
  }

  void whatIfANodeGoes() {
    auto name = engine_.kubectl({"get", "pods", "-l", "app=web", "-o", "jsonpath={.items[0].metadata.name}"}).out;
    auto node = engine_.kubectl({"get", "pod", name, "-o", "jsonpath={.spec.nodeName}"}).out;
    QByteArray ask = "apiVersion: pilothouse.io/v1\nkind: DrainPreview\nmetadata: {name: gone}\nspec: {node: NODE}\n";
    auto status = json({"create", "-f", "-"}, QByteArray(ask).replace("NODE", node.toUtf8()))["status"].toObject();
    bool found = false;
    for (auto m : status["moves"].toArray()) {
      const QJsonObject move = m.toObject();
      QVERIFY(move["node"].toString() != node && !move["node"].toString().isEmpty());
      found = found || (move["pod"].toString() == name && move["namespace"].toString() == "default");
    }
    QVERIFY(found);
    QCOMPARE(status["unplaced"].toInt(), 0);
    QCOMPARE(engine_.kubectl({"get", "pod", name, "-o", "jsonpath={.spec.nodeName}"}).out, node);
    auto ran = engine_.kubectl({"create", "-f", "-"}, QByteArray(ask).replace("NODE", "nowhere"));
    QVERIFY2(!ran.ok() && ran.err.contains("NotFound"), qPrintable(ran.all()));
  }
};

QTEST_GUILESS_MAIN(InsightTest)
#include "insight_test.moc"
