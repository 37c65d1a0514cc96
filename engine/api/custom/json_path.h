// JSONPath as printer columns and scales of CRDs use it: .a.b, ['a'], [0], [-1], [1:3], [*], .*, ..a, [0,2], filters such as
// [?(@.type=="Ready")] and [?(@.size>3)]. Source: Kubernetes' documentation of JSONPath support.
// Threads: immutable after parse().
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/api/schema.h"
#include "engine/base/result.h"

namespace ph::api::custom {

class JsonPath {
 public:
  // 400 with what is wrong with it. At most 64 steps.
  static Result<JsonPath> parse(std::string_view text);
  // In document order, at most `most`. They live as long as `tree`.
  std::vector<const Json*> find(const Json& tree, size_t most = 1000) const;
  // Keys only, as ".spec.replicas"; what a path that is written to must be.
  bool plain() const;

 private:
  struct Step {
    enum class Kind : uint8_t { Key, Index, Slice, Every, Descend, Union, Filter } kind = Kind::Key;
    std::string key;             // Key
    int64_t from = 0, to = 0, by = 1;
    bool hasTo = false;
    std::vector<Step> choices;   // Union
    // Filter
    std::vector<Step> left, right;
    Json literalLeft, literalRight;
    bool leftPath = false, rightPath = false;
    std::string op;              // empty: exists
  };
  class Parser;
  static void apply(const Step& step, const std::vector<const Json*>& in, std::vector<const Json*>& out, size_t most);
  static std::vector<const Json*> run(const std::vector<Step>& steps, const Json& tree, size_t most);
  static bool holds(const Step& filter, const Json& item);
  static void descend(const Json& at, std::vector<const Json*>& out, size_t most);
  std::vector<Step> steps_;
};

}  // namespace ph::api::custom
