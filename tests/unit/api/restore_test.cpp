// Objects taken back from the store, and the reading of one member.
#include <QtTest>

#include "engine/api/restore.h"
#include "tests/unit/api/restore_samples.h"
#include "tests/unit/api/support.h"

using namespace ph;
using namespace ph::api;
using namespace ph::api::test;

class RestoreTest : public QObject {
  Q_OBJECT

 private slots:
  void theBytesAreKept() {
    auto stored = Object::make(kind("Pod"), *parseJson(kPod), 0)->stored();
    auto parsed = Object::parse(kind("Pod"), stored, 8);
    auto kept = restoreObject(kind("Pod"), stored, 8);
    QVERIFY(parsed.ok() && kept.ok());
    QCOMPARE((*kept)->stored(), stored);
    QCOMPARE((*kept)->json(), (*parsed)->json());
    QCOMPARE((*kept)->key(), std::string("ns/p"));
    QCOMPARE((*kept)->revision(), int64_t(8));
    auto &a = (*kept)->meta(), &b = (*parsed)->meta();
    QVERIFY(a.uid == b.uid && a.labels == b.labels && a.finalizers == b.finalizers && a.generation == b.generation);
    QVERIFY(a.deleting && a.deletionTime == b.deletionTime && a.deletionGraceSeconds == 9);
  }

  void whatWasStoredOtherwiseIsWrittenAnew() {
    auto renewed = restoreObject(kind("Deployment"), kOtherVersion, 5);
    QVERIFY(renewed.ok());
    QCOMPARE((*renewed)->json(), std::string(kOtherVersionNow));
    auto carried = restoreObject(kind("Pod"), kWithRevision, 5);
    QVERIFY(carried.ok());
    QCOMPARE((*carried)->json(), std::string(kWithRevisionNow));
  }

  void whatIsDamagedIsNoObject() {
    auto stored = Object::make(kind("Pod"), *parseJson(kPod), 0)->stored();
    for (size_t i = 0; i < stored.size(); ++i)
      QVERIFY2(!restoreObject(kind("Pod"), stored.substr(0, i), 8).ok(), qPrintable(QString::number(i)));
    QVERIFY(!restoreObject(kind("Pod"), stored + "x", 8).ok());
    for (auto* text : kNoObjects) QVERIFY2(!restoreObject(kind("Pod"), text, 8).ok(), text);
  }

  void members() {
    for (auto& m : kMembers) {
      auto found = parseMember(m.text, "b");
      QCOMPARE(found.ok() ? toText(*found) : found.status().reason, std::string(m.b));
    }
    QVERIFY(!parseMember(std::string(200, '['), "b").ok());
    std::string text(20000, 'k');  // more than the parser takes at once
    auto found = parseMember("{\"" + text + "\":1,\"b\":\"" + text + "\"}", "b");
    QVERIFY(found.ok());
    QCOMPARE(toText(*found), "\"" + text + "\"");
  }
};

QTEST_APPLESS_MAIN(RestoreTest)
#include "restore_test.moc"
