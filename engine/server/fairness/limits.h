// Limits: how many requests may be in flight, over all and of each client, so that one client can't starve the others. There is
// no queue: what is too much gets 429 with Retry-After and comes again. Administrators are never refused; nodes have a share
// of their own, so that leases go through whatever others do.
// Threads: all calls from any thread.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "engine/server/api_request.h"

namespace ph::server {

enum class Traffic : uint8_t { Get, List, Change, Watch, Connect };
inline constexpr size_t kTraffics = 5;

struct Allowance {
  int overall;    // of all clients of a share
  int perClient;  // of one user
};
using Allowances = std::array<Allowance, kTraffics>;  // by Traffic
extern const Allowances kDefaultAllowances;

class Limits;

// A place among the requests in flight; given back when it goes.
class Seat {
 public:
  Seat() = default;
  Seat(Seat&& other) noexcept { *this = std::move(other); }
  Seat& operator=(Seat&& other) noexcept;
  ~Seat() { leave(); }
  void leave();

 private:
  friend class Limits;
  std::shared_ptr<Limits> limits_;
  Traffic traffic_ = Traffic::Get;
  bool exempt_ = true, node_ = false;
  std::string client_;
};

class Limits : public std::enable_shared_from_this<Limits> {
 public:
  explicit Limits(const Allowances& allowances = kDefaultAllowances) : allowances_(allowances) {}
  // 429 when the client, or all together, have too much in flight.
  Result<Seat> enter(Traffic traffic, const User& user);
  int64_t inFlight(Traffic traffic) const { return all_[size_t(traffic)].load(std::memory_order_relaxed); }
  uint64_t refused(Traffic traffic) const { return refused_[size_t(traffic)].load(std::memory_order_relaxed); }

 private:
  friend class Seat;
  static constexpr size_t kShards = 16;
  using Counts = std::array<int, kTraffics>;
  struct Shard {
    std::mutex mutex;
    std::unordered_map<std::string, Counts> clients;  // only those with something in flight
  };
  Shard& shardOf(const std::string& client);
  bool takeOne(const std::string& client, Traffic traffic);
  void giveBack(const std::string& client, Traffic traffic);
  Status tooMany(Traffic traffic);

  const Allowances allowances_;
  std::array<std::atomic<int64_t>, kTraffics> all_{};
  std::array<std::array<std::atomic<int>, kTraffics>, 2> shares_{};  // everyone's; nodes'
  std::array<std::atomic<uint64_t>, kTraffics> refused_{};
  std::array<Shard, kShards> shards_;
};

}  // namespace ph::server
