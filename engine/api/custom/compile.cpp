#include <algorithm>

#include "engine/api/codec.h"
#include "engine/api/custom/node.h"

namespace ph::api::custom {
namespace {

std::string_view view(boost::json::string_view s) { return {s.data(), s.size()}; }

Status bad(const std::string& path, const std::string& why) { return Status::badRequest(path + ": " + why); }

class Compiler {
 public:
  explicit Compiler(Arena& arena) : arena_(arena) {}

  Result<const Node*> schema(const Json& json, const std::string& path, size_t depth) {
    auto* o = json.if_object();
    if (!o) return bad(path, "a schema must be an object");
    if (depth > kMaxDepth) return bad(path, "schemas may be nested " + std::to_string(kMaxDepth) + " deep at most");
    if (arena_.nodes() >= kMaxNodes) return bad(path, "a schema may have at most " + std::to_string(kMaxNodes) + " parts");
    Node* node = arena_.node();
    PH_TRY(shape(*o, *node, path));
    PH_TRY(children(*o, *node, path, depth));
    PH_TRY(rules(*o, *node, path, depth));
    return node;
  }

 private:
  static bool flag(const JsonObject& o, std::string_view key) {
    auto* v = o.if_contains(key);
    return v && v->is_bool() && v->get_bool();
  }
  static std::string_view word(const JsonObject& o, std::string_view key) {
    auto* v = o.if_contains(key);
    return v && v->is_string() ? view(v->get_string()) : std::string_view();
  }

  Result<> shape(const JsonObject& o, Node& node, const std::string& path) {
    static constexpr std::pair<std::string_view, NodeType> kTypes[] = {
        {"", NodeType::Any},         {"object", NodeType::Object}, {"array", NodeType::Array},    {"string", NodeType::String},
        {"integer", NodeType::Integer}, {"number", NodeType::Number}, {"boolean", NodeType::Boolean}};
    auto type = word(o, "type");
    auto* found = std::find_if(std::begin(kTypes), std::end(kTypes), [&](auto& t) { return t.first == type; });
    if (found == std::end(kTypes)) return bad(path + ".type", "there is no type " + std::string(type));
    node.type = found->second;
    node.nullable = flag(o, "nullable");
    node.preserve = flag(o, "x-kubernetes-preserve-unknown-fields");
    node.embedded = flag(o, "x-kubernetes-embedded-resource");
    node.intOrString = flag(o, "x-kubernetes-int-or-string");
    node.atomicMap = word(o, "x-kubernetes-map-type") == "atomic";
    auto list = word(o, "x-kubernetes-list-type");
    node.listType = list == "set" ? ListType::Set : list == "map" ? ListType::Map : ListType::Atomic;
    if (auto* keys = o.if_contains("x-kubernetes-list-map-keys"); keys && keys->is_array())
      for (auto& k : keys->get_array())
        if (k.is_string()) node.mapKeys.push_back(arena_.text(view(k.get_string())));
    if (auto* standard = o.if_contains("default"); standard && !standard->is_null()) node.standard = std::make_unique<Json>(*standard);
    return {};
  }

  Result<> children(const JsonObject& o, Node& node, const std::string& path, size_t depth) {
    if (auto* properties = o.if_contains("properties"); properties && properties->is_object()) {
      node.properties.reserve(properties->get_object().size());
      for (auto& kv : properties->get_object()) {
        PH_ASSIGN(auto* child, schema(kv.value(), path + ".properties[" + std::string(view(kv.key())) + "]", depth + 1));
        node.properties.emplace_back(arena_.text(view(kv.key())), child);
      }
      std::sort(node.properties.begin(), node.properties.end(), [](auto& a, auto& b) { return a.first < b.first; });
    }
    if (auto* items = o.if_contains("items"); items && !items->is_null()) {
      PH_ASSIGN(node.items, schema(*items, path + ".items", depth + 1));
    }
    if (auto* more = o.if_contains("additionalProperties"); more && !more->is_null()) {
      if (more->is_bool()) {
        node.additionalAny = more->get_bool();
      } else {
        PH_ASSIGN(node.additional, schema(*more, path + ".additionalProperties", depth + 1));
      }
    }
    return {};
  }

  Result<> rules(const JsonObject& o, Node& node, const std::string& path, size_t depth) {
    Rules r;
    bool any = false;
    auto number = [&](std::string_view key, std::optional<Json>& to) {
      if (auto* v = o.if_contains(key); v && v->is_number()) to = *v, any = true;
    };
    auto count = [&](std::string_view key, std::optional<int64_t>& to) {
      if (auto* v = o.if_contains(key); v && v->is_int64()) to = v->get_int64(), any = true;
    };
    number("minimum", r.minimum);
    number("maximum", r.maximum);
    number("multipleOf", r.multipleOf);
    count("minLength", r.minLength);
    count("maxLength", r.maxLength);
    count("minItems", r.minItems);
    count("maxItems", r.maxItems);
    count("minProperties", r.minProperties);
    count("maxProperties", r.maxProperties);
    r.exclusiveMinimum = flag(o, "exclusiveMinimum");
    r.exclusiveMaximum = flag(o, "exclusiveMaximum");
    r.uniqueItems = flag(o, "uniqueItems");
    any |= r.uniqueItems;
    if (auto text = word(o, "pattern"); !text.empty()) {
      r.patternText = arena_.text(text);
      auto made = arena_.pattern(text);
      if (!made.ok()) return bad(path + ".pattern", made.status().message);
      r.pattern = *made;
      any = true;
    }
    if (auto text = word(o, "format"); !text.empty()) r.format = arena_.text(text), any = true;
    if (auto* list = o.if_contains("enum"); list && list->is_array() && !list->get_array().empty()) {
      r.enums.assign(list->get_array().begin(), list->get_array().end());
      any = true;
    }
    if (auto* list = o.if_contains("required"); list && list->is_array())
      for (auto& name : list->get_array())
        if (name.is_string()) r.required.push_back(arena_.text(view(name.get_string()))), any = true;
    PH_TRY(junctors(o, r, any, path, depth));
    if (any) node.rules = std::make_unique<Rules>(std::move(r));
    return {};
  }

  Result<> junctors(const JsonObject& o, Rules& r, bool& any, const std::string& path, size_t depth) {
    for (auto [key, to] : {std::pair<std::string_view, std::vector<const Node*>*>{"allOf", &r.allOf}, {"anyOf", &r.anyOf}, {"oneOf", &r.oneOf}}) {
      auto* list = o.if_contains(key);
      if (!list || !list->is_array()) continue;
      for (size_t i = 0; i < list->get_array().size(); ++i) {
        auto at = path + "." + std::string(key) + "[" + std::to_string(i) + "]";
        PH_ASSIGN(auto* one, schema(list->get_array()[i], at, depth + 1));
        to->push_back(one);
        any = true;
      }
    }
    if (auto* no = o.if_contains("not"); no && !no->is_null()) {
      PH_ASSIGN(r.no, schema(*no, path + ".not", depth + 1));
      any = true;
    }
    return {};
  }

  Arena& arena_;
};

}  // namespace

const Node* Node::property(std::string_view name) const {
  auto it = std::lower_bound(properties.begin(), properties.end(), name, [](auto& p, std::string_view n) { return p.first < n; });
  return it != properties.end() && it->first == name ? it->second : nullptr;
}

Result<const Node*> compile(const Json& schema, Arena& arena) { return Compiler(arena).schema(schema, "openAPIV3Schema", 0); }

}  // namespace ph::api::custom
