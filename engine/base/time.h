// Time as the engine sees it. Nothing outside engine/base reads a system clock.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ph {

using Duration = std::chrono::nanoseconds;
// Wall time since the Unix epoch (UTC), for what users and objects see. May jump.
using WallTime = std::chrono::sys_time<std::chrono::microseconds>;
// Never goes back; for time-outs, back-off and latencies. Its epoch is arbitrary.
struct MonoClockTag {
  using duration = Duration;
  using rep = duration::rep;
  using period = duration::period;
  static constexpr bool is_steady = true;
};
using MonoTime = std::chrono::time_point<MonoClockTag, Duration>;

class Clock {
 public:
  virtual ~Clock() = default;
  virtual WallTime wallNow() const = 0;
  virtual MonoTime monoNow() const = 0;
};

// The system's clocks. Thread-safe.
const Clock& systemClock();

// RFC 3339 as Kubernetes writes it: Time has whole seconds ("2026-01-02T03:04:05Z"), MicroTime six digits.
std::string formatTime(WallTime t);
std::string formatMicroTime(WallTime t);
std::optional<WallTime> parseTime(std::string_view text);  // both forms, any offset; nullopt when malformed

// "10s", "1m30s", "250ms" (Go's time.ParseDuration subset: ns us ms s m h). nullopt when malformed.
std::optional<Duration> parseDuration(std::string_view text);

}  // namespace ph
