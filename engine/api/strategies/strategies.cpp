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
      {"ReplicationController", &replicationControllerStrategy},
      {"PodTemplate", &podTemplateStrategy},
      {"PersistentVolume", &persistentVolumeStrategy},
      {"PersistentVolumeClaim", &persistentVolumeClaimStrategy},
      {"LimitRange", &limitRangeStrategy},
      {"ResourceQuota", &resourceQuotaStrategy},
      {"ComponentStatus", &componentStatusStrategy},
      {"apps/StatefulSet", &statefulSetStrategy},
      {"apps/DaemonSet", &daemonSetStrategy},
      {"apps/ControllerRevision", &controllerRevisionStrategy},
      {"batch/Job", &jobStrategy},
      {"batch/CronJob", &cronJobStrategy},
      {"autoscaling/HorizontalPodAutoscaler", &autoscalerStrategy},
      {"policy/PodDisruptionBudget", &disruptionBudgetStrategy},
      {"networking.k8s.io/Ingress", &ingressStrategy},
      {"networking.k8s.io/IngressClass", &ingressClassStrategy},
      {"networking.k8s.io/NetworkPolicy", &networkPolicyStrategy},
      {"discovery.k8s.io/EndpointSlice", &endpointSliceStrategy},
      {"storage.k8s.io/StorageClass", &storageClassStrategy},
      {"storage.k8s.io/VolumeAttachment", &volumeAttachmentStrategy},
      {"storage.k8s.io/CSIDriver", &csiDriverStrategy},
      {"storage.k8s.io/CSINode", &csiNodeStrategy},
      {"storage.k8s.io/CSIStorageCapacity", &csiStorageCapacityStrategy},
      {"scheduling.k8s.io/PriorityClass", &priorityClassStrategy},
      {"node.k8s.io/RuntimeClass", &runtimeClassStrategy},
      {"metrics.k8s.io/PodMetrics", &podMetricsStrategy},
      {"admissionregistration.k8s.io/MutatingWebhookConfiguration", &webhooksStrategy},
      {"admissionregistration.k8s.io/ValidatingWebhookConfiguration", &webhooksStrategy},
      {"certificates.k8s.io/CertificateSigningRequest", &certificateSigningRequestStrategy},
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
