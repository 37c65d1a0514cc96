#include "engine/controllers/volumeprotection/volumeprotection.h"

#include <algorithm>

#include "engine/api/volumes.h"
#include "engine/controllers/common/pods.h"

namespace ph::controllers {
namespace {

constexpr std::string_view kClaim = "kubernetes.io/pvc-protection", kVolume = "kubernetes.io/pv-protection";

bool holds(const api::Object& object, std::string_view finalizer) {
  auto& list = object.meta().finalizers;
  return std::find(list.begin(), list.end(), finalizer) != list.end();
}

void takeOff(const api::Object& object, std::string_view finalizer, Plan& plan) {
  JsonArray left;
  for (auto& f : object.meta().finalizers)
    if (f != finalizer) left.emplace_back(f);
  Json value = left.empty() ? Json(nullptr) : Json(std::move(left));
  plan.patch(object, JsonObject{{"metadata", JsonObject{{"finalizers", std::move(value)}}}});
}

// Until they have ended.
void claimsOf(const ObjectPtr& object, std::vector<std::string>& out) {
  auto& pod = podOf(object);
  if (pod.status.phase == "Succeeded" || pod.status.phase == "Failed") return;
  for (auto& name : api::claimsOf(object->name(), pod.spec)) out.push_back(object->ns() + "/" + name);
}

}  // namespace

Plan reconcileClaimProtection(const Snapshot& snapshot, const Key& key, Moment) {
  Plan plan;
  auto& kinds = snapshot.kinds();
  ObjectPtr claim = snapshot.get(kinds.claims, key.text);
  if (!claim || !claim->meta().deleting || !holds(*claim, kClaim)) return plan;
  std::string prefix = claim->ns() + "/";
  std::vector<std::string> used;
  for (auto& [podKey, pod] : snapshot.all(kinds.pods).prefix(prefix)) claimsOf(pod, used);
  if (std::find(used.begin(), used.end(), key.text) == used.end()) takeOff(*claim, kClaim, plan);
  return plan;
}

Plan reconcileVolumeProtection(const Snapshot& snapshot, const Key& key, Moment) {
  Plan plan;
  ObjectPtr volume = snapshot.get(snapshot.kinds().volumes, key.text);
  if (!volume || !volume->meta().deleting || !holds(*volume, kVolume)) return plan;
  if (volume->as<api::core::PersistentVolume>().status.phase != "Bound") takeOff(*volume, kVolume, plan);
  return plan;
}

ControllerSpec claimProtectionController(const Kinds& kinds) {
  ControllerSpec spec;
  spec.name = "pvc-protection-controller";
  spec.watches = {{kinds.claims, keySelf}, {kinds.pods, [](const Snapshot&, const client::Change& c, Keys& keys) {
                                              // One that ended or went may have been the last that used it.
                                              if (c.old) claimsOf(c.old, keys);
                                            }}};
  spec.reconcile = reconcileClaimProtection;
  return spec;
}

ControllerSpec volumeProtectionController(const Kinds& kinds) {
  ControllerSpec spec;
  spec.name = "pv-protection-controller";
  spec.watches = {{kinds.volumes, keySelf}};
  spec.reconcile = reconcileVolumeProtection;
  return spec;
}

}  // namespace ph::controllers
