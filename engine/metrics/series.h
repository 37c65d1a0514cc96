// Series: a day of one thing's use, in bounded memory: each sample of the last quarter of an hour, and the mean of each five minutes
// before. Threads: a plain value.
#pragma once

#include <deque>
#include <vector>

#include "engine/base/time.h"

namespace ph::metrics {

struct Point {
  WallTime at{};
  uint32_t cpuMilli = 0;
  uint32_t memoryKiB = 0;
};

class Series {
 public:
  static constexpr Duration kFine = std::chrono::minutes(15), kCoarse = std::chrono::minutes(5), kDay = std::chrono::hours(24);
  static constexpr size_t kMaxFine = 64, kMaxCoarse = 288;

  // Not older than the last.
  void add(Point point);
  std::vector<Point> points() const;  // oldest first
  WallTime last() const { return fine_.empty() ? WallTime{} : fine_.back().at; }

 private:
  void condense(const Point& point);
  std::deque<Point> fine_, coarse_;
  WallTime bucket_{};  // the five minutes that are being summed
  uint64_t cpuSum_ = 0, memorySum_ = 0, count_ = 0;
};

}  // namespace ph::metrics
