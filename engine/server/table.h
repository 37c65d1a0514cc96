// Tables (kubectl get): columns from the registry, cells from the kind's strategy or by path. Threads: pure.
#pragma once

#include <optional>
#include <string>

#include "engine/api/object.h"
#include "engine/server/media.h"

namespace ph::server {

// Everything up to and with "rows":[ ; the caller adds rows and "]}".
void appendTableHead(std::string& out, const api::ResourceInfo& info, const Media& media, const std::string& revision,
                     const std::string& continueToken, std::optional<int64_t> remaining, bool columns);
void appendTableRow(std::string& out, const api::Object& object, const Media& media, WallTime now);
// PartialObjectMetadata: kind, version and metadata only.
void appendPartial(std::string& out, const api::Object& object, const Media& media, bool withKind);

// The value at a simple JSON path (".spec.replicas", ".status.conditions[0].type", [?(@.type=="Ready")]), or null.
api::Json valueAt(const api::Json& tree, std::string_view path);
// Kubernetes' short form of an age: "5s", "3m12s", "4h", "2d".
std::string humanAge(Duration age);

}  // namespace ph::server
