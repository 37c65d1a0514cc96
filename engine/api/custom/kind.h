// What a version of a custom kind knows beyond its Type. The server meets it through this interface only, so engine_api (and
// with it the agent) links nothing of what stands behind.
// Threads: immutable; every call from any thread.
#pragma once

#include <string>
#include <vector>

#include "engine/api/schema.h"
#include "engine/api/validation.h"

namespace ph::api {

struct CustomKind {
  virtual ~CustomKind() = default;
  bool served = true;  // false: objects are kept in this version, but nobody may ask for it
  // A body on its way in: unknown fields go (their paths to `unknown`), nulls where none may be, defaults come; metadata, also
  // that of embedded resources, is made to fit. Errors are wrong types in metadata, apiVersion and kind.
  virtual void conform(Json& tree, ErrorList& errors, std::vector<std::string>* unknown) const = 0;
  // The same for what was stored under an earlier schema; what can't be made to fit stays.
  virtual void restore(Json& tree) const = 0;
  // Types, limits, formats, patterns, enums, allOf/anyOf/oneOf/not, keys of lists.
  virtual void validate(const Json& tree, ErrorList& errors) const = 0;
  // One value for each of the kind's columns.
  virtual void cells(const Json& tree, WallTime now, std::vector<Json>& out) const = 0;
  // The OpenAPI v3 schema of the CRD, as JSON text, for documents. `v2`: without what Swagger 2.0 can't say.
  virtual Json document(bool v2) const = 0;
  // All that the entry was made of: two with the same text are the same.
  virtual const std::string& identity() const = 0;
};

}  // namespace ph::api
