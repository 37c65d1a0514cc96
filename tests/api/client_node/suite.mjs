// What programs built on the JavaScript client library do, against the engine that KUBECONFIG names.
//   node suite.mjs --list      the cases' names, a line each
//   node suite.mjs NAME        runs one; says nothing and exits with 0 when all is well
import assert from 'node:assert/strict';
import * as k8s from '@kubernetes/client-node';

const config = new k8s.KubeConfig();
const name = process.argv[2];
if (name === '--list') config.loadFromClusterAndUser({ name: 'none', server: 'https://127.0.0.1' }, { name: 'nobody' });
else config.loadFromDefault();
const api = (type) => config.makeApiClient(type);
const core = api(k8s.CoreV1Api);
const apps = api(k8s.AppsV1Api);
const namespace = 'default';
const patchAs = (strategy) => k8s.setHeaderOptions('Content-Type', strategy);

// Until `what` gives something true; fails with `words` after ten seconds.
async function until(words, what) {
  const end = Date.now() + 10_000;
  for (;;) {
    const got = await what();
    if (got) return got;
    if (Date.now() > end) assert.fail(`${words}: not within 10 s`);
    await new Promise((go) => setTimeout(go, 50));
  }
}

// The ApiException that `work` must end in.
async function refused(code, work) {
  try {
    await work();
  } catch (e) {
    if (e.code !== code) throw e;
    return typeof e.body === 'string' ? JSON.parse(e.body) : e.body;
  }
  assert.fail(`no ${code}: it was let through`);
}

const labels = { app: 'web' };
const template = { metadata: { labels }, spec: { containers: [{ name: 'web', image: 'web:1' }] } };
const deployment = (name, replicas = 1) => ({
  metadata: { name, labels },
  spec: { replicas, selector: { matchLabels: labels }, template },
});

const cases = {
  async versionAndGroups() {
    const version = await api(k8s.VersionApi).getCode();
    assert.match(version.gitVersion, /^v1\.\d+\.\d+/);
    const groups = (await api(k8s.ApisApi).getAPIVersions()).groups.map((g) => g.name);
    for (const group of ['apps', 'batch', 'autoscaling', 'policy', 'networking.k8s.io', 'discovery.k8s.io', 'rbac.authorization.k8s.io',
      'storage.k8s.io', 'scheduling.k8s.io', 'apiextensions.k8s.io', 'certificates.k8s.io', 'coordination.k8s.io', 'events.k8s.io'])
      assert.ok(groups.includes(group), group);
    const resources = (await core.getAPIResources()).resources.map((r) => r.name);
    for (const name of ['pods', 'pods/log', 'pods/exec', 'pods/eviction', 'nodes/proxy', 'serviceaccounts/token', 'resourcequotas'])
      assert.ok(resources.includes(name), name);
  },

  async oneOfEachKind() {
    const batch = api(k8s.BatchV1Api), net = api(k8s.NetworkingV1Api), rbac = api(k8s.RbacAuthorizationV1Api);
    const scaling = api(k8s.AutoscalingV2Api), policy = api(k8s.PolicyV1Api), storage = api(k8s.StorageV1Api);
    const job = { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'c:1' }] } } };
    const made = [
      await batch.createNamespacedCronJob({ namespace, body: { metadata: { name: 'nightly' }, spec: { schedule: '0 3 * * *', jobTemplate: { spec: job } } } }),
      await batch.createNamespacedJob({ namespace, body: { metadata: { name: 'once' }, spec: job } }),
      await apps.createNamespacedStatefulSet({ namespace, body: { metadata: { name: 'db' }, spec: { serviceName: 'db', selector: { matchLabels: labels }, template } } }),
      await apps.createNamespacedDaemonSet({ namespace, body: { metadata: { name: 'each' }, spec: { selector: { matchLabels: labels }, template } } }),
      await net.createNamespacedIngress({ namespace, body: { metadata: { name: 'front' }, spec: { defaultBackend: { service: { name: 'web', port: { number: 80 } } } } } }),
      await net.createNamespacedNetworkPolicy({ namespace, body: { metadata: { name: 'quiet' }, spec: { podSelector: {}, policyTypes: ['Ingress'] } } }),
      await rbac.createNamespacedRole({ namespace, body: { metadata: { name: 'reader' }, rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }] } }),
      await rbac.createNamespacedRoleBinding({ namespace, body: { metadata: { name: 'reader' }, roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'reader' }, subjects: [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: 'ann' }] } }),
      await scaling.createNamespacedHorizontalPodAutoscaler({ namespace, body: { metadata: { name: 'web' }, spec: { maxReplicas: 5, scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' }, metrics: [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 60 } } }] } } }),
      await policy.createNamespacedPodDisruptionBudget({ namespace, body: { metadata: { name: 'web' }, spec: { minAvailable: '50%', selector: { matchLabels: labels } } } }),
      await storage.createStorageClass({ body: { metadata: { name: 'fast' }, provisioner: 'example.com/none' } }),
      await core.createNamespacedPersistentVolumeClaim({ namespace, body: { metadata: { name: 'data' }, spec: { accessModes: ['ReadWriteOnce'], storageClassName: 'fast', resources: { requests: { storage: '1Gi' } } } } }),
      await core.createNamespacedLimitRange({ namespace: 'kube-public', body: { metadata: { name: 'small' }, spec: { limits: [{ type: 'Container', _default: { cpu: '1' } }] } } }),
      await core.createNamespacedReplicationController({ namespace, body: { metadata: { name: 'old' }, spec: { replicas: 0, selector: { app: 'old' }, template: { metadata: { labels: { app: 'old' } }, spec: template.spec } } } }),
    ];
    for (const object of made) {
      assert.ok(object.metadata.uid && object.metadata.resourceVersion, object.metadata.name);
      assert.ok(object.metadata.creationTimestamp instanceof Date);
    }
    const jobs = (await batch.readNamespacedCronJob({ namespace, name: 'nightly' })).spec;
    assert.equal(jobs.concurrencyPolicy, 'Allow');
    assert.equal(jobs.successfulJobsHistoryLimit, 3);
    const v1 = await api(k8s.AutoscalingV1Api).readNamespacedHorizontalPodAutoscaler({ namespace, name: 'web' });
    assert.equal(v1.spec.targetCPUUtilizationPercentage, 60);
  },

  async deploymentsFromCreateToDelete() {
    const made = await apps.createNamespacedDeployment({ namespace, body: deployment('web', 2) });
    assert.equal(made.spec.strategy.type, 'RollingUpdate');
    await until('two pods', async () => (await core.listNamespacedPod({ namespace, labelSelector: 'app=web' })).items.length === 2);
    const scale = await apps.readNamespacedDeploymentScale({ namespace, name: 'web' });
    scale.spec.replicas = 3;
    await apps.replaceNamespacedDeploymentScale({ namespace, name: 'web', body: scale });
    await until('three pods', async () => (await core.listNamespacedPod({ namespace, labelSelector: 'app=web' })).items.length === 3);
    await apps.deleteNamespacedDeployment({ namespace, name: 'web', propagationPolicy: 'Foreground' });
    await until('all gone', async () => (await core.listNamespacedPod({ namespace, labelSelector: 'app=web' })).items.length === 0);
    // In the foreground it goes after what it owned, a moment later than the last pod.
    await until('no deployment', async () => (await apps.listNamespacedDeployment({ namespace })).items.every((d) => d.metadata.name !== 'web'));
    await refused(404, () => apps.readNamespacedDeployment({ namespace, name: 'web' }));
  },

  async patchesOfAllTypes() {
    await apps.createNamespacedDeployment({ namespace, body: deployment('web', 0) });
    const patch = (strategy, body, more = {}) => apps.patchNamespacedDeployment({ namespace, name: 'web', body, ...more }, patchAs(strategy));
    let now = await patch(k8s.PatchStrategy.JsonPatch, [{ op: 'replace', path: '/spec/replicas', value: 1 }]);
    assert.equal(now.spec.replicas, 1);
    now = await patch(k8s.PatchStrategy.MergePatch, { metadata: { labels: { tier: 'front' } } });
    assert.equal(now.metadata.labels.tier, 'front');
    now = await patch(k8s.PatchStrategy.StrategicMergePatch, { spec: { template: { spec: { containers: [{ name: 'side', image: 'side:1' }] } } } });
    assert.equal(now.spec.template.spec.containers.length, 2);
    await refused(422, () => patch(k8s.PatchStrategy.JsonPatch, [{ op: 'test', path: '/spec/replicas', value: 9 }]));
  },

  async serverSideApply() {
    const body = { apiVersion: 'apps/v1', kind: 'Deployment', ...deployment('web', 1) };
    const apply = (fieldManager, with_, force) =>
      apps.patchNamespacedDeployment({ namespace, name: 'web', body: with_, fieldManager, force }, patchAs(k8s.PatchStrategy.ServerSideApply));
    const made = await apply('one', body);
    assert.equal(made.metadata.managedFields.length, 1);
    assert.equal(made.metadata.managedFields[0].manager, 'one');
    const more = structuredClone(body);
    more.spec.replicas = 4;
    const said = await refused(409, () => apply('two', more));
    assert.equal(said.reason, 'Conflict');
    assert.equal(said.details.causes[0].field, '.spec.replicas');
    assert.equal(said.details.causes[0].reason, 'FieldManagerConflict');
    assert.equal((await apply('two', more, true)).spec.replicas, 4);
    const fewer = structuredClone(body);
    delete fewer.spec.replicas;
    delete fewer.metadata.labels;
    assert.equal((await apply('one', fewer)).spec.replicas, 4);
  },

  async errorsSayWhatAndWhere() {
    let said = await refused(404, () => core.readNamespacedPod({ namespace, name: 'nobody' }));
    assert.equal(said.reason, 'NotFound');
    assert.deepEqual({ ...said.details }, { name: 'nobody', kind: 'pods' });
    const body = { metadata: { name: 'a' } };
    await core.createNamespacedConfigMap({ namespace, body });
    said = await refused(409, () => core.createNamespacedConfigMap({ namespace, body }));
    assert.equal(said.reason, 'AlreadyExists');
    const fields = async (name, containers) =>
      (await refused(422, () => core.createNamespacedPod({ namespace, body: { metadata: { name }, spec: { containers } } }))).details.causes.map((c) => c.field);
    assert.deepEqual(await fields('Bad_Name', [{ name: 'c', image: 'c:1' }]), ['metadata.name']);
    assert.deepEqual(await fields('good', []), ['spec.containers']);
    assert.deepEqual(await fields('good', [{ name: 'C', image: 'c:1', ports: [{ containerPort: 0 }] }]), ['spec.containers[0].name', 'spec.containers[0].ports[0].containerPort']);
    const stale = await core.readNamespacedConfigMap({ namespace, name: 'a' });
    await core.patchNamespacedConfigMap({ namespace, name: 'a', body: { data: { k: '1' } } }, patchAs(k8s.PatchStrategy.MergePatch));
    said = await refused(409, () => core.replaceNamespacedConfigMap({ namespace, name: 'a', body: stale }));
    assert.equal(said.reason, 'Conflict');
  },

  async informersFollow() {
    const seen = [];
    const informer = k8s.makeInformer(config, '/api/v1/namespaces/default/configmaps', () => core.listNamespacedConfigMap({ namespace }));
    for (const verb of ['add', 'update', 'delete']) informer.on(verb, (o) => seen.push(`${verb} ${o.metadata.name}`));
    informer.on('error', (e) => seen.push(`error ${e}`));
    await informer.start();
    await core.createNamespacedConfigMap({ namespace, body: { metadata: { name: 'live' } } });
    await until('the addition', () => seen.includes('add live'));
    await core.patchNamespacedConfigMap({ namespace, name: 'live', body: { data: { k: 'v' } } }, patchAs(k8s.PatchStrategy.MergePatch));
    await until('the update', () => seen.includes('update live'));
    await core.deleteNamespacedConfigMap({ namespace, name: 'live' });
    await until('the deletion', () => seen.includes('delete live'));
    assert.equal(informer.get('live', namespace), undefined);
    await informer.stop();
  },

  async watchesFromARevisionWithBookmarks() {
    const list = await core.listNamespacedConfigMap({ namespace });
    await core.createNamespacedConfigMap({ namespace, body: { metadata: { name: 'after' } } });
    const events = [];
    let ended;
    const end = new Promise((go) => { ended = go; });
    await new k8s.Watch(config).watch('/api/v1/namespaces/default/configmaps',
      { resourceVersion: list.metadata.resourceVersion, allowWatchBookmarks: true, timeoutSeconds: 2 },
      (phase, object) => events.push([phase, object]), ended);
    await end;
    assert.deepEqual(events.filter(([p]) => p !== 'BOOKMARK').map(([p, o]) => [p, o.metadata.name]), [['ADDED', 'after']]);
    assert.ok(events.some(([p]) => p === 'BOOKMARK'), 'a bookmark before the end');
  },

  async initialEventsThenABookmark() {
    await core.createNamespacedConfigMap({ namespace, body: { metadata: { name: 'first' } } });
    const events = [];
    const abort = await new k8s.Watch(config).watch('/api/v1/namespaces/default/configmaps',
      { sendInitialEvents: true, resourceVersionMatch: 'NotOlderThan', allowWatchBookmarks: true },
      (phase, object) => events.push([phase, object]), () => {});
    await until('the end of the beginning', () => events.some(([p, o]) => p === 'BOOKMARK' && o.metadata.annotations?.['k8s.io/initial-events-end'] === 'true'));
    abort.abort();
    assert.ok(events.some(([p, o]) => p === 'ADDED' && o.metadata.name === 'first'));
  },

  async pagesAreConsistent() {
    for (let i = 0; i < 25; ++i) await core.createNamespacedConfigMap({ namespace, body: { metadata: { name: `page-${i}`, labels: { set: 'pages' } } } });
    const names = [];
    let next;
    do {
      const page = await core.listNamespacedConfigMap({ namespace, labelSelector: 'set=pages', limit: 10, _continue: next });
      names.push(...page.items.map((o) => o.metadata.name));
      next = page.metadata._continue;
      if (names.length === 10) await core.deleteNamespacedConfigMap({ namespace, name: 'page-9' });  // after the pages' revision
    } while (next);
    assert.equal(names.length, 25);
    assert.equal(new Set(names).size, 25);
  },

  async dryRunChangesNothing() {
    await core.createNamespacedConfigMap({ namespace, body: { metadata: { name: 'dry' } }, dryRun: 'All' });
    await refused(404, () => core.readNamespacedConfigMap({ namespace, name: 'dry' }));
  },

  async customKinds() {
    const extensions = api(k8s.ApiextensionsV1Api), objects = k8s.KubernetesObjectApi.makeApiClient(config);
    await extensions.createCustomResourceDefinition({ body: {
      metadata: { name: 'boats.example.com' },
      spec: {
        group: 'example.com', scope: 'Namespaced', names: { plural: 'boats', singular: 'boat', kind: 'Boat', shortNames: ['bo'] },
        versions: [{ name: 'v1', served: true, storage: true, subresources: { status: {} },
          schema: { openAPIV3Schema: { type: 'object', properties: {
            spec: { type: 'object', required: ['length'], properties: { length: { type: 'integer', minimum: 1 }, color: { type: 'string', _default: 'white' } } },
            status: { type: 'object', properties: { afloat: { type: 'boolean' } } } } } } }],
      } } });
    await until('Established', async () => (await extensions.readCustomResourceDefinition({ name: 'boats.example.com' })).status?.conditions?.some((c) => c.type === 'Established' && c.status === 'True'));
    const boat = { apiVersion: 'example.com/v1', kind: 'Boat', metadata: { name: 'argo', namespace }, spec: { length: 12 } };
    const made = await objects.create(boat);
    assert.equal(made.spec.color, 'white');
    const said = await refused(422, () => objects.create({ ...boat, metadata: { name: 'nil', namespace }, spec: { length: 0 } }));
    assert.equal(said.details.causes[0].field, 'spec.length');
    const custom = api(k8s.CustomObjectsApi);
    const place = { group: 'example.com', version: 'v1', namespace, plural: 'boats', name: 'argo' };
    const status = await custom.patchNamespacedCustomObjectStatus({ ...place, body: { status: { afloat: true } } }, patchAs(k8s.PatchStrategy.MergePatch));
    assert.equal(status.status.afloat, true);
    assert.equal((await custom.listNamespacedCustomObject(place)).items.length, 1);
    await extensions.deleteCustomResourceDefinition({ name: 'boats.example.com' });
    await until('the kind to go', async () => { try { await custom.listNamespacedCustomObject(place); return false; } catch (e) { return e.code === 404; } });
  },

  async serviceAccountsAndTheirTokens() {
    await core.createNamespacedServiceAccount({ namespace, body: { metadata: { name: 'robot' } } });
    const rbac = api(k8s.RbacAuthorizationV1Api);
    await rbac.createNamespacedRole({ namespace, body: { metadata: { name: 'maps' }, rules: [{ apiGroups: [''], resources: ['configmaps'], verbs: ['list'] }] } });
    await rbac.createNamespacedRoleBinding({ namespace, body: { metadata: { name: 'maps' }, roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'maps' }, subjects: [{ kind: 'ServiceAccount', name: 'robot', namespace }] } });
    const { status } = await core.createNamespacedServiceAccountToken({ namespace, name: 'robot', body: { spec: { audiences: [], expirationSeconds: 600 } } });
    const own = new k8s.KubeConfig();
    own.loadFromClusterAndUser(config.getCurrentCluster(), { name: 'robot', token: status.token });
    const asRobot = own.makeApiClient(k8s.CoreV1Api);
    await asRobot.listNamespacedConfigMap({ namespace });
    const said = await refused(403, () => asRobot.listNamespacedSecret({ namespace }));
    assert.equal(said.message, 'secrets is forbidden: User "system:serviceaccount:default:robot" cannot list resource "secrets" in API group "" in the namespace "default"');
    const review = await api(k8s.AuthenticationV1Api).createTokenReview({ body: { spec: { token: status.token } } });
    assert.equal(review.status.user.username, 'system:serviceaccount:default:robot');
    const access = await own.makeApiClient(k8s.AuthorizationV1Api).createSelfSubjectAccessReview({ body: { spec: { resourceAttributes: { verb: 'list', resource: 'configmaps', namespace } } } });
    assert.equal(access.status.allowed, true);
    await core.deleteNamespacedServiceAccount({ namespace, name: 'robot' });
    await refused(401, () => asRobot.listNamespacedConfigMap({ namespace }));
  },

  async evictionsAndBudgets() {
    const said = await refused(404, () => core.createNamespacedPodEviction({ namespace, name: 'nobody', body: { metadata: { name: 'nobody' } } }));
    assert.equal(said.reason, 'NotFound');
  },

  async quotasHold() {
    await core.createNamespace({ body: { metadata: { name: 'tight' } } });
    await core.createNamespacedResourceQuota({ namespace: 'tight', body: { metadata: { name: 'q' }, spec: { hard: { 'count/configmaps': '5', services: '3' } } } });
    const make = (i) => core.createNamespacedService({ namespace: 'tight', body: { metadata: { name: `s${i}` }, spec: { ports: [{ port: 80 }] } } }).then(() => 1, (e) => {
      assert.equal(e.code, 403);
      assert.match(JSON.parse(e.body).message, /exceeded quota: q, requested: services=1, used: services=3, limited: services=3/);
      return 0;
    });
    const made = await Promise.all(Array.from({ length: 20 }, (_, i) => make(i)));
    assert.equal(made.reduce((a, b) => a + b), 3);
  },
};

if (name === '--list') {
  console.log(Object.keys(cases).join('\n'));
} else {
  assert.ok(cases[name], `no case ${name}`);
  await cases[name]();
  process.exit(0);  // watches may still be open
}
