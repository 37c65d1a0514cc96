// One row a figure: name, value, unit, target; tab-separated, as tests/bench/run prints them.
#pragma once

#include <cstdio>
#include <string>

namespace ph::bench {

inline void row(const std::string& name, double value, const char* unit, const char* target) {
  std::printf("%s\t%.*f\t%s\t%s\n", name.c_str(), value < 10 ? 2 : value < 1000 ? 1 : 0, value, unit, target);
  std::fflush(stdout);
}

}  // namespace ph::bench
