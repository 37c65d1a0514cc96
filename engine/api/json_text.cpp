// JSON text to tree and back.
#include <boost/json/basic_parser_impl.hpp>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <unordered_set>

#include "engine/api/codec.h"
#include "engine/api/restore.h"

namespace ph::api {
namespace {

namespace bj = boost::json;

constexpr size_t kMaxDepth = 100;
constexpr size_t kMaxBytes = size_t(512) << 20;
constexpr size_t kMaxDuplicates = 100;

bj::parse_options parseOptions() {
  bj::parse_options o;
  o.max_depth = kMaxDepth;
  return o;
}

bool refuse(bj::error_code& ec, bj::error error) {
  ec = error;
  return false;
}

// Builds the tree and counts the keys that went in, so that a lost duplicate shows as a difference.
struct TreeHandler {
  static constexpr size_t max_object_size = size_t(-1);
  static constexpr size_t max_array_size = size_t(-1);
  static constexpr size_t max_key_size = size_t(-1);
  static constexpr size_t max_string_size = size_t(-1);

  explicit TreeHandler(unsigned char* buffer, size_t size) : stack({}, buffer, size) { stack.reset(); }
  bj::value_stack stack;
  size_t keys = 0;
  std::string number;  // what came of one in parts

  bool on_document_begin(bj::error_code&) { return true; }
  bool on_document_end(bj::error_code&) { return true; }
  bool on_object_begin(bj::error_code&) { return true; }
  bool on_object_end(size_t n, bj::error_code&) {
    keys += n;
    stack.push_object(n);
    return true;
  }
  bool on_array_begin(bj::error_code&) { return true; }
  bool on_array_end(size_t n, bj::error_code&) {
    stack.push_array(n);
    return true;
  }
  bool on_key_part(bj::string_view s, size_t, bj::error_code&) {
    stack.push_chars(s);
    return true;
  }
  bool on_key(bj::string_view s, size_t, bj::error_code&) {
    stack.push_key(s);
    return true;
  }
  bool on_string_part(bj::string_view s, size_t, bj::error_code&) {
    stack.push_chars(s);
    return true;
  }
  bool on_string(bj::string_view s, size_t, bj::error_code&) {
    stack.push_string(s);
    return true;
  }
  bool on_number_part(bj::string_view s, bj::error_code&) {
    number.append(s.data(), s.size());
    return true;
  }
  bool on_int64(int64_t i, bj::string_view, bj::error_code&) {
    number.clear();
    stack.push_int64(i);
    return true;
  }
  bool on_uint64(uint64_t u, bj::string_view, bj::error_code&) {
    number.clear();
    stack.push_uint64(u);
    return true;
  }
  bool on_double(double d, bj::string_view s, bj::error_code& ec) { return real(d, s, ec) && push(d); }
  // The number that ends with `s`; false when it is none.
  bool real(double& d, bj::string_view s, bj::error_code& ec) {
    number.append(s.data(), s.size());
    // The parser's own is off in the last bits of some, which then are others each time they are written and read. It
    // stays where there is none nearer (too small for a double).
    std::from_chars(number.data(), number.data() + number.size(), d);
    number.clear();
    return std::isfinite(d) || refuse(ec, bj::error::exponent_overflow);
  }
  bool push(double d) {
    stack.push_double(d);
    return true;
  }
  bool on_bool(bool b, bj::error_code&) {
    stack.push_bool(b);
    return true;
  }
  bool on_null(bj::error_code&) {
    stack.push_null();
    return true;
  }
  bool on_comment_part(bj::string_view, bj::error_code&) { return true; }
  bool on_comment(bj::string_view, bj::error_code&) { return true; }
};

// Builds one member of the top object, and only follows the rest.
struct MemberHandler : TreeHandler {
  using TreeHandler::TreeHandler;
  std::string_view member;
  int depth = 0;
  bool next = false, inside = false, found = false;  // the member's value comes next; we are in it; it came

  // True when the value that begins is to be built.
  bool builds() {
    if (next) found = true;
    return std::exchange(next, false) || inside;
  }
  bool open() {
    inside = builds();
    ++depth;
    return true;
  }
  // True when the value that ends was built.
  bool close() {
    --depth;
    return std::exchange(inside, inside && depth > 1);
  }
  bool on_object_begin(bj::error_code&) { return open(); }
  bool on_object_end(size_t n, bj::error_code& ec) { return !close() || TreeHandler::on_object_end(n, ec); }
  bool on_array_begin(bj::error_code&) { return open(); }
  bool on_array_end(size_t n, bj::error_code& ec) { return !close() || TreeHandler::on_array_end(n, ec); }
  bool on_key_part(bj::string_view s, size_t n, bj::error_code& ec) { return !inside || TreeHandler::on_key_part(s, n, ec); }
  bool on_key(bj::string_view s, size_t n, bj::error_code& ec) {
    if (inside) return TreeHandler::on_key(s, n, ec);
    next = depth == 1 && !found && n == s.size() && std::string_view(s.data(), s.size()) == member;
    return true;
  }
  bool on_string_part(bj::string_view s, size_t n, bj::error_code& ec) {
    return !(inside || next) || TreeHandler::on_string_part(s, n, ec);
  }
  bool on_string(bj::string_view s, size_t n, bj::error_code& ec) { return !builds() || TreeHandler::on_string(s, n, ec); }
  bool on_int64(int64_t i, bj::string_view s, bj::error_code& ec) {
    number.clear();
    return !builds() || TreeHandler::on_int64(i, s, ec);
  }
  bool on_uint64(uint64_t u, bj::string_view s, bj::error_code& ec) {
    number.clear();
    return !builds() || TreeHandler::on_uint64(u, s, ec);
  }
  bool on_double(double d, bj::string_view s, bj::error_code& ec) { return real(d, s, ec) && (!builds() || push(d)); }
  bool on_bool(bool b, bj::error_code& ec) { return !builds() || TreeHandler::on_bool(b, ec); }
  bool on_null(bj::error_code& ec) { return !builds() || TreeHandler::on_null(ec); }
};

// Only follows keys; names those that come twice in one object.
struct DuplicateHandler {
  static constexpr size_t max_object_size = size_t(-1);
  static constexpr size_t max_array_size = size_t(-1);
  static constexpr size_t max_key_size = size_t(-1);
  static constexpr size_t max_string_size = size_t(-1);

  struct Level {
    bool array = false;
    size_t index = 0;
    std::string key;
    std::unordered_set<std::string> seen;
  };
  std::vector<Level> levels;
  std::string key;
  std::vector<std::string>* out = nullptr;

  void value() {
    if (!levels.empty() && levels.back().array) ++levels.back().index;
  }
  std::string path(const std::string& last) const {
    std::string p;
    for (size_t i = 0; i + 1 < levels.size(); ++i) {
      if (levels[i].array) p += "[" + std::to_string(levels[i].index) + "]";
      else p += (p.empty() ? "" : ".") + levels[i].key;
    }
    return p + (p.empty() ? "" : ".") + last;
  }
  bool open(bool array) {
    levels.push_back({array});
    return true;
  }
  bool close() {
    levels.pop_back();
    value();
    return true;
  }
  bool on_document_begin(bj::error_code&) { return true; }
  bool on_document_end(bj::error_code&) { return true; }
  bool on_object_begin(bj::error_code&) { return open(false); }
  bool on_object_end(size_t, bj::error_code&) { return close(); }
  bool on_array_begin(bj::error_code&) { return open(true); }
  bool on_array_end(size_t, bj::error_code&) { return close(); }
  bool on_key_part(bj::string_view s, size_t, bj::error_code&) {
    key.append(s.data(), s.size());
    return true;
  }
  bool on_key(bj::string_view s, size_t, bj::error_code&) {
    key.append(s.data(), s.size());
    auto& level = levels.back();
    level.key = std::exchange(key, {});
    if (!level.seen.insert(level.key).second && out->size() < kMaxDuplicates) out->push_back(path(level.key));
    return true;
  }
  bool on_string_part(bj::string_view, size_t, bj::error_code&) { return true; }
  bool on_string(bj::string_view, size_t, bj::error_code&) { return value(), true; }
  bool on_number_part(bj::string_view, bj::error_code&) { return true; }
  bool on_int64(int64_t, bj::string_view, bj::error_code&) { return value(), true; }
  bool on_uint64(uint64_t, bj::string_view, bj::error_code&) { return value(), true; }
  bool on_double(double, bj::string_view, bj::error_code&) { return value(), true; }
  bool on_bool(bool, bj::error_code&) { return value(), true; }
  bool on_null(bj::error_code&) { return value(), true; }
  bool on_comment_part(bj::string_view, bj::error_code&) { return true; }
  bool on_comment(bj::string_view, bj::error_code&) { return true; }
};

size_t countKeys(const Json& v) {
  size_t n = 0;
  if (auto* o = v.if_object()) {
    n = o->size();
    for (auto& kv : *o) n += countKeys(kv.value());
  } else if (auto* a = v.if_array()) {
    for (auto& e : *a) n += countKeys(e);
  }
  return n;
}

std::string place(std::string_view text, size_t at) {
  at = std::min(at, text.size());
  size_t line = 1 + size_t(std::count(text.begin(), text.begin() + at, '\n'));
  size_t begin = text.rfind('\n', at ? at - 1 : 0);
  size_t column = at - (begin == std::string_view::npos || begin >= at ? 0 : begin + 1) + 1;
  return "line " + std::to_string(line) + ", column " + std::to_string(column);
}

template <class Parser> Result<> read(Parser& parser, std::string_view text) {
  if (text.size() > kMaxBytes) return Status::tooLarge("the JSON text is larger than " + std::to_string(kMaxBytes) + " bytes");
  bj::error_code ec;
  size_t used = parser.write_some(false, text.data(), text.size(), ec);
  if (!ec && used < text.size()) ec = bj::error::extra_data;
  if (!ec) return {};
  const char* what = ec == bj::error::too_deep ? "nested too deeply" : nullptr;
  return Status::badRequest("malformed JSON at " + place(text, used) + ": " + (what ? std::string(what) : ec.message()));
}

template <class N> void appendNumber(N n, std::string& out) {
  char buffer[40];
  auto r = std::to_chars(buffer, buffer + sizeof buffer, n);
  out.append(buffer, r.ptr);
}

}  // namespace

Result<Json> parseJson(std::string_view text, std::vector<std::string>* duplicates) {
  unsigned char buffer[4096];
  bj::basic_parser<TreeHandler> parser(parseOptions(), buffer, sizeof buffer);
  PH_TRY(read(parser, text));
  size_t keys = parser.handler().keys;
  Json tree = parser.handler().stack.release();
  if (duplicates && countKeys(tree) != keys) {
    bj::basic_parser<DuplicateHandler> second(parseOptions());
    second.handler().out = duplicates;
    bj::error_code ec;
    second.write_some(false, text.data(), text.size(), ec);
  }
  return tree;
}

Result<Json> parseMember(std::string_view text, std::string_view member) {
  unsigned char buffer[4096];
  bj::basic_parser<MemberHandler> parser(parseOptions(), buffer, sizeof buffer);
  parser.handler().member = member;
  PH_TRY(read(parser, text));
  return parser.handler().found ? parser.handler().stack.release() : Json();
}

namespace {

bool plain(char c) { return static_cast<unsigned char>(c) >= 0x20 && c != '"' && c != '\\'; }

// Where the first byte from `p` on stands that has to be escaped. Eight at a time: in each byte of `x - 1...1 & ~x` the highest bit
// is set where x is zero, so of `x - 0x20...` where it is below 0x20 (and maybe in a byte above one that is; never only there).
const char* plainEnd(const char* p, const char* end) {
  constexpr uint64_t ones = 0x0101010101010101, high = ones << 7;
  for (; end - p >= 8; p += 8) {
    uint64_t bytes;
    std::memcpy(&bytes, p, 8);
    const uint64_t quote = bytes ^ ones * '"', slash = bytes ^ ones * '\\';
    if ((((bytes - ones * 0x20) & ~bytes) | ((quote - ones) & ~quote) | ((slash - ones) & ~slash)) & high) break;
  }
  while (p != end && plain(*p)) ++p;
  return p;
}

}  // namespace

void appendQuoted(std::string_view s, std::string& out) {
  static constexpr char hex[] = "0123456789abcdef";
  out += '"';
  const char* run = s.data();
  const char* end = s.data() + s.size();
  for (const char* p = plainEnd(run, end); p != end; p = plainEnd(p + 1, end)) {
    auto c = static_cast<unsigned char>(*p);
    out.append(run, p);
    run = p + 1;
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      default:
        out += "\\u00";
        out += hex[c >> 4];
        out += hex[c & 15];
    }
  }
  out.append(run, end);
  out += '"';
}

void appendText(const Json& v, std::string& out) {
  switch (v.kind()) {
    case bj::kind::null: out += "null"; return;
    case bj::kind::bool_: out += v.get_bool() ? "true" : "false"; return;
    case bj::kind::int64: appendNumber(v.get_int64(), out); return;
    case bj::kind::uint64: appendNumber(v.get_uint64(), out); return;
    case bj::kind::double_: appendNumber(v.get_double(), out); return;
    case bj::kind::string: appendQuoted({v.get_string().data(), v.get_string().size()}, out); return;
    case bj::kind::array: {
      char separator = '[';
      for (auto& e : v.get_array()) {
        out += std::exchange(separator, ',');
        appendText(e, out);
      }
      out += separator == '[' ? "[]" : "]";
      return;
    }
    case bj::kind::object: {
      char separator = '{';
      for (auto& kv : v.get_object()) {
        out += std::exchange(separator, ',');
        appendQuoted({kv.key().data(), kv.key().size()}, out);
        out += ':';
        appendText(kv.value(), out);
      }
      out += separator == '{' ? "{}" : "}";
      return;
    }
  }
}

std::string toText(const Json& value) {
  std::string out;
  appendText(value, out);
  return out;
}

const Json* at(const Json& tree, std::string_view path) {
  const Json* v = &tree;
  while (!path.empty()) {
    size_t dot = path.find('.');
    auto step = path.substr(0, dot);
    path = dot == std::string_view::npos ? std::string_view() : path.substr(dot + 1);
    if (step.empty()) continue;
    if (auto* o = v->if_object()) {
      v = o->if_contains(bj::string_view(step.data(), step.size()));
      if (!v) return nullptr;
    } else if (auto* a = v->if_array()) {
      size_t index = 0;
      auto r = std::from_chars(step.data(), step.data() + step.size(), index);
      if (r.ec != std::errc() || r.ptr != step.data() + step.size() || index >= a->size()) return nullptr;
      v = &(*a)[index];
    } else {
      return nullptr;
    }
  }
  return v;
}

}  // namespace ph::api
