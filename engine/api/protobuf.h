// Kubernetes' protobuf bodies, by the same schema tables as JSON (Field::number). Operators and kubectl's typed clients send them.
// Source: Kubernetes API concepts, "Alternate representations of resources": four magic bytes, then runtime.Unknown
// {typeMeta 1 {apiVersion 1, kind 2}, raw 2}.
// Threads: pure.
#pragma once

#include <string>
#include <string_view>

#include "engine/api/schema.h"
#include "engine/base/result.h"

namespace ph::api {

inline constexpr std::string_view kProtobufMedia = "application/vnd.kubernetes.protobuf";

struct ProtobufBody {
  std::string apiVersion, kind;
  std::string_view raw;  // into the text that was parsed
};
// Unwraps the envelope. 400 when it is malformed.
Result<ProtobufBody> parseProtobufBody(std::string_view text);
// The JSON tree of a message; unknown fields are passed over, zero values of fields that JSON leaves out when empty are
// left out. 400 when malformed or nested too deep.
Result<Json> fromProtobuf(std::string_view raw, const Type& type);
// A whole body to JSON, with apiVersion and kind.
Result<Json> objectFromProtobuf(std::string_view text, const Type& type);
// The message of a tree that conforms to the type.
std::string toProtobuf(const Json& tree, const Type& type);
// With the envelope; apiVersion and kind are the tree's.
std::string objectToProtobuf(const Json& tree, const Type& type);

}  // namespace ph::api
