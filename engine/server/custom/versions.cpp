#include "engine/server/custom/versions.h"

#include "engine/api/custom/kind.h"

namespace ph::server {

ObjectPtr inVersion(const ObjectPtr& object, const ResourceInfo& want) {
  if (!object || &object->info() == &want) return object;
  api::Json tree = object->tree();
  auto& is = object->info();
  if (is.version != want.version || is.group != want.group) {
    if (is.conversion && is.conversion->toStored) is.conversion->toStored(tree);
    if (want.conversion && want.conversion->fromStored) want.conversion->fromStored(tree);
  }
  if (want.custom && want.storedVersion) want.custom->restore(tree);
  return api::Object::make(&want, tree, object->revision());
}

const ResourceInfo& newest(const api::Registry& registry, const ResourceInfo& info) {
  if (!info.custom) return info;
  auto* now = registry.find(info.group, info.version, info.plural);
  return now ? *now : info;
}

}  // namespace ph::server
