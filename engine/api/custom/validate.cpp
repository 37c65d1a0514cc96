// Values against a schema, with the messages that Kubernetes' OpenAPI validation gives.
#include <cmath>
#include <unordered_set>

#include "engine/api/codec.h"
#include "engine/api/custom/walk.h"

namespace ph::api::custom {
namespace {

std::string_view view(boost::json::string_view s) { return {s.data(), s.size()}; }
boost::json::string_view boosted(std::string_view s) { return {s.data(), s.size()}; }

// Letters, not bytes.
int64_t letters(std::string_view s) {
  int64_t n = 0;
  for (unsigned char c : s) n += (c & 0xC0) != 0x80;
  return n;
}

bool whole(const Json& v) {
  if (v.is_int64() || v.is_uint64()) return true;
  return v.is_double() && std::isfinite(v.get_double()) && std::floor(v.get_double()) == v.get_double();
}

std::string_view typeOf(const Json& v) {
  switch (v.kind()) {
    case boost::json::kind::null: return "null";
    case boost::json::kind::bool_: return "boolean";
    case boost::json::kind::int64:
    case boost::json::kind::uint64: return "integer";
    case boost::json::kind::double_: return whole(v) ? "integer" : "number";
    case boost::json::kind::string: return "string";
    case boost::json::kind::array: return "array";
    case boost::json::kind::object: return "object";
  }
  return "";
}

std::string_view nameOf(NodeType t) {
  static constexpr std::string_view kNames[] = {"", "object", "array", "string", "integer", "number", "boolean"};
  return kNames[size_t(t)];
}

// -1, 0, 1; exact for integers.
int compare(const Json& a, const Json& b) {
  if (a.is_int64() && b.is_int64()) return a.get_int64() < b.get_int64() ? -1 : a.get_int64() > b.get_int64();
  double x = a.to_number<double>(), y = b.to_number<double>();
  return x < y ? -1 : x > y;
}

bool multiple(const Json& v, const Json& of) {
  if (v.is_int64() && of.is_int64()) return of.get_int64() == 0 || of.get_int64() == -1 || v.get_int64() % of.get_int64() == 0;
  double step = of.to_number<double>();
  if (step == 0) return true;
  double q = v.to_number<double>() / step;
  return std::isfinite(q) && std::fabs(q - std::round(q)) < 1e-9 * std::max(1.0, std::fabs(q));
}

std::string childOf(const std::string& path, std::string_view key) {
  return path.empty() ? std::string(key) : path + "." + std::string(key);
}

class Validator {
 public:
  explicit Validator(ErrorList& errors) : errors_(errors) {}

  void value(const Json& v, const Node& node, const std::string& path) {
    if (v.is_null() && node.nullable) return;
    if (!checkType(v, node, path)) return;
    if (auto* o = v.if_object()) {
      object(*o, node, path);
    } else if (auto* a = v.if_array()) {
      array(*a, node, path);
    }
    if (node.rules) rules(v, *node.rules, node, path);
  }

 private:
  void invalid(const Json& v, const std::string& path, const std::string& why) {
    auto about = path + " in body " + why;
    if (auto* s = v.if_string()) errors_.invalid(path, std::string(view(*s)), about);
    else errors_.invalidRaw(path, v.is_structured() ? shortened(v) : toText(v), about);
  }
  static std::string shortened(const Json& v) {
    auto text = toText(v);
    return text.size() <= 1000 ? text : text.substr(0, 1000) + "...";
  }

  bool checkType(const Json& v, const Node& node, const std::string& path) {
    bool fits = true;
    std::string_view wanted = nameOf(node.type);
    if (node.intOrString) {
      fits = v.is_string() || whole(v);
      wanted = "integer,string";
    } else {
      switch (node.type) {
        case NodeType::Any: return true;
        case NodeType::Object: fits = v.is_object(); break;
        case NodeType::Array: fits = v.is_array(); break;
        case NodeType::String: fits = v.is_string(); break;
        case NodeType::Boolean: fits = v.is_bool(); break;
        case NodeType::Integer: fits = whole(v); break;
        case NodeType::Number: fits = v.is_number(); break;
      }
    }
    if (fits) return true;
    std::string is(typeOf(v));
    errors_.typeInvalid(path, is, path + " in body must be of type " + std::string(wanted) + ": \"" + is + "\"");
    return false;
  }

  void object(const JsonObject& o, const Node& node, const std::string& path) {
    for (auto& kv : o) {
      auto key = view(kv.key());
      const Node* child = node.property(key);
      if (!child) child = node.additional;
      if (child) value(kv.value(), *child, childOf(path, key));
    }
    if (!node.embedded) return;
    for (auto key : {"apiVersion", "kind"}) {
      auto* v = o.if_contains(key);
      if (!v || (v->is_string() && v->get_string().empty())) errors_.required(childOf(path, key), "must not be empty");
    }
  }

  void array(const JsonArray& a, const Node& node, const std::string& path) {
    if (node.items)
      for (size_t i = 0; i < a.size(); ++i) value(a[i], *node.items, path + "[" + std::to_string(i) + "]");
    if (node.listType != ListType::Atomic) duplicates(a, node, path);
  }

  void duplicates(const JsonArray& a, const Node& node, const std::string& path) {
    std::unordered_set<std::string> seen;
    for (size_t i = 0; i < a.size(); ++i) {
      JsonObject keys;
      if (node.listType == ListType::Map) {
        auto* o = a[i].if_object();
        if (!o) continue;
        for (auto key : node.mapKeys)
          if (auto* v = o->if_contains(boosted(key))) keys.emplace(boosted(key), *v);
      }
      auto text = node.listType == ListType::Map ? toText(Json(keys)) : toText(a[i]);
      if (!seen.insert(text).second) errors_.duplicate(path + "[" + std::to_string(i) + "]", std::move(text));
    }
  }

  void rules(const Json& v, const Rules& r, const Node& node, const std::string& path) {
    if (v.is_number()) numbers(v, r, node, path);
    if (auto* s = v.if_string()) strings(v, view(*s), r, path);
    if (auto* a = v.if_array()) lists(v, *a, r, path);
    if (auto* o = v.if_object()) objects(v, *o, r, path);
    if (!r.enums.empty()) enums(v, r, path);
    junctors(v, r, path);
  }

  void numbers(const Json& v, const Rules& r, const Node& node, const std::string& path) {
    if (r.maximum && compare(v, *r.maximum) > (r.exclusiveMaximum ? -1 : 0))
      invalid(v, path, std::string("should be less than ") + (r.exclusiveMaximum ? "" : "or equal to ") + toText(*r.maximum));
    if (r.minimum && compare(v, *r.minimum) < (r.exclusiveMinimum ? 1 : 0))
      invalid(v, path, std::string("should be greater than ") + (r.exclusiveMinimum ? "" : "or equal to ") + toText(*r.minimum));
    if (r.multipleOf && !multiple(v, *r.multipleOf)) invalid(v, path, "should be a multiple of " + toText(*r.multipleOf));
    if (r.format == "int32" && node.type == NodeType::Integer) {
      double d = v.to_number<double>();
      if (d < INT32_MIN || d > INT32_MAX) errors_.invalidRaw(path, toText(v), "Checked value must be of type integer with format int32");
    }
  }

  void strings(const Json& v, std::string_view s, const Rules& r, const std::string& path) {
    int64_t n = r.minLength || r.maxLength ? letters(s) : 0;
    if (r.maxLength && n > *r.maxLength) errors_.tooLong(path, size_t(std::max<int64_t>(0, *r.maxLength)));
    if (r.minLength && n < *r.minLength) invalid(v, path, "should be at least " + std::to_string(*r.minLength) + " chars long");
    if (r.pattern && !r.pattern->matches(s)) invalid(v, path, "should match '" + std::string(r.patternText) + "'");
    if (!r.format.empty() && !hasFormat(s, r.format))
      errors_.typeInvalid(path, std::string(s), path + " in body must be of type " + std::string(r.format) + ": " + toText(v));
  }

  void lists(const Json& v, const JsonArray& a, const Rules& r, const std::string& path) {
    auto n = int64_t(a.size());
    if (r.maxItems && n > *r.maxItems) errors_.tooMany(path, a.size(), size_t(std::max<int64_t>(0, *r.maxItems)));
    if (r.minItems && n < *r.minItems) errors_.invalidRaw(path, std::to_string(n), path + " in body should have at least " + std::to_string(*r.minItems) + " items");
    if (!r.uniqueItems) return;
    std::unordered_set<std::string> seen;
    for (auto& item : a)
      if (!seen.insert(toText(item)).second) return invalid(v, path, "shouldn't contain duplicates");
  }

  void objects(const Json&, const JsonObject& o, const Rules& r, const std::string& path) {
    for (auto name : r.required)
      if (!o.contains(boosted(name))) errors_.required(childOf(path, name));
    auto n = int64_t(o.size());
    if (r.maxProperties && n > *r.maxProperties) errors_.tooMany(path, o.size(), size_t(std::max<int64_t>(0, *r.maxProperties)));
    if (r.minProperties && n < *r.minProperties)
      errors_.invalidRaw(path, std::to_string(n), path + " in body should have at least " + std::to_string(*r.minProperties) + " properties");
  }

  void enums(const Json& v, const Rules& r, const std::string& path) {
    std::vector<std::string> all;
    for (auto& e : r.enums) {
      if (equalJson(e, v)) return;
      all.push_back(e.is_string() ? std::string(view(e.get_string())) : toText(e));
    }
    errors_.notSupported(path, v.is_string() ? std::string(view(v.get_string())) : shortened(v), all);
  }

  // The errors of one alternative.
  static ErrorList trial(const Json& v, const Node& node, const std::string& path) {
    ErrorList errors;
    Validator(errors).value(v, node, path);
    return errors;
  }
  void composite(const std::string& path, const std::string& why) {
    errors_.invalid(path, "", "\"" + path + "\" " + why);
  }
  void take(const ErrorList& from) {
    for (auto& c : from.causes()) errors_.append(c);
  }

  void junctors(const Json& v, const Rules& r, const std::string& path) {
    for (auto* one : r.allOf) {
      auto errors = trial(v, *one, path);
      if (errors.empty()) continue;
      take(errors);
      composite(path, "must validate all the schemas (allOf)");
      break;
    }
    if (!r.anyOf.empty()) {
      std::optional<ErrorList> best;
      bool fits = false;
      for (auto* one : r.anyOf) {
        auto errors = trial(v, *one, path);
        if ((fits = errors.empty())) break;
        if (!best || errors.causes().size() < best->causes().size()) best = std::move(errors);
      }
      if (!fits) {
        composite(path, "must validate at least one schema (anyOf)");
        take(*best);
      }
    }
    if (!r.oneOf.empty()) {
      size_t valid = 0;
      for (auto* one : r.oneOf) valid += trial(v, *one, path).empty();
      if (valid != 1)
        composite(path, "must validate one and only one schema (oneOf). " +
                            (valid == 0 ? std::string("Found none valid") : "Found " + std::to_string(valid) + " valid alternatives"));
    }
    if (r.no && trial(v, *r.no, path).empty()) composite(path, "must not validate the schema (not)");
  }

  ErrorList& errors_;
};

}  // namespace

bool equalJson(const Json& a, const Json& b) {
  if (a.is_number() && b.is_number()) return compare(a, b) == 0;
  if (a.kind() != b.kind()) return false;
  if (auto* x = a.if_array()) {
    auto& y = b.get_array();
    if (x->size() != y.size()) return false;
    for (size_t i = 0; i < x->size(); ++i)
      if (!equalJson((*x)[i], y[i])) return false;
    return true;
  }
  if (auto* x = a.if_object()) {
    auto& y = b.get_object();
    if (x->size() != y.size()) return false;
    for (auto& kv : *x) {
      auto* other = y.if_contains(kv.key());
      if (!other || !equalJson(kv.value(), *other)) return false;
    }
    return true;
  }
  return a == b;
}

void validate(const Json& value, const Node& node, const std::string& path, ErrorList& errors) {
  Validator(errors).value(value, node, path);
}

}  // namespace ph::api::custom
