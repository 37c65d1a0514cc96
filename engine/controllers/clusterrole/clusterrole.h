// ClusterRoles with an aggregationRule take the rules of the ClusterRoles that its selectors match, in the order of their names,
// each rule once. After Kubernetes' clusterrole-aggregation-controller. Threads: pure.
#pragma once

#include "engine/controllers/runner.h"

namespace ph::controllers {

Plan reconcileClusterRole(const Snapshot& snapshot, const Key& key, Moment now);
ControllerSpec clusterRoleController(const Kinds& kinds);

}  // namespace ph::controllers
