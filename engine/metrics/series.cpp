#include "engine/metrics/series.h"

namespace ph::metrics {

void Series::add(Point point) {
  if (!fine_.empty() && point.at < fine_.back().at) return;  // a clock that was set back
  fine_.push_back(point);
  while (fine_.size() > kMaxFine || point.at - fine_.front().at > kFine) {
    condense(fine_.front());
    fine_.pop_front();
  }
  while (!coarse_.empty() && (coarse_.size() > kMaxCoarse || point.at - coarse_.front().at > kDay)) coarse_.pop_front();
}

void Series::condense(const Point& point) {
  auto bucket = WallTime(std::chrono::duration_cast<WallTime::duration>(point.at.time_since_epoch() / kCoarse * kCoarse));
  if (count_ > 0 && bucket != bucket_) {
    coarse_.push_back({bucket_, uint32_t(cpuSum_ / count_), uint32_t(memorySum_ / count_)});
    cpuSum_ = memorySum_ = count_ = 0;
  }
  bucket_ = bucket;
  cpuSum_ += point.cpuMilli;
  memorySum_ += point.memoryKiB;
  ++count_;
}

std::vector<Point> Series::points() const {
  std::vector<Point> out(coarse_.begin(), coarse_.end());
  if (count_ > 0) out.push_back({bucket_, uint32_t(cpuSum_ / count_), uint32_t(memorySum_ / count_)});
  out.insert(out.end(), fine_.begin(), fine_.end());
  return out;
}

}  // namespace ph::metrics
