// Admission: a list of small functions that every create and update passes between decoding and validation.
// Threads: pure apart from the address allocator, which has its own lock.
#pragma once

#include "engine/api/validation.h"
#include "engine/server/api_request.h"
#include "engine/server/core.h"

namespace ph::server {

// One object on its way in. `taken` is what admission reserved for it: given back when the write does not come about.
struct Admission {
  Core& core;
  const ApiRequest& request;
  const ResourceInfo& info;
  Json& object;
  const Json* old = nullptr;  // null: create
  ServiceClaim taken{};
};

Result<> admit(Admission& admission);
// The namespace of a namespaced create must exist and not be on its way out.
Result<> checkNamespace(Core& core, const ResourceInfo& info, std::string_view ns, std::string_view name);

}  // namespace ph::server
