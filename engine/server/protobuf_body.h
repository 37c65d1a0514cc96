// Protobuf request bodies of every kind: those of the registry, and those that are bodies only (DeleteOptions, Binding...).
// Threads: pure.
#pragma once

#include <string_view>

#include "engine/api/protobuf.h"
#include "engine/api/registry.h"

namespace ph::server {

// The object as JSON with its apiVersion and kind. 400 when it is malformed or of a kind without a known schema.
Result<api::Json> readProtobuf(std::string_view body, const api::Registry& registry);

// The schema of a kind by its name, also of kinds that are bodies or answers only (DeleteOptions, Status...); null: not in protobuf.
const api::Type* protobufType(const api::Registry& registry, std::string_view apiVersion, std::string_view kind);
// Kinds whose schema has field numbers. Custom kinds have none.
bool hasProtobuf(const api::ResourceInfo& info);

}  // namespace ph::server
