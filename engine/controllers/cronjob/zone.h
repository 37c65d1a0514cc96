// Zone: the offset of a place's clocks from UTC at any time, read from the system's time zone files.
// Source: RFC 8536 (TZif), with its footer for the times after the last that are listed.
// Threads: plain values; Zones belongs to one thread.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "engine/base/time.h"

namespace ph::controllers {

class Zone {
 public:
  // UTC.
  Zone() = default;
  static Result<Zone> parse(std::string_view file);  // a file's bytes

  // From a time on until another, exclusive, the offset is the same. All in seconds, times since 1970.
  struct Span {
    int64_t offset = 0, until = std::numeric_limits<int64_t>::max();
  };
  Span at(int64_t time) const;
  // "2026-01-02T03:04:05+01:00".
  std::string format(WallTime t) const;

  // When summer time begins or ends each year: the `week`th (5: last) `weekday` of a month, or a day of the year.
  struct Turn {
    char kind = 'M';  // M: month, week and weekday; J: 1 to 365, no leap day; D: 0 to 365
    int month = 0, week = 0, weekday = 0, day = 0;
    int64_t seconds = 7200;  // of the local clock
    int64_t in(int year) const;
  };
  struct Rule {
    int64_t standard = 0, summer = 0;
    std::optional<Turn> begins, ends;
  };

 private:
  std::vector<int64_t> times_;    // when the offset changes
  std::vector<int64_t> offsets_;  // from each of them on
  int64_t first_ = 0;             // before the first
  std::optional<Rule> rule_;      // after the last
};

// The zones of the system by their names ("Europe/Berlin"); "" is the engine's own.
class Zones {
 public:
  // nullptr: there is no such zone, or its file cannot be read. Valid until this object is gone.
  const Zone* find(const std::string& name);

 private:
  std::map<std::string, Zone> known_;
};

}  // namespace ph::controllers
