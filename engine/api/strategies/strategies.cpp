#include "engine/api/builtin.h"
#include "engine/api/strategies/common.h"

namespace ph::api {

const Strategy* strategyFor(std::string_view kind) {
  using namespace strategies;
  static const Strategy none;
  static const std::pair<std::string_view, const Strategy*> table[] = {
      {"Pod", &podStrategy},
      {"Service", &serviceStrategy},
      {"Endpoints", &endpointsStrategy},
      {"Node", &nodeStrategy},
      {"Namespace", &namespaceStrategy},
      {"ConfigMap", &configMapStrategy},
      {"Secret", &secretStrategy},
      {"ServiceAccount", &serviceAccountStrategy},
      {"Event", &eventStrategy},
      {"apps/Deployment", &deploymentStrategy},
      {"apps/ReplicaSet", &replicaSetStrategy},
      {"coordination.k8s.io/Lease", &leaseStrategy},
      {"fleet.pilothouse.io/Machine", &machineStrategy},
      {"rbac.authorization.k8s.io/Role", &roleStrategy},
      {"rbac.authorization.k8s.io/ClusterRole", &clusterRoleStrategy},
      {"rbac.authorization.k8s.io/RoleBinding", &roleBindingStrategy},
      {"rbac.authorization.k8s.io/ClusterRoleBinding", &clusterRoleBindingStrategy},
  };
  for (auto& [name, strategy] : table)
    if (name == kind) return strategy;
  return &none;
}

}  // namespace ph::api
