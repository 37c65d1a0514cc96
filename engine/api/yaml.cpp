// YAML to JSON, with the YAML 1.1 words that Kubernetes' own tools accept.
#include <yaml-cpp/yaml.h>

#include <charconv>
#include <cmath>

#include "engine/api/codec.h"

namespace ph::api {
namespace {

constexpr size_t kMaxYamlBytes = size_t(16) << 20;
constexpr size_t kMaxYamlNodes = 200'000;  // after aliases are written out
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

class Converter {
 public:
  Json convert(const YAML::Node& node, int depth) {
    if (depth > kMaxYamlDepth) throw Failure{"nested too deeply"};
    if (++nodes_ > kMaxYamlNodes) throw Failure{"too many nodes (are there nested aliases?)"};
    switch (node.Type()) {
      case YAML::NodeType::Undefined:
      case YAML::NodeType::Null: return nullptr;
      case YAML::NodeType::Scalar: return scalar(node);
      case YAML::NodeType::Sequence: {
        JsonArray out;
        for (auto item : node) out.push_back(convert(item, depth + 1));
        return out;
      }
      case YAML::NodeType::Map: {
        JsonObject out;
        addMap(node, depth, out);
        return out;
      }
    }
    return nullptr;
  }

 private:
  Json scalar(const YAML::Node& node) {
    const std::string& tag = node.Tag();
    const std::string& s = node.Scalar();
    if (tag == "!" || tag == "tag:yaml.org,2002:str" || tag == "tag:yaml.org,2002:binary") return Json(s);
    return plainScalar(s);
  }

  std::string key(const YAML::Node& node) {
    if (node.IsNull()) return "null";
    if (!node.IsScalar()) throw Failure{"a key that is not a scalar, " + place(node)};
    return node.Scalar();
  }

  void addMap(const YAML::Node& node, int depth, JsonObject& out) {
    for (auto entry : node) {
      auto name = key(entry.first);
      if (name == "<<" && entry.first.Tag() != "!") {
        merge(entry.second, depth, out);
        continue;
      }
      out.insert_or_assign(name, convert(entry.second, depth + 1));
    }
  }

  // "<<": keys of another map, which the map's own override wherever they stand.
  void merge(const YAML::Node& from, int depth, JsonObject& out) {
    if (depth > kMaxYamlDepth) throw Failure{"nested too deeply"};
    if (from.IsSequence()) {
      for (auto item : from) merge(item, depth + 1, out);
      return;
    }
    if (!from.IsMap()) throw Failure{"\"<<\" needs a map, " + place(from)};
    JsonObject merged;
    addMap(from, depth + 1, merged);
    for (auto& kv : merged) out.insert(kv);  // never replaces
  }

  static std::string place(const YAML::Node& node) {
    return "line " + std::to_string(node.Mark().line + 1) + ", column " + std::to_string(node.Mark().column + 1);
  }

  size_t nodes_ = 0;
};

}  // namespace

Result<Json> parseYaml(std::string_view text) {
  if (text.size() > kMaxYamlBytes) return Status::tooLarge("the YAML text is larger than " + std::to_string(kMaxYamlBytes) + " bytes");
  try {
    auto documents = YAML::LoadAll(std::string(text));
    std::erase_if(documents, [](const YAML::Node& n) { return n.IsNull() || !n.IsDefined(); });
    if (documents.size() > 1) return Status::badRequest("malformed YAML: more than one document");
    if (documents.empty()) return Json(nullptr);
    return Converter().convert(documents[0], 0);
  } catch (const YAML::Exception& e) {
    return Status::badRequest("malformed YAML at line " + std::to_string(e.mark.line + 1) + ", column " +
                              std::to_string(e.mark.column + 1) + ": " + e.msg);
  } catch (const Failure& e) {
    return Status::badRequest("malformed YAML: " + e.message);
  }
}

}  // namespace ph::api
