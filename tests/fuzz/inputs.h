// What targets cut their inputs with. Threads: one.
#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include "engine/api/registry.h"

namespace ph::fuzz {

inline const api::Registry& registry() {
  static const auto one = api::Registry::builtin();
  return *one;
}
inline const std::vector<const api::ResourceInfo*>& kinds() {
  static const auto all = registry().all();
  return all;
}
inline uint8_t takeByte(std::string_view& input) {
  uint8_t n = input.empty() ? 0 : uint8_t(input.front());
  if (!input.empty()) input.remove_prefix(1);
  return n;
}
// The first byte chooses a kind.
inline const api::ResourceInfo& takeKind(std::string_view& input) { return *kinds()[takeByte(input) % kinds().size()]; }
// Two texts, with a line of "---" or else the first newline between them.
inline std::pair<std::string_view, std::string_view> split(std::string_view input) {
  size_t at = input.find("\n---\n");
  if (at != input.npos) return {input.substr(0, at), input.substr(at + 5)};
  at = input.find('\n');
  return at == input.npos ? std::pair(input, std::string_view()) : std::pair(input.substr(0, at), input.substr(at + 1));
}

}  // namespace ph::fuzz
