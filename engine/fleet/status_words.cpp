#include "engine/fleet/status_words.h"

#include "engine/api/codec.h"
#include "engine/api/conditions.h"
#include "engine/api/patch.h"

namespace ph::fleet {

bool setCondition(MachineStatus& status, const std::string& type, bool value, const std::string& reason, const std::string& message, WallTime now) {
  const std::string word = value ? "True" : "False";
  for (auto& c : status.conditions) {
    if (c.type != type) continue;
    const bool changed = c.status != word;
    c.status = word;
    c.reason = reason;
    c.message = message;
    if (changed) c.lastTransitionTime = now;
    return changed;
  }
  api::meta::Condition c;
  c.type = type;
  c.status = word;
  c.reason = reason;
  c.message = message;
  c.lastTransitionTime = now;
  status.conditions.push_back(std::move(c));
  return true;
}

bool conditionIs(const MachineStatus& status, const std::string& type, bool value) {
  auto* c = api::findCondition(status.conditions, type);
  return c && c->status == (value ? "True" : "False");
}

void setFinding(MachineStatus& status, const std::string& name, const std::string& severity, const std::string& message, const std::string& fix) {
  std::erase_if(status.findings, [&](auto& f) { return f.name == name; });
  if (!severity.empty()) status.findings.insert(status.findings.begin(), {name, severity, message, fix});
}

std::string statusPatch(const api::Object& stored, const MachineStatus& status) {
  api::Json tree = stored.tree();
  const api::Json* old = tree.is_object() ? tree.as_object().if_contains("status") : nullptr;
  api::Json from = old ? *old : api::Json(api::JsonObject());
  api::Json patch = api::makeMergePatch(from, api::toJson(status));
  if (!patch.is_object() || patch.as_object().empty()) return "";
  return api::toText(api::Json(api::JsonObject{{"status", std::move(patch)}}));
}

}  // namespace ph::fleet
