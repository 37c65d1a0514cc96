#include "engine/api/openapi.h"

#include "engine/api/codec.h"
#include "engine/api/custom/kind.h"
#include "engine/api/openapi_build.h"

namespace ph::api {
namespace {

using openapi::Definitions;
using openapi::Version;

// FNV-1a, 64 bits, as hex: enough to tell one document from another.
std::string fingerprint(const std::string& text) {
  uint64_t h = 14695981039346656037ull;
  for (unsigned char c : text) h = (h ^ c) * 1099511628211ull;
  static constexpr char hex[] = "0123456789ABCDEF";
  std::string out;
  for (int i = 60; i >= 0; i -= 4) out += hex[h >> i & 15];
  return out;
}

JsonObject info(const std::string& version) { return {{"title", "Pilothouse"}, {"version", version}}; }

}  // namespace

OpenApi makeOpenApi(const Registry& registry, const std::string& version) {
  OpenApi out;
  auto all = registry.all();
  std::erase_if(all, [](auto* r) { return r->custom && !r->custom->served; });
  {
    Definitions definitions(registry, Version::V2);
    JsonObject paths;
    for (auto* r : all) openapi::addPaths(*r, Version::V2, definitions, paths);
    Json document = JsonObject{{"swagger", "2.0"}, {"info", info(version)}, {"paths", std::move(paths)}, {"definitions", definitions.take()}};
    out.v2Json = toText(document);
    out.v2Protobuf = openapi::toProtobuf(document);
  }
  JsonObject index;
  for (auto& [group, versions] : registry.groupVersions())
    for (auto& v : versions) {
      Definitions definitions(registry, Version::V3);
      JsonObject paths;
      for (auto* r : all)
        if (r->group == group && r->version == v) openapi::addPaths(*r, Version::V3, definitions, paths);
      Json document = JsonObject{{"openapi", "3.0.0"},
                                 {"info", info(version)},
                                 {"paths", std::move(paths)},
                                 {"components", JsonObject{{"schemas", definitions.take()}}}};
      auto key = group.empty() ? "api/" + v : "apis/" + group + "/" + v;
      auto text = toText(document);
      index[key] = JsonObject{{"serverRelativeURL", "/openapi/v3/" + key + "?hash=" + fingerprint(text)}};
      out.v3[key] = std::move(text);
    }
  out.v3Index = toText(JsonObject{{"paths", std::move(index)}});
  out.etag = fingerprint(out.v2Json + out.v3Index);
  return out;
}

}  // namespace ph::api
