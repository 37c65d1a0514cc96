// What was acknowledged survives kill -9; one engine a data directory; a clean stop.
#include <QJsonDocument>
#include <QJsonObject>
#include <QTest>
#include <atomic>
#include <set>

#include "tests/support/engine/engine_process.h"

using namespace ph;
using namespace ph::test;

class DurabilityTest : public QObject {
  Q_OBJECT

  static std::string configMap(const std::string& name) {
    return q("{'apiVersion':'v1','kind':'ConfigMap','metadata':{'name':'") + name + q("'},'data':{'k':'v'}}");
  }

 private slots:
  void nothingAcknowledgedIsMissingAfterKill9() {
    EngineProcess engine;
    QVERIFY2(engine.start(), qPrintable(engine.log()));
    std::set<std::string> acknowledged;
    int round = 0;
    for (; round < 3; ++round) {
      std::mutex mutex;
      std::atomic<int> answered{0};
      {
        Http http(engine, Http::admin(engine));
        // Writes in flight when the blow comes: each is either acknowledged and kept, or nobody was told that it is there.
        for (int i = 0; i < 2000; ++i) {
          std::string name = "c" + std::to_string(round) + "-" + std::to_string(i);
          net::Request request;
          request.method = "POST";
          request.path = "/api/v1/namespaces/default/configmaps";
          request.headers.add("content-type", "application/json");
          request.body = configMap(name);
          http.client()->send(std::move(request), std::chrono::seconds(20), [&, name](Result<net::Response> result) {
            if (result.ok() && result->status == 201) {
              std::lock_guard lock(mutex);
              acknowledged.insert(name);
            }
            ++answered;
          });
        }
        QTRY_VERIFY(answered > 300);
        engine.kill9();
        QTRY_COMPARE(answered.load(), 2000);
      }
      QVERIFY2(engine.start(), qPrintable(engine.log()));
      Http http(engine, Http::admin(engine));
      auto list = http.get("/api/v1/namespaces/default/configmaps");
      QCOMPARE(list.code, 200);
      for (auto& name : acknowledged)
        QVERIFY2(list.body.contains("\"name\":\"" + QByteArray::fromStdString(name) + "\""), name.c_str());
    }
    QVERIFY(acknowledged.size() > 900);
  }

  void revisionsGoOnAfterARestart() {
    EngineProcess engine;
    QVERIFY(engine.start());
    auto revisionOf = [&](const QByteArray& body) {
      return QJsonDocument::fromJson(body)["metadata"]["resourceVersion"].toString().toLongLong();
    };
    qint64 before;
    {
      Http http(engine, Http::admin(engine));
      // Every namespace holds this one soon: what comes after it is ours.
      QTRY_COMPARE(http.get("/api/v1/namespaces/default/configmaps/kube-root-ca.crt").code, 200);
      before = revisionOf(http.post("/api/v1/namespaces/default/configmaps", configMap("a")).body);
      QVERIFY(before > 0);
    }
    QVERIFY(engine.stop());
    QVERIFY(engine.start());
    Http http(engine, Http::admin(engine));
    auto read = http.get("/api/v1/namespaces/default/configmaps/a");
    QCOMPARE(revisionOf(read.body), before);
    auto after = revisionOf(http.post("/api/v1/namespaces/default/configmaps", configMap("b")).body);
    QVERIFY(after > before);
    // A watch from before the restart goes on where it was.
    auto lines = http.watch("/api/v1/namespaces/default/configmaps?watch=1&resourceVersion=" + std::to_string(before));
    QCOMPARE(lines.code(), 200);
    auto line = lines.next();
    QVERIFY(line && line->contains("\"name\":\"b\""));
  }

  void aSecondStartNamesTheFirstAndExits() {
    EngineProcess engine;
    QVERIFY(engine.start());
    auto second = runProgram(QString(PH_BIN_DIR) + "/pilothouse-engine",
                             {"serve", "--data", engine.dataDir(), "--listen", "127.0.0.1:0"}, {}, 20);
    QVERIFY(second.code > 0);
    QVERIFY2(second.err.contains(QString::number(engine.pid())), qPrintable(second.all()));
    QVERIFY(!second.out.contains("ready"));
    Http http(engine, Http::admin(engine));
    QCOMPARE(http.get("/readyz").body, QByteArray("ok"));
  }

  void itSaysReadyAndStopsCleanly() {
    EngineProcess engine;
    QVERIFY(engine.start());
    QVERIFY2(QRegularExpression("^ready https://127\\.0\\.0\\.1:\\d+ in \\d+ ms$").match(engine.readyLine()).hasMatch(),
             qPrintable(engine.readyLine()));
    auto info = QFileInfo(engine.kubeconfig());
    QCOMPARE(int(info.permissions() & 0x777), 0x600 & 0x777);
    auto config = engine.file("admin.kubeconfig");
    for (auto field : {"certificate-authority-data", "client-certificate-data", "client-key-data"})
      QVERIFY2(QRegularExpression("^ +" + QString(field) + ": \\S+$", QRegularExpression::MultilineOption)
                   .match(QString::fromUtf8(config)).hasMatch(), field);
    auto bound = engine.address();
    auto taken = runProgram(QString(PH_BIN_DIR) + "/pilothouse-engine",
                            {"serve", "--data", engine.home() + "/other", "--listen", bound}, {}, 20);
    QVERIFY(taken.code > 0);
    QVERIFY2(taken.err.contains("in use") || taken.err.contains(bound), qPrintable(taken.all()));
    QVERIFY(engine.stop());
  }
};

QTEST_GUILESS_MAIN(DurabilityTest)
#include "durability_test.moc"
