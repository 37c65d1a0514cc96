#include "engine/api/custom/definition.h"

#include <algorithm>

#include "engine/api/codec.h"
#include "engine/api/custom/json_path.h"
#include "engine/api/custom/schema_json.h"

namespace ph::api::custom {
namespace {

using std::string;

string lower(string s) {
  std::transform(s.begin(), s.end(), s.begin(), [](unsigned char c) { return char(tolower(c)); });
  return s;
}

void checkOneOf(const string& value, const std::vector<string>& accepted, const string& path, ErrorList& errors) {
  if (value.empty()) errors.required(path);
  else if (std::find(accepted.begin(), accepted.end(), value) == accepted.end()) errors.notSupported(path, value, accepted);
}

void checkNames(const JsonObject* names, const string& path, bool required, ErrorList& errors) {
  for (auto field : {"plural", "singular"}) {
    auto name = wordIn(names, field);
    if (name.empty()) {
      if (required) errors.required(path + "." + field);
    } else if (auto why = checkDns1035Label(name); !why.empty()) {
      errors.invalid(path + "." + field, name, why);
    }
  }
  for (auto field : {"kind", "listKind"}) {
    auto name = wordIn(names, field);
    if (name.empty()) {
      if (required) errors.required(path + "." + field);
    } else if (auto why = checkDns1035Label(lower(name)); !why.empty()) {
      errors.invalid(path + "." + field, name, "may have mixed case, but should otherwise match: " + why);
    }
  }
  auto kind = wordIn(names, "kind");
  if (!kind.empty() && kind == wordIn(names, "listKind")) errors.invalid(path + ".listKind", kind, "kind and listKind may not be the same");
  for (auto field : {"shortNames", "categories"}) {
    auto* all = arrayIn(names, field);
    for (size_t i = 0; all && i < all->size(); ++i) {
      auto name = (*all)[i].is_string() ? string(view((*all)[i].get_string())) : string();
      if (auto why = checkDns1035Label(name); !why.empty()) errors.invalid(indexed(path + "." + field, i), name, why);
    }
  }
}

void checkScale(const JsonObject* scale, const string& path, ErrorList& errors) {
  auto check = [&](const char* field, bool required, std::vector<string> under, const char* where) {
    auto text = wordIn(scale, field);
    auto at = path + "." + field;
    if (text.empty()) {
      if (required) errors.required(at);
      return;
    }
    auto parsed = JsonPath::parse(text);
    if (text.front() != '.') errors.invalid(at, text, "must be a simple json path starting with .");
    else if (!parsed.ok() || !parsed->plain()) errors.invalid(at, text, "must be a json path in the dot notation");
    else if (std::none_of(under.begin(), under.end(), [&](auto& u) { return text.starts_with(u); }))
      errors.invalid(at, text, string("should be a json path under ") + where);
  };
  check("specReplicasPath", true, {".spec."}, ".spec");
  check("statusReplicasPath", true, {".status."}, ".status");
  check("labelSelectorPath", false, {".spec.", ".status."}, "either .spec or .status");
}

void checkColumn(const JsonObject* c, const string& path, ErrorList& errors) {
  static const std::vector<string> kTypes = {"boolean", "date", "integer", "number", "string"};
  static const std::vector<string> kFormats = {"byte", "date", "date-time", "double", "float", "int32", "int64", "password"};
  auto joined = [](const std::vector<string>& all) {
    string out;
    for (auto& one : all) out += (out.empty() ? "" : ",") + one;
    return out;
  };
  if (wordIn(c, "name").empty()) errors.required(path + ".name");
  auto type = wordIn(c, "type"), format = wordIn(c, "format"), text = wordIn(c, "jsonPath");
  if (type.empty()) errors.required(path + ".type", "must be one of " + joined(kTypes));
  else if (std::find(kTypes.begin(), kTypes.end(), type) == kTypes.end()) errors.invalid(path + ".type", type, "must be one of " + joined(kTypes));
  if (!format.empty() && std::find(kFormats.begin(), kFormats.end(), format) == kFormats.end())
    errors.invalid(path + ".format", format, "must be one of " + joined(kFormats));
  if (text.empty()) return errors.required(path + ".jsonPath");
  if (text.front() != '.') return errors.invalid(path + ".jsonPath", text, "must be a simple json path starting with .");
  if (auto parsed = JsonPath::parse(text); !parsed.ok()) errors.invalid(path + ".jsonPath", text, parsed.status().message);
}

void checkSelectable(const JsonObject* version, const string& path, ErrorList& errors) {
  auto* all = arrayIn(version, "selectableFields");
  if (!all) return;
  if (all->size() > 8) errors.tooMany(path, all->size(), 8);
  std::vector<string> seen;
  for (size_t i = 0; i < all->size(); ++i) {
    auto at = indexed(path, i) + ".jsonPath";
    auto text = wordIn((*all)[i].if_object(), "jsonPath");
    auto parsed = JsonPath::parse(text);
    if (text.empty()) {
      errors.required(at);
    } else if (!parsed.ok() || !parsed->plain() || text.front() != '.') {
      errors.invalid(at, text, "is an invalid path: only field names separated by dots may be used");
    } else if (text.starts_with(".metadata")) {
      errors.invalid(at, text, "must not point to fields in metadata");
    } else if (std::find(seen.begin(), seen.end(), text) != seen.end()) {
      errors.duplicate(at, text);
    } else {
      const JsonObject* field = objectIn(objectIn(version, "schema"), "openAPIV3Schema");
      string rest = text.substr(1);
      while (field && !rest.empty()) {
        size_t dot = rest.find('.');
        field = objectIn(objectIn(field, "properties"), rest.substr(0, dot));
        rest = dot == string::npos ? string() : rest.substr(dot + 1);
      }
      auto type = wordIn(field, "type");
      if (type != "string" && type != "boolean" && type != "integer")
        errors.invalid(at, text, "must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.");
    }
    seen.push_back(text);
  }
}

void checkDeprecation(const JsonObject* version, const string& path, ErrorList& errors) {
  auto* warning = get(version, "deprecationWarning");
  if (!warning || !warning->is_string()) return;
  string text(view(warning->get_string()));
  if (!flagIn(version, "deprecated")) return errors.invalid(path, text, "can only be set for deprecated versions");
  if (text.empty()) errors.invalid(path, text, "must not be an empty string");
  if (text.size() > 256) errors.invalid(path, text, "must be <= 256 characters long");
  for (size_t i = 0; i < text.size(); ++i) {
    if (static_cast<unsigned char>(text[i]) >= ' ' && text[i] != 127) continue;
    errors.invalid(path, text, "must only contain printable UTF-8 characters; non-printable character found at index " + std::to_string(i));
    break;
  }
}

bool hasDefaults(const Json& v) {
  if (auto* o = v.if_object()) {
    for (auto& kv : *o) {
      if (kv.key() == "default") return true;
      if (kv.key() != "enum" && kv.key() != "example" && hasDefaults(kv.value())) return true;
    }
  } else if (auto* a = v.if_array()) {
    for (auto& item : *a)
      if (hasDefaults(item)) return true;
  }
  return false;
}

bool allHaveSchemas(const JsonObject* spec) {
  auto* versions = arrayIn(spec, "versions");
  for (size_t i = 0; versions && i < versions->size(); ++i)
    if (!objectIn(objectIn((*versions)[i].if_object(), "schema"), "openAPIV3Schema")) return false;
  return true;
}

bool anyDefaults(const JsonObject* spec) {
  auto* versions = arrayIn(spec, "versions");
  for (size_t i = 0; versions && i < versions->size(); ++i)
    if (auto* schema = get(objectIn((*versions)[i].if_object(), "schema"), "openAPIV3Schema"); schema && hasDefaults(*schema)) return true;
  return false;
}

struct VersionRules {
  bool schema, defaults, keepUnknown;
};

void checkVersion(const JsonObject* v, const string& path, const VersionRules& rules, ErrorList& errors) {
  auto name = wordIn(v, "name");
  if (auto why = checkDns1035Label(name); !why.empty()) errors.invalid(path + ".name", name, why);
  checkDeprecation(v, path + ".deprecationWarning", errors);
  auto* schema = get(objectIn(v, "schema"), "openAPIV3Schema");
  auto at = path + ".schema.openAPIV3Schema";
  auto* sub = objectIn(v, "subresources");
  if (!schema) {
    if (rules.schema) errors.required(at, "schemas are required");
    else if (!rules.keepUnknown && flagIn(v, "served")) errors.required(at, "because otherwise all fields are pruned");
  } else {
    validateSchema(*schema, at, {.defaults = rules.defaults, .status = get(sub, "status") != nullptr, .structural = !rules.keepUnknown || hasDefaults(*schema)}, errors);
  }
  if (auto* scale = objectIn(sub, "scale")) checkScale(scale, path + ".subresources.scale", errors);
  auto* columns = arrayIn(v, "additionalPrinterColumns");
  for (size_t i = 0; columns && i < columns->size(); ++i)
    checkColumn((*columns)[i].if_object(), indexed(path + ".additionalPrinterColumns", i), errors);
  checkSelectable(v, path + ".selectableFields", errors);
}

void checkVersions(const JsonObject* spec, const DefinitionContext& context, ErrorList& errors) {
  auto* was = context.old ? objectIn(context.old->if_object(), "spec") : nullptr;
  VersionRules rules;
  rules.keepUnknown = flagIn(spec, "preserveUnknownFields");
  rules.schema = !context.v1beta1 && (!was || allHaveSchemas(was));
  rules.defaults = !context.v1beta1 || (was && anyDefaults(was));
  auto* versions = arrayIn(spec, "versions");
  size_t storage = 0;
  std::vector<string> seen;
  bool unique = true;
  for (size_t i = 0; versions && i < versions->size(); ++i) {
    auto* v = (*versions)[i].if_object();
    storage += flagIn(v, "storage");
    auto name = wordIn(v, "name");
    unique = unique && std::find(seen.begin(), seen.end(), name) == seen.end();
    seen.push_back(name);
    checkVersion(v, indexed("spec.versions", i), rules, errors);
  }
  auto shown = [&] {
    string out;
    for (auto& name : seen) out += (out.empty() ? "" : " ") + name;
    return "[" + out + "]";
  };
  if (!unique) errors.invalidRaw("spec.versions", shown(), "must contain unique version names");
  if (storage != 1) errors.invalidRaw("spec.versions", shown(), "must have exactly one version marked as storage version");
  if (rules.keepUnknown && anyDefaults(spec)) errors.invalidRaw("spec.preserveUnknownFields", "true", "must be false in order to use defaults in the schema");
}

void checkConversion(const JsonObject* spec, ErrorList& errors) {
  auto* conversion = objectIn(spec, "conversion");
  if (!conversion) return;
  auto strategy = wordIn(conversion, "strategy");
  if (strategy == "Webhook") return errors.notSupported("spec.conversion.strategy", strategy, {"None"});
  checkOneOf(strategy, {"None", "Webhook"}, "spec.conversion.strategy", errors);
  if (get(conversion, "webhook")) errors.forbidden("spec.conversion.webhook", "should not be set when strategy is not set to Webhook");
}

void checkStoredVersions(const JsonObject* root, ErrorList& errors) {
  auto* stored = arrayIn(objectIn(root, "status"), "storedVersions");
  auto* versions = arrayIn(objectIn(root, "spec"), "versions");
  if (!stored || stored->empty()) return errors.invalidRaw("status.storedVersions", "[]", "must have at least one stored version");
  for (size_t i = 0; versions && i < versions->size(); ++i) {
    auto* v = (*versions)[i].if_object();
    Json name = wordIn(v, "name").c_str();
    if (flagIn(v, "storage") && std::find(stored->begin(), stored->end(), name) == stored->end())
      errors.invalidRaw("status.storedVersions", toText(Json(*stored)), "must have the storage version " + wordIn(v, "name"));
  }
  for (size_t i = 0; i < stored->size(); ++i) {
    bool known = false;
    for (size_t k = 0; versions && k < versions->size(); ++k)
      known = known || ((*stored)[i].is_string() && wordIn((*versions)[k].if_object(), "name") == view((*stored)[i].get_string()));
    if (!known) errors.invalid(indexed("status.storedVersions", i), (*stored)[i].is_string() ? string(view((*stored)[i].get_string())) : string(), "must appear in spec.versions");
  }
}

void checkImmutable(const JsonObject* spec, const Json& old, ErrorList& errors) {
  auto* was = objectIn(old.if_object(), "spec");
  auto same = [&](const JsonObject* now, const JsonObject* before, const char* field, const string& path) {
    auto a = wordIn(now, field), b = wordIn(before, field);
    if (a != b) errors.invalid(path + field, a, "field is immutable");
  };
  auto *names = objectIn(spec, "names"), *wasNames = objectIn(was, "names");
  if (conditionTrue(old, "Established")) {
    same(spec, was, "scope", "spec.");
    same(names, wasNames, "kind", "spec.names.");
  }
  same(spec, was, "group", "spec.");
  same(names, wasNames, "plural", "spec.names.");
}

// Groups that belong to the project itself need its approval.
void checkApproval(const JsonObject* root, ErrorList& errors) {
  auto group = wordIn(objectIn(root, "spec"), "group");
  bool guarded = group == "k8s.io" || group.ends_with(".k8s.io") || group == "kubernetes.io" || group.ends_with(".kubernetes.io");
  if (!guarded) return;
  constexpr std::string_view kKey = "api-approved.kubernetes.io";
  auto value = wordIn(objectIn(objectIn(root, "metadata"), "annotations"), kKey);
  auto path = "metadata.annotations[" + string(kKey) + "]";
  if (value.empty()) errors.required(path, "protected groups must have approval annotation \"" + string(kKey) + "\"");
  else if (!value.starts_with("unapproved") && value.find("://") == string::npos) errors.invalid(path, value, "protected groups must have approval annotation \"" + string(kKey) + "\" with either a URL or a reason starting with \"unapproved\"");
}

}  // namespace

void validateDefinition(const Json& definition, const DefinitionContext& context, ErrorList& errors) {
  auto* root = definition.if_object();
  auto* spec = objectIn(root, "spec");
  auto group = wordIn(spec, "group"), plural = wordIn(objectIn(spec, "names"), "plural");
  if (auto name = wordIn(objectIn(root, "metadata"), "name"); name != plural + "." + group)
    errors.invalid("metadata.name", name, "must be spec.names.plural+\".\"+spec.group");
  if (group.empty()) errors.required("spec.group");
  else if (auto why = checkDnsSubdomain(group); !why.empty()) errors.invalid("spec.group", group, why);
  else if (group.find('.') == string::npos) errors.invalid("spec.group", group, "should be a domain with at least one dot");
  checkOneOf(wordIn(spec, "scope"), {"Cluster", "Namespaced"}, "spec.scope", errors);
  bool wasOpen = context.old && flagIn(objectIn(context.old->if_object(), "spec"), "preserveUnknownFields");
  if (flagIn(spec, "preserveUnknownFields") && !context.v1beta1 && !wasOpen)
    errors.invalidRaw("spec.preserveUnknownFields", "true",
                      "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead");
  checkVersions(spec, context, errors);
  checkNames(objectIn(spec, "names"), "spec.names", true, errors);
  checkNames(objectIn(objectIn(root, "status"), "acceptedNames"), "status.acceptedNames", false, errors);
  checkConversion(spec, errors);
  if (context.old) checkImmutable(spec, *context.old, errors);
  checkStoredVersions(root, errors);
  checkApproval(root, errors);
}

}  // namespace ph::api::custom
