#include "engine/api/custom/publish.h"

namespace ph::api::custom {
namespace {

bool flag(const JsonObject& o, std::string_view key) {
  auto* v = o.if_contains(key);
  return v && v->is_bool() && v->get_bool();
}

void loosen(Json& schema) {
  auto* o = schema.if_object();
  if (!o) return;
  for (auto key : {"allOf", "anyOf", "oneOf", "not", "default", "x-kubernetes-validations"}) o->erase(key);
  bool loose = flag(*o, "x-kubernetes-preserve-unknown-fields");
  if (flag(*o, "nullable")) {
    o->erase("type");
    loose = true;
  }
  o->erase("nullable");
  if (flag(*o, "x-kubernetes-int-or-string")) o->erase("type");
  if (loose) {
    // Old kubectls take an object or a list without its parts for an empty one.
    if (auto* type = o->if_contains("type"); type && (*type == "object" || *type == "array")) o->erase("type");
    for (auto key : {"properties", "items", "additionalProperties", "required"}) o->erase(key);
    return;
  }
  if (auto* properties = o->if_contains("properties"); properties && properties->is_object())
    for (auto& kv : properties->get_object()) loosen(kv.value());
  if (auto* items = o->if_contains("items")) loosen(*items);
  if (auto* more = o->if_contains("additionalProperties")) {
    if (more->is_bool()) *more = JsonObject();
    loosen(*more);
  }
}

}  // namespace

Json publish(const Json& schema, bool v2) {
  Json out = schema;
  if (!out.is_object()) out.emplace_object();
  if (v2) loosen(out);
  out.get_object().erase("example");
  return out;
}

}  // namespace ph::api::custom
