#include "engine/api/conversions/conversions.h"

namespace ph::api::conversions {

using strategies::boosted;
using strategies::view;

Json take(JsonObject& object, std::string_view key) {
  auto it = object.find(boosted(key));
  if (it == object.end()) return nullptr;
  Json value = std::move(it->value());
  object.stable_erase(it);
  return value;
}

void rename(JsonObject& object, std::string_view from, std::string_view to) {
  if (!object.contains(boosted(from))) return;
  Json value = take(object, from);
  object[boosted(to)] = std::move(value);
}

JsonObject* objectIn(Json& tree, std::string_view path) {
  Json* at = &tree;
  while (at && !path.empty()) {
    size_t dot = path.find('.');
    at = strategies::member(*at, path.substr(0, dot));
    path = dot == std::string_view::npos ? std::string_view() : path.substr(dot + 1);
  }
  return at ? at->if_object() : nullptr;
}

Json takeAnnotation(Json& tree, std::string_view key) {
  auto* annotations = objectIn(tree, "metadata.annotations");
  if (!annotations) return nullptr;
  Json text = take(*annotations, key);
  if (annotations->empty()) objectIn(tree, "metadata")->erase("annotations");
  if (!text.is_string()) return nullptr;
  auto parsed = parseJson(view(text.get_string()));
  return parsed.ok() ? std::move(*parsed) : Json(nullptr);
}

void setAnnotation(Json& tree, std::string_view key, const Json& value) {
  auto& metadata = strategies::ensureObject(tree, "metadata");
  strategies::ensureObject(metadata, "annotations")[boosted(key)] = toText(value);
}

}  // namespace ph::api::conversions
