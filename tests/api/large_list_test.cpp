// Lists and watches of many objects leave as the client takes them: no copy of them stands in memory.
// PH_LIST_OBJECTS: how many objects (100000 is what the engine is made for).
#include <QElapsedTimer>
#include <QTest>
#include <atomic>
#include <condition_variable>

#include "tests/api/raw_peer.h"

using namespace ph;
using namespace ph::test;

namespace {

const std::string kTable = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";
const std::string kProtobuf = "application/vnd.kubernetes.protobuf";

struct Taken {
  std::mutex mutex;
  std::condition_variable changed;
  int code = 0;
  size_t bytes = 0;
  QByteArray end;  // the last bytes
  bool over = false, good = false, bookmark = false;
};

}  // namespace

class LargeListTest : public QObject {
  Q_OBJECT
  EngineProcess engine_;
  std::unique_ptr<Http> http_;
  int count_ = 20000;

  bool fill() {
    std::atomic<int> answered{0}, made{0}, asked{0};
    std::function<void()> one = [&] {
      int i = asked++;
      if (i >= count_) return;
      net::Request request;
      request.method = "POST";
      request.path = "/api/v1/namespaces/default/configmaps";
      request.headers.add("content-type", "application/json");
      request.body = q("{'metadata':{'name':'c" + std::to_string(i) + "'},'data':{'k':'" + std::string(1000, 'v') + "'}}");
      http_->client()->send(std::move(request), std::chrono::seconds(60), [&](Result<net::Response> result) {
        if (result.ok() && result->status == 201) ++made;
        ++answered;
        one();
      });
    };
    for (int i = 0; i < 64; ++i) one();
    QElapsedTimer timer;
    timer.start();
    while (answered < count_ && timer.elapsed() < 240000) QTest::qWait(50);
    qInfo("%d objects made in %.1f s", made.load(), double(timer.elapsed()) / 1000);
    return made == count_;
  }

  // Reads an answer; stops for a while after the first bytes, as a slow client does.
  std::shared_ptr<Taken> take(Http& http, const std::string& query, const std::string& accept, bool watch) {
    auto taken = std::make_shared<Taken>();
    net::Request request;
    request.path = "/api/v1/configmaps";
    request.query = query;
    request.headers.add("accept", accept);
    net::StreamCallbacks callbacks;
    callbacks.onHeaders = [taken](int code, const net::Headers&) {
      std::lock_guard lock(taken->mutex);
      taken->code = code;
    };
    callbacks.onData = [taken](std::string_view data) {
      std::lock_guard lock(taken->mutex);
      taken->bytes += data.size();
      taken->end.append(data.data(), qsizetype(data.size()));
      taken->bookmark = taken->bookmark || taken->end.contains("initial-events-end");
      if (taken->end.size() > 4096) taken->end = taken->end.right(2048);
      taken->changed.notify_all();
    };
    callbacks.onEnd = [taken](Result<net::Headers> end) {
      std::lock_guard lock(taken->mutex);
      taken->over = true;
      taken->good = end.ok();
      taken->changed.notify_all();
    };
    auto stream = http.client()->stream(std::move(request), std::move(callbacks));
    std::unique_lock lock(taken->mutex);
    taken->changed.wait_for(lock, std::chrono::seconds(10), [&] { return taken->bytes > 0; });
    lock.unlock();
    stream->pause(true);
    QTest::qWait(1000);
    stream->pause(false);
    lock.lock();
    taken->changed.wait_for(lock, std::chrono::seconds(60), [&] { return taken->over || (watch && taken->bookmark); });
    return taken;
  }

 private slots:
  void initTestCase() {
    if (auto given = qEnvironmentVariableIntValue("PH_LIST_OBJECTS")) count_ = given;
    QVERIFY2(engine_.start({"--audit-log", "off"}), qPrintable(engine_.log()));
    http_ = std::make_unique<Http>(engine_, Http::admin(engine_));
    QVERIFY(fill());
    // What making them left: queues, the events that watches may ask for (a minute, or 24 MiB).
    qInfo("resident %.1f MiB", double(memoryOf(engine_.pid(), "VmRSS")) / 1024);
  }

  void itLeavesInPieces_data() {
    QTest::addColumn<QString>("query");
    QTest::addColumn<QString>("accept");
    QTest::addColumn<bool>("http2");
    for (bool http2 : {false, true}) {
      auto row = [&](const char* name, const char* query, const std::string& accept) {
        QTest::addRow("%s, %s", name, http2 ? "HTTP/2" : "HTTP/1") << QString(query) << QString::fromStdString(accept) << http2;
      };
      row("JSON", "", "application/json");
      row("protobuf", "", kProtobuf);
      row("Table", "", kTable);
      row("YAML", "limit=5000", "application/yaml");
      const char* watch = "watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true";
      row("first events of a watch", watch, "application/json");
      row("first events of a watch as Tables", watch, "application/json;as=Table;v=v1;g=meta.k8s.io");
    }
  }
  void itLeavesInPieces() {
    QFETCH(QString, query);
    QFETCH(QString, accept);
    QFETCH(bool, http2);
    Http http(engine_, Http::admin(engine_), http2);
    bool watch = query.startsWith("watch");
    QVERIFY(forgetPeak(engine_.pid()));
    auto before = memoryOf(engine_.pid(), "VmRSS");
    QElapsedTimer timer;
    timer.start();
    auto taken = take(http, query.toStdString(), accept.toStdString(), watch);
    auto elapsed = timer.elapsed() - 1000;
    double peak = double(memoryOf(engine_.pid(), "VmHWM") - before) / 1024, after = double(memoryOf(engine_.pid(), "VmRSS") - before) / 1024;
    std::lock_guard lock(taken->mutex);
    QCOMPARE(taken->code, 200);
    QVERIFY(watch ? taken->bookmark : taken->over && taken->good);
    if (accept == "application/json") QVERIFY2(taken->bytes > size_t(count_) * 1000, qPrintable(QString::number(taken->bytes)));
    qInfo("%.1f MB in %.2f s; at most %.1f MiB more, %.1f MiB after", double(taken->bytes) / 1e6, double(elapsed) / 1000, peak, after);
    QVERIFY2(peak < kMost, qPrintable(QString::number(peak) + " MiB"));
  }

 private:
  static constexpr double kMost = 12;  // MiB
};

QTEST_GUILESS_MAIN(LargeListTest)
#include "large_list_test.moc"
