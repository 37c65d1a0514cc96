#include "engine/api/fields/shape.h"

#include <algorithm>

#include "engine/api/codec.h"
#include "engine/api/fields/field_set.h"

namespace ph::api::fields {
namespace {

std::optional<Json> keyDefault(const Shape& element, std::string_view key) {
  auto* f = element.type && element.type->form == Form::Object ? element.type->field(key) : nullptr;
  if (!f || f->defaultJson.empty()) return std::nullopt;
  auto parsed = parseJson(f->defaultJson);
  if (!parsed.ok()) return std::nullopt;
  return std::move(parsed).value();
}

void fail(std::string* why, std::string text) {
  if (why) *why = std::move(text);
}

}  // namespace

Grain Shape::grain(const Json& value) const {
  bool whole = (type && type->atomic) || (field && field->atomic);
  if (whole || (!value.is_object() && !value.is_array())) return Grain::Whole;
  if (value.is_object()) {
    bool fits = !known() || type->form == Form::Object || type->form == Form::Map;
    return fits ? Grain::Members : Grain::Whole;
  }
  bool byElement = type && type->form == Form::List && field &&
                   (field->listKind == ListKind::Set || (field->listKind == ListKind::Map && !keys().empty()));
  return byElement ? Grain::Elements : Grain::Whole;
}

Shape Shape::member(std::string_view name) const {
  if (!type) return {};
  if (type->form == Form::Map) return {type->item, nullptr};
  if (type->form != Form::Object) return {};
  auto* f = type->field(name);
  return f ? Shape{f->type, f} : Shape{};
}

std::optional<std::string> Shape::stepOf(const Json& element, std::string* why) const {
  if (isSet()) {
    if (!element.is_structured() && !element.is_null()) return valueStep(element);
    fail(why, element.is_null() ? "associative list without keys has an element that's an explicit null"
                                : "associative list without keys has an element that's a map type");
    return std::nullopt;
  }
  auto* object = element.if_object();
  if (!object) {
    fail(why, element.is_null() ? "associative list with keys may not have a null element"
                                : "associative list with keys may not have non-map elements");
    return std::nullopt;
  }
  std::string_view names[8];
  size_t count = 0;
  for (auto rest = keys(); !rest.empty() && count < std::size(names);) {
    size_t comma = rest.find(',');
    names[count++] = rest.substr(0, comma);
    rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
  }
  std::sort(names, names + count);
  std::string out = "k:{";
  for (size_t i = 0; i < count; ++i) {
    if (i) out += ',';
    appendQuoted(names[i], out);
    out += ':';
    if (auto* value = object->if_contains(boosted(names[i])); value && !value->is_structured()) {
      appendText(*value, out);
    } else if (auto fallback = keyDefault(this->element(), names[i])) {
      appendText(*fallback, out);
    } else {
      fail(why, "associative list with keys has an element that omits key field \"" + std::string(names[i]) +
                    "\" (and doesn't have default value)");
      return std::nullopt;
    }
  }
  return out + "}";
}

std::optional<std::vector<std::string>> stepsOf(const Shape& shape, const JsonArray& list) {
  std::vector<std::string> out;
  out.reserve(list.size());
  for (auto& element : list) {
    auto step = shape.stepOf(element);
    if (!step) return std::nullopt;
    out.push_back(std::move(*step));
  }
  return out;
}

}  // namespace ph::api::fields
