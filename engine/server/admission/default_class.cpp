#include "engine/server/admission/default_class.h"

#include <algorithm>

#include "engine/server/json_util.h"

namespace ph::server {
namespace {

bool isDefault(const api::Object& cls, std::span<const std::string_view> annotations) {
  // Most are not: no tree is needed to see that.
  if (cls.stored().find("is-default-class") == std::string::npos) return false;
  Json tree = cls.tree();
  auto* metadata = objectAt(tree, "metadata");
  auto* given = metadata ? metadata->if_contains("annotations") : nullptr;
  auto* list = given ? given->if_object() : nullptr;
  return std::any_of(annotations.begin(), annotations.end(), [&](auto name) { return textAt(list, name) == "true"; });
}

}  // namespace

api::ObjectPtr defaultClass(const Core& core, std::string_view group, std::string_view plural, std::span<const std::string_view> annotations) {
  api::ObjectPtr found;
  auto* info = core.registry->storage(group, plural);
  if (!info) return found;
  auto snapshot = core.cache->snapshot(*info);
  for (auto& [name, cls] : snapshot.objects)
    if (isDefault(*cls, annotations) && (!found || cls->meta().created > found->meta().created)) found = cls;
  return found;
}

}  // namespace ph::server
