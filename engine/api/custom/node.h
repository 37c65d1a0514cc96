// Node: a structural schema compiled for the walk over values. Internal to engine/api/custom.
// Threads: immutable after compile().
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "engine/api/custom/patterns.h"
#include "engine/api/schema.h"
#include "engine/base/result.h"

namespace ph::api::custom {

enum class NodeType : uint8_t { Any, Object, Array, String, Integer, Number, Boolean };
enum class ListType : uint8_t { Atomic, Set, Map };

struct Node;

// What a value must be beyond its type. Most nodes have none.
struct Rules {
  std::optional<Json> minimum, maximum, multipleOf;  // numbers
  bool exclusiveMinimum = false, exclusiveMaximum = false, uniqueItems = false;
  std::optional<int64_t> minLength, maxLength, minItems, maxItems, minProperties, maxProperties;
  std::string_view patternText, format;
  const Pattern* pattern = nullptr;
  std::vector<Json> enums;
  std::vector<std::string_view> required;
  std::vector<const Node*> allOf, anyOf, oneOf;
  const Node* no = nullptr;
};

struct Node {
  NodeType type = NodeType::Any;
  ListType listType = ListType::Atomic;
  bool nullable = false, preserve = false, embedded = false, intOrString = false;
  bool atomicMap = false;
  bool additionalAny = false;           // additionalProperties: true
  std::vector<std::pair<std::string_view, const Node*>> properties;  // sorted
  const Node* items = nullptr;
  const Node* additional = nullptr;     // additionalProperties: a schema
  std::unique_ptr<Json> standard;       // default; null: none
  std::unique_ptr<Rules> rules;
  std::vector<std::string_view> mapKeys;

  const Node* property(std::string_view name) const;
};

// Owns what compiled schemas and types point to.
class Arena {
 public:
  Node* node() { return &nodes_.emplace_back(); }
  std::string_view text(std::string_view s) { return *texts_.emplace(s).first; }
  Result<const Pattern*> pattern(std::string_view text) { return patterns_.get(text); }
  size_t nodes() const { return nodes_.size(); }

 private:
  std::deque<Node> nodes_;
  std::unordered_set<std::string> texts_;  // nodes of the set: addresses stay
  PatternPool patterns_;
};

inline constexpr size_t kMaxDepth = 100;      // of schemas
inline constexpr size_t kMaxNodes = 100'000;  // of one version's schema

// From an openAPIV3Schema. The rules of structural.h are not checked here; what has a wrong type is an error.
Result<const Node*> compile(const Json& schema, Arena& arena);

}  // namespace ph::api::custom
