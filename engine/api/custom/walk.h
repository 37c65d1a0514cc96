// The walks over values along a compiled schema. Internal to engine/api/custom.
// Threads: pure.
#pragma once

#include <string>
#include <vector>

#include "engine/api/custom/node.h"
#include "engine/api/validation.h"

namespace ph::api::custom {

struct PruneOptions {
  bool root = true;          // apiVersion, kind and metadata belong to every object
  bool keepUnknown = false;  // preserveUnknownFields of old definitions
  bool metadata = true;      // make metadata fit ObjectMeta
  bool defaults = true;
};
// Drops what the schema does not know and nulls that may not be, fills defaults. `unknown` and `errors` may be null.
void prune(Json& value, const Node& node, const PruneOptions& options, ErrorList* errors, std::vector<std::string>* unknown);

// `path` stands before every field's path ("" at the root).
void validate(const Json& value, const Node& node, const std::string& path, ErrorList& errors);

// Whether a text has a format; true for formats that nobody knows.
bool hasFormat(std::string_view text, std::string_view format);

bool equalJson(const Json& a, const Json& b);  // 1 and 1.0 are equal

}  // namespace ph::api::custom
