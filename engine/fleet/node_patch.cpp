#include "engine/fleet/node_patch.h"

#include "engine/api/codec.h"
#include "engine/api/patch.h"

namespace ph::fleet {
namespace {

using api::Json;
using api::JsonArray;
using api::JsonObject;

JsonObject& child(JsonObject& parent, std::string_view key) {
  auto& v = parent[key];
  if (!v.is_object()) v = JsonObject();
  return v.as_object();
}

std::string_view text(const Json& v) { return v.is_string() ? std::string_view(v.as_string()) : std::string_view(); }

bool sameTaint(const JsonObject& t, std::string_view key, std::string_view effect) {
  auto* k = t.if_contains("key");
  auto* e = t.if_contains("effect");
  return k && e && text(*k) == key && text(*e) == effect;
}

void takeAway(JsonObject& labels, JsonArray& taints, const JsonObject& applied) {
  if (auto* l = applied.if_contains("labels"); l && l->is_array())
    for (auto& key : l->as_array()) labels.erase(text(key));
  if (auto* l = applied.if_contains("taints"); l && l->is_array())
    for (auto& t : l->as_array()) {
      if (!t.is_object()) continue;
      auto* k = t.as_object().if_contains("key");
      auto* e = t.as_object().if_contains("effect");
      if (!k || !e) continue;
      for (auto it = taints.begin(); it != taints.end();)
        it = it->is_object() && sameTaint(it->as_object(), text(*k), text(*e)) ? taints.erase(it) : it + 1;
    }
}

}  // namespace

std::string nodePatch(const api::Object& node, const api::fleet::MachineSpec& spec) {
  const Json before = node.tree();
  Json after = before;
  auto& root = after.as_object();
  auto& metadata = child(root, "metadata");
  auto& labels = child(metadata, "labels");
  auto& annotations = child(metadata, "annotations");
  auto& nodeSpec = child(root, "spec");
  JsonArray taints = nodeSpec.contains("taints") && nodeSpec["taints"].is_array() ? nodeSpec["taints"].as_array() : JsonArray();

  JsonObject applied;
  if (auto* a = annotations.if_contains(kAppliedAnnotation))
    if (auto parsed = api::parseJson(text(*a)); parsed.ok() && parsed.value().is_object()) applied = parsed.value().as_object();
  takeAway(labels, taints, applied);

  JsonArray labelKeys, taintKeys;
  for (auto& [key, value] : spec.labels) {
    labels[key] = value;
    labelKeys.emplace_back(key);
  }
  for (auto& t : spec.taints) {
    JsonObject taint{{"key", t.key}, {"effect", t.effect}};
    taintKeys.emplace_back(taint);
    if (!t.value.empty()) taint["value"] = t.value;
    bool there = false;
    for (auto& old : taints) there = there || (old.is_object() && sameTaint(old.as_object(), t.key, t.effect));
    if (!there) taints.emplace_back(std::move(taint));
  }
  // Whoever cordons the Node itself is not overruled: only a change of the Machine's word is carried over.
  const bool said = applied.contains("unschedulable");
  if (spec.unschedulable && !said) nodeSpec["unschedulable"] = true;
  if (!spec.unschedulable && said) nodeSpec.erase("unschedulable");

  JsonObject nowApplied;
  if (!labelKeys.empty()) nowApplied["labels"] = std::move(labelKeys);
  if (!taintKeys.empty()) nowApplied["taints"] = std::move(taintKeys);
  if (spec.unschedulable) nowApplied["unschedulable"] = true;
  if (nowApplied.empty()) annotations.erase(kAppliedAnnotation);
  else annotations[kAppliedAnnotation] = api::toText(Json(nowApplied));
  if (taints.empty()) nodeSpec.erase("taints");
  else nodeSpec["taints"] = std::move(taints);
  if (labels.empty()) metadata.erase("labels");
  if (annotations.empty()) metadata.erase("annotations");
  if (nodeSpec.empty() && !before.as_object().contains("spec")) root.erase("spec");

  Json patch = api::makeMergePatch(before, after);
  if (!patch.is_object() || patch.as_object().empty()) return "";
  return api::toText(patch);
}

}  // namespace ph::fleet
