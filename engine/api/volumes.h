// Which volumes a pod asks for, and whether a PersistentVolume is what a claim wants. The scheduler, the binding controller and
// the agent ask the same questions here.
// Source: Kubernetes' documentation of PersistentVolumes. Threads: pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/api/object.h"
#include "engine/api/types/core.h"
#include "engine/api/types/storage.h"

namespace ph::api {

// The provisioner that makes volumes as folders on the machine where the first pod runs.
inline constexpr std::string_view kLocalProvisioner = "pilothouse.io/local";
inline constexpr const char* kProvisionedBy = "pv.kubernetes.io/provisioned-by";

// The names of the claims in the pod's own namespace, those of generic ephemeral volumes too.
std::vector<std::string> claimsOf(std::string_view podName, const core::PodSpec& spec);
// Of one volume; empty: it is no claim's.
std::string claimOf(std::string_view podName, const core::Volume& volume);

// Empty: of no class.
std::string classOf(const core::PersistentVolumeClaim& claim);
bool waitsForConsumer(const storage::StorageClass& storageClass);

// Its claimRef names this claim, by uid where it has one.
bool heldBy(const core::PersistentVolume& volume, const Object& claim);
// Class, size, access and volume modes and the selector; not whether it is free, nor where.
bool satisfies(const Object& volume, const core::PersistentVolumeClaim& claim);
// Free, and to be had.
bool isFree(const Object& volume);
// The folder of a node that it is (hostPath, local); empty: it is something else.
std::string folderOf(const core::PersistentVolume& volume);
// Whether a node may use it.
bool reaches(const core::PersistentVolume& volume, const Labels& nodeLabels, std::string_view nodeName);

}  // namespace ph::api
