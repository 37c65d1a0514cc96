#include "engine/controllers/autoscaling/scale_target.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string_view>

namespace ph::controllers::autoscaling {
namespace {

// nullopt: not an apiVersion.
std::optional<std::string_view> groupOf(const std::string& apiVersion) {
  auto slash = apiVersion.find('/');
  if (slash == apiVersion.npos) return std::string_view();
  if (apiVersion.find('/', slash + 1) != apiVersion.npos) return std::nullopt;
  return std::string_view(apiVersion).substr(0, slash);
}

Result<const ResourceInfo*> kindOf(const api::Registry& registry, const Reference& reference) {
  auto group = groupOf(reference.apiVersion);
  if (!group) return Status::badRequest(fmt::format("\"{}\" is not an apiVersion", reference.apiVersion));
  for (auto* info : registry.all()) {
    if (info->group != *group || info->kind != reference.kind) continue;
    auto* kind = registry.stored(*info);
    if (kind->scale.specReplicas.empty() || !kind->namespaced)
      return Status::notFound(fmt::format("{} has no scale", kind->groupResource()));
    return kind;
  }
  return Status::notFound(fmt::format("there is no kind {} in the group \"{}\"", reference.kind, *group));
}

const Json* at(const Json& tree, std::string_view path) {
  if (path.starts_with('.')) path.remove_prefix(1);
  return path.empty() ? nullptr : api::at(tree, path);
}

int32_t replicasOf(const Json* value) {
  if (!value) return 0;
  if (auto* n = value->if_int64()) return int32_t(std::clamp<int64_t>(*n, 0, INT32_MAX));
  auto* n = value->if_uint64();
  return n ? int32_t(std::min<uint64_t>(*n, INT32_MAX)) : 0;
}

Result<api::LabelSelector> selectorOf(const Json* value) {
  auto selector = api::LabelSelector::fromAny(value);
  if (selector.ok() && (!value || selector->terms().empty())) return Status::notFound("the target has no selector");
  return selector;
}

}  // namespace

Result<ScaleTarget> findTarget(const Snapshot& snapshot, const Reference& reference, const std::string& ns) {
  PH_ASSIGN(auto* kind, kindOf(snapshot.registry(), reference));
  if (!snapshot.synced(kind)) return Status::unavailable(fmt::format("{} are not known yet", kind->groupResource()));
  auto object = snapshot.get(kind, ns + "/" + reference.name);
  if (!object) return Status::notFound(fmt::format("{} \"{}\" not found", kind->groupResource(), reference.name));
  Json tree = object->tree();
  return ScaleTarget{object, kind, replicasOf(at(tree, kind->scale.specReplicas)),
                     selectorOf(at(tree, kind->scale.labelSelector))};
}

bool names(const Reference& reference, const api::Object& object) {
  return reference.name == object.name() && reference.kind == object.info().kind && groupOf(reference.apiVersion) == object.info().group;
}

}  // namespace ph::controllers::autoscaling
