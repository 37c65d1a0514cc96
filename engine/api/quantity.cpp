#include "engine/api/quantity.h"

#include <charconv>
#include <limits>

namespace ph::api {
namespace {

using Wide = __int128;
constexpr int64_t kNano = 1'000'000'000;
constexpr Wide kMaxNano = Wide(INT64_MAX) * kNano;

Wide clamp(Wide v) { return v > kMaxNano ? kMaxNano : v < -kMaxNano ? -kMaxNano : v; }

struct Suffix {
  std::string_view text;
  int exponent;  // of 10, or of 2
  bool binary;
};
constexpr Suffix kSuffixes[] = {{"n", -9, false}, {"u", -6, false}, {"m", -3, false}, {"", 0, false}, {"k", 3, false},
                                {"M", 6, false}, {"G", 9, false}, {"T", 12, false}, {"P", 15, false}, {"E", 18, false},
                                {"Ki", 10, true}, {"Mi", 20, true}, {"Gi", 30, true}, {"Ti", 40, true}, {"Pi", 50, true},
                                {"Ei", 60, true}};

bool digit(char c) { return c >= '0' && c <= '9'; }

// The digits as one number; those after the point are counted. Digits beyond what matters only leave a trace.
struct Mantissa {
  Wide value = 0;
  int decimals = 0;
  bool rest = false;      // something non-zero was cut off
  bool overflow = false;  // too many digits before the point
};

bool scanMantissa(std::string_view& text, Mantissa& m) {
  constexpr Wide limit = Wide(1) << 96;
  bool any = false, point = false;
  while (!text.empty() && (digit(text[0]) || (text[0] == '.' && !point))) {
    char c = text[0];
    text.remove_prefix(1);
    if (c == '.') {
      point = true;
      continue;
    }
    any = true;
    if (m.value >= limit) {
      if (point) m.rest |= c != '0';
      else m.overflow = true;
      continue;
    }
    m.value = m.value * 10 + (c - '0');
    if (point) ++m.decimals;
  }
  return any;
}

}  // namespace

std::optional<Quantity> Quantity::parse(std::string_view text) {
  bool negative = false;
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) {
    negative = text[0] == '-';
    text.remove_prefix(1);
  }
  Mantissa m;
  if (!scanMantissa(text, m)) return std::nullopt;

  Quantity q;
  long ten = 0;
  int two = 0;
  bool known = false;
  for (auto& s : kSuffixes) {
    if (s.text != text) continue;
    known = true;
    if (s.binary) two = s.exponent;
    else ten = s.exponent;
    q.format_ = s.binary ? Format::BinarySi : Format::DecimalSi;
  }
  if (!known) {
    if (text.size() < 2 || (text[0] != 'e' && text[0] != 'E')) return std::nullopt;
    auto number = text.substr(1);
    if (number[0] == '+') number.remove_prefix(1);
    if (number.empty() || !(digit(number[0]) || number[0] == '-')) return std::nullopt;
    auto r = std::from_chars(number.data(), number.data() + number.size(), ten);
    if (r.ptr != number.data() + number.size() || r.ec == std::errc::invalid_argument) return std::nullopt;
    if (r.ec == std::errc::result_out_of_range) ten = number[0] == '-' ? -1000 : 1000;
    q.format_ = Format::DecimalExponent;
  }

  // Everything in nano units, rounded away from zero, so that a little never becomes nothing.
  Wide v = m.value;
  bool over = m.overflow;
  for (int i = 0; i < two / 10 && !over; ++i) {
    if (v > kMaxNano * 1000) over = true;
    else v *= 1024;
  }
  long power = ten - m.decimals + 9;
  if (v == 0 && !over) power = 0;
  for (; power > 0 && !over; --power) {
    if (v > kMaxNano) over = true;
    else v *= 10;
  }
  bool rest = m.rest;
  for (; power < 0 && v != 0; ++power) {
    rest |= v % 10 != 0;
    v /= 10;
  }
  if (rest) ++v;
  v = over ? kMaxNano : clamp(v);
  if (negative) v = -v;
  q.units_ = static_cast<int64_t>(v / kNano);
  q.nano_ = static_cast<int32_t>(v % kNano);
  if (q.format_ == Format::BinarySi && q.units_ == 0 && q.nano_ != 0) q.format_ = Format::DecimalSi;
  return q;
}

Quantity Quantity::fromMilli(int64_t milli, Format format) {
  Quantity q;
  q.units_ = milli / 1000;
  q.nano_ = static_cast<int32_t>(milli % 1000 * 1'000'000);
  q.format_ = format;
  return q;
}

Quantity Quantity::fromUnits(int64_t units, Format format) {
  Quantity q;
  q.units_ = units;
  q.format_ = format;
  return q;
}

int64_t Quantity::milli() const {
  Wide v = Wide(units_) * 1000 + nano_ / 1'000'000;
  if (nano_ % 1'000'000 > 0) ++v;
  if (nano_ % 1'000'000 < 0) --v;
  if (v > INT64_MAX) return INT64_MAX;
  if (v < INT64_MIN) return INT64_MIN;
  return static_cast<int64_t>(v);
}

int64_t Quantity::units() const {
  if (nano_ > 0 && units_ < INT64_MAX) return units_ + 1;
  if (nano_ < 0 && units_ > INT64_MIN) return units_ - 1;
  return units_;
}

std::string Quantity::text() const {
  if (isZero()) return "0";
  bool binary = format_ == Format::BinarySi && nano_ == 0 && (units_ >= 1024 || units_ <= -1024);
  if (binary) {
    int64_t v = units_;
    int step = 0;
    while (v % 1024 == 0 && step < 6) {
      v /= 1024;
      ++step;
    }
    static constexpr std::string_view names[] = {"", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"};
    return std::to_string(v) + std::string(names[step]);
  }
  Wide v = Wide(units_) * kNano + nano_;
  int exponent = -9;
  while (v % 1000 == 0 && exponent < 18) {
    v /= 1000;
    exponent += 3;
  }
  bool negative = v < 0;
  if (negative) v = -v;
  std::string digits;
  for (; v > 0; v /= 10) digits.insert(digits.begin(), static_cast<char>('0' + static_cast<int>(v % 10)));
  if (negative) digits.insert(digits.begin(), '-');
  if (format_ == Format::DecimalExponent) return exponent == 0 ? digits : digits + "e" + std::to_string(exponent);
  static constexpr std::string_view names[] = {"n", "u", "m", "", "k", "M", "G", "T", "P", "E"};
  return digits + std::string(names[(exponent + 9) / 3]);
}

int Quantity::compare(const Quantity& o) const {
  if (units_ != o.units_) return units_ < o.units_ ? -1 : 1;
  return nano_ == o.nano_ ? 0 : nano_ < o.nano_ ? -1 : 1;
}

Quantity Quantity::operator+(const Quantity& o) const {
  Wide v = clamp(Wide(units_) * kNano + nano_ + Wide(o.units_) * kNano + o.nano_);
  Quantity q;
  q.units_ = static_cast<int64_t>(v / kNano);
  q.nano_ = static_cast<int32_t>(v % kNano);
  q.format_ = isZero() ? o.format_ : format_;
  return q;
}

Quantity Quantity::operator-(const Quantity& o) const {
  Quantity minus = o;
  minus.units_ = o.units_ == INT64_MIN ? INT64_MAX : -o.units_;
  minus.nano_ = -o.nano_;
  return *this + minus;
}

}  // namespace ph::api
