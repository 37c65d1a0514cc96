// CustomResourceDefinitions of v1beta1: what v1 has for each version may stand once for all of them there.
#include "engine/api/conversions/conversions.h"

namespace ph::api::conversions {
namespace {

using strategies::ensureObject;
using strategies::setDefault;

constexpr std::pair<std::string_view, std::string_view> kShared[] = {
    {"validation", "schema"}, {"subresources", "subresources"}, {"additionalPrinterColumns", "additionalPrinterColumns"}};

JsonArray& versionsOf(JsonObject& spec) {
  Json& versions = spec["versions"];
  if (!versions.is_array()) versions.emplace_array();
  return versions.get_array();
}

void renameColumns(JsonObject& version, std::string_view from, std::string_view to) {
  auto* columns = version.if_contains("additionalPrinterColumns");
  if (!columns || !columns->is_array()) return;
  for (auto& c : columns->get_array())
    if (auto* o = c.if_object()) rename(*o, from, to);
}

void toStored(Json& tree) {
  auto& spec = ensureObject(tree, "spec");
  setDefault(spec, "scope", "Namespaced");
  setDefault(spec, "preserveUnknownFields", true);
  Json only = take(spec, "version");
  auto& versions = versionsOf(spec);
  if (versions.empty() && only.is_string()) versions.push_back(JsonObject{{"name", only}, {"served", true}, {"storage", true}});
  for (auto& [top, own] : kShared) {
    Json shared = take(spec, top);
    if (shared.is_null()) continue;
    for (auto& v : versions)
      if (auto* o = v.if_object(); o && !o->contains(own)) (*o)[own] = shared;
  }
  for (auto& v : versions)
    if (auto* o = v.if_object()) renameColumns(*o, "JSONPath", "jsonPath");
  auto* conversion = objectIn(tree, "spec.conversion");
  if (!conversion) return;
  Json config = take(*conversion, "webhookClientConfig"), reviews = take(*conversion, "conversionReviewVersions");
  if (config.is_null() && reviews.is_null()) return;
  JsonObject webhook;
  if (!config.is_null()) webhook["clientConfig"] = std::move(config);
  if (!reviews.is_null()) webhook["conversionReviewVersions"] = std::move(reviews);
  (*conversion)["webhook"] = std::move(webhook);
}

void fromStored(Json& tree) {
  auto& spec = ensureObject(tree, "spec");
  auto& versions = versionsOf(spec);
  for (auto& v : versions)
    if (auto* o = v.if_object()) renameColumns(*o, "jsonPath", "JSONPath");
  for (auto& [top, own] : kShared) {
    // Once for all where all agree: that is how v1beta1 wants it.
    const Json* first = versions.empty() ? nullptr : at(versions.front(), own);
    bool same = first != nullptr;
    for (auto& v : versions) {
      auto* one = at(v, own);
      same = same && one && *one == *first;
    }
    if (!same) continue;
    spec[top] = Json(*first);
    for (auto& v : versions) v.get_object().erase(own);
  }
  if (!versions.empty())
    if (auto* name = at(versions.front(), "name")) spec["version"] = Json(*name);
  setDefault(spec, "preserveUnknownFields", false);
  auto* conversion = objectIn(tree, "spec.conversion");
  Json webhook = conversion ? take(*conversion, "webhook") : Json(nullptr);
  auto* w = webhook.if_object();
  if (!w) return;
  if (auto* config = w->if_contains("clientConfig")) (*conversion)["webhookClientConfig"] = *config;
  if (auto* reviews = w->if_contains("conversionReviewVersions")) (*conversion)["conversionReviewVersions"] = *reviews;
}

}  // namespace

const Conversion customDefinitionV1beta1{.toStored = toStored, .fromStored = fromStored};

}  // namespace ph::api::conversions
