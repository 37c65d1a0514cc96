// Small reaches into JSON trees that never throw. Threads: pure.
#pragma once

#include <string>
#include <string_view>

#include "engine/api/schema.h"

namespace ph::server {

using api::Json;
using api::JsonArray;
using api::JsonObject;

inline std::string_view view(const boost::json::string& s) { return {s.data(), s.size()}; }

// The member of an object, or nullptr (also when `tree` is no object).
inline const Json* member(const Json* tree, std::string_view key) {
  auto* object = tree ? tree->if_object() : nullptr;
  return object ? object->if_contains(key) : nullptr;
}
inline Json* member(Json* tree, std::string_view key) {
  auto* object = tree ? tree->if_object() : nullptr;
  return object ? object->if_contains(key) : nullptr;
}
inline const JsonObject* objectAt(const Json& tree, std::string_view key) {
  auto* m = member(&tree, key);
  return m ? m->if_object() : nullptr;
}
// The text of a member, empty when absent or no string.
inline std::string_view textAt(const JsonObject* object, std::string_view key) {
  auto* m = object ? object->if_contains(key) : nullptr;
  auto* s = m ? m->if_string() : nullptr;
  return s ? view(*s) : std::string_view();
}
inline int64_t intAt(const JsonObject* object, std::string_view key, int64_t otherwise = 0) {
  auto* m = object ? object->if_contains(key) : nullptr;
  if (!m) return otherwise;
  if (auto* n = m->if_int64()) return *n;
  if (auto* u = m->if_uint64()) return int64_t(*u);
  if (auto* d = m->if_double()) return int64_t(*d);
  return otherwise;
}
// The object at a member, made when absent or of another type.
inline JsonObject& makeObject(JsonObject& parent, std::string_view key) {
  Json& m = parent[key];
  if (!m.is_object()) m.emplace_object();
  return m.get_object();
}
inline JsonObject& makeObject(Json& tree, std::string_view key) {
  if (!tree.is_object()) tree.emplace_object();
  return makeObject(tree.get_object(), key);
}
// Sets a member of `to` as it is in `from`: copied, or absent as there.
inline void copyMember(JsonObject& to, const JsonObject* from, std::string_view key) {
  if (auto* m = from ? from->if_contains(key) : nullptr)
    to[key] = *m;
  else
    to.erase(key);
}

}  // namespace ph::server
