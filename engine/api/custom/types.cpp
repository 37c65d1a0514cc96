#include "engine/api/custom/types.h"

#include <algorithm>

#include "engine/api/codec.h"
#include "engine/api/types/meta.h"

namespace ph::api::custom {
namespace {

constexpr const char* kApiVersion = "APIVersion defines by which version of its group's schemas this object is written: GROUP/VERSION.";
constexpr const char* kKind = "Kind is the name of the schema that this object follows, in CamelCase. It never changes.";
constexpr const char* kMetadata = "Standard object's metadata: its name, its labels, and what the server keeps about every object.";

}  // namespace

const Type* TypeArena::object(const Node& root, std::string name) {
  auto* made = const_cast<Type*>(build(root, true));
  made->name = keep(std::move(name));
  return made;
}

const Type* TypeArena::typeOf(const Node& node) {
  if (node.intOrString) return &scalar::IntOrString;
  switch (node.type) {
    case NodeType::String: return &scalar::String;
    case NodeType::Integer: return &scalar::Int64;
    case NodeType::Number: return &scalar::Double;
    case NodeType::Boolean: return &scalar::Bool;
    case NodeType::Any: return &scalar::Any;
    case NodeType::Array: return &types_.emplace_back(Type{.form = Form::List, .item = node.items ? typeOf(*node.items) : &scalar::Any});
    case NodeType::Object: break;
  }
  if (node.additional && node.properties.empty()) return &types_.emplace_back(Type{.form = Form::Map, .item = typeOf(*node.additional), .atomic = node.atomicMap});
  if (node.additionalAny && node.properties.empty()) return &types_.emplace_back(Type{.form = Form::Map, .item = &scalar::Any, .atomic = node.atomicMap});
  return build(node, node.embedded);
}

const Type* TypeArena::build(const Node& node, bool resource) {
  std::vector<Field> fields;
  fields.reserve(node.properties.size() + (resource ? 3 : 0));
  if (resource) {
    fields.push_back({.name = "apiVersion", .type = &scalar::String, .pointer = true, .doc = kApiVersion, .offset = kNoMember});
    fields.push_back({.name = "kind", .type = &scalar::String, .pointer = true, .doc = kKind, .offset = kNoMember});
    fields.push_back({.name = "metadata", .type = &schemaOf<meta::ObjectMeta>(), .pointer = true, .doc = kMetadata, .offset = kNoMember});
  }
  for (auto& [name, child] : node.properties) {
    if (resource && (name == "apiVersion" || name == "kind" || name == "metadata")) continue;
    bool required = node.rules && std::find(node.rules->required.begin(), node.rules->required.end(), name) != node.rules->required.end();
    fields.push_back(fieldOf(name, *child, required));
  }
  auto& kept = fields_.emplace_back(std::move(fields));
  return &types_.emplace_back(Type{.form = Form::Object,
                                   .fields = kept.data(),
                                   .fieldCount = uint32_t(kept.size()),
                                   .preserveUnknown = node.preserve || node.additionalAny || node.additional,
                                   .atomic = node.atomicMap});
}

Field TypeArena::fieldOf(std::string_view name, const Node& node, bool required) {
  Field f{.name = name, .type = typeOf(node), .required = required, .pointer = true, .offset = kNoMember};
  f.atomic = node.atomicMap;
  if (node.standard) f.defaultJson = keep(toText(*node.standard));
  if (node.rules) f.format = node.rules->format;
  if (node.listType == ListType::Set) f.listKind = ph::api::ListKind::Set;
  if (node.listType == ListType::Map) {
    f.listKind = ph::api::ListKind::Map;
    std::string keys;
    for (auto k : node.mapKeys) keys += (keys.empty() ? "" : ",") + std::string(k);
    f.mapKeys = keep(std::move(keys));
  }
  return f;
}

}  // namespace ph::api::custom
