// Whether a node is one that a pod or a volume may be on: node selector terms, taints and tolerations. The scheduler and the
// controllers ask the same questions here.
// Source: Kubernetes' API reference (NodeSelectorTerm, Toleration). Threads: pure.
#pragma once

#include <string_view>
#include <vector>

#include "engine/api/object.h"
#include "engine/api/types/core.h"

namespace ph::api {

// All expressions of a term hold; one without any selects nothing. `name`: metadata.name, the only field that can be asked for.
bool nodeTermMatches(const std::vector<core::NodeSelectorRequirement>& labelRules,
                     const std::vector<core::NodeSelectorRequirement>& fieldRules, const Labels& labels, std::string_view name);
// Any of the terms does.
bool nodeSelectorMatches(const core::NodeSelector& selector, const Labels& labels, std::string_view name);

bool tolerates(const core::Toleration& toleration, const core::Taint& taint);
bool tolerates(const std::vector<core::Toleration>& tolerations, const core::Taint& taint);

}  // namespace ph::api
