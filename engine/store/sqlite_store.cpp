// The SQLite store. One thread writes: all transactions that were queued while the previous commit's fsync
// ran go into one SQLite transaction. A second one runs the callbacks, so that the next commit need not wait
// for them. A third tidies.
#include <fcntl.h>
#include <fmt/format.h>
#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <mutex>
#include <thread>
#include <unordered_set>

#include "engine/base/log.h"
#include "engine/base/time.h"
#include "engine/store/data_lock.h"
#include "engine/store/maintenance.h"
#include "engine/store/sqlite_db.h"
#include "engine/store/store.h"

namespace ph::store {
namespace {

constexpr int64_t kApplicationId = 0x50696c6f;
constexpr int64_t kSchemaVersion = 1;
// Objects have some 1.5 KB: fewer pages are written a commit than with SQLite's 4096, and less of each stays empty.
constexpr const char* kPageSize = "PRAGMA page_size = 8192";
constexpr size_t kMaxQueuedTxns = 100000;
constexpr size_t kMaxQueuedBytes = size_t(256) << 20;
constexpr size_t kMaxBatchOps = 4000;
constexpr size_t kMaxBatchBytes = size_t(32) << 20;
// Under load a commit waits a moment for those whom the last one answered, as they mostly write again: fuller commits
// cost less a write, in pages, fsyncs and threads woken. From so many writers on, for so many, for so long.
constexpr size_t kGatherFrom = 8, kGatherEnough = 48;
constexpr Duration kGatherFor = std::chrono::microseconds(800);

// Tasks for the store's callback thread, in order.
class Callbacks {
 public:
  Callbacks() : thread_([this] { work(); }) { pthread_setname_np(thread_.native_handle(), "store-done"); }
  ~Callbacks() { finish(); }
  void push(std::function<void()> task) {
    {
      std::lock_guard lock(mutex_);
      tasks_.push_back(std::move(task));
    }
    wake_.notify_one();
  }
  // Runs what is there, then ends.
  void finish() {
    {
      std::lock_guard lock(mutex_);
      stop_ = true;
    }
    wake_.notify_one();
    if (thread_.joinable()) thread_.join();
  }

 private:
  void work() {
    std::unique_lock lock(mutex_);
    while (true) {
      wake_.wait(lock, [&] { return stop_ || !tasks_.empty(); });
      if (tasks_.empty()) return;
      std::deque<std::function<void()>> now;
      now.swap(tasks_);
      lock.unlock();
      for (auto& task : now) {
        task();
        task = nullptr;
      }
      lock.lock();
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> tasks_;
  bool stop_ = false;
  std::thread thread_;
};

// Read connections, kept for the next reader: opening one costs more than most reads.
class Readers {
 public:
  explicit Readers(std::string path) : path_(std::move(path)) {}
  // Runs `read(db)` inside a read transaction.
  template <class F>
  auto with(F&& read) -> decltype(read(std::declval<Db&>())) {
    PH_ASSIGN(Db db, take());
    PH_TRY(db.exec("BEGIN"));
    auto result = read(db);
    // A connection that can't end its transaction is dropped: it would hold up the checkpoints.
    if (db.exec("COMMIT").ok()) put(std::move(db));
    return result;
  }

 private:
  static constexpr size_t kKept = 2;
  Result<Db> take() {
    {
      std::lock_guard lock(mutex_);
      if (!idle_.empty()) {
        Db db = std::move(idle_.back());
        idle_.pop_back();
        return db;
      }
    }
    return Db::open(path_, Db::Mode::Read);
  }
  void put(Db db) {
    std::lock_guard lock(mutex_);
    if (idle_.size() < kKept) idle_.push_back(std::move(db));
  }

  const std::string path_;
  std::mutex mutex_;
  std::vector<Db> idle_;
};

using Answer = Result<std::vector<int64_t>>;

class SqliteStore : public Store {
 public:
  SqliteStore(DataLock lock, std::string path, Db db, Db second, int64_t revision, int64_t compacted)
      : lock_(std::move(lock)),
        path_(std::move(path)),
        readers_(path_),
        db_(std::move(db)),
        revision_(revision) {
    tidy_ = std::make_unique<Maintenance>(
        std::move(second), writeLock_,
        [this](std::function<void()> task) { callbacks_.push(std::move(task)); }, compacted);
  }
  ~SqliteStore() override {
    {
      std::lock_guard lock(mutex_);
      stop_ = true;
    }
    wake_.notify_one();
    if (writer_.joinable()) writer_.join();
    tidy_.reset();
    callbacks_.finish();
  }

  Result<> start() {
    PH_ASSIGN(begin_, db_.prepare("BEGIN IMMEDIATE"));
    PH_ASSIGN(commit_, db_.prepare("COMMIT"));
    PH_ASSIGN(newest_,
              db_.prepare("SELECT revision, deleted FROM log WHERE key = ? ORDER BY revision DESC LIMIT 1"));
    PH_ASSIGN(insert_, db_.prepare("INSERT INTO log(revision, key, deleted, value) VALUES(?, ?, ?, ?)"));
    sqlite3_wal_hook(
        db_.raw(),
        [](void* self, sqlite3*, const char*, int pages) {
          static_cast<SqliteStore*>(self)->tidy_->walGrew(pages);
          return SQLITE_OK;
        },
        this);
    writer_ = std::thread([this] { work(); });
    pthread_setname_np(writer_.native_handle(), "store-write");
    return {};
  }

  void commitAll(std::vector<Txn> txns) override {
    bool wake = false;
    {
      std::lock_guard lock(mutex_);
      size_t before = queue_.size();
      for (auto& txn : txns) {
        Result<size_t> size = measure(txn);
        if (failure_)
          refuse(std::move(txn), *failure_);
        else if (!size.ok())
          refuse(std::move(txn), size.status());
        else if (queue_.size() >= kMaxQueuedTxns || queuedBytes_ + *size > kMaxQueuedBytes)
          refuse(std::move(txn), Status::tooManyRequests("the store has too many writes waiting", 1));
        else {
          queuedBytes_ += *size;
          queue_.push_back({std::move(txn), *size});
        }
      }
      wake = before < wanted_ && queue_.size() >= wanted_;
    }
    if (wake) wake_.notify_one();
  }

  void afterEachCommit(std::function<void()> callback) override { afterCommit_ = std::move(callback); }
  Result<> load(const std::function<void(Record)>& each) override;
  Result<> history(int64_t after, const std::function<bool(Record)>& each) override;
  Result<std::optional<Record>> recordAt(const std::string& key, int64_t revision) override;
  Result<> snapshot(const std::string& path) override;

  void compact(int64_t revision, std::function<void(Result<>)> done) override {
    if (revision <= revision_)
      tidy_->compact(revision, std::move(done));
    else if (done)
      callbacks_.push([done = std::move(done), revision] {
        done(Status::badRequest(fmt::format("revision {} is still to come", revision)));
      });
  }
  int64_t revision() const override { return revision_.load(std::memory_order_acquire); }
  int64_t compactedRevision() const override { return tidy_->compacted(); }
  Result<> health() const override {
    std::lock_guard lock(mutex_);
    if (failure_) return *failure_;
    return {};
  }

 private:
  struct Queued {
    Txn txn;
    size_t bytes;
  };

  // The bytes a Txn holds, or what is wrong with it.
  static Result<size_t> measure(const Txn& txn) {
    size_t bytes = 64;
    if (txn.ops.size() > kMaxBatchOps) return Status::tooLarge("a transaction of too many writes");
    std::unordered_set<std::string_view> keys;
    for (auto& op : txn.ops) {
      if (op.key.empty() || op.key.size() > kMaxKeyBytes)
        return Status::badRequest("a key of a length that can't be stored");
      if (op.value && op.value->size() > kMaxValueBytes)
        return Status::tooLarge(
            fmt::format("{} bytes are more than the store takes ({})", op.value->size(), kMaxValueBytes));
      if (txn.ops.size() > 1 && !keys.insert(op.key).second)
        return Status::badRequest("a transaction names a key twice: " + op.key);
      bytes += op.key.size() + (op.value ? op.value->size() : 0);
    }
    return bytes;
  }

  void refuse(Txn txn, Status why) {
    if (txn.done) callbacks_.push([done = std::move(txn.done), why = std::move(why)] { done(why); });
  }

  void work() {
    MonoTime gatherUntil{};
    size_t last = 0;
    std::unique_lock lock(mutex_);
    while (true) {
      wake_.wait(lock, [&] { return stop_ || !queue_.empty(); });
      if (queue_.empty()) return;
      if (size_t writers = last + queue_.size(); writers >= kGatherFrom) {
        wanted_ = std::min(writers, kGatherEnough);
        wake_.wait_for(lock, gatherUntil - systemClock().monoNow(), [&] { return stop_ || queue_.size() >= wanted_; });
        wanted_ = 1;
      }
      std::vector<Queued> batch;
      size_t ops = 0, bytes = 0;
      while (!queue_.empty() && (batch.empty() || (ops + queue_.front().txn.ops.size() <= kMaxBatchOps &&
                                                   bytes + queue_.front().bytes <= kMaxBatchBytes))) {
        ops += queue_.front().txn.ops.size();
        bytes += queue_.front().bytes;
        batch.push_back(std::move(queue_.front()));
        queue_.pop_front();
      }
      queuedBytes_ -= bytes;
      last = batch.size();
      lock.unlock();
      commitBatch(std::move(batch));
      gatherUntil = systemClock().monoNow() + kGatherFor;
      lock.lock();
    }
  }

  void commitBatch(std::vector<Queued> batch) {
    std::vector<Answer> answers;
    answers.reserve(batch.size());
    Result<> committed = health();
    if (committed.ok()) {
      committed = write(batch, answers);
      if (!committed.ok()) committed = fail(std::move(committed).status());
    }
    if (!committed.ok()) answers.assign(batch.size(), committed.status());
    callbacks_.push([this, batch = std::move(batch), answers = std::move(answers)]() mutable {
      for (size_t i = 0; i < batch.size(); ++i) {
        if (batch[i].txn.done) batch[i].txn.done(std::move(answers[i]));
        batch[i].txn = {};
      }
      if (afterCommit_) afterCommit_();
    });
  }

  // From here on nothing is written: what the disk holds of the failed batch is not known.
  Status fail(Status cause) {
    Status failed = Status::unavailable("the store is read-only: " + cause.message);
    PH_LOG(Error, "store", "{}", failed.message);
    std::lock_guard lock(mutex_);
    if (!failure_) failure_ = failed;
    return failed;
  }

  Result<> write(std::vector<Queued>& batch, std::vector<Answer>& answers) {
    std::lock_guard lock(writeLock_);
    if (begin_.run() != SQLITE_DONE) return db_.error("writing to");
    int64_t next = revision_ + 1;
    for (auto& queued : batch) {
      Result<bool> meets = preconditionsHold(queued.txn, answers);
      Result<> put = meets.ok() ? Result<>() : Result<>(meets.status());
      if (meets.ok() && *meets) put = insertAll(queued.txn, next, answers);
      if (!put.ok()) {
        (void)db_.exec("ROLLBACK");
        return put;
      }
    }
    if (commit_.run() != SQLITE_DONE) {
      Status failed = db_.error("writing to");
      (void)db_.exec("ROLLBACK");
      return failed;
    }
    revision_.store(next - 1, std::memory_order_release);
    return {};
  }

  // False when one is missed: then the answer is already there.
  Result<bool> preconditionsHold(const Txn& txn, std::vector<Answer>& answers) {
    for (auto& op : txn.ops) {
      if (!op.expected) continue;
      newest_.bindText(1, op.key);
      int rc = newest_.step();
      int64_t actual = rc == SQLITE_ROW && newest_.integer(1) == 0 ? newest_.integer(0) : 0;
      newest_.reset();
      if (rc != SQLITE_ROW && rc != SQLITE_DONE) return db_.error("reading");
      if (actual == *op.expected) continue;
      answers.emplace_back(
          Status::conflict(fmt::format("{} is at revision {}, not {}", op.key, actual, *op.expected)));
      return false;
    }
    return true;
  }

  Result<> insertAll(const Txn& txn, int64_t& next, std::vector<Answer>& answers) {
    std::vector<int64_t> revisions;
    revisions.reserve(txn.ops.size());
    for (auto& op : txn.ops) {
      insert_.bind(1, next);
      insert_.bindText(2, op.key);
      insert_.bind(3, op.value ? 0 : 1);
      if (op.value)
        insert_.bindBlob(4, *op.value);
      else
        insert_.bindNull(4);
      if (insert_.run() != SQLITE_DONE) return db_.error("writing to");
      revisions.push_back(next++);
    }
    answers.emplace_back(std::move(revisions));
    return {};
  }

  DataLock lock_;
  const std::string path_;
  Readers readers_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Queued> queue_;
  size_t queuedBytes_ = 0;
  size_t wanted_ = 1;  // so many in the queue are worth waking the writer
  bool stop_ = false;
  std::optional<Status> failure_;

  std::function<void()> afterCommit_;

  std::mutex writeLock_;  // around each write transaction
  Callbacks callbacks_;
  Db db_;  // the writer's
  Statement begin_, commit_, newest_, insert_;
  std::atomic<int64_t> revision_;
  std::unique_ptr<Maintenance> tidy_;
  std::thread writer_;
};

Result<> SqliteStore::load(const std::function<void(Record)>& each) {
  return readers_.with([&](Db& db) -> Result<> {
    // All three columns of the first come from the index; each value is then fetched by its revision.
    PH_ASSIGN(Statement keys,
              db.prepare("SELECT key, MAX(revision), deleted FROM log GROUP BY key ORDER BY key"));
    PH_ASSIGN(Statement value, db.prepare("SELECT value FROM log WHERE revision = ?"));
    int rc;
    while ((rc = keys.step()) == SQLITE_ROW) {
      if (keys.integer(2) != 0) continue;
      value.bind(1, keys.integer(1));
      if (value.step() != SQLITE_ROW) return db.error("reading");
      each({keys.integer(1), keys.text(0), value.blob(0)});
      value.reset();
    }
    if (rc != SQLITE_DONE) return db.error("reading");
    return {};
  });
}

// Inside a read transaction: a compaction that begins later can't take rows from it.
Result<> stillHeld(Db& db, int64_t revision) {
  PH_ASSIGN(int64_t compacted, db.number("SELECT value FROM meta WHERE name = 'compacted'"));
  if (revision >= compacted) return {};
  return Status::expired(
      fmt::format("revision {} is older than the history kept (from {})", revision, compacted));
}

Result<> SqliteStore::history(int64_t after, const std::function<bool(Record)>& each) {
  return readers_.with([&](Db& db) -> Result<> {
    PH_TRY(stillHeld(db, after));
    PH_ASSIGN(
        Statement s,
        db.prepare("SELECT revision, key, deleted, value FROM log WHERE revision > ? ORDER BY revision"));
    s.bind(1, after);
    int rc;
    while ((rc = s.step()) == SQLITE_ROW)
      if (!each({s.integer(0), s.text(1), s.integer(2) ? nullptr : s.blob(3)})) return {};
    if (rc != SQLITE_DONE) return db.error("reading");
    return {};
  });
}

Result<std::optional<Record>> SqliteStore::recordAt(const std::string& key, int64_t revision) {
  return readers_.with([&](Db& db) -> Result<std::optional<Record>> {
    PH_TRY(stillHeld(db, revision));
    PH_ASSIGN(Statement s,
              db.prepare("SELECT revision, deleted, value FROM log WHERE key = ? AND revision <= ? "
                         "ORDER BY revision DESC LIMIT 1"));
    s.bindText(1, key);
    s.bind(2, revision);
    int rc = s.step();
    if (rc == SQLITE_DONE) return std::optional<Record>();
    if (rc != SQLITE_ROW) return db.error("reading");
    return std::optional<Record>(Record{s.integer(0), key, s.integer(1) ? nullptr : s.blob(2)});
  });
}

Result<> SqliteStore::snapshot(const std::string& path) {
  // Made first, for its mode: it holds secrets.
  int fd = open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return Status::internal(fmt::format("{} can't be made: {}", path, std::strerror(errno)));
  auto copy = [&]() -> Result<> {
    PH_ASSIGN(Db db, Db::open(path_, Db::Mode::Read));
    PH_ASSIGN(Statement vacuum, db.prepare("VACUUM INTO ?"));
    vacuum.bindText(1, path);
    if (vacuum.run() != SQLITE_DONE) return db.error("copying");
    if (fsync(fd) != 0)
      return Status::internal(fmt::format("{} can't be written: {}", path, std::strerror(errno)));
    return {};
  };
  Result<> result = copy();
  close(fd);
  if (!result.ok()) unlink(path.c_str());
  return result;
}

// An empty database gets the tables; a strange or newer one is refused, untouched.
Result<> prepareSchema(Db& db, const std::string& path) {
  Result<int64_t> version = db.number("PRAGMA user_version");
  if (!version.ok()) return version.status();
  PH_ASSIGN(int64_t application, db.number("PRAGMA application_id"));
  PH_ASSIGN(int64_t tables, db.number("SELECT COUNT(*) FROM sqlite_master"));
  bool empty = application == 0 && *version == 0 && tables == 0;
  if (!empty && application != kApplicationId) return Status::internal(path + " is not a Pilothouse store");
  if (*version > kSchemaVersion)
    return Status::internal(
        fmt::format("{} was written by a newer version of Pilothouse (format {}; this one knows {})", path,
                    *version, kSchemaVersion));
  if (empty) PH_TRY(db.exec(kPageSize));
  PH_TRY(db.exec("PRAGMA journal_mode = WAL"));
  if (!empty) return {};
  std::string make = fmt::format(
      "BEGIN IMMEDIATE;"
      "CREATE TABLE meta(name TEXT PRIMARY KEY, value INTEGER) WITHOUT ROWID;"
      "CREATE TABLE log(revision INTEGER PRIMARY KEY, key TEXT NOT NULL, deleted INTEGER NOT NULL, value "
      "BLOB);"
      "CREATE INDEX log_key ON log(key, revision, deleted);"
      "INSERT INTO meta(name, value) VALUES('compacted', 0), ('swept', 0);"
      "PRAGMA application_id = {}; PRAGMA user_version = {};"
      "COMMIT",
      kApplicationId, kSchemaVersion);
  return db.exec(make.c_str());
}

}  // namespace

Result<std::unique_ptr<Store>> openSqlite(const std::string& dir) {
  PH_ASSIGN(DataLock lock, DataLock::take(dir));
  std::string path = dir + "/state.db";
  int fd =
      open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);  // made here for its mode: it holds secrets
  if (fd < 0) return Status::internal(fmt::format("{} can't be opened: {}", path, std::strerror(errno)));
  close(fd);
  PH_ASSIGN(Db db, Db::open(path, Db::Mode::ReadWrite));
  PH_TRY(prepareSchema(db, path));
  PH_TRY(db.exec("PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0; PRAGMA cache_size = -4096"));
  PH_ASSIGN(Db second, Db::open(path, Db::Mode::ReadWrite));
  // What tidying loses in a crash is only tidiness.
  PH_TRY(
      second.exec("PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 0; PRAGMA cache_size = -2048"));
  PH_ASSIGN(int64_t compacted, db.number("SELECT value FROM meta WHERE name = 'compacted'"));
  PH_ASSIGN(int64_t newest, db.number("SELECT MAX(revision) FROM log"));
  auto store = std::make_unique<SqliteStore>(std::move(lock), path, std::move(db), std::move(second),
                                             std::max({newest, compacted, int64_t(1)}), compacted);
  PH_TRY(store->start());
  return std::unique_ptr<Store>(std::move(store));
}

}  // namespace ph::store
