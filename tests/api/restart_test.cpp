// The engine is killed and started again in the middle of applies, watches and lists: nothing that was acknowledged is lost,
// revisions never go back, and clients go on where they were.
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QTest>
#include <atomic>
#include <map>
#include <set>
#include <thread>

#include "tests/support/engine/checks.h"

using namespace ph;
using namespace ph::test;

namespace {

const std::string kMaps = "/api/v1/namespaces/default/configmaps";
const std::string kOurs = "labelSelector=set%3Dours";

qint64 revisionOf(const QJsonObject& object) { return object["metadata"].toObject()["resourceVersion"].toString().toLongLong(); }
QString nameOf(const QJsonObject& object) { return object["metadata"].toObject()["name"].toString(); }
qint64 countIn(const QJsonObject& object) { return object["data"].toObject()["n"].toString().toLongLong(); }

// Applies one object after the other, each time with a larger number.
struct Writer {
  std::map<QString, std::pair<qint64, qint64>> acknowledged;  // by name: number, revision
  qint64 last = 0;                                            // the newest revision it was told
  int failed = 0;
  QString wrong;

  void run(Http& http, int id, const std::atomic<bool>& stop) {
    for (int n = 1; !stop; ++n) {
      auto name = "w" + std::to_string(id) + "-" + std::to_string(n % 10);
      auto body = q("{'apiVersion':'v1','kind':'ConfigMap','metadata':{'name':'" + name + "','labels':{'set':'ours'}},'data':{'n':'" +
                    std::to_string(n) + "'}}");
      auto answer = http.send("PATCH", kMaps + "/" + name + "?fieldManager=w&force=true", body, {{"content-type", "application/apply-patch+yaml"}});
      if (answer.code != 200 && answer.code != 201) {
        if (answer.code != 0) wrong = QString::number(answer.code) + " " + answer.body;
        ++failed;
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        continue;
      }
      auto object = json(answer.body);
      auto revision = revisionOf(object);
      if (revision <= last) wrong = QString("revision %1 after %2").arg(revision).arg(last);
      last = revision;
      acknowledged[nameOf(object)] = {n, revision};
    }
  }
};

// Lists once, then watches; goes on from the last revision when a watch breaks off, and lists again only when told to.
struct Follower {
  std::map<QString, qint64> seen;  // by name: its number
  qint64 last = 0;
  int watches = 0, lists = 0;
  QString wrong;

  void run(Http& http, const std::atomic<bool>& stop) {
    while (!stop) {
      if (last == 0) {
        auto answer = http.get(kMaps + "?" + kOurs);
        if (answer.code != 200) {
          std::this_thread::sleep_for(std::chrono::milliseconds(20));
          continue;
        }
        ++lists;
        auto list = json(answer.body);
        last = revisionOf(list);
        seen.clear();
        for (auto item : list["items"].toArray()) seen[nameOf(item.toObject())] = countIn(item.toObject());
      }
      auto lines = http.watch(kMaps + "?watch=true&" + kOurs + "&resourceVersion=" + std::to_string(last));
      ++watches;
      while (!stop) {
        auto line = lines.next(100);
        if (line && !take(json(*line))) break;
        if (!line && lines.waitEnd(0)) break;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  }
  bool take(const QJsonObject& event) {
    auto object = event["object"].toObject();
    if (event["type"] == "ERROR") {
      if (object["code"].toInt() != 410) wrong = QJsonDocument(object).toJson();
      last = 0;
      return false;
    }
    auto revision = revisionOf(object);
    if (revision <= last) wrong = QString("event %1 after %2").arg(revision).arg(last);
    last = revision;
    auto& count = seen[nameOf(object)];
    if (countIn(object) <= count) wrong = nameOf(object) + QString(": %1 after %2").arg(countIn(object)).arg(count);
    count = countIn(object);
    return true;
  }
};

// Reads a set that nobody changes, page by page.
struct Pager {
  int whole = 0, expired = 0;
  QString wrong;
  void run(Http& http, size_t expected, const std::atomic<bool>& stop) {
    while (!stop) {
      std::string more;
      std::set<QString> names;
      qint64 revision = 0;
      while (!stop) {
        auto answer = http.get("/api/v1/namespaces/default/podtemplates?limit=7" + (more.empty() ? more : "&continue=" + more));
        if (answer.code == 0) {
          std::this_thread::sleep_for(std::chrono::milliseconds(20));
          continue;
        }
        auto list = json(answer.body);
        auto meta = list["metadata"].toObject();
        if (answer.code == 410) {
          // The answer says how to go on without the revision.
          ++expired;
          more = meta["continue"].toString().toStdString();
          if (more.empty()) wrong = "410 without a continue token";
          revision = 0;
          if (more.empty()) break;
          continue;
        }
        if (answer.code != 200) {
          wrong = QString::number(answer.code) + " " + answer.body;
          break;
        }
        if (revision && revisionOf(list) != revision) wrong = "pages of different revisions";
        revision = revisionOf(list);
        for (auto item : list["items"].toArray())
          if (!names.insert(nameOf(item.toObject())).second) wrong = "an item on two pages";
        more = QByteArray(meta["continue"].toString().toUtf8().toPercentEncoding()).toStdString();
        if (!more.empty()) continue;
        if (names.size() != expected) wrong = QString("%1 of %2 items").arg(names.size()).arg(expected);
        ++whole;
        break;
      }
    }
  }
};

}  // namespace

class RestartTest : public QObject {
  Q_OBJECT
 private slots:
  void clientsGoOnWhereTheyWere() {
    EngineProcess engine;
    QVERIFY2(engine.start(), qPrintable(engine.log()));
    constexpr size_t kPaged = 50;
    {
      Http http(engine, Http::admin(engine));
      for (size_t i = 0; i < kPaged; ++i) {
        auto made = http.post("/api/v1/namespaces/default/podtemplates", q("{'metadata':{'name':'p" + std::to_string(i) +
                              "'},'template':{'metadata':{'labels':{'k':'v'}},'spec':{'containers':[{'name':'c','image':'i:1'}]}}}"));
        QVERIFY2(made.code == 201, made.body.constData());
      }
    }
    std::atomic<bool> stop{false};
    std::vector<Writer> writers(6);
    std::vector<Follower> followers(2);
    Pager pager;
    std::vector<std::thread> threads;
    for (size_t i = 0; i < writers.size(); ++i)
      threads.emplace_back([&, i] {
        Http http(engine, Http::admin(engine), i % 2 == 0);
        writers[i].run(http, int(i), stop);
      });
    for (auto& follower : followers)
      threads.emplace_back([&] {
        Http http(engine, Http::admin(engine));
        follower.run(http, stop);
      });
    threads.emplace_back([&] {
      Http http(engine, Http::admin(engine));
      pager.run(http, kPaged, stop);
    });
    bool started = true;
    for (int round = 0; round < 3 && started; ++round) {
      QTest::qWait(1500);
      engine.kill9();
      QTest::qWait(100);
      started = engine.start();
    }
    QTest::qWait(1500);
    stop = true;
    for (auto& t : threads) t.join();
    QVERIFY2(started, qPrintable(engine.log()));

    Http http(engine, Http::admin(engine));
    auto list = json(http.get(kMaps + "?" + kOurs).body);
    std::map<QString, QJsonObject> stored;
    for (auto item : list["items"].toArray()) stored[nameOf(item.toObject())] = item.toObject();
    size_t acknowledged = 0;
    for (auto& writer : writers) {
      QVERIFY2(writer.wrong.isEmpty(), qPrintable(writer.wrong));
      for (auto& [name, what] : writer.acknowledged) {
        QVERIFY2(stored.contains(name), qPrintable(name));
        QVERIFY2(countIn(stored[name]) >= what.first, qPrintable(name));
        QVERIFY2(revisionOf(stored[name]) >= what.second, qPrintable(name));
        ++acknowledged;
      }
      QVERIFY(revisionOf(list) >= writer.last);
    }
    QCOMPARE(acknowledged, size_t(60));
    for (auto& follower : followers) {
      QVERIFY2(follower.wrong.isEmpty(), qPrintable(follower.wrong));
      QVERIFY(follower.watches >= 4);
      QVERIFY(follower.seen.size() == stored.size());
    }
    QVERIFY2(pager.wrong.isEmpty(), qPrintable(pager.wrong));
    QVERIFY(pager.whole > 0);
    qInfo("followers watched %d and listed %d times; %d whole sets of pages, %d pages expired", followers[0].watches, followers[0].lists,
          pager.whole, pager.expired);
  }
};

QTEST_GUILESS_MAIN(RestartTest)
#include "restart_test.moc"
