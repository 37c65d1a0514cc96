// Counters of the server, shown at /metrics in Prometheus' text form; named as Kubernetes' where they mean the same.
// Threads: any; counting takes a lock that is hardly ever shared.
#pragma once

#include <array>
#include <atomic>
#include <mutex>
#include <string>
#include <unordered_map>

#include "engine/server/core.h"

namespace ph::server {

class AuditLog;
class Limits;

class Metrics {
 public:
  struct Request {
    const ResourceInfo* info;  // null: a path outside the resources
    std::string_view verb, subresource;
    int code;
  };
  // What others count.
  struct Others {
    int connections = 0;
    const Limits* limits = nullptr;
    const AuditLog* audit = nullptr;
  };

  void request(const Request& request, Duration took);
  void watchers(int by) { watchers_.fetch_add(by, std::memory_order_relaxed); }
  std::string text(const Core& core, const Others& others) const;

 private:
  static constexpr size_t kVerbs = 10;
  static constexpr size_t kBuckets = 12;
  static constexpr size_t kShards = 8;
  static constexpr size_t kMaxSeries = 5000;  // a shard; codes and kinds are few, so this only guards
  struct Key {
    const ResourceInfo* info;  // entries live as long as the registry
    uint8_t verb;
    uint16_t code;
    std::string_view subresource;  // one of the known ones
    bool operator==(const Key&) const = default;
  };
  struct KeyHash {
    size_t operator()(const Key& k) const {
      return std::hash<const void*>()(k.info) ^ (size_t(k.verb) << 1) ^ (size_t(k.code) << 8) ^
             std::hash<std::string_view>()(k.subresource);
    }
  };
  struct Shard {
    mutable std::mutex mutex;
    std::unordered_map<Key, uint64_t, KeyHash> counts;
  };
  struct PerVerb {
    std::array<std::atomic<uint64_t>, kBuckets + 1> buckets{};
    std::atomic<uint64_t> micros{0};
  };
  void appendRequests(std::string& out) const;
  void appendDurations(std::string& out) const;

  std::array<Shard, kShards> shards_;
  std::array<PerVerb, kVerbs> verbs_;
  std::atomic<int64_t> watchers_{0};
};

}  // namespace ph::server
