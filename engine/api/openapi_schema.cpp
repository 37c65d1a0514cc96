#include "engine/api/openapi_build.h"
#include "engine/api/codec.h"
#include "engine/api/custom/kind.h"
#include "engine/api/types/autoscaling.h"
#include "engine/api/types/meta.h"

namespace ph::api::openapi {
namespace {

boost::json::string_view boosted(std::string_view s) { return {s.data(), s.size()}; }

Json gvk(const std::string& group, const std::string& version, const std::string& kind) {
  return JsonObject{{"group", group}, {"version", version}, {"kind", kind}};
}

JsonArray splitWords(std::string_view words, char separator) {
  JsonArray out;
  while (!words.empty()) {
    size_t bar = words.find(separator);
    out.emplace_back(boosted(words.substr(0, bar)));
    words = bar == std::string_view::npos ? std::string_view() : words.substr(bar + 1);
  }
  return out;
}

}  // namespace

Definitions::Definitions(const Registry& registry, Version version) : version_(version) {
  for (auto* r : registry.all()) {
    kinds_[r->type].push_back(gvk(r->group, r->version, r->kind));
    if (r->custom) custom_[r->type] = r->custom.get();
  }
  kinds_[&schemaOf<meta::Status>()].push_back(gvk("", "v1", "Status"));
  kinds_[&schemaOf<autoscaling::Scale>()].push_back(gvk("autoscaling", "v1", "Scale"));
  for (auto& [group, versions] : registry.groupVersions())
    for (auto& v : versions) kinds_[&schemaOf<meta::DeleteOptions>()].push_back(gvk(group, v, "DeleteOptions"));
}

Json Definitions::reference(const std::string& name) const {
  return JsonObject{{"$ref", (version_ == Version::V2 ? "#/definitions/" : "#/components/schemas/") + name}};
}

const std::string& Definitions::add(const Type& type) {
  auto [it, fresh] = names_.emplace(&type, std::string(type.name));
  if (fresh) {
    made_[it->second] = nullptr;  // a type may refer to itself
    made_[it->second] = object(type);
  }
  return it->second;
}

std::string Definitions::addList(const ResourceInfo& info) {
  auto name = std::string(info.type->name) + "List";
  if (made_.contains(name)) return name;
  auto item = reference(add(*info.type)), metadata = reference(add(schemaOf<meta::ListMeta>()));
  JsonObject properties{{"apiVersion", JsonObject{{"type", "string"}}},
                        {"items", JsonObject{{"type", "array"}, {"items", item}, {"description", "The objects."}}},
                        {"kind", JsonObject{{"type", "string"}}},
                        {"metadata", metadata}};
  made_[name] = JsonObject{{"description", "A list of " + info.kind + " objects."},
                           {"type", "object"},
                           {"required", JsonArray{"items"}},
                           {"properties", properties},
                           {"x-kubernetes-group-version-kind", JsonArray{gvk(info.group, info.version, info.listKind())}}};
  return name;
}

JsonObject Definitions::take() {
  JsonObject out;
  for (auto& [name, schema] : made_) out.emplace(name, std::move(schema));
  made_.clear();
  names_.clear();
  return out;
}

Json Definitions::custom(const Type& type, const CustomKind& kind) {
  Json schema = kind.document(version_ == Version::V2);
  auto& out = schema.get_object();
  out["x-kubernetes-group-version-kind"] = kinds_[&type];
  // With properties in Swagger, kubectl would refuse all others.
  if (version_ == Version::V2 && type.preserveUnknown)
    return JsonObject{{"type", "object"}, {"x-kubernetes-group-version-kind", std::move(out["x-kubernetes-group-version-kind"])}};
  auto& properties = out["properties"];
  if (!properties.is_object()) properties.emplace_object();
  auto& all = properties.get_object();
  for (uint32_t i = 0; i < type.fieldCount; ++i)
    if (auto& f = type.fields[i]; f.name == "apiVersion" || f.name == "kind" || f.name == "metadata")
      all[boosted(f.name)] = this->schema(*f.type, &f);
  return schema;
}

Json Definitions::object(const Type& type) {
  if (auto it = custom_.find(&type); it != custom_.end()) return custom(type, *it->second);
  JsonObject out;
  if (!type.doc.empty()) out["description"] = boosted(type.doc);
  out["type"] = "object";
  JsonObject properties;
  JsonArray required;
  addFields(type, properties, required);
  if (!required.empty()) out["required"] = std::move(required);
  if (!properties.empty()) out["properties"] = std::move(properties);
  if (type.preserveUnknown) out["x-kubernetes-preserve-unknown-fields"] = true;
  if (auto it = kinds_.find(&type); it != kinds_.end()) out["x-kubernetes-group-version-kind"] = it->second;
  return out;
}

void Definitions::addFields(const Type& type, JsonObject& properties, JsonArray& required) {
  for (uint32_t i = 0; i < type.fieldCount; ++i) {
    const Field& f = type.fields[i];
    if (f.inlined) {
      addFields(*f.type, properties, required);
      continue;
    }
    if (f.required) required.emplace_back(boosted(f.name));
    properties.emplace(boosted(f.name), schema(*f.type, &f));
  }
}

Json Definitions::schema(const Type& type, const Field* field) {
  JsonObject out;
  switch (type.form) {
    case Form::String: out["type"] = "string"; break;
    case Form::Bool: out["type"] = "boolean"; break;
    case Form::Int32: out = {{"type", "integer"}, {"format", "int32"}}; break;
    case Form::Int64: out = {{"type", "integer"}, {"format", "int64"}}; break;
    case Form::Double: out = {{"type", "number"}, {"format", "double"}}; break;
    case Form::Bytes: out = {{"type", "string"}, {"format", "byte"}}; break;
    case Form::Time:
    case Form::MicroTime: out = {{"type", "string"}, {"format", "date-time"}}; break;
    case Form::Quantity: out["type"] = "string"; break;
    case Form::IntOrString:
      if (version_ == Version::V2) out = {{"type", "string"}, {"format", "int-or-string"}};
      else out = {{"oneOf", JsonArray{JsonObject{{"type", "integer"}}, JsonObject{{"type", "string"}}}}, {"format", "int-or-string"}};
      break;
    case Form::Any:
      // kubectl 1.20 checks objects against Swagger, where no type means anything; later ones explain from 3.0, and want one.
      if (version_ == Version::V3) out["type"] = "object";
      break;
    case Form::Map: out = {{"type", "object"}, {"additionalProperties", schema(*type.item, nullptr)}}; break;
    case Form::List: out = {{"type", "array"}, {"items", schema(*type.item, nullptr)}}; break;
    case Form::Object:
      if (type.name.empty()) {
        out = std::move(object(type).get_object());
      } else if (version_ == Version::V3 && field) {
        out["allOf"] = JsonArray{reference(add(type))};  // in 3.0 nothing may stand beside a $ref
      } else {
        out = std::move(reference(add(type)).get_object());
      }
      break;
  }
  if (field) describe(*field, out);
  return out;
}

void Definitions::describe(const Field& f, JsonObject& out) const {
  if (!f.doc.empty()) out["description"] = boosted(f.doc);
  if (!f.format.empty()) out["format"] = boosted(f.format);
  if (!f.enumValues.empty()) out["enum"] = splitWords(f.enumValues, '|');
  if (f.hasMin) out["minimum"] = f.min;
  if (f.hasMax) out["maximum"] = f.max;
  if (!f.defaultJson.empty() && version_ == Version::V3)
    if (auto v = parseJson(f.defaultJson); v.ok()) out["default"] = std::move(*v);
  if (!f.mapKeys.empty()) {
    out["x-kubernetes-list-type"] = "map";
    out["x-kubernetes-list-map-keys"] = splitWords(f.mapKeys, ',');
  } else if (f.listKind == ListKind::Set) {
    out["x-kubernetes-list-type"] = "set";
  }
  if (!f.mergeKey.empty()) out["x-kubernetes-patch-merge-key"] = boosted(f.mergeKey);
  bool merges = !f.mergeKey.empty() || f.listKind == ListKind::Set;
  if (merges || f.patchReplaceKeys)
    out["x-kubernetes-patch-strategy"] = merges && f.patchReplaceKeys ? "merge,retainKeys" : merges ? "merge" : "retainKeys";
}

}  // namespace ph::api::openapi
