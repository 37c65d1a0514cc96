// The short word in names and labels that tells the versions of a pod template apart.
// Threads: pure.
#pragma once

#include <cstdint>
#include <string>

namespace ph::controllers {

// Changes with the text; with another count of `collisions`, another word for the same text.
std::string templateHash(const std::string& text, int32_t collisions);

}  // namespace ph::controllers
