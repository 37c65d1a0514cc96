// conform(): makes a received tree fit its schema, and says what can't be made to fit.
#include <algorithm>
#include <limits>

#include "engine/base/base64.h"
#include "engine/api/codec.h"
#include "engine/api/path.h"
#include "engine/api/quantity.h"

namespace ph::api {
namespace {

namespace bj = boost::json;
constexpr size_t kMaxUnknown = 1000;

std::string_view view(bj::string_view s) { return {s.data(), s.size()}; }
bj::string_view boosted(std::string_view s) { return {s.data(), s.size()}; }

const char* kindName(const Json& v) {
  switch (v.kind()) {
    case bj::kind::null: return "null";
    case bj::kind::bool_: return "boolean";
    case bj::kind::int64:
    case bj::kind::uint64:
    case bj::kind::double_: return "number";
    case bj::kind::string: return "string";
    case bj::kind::array: return "array";
    case bj::kind::object: return "object";
  }
  return "";
}

std::vector<std::string> splitWords(std::string_view words) {
  std::vector<std::string> out;
  while (!words.empty()) {
    size_t bar = words.find('|');
    out.emplace_back(words.substr(0, bar));
    words = bar == std::string_view::npos ? std::string_view() : words.substr(bar + 1);
  }
  return out;
}

bool listed(std::string_view words, std::string_view word) {
  while (!words.empty()) {
    size_t bar = words.find('|');
    if (words.substr(0, bar) == word) return true;
    if (bar == std::string_view::npos) break;
    words.remove_prefix(bar + 1);
  }
  return false;
}

Json defaultValue(std::string_view text) {
  if (text == "{}") return JsonObject();
  if (text.size() >= 2 && text.front() == '"' && text.find('\\') == std::string_view::npos)
    return Json(boosted(text.substr(1, text.size() - 2)));
  auto parsed = parseJson(text);
  PH_CHECK_MSG(parsed.ok(), "a schema's default is no JSON");
  return std::move(parsed).value();
}

class Conformer {
 public:
  Conformer(ErrorList& errors, std::vector<std::string>* unknown) : errors_(errors), unknown_(unknown) {}

  void value(Json& v, const Type& type, const Field* field, const Path& path) {
    switch (type.form) {
      case Form::String:
        if (auto* s = v.if_string()) checkEnum(view(*s), field, path);
        else wrong(v, "string", path);
        return;
      case Form::Bool:
        if (!v.is_bool()) wrong(v, "boolean", path);
        return;
      case Form::Int32:
      case Form::Int64: integer(v, type.form == Form::Int32, field, path); return;
      case Form::Double:
        if (!v.is_number()) wrong(v, "number", path);
        return;
      case Form::Bytes: bytes(v, path); return;
      case Form::Time:
      case Form::MicroTime: time(v, type.form == Form::MicroTime, path); return;
      case Form::Quantity: quantity(v, path); return;
      case Form::IntOrString: intOrString(v, path); return;
      case Form::Any: return;
      case Form::Object:
        if (auto* o = v.if_object()) object(*o, type, path);
        else wrong(v, "object", path);
        return;
      case Form::Map:
        if (auto* o = v.if_object()) {
          for (auto& kv : *o) element(kv.value(), *type.item, path.key(view(kv.key())));
        } else {
          wrong(v, "object", path);
        }
        return;
      case Form::List:
        if (auto* a = v.if_array()) {
          for (size_t i = 0; i < a->size(); ++i) element((*a)[i], *type.item, path.at(i));
        } else {
          wrong(v, "array", path);
        }
        return;
    }
  }

  void object(JsonObject& o, const Type& type, const Path& path) {
    const bool builtin = type.ops != nullptr;
    std::vector<std::string_view> drop;
    for (auto& kv : o) {
      const Field* f = type.field(view(kv.key()));
      if (!f) {
        if (type.preserveUnknown) continue;
        noteUnknown(path.field(view(kv.key())));
        drop.push_back(view(kv.key()));
      } else if (kv.value().is_null()) {
        if (f->type->form != Form::Any || builtin) drop.push_back(view(kv.key()));
      } else {
        value(kv.value(), *f->type, f, path.field(f->name));
      }
    }
    for (auto name : drop) o.stable_erase(o.find(boosted(name)));
    complete(o, type, builtin, path);
  }

 private:
  // Defaults, required fields, and plain structs that hold such.
  void complete(JsonObject& o, const Type& type, bool builtin, const Path& path) {
    for (uint32_t i = 0; i < type.fieldCount; ++i) {
      const Field& f = type.fields[i];
      if (f.inlined) {
        complete(o, *f.type, builtin, path);
        continue;
      }
      if (!f.required && f.defaultJson.empty() && !f.materialize) continue;
      Json* v = o.if_contains(boosted(f.name));
      if (v) {
        if (f.required && builtin && blank(*v)) errors_.required(path.field(f.name).text());
        if (!f.defaultJson.empty() && builtin && !f.pointer && unset(*v, *f.type)) *v = defaultValue(f.defaultJson);
        continue;
      }
      if (!f.defaultJson.empty()) {
        v = &o.emplace(boosted(f.name), defaultValue(f.defaultJson)).first->value();
        if (f.type->form == Form::Object && v->is_object()) object(v->get_object(), *f.type, path.field(f.name));
      } else if (f.materialize) {
        JsonObject made;
        object(made, *f.type, path.field(f.name));
        if (!made.empty()) o.emplace(boosted(f.name), std::move(made));
      } else {
        errors_.required(path.field(f.name).text());
      }
    }
  }

  // Built-in kinds treat an empty required string or list as missing.
  static bool blank(const Json& v) {
    if (auto* s = v.if_string()) return s->empty();
    if (auto* a = v.if_array()) return a->empty();
    return false;
  }

  // The zero value of a plain field counts as absent, so its default applies.
  static bool unset(const Json& v, const Type& type) {
    if (type.form == Form::String) return v.is_string() && v.get_string().empty();
    if (type.form == Form::Int32 || type.form == Form::Int64) return v.is_int64() && v.get_int64() == 0;
    return false;
  }

  void element(Json& v, const Type& type, const Path& path) {
    if (v.is_null()) {
      if (type.form == Form::Object) v = JsonObject();
      else if (type.form == Form::String) v = "";
      else if (type.form == Form::Any) return;
    }
    value(v, type, nullptr, path);
  }

  void noteUnknown(const Path& path) {
    if (unknown_ && unknown_->size() < kMaxUnknown) unknown_->push_back(path.text());
  }

  void wrong(const Json& v, const char* wanted, const Path& path) {
    errors_.typeInvalid(path.text(), kindName(v), std::string("must be of type ") + wanted + ", not " + kindName(v));
  }

  void checkEnum(std::string_view s, const Field* field, const Path& path) {
    if (!field || field->enumValues.empty() || s.empty() || listed(field->enumValues, s)) return;
    errors_.notSupported(path.text(), std::string(s), splitWords(field->enumValues));
  }

  void integer(Json& v, bool narrow, const Field* field, const Path& path) {
    if (v.is_double()) {
      double d = v.get_double();
      if (d < -9.0e18 || d > 9.0e18 || d != static_cast<double>(static_cast<int64_t>(d))) return wrongNumber(v, narrow, path);
      v = static_cast<int64_t>(d);
    }
    if (v.is_uint64()) return wrongNumber(v, narrow, path);
    if (!v.is_int64()) return wrong(v, "integer", path);
    int64_t i = v.get_int64();
    if (narrow && (i < INT32_MIN || i > INT32_MAX)) return wrongNumber(v, narrow, path);
    if (!field || !(field->hasMin || field->hasMax)) return;
    bool low = field->hasMin && i < field->min, high = field->hasMax && i > field->max;
    if (!low && !high) return;
    if (unset(v, *field->type) && !field->defaultJson.empty() && !field->pointer) return;  // becomes the default
    std::string rule = field->hasMin && field->hasMax
                           ? "must be between " + std::to_string(field->min) + " and " + std::to_string(field->max) + ", inclusive"
                       : low ? "must be greater than or equal to " + std::to_string(field->min)
                             : "must be less than or equal to " + std::to_string(field->max);
    errors_.invalidRaw(path.text(), std::to_string(i), rule);
  }

  void wrongNumber(const Json& v, bool narrow, const Path& path) {
    errors_.typeInvalid(path.text(), toText(v), "must be a whole number of " + std::string(narrow ? "32" : "64") + " bits, not " + toText(v));
  }

  void bytes(Json& v, const Path& path) {
    auto* s = v.if_string();
    if (!s) return wrong(v, "string", path);
    if (auto bad = checkBase64(view(*s)))
      errors_.typeInvalid(path.text(), "string", "illegal base64 data at input byte " + std::to_string(*bad));
  }

  void time(Json& v, bool micro, const Path& path) {
    auto* s = v.if_string();
    if (!s) return wrong(v, "string", path);
    auto t = parseTime(view(*s));
    if (!t) {
      errors_.typeInvalid(path.text(), std::string(view(*s)), "must be a time as RFC 3339 writes it, such as 2006-01-02T15:04:05Z");
      return;
    }
    auto canonical = micro ? formatMicroTime(*t) : formatTime(*t);
    if (view(*s) != canonical) *s = canonical;
  }

  void quantity(Json& v, const Path& path) {
    std::string number;
    std::string_view text;
    if (auto* s = v.if_string()) text = view(*s);
    else if (v.is_number()) text = number = toText(v);
    else return wrong(v, "string", path);
    auto q = Quantity::parse(text);
    if (!q) {
      errors_.typeInvalid(path.text(), std::string(text),
                          "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'");
      return;
    }
    auto canonical = q->text();
    if (!v.is_string() || text != canonical) v = boosted(canonical);
  }

  void intOrString(Json& v, const Path& path) {
    if (v.is_string()) return;
    if (!v.is_int64()) return wrong(v, "integer or string", path);
    if (v.get_int64() < INT32_MIN || v.get_int64() > INT32_MAX) wrongNumber(v, true, path);
  }

  ErrorList& errors_;
  std::vector<std::string>* unknown_;
};

}  // namespace

void conform(Json& tree, const Type& type, ErrorList& errors, std::vector<std::string>* unknown) {
  Conformer(errors, unknown).value(tree, type, nullptr, Path{});
}

}  // namespace ph::api
