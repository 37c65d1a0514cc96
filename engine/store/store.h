// Store: a durable log of (revision, key, bytes) with compare-and-swap. It knows no kinds.
// Revisions are given by the store at commit, strictly increasing over all keys, from 2 on (an empty store is
// at 1). Every implementation passes tests/contract/store. Threads: all calls from any thread; callbacks come
// on the store's own thread, in revision order, and must not block, nor destroy the store.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/result.h"

namespace ph::store {

struct Record {
  int64_t revision = 0;
  std::string key;
  std::shared_ptr<const std::string> value;  // null: a tombstone
};

struct Op {
  std::string key;
  std::shared_ptr<const std::string> value;  // null: delete
  // The key's revision must be this: 0 = must not exist; nullopt = any.
  std::optional<int64_t> expected;
};

// All ops of a Txn commit or none; each gets its own revision. The callback follows the fsync.
// A key may be named once in a Txn. Limits: kMaxKeyBytes, kMaxValueBytes (413), and the store's queue (429).
struct Txn {
  std::vector<Op> ops;
  // Revisions in the order of ops. A missed `expected` is Status::conflict; a failed commit fails its whole
  // batch, makes the store read-only (later txns: 503 with the first cause), and says so.
  std::function<void(Result<std::vector<int64_t>>)> done;
};

constexpr size_t kMaxKeyBytes = 4096;
constexpr size_t kMaxValueBytes = 16 << 20;

class Store {
 public:
  virtual ~Store() = default;  // flushes what was accepted
  // Many at once: they are queued together, so they share a commit where the implementation groups them.
  virtual void commitAll(std::vector<Txn> txns) = 0;
  void commit(Txn txn) {
    std::vector<Txn> one;
    one.push_back(std::move(txn));
    commitAll(std::move(one));
  }
  // `callback` is called on the store's thread when all callbacks of one commit have been made: for who gathers what they
  // say. To be set before anything is committed; another takes its place.
  virtual void afterEachCommit(std::function<void()> callback) = 0;
  // Every live key, in key order. For start-up. Blocks.
  virtual Result<> load(const std::function<void(Record)>& each) = 0;
  // Records with revision > after, in order, tombstones too, until `each` answers false. 410 when `after` is
  // below the compacted revision. Blocks for as long as reading takes.
  virtual Result<> history(int64_t after, const std::function<bool(Record)>& each) = 0;
  // The newest record of `key` at or below `revision` (a tombstone too); nullopt when there was none. 410
  // when `revision` is below the compacted revision. Blocks.
  virtual Result<std::optional<Record>> recordAt(const std::string& key, int64_t revision) = 0;
  // Forgets what is not part of the state at `revision` or later: records at or below it that another one,
  // also at or below it, superseded; and tombstones at or below it. `done` comes when the work is done; a
  // revision already compacted is done at once; one above revision() is 400.
  virtual void compact(int64_t revision, std::function<void(Result<>)> done) = 0;
  virtual int64_t revision() const = 0;  // of the last commit
  virtual int64_t compactedRevision() const = 0;
  // A consistent copy of the data in one file (backup). Blocks.
  virtual Result<> snapshot(const std::string& path) = 0;
  // ok, or the failure that made the store read-only.
  virtual Result<> health() const = 0;
};

// SQLite in DIR/state.db (WAL, synchronous=FULL, one writer thread, group commit). Makes DIR when it is
// missing. Locks DIR: a second open fails with a message that names the first holder (pid).
Result<std::unique_ptr<Store>> openSqlite(const std::string& dir);
// In memory, for simulation and tests: commits on the given "later" (post) so that faults can come between.
// `post` must run its tasks one at a time (a strand, a simulation's queue). snapshot() writes a file that
// openSqlite can't read.
std::unique_ptr<Store> makeMemoryStore(std::function<void(std::function<void()>)> post);

}  // namespace ph::store
