#include "engine/api/field_text.h"

#include <optional>

#include "engine/api/box.h"
#include "engine/api/codec.h"

namespace ph::api {
namespace {

template <class T> const T* present(const void* p, bool pointer) {
  if (!pointer) return static_cast<const T*>(p);
  auto* o = static_cast<const std::optional<T>*>(p);
  return *o ? &**o : nullptr;
}

std::string scalarText(const Field& f, const void* member) {
  switch (f.type->form) {
    case Form::String: {
      auto* s = present<std::string>(member, f.pointer);
      return s ? *s : std::string();
    }
    case Form::Bool: {
      auto* b = present<bool>(member, f.pointer);
      return b && *b ? "true" : "false";
    }
    case Form::Int32: {
      auto* i = present<int32_t>(member, f.pointer);
      return i ? std::to_string(*i) : std::string();
    }
    case Form::Int64: {
      auto* i = present<int64_t>(member, f.pointer);
      return i ? std::to_string(*i) : std::string();
    }
    default: return {};
  }
}

std::string fromStruct(const Type* type, const void* at, std::string_view path) {
  while (true) {
    size_t dot = path.find('.');
    const Field* f = type->field(path.substr(0, dot));
    if (!f || f->offset == kNoMember) return {};
    const void* member = static_cast<const char*>(at) + f->offset;
    if (dot == std::string_view::npos) {
      // An event's "source" is its component.
      if (f->type->form == Form::Object && !f->pointer && f->type->field("component")) return fromStruct(f->type, member, "component");
      return scalarText(*f, member);
    }
    if (f->type->form != Form::Object) return {};
    at = f->pointer ? static_cast<const BoxBase*>(member)->p : member;
    if (!at) return {};
    type = f->type;
    path.remove_prefix(dot + 1);
  }
}

}  // namespace

std::string fieldText(const Object& object, std::string_view path) {
  if (auto* typed = object.typed()) {
    auto text = fromStruct(object.info().type, typed, path);
    // Who reports an event stands in one of two fields.
    return text.empty() && path == "source" ? fromStruct(object.info().type, typed, "reportingComponent") : text;
  }
  Json tree = object.tree();
  auto* v = at(tree, path);
  if (!v || v->is_null()) return {};
  if (auto* s = v->if_string()) return std::string(s->data(), s->size());
  return v->is_structured() ? std::string() : toText(*v);
}

}  // namespace ph::api
