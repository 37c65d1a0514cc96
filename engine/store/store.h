// Store: a durable log of (revision, key, bytes) with compare-and-swap. It knows no kinds.
// Revisions are given by the store at commit, strictly increasing over all keys. Every implementation passes
// tests/contract/store.
// Threads: all calls from any thread; callbacks come on the store's own thread, in revision order, and must not block.
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
struct Txn {
  std::vector<Op> ops;
  // Revisions in the order of ops. A missed `expected` is Status::conflict; a failed commit fails its whole batch,
  // makes the store read-only (later txns: 503 with the first cause), and says so.
  std::function<void(Result<std::vector<int64_t>>)> done;
};

class Store {
 public:
  virtual ~Store() = default;  // flushes what was accepted
  virtual void commit(Txn txn) = 0;
  // Every live key, in key order. For start-up.
  virtual Result<> load(const std::function<void(Record)>& each) = 0;
  // Records with revision > after, in order, tombstones too. 410 when `after` is below the compacted revision.
  virtual Result<> history(int64_t after, const std::function<bool(Record)>& each) = 0;
  // Forgets superseded records and tombstones at or below `revision`.
  virtual void compact(int64_t revision, std::function<void(Result<>)> done) = 0;
  virtual int64_t revision() const = 0;           // of the last commit
  virtual int64_t compactedRevision() const = 0;
  // A consistent copy of the data in one file (backup).
  virtual Result<> snapshot(const std::string& path) = 0;
};

// SQLite in DIR/state.db (WAL, synchronous=FULL, one writer thread, group commit). Locks DIR: a second open fails with a
// message that names the first holder (pid).
Result<std::unique_ptr<Store>> openSqlite(const std::string& dir);
// In memory, for simulation and tests: commits on the given "later" (post) so that faults can come between.
std::unique_ptr<Store> makeMemoryStore(std::function<void(std::function<void()>)> post);

}  // namespace ph::store
