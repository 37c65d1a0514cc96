#include "engine/controllers/common/template_hash.h"

#include <string_view>

namespace ph::controllers {

// As Kubernetes does in spirit: letters that form no words.
std::string templateHash(const std::string& text, int32_t collisions) {
  constexpr std::string_view alphabet = "bcdfghjklmnpqrstvwxz2456789";
  uint64_t h = 1469598103934665603u;  // FNV-1a
  auto mix = [&](unsigned char c) { h = (h ^ c) * 1099511628211u; };
  for (char c : text) mix(static_cast<unsigned char>(c));
  for (int i = 0; i < 4 && collisions; ++i) mix(static_cast<unsigned char>(collisions >> (8 * i)));
  std::string out;
  for (int i = 0; i < 10; ++i, h /= alphabet.size()) out += alphabet[h % alphabet.size()];
  return out;
}

}  // namespace ph::controllers
