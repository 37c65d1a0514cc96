#include "engine/api/protobuf.h"

#include <charconv>
#include <cstring>

#include "engine/base/base64.h"
#include "engine/api/protobuf_writer.h"

namespace ph::api {
namespace {

constexpr std::string_view kMagic("k8s\0", 4);
constexpr int kMaxDepth = 100;

enum Wire : uint32_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

// One field of a message as it stands on the wire.
struct Item {
  int32_t number = 0;
  Wire wire = kVarint;
  uint64_t value = 0;       // varint, fixed
  std::string_view bytes;   // length-delimited
};

class Reader {
 public:
  explicit Reader(std::string_view in) : in_(in) {}
  // False at the end or when malformed; see bad().
  bool next(Item& item) {
    if (in_.empty() || bad_) return false;
    uint64_t tag = varint();
    item.number = int32_t(tag >> 3);
    item.wire = Wire(tag & 7);
    switch (item.wire) {
      case kVarint: item.value = varint(); break;
      case kFixed64: item.value = fixed(8); break;
      case kFixed32: item.value = fixed(4); break;
      case kBytes: {
        uint64_t size = varint();
        if (size > in_.size()) return fail();
        item.bytes = in_.substr(0, size);
        in_.remove_prefix(size);
        break;
      }
      default: return fail();
    }
    return !bad_ && item.number > 0;
  }
  bool bad() const { return bad_; }

 private:
  bool fail() {
    bad_ = true;
    return false;
  }
  uint64_t varint() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      if (in_.empty()) break;
      uint8_t byte = uint8_t(in_.front());
      in_.remove_prefix(1);
      value |= uint64_t(byte & 0x7f) << shift;
      if (!(byte & 0x80)) return value;
    }
    fail();
    return 0;
  }
  uint64_t fixed(size_t size) {
    if (in_.size() < size) {
      fail();
      return 0;
    }
    uint64_t value = 0;
    for (size_t i = 0; i < size; ++i) value |= uint64_t(uint8_t(in_[i])) << (8 * i);
    in_.remove_prefix(size);
    return value;
  }

  std::string_view in_;
  bool bad_ = false;
};

Status malformed(std::string_view where) {
  return Status::badRequest("unable to decode the protobuf body: malformed " + std::string(where));
}

const Field* byNumber(const Type& type, int32_t number) {
  for (uint32_t i = 0; i < type.fieldCount; ++i)
    if (type.fields[i].number == number) return &type.fields[i];
  return nullptr;
}

bool isZero(const Json& v) {
  switch (v.kind()) {
    case boost::json::kind::null: return true;
    case boost::json::kind::bool_: return !v.get_bool();
    case boost::json::kind::int64: return v.get_int64() == 0;
    case boost::json::kind::uint64: return v.get_uint64() == 0;
    case boost::json::kind::double_: return v.get_double() == 0;
    case boost::json::kind::string: return v.get_string().empty();
    default: return false;
  }
}

Result<Json> message(std::string_view raw, const Type& type, int depth);

// Time {seconds 1, nanos 2}; an empty message is no time.
Result<Json> time(std::string_view raw, bool micro) {
  Reader r(raw);
  Item i;
  int64_t seconds = 0, nanos = 0;
  while (r.next(i)) {
    if (i.number == 1) seconds = int64_t(i.value);
    if (i.number == 2) nanos = int64_t(int32_t(i.value));
  }
  // Years 1 to 9999, as RFC 3339 has them; Go's zero time lies before the first.
  constexpr int64_t kFirst = -62135596800, kLast = 253402300799;
  if (r.bad() || nanos < 0 || nanos > 999999999 || seconds > kLast) return malformed("time");
  if (raw.empty() || seconds <= kFirst) return Json();
  WallTime t{std::chrono::seconds(seconds) + std::chrono::microseconds(nanos / 1000)};
  std::string text = micro ? formatMicroTime(t) : formatTime(t);
  return Json(text);
}

// IntOrString {type 1 (0: number), intVal 2, strVal 3}.
Result<Json> intOrString(std::string_view raw) {
  Reader r(raw);
  Item i;
  bool isString = false;
  int64_t number = 0;
  std::string_view text;
  while (r.next(i)) {
    if (i.number == 1) isString = i.value != 0;
    if (i.number == 2) number = int32_t(i.value);
    if (i.number == 3) text = i.bytes;
  }
  if (r.bad()) return malformed("int-or-string");
  return isString ? Json(text) : Json(number);
}

// RawExtension and FieldsV1 hold JSON as bytes in field 1; Quantity a string there.
Result<std::string_view> firstBytes(std::string_view raw) {
  Reader r(raw);
  Item i;
  std::string_view bytes;
  while (r.next(i))
    if (i.number == 1) bytes = i.bytes;
  if (r.bad()) return malformed("message");
  return bytes;
}

Result<Json> any(std::string_view raw) {
  PH_ASSIGN(std::string_view bytes, firstBytes(raw));
  if (bytes.empty()) return Json();
  boost::system::error_code e;
  Json v = boost::json::parse(bytes, e, {}, {.max_depth = kMaxDepth});
  if (e) return malformed("embedded JSON");
  return v;
}

Result<Json> value(const Item& i, const Type& type, int depth) {
  bool scalar = type.form == Form::Bool || type.form == Form::Int32 || type.form == Form::Int64 || type.form == Form::Double;
  if (scalar != (i.wire != kBytes)) return malformed("field");
  switch (type.form) {
    case Form::Bool: return Json(i.value != 0);
    case Form::Int32: return Json(int64_t(int32_t(i.value)));
    case Form::Int64: return Json(int64_t(i.value));
    case Form::Double: {
      double d;
      std::memcpy(&d, &i.value, sizeof d);
      return Json(d);
    }
    case Form::String: return Json(i.bytes);
    case Form::Bytes: return Json(toBase64(i.bytes));
    case Form::Time: return time(i.bytes, false);
    case Form::MicroTime: return time(i.bytes, true);
    case Form::IntOrString: return intOrString(i.bytes);
    case Form::Quantity: {
      PH_ASSIGN(std::string_view text, firstBytes(i.bytes));
      return Json(text);
    }
    case Form::Any: return any(i.bytes);
    default: return message(i.bytes, type, depth + 1);
  }
}

// One entry {key 1, value 2} of a map.
Result<> mapEntry(JsonObject& into, std::string_view raw, const Type& item, int depth) {
  Reader r(raw);
  Item i;
  std::string_view key;
  Json v = item.form == Form::String || item.form == Form::Bytes ? Json("") : Json(JsonObject());
  while (r.next(i)) {
    if (i.number == 1) key = i.bytes;
    if (i.number == 2) {
      PH_ASSIGN(v, value(i, item, depth + 1));
    }
  }
  if (r.bad()) return malformed("map");
  into[key] = std::move(v);
  return {};
}

Result<> field(JsonObject& into, const Item& i, const Field& f, int depth) {
  const Type& type = *f.type;
  if (f.inlined) {
    PH_ASSIGN(Json nested, message(i.bytes, type, depth + 1));
    for (auto& [key, v] : nested.get_object()) into[key] = std::move(v);
    return {};
  }
  if (type.form == Form::List) {
    PH_ASSIGN(Json v, value(i, *type.item, depth));
    Json& list = into[f.name];
    if (!list.is_array()) list = JsonArray();
    list.get_array().push_back(std::move(v));
    return {};
  }
  if (type.form == Form::Map) {
    if (i.wire != kBytes) return malformed("map");
    Json& map = into[f.name];
    if (!map.is_object()) map = JsonObject();
    return mapEntry(map.get_object(), i.bytes, *type.item, depth);
  }
  PH_ASSIGN(Json v, value(i, type, depth));
  // Go writes every plain field; JSON leaves the empty ones out.
  if (!f.pointer && isZero(v) && (f.omitEmpty || v.is_null() || v.is_string())) return {};
  into[f.name] = std::move(v);
  return {};
}

Result<Json> message(std::string_view raw, const Type& type, int depth) {
  if (depth > kMaxDepth) return Status::badRequest("the protobuf body is nested too deep");
  JsonObject out;
  Reader r(raw);
  Item i;
  while (r.next(i))
    if (const Field* f = byNumber(type, i.number)) PH_TRY(field(out, i, *f, depth));
  if (r.bad()) return malformed(type.name.empty() ? "message" : type.name);
  return Json(std::move(out));
}

// Writing.

std::string_view text(const Json& v) { return v.is_string() ? std::string_view(v.get_string()) : std::string_view(); }

int64_t integer(const Json& v) {
  if (v.is_int64()) return v.get_int64();
  if (v.is_uint64()) return int64_t(v.get_uint64());
  return v.is_double() ? int64_t(v.get_double()) : 0;
}

ProtobufWriter timeMessage(const Json& v) {
  ProtobufWriter out;
  auto t = parseTime(text(v));
  if (!t) return out;
  auto seconds = std::chrono::floor<std::chrono::seconds>(*t);
  out.varint(1, uint64_t(seconds.time_since_epoch().count()));
  out.varint(2, uint64_t(std::chrono::duration_cast<std::chrono::nanoseconds>(*t - seconds).count()));
  return out;
}

void putValue(ProtobufWriter& out, int32_t number, const Json& v, const Type& type) {
  switch (type.form) {
    case Form::Bool: return out.boolean(number, v.is_bool() && v.get_bool());
    case Form::Int32:
    case Form::Int64: return out.varint(number, uint64_t(integer(v)));
    case Form::Double: return out.number(number, v.is_double() ? v.get_double() : double(integer(v)));
    case Form::String: return out.bytes(number, text(v));
    case Form::Bytes: {
      auto decoded = fromBase64(text(v));
      return out.bytes(number, decoded ? *decoded : std::string());
    }
    case Form::Time:
    case Form::MicroTime: return out.message(number, timeMessage(v));
    case Form::Quantity: {
      ProtobufWriter nested;
      nested.bytes(1, v.is_string() ? std::string(text(v)) : boost::json::serialize(v));
      return out.message(number, nested);
    }
    case Form::IntOrString: {
      ProtobufWriter nested;
      nested.boolean(1, v.is_string());
      nested.varint(2, uint64_t(integer(v)));
      nested.bytes(3, text(v));
      return out.message(number, nested);
    }
    case Form::Any: {
      ProtobufWriter nested;
      nested.bytes(1, boost::json::serialize(v));
      return out.message(number, nested);
    }
    default: return out.bytes(number, toProtobuf(v, type));
  }
}

}  // namespace

Result<ProtobufBody> parseProtobufBody(std::string_view in) {
  if (!in.starts_with(kMagic)) return malformed("envelope");
  Reader r(in.substr(kMagic.size()));
  ProtobufBody body;
  Item i;
  while (r.next(i)) {
    if (i.number == 2) body.raw = i.bytes;
    if (i.number != 1) continue;
    Reader meta(i.bytes);
    Item m;
    while (meta.next(m)) {
      if (m.number == 1) body.apiVersion = std::string(m.bytes);
      if (m.number == 2) body.kind = std::string(m.bytes);
    }
    if (meta.bad()) return malformed("envelope");
  }
  if (r.bad()) return malformed("envelope");
  return body;
}

Result<Json> fromProtobuf(std::string_view raw, const Type& type) { return message(raw, type, 0); }

Result<Json> objectFromProtobuf(std::string_view in, const Type& type) {
  PH_ASSIGN(ProtobufBody body, parseProtobufBody(in));
  PH_ASSIGN(Json tree, fromProtobuf(body.raw, type));
  auto& object = tree.get_object();
  if (!body.apiVersion.empty()) object["apiVersion"] = body.apiVersion;
  if (!body.kind.empty()) object["kind"] = body.kind;
  return tree;
}

// The one meta.v1.Duration among the kinds that are served: a text in JSON, nanoseconds in a message of their own here.
static bool isDuration(const Type& parent, const Field& f) { return f.name == "window" && parent.name.starts_with("io.k8s.metrics."); }

std::string toProtobuf(const Json& tree, const Type& type) {
  ProtobufWriter out;
  auto* object = tree.if_object();
  if (!object) return {};
  for (uint32_t n = 0; n < type.fieldCount; ++n) {
    const Field& f = type.fields[n];
    if (f.number <= 0) continue;
    if (f.inlined) {
      std::string nested = toProtobuf(tree, *f.type);
      if (!nested.empty()) out.bytes(f.number, nested);
      continue;
    }
    auto* v = object->if_contains(f.name);
    if (!v || v->is_null()) continue;
    if (isDuration(type, f)) {
      ProtobufWriter nanoseconds;
      nanoseconds.varint(1, uint64_t(parseDuration(text(*v)).value_or(Duration::zero()).count()));
      out.message(f.number, nanoseconds);
    } else if (f.type->form == Form::List) {
      if (v->is_array())
        for (auto& item : v->get_array()) putValue(out, f.number, item, *f.type->item);
    } else if (f.type->form == Form::Map) {
      if (v->is_object())
        for (auto& [key, item] : v->get_object()) {
          ProtobufWriter entry;
          entry.bytes(1, key);
          putValue(entry, 2, item, *f.type->item);
          out.message(f.number, entry);
        }
    } else {
      putValue(out, f.number, *v, *f.type);
    }
  }
  return out.take();
}

std::string objectToProtobuf(const Json& tree, const Type& type) {
  ProtobufWriter meta, out;
  if (auto* object = tree.if_object()) {
    if (auto* v = object->if_contains("apiVersion")) meta.bytes(1, text(*v));
    if (auto* v = object->if_contains("kind")) meta.bytes(2, text(*v));
  }
  out.message(1, meta);
  out.bytes(2, toProtobuf(tree, type));
  out.bytes(3, "");
  out.bytes(4, "");
  return std::string(kMagic) + out.data();
}

}  // namespace ph::api
