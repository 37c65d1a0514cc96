// IntOrString: a number, or a string such as "25%" or a port's name.
// Threads: a plain value.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace ph::api {

struct IntOrString {
  bool isString = false;
  int64_t i = 0;
  std::string s;

  IntOrString() = default;
  IntOrString(int64_t number) : i(number) {}
  IntOrString(std::string text) : isString(true), s(std::move(text)) {}

  bool isZero() const { return !isString && i == 0; }
  // The number, or the percentage of `total`, rounded up or down; nullopt when the string is no percentage.
  std::optional<int64_t> resolve(int64_t total, bool roundUp) const;
  std::string text() const { return isString ? s : std::to_string(i); }
  bool operator==(const IntOrString&) const = default;
};

}  // namespace ph::api
