#include "engine/controllers/cronjob/zone.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstdlib>
#include <fstream>
#include <utility>

namespace ph::controllers {
namespace {

using std::chrono::sys_days;

constexpr int64_t kDay = 86400;
constexpr const char* kFolders[] = {"/usr/share/zoneinfo/", "/usr/lib/zoneinfo/", "/usr/share/lib/zoneinfo/"};
constexpr size_t kHeader = 44, kLongestFile = 1 << 18;  // bytes; real ones have a few thousand

int64_t bigEndian(std::string_view bytes) {
  uint64_t n = !bytes.empty() && (bytes[0] & 0x80) ? ~uint64_t(0) : 0;
  for (char c : bytes) n = n << 8 | static_cast<unsigned char>(c);
  return static_cast<int64_t>(n);
}

struct Counts {
  size_t utc, standard, leaps, times, types, letters;
  // How long a block of data is whose times have so many bytes.
  size_t bytes(size_t width) const { return times * (width + 1) + types * 6 + letters + leaps * (width + 4) + standard + utc; }
};

std::optional<Counts> countsAt(std::string_view file, size_t at) {
  if (file.size() < at + kHeader || file.substr(at, 4) != "TZif") return std::nullopt;
  auto n = [&](size_t i) { return static_cast<size_t>(static_cast<uint32_t>(bigEndian(file.substr(at + 20 + 4 * i, 4)))); };
  Counts c{n(0), n(1), n(2), n(3), n(4), n(5)};
  constexpr size_t most = 100000;  // far beyond what zones have
  if (std::max({c.utc, c.standard, c.leaps, c.times, c.types, c.letters}) > most || c.types == 0) return std::nullopt;
  return c;
}

// The footer: "CET-1CEST,M3.5.0,M10.5.0/3". Its readers take what they read off the text.
bool takeName(std::string_view& s) {
  size_t end = 0;
  if (s.starts_with('<'))
    end = std::min(s.find('>'), s.size() - 1) + 1;
  else
    while (end < s.size() && std::isalpha(static_cast<unsigned char>(s[end]))) ++end;
  s.remove_prefix(end);
  return end >= 3;
}

bool takeNumber(std::string_view& s, int& into) {
  auto r = std::from_chars(s.data(), s.data() + s.size(), into);
  if (r.ec != std::errc() || into < 0 || into > 366) return false;
  s.remove_prefix(static_cast<size_t>(r.ptr - s.data()));
  return true;
}

bool take(std::string_view& s, char c) {
  if (!s.starts_with(c)) return false;
  s.remove_prefix(1);
  return true;
}

// "5", "-3:30", "26:00:00".
bool takeTime(std::string_view& s, int64_t& into) {
  bool minus = take(s, '-');
  if (!minus) take(s, '+');
  int hours = 0, minutes = 0, seconds = 0;
  if (!takeNumber(s, hours)) return false;
  if (take(s, ':') && !takeNumber(s, minutes)) return false;
  if (take(s, ':') && !takeNumber(s, seconds)) return false;
  into = hours * int64_t(3600) + minutes * 60 + seconds;
  if (minus) into = -into;
  return true;
}

bool takeTurn(std::string_view& s, Zone::Turn& t) {
  if (!take(s, ',')) return false;
  if (take(s, 'M')) {
    if (!takeNumber(s, t.month) || !take(s, '.') || !takeNumber(s, t.week) || !take(s, '.') || !takeNumber(s, t.weekday)) return false;
    if (t.month < 1 || t.month > 12 || t.week < 1 || t.week > 5 || t.weekday > 6) return false;
  } else {
    t.kind = take(s, 'J') ? 'J' : 'D';
    if (!takeNumber(s, t.day)) return false;
  }
  return !take(s, '/') || takeTime(s, t.seconds);
}

std::optional<Zone::Rule> parseRule(std::string_view s) {
  Zone::Rule rule;
  if (!takeName(s) || !takeTime(s, rule.standard)) return std::nullopt;
  rule.standard = -rule.standard;  // POSIX counts west of Greenwich
  rule.summer = rule.standard + 3600;
  if (s.empty()) return rule;
  if (!takeName(s)) return std::nullopt;
  if (!s.empty() && s[0] != ',') {
    if (!takeTime(s, rule.summer)) return std::nullopt;
    rule.summer = -rule.summer;
  }
  Zone::Turn begins, ends;
  if (!takeTurn(s, begins) || !takeTurn(s, ends) || !s.empty()) return std::nullopt;
  rule.begins = begins;
  rule.ends = ends;
  return rule;
}

Zone::Span byRule(const Zone::Rule& rule, int64_t time) {
  if (!rule.begins) return {rule.standard};
  auto day = std::chrono::floor<std::chrono::days>(std::chrono::sys_seconds(std::chrono::seconds(time + rule.standard)));
  int year = int(std::chrono::year_month_day(day).year());
  Zone::Span span{rule.standard};
  std::vector<std::pair<int64_t, int64_t>> turns;  // when, and the offset from then on
  for (int y = year - 1; y <= year + 1; ++y) {
    turns.emplace_back(rule.begins->in(y) - rule.standard, rule.summer);
    turns.emplace_back(rule.ends->in(y) - rule.summer, rule.standard);
  }
  std::sort(turns.begin(), turns.end());
  for (auto& [when, offset] : turns) {
    if (when > time) {
      span.until = when;
      break;
    }
    span.offset = offset;
  }
  return span;
}

bool plainName(std::string_view name) {
  bool letters = std::all_of(name.begin(), name.end(), [](unsigned char c) { return std::isalnum(c) || c == '/' || c == '_' || c == '-' || c == '+'; });
  return !name.empty() && letters && name[0] != '/';  // no dots: it stays in its folder
}

Result<Zone> readZone(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string bytes(kLongestFile, '\0');
  file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));  // of a folder it reads nothing
  bytes.resize(static_cast<size_t>(file.gcount()));
  return Zone::parse(bytes);
}

Result<Zone> named(const std::string& name) {
  for (auto* folder : kFolders)
    if (auto zone = readZone(folder + name); zone.ok()) return zone;
  if (name == "UTC" || name == "Etc/UTC" || name == "GMT") return Zone();
  return Status::notFound("unknown time zone " + name);
}

// As the C library takes it: TZ, where it is set, else what the system was set up with.
Result<Zone> ownZone() {
  const char* tz = std::getenv("TZ");
  std::string name = tz ? tz : "";
  if (name.starts_with(':')) name.erase(0, 1);
  if (!tz) return readZone("/etc/localtime");
  if (plainName(name)) return named(name);
  return Status::notFound("unknown time zone " + name);
}

}  // namespace

int64_t Zone::Turn::in(int year) const {
  using namespace std::chrono;
  sys_days day{};
  if (kind == 'M') {
    auto first = std::chrono::year(year) / std::chrono::month(static_cast<unsigned>(month));
    std::chrono::weekday wanted(static_cast<unsigned>(weekday));
    day = week == 5 ? sys_days(first / wanted[last]) : sys_days(first / wanted[static_cast<unsigned>(week)]);
  } else {
    day = sys_days(std::chrono::year(year) / January / 1) + days(this->day);
    if (kind == 'J') day -= days(std::chrono::year(year).is_leap() && this->day >= 60 ? 0 : 1);
  }
  return day.time_since_epoch().count() * kDay + seconds;
}

Result<Zone> Zone::parse(std::string_view file) {
  auto bad = [] { return Status::badRequest("not a time zone file"); };
  auto counts = countsAt(file, 0);
  if (!counts) return bad();
  size_t at = 0, width = 4;
  if (file[4] >= '2') {  // the same again, with wide times
    at = kHeader + counts->bytes(4);
    counts = countsAt(file, at);
    width = 8;
    if (!counts) return bad();
  }
  size_t data = at + kHeader, end = data + counts->bytes(width);
  if (file.size() < end) return bad();
  size_t types = data + counts->times * (width + 1);
  auto offset = [&](size_t type) { return bigEndian(file.substr(types + 6 * type, 4)); };
  Zone zone;
  zone.first_ = offset(0);
  for (size_t i = 0; i < counts->times; ++i) {
    size_t type = static_cast<unsigned char>(file[data + counts->times * width + i]);
    if (type >= counts->types) return bad();
    zone.times_.push_back(bigEndian(file.substr(data + width * i, width)));
    zone.offsets_.push_back(offset(type));
  }
  if (!std::is_sorted(zone.times_.begin(), zone.times_.end())) return bad();
  auto footer = file.substr(end);
  if (width == 8 && footer.starts_with('\n')) zone.rule_ = parseRule(footer.substr(1, footer.find('\n', 1) - 1));
  return zone;
}

Zone::Span Zone::at(int64_t time) const {
  auto next = std::upper_bound(times_.begin(), times_.end(), time);
  if (next == times_.end() && rule_) return byRule(*rule_, time);
  Span span{next == times_.begin() ? first_ : offsets_[static_cast<size_t>(next - times_.begin()) - 1]};
  if (next != times_.end()) span.until = *next;
  return span;
}

std::string Zone::format(WallTime t) const {
  auto s = std::chrono::floor<std::chrono::seconds>(t);
  int64_t offset = at(s.time_since_epoch().count()).offset;
  std::string text = formatTime(s + std::chrono::seconds(offset));
  if (offset == 0) return text;
  text.pop_back();  // Z
  int64_t minutes = std::abs(offset) / 60;
  return text + fmt::format("{}{:02}:{:02}", offset < 0 ? '-' : '+', minutes / 60, minutes % 60);
}

const Zone* Zones::find(const std::string& name) {
  if (auto it = known_.find(name); it != known_.end()) return &it->second;
  if (name.empty()) {
    auto zone = ownZone();
    return &known_.emplace(name, zone.ok() ? *zone : Zone()).first->second;
  }
  if (!plainName(name)) return nullptr;
  auto zone = named(name);
  return zone.ok() ? &known_.emplace(name, std::move(*zone)).first->second : nullptr;
}

}  // namespace ph::controllers
