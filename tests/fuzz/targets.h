// The parsers under fuzz: each takes any bytes and must neither crash nor break its own promises (what is written reads back the
// same). Run by libFuzzer (fuzz_main.cpp) and, over the committed inputs, by a unit test (replay_test.cpp). Threads: one.
#pragma once

#include <span>
#include <string_view>

namespace ph::fuzz {

struct Target {
  std::string_view name;  // its folder in corpus/ and regressions/
  void (*run)(std::string_view input);
};
std::span<const Target> targets();
// Parts of it.
std::span<const Target> objectTargets();  // what is done with objects: server-side apply, versions, pages
std::span<const Target> customTargets();  // custom kinds
std::span<const Target> netTargets();     // protocols

}  // namespace ph::fuzz
