#include "engine/server/custom/definitions.h"

#include <algorithm>

#include "engine/api/codec.h"
#include "engine/api/custom/definition.h"
#include "engine/api/custom/kinds.h"
#include "engine/server/json_util.h"

namespace ph::server {

namespace custom = api::custom;

namespace {

std::string lower(std::string_view s) {
  std::string out(s);
  std::transform(out.begin(), out.end(), out.begin(), [](unsigned char c) { return char(std::tolower(c)); });
  return out;
}

std::string storageVersion(const Json& definition) {
  auto* versions = api::at(definition, "spec.versions");
  if (!versions || !versions->is_array()) return {};
  for (auto& v : versions->get_array()) {
    auto* storage = member(&v, "storage");
    if (storage && storage->is_bool() && storage->get_bool()) return std::string(textAt(v.if_object(), "name"));
  }
  return {};
}

bool mentions(const Json& v, std::string_view key) {
  if (auto* o = v.if_object()) {
    for (auto& kv : *o)
      if (kv.key() == key || mentions(kv.value(), key)) return true;
  } else if (auto* a = v.if_array()) {
    for (auto& item : *a)
      if (mentions(item, key)) return true;
  }
  return false;
}

}  // namespace

bool isDefinition(const ResourceInfo& info) { return info.storageGroupKind == custom::kDefinitionKind; }

void prepareDefinition(Json& definition, const Json* old) {
  auto& spec = makeObject(definition, "spec");
  auto& names = makeObject(spec, "names");
  auto kind = std::string(textAt(&names, "kind"));
  if (textAt(&names, "singular").empty() && !kind.empty()) names["singular"] = lower(kind);
  if (textAt(&names, "listKind").empty() && !kind.empty()) names["listKind"] = kind + "List";
  auto& conversion = makeObject(spec, "conversion");
  if (textAt(&conversion, "strategy").empty()) conversion["strategy"] = "None";
  auto& status = makeObject(definition, "status");
  if (old) copyMember(definition.get_object(), old->if_object(), "status");
  else status = JsonObject{{"conditions", JsonArray()}, {"acceptedNames", JsonObject{{"plural", ""}, {"kind", ""}}}, {"storedVersions", JsonArray()}};
  // A version that objects are kept in stays on the list until an administrator says that none are left.
  Json& stored = makeObject(definition, "status")["storedVersions"];
  if (!stored.is_array()) stored.emplace_array();
  auto version = storageVersion(definition);
  auto& list = stored.get_array();
  if (!version.empty() && std::none_of(list.begin(), list.end(), [&](auto& v) { return v.is_string() && view(v.get_string()) == version; }))
    list.emplace_back(version);
}

void checkDefinition(const Json& definition, const Json* old, bool v1beta1, api::ErrorList& errors) {
  custom::validateDefinition(definition, {.old = old, .v1beta1 = v1beta1}, errors);
}

std::vector<std::string> definitionWarnings(const Json& definition) {
  std::vector<std::string> out;
  auto* versions = api::at(definition, "spec.versions");
  if (versions && mentions(*versions, "x-kubernetes-validations"))
    out.push_back("x-kubernetes-validations: the rules are kept, but this server does not evaluate them");
  return out;
}

void markTerminating(Json& definition, WallTime now) {
  custom::setCondition(definition, "Terminating", true, "InstanceDeletionPending",
                       "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon", now);
}

}  // namespace ph::server
