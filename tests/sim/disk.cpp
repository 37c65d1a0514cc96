#include "tests/sim/disk.h"

#include <chrono>

namespace ph::sim {

// One life of the engine's store: queues, then writes groups after a random moment.
class Disk::Life : public store::Store, public std::enable_shared_from_this<Life> {
 public:
  Life(Disk& disk) : disk_(disk) {}

  void commitAll(std::vector<store::Txn> txns) override {
    if (dead_) return;
    for (auto& t : txns) queue_.push_back(std::move(t));
    if (writing_ || queue_.empty()) return;
    writing_ = true;
    auto fsync = std::chrono::microseconds(300 + disk_.sim_->random().below(4000));
    disk_.sim_->after(fsync, [self = shared_from_this()] { self->write(); }).detach();
  }
  void afterEachCommit(std::function<void()> callback) override { afterCommit_ = std::move(callback); }
  Result<> load(const std::function<void(store::Record)>& each) override { return disk_.kept_->load(each); }
  Result<> history(int64_t after, const std::function<bool(store::Record)>& each) override {
    return disk_.kept_->history(after, each);
  }
  Result<std::optional<store::Record>> recordAt(const std::string& key, int64_t revision) override {
    return disk_.kept_->recordAt(key, revision);
  }
  void compact(int64_t revision, std::function<void(Result<>)> done) override {
    if (!dead_) disk_.kept_->compact(revision, std::move(done));
  }
  int64_t revision() const override { return disk_.kept_->revision(); }
  int64_t compactedRevision() const override { return disk_.kept_->compactedRevision(); }
  Result<> snapshot(const std::string& path) override { return disk_.kept_->snapshot(path); }
  Result<> health() const override { return {}; }

  void die() {
    dead_ = true;
    queue_.clear();
  }

 private:
  void write() {
    writing_ = false;
    if (dead_) return;
    std::deque<store::Txn> group;
    group.swap(queue_);
    for (auto& txn : group) {
      std::vector<store::Op> ops = txn.ops;
      auto done = std::move(txn.done);
      // The store underneath commits at once: it is made so.
      txn.done = [&](Result<std::vector<int64_t>> revisions) {
        if (revisions.ok() && disk_.onDurable)
          for (size_t i = 0; i < ops.size(); ++i) disk_.onDurable((*revisions)[i], ops[i]);
        if (done) done(std::move(revisions));
      };
      disk_.kept_->commit(std::move(txn));
    }
    if (afterCommit_) afterCommit_();
    if (!queue_.empty()) commitAll({});
  }

  Disk& disk_;
  std::deque<store::Txn> queue_;
  std::function<void()> afterCommit_;
  bool dead_ = false, writing_ = false;
};

Disk::Disk(std::shared_ptr<SimExecutor> sim)
    : sim_(std::move(sim)), kept_(store::makeMemoryStore([](std::function<void()> task) { task(); })) {}

std::shared_ptr<store::Store> Disk::open() {
  life_ = std::make_shared<Life>(*this);
  return life_;
}

void Disk::crash() {
  if (life_) life_->die();
  life_.reset();
}

}  // namespace ph::sim
