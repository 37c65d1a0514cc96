// What a CRD's schema may hold at all.
#include <algorithm>

#include "engine/api/codec.h"
#include "engine/api/custom/definition.h"
#include "engine/api/custom/node.h"
#include "engine/api/custom/schema_json.h"
#include "engine/api/custom/walk.h"

namespace ph::api::custom {
namespace {

using std::string;

const std::vector<string> kTypes = {"array", "boolean", "integer", "number", "object", "string"};

class SchemaCheck {
 public:
  explicit SchemaCheck(ErrorList& errors) : errors_(errors) {}

  struct At {
    bool root = false, insideMeta = false, defaults = true;
    string noDefaults;  // why
  };

  void schema(const Json* json, const string& path, const At& at, size_t depth) {
    if (!json) return;
    auto* s = json->if_object();
    if (!s) return errors_.typeInvalid(path, "", "a schema must be an object");
    if (depth > kMaxDepth) return errors_.forbidden(path, "schemas may be nested " + std::to_string(kMaxDepth) + " deep at most");
    if (++seen_ > kMaxNodes) {
      if (seen_ == kMaxNodes + 1) errors_.forbidden(path, "a schema may have at most " + std::to_string(kMaxNodes) + " parts");
      return;
    }
    allowed(s, path, at);
    extensions(s, path);
    children(s, path, at, depth);
  }

 private:
  void allowed(const JsonObject* s, const string& path, const At& at) {
    auto type = wordIn(s, "type");
    if (type == "null") errors_.forbidden(path + ".type", "type cannot be set to null, use nullable as an alternative");
    else if (!type.empty() && std::find(kTypes.begin(), kTypes.end(), type) == kTypes.end()) errors_.notSupported(path + ".type", type, kTypes);
    if (get(s, "default") && !at.defaults) errors_.forbidden(path + ".default", "must not be set" + (at.noDefaults.empty() ? "" : " " + at.noDefaults));
    for (auto key : {"id", "additionalItems", "patternProperties", "definitions", "dependencies", "$ref"}) {
      auto* v = get(s, key);
      if (!v || (v->is_object() && v->get_object().empty()) || (v->is_string() && v->get_string().empty())) continue;
      errors_.forbidden(path + "." + key, string(key) + " is not supported");
    }
    if (arrayIn(s, "items")) errors_.forbidden(path + ".items", "items must be a schema object and not an array");
    if (at.insideMeta && flagIn(s, "x-kubernetes-embedded-resource"))
      errors_.forbidden(path + ".x-kubernetes-embedded-resource", "must not be used inside of resource meta");
    if (flagIn(s, "uniqueItems")) errors_.forbidden(path + ".uniqueItems", "uniqueItems cannot be set to true since the runtime complexity becomes quadratic");
    auto* more = get(s, "additionalProperties");
    auto* properties = objectIn(s, "properties");
    if (more && properties && !properties->empty() && !(more->is_bool() && more->get_bool()))
      errors_.forbidden(path + ".additionalProperties", "additionalProperties and properties are mutual exclusive");
    if (more && more->is_bool() && !more->get_bool() && (!properties || properties->empty()))
      errors_.forbidden(path + ".additionalProperties", "additionalProperties cannot be set to false");
    if (auto text = wordIn(s, "pattern"); !text.empty())
      if (auto why = checkPattern(text); !why.empty())
        errors_.invalid(path + ".pattern", text, "must be a valid regular expression, but isn't: " + why);
  }

  void typeMustBe(const JsonObject* s, const string& path, const char* wanted, const string& why) {
    auto type = wordIn(s, "type");
    if (type == wanted) return;
    if (type.empty()) errors_.required(path + ".type", why);
    else errors_.invalid(path + ".type", type, why);
  }

  void extensions(const JsonObject* s, const string& path) {
    if (auto* v = get(s, "x-kubernetes-preserve-unknown-fields"); v && v->is_bool() && !v->get_bool())
      errors_.invalidRaw(path + ".x-kubernetes-preserve-unknown-fields", "false", "must be true or undefined");
    if (auto* v = get(s, "x-kubernetes-map-type")) {
      typeMustBe(s, path, "object", "must be object if x-kubernetes-map-type is specified");
      auto type = wordIn(s, "x-kubernetes-map-type");
      if (!v->is_string() || (type != "atomic" && type != "granular")) errors_.notSupported(path + ".x-kubernetes-map-type", type, {"atomic", "granular"});
    }
    lists(s, path);
  }

  void lists(const JsonObject* s, const string& path) {
    auto type = wordIn(s, "x-kubernetes-list-type");
    auto* keys = arrayIn(s, "x-kubernetes-list-map-keys");
    auto* items = objectIn(s, "items");
    if (!type.empty()) {
      typeMustBe(s, path, "array", "must be array if x-kubernetes-list-type is specified");
      if (type != "atomic" && type != "set" && type != "map") errors_.notSupported(path + ".x-kubernetes-list-type", type, {"atomic", "map", "set"});
    }
    if (type == "set" && items) {
      auto inner = wordIn(items, "type");
      auto list = wordIn(items, "x-kubernetes-list-type"), map = wordIn(items, "x-kubernetes-map-type");
      if (inner == "array" && !list.empty() && list != "atomic")
        errors_.invalid(path + ".items.x-kubernetes-list-type", list, "must be atomic as item of a list with x-kubernetes-list-type=set");
      if (inner == "object" && map != "atomic")
        errors_.invalid(path + ".items.x-kubernetes-map-type", map, "must be atomic as item of a list with x-kubernetes-list-type=set");
    }
    if (keys && !keys->empty() && type != "map") {
      if (type.empty()) errors_.required(path + ".x-kubernetes-list-type", "must be map if x-kubernetes-list-map-keys is non-empty");
      else errors_.invalid(path + ".x-kubernetes-list-type", type, "must be map if x-kubernetes-list-map-keys is non-empty");
    }
    if ((type == "set" || type == "map") && items && flagIn(items, "nullable"))
      errors_.forbidden(path + ".items.nullable", "cannot be nullable when x-kubernetes-list-type is " + type);
    if (type == "map") mapList(s, keys, items, path);
  }

  void mapList(const JsonObject* s, const JsonArray* keys, const JsonObject* items, const string& path) {
    if (!keys || keys->empty()) errors_.required(path + ".x-kubernetes-list-map-keys", "must not be empty if x-kubernetes-list-type is map");
    if (!get(s, "items")) errors_.required(path + ".items", "must have a schema if x-kubernetes-list-type is map");
    if (!items) return;
    if (wordIn(items, "type") != "object") {
      errors_.invalid(path + ".items.type", wordIn(items, "type"), "must be object if parent array's x-kubernetes-list-type is map");
      return;
    }
    auto* properties = objectIn(items, "properties");
    auto* required = arrayIn(items, "required");
    std::vector<string> seen;
    for (auto& k : keys ? *keys : JsonArray()) {
      auto key = k.is_string() ? string(view(k.get_string())) : string();
      auto all = toText(Json(*keys));
      if (std::find(seen.begin(), seen.end(), key) != seen.end()) errors_.invalidRaw(path + ".x-kubernetes-list-map-keys", all, "must not contain duplicate entries");
      seen.push_back(key);
      auto* property = objectIn(properties, key);
      if (!property) {
        errors_.invalidRaw(path + ".x-kubernetes-list-map-keys", all, "entries must all be names of item properties");
        continue;
      }
      auto at = propertyOf(path + ".items", key);
      auto type = wordIn(property, "type");
      if (type == "array" || type == "object") errors_.invalid(at + ".type", type, "must be a scalar type if parent array's x-kubernetes-list-type is map");
      bool must = required && std::find(required->begin(), required->end(), k) != required->end();
      if (!must && !get(property, "default"))
        errors_.required(at + ".default", "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property");
      if (flagIn(property, "nullable")) errors_.forbidden(at + ".nullable", "this property is in x-kubernetes-list-map-keys, so it cannot be nullable");
    }
  }

  void children(const JsonObject* s, const string& path, const At& at, size_t depth) {
    At below = at;
    below.root = false;
    if (auto* more = get(s, "additionalProperties"); more && !more->is_bool()) {
      At inside = below;
      if (at.insideMeta) inside.defaults = false, inside.noDefaults = "inside additionalProperties applying to object metadata";
      schema(more, path + ".additionalProperties", inside, depth + 1);
    }
    if (auto* properties = objectIn(s, "properties"))
      for (auto& kv : *properties) {
        auto name = view(kv.key());
        At inside = below;
        if ((at.root || flagIn(s, "x-kubernetes-embedded-resource")) && (name == "metadata" || name == "kind" || name == "apiVersion")) {
          inside.insideMeta = true;
          if (at.root) inside.defaults = false, inside.noDefaults = "in top-level " + string(name);
        }
        schema(&kv.value(), propertyOf(path, name), inside, depth + 1);
      }
    schema(get(s, "not"), path + ".not", below, depth + 1);
    for (auto key : {"allOf", "oneOf", "anyOf"})
      if (auto* list = arrayIn(s, key))
        for (size_t i = 0; i < list->size(); ++i) schema(&(*list)[i], indexed(path + "." + key, i), below, depth + 1);
    if (auto* items = get(s, "items"); items && !items->is_array()) schema(items, path + ".items", below, depth + 1);
  }

  ErrorList& errors_;
  size_t seen_ = 0;
};

void checkRoot(const JsonObject* s, const string& path, ErrorList& errors) {
  static constexpr std::string_view kAllowed[] = {"description", "type", "format", "title", "maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum",
                                                  "maxLength", "minLength", "pattern", "maxItems", "minItems", "uniqueItems", "multipleOf", "required",
                                                  "items", "properties", "externalDocs", "example", "x-kubernetes-preserve-unknown-fields",
                                                  "x-kubernetes-validations"};
  if (auto type = wordIn(s, "type"); !type.empty() && type != "object")
    errors.invalid(path + ".type", type, "only \"object\" is allowed as the type at the root of the schema if the status subresource is enabled");
  for (auto& kv : *s) {
    if (kv.value().is_null() || std::find(std::begin(kAllowed), std::end(kAllowed), view(kv.key())) != std::end(kAllowed)) continue;
    string all;
    for (auto a : kAllowed) all += (all.empty() ? "" : " ") + string(a);
    errors.invalid(path, string(view(kv.key())), "only [" + all + "] fields are allowed at the root of the schema if the status subresource is enabled");
    break;
  }
}

// Defaults must themselves fit their schemas, and hold nothing that would be pruned.
class DefaultCheck {
 public:
  explicit DefaultCheck(ErrorList& errors) : errors_(errors) {}
  void node(const Node& n, const string& path, bool skip) {
    if (n.standard && !skip) one(n, path + ".default");
    for (auto& [name, child] : n.properties) {
      bool own = n.embedded && (name == "metadata" || name == "apiVersion" || name == "kind");
      node(*child, propertyOf(path, name), own);
    }
    if (n.items) node(*n.items, path + ".items", false);
    if (n.additional) node(*n.additional, path + ".additionalProperties", false);
  }

 private:
  void one(const Node& n, const string& path) {
    Json value = *n.standard;
    std::vector<string> unknown;
    prune(value, n, {.root = false, .metadata = false, .defaults = false}, nullptr, &unknown);
    for (auto& u : unknown) errors_.invalidRaw(path, toText(*n.standard), "must not have unknown fields: " + u);
    value = *n.standard;
    prune(value, n, {.root = false, .metadata = false}, nullptr, nullptr);
    ErrorList found;
    validate(value, n, path, found);
    for (auto& c : found.causes()) errors_.append(c);
  }
  ErrorList& errors_;
};

}  // namespace

void validateSchema(const Json& schema, const string& path, const SchemaRules& rules, ErrorList& errors) {
  auto* s = schema.if_object();
  if (!s) return errors.typeInvalid(path, "", "a schema must be an object");
  ErrorList own;
  if (rules.status) checkRoot(s, path, own);
  if (flagIn(s, "nullable")) own.forbidden(path + ".nullable", "nullable cannot be true at the root");
  SchemaCheck(own).schema(&schema, path,
                          {.root = true, .defaults = rules.defaults,
                           .noDefaults = rules.defaults ? "" : "(cannot set default values in apiextensions.k8s.io/v1beta1 CRDs, must use apiextensions.k8s.io/v1)"},
                          0);
  if (rules.structural && own.empty()) validateStructural(schema, path, own);
  if (own.empty()) {
    Arena arena;
    auto root = compile(schema, arena);
    if (!root.ok()) own.invalid(path, "", root.status().message);
    else DefaultCheck(own).node(**root, path, false);
  }
  for (auto& c : own.causes()) errors.append(c);
}

}  // namespace ph::api::custom
