// Structural schemas: every field is declared outside of value validations, and those only validate.
#include <algorithm>

#include "engine/api/codec.h"
#include "engine/api/custom/definition.h"
#include "engine/api/custom/schema_json.h"

namespace ph::api::custom {
namespace {

using std::string;
enum class Level { Root, Item, Field };

bool isIntOrStringAnyOf(const JsonArray* anyOf) {
  if (!anyOf || anyOf->size() != 2) return false;
  static const Json kInteger = JsonObject{{"type", "integer"}}, kString = JsonObject{{"type", "string"}};
  return (*anyOf)[0] == kInteger && (*anyOf)[1] == kString;
}

class Structural {
 public:
  explicit Structural(ErrorList& errors) : errors_(errors) {}

  void invariants(const JsonObject* s, Level level, const string& path) {
    if (!s) return;
    auto type = wordIn(s, "type");
    if (type == "array" && !get(s, "items")) errors_.required(path + ".items", "must be specified");
    invariants(objectIn(s, "items"), Level::Item, path + ".items");
    auto* properties = objectIn(s, "properties");
    if (properties)
      for (auto& kv : *properties) invariants(kv.value().if_object(), Level::Field, propertyOf(path, view(kv.key())));
    if (get(s, "additionalProperties")) {
      if (level == Level::Root) errors_.forbidden(path + ".additionalProperties", "must not be used at the root");
      invariants(objectIn(s, "additionalProperties"), Level::Field, path + ".additionalProperties");
    }
    extensions(s, type, level, path);
    auto* allOf = arrayIn(s, "allOf");
    bool first = allOf && !allOf->empty() && isIntOrStringAnyOf(arrayIn((*allOf)[0].if_object(), "anyOf"));
    values(s, isIntOrStringAnyOf(arrayIn(s, "anyOf")), first, path);
    if (properties && (level == Level::Root || flagIn(s, "x-kubernetes-embedded-resource"))) ownFields(*properties, level, path);
    complete(s, s, path, path);
  }

 private:
  void extensions(const JsonObject* s, const string& type, Level level, const string& path) {
    bool either = flagIn(s, "x-kubernetes-int-or-string"), preserve = flagIn(s, "x-kubernetes-preserve-unknown-fields"),
         embedded = flagIn(s, "x-kubernetes-embedded-resource");
    if (either && preserve) errors_.invalidRaw(path + ".x-kubernetes-preserve-unknown-fields", "true", "must be false if x-kubernetes-int-or-string is true");
    if (either && embedded) errors_.invalidRaw(path + ".x-kubernetes-embedded-resource", "true", "must be false if x-kubernetes-int-or-string is true");
    if (embedded && type != "object") {
      if (type.empty()) errors_.required(path + ".type", "must be object if x-kubernetes-embedded-resource is true");
      else errors_.invalid(path + ".type", type, "must be object if x-kubernetes-embedded-resource is true");
    } else if (type.empty() && !either && !preserve) {
      errors_.required(path + ".type", level == Level::Root   ? "must not be empty at the root"
                                       : level == Level::Item ? "must not be empty for specified array items"
                                                              : "must not be empty for specified object fields");
    } else if (!type.empty() && either) {
      errors_.invalid(path + ".type", type, "must be empty if x-kubernetes-int-or-string is true");
    }
    if (embedded && get(s, "additionalProperties")) errors_.forbidden(path + ".additionalProperties", "must not be used if x-kubernetes-embedded-resource is set");
    auto* properties = objectIn(s, "properties");
    if (embedded && !preserve && (!properties || properties->empty()))
      errors_.required(path + ".properties", "must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields");
    if (level == Level::Root && !type.empty() && type != "object") errors_.invalid(path + ".type", type, "must be object at the root");
  }

  void ownFields(const JsonObject& properties, Level level, const string& path) {
    static constexpr std::pair<const char*, const char*> kOwn[] = {{"kind", "string"}, {"apiVersion", "string"}, {"metadata", "object"}};
    for (auto& [name, wanted] : kOwn) {
      auto* p = objectIn(&properties, name);
      if (auto type = wordIn(p, "type"); p && type != wanted) errors_.invalid(propertyOf(path, name) + ".type", type, string("must be ") + wanted);
    }
    auto* metadata = objectIn(&properties, "metadata");
    if (!metadata || level != Level::Root) return;
    bool fine = true;
    for (auto& kv : *metadata) {
      auto key = view(kv.key());
      fine = fine && (key == "type" || key == "properties" || key == "description" || key == "default" || kv.value().is_null());
    }
    if (auto* inner = objectIn(metadata, "properties"))
      for (auto& kv : *inner) fine = fine && (kv.key() == "name" || kv.key() == "generateName");
    if (!fine)
      errors_.forbidden(propertyOf(path, "metadata"), "must not specify anything other than name and generateName, but metadata is implicitly specified");
  }

  void values(const JsonObject* s, bool skipAnyOf, bool skipFirstAllOf, const string& path) {
    if (auto* list = arrayIn(s, "anyOf"); list && !skipAnyOf)
      for (size_t i = 0; i < list->size(); ++i) nested((*list)[i].if_object(), false, indexed(path + ".anyOf", i));
    if (auto* list = arrayIn(s, "allOf"))
      for (size_t i = 0; i < list->size(); ++i) nested((*list)[i].if_object(), skipFirstAllOf && i == 0, indexed(path + ".allOf", i));
    if (auto* list = arrayIn(s, "oneOf"))
      for (size_t i = 0; i < list->size(); ++i) nested((*list)[i].if_object(), false, indexed(path + ".oneOf", i));
    nested(objectIn(s, "not"), false, path + ".not");
  }

  void nested(const JsonObject* v, bool skipAnyOf, const string& path) {
    if (!v) return;
    values(v, skipAnyOf, false, path);
    nested(objectIn(v, "items"), false, path + ".items");
    auto* properties = objectIn(v, "properties");
    if (properties)
      for (auto& kv : *properties) nested(kv.value().if_object(), false, propertyOf(path, view(kv.key())));
    struct Rule {
      const char *key, *why;
    };
    static constexpr Rule kForbidden[] = {{"type", "must be empty to be structural"},
                                          {"additionalProperties", "must be undefined to be structural"},
                                          {"default", "must be undefined to be structural"},
                                          {"title", "must be empty to be structural"},
                                          {"description", "must be empty to be structural"},
                                          {"nullable", "must be false to be structural"},
                                          {"x-kubernetes-preserve-unknown-fields", "must be false to be structural"},
                                          {"x-kubernetes-embedded-resource", "must be false to be structural"},
                                          {"x-kubernetes-int-or-string", "must be false to be structural"},
                                          {"x-kubernetes-list-map-keys", "must be empty to be structural"},
                                          {"x-kubernetes-list-type", "must be undefined to be structural"},
                                          {"x-kubernetes-map-type", "must be undefined to be structural"}};
    for (auto& r : kForbidden) {
      auto* found = get(v, r.key);
      if (!found || (found->is_bool() && !found->get_bool()) || (found->is_string() && found->get_string().empty())) continue;
      errors_.forbidden(path + "." + r.key, r.why);
    }
    if (properties && properties->contains("metadata")) errors_.forbidden(propertyOf(path, "metadata"), "must not be specified in a nested context");
  }

  // Every field named in a value validation of `v` is declared in `s`.
  void complete(const JsonObject* v, const JsonObject* s, const string& sPath, const string& vPath) {
    auto each = [&](const JsonObject* one, const string& at) {
      if (one) completeNested(one, s, sPath, at);
    };
    each(objectIn(v, "not"), vPath + ".not");
    for (auto key : {"allOf", "anyOf", "oneOf"})
      if (auto* list = arrayIn(v, key))
        for (size_t i = 0; i < list->size(); ++i) each((*list)[i].if_object(), indexed(vPath + "." + key, i));
  }

  void completeNested(const JsonObject* v, const JsonObject* s, const string& sPath, const string& vPath) {
    if (!s) return errors_.required(sPath, "because it is defined in " + vPath);
    complete(v, s, sPath, vPath);
    if (auto* items = objectIn(v, "items")) completeNested(items, objectIn(s, "items"), sPath + ".items", vPath + ".items");
    auto* properties = objectIn(v, "properties");
    if (!properties) return;
    for (auto& kv : *properties) {
      auto name = view(kv.key());
      auto* field = objectIn(objectIn(s, "properties"), name);
      if (!field) errors_.required(propertyOf(sPath, name), "because it is defined in " + propertyOf(vPath, name));
      else if (auto* one = kv.value().if_object()) completeNested(one, field, propertyOf(sPath, name), propertyOf(vPath, name));
    }
  }

  ErrorList& errors_;
};

}  // namespace

void validateStructural(const Json& schema, const string& path, ErrorList& errors) {
  Structural(errors).invariants(schema.if_object(), Level::Root, path);
}

}  // namespace ph::api::custom
