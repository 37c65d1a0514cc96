#include "engine/server/text_form.h"

#include "engine/api/codec.h"
#include "engine/server/json_util.h"

namespace ph::server {
namespace {

void indent(std::string& out, int depth) { out.append(size_t(depth) * 2, ' '); }

// Block style; every text that could be taken for something else is a JSON string, which YAML reads as it is.
bool plain(std::string_view s) {
  if (s.empty() || s.size() > 120) return false;
  auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  if (!letter(s.front())) return false;
  for (char c : s)
    if (!letter(c) && !(c >= '0' && c <= '9') && c != '-' && c != '_' && c != '.' && c != '/') return false;
  static constexpr std::string_view words[] = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"};
  std::string lower(s);
  for (auto& c : lower) c = char(std::tolower(static_cast<unsigned char>(c)));
  for (auto w : words)
    if (lower == w) return false;
  return true;
}

void appendScalar(const Json& value, std::string& out) {
  if (auto* s = value.if_string(); s && plain(view(*s)))
    out += view(*s);
  else
    api::appendText(value, out);
}

bool isBlock(const Json& v) {
  return (v.is_object() && !v.get_object().empty()) || (v.is_array() && !v.get_array().empty());
}

void appendYamlObject(const JsonObject& object, std::string& out, int depth, bool afterDash) {
  bool first = afterDash;
  for (auto& [k, v] : object) {
    if (!first) indent(out, depth);
    first = false;
    appendScalar(Json(k), out);
    out += ':';
    if (isBlock(v)) {
      out += '\n';
      appendYaml(v, out, v.is_object() ? depth + 1 : depth);
    } else {
      out += ' ';
      appendScalar(v, out);
      out += '\n';
    }
  }
}

}  // namespace

void appendPretty(const Json& value, std::string& out, int depth) {
  if (auto* object = value.if_object(); object && !object->empty()) {
    out += "{\n";
    bool first = true;
    for (auto& [k, v] : *object) {
      if (!first) out += ",\n";
      first = false;
      indent(out, depth + 1);
      api::appendText(Json(k), out);
      out += ": ";
      appendPretty(v, out, depth + 1);
    }
    out += '\n';
    indent(out, depth);
    out += '}';
  } else if (auto* list = value.if_array(); list && !list->empty()) {
    out += "[\n";
    bool first = true;
    for (auto& v : *list) {
      if (!first) out += ",\n";
      first = false;
      indent(out, depth + 1);
      appendPretty(v, out, depth + 1);
    }
    out += '\n';
    indent(out, depth);
    out += ']';
  } else {
    api::appendText(value, out);
  }
}

void appendYaml(const Json& value, std::string& out, int depth) {
  if (auto* object = value.if_object(); object && !object->empty()) return appendYamlObject(*object, out, depth, false);
  auto* list = value.if_array();
  if (!list || list->empty()) {
    appendScalar(value, out);
    out += '\n';
    return;
  }
  for (auto& v : *list) {
    indent(out, depth);
    out += "- ";
    if (v.is_object() && !v.get_object().empty()) {
      appendYamlObject(v.get_object(), out, depth + 1, true);
    } else if (isBlock(v)) {
      out += '\n';
      appendYaml(v, out, depth + 1);
    } else {
      appendScalar(v, out);
      out += '\n';
    }
  }
}

std::string prettyJson(std::string_view json) {
  auto tree = api::parseJson(json);
  if (!tree.ok()) return std::string(json);
  std::string out;
  appendPretty(*tree, out, 0);
  out += '\n';
  return out;
}

std::string toYaml(std::string_view json) {
  auto tree = api::parseJson(json);
  if (!tree.ok()) return std::string(json);
  std::string out;
  appendYaml(*tree, out, 0);
  return out;
}

}  // namespace ph::server
