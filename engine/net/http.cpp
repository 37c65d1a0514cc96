#include "engine/net/http.h"

namespace ph::net {

namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? char(c + 32) : c;
}

bool sameName(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i)
    if (lower(a[i]) != lower(b[i])) return false;
  return true;
}

int hexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  c = lower(c);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

}  // namespace

void Headers::set(std::string name, std::string value) {
  std::erase_if(list_, [&](auto& entry) { return sameName(entry.first, name); });
  add(std::move(name), std::move(value));
}

std::string_view Headers::get(std::string_view name) const {
  for (auto& [key, value] : list_)
    if (sameName(key, name)) return value;
  return {};
}

bool Headers::has(std::string_view name) const {
  for (auto& [key, value] : list_)
    if (sameName(key, name)) return true;
  return false;
}

std::string Response::bodyText() const {
  std::string text;
  for (auto& part : body) text += *part;
  return text;
}

bool percentDecode(std::string_view in, std::string& out, bool plusIsSpace) {
  out.clear();
  out.reserve(in.size());
  for (size_t i = 0; i < in.size(); ++i) {
    if (in[i] == '%') {
      int high = i + 2 < in.size() ? hexDigit(in[i + 1]) : -1;
      int low = i + 2 < in.size() ? hexDigit(in[i + 2]) : -1;
      if (high < 0 || low < 0) return false;
      out += char(high * 16 + low);
      i += 2;
    } else {
      out += plusIsSpace && in[i] == '+' ? ' ' : in[i];
    }
  }
  return true;
}

std::string percentEncode(std::string_view in) {
  static const char digits[] = "0123456789ABCDEF";
  std::string out;
  out.reserve(in.size());
  for (char c : in) {
    bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
                 c == '_' || c == '.' || c == '~';
    if (plain) {
      out += c;
    } else {
      out += '%';
      out += digits[static_cast<unsigned char>(c) >> 4];
      out += digits[c & 15];
    }
  }
  return out;
}

std::vector<std::pair<std::string, std::string>> parseQuery(std::string_view query) {
  std::vector<std::pair<std::string, std::string>> pairs;
  auto decoded = [](std::string_view text) {
    std::string out;
    if (!percentDecode(text, out, true)) out = text;
    return out;
  };
  while (!query.empty()) {
    auto end = query.find('&');
    auto piece = query.substr(0, end);
    query.remove_prefix(end == query.npos ? query.size() : end + 1);
    if (piece.empty()) continue;
    auto equals = piece.find('=');
    pairs.emplace_back(decoded(piece.substr(0, equals)),
                       equals == piece.npos ? std::string() : decoded(piece.substr(equals + 1)));
  }
  return pairs;
}

}  // namespace ph::net
