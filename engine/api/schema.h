// Schema: what a type looks like. Built-ins are constexpr-like tables generated from resources/schemas; CRDs build the same
// structures at run time. One interpreter (codec.h) walks them for everything.
// Threads: immutable after construction.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <string_view>

#include "engine/base/time.h"

namespace ph::api {

using Json = boost::json::value;
using JsonObject = boost::json::object;
using JsonArray = boost::json::array;

enum class Form : uint8_t {
  String, Bool, Int32, Int64, Double,
  Bytes,         // base64 in JSON
  Time,          // RFC 3339, seconds
  MicroTime,     // RFC 3339, microseconds
  Quantity,      // resource.Quantity
  IntOrString,
  Object,        // fields
  Map,           // string keys, element of `item`
  List,          // elements of `item`
  Any,           // any JSON, kept as it is (x-kubernetes-preserve-unknown-fields; RawExtension, FieldsV1)
};

enum class ListKind : uint8_t { Atomic, Set, Map };  // merge behaviour for strategic merge and server-side apply

struct Type;

struct Field {
  std::string_view name;             // JSON key
  const Type* type = nullptr;
  int32_t number = 0;                // Kubernetes' protobuf field number; 0: none
  bool required = false;             // must be present and not null
  bool pointer = false;              // optional scalar or struct: absent differs from zero
  bool omitEmpty = true;             // left out when zero
  bool inlined = false;              // embedded struct whose keys stand in the parent (protobuf still nests it)
  std::string_view defaultJson;      // literal JSON; empty: none
  std::string_view doc;              // our own words, for explain and OpenAPI
  std::string_view enumValues;       // "A|B|C"; empty: free
  ListKind listKind = ListKind::Atomic;
  std::string_view mergeKey;         // strategic-merge key (patchMergeKey)
  std::string_view mapKeys;          // server-side apply keys, comma separated ("containerPort,protocol")
  bool patchReplaceKeys = false;     // patchStrategy retainKeys
  std::string_view format;           // OpenAPI format where it is not implied
  // limits; NaN-free: has* say whether they are set
  bool hasMin = false, hasMax = false;
  int64_t min = 0, max = 0;
  uint32_t offset = 0;               // of the member in the generated struct; kNoMember: JSON only (apiVersion, kind)
  bool atomic = false;               // Map or Object: server-side apply owns it as a whole (x-kubernetes-map-type: atomic)
  bool materialize = false;          // a plain struct that holds defaults or required fields: {} when absent
};

inline constexpr uint32_t kNoMember = UINT32_MAX;

struct StructOps;  // struct_ops.h: how to reach into the generated struct (if any); null for CRDs

struct Type {
  std::string_view name;             // "io.k8s.api.core.v1.PodSpec"; empty for scalars, lists and maps
  Form form = Form::Any;
  std::string_view doc;
  const Field* fields = nullptr;     // Form::Object
  uint32_t fieldCount = 0;
  const Type* item = nullptr;        // Form::Map and Form::List
  bool preserveUnknown = false;      // Form::Object: keep fields that the schema does not know
  bool atomic = false;               // wherever it stands, as Field::atomic
  const StructOps* ops = nullptr;

  // Looks into inlined structs too (they stand at the start of their parent, so the offset holds there as well).
  const Field* field(std::string_view name) const;
};

// The types without a name.
namespace scalar {
inline constexpr Type String{.form = Form::String};
inline constexpr Type Bool{.form = Form::Bool};
inline constexpr Type Int32{.form = Form::Int32};
inline constexpr Type Int64{.form = Form::Int64};
inline constexpr Type Double{.form = Form::Double};
inline constexpr Type Bytes{.form = Form::Bytes};
inline constexpr Type Time{.form = Form::Time};
inline constexpr Type MicroTime{.form = Form::MicroTime};
inline constexpr Type Quantity{.form = Form::Quantity};
inline constexpr Type IntOrString{.form = Form::IntOrString};
inline constexpr Type Any{.form = Form::Any};
}  // namespace scalar

}  // namespace ph::api
