// The engine among peers that are slow, wrong, gone or hostile: a clear refusal, bounded memory, and everyone else is served.
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QTest>
#include <atomic>
#include <thread>

#include "tests/api/raw_peer.h"
#include "tests/support/engine/checks.h"

using namespace ph;
using namespace ph::test;

namespace {

const std::string kMaps = "/api/v1/namespaces/default/configmaps";

QByteArray head(const QByteArray& method, const QByteArray& path, const QByteArray& more = {}) {
  return method + " " + path + " HTTP/1.1\r\nhost: x\r\n" + more + "\r\n";
}

}  // namespace

class RobustnessTest : public QObject {
  Q_OBJECT
  std::unique_ptr<EngineProcess> engine_;
  std::unique_ptr<Http> http_;

  // Those that send a byte now and then, for as long as the other tests run.
  struct Slow {
    std::unique_ptr<RawPeer> peer;
    bool body = false;
    qint64 gone = 0;  // milliseconds
    int code = 0;
  };
  std::thread slow_;
  std::vector<Slow> slowOnes_;

  void beSlow() {
    QElapsedTimer timer;
    timer.start();
    for (int i = 0; i < 20; ++i) {
      slowOnes_.push_back({std::make_unique<RawPeer>(*engine_), i % 2 == 1});
      auto& one = slowOnes_.back();
      one.peer->send(one.body ? head("POST", "/api/v1/namespaces/default/configmaps", "content-length: 1000\r\n") + "{"
                              : QByteArray("GET /version HTTP/1.1\r\nhost: x\r\nx-slow: "));
    }
    auto left = slowOnes_.size();
    while (left && timer.elapsed() < 60000) {
      for (auto& one : slowOnes_) {
        if (one.gone) continue;
        // A head comes byte by byte; a body not at all.
        if (!one.body) one.peer->send("y", 100);
        one.peer->readUntil("never", 20);
        if (!one.peer->gone()) continue;
        one.gone = timer.elapsed();
        one.code = one.peer->code();
        --left;
      }
    }
    for (auto& one : slowOnes_) one.peer.reset();
  }
  bool alive() { return engine_->running() && http_->get("/readyz").code == 200; }
  // What the peak of memory grew by, in MiB, while `work` ran.
  template <class Work>
  double growth(Work work) {
    forgetPeak(engine_->pid());
    auto before = memoryOf(engine_->pid(), "VmRSS");
    work();
    return double(memoryOf(engine_->pid(), "VmHWM") - before) / 1024;
  }
  std::string put(const std::string& name, size_t bytes) {
    return q("{'metadata':{'name':'") + name + q("'},'data':{'k':'") + std::string(bytes, 'v') + q("'}}");
  }

 private slots:
  void initTestCase() {
    engine_ = std::make_unique<EngineProcess>();
    QVERIFY2(engine_->start(), qPrintable(engine_->log()));
    http_ = std::make_unique<Http>(*engine_, Http::admin(*engine_));
    QTRY_COMPARE(http_->get(kMaps + "/kube-root-ca.crt").code, 200);
    slow_ = std::thread([this] { beSlow(); });
  }
  void cleanupTestCase() {
    if (slow_.joinable()) slow_.join();
  }

  // ---- bodies -------------------------------------------------------------------------------------------------------

  void aBodyOf100MegabytesIsRefusedEarly() {
    constexpr qint64 kSize = 100 * 1024 * 1024;
    double grown = growth([&] {
      // Said beforehand: nothing of it is waited for.
      RawPeer said(*engine_);
      said.send(head("POST", "/api/v1/namespaces/default/configmaps", "content-length: " + QByteArray::number(kSize) + "\r\n"));
      said.readUntil("\r\n\r\n");
      QCOMPARE(said.code(), 413);
      // In chunks that never end.
      RawPeer chunked(*engine_);
      chunked.send(head("POST", "/api/v1/namespaces/default/configmaps", "transfer-encoding: chunked\r\n"));
      QByteArray chunk = "10000\r\n" + QByteArray(0x10000, ' ') + "\r\n";
      qint64 sent = 0;
      while (sent < kSize && chunked.send(chunk)) sent += chunk.size();
      QVERIFY2(sent < 20 * 1024 * 1024, qPrintable(QString::number(sent)));
      // Over HTTP/2, where the rest of the connection goes on.
      auto answer = http_->post(kMaps, std::string(size_t(kSize), ' '));
      CODE(answer, 413);
      QCOMPARE(json(answer.body)["reason"].toString(), "RequestEntityTooLarge");
    });
    QVERIFY2(grown < 24, qPrintable(QString::number(grown) + " MiB"));
    QVERIFY(alive());
  }

  void badBodies_data() {
    QTest::addColumn<QByteArray>("type");
    QTest::addColumn<QByteArray>("body");
    QTest::addColumn<int>("code");
    const char *json = "application/json", *yaml = "application/yaml";
    auto row = [](const char* name, const char* type, const QByteArray& body, int code) { QTest::newRow(name) << QByteArray(type) << body << code; };
    auto map = [](const QByteArray& data) { return "{\"metadata\":{\"name\":\"bad\"},\"data\":" + data + "}"; };
    row("JSON lists in lists", json, QByteArray(1000000, '['), 400);
    row("JSON objects in objects", json, QByteArray("{\"a\":").repeated(200000), 400);
    row("JSON nested in a free field", json, map(QByteArray(100000, '[') + QByteArray(100000, ']')), 400);
    row("YAML in YAML", yaml, "a:\n" + [] {
      QByteArray out;
      for (int i = 1; i < 1200; ++i) out += QByteArray(i, ' ') + "a:\n";
      return out;
    }(), 400);
    QByteArray bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n";
    for (int i = 1; i < 12; ++i) {
      auto below = "*a" + QByteArray::number(i - 1);
      QByteArrayList ten(10, below);
      bomb += "a" + QByteArray::number(i) + ": &a" + QByteArray::number(i) + " [" + ten.join(',') + "]\n";
    }
    row("YAML aliases of aliases", yaml, bomb, 400);
    row("YAML lists in lists", yaml, QByteArray(3 << 20, '['), 400);
    row("YAML in no encoding", yaml, "metadata: {name: bad}\ndata: {k: \"\xff\xfe\"}\n", 400);
    row("half a rune in YAML", yaml, "metadata: {name: bad}\ndata: {k: \"\xe2\x82\"}\n", 400);
    row("YAML that holds itself", yaml, "&a {metadata: {name: bad}, data: *a}", 400);
    row("a number that is none", json, "{\"metadata\":{\"name\":\"bad\",\"generation\":1e999999999}}", 400);
    row("a number of many digits", json, "{\"metadata\":{\"name\":\"bad\",\"generation\":" + QByteArray(100000, '9') + "}}", 400);
    row("invalid UTF-8", json, map("{\"k\":\"\xff\xfe\"}"), 400);
    row("half a surrogate", json, map("{\"k\":\"\\ud800\"}"), 400);
    row("a NUL", json, map("{\"k\":\"\\u0000\",\"j\":1}"), 400);
    row("nothing", json, "", 400);
    row("half", json, map("{\"k\":\"v\"").left(40), 400);
    row("two", json, map("{}") + map("{}"), 400);
    row("protobuf that lies about its length", "application/vnd.kubernetes.protobuf", QByteArray("k8s\0\x0a\xff\xff\xff\xff\x07", 10), 400);
  }
  void badBodies() {
    QFETCH(QByteArray, type);
    QFETCH(QByteArray, body);
    QFETCH(int, code);
    QElapsedTimer timer;
    timer.start();
    Answer answer;
    double grown = growth([&] {
      for (int i = 0; i < 3; ++i) answer = http_->send("POST", kMaps, body.toStdString(), {{"content-type", type.toStdString()}});
    });
    CODE(answer, code);
    QCOMPARE(json(answer.body)["kind"].toString(), "Status");
    QVERIFY2(timer.elapsed() < 5000, qPrintable(QString::number(timer.elapsed()) + " ms"));
    QVERIFY2(grown < 64, qPrintable(QString::number(grown) + " MiB"));
    CODE(http_->get(kMaps + "/bad"), 404);
  }

  void duplicateKeys() {
    std::string body = R"({"metadata":{"name":"twice"},"data":{"k":"1","k":"2"}})";
    auto answer = http_->post(kMaps + "?fieldValidation=Strict", body);
    CODE(answer, 400);
    QVERIFY(answer.body.contains("duplicate field"));
    answer = http_->post(kMaps, body);
    CODE(answer, 201);
    QVERIFY(QString::fromStdString(std::string(answer.headers.get("warning"))).contains("duplicate field"));
    QJsonValue data = json(answer.body)["data"];
    QCOMPARE(data["k"].toString(), "2");
  }

  // ---- HTTP/1 ---------------------------------------------------------------------------------------------------------

  void malformedHeads_data() {
    QTest::addColumn<QByteArray>("bytes");
    QTest::addColumn<int>("code");
    auto row = [](const char* name, const QByteArray& bytes, int code) { QTest::newRow(name) << bytes << code; };
    QByteArray post = "POST /api/v1/namespaces/default/configmaps HTTP/1.1\r\nhost: x\r\n", smuggled = "GET /smuggled HTTP/1.1\r\nhost: x\r\n\r\n";
    row("a length and chunks", post + "content-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n" + smuggled, 400);
    row("chunks and a length", post + "transfer-encoding: chunked\r\ncontent-length: 4\r\n\r\n0\r\n\r\n" + smuggled, 400);
    row("two lengths", post + "content-length: 4\r\ncontent-length: 5\r\n\r\nabcde" + smuggled, 400);
    row("a signed length", post + "content-length: +4\r\n\r\nabcd" + smuggled, 400);
    row("a length with a comma", post + "content-length: 4, 5\r\n\r\nabcde" + smuggled, 400);
    row("a space before the colon", post + "content-length : 4\r\n\r\nabcd" + smuggled, 400);
    row("another coding", post + "transfer-encoding: gzip\r\n\r\n" + smuggled, 400);
    row("chunked is not the last coding", post + "transfer-encoding: chunked, gzip\r\n\r\n0\r\n\r\n" + smuggled, 400);
    row("a coding that looks like chunked", post + "transfer-encoding: xchunked\r\n\r\n0\r\n\r\n" + smuggled, 400);
    row("chunked twice", post + "transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n" + smuggled, 400);
    row("chunks in HTTP/1.0", "POST / HTTP/1.0\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n" + smuggled, 400);
    row("a chunk's length is none", post + "transfer-encoding: chunked\r\n\r\nzz\r\nab\r\n0\r\n\r\n", 400);
    row("a chunk's length is huge", post + "transfer-encoding: chunked\r\n\r\nffffffffffffffffff\r\nab\r\n", 400);
    row("a chunk is longer than it says", post + "transfer-encoding: chunked\r\n\r\n2\r\nabcd\r\n0\r\n\r\n", 400);
    row("two hosts", "GET /version HTTP/1.1\r\nhost: x\r\nhost: y\r\n\r\n", 400);
    row("no host", "GET /version HTTP/1.1\r\n\r\n", 400);
    row("a NUL in a header", QByteArray("GET /version HTTP/1.1\r\nhost: x\r\na: b\0c\r\n\r\n", 42), 400);
    row("a bare CR", "GET /version HTTP/1.1\r\nhost: x\r\na: b\rc: d\r\n\r\n", 400);
    row("no version", "GET /version\r\n\r\n", 400);
    row("HTTP/3.7", "GET /version HTTP/3.7\r\nhost: x\r\n\r\n", 400);
    row("a path of 70 KB", "GET /" + QByteArray(70000, 'a') + " HTTP/1.1\r\nhost: x\r\n\r\n", 431);
    row("a header of 70 KB", "GET /version HTTP/1.1\r\nhost: x\r\na: " + QByteArray(70000, 'b') + "\r\n\r\n", 431);
    row("20,000 headers", "GET /version HTTP/1.1\r\nhost: x\r\n" + QByteArray("a: b\r\n").repeated(20000) + "\r\n", 431);
    row("noise", QByteArray("\x16\x03\x01\x02\x00\x01\x00", 7) + QByteArray(500, '\x7f'), 400);
    row("a malformed escape", "GET /api/v1/%zz HTTP/1.1\r\nhost: x\r\n\r\n", 400);
  }
  // One answer, and the connection is closed: what stands behind it is nobody's request.
  void malformedHeads() {
    QFETCH(QByteArray, bytes);
    QFETCH(int, code);
    RawPeer peer(*engine_);
    QVERIFY(peer.connected());
    peer.send(bytes, 2000);
    if (code == 400 && bytes.contains("%zz")) peer.readUntil("\r\n\r\n");
    else QVERIFY(peer.readToEnd(5000));
    QVERIFY2(peer.code() == code, peer.seen().left(500).constData());
    QCOMPARE(peer.seen().count("HTTP/1.1 "), 1);
    QVERIFY(!peer.seen().contains("smuggled"));
  }

  void aThousandHeadersAreServed() {
    RawPeer peer(*engine_);
    QByteArray many;
    for (int i = 0; i < 1000; ++i) many += "x-" + QByteArray::number(i) + ": y\r\n";
    peer.send(head("GET", "/version", many));
    peer.readUntil("gitVersion");
    QCOMPARE(peer.code(), 200);
  }

  // ---- HTTP/2 ---------------------------------------------------------------------------------------------------------

  void floodsOverHttp2_data() {
    QTest::addColumn<QByteArray>("piece");
    QTest::addColumn<int>("times");
    auto f = RawPeer::frame;
    QTest::newRow("settings") << f(4, 0, 0, QByteArray("\0\4\0\0\xff\xff", 6)) << 200000;
    QTest::newRow("pings") << f(6, 0, 0, "12345678") << 200000;
    QTest::newRow("priorities") << f(2, 0, 5, QByteArray("\0\0\0\0\x10", 5)) << 200000;
    QTest::newRow("empty headers that go on") << f(9, 0, 1, {}) << 200000;
    QTest::newRow("headers that go on") << f(9, 0, 1, RawPeer::field("x", QByteArray(120, 'y')).repeated(100)) << 2000;
    QTest::newRow("window updates") << f(8, 0, 0, QByteArray("\0\0\0\1", 4)) << 200000;
    QTest::newRow("frames of unknown types") << f(77, 0, 0, QByteArray(1000, 'x')) << 20000;
    QTest::newRow("empty data") << f(0, 0, 1, {}) << 200000;
  }
  void floodsOverHttp2() {
    QFETCH(QByteArray, piece);
    QFETCH(int, times);
    QElapsedTimer timer;
    timer.start();
    double grown = growth([&] {
      RawPeer peer(*engine_, "h2");
      QVERIFY(peer.connected());
      peer.send(RawPeer::preface());
      bool goesOn = piece.size() > 3 && piece[3] == 9;
      if (goesOn) peer.send(RawPeer::frame(1, 1, 1, RawPeer::get("/version")));
      if (piece.size() > 3 && piece[3] == 0) peer.send(RawPeer::frame(1, 4, 1, RawPeer::get("/version")));
      int at = std::max(1, int(60000 / piece.size()));
      for (int i = 0; i < times && timer.elapsed() < 10000; i += at)
        if (!peer.send(piece.repeated(at), 1000)) break;  // what is not read, or closed, is no flood any more
    });
    QVERIFY2(grown < 32, qPrintable(QString::number(grown) + " MiB"));
    QVERIFY(alive());
    QVERIFY(timer.elapsed() < 15000);
  }

  // CVE-2023-44487: streams that are opened and reset at once.
  void rapidResets() {
    double grown = growth([&] {
      RawPeer peer(*engine_, "h2");
      peer.send(RawPeer::preface());
      bool stopped = false;
      for (quint32 id = 1; id < 100000 && !stopped; id += 200) {
        QByteArray burst;
        for (quint32 i = id; i < id + 200; i += 2)
          burst += RawPeer::frame(1, 5, i, RawPeer::get("/api/v1/pods")) + RawPeer::frame(3, 0, i, QByteArray("\0\0\0\x8", 4));
        stopped = !peer.send(burst, 2000);
        peer.readUntil("never", 1);
        stopped = stopped || peer.sawFrame(7);
      }
      QVERIFY(stopped);  // by a GOAWAY, or the connection's end
    });
    QVERIFY2(grown < 32, qPrintable(QString::number(grown) + " MiB"));
    QVERIFY(alive());
  }

  // A few bytes that stand for many: a header in the table, named over and over.
  void headersThatUnpackToMuch() {
    double grown = growth([&] {
      RawPeer peer(*engine_, "h2");
      peer.send(RawPeer::preface());
      QByteArray block = RawPeer::get("/version");
      block += "\x40\x01x\x7f\xa1\x1e" + QByteArray(4000, 'y');  // into the table, where it has number 62
      peer.send(RawPeer::frame(1, 5, 1, block + QByteArray(12000, '\xbe')));
      for (quint32 id = 3; id < 40; id += 2) peer.send(RawPeer::frame(1, 5, id, RawPeer::get("/version") + QByteArray(15000, '\xbe')), 2000);
      peer.readToEnd(1000);
      QVERIFY(peer.sawFrame(1) || peer.sawFrame(3) || peer.sawFrame(7));
    });
    QVERIFY2(grown < 16, qPrintable(QString::number(grown) + " MiB"));
    QVERIFY(alive());
  }

  // ---- those who go, and those who don't read ---------------------------------------------------------------------------

  void clientsVanish() {
    for (int i = 0; i < 1000; ++i) {
      auto made = http_->post(kMaps, put("v" + std::to_string(i), 2000));
      QVERIFY(made.code == 201 || made.code == 409);
    }
    auto connections = metric(*http_, "pilothouse_connections");
    auto descriptors = descriptorsOf(engine_->pid());
    auto watchers = metric(*http_, "apiserver_registered_watchers");
    for (int round = 0; round < 3; ++round) {
      std::vector<std::unique_ptr<RawPeer>> peers;
      for (int i = 0; i < 30; ++i) {
        peers.push_back(std::make_unique<RawPeer>(*engine_));
        auto& p = *peers.back();
        QVERIFY(p.connected());
        switch (i % 4) {
          case 0: p.send(head("GET", "/api/v1/configmaps")); break;
          case 1: p.send(head("GET", "/api/v1/configmaps?watch=true")); break;
          case 2: p.send(head("POST", "/api/v1/namespaces/default/configmaps", "content-length: 100000\r\n") + QByteArray(5000, ' ')); break;
          default: p.send(head("GET", "/api/v1/configmaps?watch=true&resourceVersion=0&allowWatchBookmarks=true"));
        }
        if (i % 4 != 2) p.readUntil("HTTP/1.1 200");
      }
      for (auto& p : peers) p->abort();
    }
    QTRY_VERIFY_WITH_TIMEOUT(metric(*http_, "pilothouse_connections") <= connections, 10000);
    QTRY_VERIFY_WITH_TIMEOUT(metric(*http_, "apiserver_registered_watchers") <= watchers, 10000);
    QTRY_VERIFY_WITH_TIMEOUT(descriptorsOf(engine_->pid()) <= descriptors, 10000);
    QTRY_COMPARE(metric(*http_, "apiserver_longrunning_requests{verb=\"WATCH\"}"), 0.0);
    QTRY_COMPARE(metric(*http_, "apiserver_current_inflight_requests{request_kind=\"mutating\"}"), 0.0);
  }

  void watchersThatNeverRead_data() {
    QTest::addColumn<QByteArray>("protocol");
    QTest::newRow("HTTP/1") << QByteArray("http/1.1");
    QTest::newRow("HTTP/2") << QByteArray("h2");
  }
  // They are let go of; nothing piles up for them. Over HTTP/2 the connection lives on, only the stream's window stays shut.
  void watchersThatNeverRead() {
    QFETCH(QByteArray, protocol);
    auto ns = protocol == "h2" ? std::string("deaf2") : std::string("deaf1");
    CODE(http_->post("/api/v1/namespaces", q("{'metadata':{'name':'" + ns + "'}}")), 201);
    auto path = "/api/v1/namespaces/" + ns + "/secrets";
    CODE(http_->post(path, put("s", 12)), 201);
    auto before = metric(*http_, "apiserver_registered_watchers");
    std::vector<std::unique_ptr<RawPeer>> peers;
    for (int i = 0; i < 10; ++i) {
      peers.push_back(std::make_unique<RawPeer>(*engine_, protocol));
      auto& p = *peers.back();
      auto watch = QByteArray::fromStdString(path) + "?watch=true&resourceVersion=0";
      if (protocol == "h2") {
        p.send(RawPeer::preface() + RawPeer::frame(1, 5, 1, RawPeer::get(watch)));
        QVERIFY(p.waitFrame(1, 1));
      } else {
        p.send(head("GET", watch));
        p.readUntil("ADDED");
        QCOMPARE(p.code(), 200);
        p.dontRead();
      }
    }
    QCOMPARE(metric(*http_, "apiserver_registered_watchers"), before + 10);
    // 80 MB of events.
    double grown = growth([&] {
      for (int i = 0; i < 400; ++i)
        CODE(http_->patch(path + "/s", q("{'stringData':{'k':'") + std::to_string(i) + std::string(150000, 'x') + q("'}}")), 200);
    });
    if (protocol == "h2") {
      for (auto& p : peers) QVERIFY(p->waitFrame(3, 1, 20000));  // RST_STREAM
      QVERIFY(!peers[0]->gone());
    }
    QTRY_COMPARE_WITH_TIMEOUT(metric(*http_, "apiserver_registered_watchers"), before, 60000);
    // The history that the cache keeps for others (24 MiB), one shared copy of what is under way (16 MiB), and the allocator's share.
    QVERIFY2(grown < 120, qPrintable(QString::number(grown) + " MiB"));
    qInfo("%.1f MiB", grown);
  }

  // ---- at the end -------------------------------------------------------------------------------------------------------

  void slowOnesWereClosed() {
    slow_.join();
    for (auto& one : slowOnes_) {
      QVERIFY2(one.gone, one.body ? "a body that does not come is waited for" : "a head that does not end is waited for");
      QVERIFY2(one.gone > (one.body ? 25000 : 10000), qPrintable(QString::number(one.gone)));
      QVERIFY2(one.gone < (one.body ? 50000 : 30000), qPrintable(QString::number(one.gone)));
      QCOMPARE(one.code, 408);
    }
    slowOnes_.clear();
  }
};

QTEST_GUILESS_MAIN(RobustnessTest)
#include "robustness_test.moc"
