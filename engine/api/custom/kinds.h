// From a CustomResourceDefinition (apiextensions.k8s.io/v1, valid) to registry entries.
// Threads: pure.
#pragma once

#include <vector>

#include "engine/api/custom/kind.h"
#include "engine/api/registry.h"

namespace ph::api::custom {

inline constexpr std::string_view kDefinitionKind = "apiextensions.k8s.io/CustomResourceDefinition";  // storageGroupKind
inline constexpr std::string_view kCleanupFinalizer = "customresourcecleanup.apiextensions.k8s.io";

// One for each served version, and the stored one in any case. They go by status.acceptedNames where there are such, else by
// spec.names. A schema that does not compile is 400.
Result<std::vector<ResourceInfo>> kindsOf(const Json& definition);

// "com.example.stable.v1.CronTab" for CronTab in stable.example.com/v1.
std::string definitionName(std::string_view group, std::string_view version, std::string_view kind);

}  // namespace ph::api::custom
