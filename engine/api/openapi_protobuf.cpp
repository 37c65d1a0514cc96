// A Swagger 2.0 document as the message openapi.v2.Document; field numbers from gnostic's OpenAPIv2.proto.
#include "engine/api/codec.h"
#include "engine/api/openapi_build.h"
#include "engine/api/protobuf_writer.h"

namespace ph::api::openapi {
namespace {

using Writer = ProtobufWriter;

std::string_view view(boost::json::string_view s) { return {s.data(), s.size()}; }

const Json* get(const Json& v, const char* key) {
  auto* o = v.if_object();
  return o ? o->if_contains(key) : nullptr;
}

void text(Writer& w, int field, const Json& from, const char* key) {
  if (auto* v = get(from, key); v && v->is_string()) w.bytes(field, view(v->get_string()));
}
void flag(Writer& w, int field, const Json& from, const char* key) {
  if (auto* v = get(from, key); v && v->is_bool() && v->get_bool()) w.boolean(field, true);
}
void number(Writer& w, int field, const Json& from, const char* key) {
  if (auto* v = get(from, key); v && v->is_number()) w.number(field, v->to_number<double>());
}
void texts(Writer& w, int field, const Json& from, const char* key) {
  if (auto* v = get(from, key); v && v->is_array())
    for (auto& e : v->get_array()) w.bytes(field, view(e.get_string()));
}

// Any: its value as YAML, of which JSON is a part.
Writer any(const Json& v) {
  Writer w;
  w.bytes(2, toText(v));
  return w;
}

void extensions(Writer& w, int field, const Json& from) {
  for (auto& kv : from.get_object()) {
    if (!kv.key().starts_with("x-")) continue;
    Writer named;
    named.bytes(1, view(kv.key()));
    named.message(2, any(kv.value()));
    w.message(field, named);
  }
}

Writer schema(const Json& s) {
  Writer w;
  text(w, 1, s, "$ref");
  text(w, 2, s, "format");
  text(w, 4, s, "description");
  number(w, 7, s, "maximum");
  number(w, 9, s, "minimum");
  texts(w, 19, s, "required");
  if (auto* v = get(s, "enum"); v && v->is_array())
    for (auto& e : v->get_array()) w.message(20, any(e));
  if (auto* v = get(s, "additionalProperties")) {
    Writer item;
    if (v->is_bool()) item.boolean(2, v->get_bool());
    else item.message(1, schema(*v));
    w.message(21, item);
  }
  if (get(s, "type")) {
    Writer type;
    text(type, 1, s, "type");
    w.message(22, type);
  }
  if (auto* v = get(s, "items")) {
    Writer items;
    items.message(1, schema(*v));
    w.message(23, items);
  }
  if (auto* v = get(s, "properties")) {
    Writer properties;
    for (auto& kv : v->get_object()) {
      Writer named;
      named.bytes(1, view(kv.key()));
      named.message(2, schema(kv.value()));
      properties.message(1, named);
    }
    w.message(25, properties);
  }
  extensions(w, 31, s);
  return w;
}

// ParametersItem: a Parameter that is a body, or one of a path or a query.
Writer parameter(const Json& p) {
  Writer inner, outer, item;
  auto in = view(p.at("in").get_string());
  if (in == "body") {
    text(inner, 1, p, "description");
    text(inner, 2, p, "name");
    text(inner, 3, p, "in");
    flag(inner, 4, p, "required");
    if (auto* s = get(p, "schema")) inner.message(5, schema(*s));
    outer.message(1, inner);
  } else {
    bool query = in == "query";
    flag(inner, 1, p, "required");
    text(inner, 2, p, "in");
    text(inner, 3, p, "description");
    text(inner, 4, p, "name");
    text(inner, query ? 6 : 5, p, "type");
    flag(inner, query ? 20 : 19, p, "uniqueItems");
    Writer nonBody;
    nonBody.message(query ? 3 : 4, inner);
    outer.message(2, nonBody);
  }
  item.message(1, outer);
  return item;
}

void parameters(Writer& w, int field, const Json& from) {
  if (auto* v = get(from, "parameters"))
    for (auto& p : v->get_array()) w.message(field, parameter(p));
}

Writer responses(const Json& all) {
  Writer w;
  for (auto& kv : all.get_object()) {
    Writer response, value, named;
    text(response, 1, kv.value(), "description");
    if (auto* s = get(kv.value(), "schema")) {
      Writer item;
      item.message(1, schema(*s));
      response.message(2, item);
    }
    value.message(1, response);
    named.bytes(1, view(kv.key()));
    named.message(2, value);
    w.message(1, named);
  }
  return w;
}

Writer operation(const Json& op) {
  Writer w;
  texts(w, 1, op, "tags");
  text(w, 3, op, "description");
  text(w, 5, op, "operationId");
  texts(w, 6, op, "produces");
  texts(w, 7, op, "consumes");
  parameters(w, 8, op);
  w.message(9, responses(op.at("responses")));
  extensions(w, 13, op);
  return w;
}

Writer pathItem(const Json& path) {
  static constexpr std::pair<const char*, int> verbs[] = {{"get", 2}, {"put", 3}, {"post", 4}, {"delete", 5}, {"patch", 8}};
  Writer w;
  for (auto& [verb, field] : verbs)
    if (auto* op = get(path, verb)) w.message(field, operation(*op));
  parameters(w, 9, path);
  return w;
}

}  // namespace

std::string toProtobuf(const Json& document) {
  Writer w, info, paths, definitions;
  text(w, 1, document, "swagger");
  text(info, 1, document.at("info"), "title");
  text(info, 2, document.at("info"), "version");
  w.message(2, info);
  auto named = [](Writer& into, int field, std::string_view name, const Writer& value) {
    Writer entry;
    entry.bytes(1, name);
    entry.message(2, value);
    into.message(field, entry);
  };
  for (auto& kv : document.at("paths").get_object()) named(paths, 2, view(kv.key()), pathItem(kv.value()));
  w.message(8, paths);
  for (auto& kv : document.at("definitions").get_object()) named(definitions, 1, view(kv.key()), schema(kv.value()));
  w.message(9, definitions);
  return w.take();
}

}  // namespace ph::api::openapi
