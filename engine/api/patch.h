// The patch types on JSON trees. Sources: RFC 6902 (JSON patch), RFC 7386 (merge), Kubernetes' strategic merge.
// Threads: pure.
#pragma once

#include "engine/api/schema.h"
#include "engine/base/result.h"

namespace ph::api {

Result<> applyJsonPatch(Json& target, const Json& patch);   // 422 when an operation fails, 400 when malformed
void applyMergePatch(Json& target, const Json& patch);
// Directives $patch (replace, delete, merge), $deleteFromPrimitiveList, $setElementOrder, $retainKeys.
Result<> applyStrategicPatch(Json& target, const Json& patch, const Type& type);
// The merge patch that turns `from` into `to` (for writers that compare).
Json makeMergePatch(const Json& from, const Json& to);

}  // namespace ph::api
