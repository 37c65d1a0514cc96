// The sources that this program was built from. Constants.
#pragma once

#include <cstdint>

namespace ph::server {

extern const char* const kSourceCommit;  // 40 hex digits; zeros when they came without a repository
extern const char* const kSourceState;   // "clean", "dirty" (changed when the build was configured), "archive" (no repository)
extern const int64_t kSourceTime;        // of the commit, in seconds since 1970

}  // namespace ph::server
