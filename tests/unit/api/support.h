// Shared by the tests of engine/api.
#pragma once

#include <QByteArray>
#include <string>

#include "engine/api/codec.h"
#include "engine/api/registry.h"

namespace ph::api::test {

inline Json yaml(std::string_view text) {
  auto v = parseYaml(text);
  if (!v.ok()) qFatal("%s", v.status().message.c_str());
  return *v;
}

// In the version that is stored, which is the one that is checked.
inline const ResourceInfo* kind(const std::string& name) {
  static auto registry = Registry::builtin();
  for (auto* r : registry->all())
    if (r->kind == name) return registry->stored(*r);
  qFatal("no kind %s", name.c_str());
}

inline WallTime at(const char* text) { return *parseTime(text); }

inline WriteContext context(const ResourceInfo* info, Operation operation, std::string_view subresource = {}) {
  return {info, operation, subresource, "tester", at("2026-01-02T03:04:05Z")};
}

// What the server does to a received object before it is stored; errors as "field: message" lines.
inline std::string create(Json& object) {
  auto* info = kind(std::string(object.at("kind").as_string().c_str()));
  if (info->namespaced) {
    auto& m = object.get_object()["metadata"];
    if (!m.is_object()) m.emplace_object();
    if (!m.get_object().contains("namespace")) m.get_object()["namespace"] = "default";
  }
  auto c = context(info, Operation::Create);
  ErrorList errors;
  std::vector<std::string> unknown;
  conform(object, *info->type, errors, &unknown);
  std::string out;
  for (auto& u : unknown) out += "unknown " + u + "\n";
  if (!errors.hasTypeErrors()) {
    if (info->strategy->prepareCreate) info->strategy->prepareCreate(object, c);
    validateObject(object, c, errors);
  }
  for (auto& e : errors.causes()) out += e.field + ": " + e.message + "\n";
  return out;
}

inline std::string update(Json& object, const Json& old, std::string_view subresource = {}) {
  auto* info = kind(std::string(object.at("kind").as_string().c_str()));
  auto c = context(info, Operation::Update, subresource);
  ErrorList errors;
  conform(object, *info->type, errors, nullptr);
  if (info->strategy->prepareUpdate) info->strategy->prepareUpdate(object, old, c);
  validateObjectUpdate(object, old, c, errors);
  std::string out;
  for (auto& e : errors.causes()) out += e.field + ": " + e.message + "\n";
  return out;
}

}  // namespace ph::api::test
