// Answers in Kubernetes' protobuf: objects, lists, watch events. Source: Kubernetes API concepts, "Alternate representations of
// resources"; meta/v1 WatchEvent {type 1, object 2 {raw 1}} in frames of a four-byte big-endian length.
// Threads: pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "engine/api/object.h"
#include "engine/server/media.h"

namespace ph::server {

// One object in the shape asked for, with the envelope.
std::string protobufObject(const api::Object& object, const Media& media);
// The message alone, as a list's item.
std::string protobufMessage(const api::Object& object, const Media& media);

// A JSON answer (Status, Scale, a List, a review) with the envelope; nullopt when its kind has no protobuf form.
std::optional<std::string> protobufOf(const api::Json& tree);

// The first bytes of a list: everything before the items. `itemBytes` is the sum of listItemSize() over the items.
struct ListHead {
  std::string apiVersion, kind, resourceVersion, continueToken;
  std::optional<int64_t> remaining;
};
std::string protobufListHead(const ListHead& head, uint64_t itemBytes);
uint64_t listItemSize(size_t messageBytes);
void appendListItem(std::string& out, std::string_view message);

// One frame of a watch; `object` has its envelope.
void appendWatchFrame(std::string& out, std::string_view type, std::string_view object);

}  // namespace ph::server
