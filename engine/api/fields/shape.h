// Shape: how a value of a schema behaves in field ownership: whole, by its members, or by its elements' keys.
// Where the schema knows nothing (custom kinds that keep unknown fields) objects go by their members and lists are whole.
// Internal to engine/api/fields. Threads: pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/api/schema.h"

namespace ph::api::fields {

inline std::string_view view(boost::json::string_view s) { return {s.data(), s.size()}; }
inline boost::json::string_view boosted(std::string_view s) { return {s.data(), s.size()}; }

enum class Grain : uint8_t { Whole, Members, Elements };

struct Shape {
  const Type* type = nullptr;  // null: unknown
  const Field* field = nullptr;

  bool known() const { return type && type->form != Form::Any; }
  // What a value (of whatever JSON kind it really is) is owned by.
  Grain grain(const Json& value) const;
  Shape member(std::string_view name) const;
  bool declares(std::string_view name) const { return type && type->form == Form::Object && type->field(name); }
  Shape element() const { return type && type->form == Form::List ? Shape{type->item, nullptr} : Shape{}; }
  bool isSet() const { return field && field->listKind == ListKind::Set; }
  std::string_view keys() const { return field->mapKeys.empty() ? field->mergeKey : field->mapKeys; }

  // The step of a list's element; the reason why it has none, in Kubernetes' words, when `why` is given.
  std::optional<std::string> stepOf(const Json& element, std::string* why = nullptr) const;
};

// The steps of all elements; nothing when one has none (then the list can only be taken as a whole).
std::optional<std::vector<std::string>> stepsOf(const Shape& shape, const JsonArray& list);

}  // namespace ph::api::fields
