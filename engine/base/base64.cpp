#include "engine/base/base64.h"

#include <array>
#include <cstdint>

namespace ph {
namespace {

constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::array<int8_t, 256> makeValues() {
  std::array<int8_t, 256> v{};
  for (auto& x : v) x = -1;
  for (int i = 0; i < 64; ++i) v[static_cast<unsigned char>(kAlphabet[i])] = static_cast<int8_t>(i);
  return v;
}
constexpr auto kValues = makeValues();

// Walks the text, giving each byte to `sink`; the offset of the first thing wrong, or nullopt.
template <class Sink> std::optional<size_t> walk(std::string_view text, Sink sink) {
  uint32_t bits = 0;
  int have = 0, padding = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '\n' || c == '\r') continue;
    if (c == '=') {
      if (have + padding < 2 || have + padding >= 4) return i;
      ++padding;
      continue;
    }
    int v = kValues[static_cast<unsigned char>(c)];
    if (v < 0 || padding) return i;
    bits = bits << 6 | static_cast<uint32_t>(v);
    if (++have == 4) {
      sink(static_cast<char>(bits >> 16));
      sink(static_cast<char>(bits >> 8));
      sink(static_cast<char>(bits));
      have = 0;
      bits = 0;
    }
  }
  if (have == 0 && padding == 0) return std::nullopt;
  if (have + padding != 4) return text.size();
  if (have == 2) {
    sink(static_cast<char>(bits >> 4));
  } else {
    sink(static_cast<char>(bits >> 10));
    sink(static_cast<char>(bits >> 2));
  }
  return std::nullopt;
}

}  // namespace

std::string toBase64(std::string_view bytes) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  size_t i = 0;
  auto byte = [&](size_t at) { return static_cast<uint32_t>(static_cast<unsigned char>(bytes[at])); };
  for (; i + 3 <= bytes.size(); i += 3) {
    uint32_t v = byte(i) << 16 | byte(i + 1) << 8 | byte(i + 2);
    out += kAlphabet[v >> 18];
    out += kAlphabet[v >> 12 & 63];
    out += kAlphabet[v >> 6 & 63];
    out += kAlphabet[v & 63];
  }
  if (i + 1 == bytes.size()) {
    uint32_t v = byte(i) << 16;
    out += kAlphabet[v >> 18];
    out += kAlphabet[v >> 12 & 63];
    out += "==";
  } else if (i + 2 == bytes.size()) {
    uint32_t v = byte(i) << 16 | byte(i + 1) << 8;
    out += kAlphabet[v >> 18];
    out += kAlphabet[v >> 12 & 63];
    out += kAlphabet[v >> 6 & 63];
    out += '=';
  }
  return out;
}

std::optional<std::string> fromBase64(std::string_view text, size_t* badAt) {
  std::string out;
  out.reserve(text.size() / 4 * 3);
  if (auto bad = walk(text, [&](char c) { out += c; })) {
    if (badAt) *badAt = *bad;
    return std::nullopt;
  }
  return out;
}

std::optional<size_t> checkBase64(std::string_view text) {
  return walk(text, [](char) {});
}

size_t base64Size(std::string_view text) {
  size_t n = 0;
  walk(text, [&](char) { ++n; });
  return n;
}

}  // namespace ph
