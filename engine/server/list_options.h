// The rules of list and watch options, and continue tokens. Sources: Kubernetes API concepts, "Resource versions" and "Retrieving
// large results sets in chunks". Threads: pure.
#pragma once

#include <string>
#include <string_view>

#include "engine/server/api_request.h"

namespace ph::server {

// 422 with causes: options that don't go together.
Result<> checkListOptions(const Options& options);
Result<> checkWatchOptions(const Options& options);

// A page's end: the list's revision and the last key given. kAnyRevision: whatever is newest then (an inconsistent list).
struct ContinueToken {
  static constexpr int64_t kAnyRevision = -1;
  int64_t revision = 0;
  std::string after;
};
std::string encodeToken(const ContinueToken& token);
Result<ContinueToken> decodeToken(std::string_view text);
// What goes on from the same place without its revision; empty when the token is none.
std::string inconsistentToken(std::string_view text);

}  // namespace ph::server
