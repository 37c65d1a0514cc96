// PH_CHECK guards invariants and stays on in release: it prints the place and aborts.
#pragma once

#include <string_view>

namespace ph {
[[noreturn]] void checkFailed(const char* expression, const char* file, int line, std::string_view message = {});
}

#define PH_CHECK(expression) \
  do {                       \
    if (!(expression)) [[unlikely]] ::ph::checkFailed(#expression, __FILE__, __LINE__); \
  } while (0)
#define PH_CHECK_MSG(expression, message) \
  do {                                    \
    if (!(expression)) [[unlikely]] ::ph::checkFailed(#expression, __FILE__, __LINE__, message); \
  } while (0)
