// The store of simulations and tests: the same promises, kept in memory. What was queued becomes state only
// when the posted task runs, so a simulated crash in between loses it, as it should.
#include <fcntl.h>
#include <fmt/format.h>

#include <atomic>
#include <cstdio>
#include <deque>
#include <map>
#include <mutex>
#include <set>

#include "engine/store/store.h"

namespace ph::store {
namespace {

// What posted tasks share with the store, which may go before they run.
struct State {
  mutable std::mutex mutex;
  std::deque<Txn> queue;
  std::map<int64_t, Record> log;
  std::map<std::string, std::map<int64_t, std::shared_ptr<const std::string>>> keys;
  int64_t revision = 1, compacted = 0;
  std::function<void()> afterCommit;  // called under no lock

  int64_t current(const std::string& key) const {
    auto it = keys.find(key);
    return it == keys.end() || !it->second.rbegin()->second ? 0 : it->second.rbegin()->first;
  }

  Result<std::vector<int64_t>> apply(const Txn& txn) {
    std::set<std::string_view> named;
    for (auto& op : txn.ops) {
      if (op.key.empty() || op.key.size() > kMaxKeyBytes)
        return Status::badRequest("a key of a length that can't be stored");
      if (op.value && op.value->size() > kMaxValueBytes)
        return Status::tooLarge("more bytes than the store takes");
      if (!named.insert(op.key).second)
        return Status::badRequest("a transaction names a key twice: " + op.key);
      if (op.expected && current(op.key) != *op.expected)
        return Status::conflict(
            fmt::format("{} is at revision {}, not {}", op.key, current(op.key), *op.expected));
    }
    std::vector<int64_t> revisions;
    for (auto& op : txn.ops) {
      ++revision;
      log[revision] = {revision, op.key, op.value};
      keys[op.key][revision] = op.value;
      revisions.push_back(revision);
    }
    return revisions;
  }

  void forget(int64_t upTo) {
    compacted = upTo;
    for (auto key = keys.begin(); key != keys.end();) {
      auto& records = key->second;
      auto end = records.upper_bound(upTo);
      if (end != records.begin()) {
        auto last = std::prev(end);
        if (last->second) end = last;  // the state at the revision stays, unless it is a tombstone
      }
      for (auto r = records.begin(); r != end; r = records.erase(r)) log.erase(r->first);
      key = records.empty() ? keys.erase(key) : std::next(key);
    }
  }
};

class MemoryStore : public Store {
 public:
  explicit MemoryStore(std::function<void(std::function<void()>)> post) : post_(std::move(post)) {}

  void commitAll(std::vector<Txn> txns) override {
    for (auto& txn : txns) {
      {
        std::lock_guard lock(state_->mutex);
        state_->queue.push_back(std::move(txn));
      }
      // Tasks may come in another order than they were posted: each takes the oldest.
      post_([state = state_] {
        std::unique_lock lock(state->mutex);
        Txn oldest = std::move(state->queue.front());
        state->queue.pop_front();
        auto answer = state->apply(oldest);
        lock.unlock();
        if (oldest.done) oldest.done(std::move(answer));
        if (state->afterCommit) state->afterCommit();
      });
    }
  }

  void afterEachCommit(std::function<void()> callback) override { state_->afterCommit = std::move(callback); }
  Result<> load(const std::function<void(Record)>& each) override {
    for (auto& record : live()) each(record);
    return {};
  }

  Result<> history(int64_t after, const std::function<bool(Record)>& each) override {
    std::vector<Record> records;
    {
      std::lock_guard lock(state_->mutex);
      if (after < state_->compacted) return gone(after);
      for (auto it = state_->log.upper_bound(after); it != state_->log.end(); ++it)
        records.push_back(it->second);
    }
    for (auto& record : records)
      if (!each(record)) break;
    return {};
  }

  Result<std::optional<Record>> recordAt(const std::string& key, int64_t revision) override {
    std::lock_guard lock(state_->mutex);
    if (revision < state_->compacted) return gone(revision);
    auto it = state_->keys.find(key);
    if (it == state_->keys.end()) return std::optional<Record>();
    auto end = it->second.upper_bound(revision);
    if (end == it->second.begin()) return std::optional<Record>();
    --end;
    return std::optional<Record>(Record{end->first, key, end->second});
  }

  void compact(int64_t revision, std::function<void(Result<>)> done) override {
    post_([state = state_, revision, done = std::move(done)] {
      Result<> answer;
      {
        std::lock_guard lock(state->mutex);
        if (revision > state->revision)
          answer = Status::badRequest(fmt::format("revision {} is still to come", revision));
        else if (revision > state->compacted)
          state->forget(revision);
      }
      if (done) done(std::move(answer));
    });
  }

  int64_t revision() const override {
    std::lock_guard lock(state_->mutex);
    return state_->revision;
  }
  int64_t compactedRevision() const override {
    std::lock_guard lock(state_->mutex);
    return state_->compacted;
  }

  Result<> snapshot(const std::string& path) override {
    int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    std::unique_ptr<FILE, int (*)(FILE*)> file(fd < 0 ? nullptr : fdopen(fd, "w"), fclose);
    if (!file) return Status::internal(path + " can't be made");
    for (auto& record : live())
      fmt::print(file.get(), "{} {} {}\n{}\n", record.revision, record.key, record.value->size(),
                 *record.value);
    if (fflush(file.get()) != 0) return Status::internal(path + " can't be written");
    return {};
  }

  Result<> health() const override { return {}; }

 private:
  Status gone(int64_t asked) const {
    return Status::expired(
        fmt::format("revision {} is older than the history kept (from {})", asked, state_->compacted));
  }
  std::vector<Record> live() const {
    std::vector<Record> records;
    std::lock_guard lock(state_->mutex);
    for (auto& [key, versions] : state_->keys)
      if (auto& [revision, value] = *versions.rbegin(); value) records.push_back({revision, key, value});
    return records;
  }

  std::function<void(std::function<void()>)> post_;
  std::shared_ptr<State> state_ = std::make_shared<State>();
};

}  // namespace

std::unique_ptr<Store> makeMemoryStore(std::function<void(std::function<void()>)> post) {
  return std::make_unique<MemoryStore>(std::move(post));
}

}  // namespace ph::store
