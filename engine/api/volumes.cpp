#include "engine/api/volumes.h"

#include <algorithm>

#include "engine/api/codec.h"
#include "engine/api/node_match.h"
#include "engine/api/selector.h"

namespace ph::api {

std::string claimOf(std::string_view podName, const core::Volume& volume) {
  if (volume.persistentVolumeClaim) return volume.persistentVolumeClaim->claimName;
  return volume.ephemeral ? std::string(podName) + "-" + volume.name : std::string();
}

std::vector<std::string> claimsOf(std::string_view podName, const core::PodSpec& spec) {
  std::vector<std::string> out;
  for (auto& v : spec.volumes)
    if (auto name = claimOf(podName, v); !name.empty()) out.push_back(std::move(name));
  return out;
}

std::string classOf(const core::PersistentVolumeClaim& claim) { return claim.spec.storageClassName.value_or(""); }

bool waitsForConsumer(const storage::StorageClass& c) { return c.volumeBindingMode.value_or("") == "WaitForFirstConsumer"; }

bool heldBy(const core::PersistentVolume& volume, const Object& claim) {
  auto& ref = volume.spec.claimRef;
  return ref && ref->namespace_ == claim.ns() && ref->name == claim.name() && (ref->uid.empty() || ref->uid == claim.uid());
}

bool satisfies(const Object& object, const core::PersistentVolumeClaim& claim) {
  auto& volume = object.as<core::PersistentVolume>();
  if (volume.spec.storageClassName != classOf(claim)) return false;
  if (volume.spec.volumeMode.value_or("Filesystem") != claim.spec.volumeMode.value_or("Filesystem")) return false;
  auto& modes = volume.spec.accessModes;
  for (auto& mode : claim.spec.accessModes)
    if (std::find(modes.begin(), modes.end(), mode) == modes.end()) return false;
  auto have = volume.spec.capacity.find("storage");
  auto want = claim.spec.resources.requests.find("storage");
  if (want != claim.spec.resources.requests.end() && (have == volume.spec.capacity.end() || have->second < want->second)) return false;
  if (!claim.spec.selector) return true;
  Json selector = toJson(*claim.spec.selector);
  auto parsed = LabelSelector::fromJson(&selector);
  return parsed.ok() && parsed->matches(object.meta().labels);
}

bool isFree(const Object& object) {
  auto& volume = object.as<core::PersistentVolume>();
  auto& phase = volume.status.phase;
  return !volume.spec.claimRef && !object.meta().deleting && (phase.empty() || phase == "Pending" || phase == "Available");
}

std::string folderOf(const core::PersistentVolume& volume) {
  if (volume.spec.local) return volume.spec.local->path;
  return volume.spec.hostPath ? volume.spec.hostPath->path : std::string();
}

bool reaches(const core::PersistentVolume& volume, const Labels& labels, std::string_view name) {
  auto& affinity = volume.spec.nodeAffinity;
  return !affinity || !affinity->required || nodeSelectorMatches(*affinity->required, labels, name);
}

}  // namespace ph::api
