#include "engine/server/fairness/limits.h"

#include "engine/server/authz.h"

namespace ph::server {

// Requests here never hold a thread, so these bound memory and the store's queue, not a pool.
const Allowances kDefaultAllowances = {{
    {2000, 500},    // Get: answered at once; only slow readers are in flight at all
    {400, 100},     // List: each may hold a snapshot for as long as its client reads
    {2000, 500},    // Change: waits for the fsync; a group commit takes some hundreds
    {20000, 1000},  // Watch: a few kilobytes each, up to 16 MiB when its client lags; an operator has some dozens
    {2000, 200},    // Connect: logs, exec, port-forward: a stream to a node each
}};

Seat& Seat::operator=(Seat&& other) noexcept {
  if (this == &other) return *this;
  leave();
  limits_ = std::move(other.limits_);
  traffic_ = other.traffic_;
  exempt_ = other.exempt_;
  node_ = other.node_;
  client_ = std::move(other.client_);
  return *this;
}

void Seat::leave() {
  auto limits = std::move(limits_);
  if (!limits) return;
  limits->all_[size_t(traffic_)].fetch_sub(1, std::memory_order_relaxed);
  if (exempt_) return;
  limits->shares_[node_][size_t(traffic_)].fetch_sub(1, std::memory_order_relaxed);
  limits->giveBack(client_, traffic_);
}

Limits::Shard& Limits::shardOf(const std::string& client) {
  return shards_[std::hash<std::string>()(client) % kShards];
}

bool Limits::takeOne(const std::string& client, Traffic traffic) {
  auto& shard = shardOf(client);
  std::lock_guard lock(shard.mutex);
  int& count = shard.clients[client][size_t(traffic)];
  if (count >= allowances_[size_t(traffic)].perClient) return false;
  ++count;
  return true;
}

void Limits::giveBack(const std::string& client, Traffic traffic) {
  auto& shard = shardOf(client);
  std::lock_guard lock(shard.mutex);
  auto found = shard.clients.find(client);
  if (found == shard.clients.end()) return;
  --found->second[size_t(traffic)];
  for (int n : found->second)
    if (n) return;
  shard.clients.erase(found);
}

Status Limits::tooMany(Traffic traffic) {
  refused_[size_t(traffic)].fetch_add(1, std::memory_order_relaxed);
  return Status::tooManyRequests("too many requests, please try again later", 1);
}

Result<Seat> Limits::enter(Traffic traffic, const User& user) {
  size_t t = size_t(traffic);
  Seat seat;
  seat.traffic_ = traffic;
  seat.exempt_ = user.inGroup(kAdmins);
  if (!seat.exempt_) {
    seat.node_ = !nodeOf(user).empty();
    if (!takeOne(user.name, traffic)) return tooMany(traffic);
    auto& share = shares_[seat.node_][t];
    if (share.fetch_add(1, std::memory_order_relaxed) >= allowances_[t].overall) {
      share.fetch_sub(1, std::memory_order_relaxed);
      giveBack(user.name, traffic);
      return tooMany(traffic);
    }
    seat.client_ = user.name;
  }
  all_[t].fetch_add(1, std::memory_order_relaxed);
  seat.limits_ = shared_from_this();
  return seat;
}

}  // namespace ph::server
