#include "engine/controllers/cronjob/schedule.h"

#include <algorithm>
#include <bit>
#include <cctype>
#include <charconv>
#include <string>
#include <utility>
#include <vector>

namespace ph::controllers {
namespace {

using std::chrono::seconds;
using std::chrono::sys_days;

constexpr int64_t kDay = 86400;
constexpr seconds kHorizon{int64_t(9) * 366 * kDay};

enum Part { Minute, Hour, Day, Month, Weekday };
struct Field {
  const char* name;
  int least, most;
  std::string_view words;  // of three letters each, counted from `least`
};
constexpr Field kFields[] = {{"minute", 0, 59, ""},
                             {"hour", 0, 23, ""},
                             {"day of month", 1, 31, ""},
                             {"month", 1, 12, "janfebmaraprmayjunjulaugsepoctnovdec"},
                             {"day of week", 0, 7, "sunmontuewedthufrisat"}};

constexpr std::pair<std::string_view, std::string_view> kShort[] = {
    {"@yearly", "0 0 1 1 *"}, {"@annually", "0 0 1 1 *"}, {"@monthly", "0 0 1 * *"},  {"@weekly", "0 0 * * 0"},
    {"@daily", "0 0 * * *"},  {"@midnight", "0 0 * * *"}, {"@hourly", "0 * * * *"}};

bool has(uint64_t bits, unsigned n) {
  return bits >> n & 1;
}

bool number(std::string_view text, int& into) {
  auto r = std::from_chars(text.data(), text.data() + text.size(), into);
  return r.ec == std::errc() && r.ptr == text.data() + text.size();
}

bool valueOf(std::string_view text, const Field& f, int& into) {
  if (text.size() == 3 && std::isalpha(static_cast<unsigned char>(text[0]))) {
    std::string lower(text);
    for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    size_t at = f.words.find(lower);
    if (f.words.empty() || at == f.words.npos || at % 3) return false;
    into = f.least + static_cast<int>(at / 3);
    return true;
  }
  return number(text, into) && into >= f.least && into <= f.most;
}

// "*", "3", "1-5", "*/2", "3/10", "1-9/2". `all` becomes true for a plain "*".
bool addPart(std::string_view part, const Field& f, uint64_t& bits, bool& all) {
  int step = 1, first = f.least, last = f.most;
  size_t slash = part.find('/');
  bool stepped = slash != part.npos;
  if (stepped && (!number(part.substr(slash + 1), step) || step < 1)) return false;
  auto range = part.substr(0, slash);
  if (range == "*" || range == "?") {
    all = all || step == 1;
    last = f.least == 0 && f.most == 7 ? 6 : f.most;  // Sunday once
  } else {
    size_t dash = range.find('-');
    if (!valueOf(range.substr(0, dash), f, first)) return false;
    if (dash != range.npos) {
      if (!valueOf(range.substr(dash + 1), f, last) || last < first) return false;
    } else if (!stepped) {
      last = first;
    }
  }
  for (int i = first; i <= last; i += std::min(step, f.most + 1)) bits |= uint64_t(1) << i;
  return true;
}

bool parseField(std::string_view text, const Field& f, uint64_t& bits, bool& all) {
  while (true) {
    size_t comma = text.find(',');
    if (!addPart(text.substr(0, comma), f, bits, all)) return false;
    if (comma == text.npos) return true;
    text.remove_prefix(comma + 1);
  }
}

std::vector<std::string_view> words(std::string_view text) {
  std::vector<std::string_view> out;
  while (true) {
    size_t start = text.find_first_not_of(" \t");
    if (start == text.npos) return out;
    text.remove_prefix(start);
    size_t end = std::min(text.find_first_of(" \t"), text.size());
    out.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
}

Status wrong(std::string_view what, std::string_view text) {
  return Status::badRequest(std::string(what) + ": " + std::string(text));
}

// The least set bit that is not below `from`.
std::optional<int> firstFrom(uint64_t bits, int from) {
  bits = from > 63 ? 0 : bits >> from << from;
  return bits ? std::optional(std::countr_zero(bits)) : std::nullopt;
}

}  // namespace

Result<Schedule> Schedule::parse(std::string_view text) {
  Schedule out;
  constexpr std::string_view every = "@every ";
  if (text.starts_with(every)) {
    auto d = parseDuration(text.substr(every.size()));
    if (!d || *d <= Duration::zero()) return wrong("failed to parse the duration", text);
    out.every_ = std::max(seconds(1), std::chrono::duration_cast<seconds>(*d));
    return out;
  }
  if (text.starts_with('@')) {
    for (auto& [word, line] : kShort)
      if (word == text) return parse(line);
    return wrong("unrecognized descriptor", text);
  }
  auto parts = words(text);
  if (parts.size() != std::size(kFields))
    return wrong("expected exactly 5 fields, found " + std::to_string(parts.size()), text);
  for (size_t i = 0; i < parts.size(); ++i) {
    bool all = false;
    if (!parseField(parts[i], kFields[i], out.fields_[i], all))
      return wrong(std::string("failed to parse the ") + kFields[i].name, parts[i]);
    if (i == Day) out.anyDay_ = all;
    if (i == Weekday) out.anyWeekday_ = all;
  }
  if (has(out.fields_[Weekday], 7)) out.fields_[Weekday] |= 1;
  return out;
}

bool Schedule::dayFits(sys_days day) const {
  bool ofMonth = has(fields_[Day], unsigned(std::chrono::year_month_day(day).day()));
  bool ofWeek = has(fields_[Weekday], std::chrono::weekday(day).c_encoding());
  return anyDay_ || anyWeekday_ ? ofMonth && ofWeek : ofMonth || ofWeek;
}

// Both in seconds of the local clock: the first fitting minute after `after` and before `before`.
std::optional<int64_t> Schedule::nextLocal(int64_t after, int64_t before) const {
  int64_t start = after - (after % 60 + 60) % 60 + 60;  // the next whole minute
  sys_days day = std::chrono::floor<std::chrono::days>(std::chrono::sys_seconds(seconds(start)));
  int minute = static_cast<int>((start - day.time_since_epoch().count() * kDay) / 60);
  while (day.time_since_epoch().count() * kDay < before) {
    std::chrono::year_month_day date(day);
    if (!has(fields_[Month], unsigned(date.month()))) {
      day = sys_days((date.year() / date.month() + std::chrono::months(1)) / 1);
      minute = 0;
      continue;
    }
    for (auto hour = firstFrom(fields_[Hour], minute / 60); hour && dayFits(day); hour = firstFrom(fields_[Hour], *hour + 1)) {
      auto m = firstFrom(fields_[Minute], *hour == minute / 60 ? minute % 60 : 0);
      if (!m) continue;
      int64_t at = day.time_since_epoch().count() * kDay + *hour * 3600 + *m * 60;
      return at < before ? std::optional(at) : std::nullopt;
    }
    day += std::chrono::days(1);
    minute = 0;
  }
  return std::nullopt;
}

std::optional<WallTime> Schedule::next(WallTime after, const Zone& zone) const {
  auto from = std::chrono::floor<seconds>(after);
  if (every_ > seconds(0)) return from + every_;
  int64_t end = (from + kHorizon).time_since_epoch().count();
  for (int64_t at = from.time_since_epoch().count(); at < end;) {
    // The offset of the clock holds for a while; what is not in this while may be in the next.
    Zone::Span span = zone.at(at + 1);
    int64_t until = std::min(span.until, end);
    if (auto local = nextLocal(at + span.offset, until + span.offset)) return WallTime(seconds(*local - span.offset));
    at = until - 1;
    if (until == end) break;
  }
  return std::nullopt;
}

std::optional<WallTime> Schedule::last(WallTime after, WallTime until, const Zone& zone) const {
  auto first = next(after, zone);
  if (!first || *first > until) return std::nullopt;
  if (every_ > seconds(0)) return *first + (until - *first) / every_ * every_;
  WallTime low = after, high = until;  // a time comes after `low`, but none after `high`
  while (high - low > seconds(1)) {
    WallTime middle = low + (high - low) / 2;
    auto at = next(middle, zone);
    (at && *at <= until ? low : high) = middle;
  }
  return next(low, zone);
}

int Schedule::count(WallTime after, WallTime until, const Zone& zone, int most) const {
  int n = 0;
  for (auto at = next(after, zone); at && *at <= until && n < most; at = next(*at, zone)) ++n;
  return n;
}

}  // namespace ph::controllers
