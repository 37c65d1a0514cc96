#include "engine/api/int_or_string.h"

#include <charconv>

namespace ph::api {

std::optional<int64_t> IntOrString::resolve(int64_t total, bool roundUp) const {
  if (!isString) return i;
  if (s.size() < 2 || s.back() != '%') return std::nullopt;
  int64_t percent = 0;
  const char* end = s.data() + s.size() - 1;
  auto r = std::from_chars(s.data(), end, percent);
  if (r.ec != std::errc() || r.ptr != end) return std::nullopt;
  __int128 product = static_cast<__int128>(percent) * total;
  __int128 value = product / 100;
  if (roundUp && product % 100 > 0) ++value;
  if (!roundUp && product % 100 < 0) --value;
  return static_cast<int64_t>(value);
}

}  // namespace ph::api
