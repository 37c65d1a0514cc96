#include "engine/api/human.h"

namespace ph::api {

std::string humanDuration(Duration d) {
  int64_t s = std::chrono::duration_cast<std::chrono::seconds>(d).count();
  if (s < -1) return "<invalid>";
  if (s < 0) return "0s";
  auto pair = [](int64_t big, char bigUnit, int64_t small, char smallUnit) {
    std::string out = std::to_string(big) + bigUnit;
    if (small > 0) out += std::to_string(small) + smallUnit;
    return out;
  };
  const int64_t minutes = s / 60, hours = s / 3600, days = hours / 24, years = days / 365;
  if (s < 120) return std::to_string(s) + "s";
  if (minutes < 10) return pair(minutes, 'm', s % 60, 's');
  if (minutes < 180) return std::to_string(minutes) + "m";
  if (hours < 8) return pair(hours, 'h', minutes % 60, 'm');
  if (hours < 48) return std::to_string(hours) + "h";
  if (days < 8) return pair(days, 'd', hours % 24, 'h');
  if (days < 2 * 365) return std::to_string(days) + "d";
  if (years < 8) return pair(years, 'y', days % 365, 'd');
  return std::to_string(years) + "y";
}

std::string humanAge(WallTime then, WallTime now) {
  if (then == WallTime{}) return "<unknown>";
  return humanDuration(now - then);
}

}  // namespace ph::api
