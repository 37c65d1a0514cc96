// Logs as the user asks for them, turning over, and the bridge's way through a socket.
#include <QFile>
#include <QTemporaryDir>
#include <QTest>

#include <fcntl.h>
#include <unistd.h>

#include "agents/os/files.h"
#include "agents/serve/log_keeper.h"
#include "agents/serve/log_stream.h"

using namespace ph;
using namespace ph::agents;
using namespace std::chrono_literals;

namespace {

struct Answer : net::Responder {
  int status = 0;
  std::string body;
  bool ended = false;
  size_t behind = 0;
  std::function<void()> closed, drained;
  void send(net::Response r) override { status = r.status, body = r.bodyText(), ended = true; }
  void begin(int s, net::Headers) override { status = s; }
  void write(net::Buffer b) override { body += *b; }
  void end() override { ended = true; }
  size_t buffered() const override { return behind; }
  void onClose(std::function<void()> f) override { closed = std::move(f); }
  void onDrain(std::function<void()> f) override { drained = std::move(f); }
  void upgrade(std::string, std::function<void(Result<std::shared_ptr<net::WebSocket>>)>) override {}
};

std::string line(int n, const char* tag = "F") { return "2026-01-02T03:04:" + std::to_string(10 + n) + ".123456789Z stdout " + tag + " line " + std::to_string(n) + "\n"; }

std::string read(const std::string& file, const std::string& query, bool running = false) {
  auto sim = SimExecutor::make(1);
  auto q = parseLogQuery(query, *parseTime("2026-01-02T03:04:20Z"));
  if (!q.ok()) return "error: " + q.status().message;
  auto answer = std::make_shared<Answer>();
  LogStream::start(sim, sim, file, *q, answer, [running] { return running; });
  sim->runUntil([&] { return answer->ended; }, 10s);
  return answer->body;
}

}  // namespace

class ServeTest : public QObject {
  Q_OBJECT
 private slots:
  void logsAreRenderedCutAndDated() {
    QTemporaryDir dir;
    auto file = dir.path().toStdString() + "/0.log";
    std::string text;
    for (int i = 0; i < 10; ++i) text += line(i);
    QVERIFY(writeFile(file, text).ok());
    QVERIFY(read(file, "").starts_with("line 0\nline 1\n"));
    QCOMPARE(QString::fromStdString(read(file, "tailLines=2")), "line 8\nline 9\n");
    QCOMPARE(QString::fromStdString(read(file, "tailLines=0")), "");
    QCOMPARE(QString::fromStdString(read(file, "tailLines=1&timestamps=true")), "2026-01-02T03:04:19.123456789Z line 9\n");
    QCOMPARE(QString::fromStdString(read(file, "limitBytes=9")), "line 0\nli");
    QCOMPARE(QString::fromStdString(read(file, "sinceSeconds=2")), "line 8\nline 9\n");
    QCOMPARE(QString::fromStdString(read(file, "sinceTime=2026-01-02T03:04:19Z")), "line 9\n");
    QVERIFY(read(file, "tailLines=x").starts_with("error: tailLines"));
    QVERIFY(read(file, "tailLines=-1").starts_with("error: tailLines"));
  }

  void partialLinesAreJoined() {
    QTemporaryDir dir;
    auto file = dir.path().toStdString() + "/0.log";
    QVERIFY(writeFile(file, line(1, "P") + line(2)).ok());
    QCOMPARE(QString::fromStdString(read(file, "")), "line 1line 2\n");
  }

  void turnedOverFilesAreReadInOrder() {
    QTemporaryDir dir;
    auto file = dir.path().toStdString() + "/0.log";
    for (int i = 0; i < 7; ++i) {
      QVERIFY(writeFile(file, line(i)).ok());
      if (i < 6) turnOver(file, 5);
    }
    QCOMPARE(QString::fromStdString(read(file, "")), "line 2\nline 3\nline 4\nline 5\nline 6\n");  // five are kept
    QCOMPARE(QString::fromStdString(read(file, "tailLines=3")), "line 4\nline 5\nline 6\n");
  }

  void followingGoesOnUntilTheContainerEnds() {
    QTemporaryDir dir;
    auto file = dir.path().toStdString() + "/0.log";
    QVERIFY(writeFile(file, line(0)).ok());
    auto sim = SimExecutor::make(1);
    auto q = parseLogQuery("follow=true&tailLines=1", sim->wallNow());
    auto answer = std::make_shared<Answer>();
    bool running = true;
    LogStream::start(sim, sim, file, *q, answer, [&] { return running; });
    sim->runFor(2s);
    QCOMPARE(QString::fromStdString(answer->body), "line 0\n");
    QFile f(QString::fromStdString(file));
    QVERIFY(f.open(QIODevice::Append));
    f.write(line(1).c_str());
    f.flush();
    QVERIFY(sim->runUntil([&] { return answer->body == "line 0\nline 1\n"; }, 2s));
    turnOver(file, 5);  // under the reader
    QVERIFY(writeFile(file, line(2)).ok());
    QVERIFY(sim->runUntil([&] { return answer->body == "line 0\nline 1\nline 2\n"; }, 2s));
    QVERIFY(!answer->ended);
    running = false;
    QVERIFY(sim->runUntil([&] { return answer->ended; }, 2s));
  }

  void aSlowReaderIsWaitedFor() {
    QTemporaryDir dir;
    auto file = dir.path().toStdString() + "/0.log";
    std::string text;
    for (int i = 0; i < 20000; ++i) text += line(i % 10);
    QVERIFY(writeFile(file, text).ok());
    auto sim = SimExecutor::make(1);
    auto answer = std::make_shared<Answer>();
    answer->behind = 10 << 20;
    LogStream::start(sim, sim, file, LogQuery{}, answer, [] { return false; });
    sim->runFor(5s);
    QVERIFY(!answer->ended);
    QVERIFY(answer->body.size() < 300 * 1024);
    answer->behind = 0;
    answer->drained();
    QVERIFY(sim->runUntil([&] { return answer->ended; }, 5s));
    QCOMPARE(answer->body.size(), size_t(20000) * 7);
  }
};

QTEST_GUILESS_MAIN(ServeTest)
#include "serve_test.moc"
