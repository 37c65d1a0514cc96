// Validation of the parts of a pod spec. Paths and messages as Kubernetes has them.
// Threads: pure.
#pragma once

#include <string>
#include <unordered_set>

#include "engine/api/strategies/common.h"

namespace ph::api::strategies {

using Names = std::unordered_set<std::string>;

void validateContainers(const Json& spec, const std::string& path, const Names& volumes, ErrorList& errors);
Names validateVolumes(const Json& spec, const std::string& path, ErrorList& errors);  // their names
void validateAffinity(const Json& affinity, const std::string& path, ErrorList& errors);
void validateTolerations(const JsonArray& tolerations, const std::string& path, ErrorList& errors);
void validateSpread(const JsonArray& constraints, const std::string& path, ErrorList& errors);
void validateResources(const Json& container, const std::string& path, ErrorList& errors);
// A relative path without "..".
void checkRelativePath(const std::string& value, const std::string& path, ErrorList& errors);

}  // namespace ph::api::strategies
