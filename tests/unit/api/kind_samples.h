// Examples of kinds, for kinds_test.cpp.
#pragma once

#define PH_TEMPLATE "template: {metadata: {labels: {app: x}}, spec: {containers: [{name: a, image: web}]}}"
#define PH_ONCE "template: {spec: {restartPolicy: Never, containers: [{name: a, image: web}]}}"
#define PH_APP "selector: {matchLabels: {app: x}}"

namespace ph::api::test {

struct KindSample {
  const char *object, *defaults;
};
inline constexpr KindSample kKindSamples[] = {
    {"{apiVersion: v1, kind: Namespace, metadata: {name: s}}", "{status: {phase: Active}}"},
    {"{apiVersion: v1, kind: Node, metadata: {name: s}}", "{}"},
    {"{apiVersion: v1, kind: Pod, metadata: {name: s}, spec: {containers: [{name: a, image: web}]}}", "{spec: {restartPolicy: Always}}"},
    {"{apiVersion: v1, kind: ConfigMap, metadata: {name: s}, data: {a: b}}", "{}"},
    {"{apiVersion: v1, kind: Secret, metadata: {name: s}, stringData: {a: b}}", "{type: Opaque}"},
    {"{apiVersion: v1, kind: Service, metadata: {name: s}, spec: {ports: [{port: 80}]}}", "{spec: {type: ClusterIP}}"},
    {"{apiVersion: v1, kind: Endpoints, metadata: {name: s}, subsets: [{addresses: [{ip: 10.0.0.1}], ports: [{port: 80}]}]}", "{}"},
    {"{apiVersion: v1, kind: ServiceAccount, metadata: {name: s}}", "{}"},
    {"{apiVersion: v1, kind: Event, metadata: {name: s}, involvedObject: {kind: Pod, namespace: default, name: p}}", "{}"},
    {"{apiVersion: v1, kind: ReplicationController, metadata: {name: s}, spec: {" PH_TEMPLATE "}}",
     "{metadata: {labels: {app: x}}, spec: {replicas: 1, selector: {app: x}, template: {spec: {restartPolicy: Always}}}, status: {replicas: 0}}"},
    {"{apiVersion: v1, kind: PodTemplate, metadata: {name: s}, " PH_TEMPLATE "}", "{template: {spec: {dnsPolicy: ClusterFirst}}}"},
    {"{apiVersion: v1, kind: PersistentVolume, metadata: {name: s}, spec: {capacity: {storage: 1Gi}, accessModes: [ReadWriteOnce], hostPath: {path: /x}}}",
     "{spec: {persistentVolumeReclaimPolicy: Retain, volumeMode: Filesystem, hostPath: {type: ''}}, status: {phase: Pending}}"},
    {"{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: s}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}",
     "{spec: {volumeMode: Filesystem}, status: {phase: Pending}}"},
    {"{apiVersion: v1, kind: LimitRange, metadata: {name: s}, spec: {limits: [{type: Container, max: {cpu: '2'}, min: {cpu: 100m}}]}}",
     "{spec: {limits: [{default: {cpu: '2'}, defaultRequest: {cpu: '2'}}]}}"},
    {"{apiVersion: v1, kind: ResourceQuota, metadata: {name: s}, spec: {hard: {pods: 4, count/jobs.batch: 5}, scopes: [BestEffort]}}", "{spec: {hard: {pods: '4'}}, status: {}}"},
    {"{apiVersion: apps/v1, kind: Deployment, metadata: {name: s}, spec: {" PH_APP ", " PH_TEMPLATE "}}", "{spec: {replicas: 1}}"},
    {"{apiVersion: apps/v1, kind: ReplicaSet, metadata: {name: s}, spec: {" PH_APP ", " PH_TEMPLATE "}}", "{spec: {replicas: 1}}"},
    {"{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: s}, spec: {serviceName: s, " PH_APP ", "
     "template: {metadata: {labels: {app: x}}, spec: {containers: [{name: a, image: web, volumeMounts: [{name: d, mountPath: /d}]}]}}"
     ", volumeClaimTemplates: [{metadata: {name: d}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}]}}",
     "{spec: {replicas: 1, podManagementPolicy: OrderedReady, revisionHistoryLimit: 10, updateStrategy: {type: RollingUpdate, rollingUpdate: {partition: 0}}, "
     "persistentVolumeClaimRetentionPolicy: {whenDeleted: Retain, whenScaled: Retain}, volumeClaimTemplates: [{kind: PersistentVolumeClaim, spec: {volumeMode: Filesystem}}]}}"},
    {"{apiVersion: apps/v1, kind: DaemonSet, metadata: {name: s}, spec: {" PH_APP ", " PH_TEMPLATE "}}",
     "{spec: {revisionHistoryLimit: 10, updateStrategy: {type: RollingUpdate, rollingUpdate: {maxUnavailable: 1, maxSurge: 0}}}, status: {numberReady: 0}}"},
    {"{apiVersion: apps/v1, kind: ControllerRevision, metadata: {name: s}, revision: 3, data: {spec: {x: 1}}}", "{revision: 3}"},
    {"{apiVersion: batch/v1, kind: Job, metadata: {name: s}, spec: {" PH_ONCE "}}",
     "{metadata: {labels: {job-name: s}}, spec: {completions: 1, parallelism: 1, backoffLimit: 6, completionMode: NonIndexed, suspend: false, "
     "selector: {matchLabels: {batch.kubernetes.io/controller-uid: u-1}}, template: {metadata: {labels: {controller-uid: u-1, batch.kubernetes.io/job-name: s}}}}}"},
    {"{apiVersion: batch/v1, kind: CronJob, metadata: {name: s}, spec: {schedule: '*/5 0-6,22 * JAN-mar mon', jobTemplate: {spec: {" PH_ONCE "}}}}",
     "{spec: {concurrencyPolicy: Allow, suspend: false, successfulJobsHistoryLimit: 3, failedJobsHistoryLimit: 1, jobTemplate: {spec: {template: {spec: {dnsPolicy: ClusterFirst}}}}}}"},
    {"{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {name: s}, spec: {scaleTargetRef: {kind: Deployment, name: d, apiVersion: apps/v1}, maxReplicas: 3}}",
     "{spec: {minReplicas: 1, metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 80}}}]}}"},
    {"{apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: s}, spec: {minAvailable: 50%, " PH_APP "}}", "{status: {disruptionsAllowed: 0}}"},
    {"{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: s}, spec: {rules: [{host: '*.x.org', http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: w, port: {number: 80}}}}]}}]}}",
     "{status: {loadBalancer: {}}}"},
    {"{apiVersion: networking.k8s.io/v1, kind: IngressClass, metadata: {name: s}, spec: {controller: x.org/c, parameters: {kind: P, name: p}}}", "{spec: {parameters: {scope: Cluster}}}"},
    {"{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: s}, spec: {podSelector: {}, egress: [{to: [{ipBlock: {cidr: 10.0.0.0/8}}], ports: [{port: 53, endPort: 60}]}]}}",
     "{spec: {policyTypes: [Ingress, Egress], egress: [{ports: [{protocol: TCP}]}]}}"},
    {"{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: s}, addressType: IPv4, endpoints: [{addresses: [10.0.0.1], conditions: {ready: true}, zone: z}], ports: [{port: 80}]}",
     "{ports: [{name: '', protocol: TCP}]}"},
    {"{apiVersion: coordination.k8s.io/v1, kind: Lease, metadata: {name: s}, spec: {holderIdentity: h}}", "{}"},
    {"{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: 's:x'}, rules: [{apiGroups: [''], resources: [pods], verbs: [get]}]}", "{}"},
    {"{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: s}, rules: [{nonResourceURLs: [/metrics], verbs: [get]}]}", "{}"},
    {"{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: s}, roleRef: {kind: Role, name: r}, subjects: [{kind: User, name: u}, {kind: ServiceAccount, name: a, namespace: ns}]}",
     "{roleRef: {apiGroup: rbac.authorization.k8s.io}, subjects: [{apiGroup: rbac.authorization.k8s.io}, {}]}"},
    {"{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: s}, roleRef: {kind: ClusterRole, name: r}}", "{roleRef: {apiGroup: rbac.authorization.k8s.io}}"},
    {"{apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {name: s}, provisioner: x.org/p}", "{reclaimPolicy: Delete, volumeBindingMode: Immediate}"},
    {"{apiVersion: storage.k8s.io/v1, kind: VolumeAttachment, metadata: {name: s}, spec: {attacher: x.org, nodeName: n1, source: {persistentVolumeName: v}}}", "{status: {attached: false}}"},
    {"{apiVersion: storage.k8s.io/v1, kind: CSIDriver, metadata: {name: s}}", "{spec: {attachRequired: true, podInfoOnMount: false, volumeLifecycleModes: [Persistent]}}"},
    {"{apiVersion: storage.k8s.io/v1, kind: CSINode, metadata: {name: s}, spec: {drivers: [{name: d, nodeID: n1, topologyKeys: [z]}]}}", "{}"},
    {"{apiVersion: storage.k8s.io/v1, kind: CSIStorageCapacity, metadata: {name: s}, storageClassName: c, capacity: 1Gi}", "{}"},
    {"{apiVersion: scheduling.k8s.io/v1, kind: PriorityClass, metadata: {name: s}, value: 5}", "{preemptionPolicy: PreemptLowerPriority}"},
    {"{apiVersion: node.k8s.io/v1, kind: RuntimeClass, metadata: {name: s}, handler: h}", "{}"},
    {"{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: boats.x.org}, spec: {group: x.org, scope: Namespaced, names: {plural: boats, kind: Boat}, "
     "versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]}}",
     "{}"},
    {"{apiVersion: certificates.k8s.io/v1, kind: CertificateSigningRequest, metadata: {name: s}, spec: {request: aGk=, signerName: x.org/s, usages: [client auth]}}", "{}"},
    {"{apiVersion: admissionregistration.k8s.io/v1, kind: MutatingWebhookConfiguration, metadata: {name: s}}", "{}"},
    {"{apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingWebhookConfiguration, metadata: {name: s}}", "{}"},
    {"{apiVersion: fleet.pilothouse.io/v1, kind: Machine, metadata: {name: s}, spec: {address: 10.0.0.9}}", "{spec: {port: 22}}"},
};

struct RefusedKind {
  const char *object, *says;
};
inline constexpr RefusedKind kRefusedKinds[] = {
    {"{kind: Job, metadata: {name: s, uid: u}, spec: {" PH_TEMPLATE "}}", "spec.template.spec.restartPolicy: Unsupported value: \"Always\": supported values: \"Never\", \"OnFailure\""},
    {"{kind: Job, metadata: {name: s, uid: u}}", "spec.template.spec.containers: Required value"},
    {"{kind: Job, metadata: {name: s, uid: u}, spec: {completionMode: Indexed, parallelism: 2, " PH_ONCE "}}", "spec.completions: Required value: when completion mode is Indexed"},
    {"{kind: Job, metadata: {name: s, uid: u}, spec: {parallelism: -1, " PH_ONCE "}}", "spec.parallelism: Invalid value: -1: must be greater than or equal to 0"},
    {"{kind: Job, metadata: {name: s, uid: u}, spec: {template: {metadata: {labels: {controller-uid: other}}, spec: {restartPolicy: Never, containers: [{name: a, image: b}]}}}}",
     "spec.template.metadata.labels: Invalid value"},
    {"{kind: CronJob, metadata: {name: s}, spec: {schedule: '61 * * * *', jobTemplate: {spec: {" PH_ONCE "}}}}", "spec.schedule: Invalid value: \"61 * * * *\""},
    {"{kind: CronJob, metadata: {name: s}, spec: {schedule: '* * *', jobTemplate: {spec: {" PH_ONCE "}}}}", "expected exactly 5 fields, found 3"},
    {"{kind: CronJob, metadata: {name: s}, spec: {schedule: 'TZ=UTC * * * * *', jobTemplate: {spec: {" PH_ONCE "}}}}", "cannot use TZ or CRON_TZ in schedule"},
    {"{kind: CronJob, metadata: {name: s}, spec: {schedule: '5-2 * * * *', jobTemplate: {spec: {" PH_ONCE "}}}}", "spec.schedule: Invalid value"},
    {"{kind: CronJob, metadata: {name: s}, spec: {schedule: '*/0 * * * *', jobTemplate: {spec: {" PH_ONCE "}}}}", "spec.schedule: Invalid value"},
    {"{kind: CronJob, metadata: {name: s}, spec: {schedule: '@daily', concurrencyPolicy: Maybe, jobTemplate: {spec: {" PH_ONCE "}}}}", "spec.concurrencyPolicy: Unsupported value: \"Maybe\""},
    {"{kind: CronJob, metadata: {name: a23456789012345678901234567890123456789012345678901234}, spec: {schedule: '@daily', jobTemplate: {spec: {" PH_ONCE "}}}}", "must be no more than 52 characters"},
    {"{kind: StatefulSet, metadata: {name: s}, spec: {selector: {matchLabels: {app: other}}, " PH_TEMPLATE "}}", "spec.template.metadata.labels: Invalid value: {\"app\":\"x\"}: `selector` does not match template `labels`"},
    {"{kind: StatefulSet, metadata: {name: s}, spec: {replicas: -1, " PH_APP ", " PH_TEMPLATE "}}", "spec.replicas: Invalid value: -1"},
    {"{kind: StatefulSet, metadata: {name: s}, spec: {serviceName: s, selector: {matchLabels: {app: x}}, volumeClaimTemplates: [{metadata: {name: data}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}], "
     "template: {metadata: {labels: {app: x}}, spec: {containers: [{name: c, image: i, volumeMounts: [{name: data, mountPath: /d}, {name: other, mountPath: /o}]}]}}}}",
     "spec.template.spec.containers[0].volumeMounts[1].name: Not found: \"other\""},
    {"{kind: DaemonSet, metadata: {name: s}, spec: {" PH_TEMPLATE "}}", "spec.selector: Required value"},
    {"{kind: DaemonSet, metadata: {name: s}, spec: {" PH_APP ", updateStrategy: {rollingUpdate: {maxUnavailable: 0}}, " PH_TEMPLATE "}}", "cannot be 0 when maxSurge is 0"},
    {"{kind: ReplicationController, metadata: {name: s}, spec: {selector: {a: b}, " PH_TEMPLATE "}}", "`selector` does not match template `labels`"},
    {"{kind: PersistentVolume, metadata: {name: s}, spec: {capacity: {storage: 1Gi}, accessModes: [ReadWriteOnce]}}", "spec: Required value: must specify a volume type"},
    {"{kind: PersistentVolume, metadata: {name: s}, spec: {capacity: {storage: 1Gi}, accessModes: [ReadWriteOnce], hostPath: {path: /x}, nfs: {server: a, path: /b}}}", "may not specify more than 1 volume type"},
    {"{kind: PersistentVolumeClaim, metadata: {name: s}, spec: {accessModes: [Often], resources: {requests: {storage: 1Gi}}}}", "spec.accessModes: Unsupported value: \"Often\""},
    {"{kind: PersistentVolumeClaim, metadata: {name: s}, spec: {accessModes: [ReadWriteOnce]}}", "spec.resources.requests.storage: Required value"},
    {"{kind: PersistentVolumeClaim, metadata: {name: s}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: '0'}}}}", "must be greater than zero"},
    {"{kind: LimitRange, metadata: {name: s}, spec: {limits: [{type: Pod, max: {cpu: 1}, min: {cpu: 2}}]}}", "min value 2 is greater than max value 1"},
    {"{kind: LimitRange, metadata: {name: s}, spec: {limits: [{type: Pod}, {type: Pod}]}}", "spec.limits[1].type: Duplicate value: \"Pod\""},
    {"{kind: ResourceQuota, metadata: {name: s}, spec: {hard: {pods: -1}}}", "spec.hard[pods]: Invalid value: \"-1\": must be greater than or equal to 0"},
    {"{kind: ResourceQuota, metadata: {name: s}, spec: {scopes: [Odd]}}", "spec.scopes[0]: Unsupported value: \"Odd\""},
    {"{kind: HorizontalPodAutoscaler, metadata: {name: s}, spec: {scaleTargetRef: {kind: D, name: d}, minReplicas: 5, maxReplicas: 3}}", "spec.maxReplicas: Invalid value: 3: must be greater than or equal to `minReplicas`"},
    {"{kind: HorizontalPodAutoscaler, metadata: {name: s}, spec: {scaleTargetRef: {kind: D}, maxReplicas: 3}}", "spec.scaleTargetRef.name: Required value"},
    {"{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {name: s}, spec: {scaleTargetRef: {kind: D, name: d}, maxReplicas: 3, behavior: {scaleDown: {stabilizationWindowSeconds: 4000}}}}", "spec.behavior.scaleDown.stabilizationWindowSeconds: Invalid value: 4000: must be less than or equal to 3600"},
    {"{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {name: s}, spec: {scaleTargetRef: {kind: D, name: d}, maxReplicas: 3, behavior: {scaleUp: {policies: []}}}}", "spec.behavior.scaleUp.policies: Required value"},
    {"{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {name: s}, spec: {scaleTargetRef: {kind: D, name: d}, maxReplicas: 3, behavior: {scaleUp: {policies: [{type: Pods, value: 0, periodSeconds: 15}]}}}}", "spec.behavior.scaleUp.policies[0].value: Invalid value: 0: must be greater than zero"},
    {"{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {name: s}, spec: {scaleTargetRef: {kind: D, name: d}, maxReplicas: 3, behavior: {scaleUp: {policies: [{type: Pods, value: 1, periodSeconds: 1801}]}}}}", "spec.behavior.scaleUp.policies[0].periodSeconds: Invalid value: 1801"},
    {"{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {name: s}, spec: {scaleTargetRef: {kind: D, name: d}, maxReplicas: 3, metrics: [{type: Resource, resource: {name: cpu, target: {type: AverageValue, averageValue: '0'}}}]}}", "averageValue: Invalid value: \"0\": must be positive"},
    {"{kind: PodDisruptionBudget, metadata: {name: s}, spec: {minAvailable: 1, maxUnavailable: 1}}", "minAvailable and maxUnavailable cannot be both set"},
    {"{kind: PodDisruptionBudget, metadata: {name: s}, spec: {minAvailable: half}}", "spec.minAvailable: Invalid value: \"half\""},
    {"{kind: Ingress, metadata: {name: s}}", "either `defaultBackend` or `rules` must be specified"},
    {"{kind: Ingress, metadata: {name: s}, spec: {rules: [{http: {paths: [{path: /, backend: {service: {name: w, port: {number: 80}}}}]}}]}}", "spec.rules[0].http.paths[0].pathType: Required value"},
    {"{kind: Ingress, metadata: {name: s}, spec: {rules: [{host: 1.2.3.4}]}}", "must be a DNS name, not an IP address"},
    {"{kind: Ingress, metadata: {name: s}, spec: {defaultBackend: {service: {name: w}}}}", "port name or number is required"},
    {"{kind: Ingress, metadata: {name: s}, spec: {rules: [{http: {paths: [{path: x, pathType: Exact, backend: {service: {name: w, port: {number: 80}}}}]}}]}}", "must be an absolute path"},
    {"{kind: IngressClass, metadata: {name: s}, spec: {controller: x}}", "spec.controller: Invalid value: \"x\": must be a domain-prefixed path"},
    {"{kind: NetworkPolicy, metadata: {name: s}, spec: {ingress: [{from: [{}]}]}}", "spec.ingress[0].from[0]: Required value: must specify a peer"},
    {"{kind: NetworkPolicy, metadata: {name: s}, spec: {policyTypes: [Sideways]}}", "spec.policyTypes[0]: Unsupported value: \"Sideways\""},
    {"{kind: EndpointSlice, metadata: {name: s}, addressType: IPv4, endpoints: [{addresses: ['::1']}]}", "endpoints[0].addresses[0]: Invalid value: \"::1\": must be an IPv4 address"},
    {"{kind: EndpointSlice, metadata: {name: s}}", "addressType: Required value"},
    {"{kind: Role, metadata: {name: s}, rules: [{verbs: [get], nonResourceURLs: [/x]}]}", "namespaced rules cannot apply to non-resource URLs"},
    {"{kind: Role, metadata: {name: s}, rules: [{apiGroups: [''], resources: [pods]}]}", "rules[0].verbs: Required value"},
    {"{kind: ClusterRoleBinding, metadata: {name: s}, roleRef: {kind: Role, name: r}}", "roleRef.kind: Unsupported value: \"Role\": supported values: \"ClusterRole\""},
    {"{kind: ClusterRoleBinding, metadata: {name: s}, roleRef: {kind: ClusterRole, name: r}, subjects: [{kind: ServiceAccount, name: a}]}", "subjects[0].namespace: Required value"},
    {"{kind: StorageClass, metadata: {name: s}}", "provisioner: Required value"},
    {"{kind: StorageClass, metadata: {name: s}, provisioner: p, reclaimPolicy: Recycle}", "reclaimPolicy: Unsupported value: \"Recycle\""},
    {"{kind: VolumeAttachment, metadata: {name: s}, spec: {attacher: a, nodeName: n1, source: {}}}", "spec.source: Required value"},
    {"{kind: PriorityClass, metadata: {name: system-mine}, value: 1}", "reserved for system use only"},
    {"{kind: PriorityClass, metadata: {name: s}, value: 2000000000}", "maximum allowed value of a user defined priority is 1000000000"},
    {"{kind: RuntimeClass, metadata: {name: s}, handler: A_B}", "handler: Invalid value: \"A_B\""},
    {"{kind: CertificateSigningRequest, metadata: {name: s}, spec: {signerName: x.org/s}}", "spec.request: Required value"},
};

struct RefusedUpdate {
  const char *object, *patch, *says;
};
inline constexpr RefusedUpdate kRefusedUpdates[] = {
    {"{kind: StatefulSet, metadata: {name: s}, spec: {serviceName: s, " PH_APP ", " PH_TEMPLATE "}}", "{spec: {serviceName: t}}", "spec: Forbidden: updates to statefulset spec for fields other than"},
    {"{kind: DaemonSet, metadata: {name: s}, spec: {" PH_APP ", " PH_TEMPLATE "}}", "{spec: {selector: {matchLabels: {app: other}}}}", "spec.selector: Invalid value: {\"matchLabels\":{\"app\":\"other\"}}: field is immutable"},
    {"{kind: Job, metadata: {name: s, uid: u}, spec: {" PH_ONCE "}}", "{spec: {completions: 5}}", "spec.completions: Invalid value: 5: field is immutable"},
    {"{kind: RoleBinding, metadata: {name: s}, roleRef: {kind: Role, name: r}}", "{roleRef: {name: t}}", "roleRef: Invalid value"},
    {"{kind: StorageClass, metadata: {name: s}, provisioner: p}", "{parameters: {a: b}}", "parameters: Forbidden: updates to parameters are forbidden."},
    {"{kind: PriorityClass, metadata: {name: s}, value: 1}", "{value: 2}", "Value: Forbidden: may not be changed in an update."},
    {"{kind: PersistentVolumeClaim, metadata: {name: s}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}", "{spec: {accessModes: [ReadWriteMany]}}", "spec: Forbidden: spec is immutable after creation"},
    {"{kind: PersistentVolume, metadata: {name: s}, spec: {capacity: {storage: 1Gi}, accessModes: [ReadWriteOnce], hostPath: {path: /x}}}", "{spec: {hostPath: {path: /y}}}", "spec.persistentvolumesource: Forbidden"},
    {"{kind: EndpointSlice, metadata: {name: s}, addressType: IPv4}", "{addressType: IPv6}", "addressType: Invalid value: \"IPv6\": field is immutable"},
    {"{kind: RuntimeClass, metadata: {name: s}, handler: a}", "{handler: b}", "handler: Invalid value: \"b\": field is immutable"},
};

struct VersionSample {
  const char *object, *stored;
};
inline constexpr VersionSample kVersionSamples[] = {
    {"{apiVersion: batch/v1beta1, kind: CronJob, metadata: {name: s}, spec: {schedule: '@daily', jobTemplate: {spec: {" PH_ONCE "}}}}", "{apiVersion: batch/v1, kind: CronJob, spec: {schedule: '@daily'}}"},
    {"{apiVersion: autoscaling/v1, kind: HorizontalPodAutoscaler, metadata: {name: s, annotations: {a: b, autoscaling.alpha.kubernetes.io/metrics: "
     "'[{\"type\":\"Pods\",\"pods\":{\"targetAverageValue\":\"5\",\"metricName\":\"qps\"}}]'}}, spec: {scaleTargetRef: {kind: D, name: d}, maxReplicas: 3, targetCPUUtilizationPercentage: 60}, "
     "status: {currentReplicas: 1, desiredReplicas: 1, currentCPUUtilizationPercentage: 7}}",
     "{spec: {metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 60}}}, "
     "{type: Pods, pods: {metric: {name: qps}, target: {type: AverageValue, averageValue: '5'}}}]}, status: {currentMetrics: [{resource: {current: {averageUtilization: 7}}}]}}"},
    {"{apiVersion: autoscaling/v2beta2, kind: HorizontalPodAutoscaler, metadata: {name: s}, spec: {scaleTargetRef: {kind: D, name: d}, maxReplicas: 3}}", "{apiVersion: autoscaling/v2}"},
    {"{apiVersion: policy/v1beta1, kind: PodDisruptionBudget, metadata: {name: s}, spec: {minAvailable: 1, selector: {}}}",
     "{spec: {selector: {matchExpressions: [{operator: Exists}]}}}"},
    {"{apiVersion: discovery.k8s.io/v1beta1, kind: EndpointSlice, metadata: {name: s}, addressType: IPv4, endpoints: [{addresses: [10.0.0.1], topology: {kubernetes.io/hostname: n1, topology.kubernetes.io/zone: z, x: w}}], ports: []}",
     "{endpoints: [{nodeName: n1, zone: z, deprecatedTopology: {x: w}}]}"},
    {"{apiVersion: events.k8s.io/v1, kind: Event, metadata: {name: s, namespace: d}, eventTime: '2026-01-01T00:00:00.000000Z', regarding: {kind: Pod, name: p}, note: hi, reportingController: c, deprecatedCount: 3, deprecatedSource: {component: k}}",
     "{apiVersion: v1, involvedObject: {kind: Pod}, message: hi, reportingComponent: c, count: 3, source: {component: k}}"},
    {"{apiVersion: events.k8s.io/v1beta1, kind: Event, metadata: {name: s, namespace: d}, eventTime: null, regarding: {kind: Pod, name: p}, note: hi}", "{apiVersion: v1, message: hi}"},
    {"{apiVersion: networking.k8s.io/v1beta1, kind: Ingress, metadata: {name: s}, spec: {backend: {serviceName: d, servicePort: web}, rules: [{host: x.org, http: {paths: [{path: /a, backend: {serviceName: w, servicePort: 80}}]}}]}}",
     "{spec: {defaultBackend: {service: {name: d, port: {name: web}}}, rules: [{http: {paths: [{pathType: ImplementationSpecific, backend: {service: {name: w, port: {number: 80}}}}]}}]}}"},
    {"{apiVersion: extensions/v1beta1, kind: Ingress, metadata: {name: s}, spec: {backend: {serviceName: d, servicePort: 80}}}", "{apiVersion: networking.k8s.io/v1}"},
    {"{apiVersion: certificates.k8s.io/v1beta1, kind: CertificateSigningRequest, metadata: {name: s}, spec: {request: aGk=}, status: {conditions: [{type: Approved}]}}",
     "{spec: {signerName: kubernetes.io/legacy-unknown}, status: {conditions: [{status: 'True'}]}}"},
    {"{apiVersion: authorization.k8s.io/v1beta1, kind: SubjectAccessReview, metadata: {}, spec: {user: u, group: [g]}}", "{spec: {groups: [g]}}"},
    {"{apiVersion: rbac.authorization.k8s.io/v1beta1, kind: Role, metadata: {name: s}, rules: [{verbs: [get], apiGroups: [''], resources: [pods]}]}", "{apiVersion: rbac.authorization.k8s.io/v1}"},
    {"{apiVersion: storage.k8s.io/v1beta1, kind: StorageClass, metadata: {name: s}, provisioner: p}", "{apiVersion: storage.k8s.io/v1}"},
};

}  // namespace ph::api::test
