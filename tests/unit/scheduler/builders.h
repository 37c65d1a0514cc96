// Nodes and pods for scheduler tests, from a few words.
#pragma once

#include <fmt/format.h>

#include "engine/api/codec.h"
#include "engine/scheduler/framework/chooser.h"
#include "engine/scheduler/plugins/plugins.h"

namespace ph::test {

inline const api::Registry& registry() {
  static auto r = api::Registry::builtin();
  return *r;
}

// Adds `extra` JSON members (objects merge one level down) to a base tree.
inline void mergeInto(api::Json& target, const api::Json& extra) {
  for (auto& [key, value] : extra.as_object()) {
    auto& t = target.as_object()[key];
    if (t.is_object() && value.is_object()) mergeInto(t, value);
    else t = value;
  }
}

inline api::ObjectPtr make(const char* plural, api::Json tree, std::string_view extra) {
  if (!extra.empty()) mergeInto(tree, *api::parseJson(extra));
  auto* info = registry().storage("", plural);
  static int64_t revision = 0;
  return api::Object::make(info, tree, ++revision);
}

inline api::ObjectPtr node(std::string name, std::string_view extra = {}) {
  api::Json tree{{"apiVersion", "v1"},
                 {"kind", "Node"},
                 {"metadata", {{"name", name}, {"uid", "n-" + name}, {"labels", {{"kubernetes.io/hostname", name}}}}},
                 {"spec", api::JsonObject()},
                 {"status", {{"allocatable", {{"cpu", "4"}, {"memory", "8Gi"}, {"pods", "110"}}}}}};
  return make("nodes", std::move(tree), extra);
}

// A pod of one container; `cpu` like "500m", empty for no request.
inline api::ObjectPtr pod(std::string name, std::string cpu = {}, std::string_view extra = {}) {
  api::JsonObject container{{"name", "c"}, {"image", "web:1"}};
  if (!cpu.empty()) container["resources"] = {{"requests", {{"cpu", cpu}}}};
  api::Json tree{{"apiVersion", "v1"},
                 {"kind", "Pod"},
                 {"metadata", {{"name", name}, {"namespace", "default"}, {"uid", "p-" + name}}},
                 {"spec", {{"containers", api::JsonArray{container}}}}};
  return make("pods", std::move(tree), extra);
}

}  // namespace ph::test
