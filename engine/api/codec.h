// The interpreter over schemas: JSON <-> generated structs, strict decoding, defaulting, pruning, schema validation.
// Generated structs live in "engine/api/types/GROUP.h" (core, apps, coordination, fleet, meta...) in ph::api::GROUP.
// Threads: pure.
#pragma once

#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "engine/api/object.h"
#include "engine/api/schema.h"
#include "engine/api/validation.h"
#include "engine/base/result.h"

namespace ph::api {

// Specialised by the generated headers: the schema of a generated struct.
template <class T> const Type& schemaOf();

// Parses text with limits (depth, size); duplicate keys are reported (their paths), the last one wins.
// A failure is 400 BadRequest with the place.
Result<Json> parseJson(std::string_view text, std::vector<std::string>* duplicates = nullptr);
// YAML (one document) to JSON, with limits of depth, size and aliases, and duplicate keys as with JSON.
Result<Json> parseYaml(std::string_view text, std::vector<std::string>* duplicates = nullptr);
std::string toText(const Json& value);
void appendText(const Json& value, std::string& out);
void appendQuoted(std::string_view text, std::string& out);  // a JSON string

// Walks `tree` along `type`: drops unknown fields (their paths go to `unknown`, "spec.foo"), fills defaults, drops nulls,
// normalises quantities and times; wrong types, missing required fields, enums and limits become errors.
void conform(Json& tree, const Type& type, ErrorList& errors, std::vector<std::string>* unknown);

// Into a generated struct; lenient about unknown fields, strict about types.
Result<> decode(const Json& tree, const Type& type, void* into);
// The same, but leaves out what has a wrong type.
void decodeLenient(const Json& tree, const Type& type, void* into);
// From a generated struct, leaving out what is empty.
Json encode(const Type& type, const void* from);
// The same for a whole object: apiVersion and kind come first.
Json encodeObject(const ResourceInfo& info, const void* from);

template <class T> Result<T> fromJson(const Json& tree) {
  T out{};
  auto r = decode(tree, schemaOf<T>(), &out);
  if (!r.ok()) return std::move(r).status();
  return out;
}
template <class T> Json toJson(const T& value) { return encode(schemaOf<T>(), &value); }
template <class T>
  requires(!std::is_constructible_v<Json, const T&>)
std::string toText(const T& value) {
  return toText(toJson(value));
}
// A whole object ("apiVersion", "kind" and what the struct holds).
template <class T> Json toObjectJson(const ResourceInfo& info, const T& value) {
  PH_CHECK(info.type == &schemaOf<T>());
  return encodeObject(info, &value);
}

template <class T> const Type* Object::typeOf() { return &schemaOf<T>(); }

// The value at a dotted path ("spec.template.spec"), or nullptr. Array indices as numbers.
const Json* at(const Json& tree, std::string_view path);

}  // namespace ph::api
