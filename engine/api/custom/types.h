// Types (schema.h) of a compiled schema: what patches, server-side apply and field managers walk.
// Threads: made on one, then immutable.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "engine/api/custom/node.h"
#include "engine/api/schema.h"

namespace ph::api::custom {

class TypeArena {
 public:
  // The type of whole objects, under a name ("com.example.v1.CronTab").
  const Type* object(const Node& root, std::string name);

 private:
  const Type* typeOf(const Node& node);
  const Type* build(const Node& node, bool resource);
  Field fieldOf(std::string_view name, const Node& node, bool required);
  std::string_view keep(std::string text) { return texts_.emplace_back(std::move(text)); }

  std::deque<Type> types_;
  std::deque<std::vector<Field>> fields_;
  std::deque<std::string> texts_;
};

}  // namespace ph::api::custom
