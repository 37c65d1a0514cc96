// The formats that CRD schemas may name. Sources: RFC 3339, 4122, 1123, 3986; ISBN and Luhn check digits.
#include <arpa/inet.h>

#include <algorithm>
#include <cctype>
#include <cstring>

#include "engine/base/base64.h"
#include "engine/api/custom/walk.h"

namespace ph::api::custom {
namespace {

using std::string_view;

bool digit(char c) { return c >= '0' && c <= '9'; }
bool hex(char c) { return isxdigit(static_cast<unsigned char>(c)); }

// "dddd-dd-dd" and the like: d a digit, h a hex digit, anything else itself.
bool shaped(string_view s, string_view shape) {
  if (s.size() != shape.size()) return false;
  for (size_t i = 0; i < s.size(); ++i) {
    bool fits = shape[i] == 'd' ? digit(s[i]) : shape[i] == 'h' ? hex(s[i]) : s[i] == shape[i];
    if (!fits) return false;
  }
  return true;
}

int number(string_view s) {
  int n = 0;
  for (char c : s) n = n * 10 + (c - '0');
  return n;
}

bool isDate(string_view s) {
  if (!shaped(s, "dddd-dd-dd")) return false;
  int year = number(s.substr(0, 4)), month = number(s.substr(5, 2)), day = number(s.substr(8, 2));
  static constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (month < 1 || month > 12) return false;
  bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  return day >= 1 && day <= kDays[month - 1] + (month == 2 && leap);
}

bool isDateTime(string_view s) {
  if (s.size() < 20 || !isDate(s.substr(0, 10)) || (s[10] != 'T' && s[10] != 't')) return false;
  if (!shaped(s.substr(11, 8), "dd:dd:dd")) return false;
  if (number(s.substr(11, 2)) > 23 || number(s.substr(14, 2)) > 59 || number(s.substr(17, 2)) > 60) return false;
  auto rest = s.substr(19);
  if (rest.front() == '.') {
    size_t n = 1;
    while (n < rest.size() && digit(rest[n])) ++n;
    if (n == 1) return false;
    rest.remove_prefix(n);
  }
  if (rest == "Z" || rest == "z") return true;
  return (rest.starts_with('+') || rest.starts_with('-')) && shaped(rest.substr(1), "dd:dd") && number(rest.substr(1, 2)) < 24 &&
         number(rest.substr(4, 2)) < 60;
}

bool isIp(string_view s, int family) {
  if (s.size() > 64) return false;
  unsigned char out[16];
  return inet_pton(family, std::string(s).c_str(), out) == 1;
}

bool isCidr(string_view s) {
  auto slash = s.find('/');
  if (slash == string_view::npos) return false;
  auto bits = s.substr(slash + 1);
  if (bits.empty() || bits.size() > 3 || !std::all_of(bits.begin(), bits.end(), digit)) return false;
  auto address = s.substr(0, slash);
  return (isIp(address, AF_INET) && number(bits) <= 32) || (isIp(address, AF_INET6) && number(bits) <= 128);
}

bool isUuid(string_view s, char version) {
  std::string plain;
  for (char c : s)
    if (c != '-') plain += c;
  bool form = shaped(s, "hhhhhhhh-hhhh-hhhh-hhhh-hhhhhhhhhhhh") || shaped(s, "hhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhh");
  if (!form || (version && plain[12] != version)) return false;
  return version < '4' || strchr("89abAB", plain[16]);
}

bool isHostname(string_view s) {
  if (s.empty() || s.size() > 253) return false;
  size_t run = 0;
  char before = '.';
  for (char c : s) {
    if (c == '.') {
      if (run == 0 || before == '-') return false;
      run = 0;
    } else {
      if (!isalnum(static_cast<unsigned char>(c)) && c != '-' && c != '_') return false;
      if ((c == '-' && run == 0) || ++run > 63) return false;
    }
    before = c;
  }
  return before != '-';
}

bool isEmail(string_view s) {
  auto at = s.rfind('@');
  if (at == string_view::npos || at == 0 || at > 64) return false;
  auto local = s.substr(0, at);
  bool fine = std::all_of(local.begin(), local.end(), [](unsigned char c) { return c > ' ' && c != 127 && !strchr("()<>,;:[]\\\"@", c); });
  return fine && local.front() != '.' && local.back() != '.' && isHostname(s.substr(at + 1));
}

bool isUri(string_view s) {
  bool plain = std::none_of(s.begin(), s.end(), [](unsigned char c) { return c <= ' ' || c == 127; });
  if (!plain || s.empty()) return false;
  if (s.front() == '/') return true;
  auto colon = s.find(':');
  if (colon == string_view::npos || colon == 0 || !isalpha(static_cast<unsigned char>(s[0]))) return false;
  auto scheme = s.substr(0, colon);
  return std::all_of(scheme.begin(), scheme.end(), [](unsigned char c) { return isalnum(c) || c == '+' || c == '-' || c == '.'; });
}

bool isMac(string_view s) {
  for (auto shape : {"hh:hh:hh:hh:hh:hh", "hh-hh-hh-hh-hh-hh", "hhhh.hhhh.hhhh", "hh:hh:hh:hh:hh:hh:hh:hh", "hh-hh-hh-hh-hh-hh-hh-hh", "hhhh.hhhh.hhhh.hhhh"})
    if (shaped(s, shape)) return true;
  return false;
}

// Go's durations ("1h2.5m", "-3s") and the longer words of strfmt ("3 days").
bool isDuration(string_view s) {
  if (!s.empty() && (s.front() == '-' || s.front() == '+')) s.remove_prefix(1);
  if (s == "0") return true;
  if (s.empty()) return false;
  static constexpr string_view kUnits[] = {"ns", "us", "µs", "μs", "ms", "s", "m", "h", "d", "w", "nanosecond", "nanoseconds", "microsecond",
                                           "microseconds", "millisecond", "milliseconds", "second", "seconds", "minute", "minutes", "hour",
                                           "hours", "day", "days", "week", "weeks", "sec", "secs", "min", "mins", "hr", "hrs"};
  while (!s.empty()) {
    size_t n = 0, dots = 0;
    while (n < s.size() && (digit(s[n]) || s[n] == '.')) dots += s[n++] == '.';
    if (n == dots || dots > 1) return false;
    s.remove_prefix(n);
    while (!s.empty() && s.front() == ' ') s.remove_prefix(1);
    n = 0;
    while (n < s.size() && !digit(s[n]) && s[n] != '.' && s[n] != ' ') ++n;
    auto unit = s.substr(0, n);
    if (std::find(std::begin(kUnits), std::end(kUnits), unit) == std::end(kUnits)) return false;
    s.remove_prefix(n);
    while (!s.empty() && s.front() == ' ') s.remove_prefix(1);
  }
  return true;
}

std::string withoutDashes(string_view s) {
  std::string out;
  for (char c : s)
    if (c != '-' && c != ' ') out += c;
  return out;
}

bool isIsbn10(string_view text) {
  auto s = withoutDashes(text);
  if (s.size() != 10) return false;
  int sum = 0;
  for (int i = 0; i < 10; ++i) {
    bool last = i == 9 && (s[9] == 'X' || s[9] == 'x');
    if (!digit(s[size_t(i)]) && !last) return false;
    sum += (10 - i) * (last ? 10 : s[size_t(i)] - '0');
  }
  return sum % 11 == 0;
}

bool isIsbn13(string_view text) {
  auto s = withoutDashes(text);
  if (s.size() != 13 || !std::all_of(s.begin(), s.end(), digit)) return false;
  int sum = 0;
  for (size_t i = 0; i < 13; ++i) sum += (s[i] - '0') * (i % 2 ? 3 : 1);
  return sum % 10 == 0;
}

bool isCreditCard(string_view text) {
  auto s = withoutDashes(text);
  if (s.size() < 13 || s.size() > 19 || !std::all_of(s.begin(), s.end(), digit)) return false;
  int sum = 0;
  for (size_t i = 0; i < s.size(); ++i) {
    int d = s[s.size() - 1 - i] - '0';
    if (i % 2) d = d * 2 > 9 ? d * 2 - 9 : d * 2;
    sum += d;
  }
  return sum % 10 == 0;
}

bool isHexColor(string_view s) {
  if (s.starts_with('#')) s.remove_prefix(1);
  return shaped(s, "hhh") || shaped(s, "hhhhhh");
}

bool isRgbColor(string_view s) {
  if (!s.starts_with("rgb(") || !s.ends_with(')')) return false;
  s = s.substr(4, s.size() - 5);
  for (int i = 0; i < 3; ++i) {
    auto comma = s.find(',');
    if ((comma == string_view::npos) != (i == 2)) return false;
    auto part = s.substr(0, comma);
    while (part.starts_with(' ')) part.remove_prefix(1);
    while (part.ends_with(' ')) part.remove_suffix(1);
    if (part.empty() || part.size() > 3 || !std::all_of(part.begin(), part.end(), digit) || number(part) > 255) return false;
    if (i < 2) s.remove_prefix(comma + 1);
  }
  return true;
}

bool isSsn(string_view s) { return shaped(s, "ddd-dd-dddd") || shaped(s, "ddd dd dddd"); }

struct Format {
  string_view name;
  bool (*fits)(string_view);
};
constexpr Format kFormats[] = {
    {"date-time", isDateTime}, {"datetime", isDateTime}, {"date", isDate}, {"duration", isDuration},
    {"byte", [](string_view s) { return !checkBase64(s); }},
    {"ipv4", [](string_view s) { return isIp(s, AF_INET); }}, {"ipv6", [](string_view s) { return isIp(s, AF_INET6); }}, {"cidr", isCidr},
    {"uuid", [](string_view s) { return isUuid(s, 0); }}, {"uuid3", [](string_view s) { return isUuid(s, '3'); }},
    {"uuid4", [](string_view s) { return isUuid(s, '4'); }}, {"uuid5", [](string_view s) { return isUuid(s, '5'); }},
    {"hostname", isHostname}, {"email", isEmail}, {"uri", isUri}, {"mac", isMac},
    {"isbn", [](string_view s) { return isIsbn10(s) || isIsbn13(s); }}, {"isbn10", isIsbn10}, {"isbn13", isIsbn13},
    {"creditcard", isCreditCard}, {"ssn", isSsn}, {"hexcolor", isHexColor}, {"rgbcolor", isRgbColor},
    {"bsonobjectid", [](string_view s) { return shaped(s, "hhhhhhhhhhhhhhhhhhhhhhhh"); }},
};

}  // namespace

bool hasFormat(string_view text, string_view format) {
  for (auto& f : kFormats)
    if (f.name == format) return f.fits(text);
  return true;  // "password" and all that is only a hint
}

}  // namespace ph::api::custom
