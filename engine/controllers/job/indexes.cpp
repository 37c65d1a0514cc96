#include "engine/controllers/job/indexes.h"

#include <algorithm>
#include <charconv>

namespace ph::controllers::job {
namespace {

bool number(std::string_view text, int32_t& into) {
  auto r = std::from_chars(text.data(), text.data() + text.size(), into);
  return r.ec == std::errc() && r.ptr == text.data() + text.size() && into >= 0;
}

}  // namespace

Indexes::Indexes(int32_t limit, std::string_view text) : in_(static_cast<size_t>(std::max(limit, 0))) {
  while (!text.empty()) {
    size_t comma = text.find(',');
    auto part = text.substr(0, comma);
    text.remove_prefix(comma == text.npos ? text.size() : comma + 1);
    size_t dash = part.find('-');
    int32_t first = 0, last = 0;
    if (!number(part.substr(0, dash), first)) continue;
    last = first;
    if (dash != part.npos && !number(part.substr(dash + 1), last)) continue;
    for (int32_t i = first; i <= std::min(last, limit - 1); ++i) add(i);
  }
}

void Indexes::add(int32_t index) {
  if (index < 0 || index >= limit() || has(index)) return;
  in_[static_cast<size_t>(index)] = true;
  ++count_;
}

std::string Indexes::text() const {
  std::string out;
  for (int32_t i = 0; i < limit(); ++i) {
    if (!has(i)) continue;
    int32_t last = i;
    while (has(last + 1)) ++last;
    if (!out.empty()) out += ',';
    out += std::to_string(i);
    if (last > i) out += (last == i + 1 ? "," : "-") + std::to_string(last);
    i = last;
  }
  return out;
}

}  // namespace ph::controllers::job
