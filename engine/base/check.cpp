#include "engine/base/check.h"

#include <cstdio>
#include <cstdlib>

namespace ph {
void checkFailed(const char* expression, const char* file, int line, std::string_view message) {
  std::fprintf(stderr, "fatal: %s:%d: check failed: %s %.*s\n", file, line, expression, int(message.size()), message.data());
  std::fflush(stderr);
  std::abort();
}
}  // namespace ph
