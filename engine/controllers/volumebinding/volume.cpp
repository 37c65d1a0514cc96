#include <fmt/format.h>

#include "engine/api/volumes.h"
#include "engine/controllers/common/pods.h"
#include "engine/controllers/volumebinding/volumebinding.h"

namespace ph::controllers {
namespace {

using api::core::PersistentVolume;
using api::core::PersistentVolumeClaim;

void setPhase(const ObjectPtr& object, const char* phase, Moment now, Plan& plan, const std::string& message = {}) {
  auto& status = object->as<PersistentVolume>().status;
  if (status.phase == phase && status.message == message) return;
  JsonObject next{{"phase", phase}, {"message", message.empty() ? Json(nullptr) : Json(message)}};
  if (status.phase != phase) next["lastPhaseTransitionTime"] = formatTime(now.wall);
  plan.patchNewest(*object, JsonObject{{"status", std::move(next)}}, "status");
}

// Its claim is gone. Data is never deleted here: where the policy asks for it, the volume says where the data is.
void release(const ObjectPtr& object, Moment now, Plan& plan) {
  auto& volume = object->as<PersistentVolume>();
  if (volume.spec.persistentVolumeReclaimPolicy != "Delete" || volume.spec.csi) return setPhase(object, "Released", now, plan);
  auto place = api::folderOf(volume);
  auto why = place.empty() ? std::string("no controller here deletes what such a volume holds")
                           : fmt::format("the data in {} is not deleted by itself: remove it there, then delete this object", place);
  if (volume.status.phase != "Failed")
    plan.notes.push_back({client::ObjectReference::to(*object), "Warning", "VolumeFailedDelete", why});
  setPhase(object, "Failed", now, plan, why);
}

}  // namespace

Plan reconcileVolume(const Snapshot& snapshot, const Key& key, Moment now) {
  Plan plan;
  auto& kinds = snapshot.kinds();
  ObjectPtr object = snapshot.get(kinds.volumes, key.text);
  if (!object) return plan;
  auto& volume = object->as<PersistentVolume>();
  auto& ref = volume.spec.claimRef;
  if (!ref) return setPhase(object, "Available", now, plan), plan;
  ObjectPtr claim = snapshot.get(kinds.claims, ref->namespace_ + "/" + ref->name);
  // Kept for a claim that has not come yet.
  if (ref->uid.empty() && (!claim || claim->as<PersistentVolumeClaim>().spec.volumeName != object->name()))
    return setPhase(object, "Available", now, plan), plan;
  if (!claim || !api::heldBy(volume, *claim)) return release(object, now, plan), plan;
  auto& chosen = claim->as<PersistentVolumeClaim>().spec.volumeName;
  if (chosen == object->name()) return setPhase(object, "Bound", now, plan), plan;
  if (chosen.empty()) return plan;  // the claim is about to say so
  // The claim has found another: this one is free again, unless it was made for it.
  if (!volume.metadata.annotations.contains(api::kProvisionedBy))
    plan.patch(*object, JsonObject{{"spec", {{"claimRef", nullptr}}}});
  else
    release(object, now, plan);
  return plan;
}

ControllerSpec volumeBindingController(const Kinds& kinds) {
  ControllerSpec spec;
  spec.name = "persistentvolume-phases";
  spec.watches = {{kinds.volumes, keySelf}, {kinds.claims, [](const Snapshot& s, const client::Change& c, Keys& keys) {
                    auto name = c.any()->as<PersistentVolumeClaim>().spec.volumeName;
                    if (!name.empty()) keys.push_back(std::move(name));
                    if (c.now && c.old) return;
                    for (auto& [key, volume] : s.all(s.kinds().volumes))
                      if (auto& ref = volume->as<PersistentVolume>().spec.claimRef; ref && ref->namespace_ == c.any()->ns() && ref->name == c.any()->name())
                        keys.push_back(key);
                  }}};
  spec.reconcile = reconcileVolume;
  return spec;
}

}  // namespace ph::controllers
