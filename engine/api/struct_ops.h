// StructOps: what the interpreter needs to reach into a generated struct, a vector or a map without knowing its type.
// Only generated code and the codec include this.
// Threads: immutable tables.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "engine/api/schema.h"

namespace ph::api {

struct StructOps {
  size_t size = 0;  // of the struct; of one element for lists
  // Form::Object
  void* (*create)() = nullptr;
  void (*destroy)(void*) = nullptr;
  // Form::List
  void (*resize)(void* list, size_t n) = nullptr;
  size_t (*count)(const void* container) = nullptr;  // Form::Map too
  void* (*data)(void* list) = nullptr;
  // Form::Map
  void* (*insert)(void* map, std::string_view key) = nullptr;
  void (*each)(const void* map, void* context, void (*visit)(void* context, std::string_view key, const void* value)) = nullptr;
};

template <class T> constexpr StructOps objectOps() {
  StructOps o;
  o.size = sizeof(T);
  o.create = []() -> void* { return new T(); };
  o.destroy = [](void* p) { delete static_cast<T*>(p); };
  return o;
}

template <class T> constexpr StructOps listOps() {
  using V = std::vector<T>;
  StructOps o;
  o.size = sizeof(T);
  o.resize = [](void* p, size_t n) { static_cast<V*>(p)->resize(n); };
  o.count = [](const void* p) { return static_cast<const V*>(p)->size(); };
  o.data = [](void* p) -> void* { return static_cast<V*>(p)->data(); };
  return o;
}

template <class T> constexpr StructOps mapOps() {
  using M = std::map<std::string, T, std::less<>>;
  StructOps o;
  o.size = sizeof(T);
  o.count = [](const void* p) { return static_cast<const M*>(p)->size(); };
  o.insert = [](void* p, std::string_view key) -> void* { return &(*static_cast<M*>(p))[std::string(key)]; };
  o.each = [](const void* p, void* context, void (*visit)(void*, std::string_view, const void*)) {
    for (auto& [key, value] : *static_cast<const M*>(p)) visit(context, key, &value);
  };
  return o;
}

// Of built-in types that have no struct: they are handled as JSON only.
inline constexpr StructOps kNoStruct{};
template <class T> inline constexpr StructOps kObjectOps = objectOps<T>();
template <class T> inline constexpr StructOps kListOps = listOps<T>();
template <class T> inline constexpr StructOps kMapOps = mapOps<T>();

}  // namespace ph::api
