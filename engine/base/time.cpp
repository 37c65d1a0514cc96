#include "engine/base/time.h"

#include <charconv>
#include <utility>

namespace ph {
namespace {

class SystemClock : public Clock {
 public:
  WallTime wallNow() const override {
    return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
  }
  MonoTime monoNow() const override { return MonoTime(std::chrono::steady_clock::now().time_since_epoch()); }
};

struct Parts {
  std::chrono::year_month_day date;
  std::chrono::hh_mm_ss<std::chrono::microseconds> time;
};

Parts split(WallTime t) {
  auto day = std::chrono::floor<std::chrono::days>(t);
  return {std::chrono::year_month_day(day), std::chrono::hh_mm_ss<std::chrono::microseconds>(t - day)};
}

void appendDigits(std::string& out, int64_t value, int count) {
  const size_t end = out.size() + size_t(count);
  out.resize(end);
  for (size_t i = end; i > end - size_t(count); value /= 10) out[--i] = char('0' + value % 10);
}

// Up to the seconds. By hand: each object that is written has some of these.
std::string seconds(const Parts& p) {
  std::string out;
  out.reserve(27);
  appendDigits(out, int(p.date.year()), 4);
  for (auto [before, value] : {std::pair('-', int64_t(unsigned(p.date.month()))), std::pair('-', int64_t(unsigned(p.date.day()))),
                               std::pair('T', int64_t(p.time.hours().count())), std::pair(':', int64_t(p.time.minutes().count())),
                               std::pair(':', int64_t(p.time.seconds().count()))}) {
    out += before;
    appendDigits(out, value, 2);
  }
  return out;
}

// Reads exactly `digits` digits at `pos`; -1 when they aren't there.
int digits(std::string_view s, size_t pos, size_t count) {
  if (pos + count > s.size()) return -1;
  int value = 0;
  for (size_t i = pos; i < pos + count; ++i) {
    if (s[i] < '0' || s[i] > '9') return -1;
    value = value * 10 + (s[i] - '0');
  }
  return value;
}

// The offset behind the seconds: "Z" or "+hh:mm" / "-hh:mm". nullopt when malformed.
std::optional<std::chrono::minutes> parseOffset(std::string_view s) {
  if (s == "Z" || s == "z") return std::chrono::minutes(0);
  if (s.size() != 6 || (s[0] != '+' && s[0] != '-') || s[3] != ':') return std::nullopt;
  int h = digits(s, 1, 2), m = digits(s, 4, 2);
  if (h < 0 || h > 23 || m < 0 || m > 59) return std::nullopt;
  auto offset = std::chrono::minutes(h * 60 + m);
  return s[0] == '+' ? offset : -offset;
}

}  // namespace

const Clock& systemClock() {
  static const SystemClock clock;
  return clock;
}

std::string formatTime(WallTime t) {
  auto out = seconds(split(t));
  out += 'Z';
  return out;
}

std::string formatMicroTime(WallTime t) {
  Parts p = split(t);
  auto out = seconds(p);
  out += '.';
  appendDigits(out, p.time.subseconds().count(), 6);
  out += 'Z';
  return out;
}

std::optional<WallTime> parseTime(std::string_view s) {
  if (s.size() < 20 || s[4] != '-' || s[7] != '-' || (s[10] != 'T' && s[10] != 't') || s[13] != ':' || s[16] != ':')
    return std::nullopt;
  int year = digits(s, 0, 4), month = digits(s, 5, 2), day = digits(s, 8, 2);
  int hour = digits(s, 11, 2), minute = digits(s, 14, 2), second = digits(s, 17, 2);
  if (year < 0 || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60) return std::nullopt;
  std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(unsigned(month)),
                                   std::chrono::day(unsigned(day))};
  if (month < 1 || day < 1 || !date.ok()) return std::nullopt;
  size_t pos = 19;
  int64_t micros = 0;
  if (s[pos] == '.') {
    int64_t scale = 100000;
    size_t start = ++pos;
    for (; pos < s.size() && s[pos] >= '0' && s[pos] <= '9'; ++pos, scale /= 10) micros += (s[pos] - '0') * scale;
    if (pos == start) return std::nullopt;
  }
  auto offset = parseOffset(s.substr(pos));
  if (!offset) return std::nullopt;
  WallTime time(std::chrono::sys_days(date).time_since_epoch() + std::chrono::hours(hour) +
                std::chrono::minutes(minute) + std::chrono::seconds(second) + std::chrono::microseconds(micros) -
                *offset);
  // A leap second or an offset may lead out of the years that can be written again.
  constexpr WallTime kFirst(std::chrono::sys_days(std::chrono::year(0) / 1 / 1).time_since_epoch());
  constexpr WallTime kEnd(std::chrono::sys_days(std::chrono::year(10000) / 1 / 1).time_since_epoch());
  if (time < kFirst || time >= kEnd) return std::nullopt;
  return time;
}

std::optional<Duration> parseDuration(std::string_view s) {
  struct Unit { std::string_view name; double nanos; };
  static constexpr Unit kUnits[] = {{"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}, {"m", 60e9}, {"h", 3600e9}};
  if (s == "0") return Duration(0);
  bool negative = !s.empty() && s[0] == '-';
  if (negative) s.remove_prefix(1);
  if (s.empty()) return std::nullopt;
  double total = 0;
  while (!s.empty()) {
    double number = 0;
    auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), number, std::chars_format::fixed);
    if (error != std::errc() || number < 0) return std::nullopt;
    s.remove_prefix(size_t(end - s.data()));
    size_t length = 0;
    while (length < s.size() && s[length] >= 'a' && s[length] <= 'z') ++length;
    const Unit* unit = nullptr;
    for (auto& u : kUnits)
      if (u.name == s.substr(0, length)) unit = &u;
    if (!unit) return std::nullopt;
    total += number * unit->nanos;
    s.remove_prefix(length);
  }
  if (total > 9e18) return std::nullopt;
  return Duration(int64_t(negative ? -total : total));
}

}  // namespace ph
