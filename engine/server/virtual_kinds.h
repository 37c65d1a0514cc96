// Kinds that are answered when asked and never kept (ResourceInfo::stored is false): reviews, ComponentStatus, metrics.
// One table, by storageGroupKind; a new kind of this sort is a line in virtual_kinds.cpp.
// Threads: the functions of the table are called on any thread and answer once, on any thread.
#pragma once

#include <memory>
#include <string_view>

#include "engine/server/core.h"
#include "engine/server/reads.h"

namespace ph::server {

using ListDone = std::function<void(Result<Listing>)>;

struct VirtualKind {
  // The body is of request.info's kind and version (the one that Registry::stored() names) and fits its schema. The answer is an
  // object made with request.info; clients see it in the version they asked in.
  void (*create)(std::shared_ptr<Core> core, ApiRequest request, Json body, WriteDone done) = nullptr;
  // All objects of the request's namespace that its selectors (parseFilter) let through; those named request.name only, if set.
  void (*read)(std::shared_ptr<Core> core, ApiRequest request, ListDone done) = nullptr;
};

// nullptr: nobody answers for this kind.
const VirtualKind* virtualKind(std::string_view storageGroupKind);

// What the verbs call. 404 and 405 where there is nothing to ask.
void createVirtual(std::shared_ptr<Core> core, ApiRequest request, WriteDone done);
void listVirtual(std::shared_ptr<Core> core, ApiRequest request, ListDone done);
void getVirtual(std::shared_ptr<Core> core, ApiRequest request, std::function<void(Result<ObjectPtr>)> done);

}  // namespace ph::server
