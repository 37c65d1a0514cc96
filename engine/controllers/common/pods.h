// What controllers ask of pods, and how they claim what their selector matches.
// Threads: pure.
#pragma once

#include <initializer_list>
#include <optional>
#include <string_view>
#include <vector>

#include "engine/api/selector.h"
#include "engine/api/types/core.h"
#include "engine/api/types/meta.h"
#include "engine/controllers/snapshot.h"

namespace ph::controllers {

inline const api::core::Pod& podOf(const ObjectPtr& object) {
  return object->as<api::core::Pod>();
}

// Neither ended nor being deleted: it counts as a copy.
bool podActive(const ObjectPtr& pod);
const api::core::PodCondition* podCondition(const api::core::Pod& pod, std::string_view type);
bool podReady(const ObjectPtr& pod);
// Ready for at least `minReady`. When it is ready but not yet that long, `until` (if given) becomes the time
// left.
bool podAvailable(const ObjectPtr& pod, Duration minReady, WallTime now,
                  std::optional<Duration>* until = nullptr);

// Sorts so that the pods to delete first come first, as Kubernetes' ReplicaSet chooses: unassigned, then
// pending, not ready, cheap by controller.kubernetes.io/pod-deletion-cost, crowded on their node, ready for
// less long, restarted more, newer. `neighbours` are the active pods of the same application on all nodes.
void sortForDeletion(std::vector<ObjectPtr>& pods, const std::vector<ObjectPtr>& neighbours);

api::LabelSelector selectorOf(const api::meta::LabelSelector& selector);

// The dependents of one kind that `owner` controls. Adds to `plan` the adoption of matching ones without a
// controller and the release of those that no longer match; neither when `owner` is being deleted. Adopted
// ones count from the next look on.
std::vector<ObjectPtr> claim(const Snapshot& snapshot, const ObjectPtr& owner, const ResourceInfo* kind,
                             const api::LabelSelector& selector, Plan& plan);

// metadata.ownerReferences' entry that makes `owner` the controller.
Json controllerReference(const api::Object& owner);
// Moves these fields of a template's metadata to that of what is made of it.
void takeMeta(Json& from, std::initializer_list<std::string_view> fields, JsonObject& meta);
// The member as an object, made when it is none.
JsonObject& ensureObject(JsonObject& in, std::string_view key);

}  // namespace ph::controllers
