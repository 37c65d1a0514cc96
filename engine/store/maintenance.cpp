#include "engine/store/maintenance.h"

#include <pthread.h>

#include <algorithm>

#include "engine/base/log.h"

namespace ph::store {
namespace {

constexpr int kCheckpointPages = 1000;  // 8 MiB: what a start after a crash has to read again
constexpr int kRestartPages =
    8000;  // 64 MiB: from here on the writer waits for a moment so that the log begins anew
constexpr int64_t kRevisionsAStep = 250;  // a step holds the write lock for some milliseconds

}  // namespace

Maintenance::Maintenance(Db db, std::mutex& writeLock, std::function<void(std::function<void()>)> deliver,
                         int64_t compacted)
    : writeLock_(writeLock), deliver_(std::move(deliver)), compacted_(compacted), db_(std::move(db)) {
  thread_ = std::thread([this] { work(); });
  pthread_setname_np(thread_.native_handle(), "store-tidy");
}

Maintenance::~Maintenance() {
  stop_ = true;
  {
    std::lock_guard lock(
        mutex_);  // so that the thread can't miss the notification between its test and its wait
  }
  wake_.notify_all();
  thread_.join();
  for (auto& r : requests_) answer(std::move(r), Status::unavailable("the store is closing"));
}

void Maintenance::compact(int64_t revision, std::function<void(Result<>)> done) {
  {
    std::lock_guard lock(mutex_);
    requests_.push_back({revision, std::move(done)});
  }
  wake_.notify_one();
}

void Maintenance::walGrew(int pages) {
  walPages_ = pages;
  if (pages < kCheckpointPages) return;
  {
    std::lock_guard lock(mutex_);
    if (checkpointDue_) return;
    checkpointDue_ = true;
  }
  wake_.notify_one();
}

void Maintenance::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [&] { return stop_ || checkpointDue_ || !requests_.empty(); });
    if (stop_) return;
    if (std::exchange(checkpointDue_, false)) {
      lock.unlock();
      checkpoint();
      lock.lock();
      continue;
    }
    Request request = std::move(requests_.front());
    requests_.pop_front();
    lock.unlock();
    Result<> result = request.revision <= compacted() ? Result<>() : sweepTo(request.revision);
    if (!result.ok())
      PH_LOG(Warn, "store", "compaction to revision {}: {}", request.revision, result.status().message);
    answer(std::move(request), std::move(result));
    lock.lock();
  }
}

void Maintenance::answer(Request request, Result<> result) {
  if (!request.done) return;
  deliver_(
      [done = std::move(request.done), result = std::move(result)]() mutable { done(std::move(result)); });
}

Result<> Maintenance::raise(int64_t revision) {
  std::lock_guard lock(writeLock_);
  PH_ASSIGN(Statement set, db_.prepare("INSERT OR REPLACE INTO meta(name, value) VALUES('compacted', ?)"));
  set.bind(1, revision);
  if (set.run() != SQLITE_DONE) return db_.error("compacting");
  // Under the write lock: whoever reads the mark inside a read transaction sees the rows that belong to it.
  compacted_.store(revision, std::memory_order_release);
  return {};
}

// First the mark, so that nobody reads history that is going away; then the rows, some at a time. `swept`
// remembers how far the rows have gone, for the case that the process ends in between.
Result<> Maintenance::sweepTo(int64_t revision) {
  PH_ASSIGN(int64_t swept, db_.number("SELECT value FROM meta WHERE name = 'swept'"));
  PH_TRY(raise(revision));
  while (swept < revision) {
    if (stop_) return Status::unavailable("the store is closing");
    int64_t to = std::min(swept + kRevisionsAStep, revision);
    PH_TRY(sweepStep(swept, to));
    swept = to;
    if (walPages_ >= kCheckpointPages) checkpoint();
  }
  return {};
}

// Each record is looked at once in its life, when the compaction passes it: what it superseded goes, and it
// itself when it is a tombstone.
Result<> Maintenance::sweepStep(int64_t from, int64_t to) {
  PH_ASSIGN(Statement passed,
            db_.prepare("SELECT revision, key, deleted FROM log WHERE revision > ? AND revision <= ?"));
  PH_ASSIGN(Statement forget, db_.prepare("DELETE FROM log WHERE key = ? AND revision < ?"));
  PH_ASSIGN(Statement forgetToo, db_.prepare("DELETE FROM log WHERE key = ? AND revision <= ?"));
  PH_ASSIGN(Statement mark, db_.prepare("INSERT OR REPLACE INTO meta(name, value) VALUES('swept', ?)"));
  struct Row {
    int64_t revision;
    std::string key;
    bool deleted;
  };
  std::vector<Row> rows;
  passed.bind(1, from);
  passed.bind(2, to);
  int rc;
  while ((rc = passed.step()) == SQLITE_ROW)
    rows.push_back({passed.integer(0), passed.text(1), passed.integer(2) != 0});
  if (rc != SQLITE_DONE) return db_.error("compacting");
  passed.reset();

  std::lock_guard lock(writeLock_);
  PH_TRY(db_.exec("BEGIN IMMEDIATE"));
  for (auto& row : rows) {
    Statement& s = row.deleted ? forgetToo : forget;
    s.bindText(1, row.key);
    s.bind(2, row.revision);
    if (s.run() != SQLITE_DONE) {
      Status failed = db_.error("compacting");
      (void)db_.exec("ROLLBACK");
      return failed;
    }
  }
  mark.bind(1, to);
  bool marked = mark.run() == SQLITE_DONE;
  if (!marked || !db_.exec("COMMIT").ok()) {
    Status failed = db_.error("compacting");
    (void)db_.exec("ROLLBACK");
    return failed;
  }
  return {};
}

// A passive checkpoint disturbs nobody. Under steady writing it never quite catches up, and the log would
// grow for ever: past a limit the writer waits while the short rest is moved, after which the log begins at
// its start again.
void Maintenance::checkpoint() {
  int frames = 0, moved = 0;
  int rc = sqlite3_wal_checkpoint_v2(db_.raw(), nullptr, SQLITE_CHECKPOINT_PASSIVE, &frames, &moved);
  if (rc == SQLITE_OK && frames >= kRestartPages) {
    std::lock_guard lock(writeLock_);
    rc = sqlite3_wal_checkpoint_v2(db_.raw(), nullptr, SQLITE_CHECKPOINT_RESTART, &frames, &moved);
  }
  // Busy: a reader holds an old view; the next one gets further.
  if (rc != SQLITE_OK && rc != SQLITE_BUSY && rc != SQLITE_LOCKED)
    PH_LOG(Warn, "store", "{}", db_.error("checkpointing").message);
}

}  // namespace ph::store
