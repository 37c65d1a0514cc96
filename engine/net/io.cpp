#include <pthread.h>

#include <algorithm>

#include "engine/net/lane.h"

namespace ph::net {

namespace {

// Runs tasks on one lane, or spreads them over all; a strand is one lane, as a lane is one thread.
class LaneExecutor final : public Executor {
 public:
  explicit LaneExecutor(std::vector<std::shared_ptr<Lane>> lanes) : lanes_(std::move(lanes)) {}
  void post(Task task) override { pick()->post(std::move(task)); }
  Timer after(Duration delay, Task task) override {
    auto cancelled = std::make_shared<std::atomic<bool>>(false);
    pick()->after(delay, std::move(task), cancelled);
    return Timer(std::move(cancelled));
  }
  std::shared_ptr<Executor> strand() override {
    return std::make_shared<LaneExecutor>(std::vector<std::shared_ptr<Lane>>{pick()});
  }
  const Clock& clock() const override { return systemClock(); }
  Random& random() override { return systemRandom(); }

 private:
  const std::shared_ptr<Lane>& pick() {
    return lanes_.size() == 1 ? lanes_[0]
                              : lanes_[next_.fetch_add(1, std::memory_order_relaxed) % lanes_.size()];
  }
  std::vector<std::shared_ptr<Lane>> lanes_;
  std::atomic<size_t> next_{0};
};

}  // namespace

IoImpl::IoImpl(int threads) {
  threads = std::clamp(threads, 1, 64);
  for (int i = 0; i < threads; ++i) lanes_.push_back(std::make_shared<Lane>());
  executor_ = std::make_shared<LaneExecutor>(lanes_);
  for (int i = 0; i < threads; ++i) {
    threads_.emplace_back([lane = lanes_[size_t(i)]] {
      lane->run();
      lane->dispose();
    });
    pthread_setname_np(threads_.back().native_handle(), ("ph-net-" + std::to_string(i)).c_str());
  }
}

IoImpl::~IoImpl() {
  for (auto& lane : lanes_) lane->halt();
  for (auto& thread : threads_) {
    // The last reference may go on one of our own threads: that one finishes by itself.
    if (thread.get_id() == std::this_thread::get_id()) {
      thread.detach();
    } else {
      thread.join();
    }
  }
}

const std::shared_ptr<Lane>& IoImpl::nextLane() {
  return lanes_[next_.fetch_add(1, std::memory_order_relaxed) % lanes_.size()];
}

std::shared_ptr<Io> Io::make(int threads) {
  return std::make_shared<IoImpl>(threads);
}

}  // namespace ph::net
