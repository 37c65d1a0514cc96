// Regular expressions of schemas: RE2 (the syntax and the bounded time of Go's), each text compiled once.
// Threads: get() on one thread; matching from any.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "engine/base/result.h"

namespace ph::api::custom {

class Pattern {
 public:
  virtual ~Pattern() = default;
  // Anywhere in the text, as JSON schema means it.
  virtual bool matches(std::string_view text) const = 0;
};

class PatternPool {
 public:
  // 400 with the reason when it is no regular expression, or too large a one.
  Result<const Pattern*> get(std::string_view text);

 private:
  std::unordered_map<std::string, std::unique_ptr<Pattern>> made_;
};

// Empty when the text is a regular expression of bearable size.
std::string checkPattern(std::string_view text);

}  // namespace ph::api::custom
