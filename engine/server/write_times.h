// When the latest writes were asked for and when they were durable, by the revision that they got: what timelines are made of.
// Bounded: the last 16,384. Threads: all calls from any thread (one short lock).
#pragma once

#include <mutex>
#include <optional>
#include <vector>

#include "engine/base/time.h"

namespace ph::server {

struct WriteTime {
  int64_t revision = 0;
  MonoTime asked{}, durable{};
};

class WriteTimes {
 public:
  void note(const WriteTime& time) {
    std::lock_guard lock(mutex_);
    if (ring_.empty()) ring_.resize(kKept);
    ring_[size_t(time.revision) % kKept] = time;
  }
  std::optional<WriteTime> at(int64_t revision) const {
    std::lock_guard lock(mutex_);
    if (ring_.empty()) return std::nullopt;
    auto& found = ring_[size_t(revision) % kKept];
    return found.revision == revision ? std::optional(found) : std::nullopt;
  }

 private:
  static constexpr size_t kKept = 16384;
  mutable std::mutex mutex_;
  std::vector<WriteTime> ring_;  // made by the first write
};

}  // namespace ph::server
