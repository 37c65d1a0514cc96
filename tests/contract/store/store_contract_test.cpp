// What every store promises; each test runs against each implementation.
#include <QTemporaryDir>
#include <atomic>
#include <thread>

#include "engine/base/executor.h"
#include "tests/contract/store/store_fixture.h"

using namespace ph;
using namespace ph::store;
using namespace ph::store::testing;

class StoreContract : public QObject {
  Q_OBJECT

  std::unique_ptr<QTemporaryDir> dir_;
  std::shared_ptr<Executor> pool_;
  std::unique_ptr<Store> store_;

  void open() {
    QFETCH_GLOBAL(QString, implementation);
    store_.reset();
    if (implementation == "sqlite") {
      auto opened = openSqlite(dir_->path().toStdString());
      if (!opened.ok()) QFAIL(opened.status().message.c_str());
      store_ = std::move(*opened);
    } else {
      store_ = makeMemoryStore(
          [strand = pool_->strand()](std::function<void()> task) { strand->post(std::move(task)); });
    }
  }

 private slots:
  void initTestCase_data() {
    QTest::addColumn<QString>("implementation");
    QTest::newRow("sqlite") << "sqlite";
    QTest::newRow("memory") << "memory";
  }
  void init() {
    dir_ = std::make_unique<QTemporaryDir>();
    pool_ = makeThreadExecutor(2, "test");
    open();
  }
  void cleanup() {
    store_.reset();
    pool_.reset();
    dir_.reset();
  }

  void emptyStore() {
    QCOMPARE(store_->revision(), 1);
    QCOMPARE(store_->compactedRevision(), 0);
    QCOMPARE(state(*store_), std::string());
    QCOMPARE(testing::history(*store_, 0), std::string());
    QVERIFY(store_->health().ok());
  }

  // After each commit's callbacks, never between a commit's own; nothing is left out.
  void afterEachCommitItsEndIsTold() {
    struct Seen {
      std::mutex mutex;
      std::condition_variable changed;
      std::vector<int64_t> untold;
      int64_t told = 1;  // the last revision whose commit has ended
      int ends = 0;
    };
    auto seen = std::make_shared<Seen>();
    store_->afterEachCommit([seen] {
      std::lock_guard lock(seen->mutex);
      ++seen->ends;
      if (!seen->untold.empty()) seen->told = seen->untold.back();
      seen->untold.clear();
      seen->changed.notify_one();
    });
    constexpr int kTxns = 100;
    std::vector<Txn> txns;
    for (int i = 0; i < kTxns; ++i)
      txns.push_back({{{"/k" + std::to_string(i), bytes("1"), 0}}, [seen](Answer answer) {
                        std::lock_guard lock(seen->mutex);
                        if (answer.ok()) seen->untold.push_back(answer->at(0));
                      }});
    store_->commitAll(std::move(txns));
    std::unique_lock lock(seen->mutex);
    QVERIFY(seen->changed.wait_for(lock, std::chrono::seconds(30), [&] { return seen->told == 1 + kTxns; }));
    QVERIFY(seen->ends >= 1 && seen->ends <= kTxns);
  }

  void revisionsRise() {
    QCOMPARE(put(*store_, "/b", "1"), 2);
    QCOMPARE(put(*store_, "/a", "2"), 3);
    QCOMPARE(put(*store_, "/b", "3"), 4);
    QCOMPARE(store_->revision(), 4);
    QCOMPARE(state(*store_), std::string("/a=2@3 /b=3@4"));
    QCOMPARE(testing::history(*store_, 0), std::string("/b=1@2 /a=2@3 /b=3@4"));
    QCOMPARE(testing::history(*store_, 2), std::string("/a=2@3 /b=3@4"));
    QCOMPARE(testing::history(*store_, 0, 2), std::string("/b=1@2 /a=2@3"));
    QCOMPARE(testing::history(*store_, 4), std::string());
  }

  void compareAndSwap() {
    QCOMPARE(put(*store_, "/a", "x", 5), -409);
    int64_t first = put(*store_, "/a", "1", 0);
    QCOMPARE(first, 2);
    QCOMPARE(put(*store_, "/a", "2", 0), -409);
    QCOMPARE(put(*store_, "/a", "2", first), 3);
    QCOMPARE(put(*store_, "/a", "3", first), -409);
    QCOMPARE(erase(*store_, "/a", first), -409);
    QCOMPARE(erase(*store_, "/a", 3), 4);
    QCOMPARE(put(*store_, "/a", "4", 3), -409);
    QCOMPARE(put(*store_, "/a", "5", 0), 5);
    QCOMPARE(put(*store_, "/a", "6"), 6);
    QCOMPARE(state(*store_), std::string("/a=6@6"));
    auto missed = commit(*store_, {{"/a", bytes("7"), 1}});
    QVERIFY(missed.status().isConflict());
  }

  void tombstones() {
    put(*store_, "/a", "1");
    put(*store_, "/b", "2");
    QCOMPARE(erase(*store_, "/a"), 4);
    QCOMPARE(state(*store_), std::string("/b=2@3"));
    QCOMPARE(testing::history(*store_, 2), std::string("/b=2@3 -/a@4"));
  }

  void transactionsAreWhole() {
    auto both = commit(*store_, {{"/a", bytes("1"), 0}, {"/b", bytes("2"), 0}});
    QVERIFY(both.ok());
    QCOMPARE(both->size(), size_t(2));
    QCOMPARE(both->at(0), 2);
    QCOMPARE(both->at(1), 3);
    auto missed = commit(*store_, {{"/c", bytes("3"), 0}, {"/b", bytes("4"), 0}});
    QVERIFY(missed.status().isConflict());
    QCOMPARE(state(*store_), std::string("/a=1@2 /b=2@3"));
    QCOMPARE(store_->revision(), 3);
    auto twice = commit(*store_, {{"/c", bytes("3"), 0}, {"/c", bytes("4"), {}}});
    QCOMPARE(twice.status().code, 400);
    auto none = commit(*store_, {});
    QVERIFY(none.ok() && none->empty());
  }

  // Many at once share a batch; the one in the middle that misses its precondition disturbs none of the
  // others.
  void oneMissDoesNotFailTheBatch() {
    std::vector<std::shared_ptr<std::promise<Answer>>> promises;
    std::vector<Txn> txns;
    for (int i = 0; i < 100; ++i) {
      auto promise = std::make_shared<std::promise<Answer>>();
      promises.push_back(promise);
      txns.push_back({{{"/k" + std::to_string(i), bytes("v"), i % 10 == 5 ? 77 : 0}},
                      [promise](Answer a) { promise->set_value(std::move(a)); }});
    }
    store_->commitAll(std::move(txns));
    int64_t expected = 1;
    for (int i = 0; i < 100; ++i) {
      Answer a = promises[size_t(i)]->get_future().get();
      QCOMPARE(a.ok(), i % 10 != 5);
      if (a.ok()) QCOMPARE(a->at(0), ++expected);
    }
    QCOMPARE(store_->revision(), expected);
  }

  void recordAtARevision() {
    put(*store_, "/a", "1");
    put(*store_, "/x", "1");
    put(*store_, "/a", "2");
    erase(*store_, "/a");
    auto value = [&](int64_t revision) {
      auto r = store_->recordAt("/a", revision);
      if (!r.ok()) return "status " + std::to_string(r.status().code);
      if (!*r) return std::string("none");
      return ((*r)->value ? *(*r)->value : std::string("gone")) + "@" + std::to_string((*r)->revision);
    };
    QCOMPARE(value(1), std::string("none"));
    QCOMPARE(value(2), std::string("1@2"));
    QCOMPARE(value(3), std::string("1@2"));
    QCOMPARE(value(4), std::string("2@4"));
    QCOMPARE(value(5), std::string("gone@5"));
    QCOMPARE(value(500), std::string("gone@5"));
    QVERIFY(compact(*store_, 4).ok());
    QCOMPARE(value(3), std::string("status 410"));
    QCOMPARE(value(4), std::string("2@4"));
  }

  void compaction() {
    for (int i = 0; i < 5; ++i) put(*store_, "/a", std::to_string(i));  // 2..6
    put(*store_, "/b", "b");                                            // 7
    erase(*store_, "/b");                                               // 8
    put(*store_, "/a", "last");                                         // 9
    QVERIFY(compact(*store_, 8).ok());
    QCOMPARE(store_->compactedRevision(), 8);
    QCOMPARE(testing::history(*store_, 7), std::string("410"));
    QCOMPARE(testing::history(*store_, 8), std::string("/a=last@9"));
    QCOMPARE(store_->recordAt("/a", 8)->value().revision, 6);  // the state at the revision is still whole
    QVERIFY(!store_->recordAt("/b", 8)->has_value());
    QCOMPARE(state(*store_), std::string("/a=last@9"));
    QVERIFY(compact(*store_, 9).ok());
    QVERIFY(compact(*store_, 3).ok());  // already done
    QCOMPARE(store_->compactedRevision(), 9);
    QCOMPARE(compact(*store_, 10).status().code, 400);
    QCOMPARE(put(*store_, "/b", "again", 0), 10);
    QCOMPARE(testing::history(*store_, 9), std::string("/b=again@10"));
  }

  // Compaction of a long history while writes go on: nothing that lives is lost, and writers are served
  // meanwhile.
  void compactionBesideWrites() {
    for (int round = 0; round < 20; ++round) {
      std::vector<Txn> txns;
      for (int i = 0; i < 200; ++i)
        txns.push_back({{{"/k" + std::to_string(i), bytes(std::to_string(round)), {}}}, nullptr});
      store_->commitAll(std::move(txns));
    }
    QVERIFY(put(*store_, "/mark", "m") > 0);
    int64_t mark = store_->revision();
    std::promise<Result<>> compacted;
    store_->compact(mark, [&](Result<> r) { compacted.set_value(std::move(r)); });
    for (int i = 0; i < 200; ++i) QVERIFY(put(*store_, "/k" + std::to_string(i), "new") > mark);
    QVERIFY(compacted.get_future().get().ok());
    int live = 0;
    QVERIFY(store_
                ->load([&](Record r) {
                  ++live;
                  QVERIFY(r.key == "/mark" || *r.value == "new");
                })
                .ok());
    QCOMPARE(live, 201);
    QCOMPARE(testing::history(*store_, mark - 1), std::string("410"));
    int records = 0;
    QVERIFY(store_->history(mark, [&](Record) { return ++records > 0; }).ok());
    QCOMPARE(records, 200);
  }

  void callbacksComeInRevisionOrder() {
    std::mutex mutex;
    std::vector<int64_t> seen;
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
      threads.emplace_back([&, t] {
        for (int i = 0; i < 250; ++i)
          store_->commit(
              {{{"/" + std::to_string(t) + "/" + std::to_string(i), bytes("v"), 0}}, [&](Answer a) {
                 std::lock_guard lock(mutex);
                 seen.push_back(a.ok() ? a->at(0) : 0);
               }});
      });
    for (auto& t : threads) t.join();
    QTRY_COMPARE_WITH_TIMEOUT((std::lock_guard(mutex), seen.size()), size_t(1000), 30000);
    for (size_t i = 0; i < seen.size(); ++i) QCOMPARE(seen[i], int64_t(i) + 2);
  }

  // Sixteen threads raise one counter by compare-and-swap: no step is lost and none is made twice.
  void noLostUpdate() {
    put(*store_, "/counter", "0");
    std::vector<std::thread> threads;
    std::atomic<int> misses{0};
    for (int t = 0; t < 8; ++t)
      threads.emplace_back([&] {
        for (int done = 0; done < 10;) {
          auto now = store_->recordAt("/counter", INT64_MAX);
          int value = std::stoi(*(*now)->value);
          if (put(*store_, "/counter", std::to_string(value + 1), (*now)->revision) > 0)
            ++done;
          else
            ++misses;
        }
      });
    for (auto& t : threads) t.join();
    auto end = store_->recordAt("/counter", INT64_MAX);
    QCOMPARE(*(*end)->value, std::string("80"));
    QCOMPARE((*end)->revision, 82);
  }

  void largeValuesAndLimits() {
    std::string large(3 << 20, 'x');
    for (size_t i = 0; i < large.size(); i += 4096) large[i] = char(i >> 12);
    QVERIFY(put(*store_, "/large", large) > 0);
    QVERIFY(*(*store_->recordAt("/large", INT64_MAX))->value == large);
    QVERIFY(put(*store_, "/empty", "") > 0);
    QCOMPARE((*store_->recordAt("/empty", INT64_MAX))->value->size(), size_t(0));
    QCOMPARE(put(*store_, "/toolarge", std::string(kMaxValueBytes + 1, 'x')), -413);
    QCOMPARE(put(*store_, "", "x"), -400);
    QCOMPARE(put(*store_, std::string(kMaxKeyBytes + 1, 'k'), "x"), -400);
    std::string binary("a\0b\xff\n", 5);
    QVERIFY(put(*store_, "/bin", binary) > 0);
    QVERIFY(*(*store_->recordAt("/bin", INT64_MAX))->value == binary);
  }

  void closingFlushesWhatWasAccepted() {
    QFETCH_GLOBAL(QString, implementation);
    if (implementation != "sqlite") QSKIP("has nothing to reopen");
    std::atomic<int> done{0};
    for (int i = 0; i < 500; ++i)
      store_->commit({{{"/k" + std::to_string(i), bytes("v"), 0}}, [&](Answer a) { done += a.ok(); }});
    open();
    QCOMPARE(done.load(), 500);
    QCOMPARE(store_->revision(), 501);
  }

  void reopen() {
    QFETCH_GLOBAL(QString, implementation);
    if (implementation != "sqlite") QSKIP("has nothing to reopen");
    put(*store_, "/a", "1");
    put(*store_, "/b", "2");
    erase(*store_, "/b");
    open();
    QCOMPARE(state(*store_), std::string("/a=1@2"));
    QCOMPARE(testing::history(*store_, 0), std::string("/a=1@2 /b=2@3 -/b@4"));
    QVERIFY(compact(*store_, 4).ok());
    open();
    QCOMPARE(store_->compactedRevision(), 4);
    QCOMPARE(store_->revision(), 4);  // though the record of revision 4 is gone
    QCOMPARE(testing::history(*store_, 3), std::string("410"));
    QCOMPARE(put(*store_, "/c", "3"), 5);
  }

  void snapshot() {
    for (int i = 0; i < 300; ++i) put(*store_, "/k" + std::to_string(i % 50), std::to_string(i));
    std::string path = dir_->filePath("copy/state.db").toStdString();
    QVERIFY(QDir(dir_->path()).mkdir("copy"));
    std::string before = state(*store_);
    QVERIFY(store_->snapshot(path).ok());
    QVERIFY(!store_->snapshot(path).ok());  // never writes over something
    put(*store_, "/later", "x");
    QCOMPARE(QFile(QString::fromStdString(path)).permissions() & (QFile::ReadGroup | QFile::ReadOther),
             QFile::Permissions());
    QFETCH_GLOBAL(QString, implementation);
    if (implementation != "sqlite") return;
    auto copy = openSqlite(dir_->filePath("copy").toStdString());
    QVERIFY2(copy.ok(), copy.ok() ? "" : copy.status().message.c_str());
    QCOMPARE(state(**copy), before);
    QCOMPARE((*copy)->revision(), 301);
  }
};

QTEST_GUILESS_MAIN(StoreContract)
#include "store_contract_test.moc"
