// SQLite against the world: kill -9 at any moment, a full disk, strange files, a second start.
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <QFile>
#include <QTemporaryDir>
#include <atomic>
#include <random>
#include <thread>

#include "tests/contract/store/store_fixture.h"

using namespace ph;
using namespace ph::store;
using namespace ph::store::testing;

namespace {

constexpr const char* kWriterFlag = "--write-until-killed";

struct Acknowledged {
  int64_t revision;
  uint32_t key, value;
  bool erased;
};

// Runs in a process of its own (this program, started again): writes, deletes and compacts without end, and
// tells through the pipe what was acknowledged. What it wrote whole into the pipe before it died counts.
[[noreturn]] void writeUntilKilled(const std::string& dir, int out, unsigned seed) {
  auto opened = openSqlite(dir);
  if (!opened.ok()) _exit(3);
  Store& store = **opened;
  std::mt19937 random(seed);
  std::atomic<int> inFlight{0};
  for (uint32_t i = 0;; ++i) {
    while (inFlight > 40) std::this_thread::yield();
    uint32_t key = random() % 60, value = random();
    bool erase = random() % 8 == 0;
    ++inFlight;
    auto payload = erase ? nullptr : bytes(std::to_string(value) + std::string(random() % 2000, '.'));
    store.commit({{{"/k" + std::to_string(key), payload, {}}}, [=, &inFlight](Answer a) {
                    if (a.ok()) {
                      Acknowledged ack{a->at(0), key, value, erase};
                      if (write(out, &ack, sizeof ack) != sizeof ack) _exit(4);
                    }
                    --inFlight;
                  }});
    if (i % 500 == 499) store.compact(store.revision() - 100, nullptr);
  }
}

}  // namespace

class SqliteDurability : public QObject {
  Q_OBJECT
 private slots:
  // Whatever was acknowledged before the kill is there after it, in many lives of one store.
  void killedAtAnyMoment() {
    QTemporaryDir dir;
    std::string path = dir.path().toStdString();
    std::map<uint32_t, Acknowledged> last;  // by key, the newest acknowledged
    std::mt19937 random(12345);
    int64_t highest = 0;
    size_t total = 0;
    for (int life = 0; life < 15; ++life) {
      int pipes[2];
      QVERIFY(pipe(pipes) == 0);
      pid_t child = fork();
      if (child == 0) {
        std::string out = std::to_string(pipes[1]), seed = std::to_string(life);
        execl("/proc/self/exe", "test", kWriterFlag, path.c_str(), out.c_str(), seed.c_str(), nullptr);
        _exit(5);
      }
      close(pipes[1]);
      std::vector<Acknowledged> acks;
      size_t target = 20 + random() % 3000;
      auto take = [&] {
        Acknowledged ack;
        ssize_t n = 0;
        for (size_t got = 0; got < sizeof ack; got += size_t(n))
          if ((n = read(pipes[0], reinterpret_cast<char*>(&ack) + got, sizeof ack - got)) <= 0) return false;
        acks.push_back(ack);
        return true;
      };
      while (acks.size() < target && take()) {
      }
      QVERIFY(kill(child, SIGKILL) == 0);
      while (take()) {
      }
      close(pipes[0]);
      int status = 0;
      waitpid(child, &status, 0);
      QVERIFY(WIFSIGNALED(status));
      QVERIFY(acks.size() >= target);
      total += acks.size();
      for (auto& ack : acks) {
        QVERIFY(ack.revision > highest);  // a revision is never given twice, not even over a crash
        highest = ack.revision;
        last[ack.key] = ack;
      }
      auto opened = openSqlite(path);
      QVERIFY2(opened.ok(), opened.ok() ? "" : opened.status().message.c_str());
      Store& store = **opened;
      QVERIFY(store.revision() >= highest);
      for (auto& [key, ack] : last) {
        auto now = store.recordAt("/k" + std::to_string(key), INT64_MAX);
        QVERIFY(now.ok());
        // An unacknowledged later write may be there; nothing older may.
        if (!*now) {
          QVERIFY(ack.erased && ack.revision <= store.compactedRevision());
          continue;
        }
        QVERIFY((*now)->revision >= ack.revision);
        if ((*now)->revision != ack.revision) continue;
        QCOMPARE((*now)->value == nullptr, ack.erased);
        if (!ack.erased) QVERIFY((*now)->value->starts_with(std::to_string(ack.value)));
      }
      highest = store.revision();
    }
    QVERIFY(total > 10000);
  }

  void aSecondStartNamesTheFirst() {
    QTemporaryDir dir;
    std::string path = dir.path().toStdString();
    auto first = openSqlite(path);
    QVERIFY(first.ok());
    auto second = openSqlite(path);
    QVERIFY(!second.ok());
    QCOMPARE(second.status().code, 409);
    std::string name = "process " + std::to_string(getpid());
    QVERIFY2(second.status().message.find(name) != std::string::npos, second.status().message.c_str());
    first->reset();
    QVERIFY(openSqlite(path).ok());
  }

  void strangeFilesAreRefusedUntouched() {
    QTemporaryDir dir;
    std::string path = dir.path().toStdString();
    QFile file(dir.filePath("state.db"));
    QVERIFY(file.open(QIODevice::WriteOnly));
    file.write(QByteArray("this is no database, but it is somebody's text\n").repeated(100));
    file.close();
    auto opened = openSqlite(path);
    QVERIFY(!opened.ok());
    QVERIFY2(opened.status().message.find("state.db") != std::string::npos, opened.status().message.c_str());
    QVERIFY(file.open(QIODevice::ReadOnly));
    QVERIFY(file.readAll().startsWith("this is no database"));
    file.close();

    file.remove();
    sqlite3* other = nullptr;
    QCOMPARE(sqlite3_open((path + "/state.db").c_str(), &other), SQLITE_OK);
    QCOMPARE(
        sqlite3_exec(other, "CREATE TABLE recipes(name); PRAGMA user_version = 1", nullptr, nullptr, nullptr),
        SQLITE_OK);
    sqlite3_close(other);
    opened = openSqlite(path);
    QVERIFY(!opened.ok());
    QVERIFY2(opened.status().message.find("not a Pilothouse store") != std::string::npos,
             opened.status().message.c_str());
  }

  void aNewerFormatIsRefused() {
    QTemporaryDir dir;
    std::string path = dir.path().toStdString();
    QVERIFY(openSqlite(path).ok());
    sqlite3* raw = nullptr;
    QCOMPARE(sqlite3_open((path + "/state.db").c_str(), &raw), SQLITE_OK);
    QCOMPARE(sqlite3_exec(raw, "PRAGMA user_version = 99", nullptr, nullptr, nullptr), SQLITE_OK);
    sqlite3_close(raw);
    auto opened = openSqlite(path);
    QVERIFY(!opened.ok());
    QVERIFY2(opened.status().message.find("newer version") != std::string::npos,
             opened.status().message.c_str());
  }

  void aDamagedFileIsReported() {
    QTemporaryDir dir;
    std::string path = dir.path().toStdString();
    {
      auto store = std::move(*openSqlite(path));
      for (int i = 0; i < 300; ++i) QVERIFY(put(*store, "/k" + std::to_string(i), std::string(500, 'v')) > 0);
    }
    QFile file(dir.filePath("state.db"));
    QVERIFY(file.open(QIODevice::ReadWrite));
    QVERIFY(file.size() > 100000);
    for (qint64 at = 3 * 4096; at + 4096 <= file.size(); at += 4096) {
      file.seek(at);
      file.write(QByteArray(2048, '\x5a'));
    }
    file.close();
    auto opened = openSqlite(path);
    Result<> loaded = opened.ok() ? (*opened)->load([](Record) {}) : Result<>(opened.status());
    QVERIFY(!loaded.ok());
    QVERIFY2(loaded.status().message.find("malformed") != std::string::npos, loaded.status().message.c_str());
  }

  // The disk is full (files may not grow): the batch fails whole, later writes get the first cause, reading
  // goes on, and after the next start everything acknowledged is there and writing works again.
  void fullDisk() {
    QTemporaryDir dir;
    std::string path = dir.path().toStdString();
    auto store = std::move(*openSqlite(path));
    signal(SIGXFSZ, SIG_IGN);
    rlimit before{};
    getrlimit(RLIMIT_FSIZE, &before);
    rlimit tight{2 << 20, before.rlim_max};
    QVERIFY(setrlimit(RLIMIT_FSIZE, &tight) == 0);
    std::map<std::string, int64_t> acknowledged;
    Status failure;
    for (int i = 0; i < 10000; ++i) {
      std::string key = "/k" + std::to_string(i);
      auto answer = commit(*store, {{key, bytes(std::string(10000, 'v')), 0}});
      if (!answer.ok()) {
        failure = answer.status();
        break;
      }
      acknowledged[key] = answer->at(0);
    }
    QVERIFY(acknowledged.size() > 50);
    QCOMPARE(failure.code, 503);
    QVERIFY2(failure.message.find("read-only") != std::string::npos &&
                 failure.message.find("state.db") != std::string::npos,
             failure.message.c_str());
    QVERIFY(setrlimit(RLIMIT_FSIZE, &before) == 0);
    auto later = commit(*store, {{"/later", bytes("x"), {}}});
    QVERIFY(!later.ok());
    QCOMPARE(later.status().message, failure.message);
    QVERIFY(!store->health().ok());
    size_t found = 0;
    QVERIFY(store->load([&](Record r) { found += acknowledged.count(r.key); }).ok());
    QCOMPARE(found, acknowledged.size());
    store.reset();
    store = std::move(*openSqlite(path));
    found = 0;
    QVERIFY(store->load([&](Record r) { found += acknowledged.count(r.key); }).ok());
    QCOMPARE(found, acknowledged.size());
    QVERIFY(put(*store, "/later", "x") > acknowledged.rbegin()->second);
  }
};

int main(int argc, char** argv) {
  if (argc == 5 && std::string_view(argv[1]) == kWriterFlag)
    writeUntilKilled(argv[2], std::atoi(argv[3]), unsigned(std::atoi(argv[4])));
  QCoreApplication app(argc, argv);
  SqliteDurability test;
  return QTest::qExec(&test, argc, argv);
}
#include "sqlite_durability_test.moc"
