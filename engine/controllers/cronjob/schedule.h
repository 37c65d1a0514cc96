// Schedule: a cron line of five fields ("*/5 8-18 * * mon-fri"), a word for one (@hourly, @daily, @weekly, @monthly,
// @yearly), or "@every 90s"; and the times that it names. Source: crontab(5). A day fits when the day of the month or
// the day of the week does, where both are given; both must where one is "*". When clocks go forward, times in
// the gap do not come; when they go back, times in the hour that comes twice do so too.
// Threads: plain values.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "engine/base/result.h"
#include "engine/base/time.h"
#include "engine/controllers/cronjob/zone.h"

namespace ph::controllers {

class Schedule {
 public:
  static Result<Schedule> parse(std::string_view text);

  // The first time after `after`, in whole seconds; nullopt when there is none within nine years: then there is none at all,
  // for a leap day comes every eight years at the least.
  std::optional<WallTime> next(WallTime after, const Zone& zone) const;
  // The last time after `after` that is not later than `until`.
  std::optional<WallTime> last(WallTime after, WallTime until, const Zone& zone) const;
  // How many times there are after `after` and not later than `until`, counted no further than `most`.
  int count(WallTime after, WallTime until, const Zone& zone, int most) const;

 private:
  std::optional<int64_t> nextLocal(int64_t after, int64_t before) const;
  bool dayFits(std::chrono::sys_days day) const;

  std::array<uint64_t, 5> fields_{};  // bits: minute, hour, day of month, month, day of week
  bool anyDay_ = false, anyWeekday_ = false;
  std::chrono::seconds every_{};  // of "@every"; zero: the fields hold
};

}  // namespace ph::controllers
