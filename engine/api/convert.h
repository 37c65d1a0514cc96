// Between the versions of one kind: every version converts to the one that is stored, and back (Conversion in registry.h;
// the built-in ones are in engine/api/conversions).
// Threads: pure.
#pragma once

#include <string>
#include <string_view>

#include "engine/api/object.h"

namespace ph::api {

// A whole object of version `from`; both are versions of one kind, and one of them, or `stored`, is the stored one. Where nothing
// is declared only apiVersion (and kind) change.
void convertTree(Json& tree, const ResourceInfo& from, const ResourceInfo& to);
// The same object as a version of its kind shows it; itself when it is of that version already (free for the stored one). An
// object of a custom kind that was changed since it was made is brought to what its schema says now.
ObjectPtr asVersion(const ObjectPtr& object, const ResourceInfo& to);
// A field selector in the words of a version, in those of the stored one.
std::string storedFieldSelector(const ResourceInfo& info, std::string selector);

// For the registry: of a built-in version that is not the stored one; nullptr: only apiVersion differs.
const Conversion* conversionFor(std::string_view group, std::string_view version, std::string_view kind);

}  // namespace ph::api
