#include <algorithm>

#include "engine/api/quantity.h"
#include "engine/api/strategies/containers.h"

namespace ph::api::strategies {
namespace {

void validateItems(const JsonArray& items, const std::string& path, ErrorList& errors) {
  for (size_t i = 0; i < items.size(); ++i) {
    auto at = indexed(path, i);
    auto key = text(str(items[i], "key")), place = text(str(items[i], "path"));
    if (!place.empty()) checkRelativePath(place, at + ".path", errors);
    if (key.empty()) continue;
    if (auto why = checkConfigKey(key); !why.empty()) errors.invalid(at + ".key", key, why);
  }
}

void requireText(const Json& volume, const std::string& source, const char* field, const std::string& path, ErrorList& errors) {
  if (str(volume, source + "." + field).empty()) errors.required(path + "." + source + "." + field);
}

void validateDownward(const JsonArray& items, const std::string& path, ErrorList& errors) {
  for (size_t i = 0; i < items.size(); ++i) {
    auto at = indexed(path, i);
    auto place = text(str(items[i], "path"));
    if (!place.empty()) checkRelativePath(place, at + ".path", errors);
    int refs = has(items[i], "fieldRef") + has(items[i], "resourceFieldRef");
    if (refs == 0) errors.required(at, "one of fieldRef and resourceFieldRef is required");
    if (refs > 1) errors.invalid(at, "resource", "fieldRef and resourceFieldRef can not be specified simultaneously");
  }
}

void validateProjected(const Json& volume, const std::string& path, ErrorList& errors) {
  auto& sources = list(volume, "projected.sources");
  Names places;
  for (size_t i = 0; i < sources.size(); ++i) {
    auto at = indexed(path + ".projected.sources", i);
    auto& kinds = object(volume, "projected.sources." + std::to_string(i));
    if (kinds.size() > 1) errors.forbidden(at, "may not specify more than 1 volume type");
    for (auto* kind : {"secret", "configMap"}) {
      if (!has(sources[i], kind)) continue;
      if (str(sources[i], std::string(kind) + ".name").empty()) errors.required(at + "." + kind + ".name");
      validateItems(list(sources[i], std::string(kind) + ".items"), at + "." + kind + ".items", errors);
    }
    if (has(sources[i], "downwardAPI")) validateDownward(list(sources[i], "downwardAPI.items"), at + ".downwardAPI.items", errors);
    if (has(sources[i], "serviceAccountToken")) {
      auto place = text(str(sources[i], "serviceAccountToken.path"));
      if (!place.empty() && !places.insert(place).second) errors.invalid(at + ".serviceAccountToken.path", place, "conflicting duplicate paths");
    }
  }
}

void validateSource(const Json& volume, const std::string& kind, const std::string& path, ErrorList& errors) {
  auto items = [&](const char* source) { validateItems(list(volume, std::string(source) + ".items"), path + "." + source + ".items", errors); };
  if (kind == "secret") {
    requireText(volume, kind, "secretName", path, errors);
    items("secret");
  } else if (kind == "configMap") {
    requireText(volume, kind, "name", path, errors);
    items("configMap");
  } else if (kind == "hostPath") {
    auto place = str(volume, "hostPath.path");
    if (place.find("..") == 0 || place.find("/../") != std::string_view::npos || place.ends_with("/.."))
      errors.invalid(path + ".hostPath.path", text(place), "must not contain '..'");
  } else if (kind == "emptyDir") {
    auto limit = Quantity::parse(str(volume, "emptyDir.sizeLimit"));
    if (limit && limit->negative()) errors.forbidden(path + ".emptyDir.sizeLimit", "SizeLimit field must be a valid resource quantity");
  } else if (kind == "nfs") {
    auto place = str(volume, "nfs.path");
    if (!place.empty() && !place.starts_with('/')) errors.invalid(path + ".nfs.path", text(place), "must be an absolute path");
  } else if (kind == "downwardAPI") {
    validateDownward(list(volume, "downwardAPI.items"), path + ".downwardAPI.items", errors);
  } else if (kind == "projected") {
    validateProjected(volume, path, errors);
  }
}

}  // namespace

Names validateVolumes(const Json& spec, const std::string& path, ErrorList& errors) {
  Names names;
  auto& volumes = list(spec, "volumes");
  for (size_t i = 0; i < volumes.size(); ++i) {
    auto at = indexed(path + ".volumes", i);
    auto name = text(str(volumes[i], "name"));
    if (!name.empty()) {
      if (auto why = checkDnsLabel(name); !why.empty()) errors.invalid(at + ".name", name, why);
      else if (!names.insert(name).second) errors.duplicate(at + ".name", name);
    }
    int sources = 0;
    if (!volumes[i].is_object()) continue;
    for (auto& kv : volumes[i].get_object()) {
      if (kv.key() == "name") continue;
      auto kind = text(view(kv.key()));
      if (++sources > 1) errors.forbidden(at + "." + kind, "may not specify more than 1 volume type");
      else validateSource(volumes[i], kind, at, errors);
    }
    if (sources == 0) errors.required(at, "must specify a volume type");
  }
  return names;
}

}  // namespace ph::api::strategies
