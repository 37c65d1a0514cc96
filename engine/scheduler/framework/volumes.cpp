#include "engine/scheduler/framework/volumes.h"

#include <fmt/format.h>

#include "engine/api/volumes.h"

namespace ph::scheduler {

namespace core = api::core;

void Volumes::use(const PodInfo& pod, const std::string& node, int by) {
  for (auto& claim : pod.claims) {
    auto& nodes = users_[pod.ns + "/" + claim];
    if ((nodes[node] += by) <= 0) nodes.erase(node);
    if (nodes.empty()) users_.erase(pod.ns + "/" + claim);
  }
}

ClaimNeeds Volumes::needsOf(const std::string& ns, const std::string& name) const {
  ClaimNeeds needs;
  std::string key = ns + "/" + name;
  auto it = claims_.find(key);
  if (it == claims_.end()) {
    needs.problem = fmt::format("persistentvolumeclaim \"{}\" not found", name);
    return needs;
  }
  auto& claim = it->second->as<core::PersistentVolumeClaim>();
  if (it->second->meta().deleting) {
    needs.problem = fmt::format("persistentvolumeclaim \"{}\" is being deleted", name);
    return needs;
  }
  if (claim.status.phase == "Lost") {
    needs.problem = fmt::format("persistentvolumeclaim \"{}\" bound to non-existent persistentvolume \"{}\"", name, claim.spec.volumeName);
    return needs;
  }
  auto users = users_.find(key);
  if (!claim.spec.volumeName.empty()) {
    auto volume = volumes_.find(claim.spec.volumeName);
    bool there = volume != volumes_.end() && api::heldBy(volume->second->as<core::PersistentVolume>(), *it->second);
    if (!there) needs.problem = "pod has unbound immediate PersistentVolumeClaims";
    else needs.volumes.push_back(volume->second);
    needs.bound = there;
    return needs;
  }
  auto known = classes_.find(api::classOf(claim));
  auto* storageClass = known == classes_.end() ? nullptr : &known->second->as<api::storage::StorageClass>();
  if (!storageClass || !api::waitsForConsumer(*storageClass)) {
    needs.problem = "pod has unbound immediate PersistentVolumeClaims";
    return needs;
  }
  if (users != users_.end()) needs.onlyNode = users->second.begin()->first;
  // Where none of the volumes that are there will do, ours is made where the pod goes.
  if (storageClass->provisioner == api::kLocalProvisioner) return needs;
  for (auto& [volumeName, volume] : volumes_)
    if (api::isFree(*volume) && api::satisfies(*volume, claim)) needs.volumes.push_back(volume);
  if (needs.volumes.empty()) needs.problem = "node(s) didn't find available persistent volumes to bind";
  return needs;
}

}  // namespace ph::scheduler
