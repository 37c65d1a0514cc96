// Path: where the interpreter stands in a tree; a chain on the stack that becomes text only when there is something to say.
// Threads: plain values.
#pragma once

#include <string>
#include <string_view>

namespace ph::api {

struct Path {
  const Path* up = nullptr;
  std::string_view name;
  size_t index = 0;
  enum class Step : unsigned char { Root, Field, Index, Key } step = Step::Root;

  Path field(std::string_view n) const { return {this, n, 0, Step::Field}; }
  Path at(size_t i) const { return {this, {}, i, Step::Index}; }
  Path key(std::string_view k) const { return {this, k, 0, Step::Key}; }

  // "spec.containers[0].resources.limits[cpu]"
  std::string text() const {
    std::string out;
    append(out);
    return out;
  }
  void append(std::string& out) const {
    if (up) up->append(out);
    switch (step) {
      case Step::Root: break;
      case Step::Field:
        if (!out.empty()) out += '.';
        out += name;
        break;
      case Step::Index: out += '[' + std::to_string(index) + ']'; break;
      case Step::Key:
        out += '[';
        out += name;
        out += ']';
        break;
    }
  }
};

}  // namespace ph::api
