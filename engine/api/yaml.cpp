// YAML to JSON, with the YAML 1.1 words that Kubernetes' own tools accept. Read event by event: what is refused is refused where
// it stands, before anything behind it is looked at.
#include <yaml.h>

#include <charconv>
#include <cmath>
#include <map>
#include <optional>
#include <set>

#include "engine/api/codec.h"
#include "engine/base/check.h"

namespace ph::api {
namespace {

constexpr size_t kMaxYamlBytes = size_t(16) << 20;
constexpr size_t kMaxYamlNodes = 200'000;  // after aliases are written out, and so the bytes of all texts (kMaxYamlBytes)
constexpr int kMaxYamlDepth = 100;

struct Failure {
  std::string message;
};

bool oneOf(const std::string& s, std::initializer_list<const char*> words) {
  for (auto* w : words)
    if (s == w) return true;
  return false;
}

bool parseInteger(const std::string& s, Json& out) {
  if (s.empty()) return false;
  size_t i = s[0] == '-' || s[0] == '+' ? 1 : 0;
  int base = 10;
  std::string digits;
  if (s.size() > i + 1 && s[i] == '0') {
    char c = s[i + 1];
    base = c == 'x' ? 16 : c == 'b' ? 2 : 8;
    i += c == 'x' || c == 'b' || c == 'o' ? 2 : 1;
  }
  for (; i < s.size(); ++i)
    if (s[i] != '_') digits += s[i];
  if (digits.empty()) return false;
  uint64_t u = 0;
  auto r = std::from_chars(digits.data(), digits.data() + digits.size(), u, base);
  if (r.ec != std::errc() || r.ptr != digits.data() + digits.size()) return false;
  if (s[0] == '-') {
    if (u > uint64_t(INT64_MAX) + 1) return false;
    out = static_cast<int64_t>(-u);
  } else if (u <= uint64_t(INT64_MAX)) {
    out = static_cast<int64_t>(u);
  } else {
    out = u;
  }
  return true;
}

bool parseFloat(const std::string& s, Json& out) {
  size_t i = s[0] == '-' || s[0] == '+' ? 1 : 0;
  if (i >= s.size() || !(isdigit(static_cast<unsigned char>(s[i])) || s[i] == '.')) return false;
  if (s.find_first_not_of("0123456789.eE+-", i) != std::string::npos) return false;
  double d = 0;
  const char* begin = s.data() + (s[0] == '+' ? 1 : 0);
  auto r = std::from_chars(begin, s.data() + s.size(), d);
  if (r.ec != std::errc() || r.ptr != s.data() + s.size() || !std::isfinite(d)) return false;
  out = d;
  return true;
}

Json plainScalar(const std::string& s) {
  Json out;
  if (s.empty() || oneOf(s, {"~", "null", "Null", "NULL"})) return nullptr;
  if (oneOf(s, {"true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON", "y", "Y"})) return true;
  if (oneOf(s, {"false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF", "n", "N"})) return false;
  char c = s[0];
  if (isdigit(static_cast<unsigned char>(c)) || c == '-' || c == '+' || c == '.') {
    if (parseInteger(s, out) || parseFloat(s, out)) return out;
    if (oneOf(s, {".inf", "-.inf", "+.inf", ".Inf", ".INF", ".nan", ".NaN", ".NAN"})) throw Failure{"infinity and NaN have no place in JSON"};
  }
  return Json(s);
}

std::string place(const yaml_mark_t& mark) {
  return "line " + std::to_string(mark.line + 1) + ", column " + std::to_string(mark.column + 1);
}

struct Event : yaml_event_t {
  Event() : yaml_event_t{} {}
  ~Event() { yaml_event_delete(this); }
  Event(const Event&) = delete;
};

std::string_view textOf(const yaml_char_t* s) { return s ? reinterpret_cast<const char*>(s) : std::string_view(); }

class Reader {
 public:
  Reader(std::string_view text, std::vector<std::string>* duplicates) : duplicates_(duplicates) {
    PH_CHECK(yaml_parser_initialize(&parser_));
    yaml_parser_set_input_string(&parser_, reinterpret_cast<const unsigned char*>(text.data()), text.size());
  }
  ~Reader() { yaml_parser_delete(&parser_); }
  Reader(const Reader&) = delete;

  // The one document that says something.
  Json read() {
    std::optional<Json> out;
    for (;;) {
      Event e;
      next(e);
      if (e.type == YAML_STREAM_END_EVENT) return out ? std::move(*out) : Json(nullptr);
      if (e.type != YAML_DOCUMENT_START_EVENT) continue;
      anchors_.clear();
      Event first;
      next(first);
      Json value = convert(first, 0);
      if (value.is_null()) continue;
      if (out) throw Failure{"more than one document"};
      out = std::move(value);
    }
  }

 private:
  struct Cost {
    size_t nodes = 0, bytes = 0;
  };
  struct Anchor {
    Json value;
    Cost cost;
  };

  void next(Event& e) {
    if (yaml_parser_parse(&parser_, &e)) return;
    std::string what = parser_.problem ? parser_.problem : "out of memory";
    if (parser_.error == YAML_READER_ERROR) throw Failure{what + ", at byte " + std::to_string(parser_.problem_offset)};
    throw Failure{place(parser_.problem_mark) + ": " + (parser_.context ? std::string(parser_.context) + ", " : "") + what};
  }

  void charge(const Cost& cost) {
    spent_.nodes += cost.nodes;
    spent_.bytes += cost.bytes;
    if (spent_.nodes > kMaxYamlNodes || spent_.bytes > kMaxYamlBytes) throw Failure{"too many nodes (are there nested aliases?)"};
  }

  Json convert(const Event& e, int depth) {
    if (depth > kMaxYamlDepth) throw Failure{"nested too deeply, " + place(e.start_mark)};
    Cost before = spent_;
    switch (e.type) {
      case YAML_SCALAR_EVENT: return keep(e.data.scalar.anchor, scalar(e), before);
      case YAML_SEQUENCE_START_EVENT: return keep(e.data.sequence_start.anchor, sequence(depth), before);
      case YAML_MAPPING_START_EVENT: return keep(e.data.mapping_start.anchor, mapping(depth), before);
      case YAML_ALIAS_EVENT: {
        auto it = anchors_.find(textOf(e.data.alias.anchor));
        if (it == anchors_.end()) throw Failure{"an alias without its anchor, " + place(e.start_mark)};
        charge(it->second.cost);
        return it->second.value;
      }
      default: throw Failure{"a value is missing, " + place(e.start_mark)};
    }
  }

  // What has an anchor is kept for its aliases; the copy counts as one.
  Json keep(const yaml_char_t* anchor, Json value, const Cost& before) {
    if (!anchor) return value;
    Cost cost{spent_.nodes - before.nodes, spent_.bytes - before.bytes};
    charge(cost);
    anchors_.insert_or_assign(std::string(textOf(anchor)), Anchor{value, cost});
    return value;
  }

  static std::string_view raw(const Event& e) {
    return {reinterpret_cast<const char*>(e.data.scalar.value), e.data.scalar.length};
  }

  Json scalar(const Event& e) {
    auto text = raw(e);
    charge({1, text.size()});
    auto tag = textOf(e.data.scalar.tag);
    bool isText = tag.empty() ? e.data.scalar.style != YAML_PLAIN_SCALAR_STYLE
                              : tag == "!" || tag == YAML_STR_TAG || tag == "tag:yaml.org,2002:binary";
    return isText ? Json(text) : plainScalar(std::string(text));
  }

  Json sequence(int depth) {
    charge({1, 0});
    JsonArray out;
    size_t length = path_.size();
    for (;;) {
      Event e;
      next(e);
      if (e.type == YAML_SEQUENCE_END_EVENT) return out;
      path_ += '[' + std::to_string(out.size()) + ']';
      out.push_back(convert(e, depth + 1));
      path_.resize(length);
    }
  }

  std::string key(const Event& e) {
    if (e.type == YAML_ALIAS_EVENT) {
      auto value = convert(e, 0);
      if (value.is_string()) return std::string(value.get_string());
    }
    if (e.type != YAML_SCALAR_EVENT) throw Failure{"a key that is not a scalar, " + place(e.start_mark)};
    auto value = keep(e.data.scalar.anchor, scalar(e), spent_);
    return value.is_null() ? "null" : std::string(raw(e));
  }

  Json mapping(int depth) {
    charge({1, 0});
    JsonObject out;
    std::set<std::string, std::less<>> merged;  // keys of `out` that are not the map's own yet
    size_t length = path_.size();
    for (;;) {
      Event k, v;
      next(k);
      if (k.type == YAML_MAPPING_END_EVENT) break;
      std::string name = key(k);
      bool merge = name == "<<" && k.type == YAML_SCALAR_EVENT && k.data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
      path_ += (length ? "." : "") + name;
      next(v);
      Json value = convert(v, depth + 1);
      if (merge) {
        addMerged(out, merged, value, v.start_mark);
      } else {
        if (!merged.erase(name) && duplicates_ && out.contains(name)) duplicates_->push_back(path_);
        out.insert_or_assign(name, std::move(value));
      }
      path_.resize(length);
    }
    return out;
  }

  // "<<": keys of another map or of several, the first of which wins; the map's own override them wherever they stand.
  static void addMerged(JsonObject& out, std::set<std::string, std::less<>>& merged, const Json& from, const yaml_mark_t& mark) {
    if (auto* list = from.if_array()) {
      for (auto& item : *list) addMerged(out, merged, item, mark);
      return;
    }
    if (!from.is_object()) throw Failure{"\"<<\" needs a map, " + place(mark)};
    for (auto& kv : from.get_object())
      if (out.insert(kv).second) merged.emplace(kv.key());
  }

  yaml_parser_t parser_;
  std::vector<std::string>* duplicates_;
  std::map<std::string, Anchor, std::less<>> anchors_;
  std::string path_;
  Cost spent_;
};

}  // namespace

Result<Json> parseYaml(std::string_view text, std::vector<std::string>* duplicates) {
  if (text.size() > kMaxYamlBytes) return Status::tooLarge("the YAML text is larger than " + std::to_string(kMaxYamlBytes) + " bytes");
  try {
    return Reader(text, duplicates).read();
  } catch (const Failure& e) {
    return Status::badRequest("malformed YAML: " + e.message);
  }
}

}  // namespace ph::api
