// Counters of the server, shown at /metrics in Prometheus' text form. Threads: lock-free counters.
#pragma once

#include <array>
#include <atomic>
#include <string>

#include "engine/server/core.h"

namespace ph::server {

class Metrics {
 public:
  void request(std::string_view verb, int code, Duration took);
  void watchers(int by) { watchers_.fetch_add(by, std::memory_order_relaxed); }
  std::string text(const Core& core, int connections) const;

 private:
  static constexpr size_t kVerbs = 10;
  static constexpr size_t kBuckets = 9;
  struct PerVerb {
    std::array<std::atomic<uint64_t>, 6> byClass{};  // code / 100
    std::array<std::atomic<uint64_t>, kBuckets + 1> buckets{};
    std::atomic<uint64_t> micros{0};
  };
  static size_t indexOf(std::string_view verb);
  std::array<PerVerb, kVerbs> verbs_;
  std::atomic<int64_t> watchers_{0};
};

}  // namespace ph::server
