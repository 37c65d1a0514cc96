// Between trees and generated structs: one walk over the field tables, whatever the kind.
#include "engine/api/codec.h"

#include "engine/base/base64.h"
#include "engine/api/box.h"
#include "engine/api/int_or_string.h"
#include "engine/api/path.h"
#include "engine/api/quantity.h"
#include "engine/api/struct_ops.h"

namespace ph::api {
namespace {

namespace bj = boost::json;

std::string_view view(bj::string_view s) { return {s.data(), s.size()}; }
bj::string_view boosted(std::string_view s) { return {s.data(), s.size()}; }

template <class T> T& as(void* p) { return *static_cast<T*>(p); }
template <class T> const T& as(const void* p) { return *static_cast<const T*>(p); }
char* plus(void* p, size_t n) { return static_cast<char*>(p) + n; }
const char* plus(const void* p, size_t n) { return static_cast<const char*>(p) + n; }

class Decoder {
 public:
  // A lenient one leaves out what it can't decode.
  explicit Decoder(bool lenient) : lenient_(lenient) {}
  std::string error;

  bool value(const Json& v, const Type& type, bool pointer, void* to, const Path& path) {
    switch (type.form) {
      case Form::String: return v.is_string() ? set<std::string>(to, pointer, std::string(view(v.get_string()))) : fail(path, "string");
      case Form::Bool: return v.is_bool() ? set<bool>(to, pointer, v.get_bool()) : fail(path, "boolean");
      case Form::Int32: {
        auto i = v.if_int64();
        return i && *i >= INT32_MIN && *i <= INT32_MAX ? set<int32_t>(to, pointer, static_cast<int32_t>(*i)) : fail(path, "32-bit integer");
      }
      case Form::Int64: {
        auto i = v.if_int64();
        return i ? set<int64_t>(to, pointer, *i) : fail(path, "integer");
      }
      case Form::Double: {
        if (!v.is_number()) return fail(path, "number");
        return set<double>(to, pointer, v.to_number<double>());
      }
      case Form::Bytes: {
        auto bytes = v.is_string() ? fromBase64(view(v.get_string())) : std::nullopt;
        if (!bytes) return fail(path, "base64 string");
        as<std::string>(to) = std::move(*bytes);
        return true;
      }
      case Form::Time:
      case Form::MicroTime: {
        auto t = v.is_string() ? parseTime(view(v.get_string())) : std::nullopt;
        if (!t) return fail(path, "RFC 3339 time");
        as<std::optional<WallTime>>(to) = t;
        return true;
      }
      case Form::Quantity: {
        auto q = v.is_string() ? Quantity::parse(view(v.get_string())) : v.is_number() ? Quantity::parse(toText(v)) : std::nullopt;
        return q ? set<Quantity>(to, pointer, *q) : fail(path, "quantity");
      }
      case Form::IntOrString:
        if (v.is_string()) return set<IntOrString>(to, pointer, IntOrString(std::string(view(v.get_string()))));
        if (v.is_int64()) return set<IntOrString>(to, pointer, IntOrString(v.get_int64()));
        return fail(path, "integer or string");
      case Form::Any: as<Json>(to) = v; return true;
      case Form::Object: return object(v, type, pointer, to, path);
      case Form::Map: return map(v, type, to, path);
      case Form::List: return list(v, type, to, path);
    }
    return true;
  }

 private:
  template <class T, class V> bool set(void* to, bool pointer, V value) {
    if (pointer) as<std::optional<T>>(to) = std::move(value);
    else as<T>(to) = std::move(value);
    return true;
  }

  bool fail(const Path& path, const char* wanted) {
    if (lenient_) return true;
    error = (path.up ? path.text() : std::string("the value")) + ": must be of type " + wanted;
    return false;
  }

  bool object(const Json& v, const Type& type, bool pointer, void* to, const Path& path) {
    auto* o = v.if_object();
    if (!o) return fail(path, "object");
    if (pointer) {
      auto& box = as<BoxBase>(to);
      if (!box.p) box.p = type.ops->create();
      to = box.p;
    }
    for (auto& kv : *o) {
      if (kv.value().is_null()) continue;
      const Field* f = type.field(view(kv.key()));
      if (!f || f->offset == kNoMember) continue;
      if (!value(kv.value(), *f->type, f->pointer, plus(to, f->offset), path.field(f->name))) return false;
    }
    return true;
  }

  bool map(const Json& v, const Type& type, void* to, const Path& path) {
    auto* o = v.if_object();
    if (!o) return fail(path, "object");
    for (auto& kv : *o) {
      void* slot = type.ops->insert(to, view(kv.key()));
      if (!kv.value().is_null() && !value(kv.value(), *type.item, false, slot, path.key(view(kv.key())))) return false;
    }
    return true;
  }

  bool list(const Json& v, const Type& type, void* to, const Path& path) {
    auto* a = v.if_array();
    if (!a) return fail(path, "array");
    type.ops->resize(to, a->size());
    void* data = type.ops->data(to);
    for (size_t i = 0; i < a->size(); ++i)
      if (!(*a)[i].is_null() && !value((*a)[i], *type.item, false, plus(data, i * type.ops->size), path.at(i))) return false;
    return true;
  }

  bool lenient_;
};

template <class T> const T* present(const void* from, bool pointer) {
  if (!pointer) return &as<T>(from);
  auto& o = as<std::optional<T>>(from);
  return o ? &*o : nullptr;
}

class Encoder {
 public:
  // False when every member is zero, though some may have been written because they always are.
  bool fields(const Type& type, const void* from, JsonObject& out) {
    bool filled = false;
    for (uint32_t i = 0; i < type.fieldCount; ++i) {
      const Field& f = type.fields[i];
      if (f.offset == kNoMember) continue;
      const void* member = plus(from, f.offset);
      if (f.inlined) {
        filled |= fields(*f.type, member, out);
        continue;
      }
      // An empty list or map says no more than an absent one, even where Kubernetes' own structs write null.
      bool container = f.type->form == Form::List || f.type->form == Form::Map;
      Json v;
      filled_ = true;
      if (!value(*f.type, member, f.pointer, !f.omitEmpty && !container, v)) continue;
      filled |= filled_;
      out.emplace(boosted(f.name), std::move(v));
    }
    return filled;
  }

  // False when there is nothing to write; `keep` writes zero values too, and then filled_ says whether it was one.
  bool value(const Type& type, const void* from, bool pointer, bool keep, Json& out) {
    keep |= pointer;
    switch (type.form) {
      case Form::String: {
        auto* s = present<std::string>(from, pointer);
        if (!s || !worth(!s->empty(), pointer, keep)) return false;
        out = boosted(*s);
        return true;
      }
      case Form::Bool: return number(present<bool>(from, pointer), pointer, keep, out);
      case Form::Int32: return number(present<int32_t>(from, pointer), pointer, keep, out);
      case Form::Int64: return number(present<int64_t>(from, pointer), pointer, keep, out);
      case Form::Double: return number(present<double>(from, pointer), pointer, keep, out);
      case Form::Bytes: {
        auto& s = as<std::string>(from);
        if (!worth(!s.empty(), false, keep)) return false;
        out = boosted(toBase64(s));
        return true;
      }
      case Form::Time:
      case Form::MicroTime: {
        auto& t = as<std::optional<WallTime>>(from);
        if (!t) return false;
        out = boosted(type.form == Form::Time ? formatTime(*t) : formatMicroTime(*t));
        return true;
      }
      case Form::Quantity: {
        auto* q = present<Quantity>(from, pointer);
        if (!q || !worth(!q->isZero(), pointer, keep)) return false;
        out = boosted(q->text());
        return true;
      }
      case Form::IntOrString: {
        auto* v = present<IntOrString>(from, pointer);
        if (!v || !worth(!v->isZero(), pointer, keep)) return false;
        if (v->isString) out = boosted(v->s);
        else out = v->i;
        return true;
      }
      case Form::Any: {
        auto& v = as<Json>(from);
        if (v.is_null()) return false;
        out = v;
        return true;
      }
      case Form::Object: {
        if (pointer) from = as<BoxBase>(from).p;
        if (!from) return false;
        bool filled = fields(type, from, out.emplace_object());
        return worth(filled, pointer, keep);
      }
      case Form::Map: return map(type, from, keep, out);
      case Form::List: return list(type, from, keep, out);
    }
    return false;
  }

 private:
  // Whether to write a value; a zero one that is written only for `keep` doesn't fill its struct.
  bool worth(bool nonZero, bool pointer, bool keep) {
    filled_ = nonZero || pointer;
    return filled_ || keep;
  }

  template <class T> bool number(const T* v, bool pointer, bool keep, Json& out) {
    if (!v || !worth(*v != T(), pointer, keep)) return false;
    out = *v;
    return true;
  }

  bool map(const Type& type, const void* from, bool keep, Json& out) {
    size_t n = type.ops->count(from);
    if (!worth(n > 0, false, keep)) return false;
    auto& o = out.emplace_object();
    o.reserve(n);
    struct Context {
      Encoder* self;
      const Type* item;
      JsonObject* out;
    } context{this, type.item, &o};
    type.ops->each(from, &context, [](void* p, std::string_view key, const void* value) {
      auto& c = *static_cast<Context*>(p);
      Json v;
      if (c.self->value(*c.item, value, false, true, v)) c.out->emplace(boosted(key), std::move(v));
    });
    filled_ = n > 0;
    return true;
  }

  bool list(const Type& type, const void* from, bool keep, Json& out) {
    size_t n = type.ops->count(from);
    if (!worth(n > 0, false, keep)) return false;
    auto& a = out.emplace_array();
    a.reserve(n);
    const void* data = n ? type.ops->data(const_cast<void*>(from)) : nullptr;
    for (size_t i = 0; i < n; ++i) {
      Json v;
      value(*type.item, plus(data, i * type.ops->size), false, true, v);
      a.push_back(std::move(v));
    }
    filled_ = n > 0;
    return true;
  }

  bool filled_ = true;
};

}  // namespace

Result<> decode(const Json& tree, const Type& type, void* into) {
  Decoder decoder(false);
  if (!decoder.value(tree, type, false, into, Path{})) return Status::badRequest(decoder.error);
  return {};
}

void decodeLenient(const Json& tree, const Type& type, void* into) {
  Decoder(true).value(tree, type, false, into, Path{});
}

Json encode(const Type& type, const void* from) {
  Json out;
  if (!Encoder().value(type, from, false, true, out)) return nullptr;
  return out;
}

Json encodeObject(const ResourceInfo& info, const void* from) {
  JsonObject out;
  out.emplace("apiVersion", info.apiVersion());
  out.emplace("kind", info.kind);
  Encoder().fields(*info.type, from, out);
  return out;
}

}  // namespace ph::api
