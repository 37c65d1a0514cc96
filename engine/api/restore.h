// Objects out of the store: what Object::stored() gave is taken back as it is, neither built as a tree nor written again.
// Threads: functions without state.
#pragma once

#include <string>
#include <string_view>

#include "engine/api/object.h"

namespace ph::api {

// The object whose stored() was `json`. All of the text is checked, but only the metadata is read. 400: it is no object's.
Result<ObjectPtr> restoreObject(const ResourceInfo* info, std::string_view json, int64_t revision);

// One member of a JSON object as a tree; null when there is none. The rest of the text is checked, as parseJson() does.
Result<Json> parseMember(std::string_view text, std::string_view member);

}  // namespace ph::api
