// Reaching into schemas as JSON. Internal to engine/api/custom. Threads: pure.
#pragma once

#include <string>
#include <string_view>

#include "engine/api/schema.h"

namespace ph::api::custom {

inline std::string_view view(boost::json::string_view s) { return {s.data(), s.size()}; }

inline const Json* get(const JsonObject* o, std::string_view key) {
  auto* v = o ? o->if_contains(key) : nullptr;
  return v && !v->is_null() ? v : nullptr;
}
inline const JsonObject* objectIn(const JsonObject* o, std::string_view key) {
  auto* v = get(o, key);
  return v ? v->if_object() : nullptr;
}
inline const JsonArray* arrayIn(const JsonObject* o, std::string_view key) {
  auto* v = get(o, key);
  return v ? v->if_array() : nullptr;
}
inline std::string wordIn(const JsonObject* o, std::string_view key) {
  auto* v = get(o, key);
  return v && v->is_string() ? std::string(view(v->get_string())) : std::string();
}
inline bool flagIn(const JsonObject* o, std::string_view key) {
  auto* v = get(o, key);
  return v && v->is_bool() && v->get_bool();
}
inline std::string indexed(const std::string& path, size_t i) { return path + "[" + std::to_string(i) + "]"; }
inline std::string propertyOf(const std::string& path, std::string_view name) { return path + ".properties[" + std::string(name) + "]"; }

}  // namespace ph::api::custom
