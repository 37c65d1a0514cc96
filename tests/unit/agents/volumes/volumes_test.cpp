// What containers get from outside: atomic files, environment, the downward API, registry credentials.
#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QTemporaryDir>
#include <QTest>

#include <fmt/format.h>
#include <sys/stat.h>

#include "agents/os/files.h"
#include "agents/volumes/pod_volumes.h"
#include "engine/api/types/core.h"
#include "tests/support/fake_client.h"

using namespace ph;
using namespace ph::agents;
using namespace std::chrono_literals;
namespace core = api::core;

namespace {

api::ObjectPtr pod(const std::string& spec) {
  auto registry = api::Registry::builtin();
  static std::vector<std::shared_ptr<api::Registry>> keep;
  keep.push_back(registry);
  auto tree = api::parseYaml("apiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: ns1, uid: u-1, labels: {app: web, tier: 'a\"b'}, annotations: {note: x}}\nspec:\n" + spec);
  if (!tree.ok()) qFatal("%s", tree.status().message.c_str());
  return api::Object::make(registry->find("", "v1", "pods"), *tree, 1);
}

// An API, and the volumes of a node in a folder of its own.
struct World {
  QTemporaryDir dir;
  std::shared_ptr<SimExecutor> sim;
  test::FakeClient api;
  std::shared_ptr<PodVolumes> volumes;
  World(uint64_t seed, const std::string& folder) : sim(SimExecutor::make(seed)), api(sim) {
    VolumeOptions options;
    options.folder = dir.path().toStdString() + folder;
    volumes = std::make_shared<PodVolumes>(api, sim, sim, options);
    volumes->start();
  }
};

std::string valueOf(const Environment& env, const std::string& name) {
  for (auto& [k, v] : env)
    if (k == name) return v;
  return "<none>";
}

}  // namespace

class VolumesTest : public QObject {
  Q_OBJECT
 private slots:
  void expansionFollowsKubernetes() {
    std::map<std::string, std::string> v{{"A", "1"}, {"B", "two"}};
    QCOMPARE(QString::fromStdString(expand("$(A)-$(B)", v)), "1-two");
    QCOMPARE(QString::fromStdString(expand("$$(A) $(C) $(A", v)), "$(A) $(C) $(A");
    QCOMPARE(QString::fromStdString(expand("$A $ $$", v)), "$A $ $");
  }

  void environmentTakesAllSources() {
    auto p = pod(R"Y(
  nodeName: n1
  containers:
  - name: c
    image: i
    resources: {limits: {cpu: 1500m, memory: 64Mi}}
    envFrom:
    - {prefix: P_, configMapRef: {name: cfg}}
    - {secretRef: {name: gone, optional: true}}
    env:
    - {name: PLAIN, value: "x $(P_k) $(APP_SERVICE_HOST)"}
    - {name: IP, valueFrom: {fieldRef: {fieldPath: status.podIP}}}
    - {name: LABEL, valueFrom: {fieldRef: {fieldPath: "metadata.labels['app']"}}}
    - {name: CPU, valueFrom: {resourceFieldRef: {resource: limits.cpu}}}
    - {name: MEM, valueFrom: {resourceFieldRef: {resource: limits.memory, divisor: 1Mi}}}
    - {name: SECRET, valueFrom: {secretKeyRef: {name: sec, key: pw}}}
    - {name: MAYBE, valueFrom: {secretKeyRef: {name: sec, key: none, optional: true}}}
)Y");
    test::FakeClient api(SimExecutor::make(1));
    auto cfg = api.create("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: cfg, namespace: ns1}\ndata: {k: v, 'not a name': yy}");
    auto sec = api.create("apiVersion: v1\nkind: Secret\nmetadata: {name: sec, namespace: ns1}\ndata: {pw: czNjcmV0}");
    auto get = [&](const ObjectRef& ref) -> api::ObjectPtr { return ref.name == "cfg" ? cfg : ref.name == "sec" ? sec : nullptr; };
    DownwardContext context{"n1", {{"10.1.1.1"}, "10.0.0.1"}, 4000, 1 << 30, 1 << 30};
    auto& c = p->as<core::Pod>().spec.containers[0];
    auto env = makeEnvironment(*p, c, get, {{"APP_SERVICE_HOST", "10.96.1.1"}}, context);
    QVERIFY2(env.ok(), env.ok() ? "" : env.status().message.c_str());
    QCOMPARE(QString::fromStdString(valueOf(*env, "PLAIN")), "x v 10.96.1.1");
    QCOMPARE(QString::fromStdString(valueOf(*env, "P_k")), "v");
    QCOMPARE(QString::fromStdString(valueOf(*env, "IP")), "10.1.1.1");
    QCOMPARE(QString::fromStdString(valueOf(*env, "LABEL")), "web");
    QCOMPARE(QString::fromStdString(valueOf(*env, "CPU")), "2");
    QCOMPARE(QString::fromStdString(valueOf(*env, "MEM")), "64");
    QCOMPARE(QString::fromStdString(valueOf(*env, "SECRET")), "s3cret");
    QCOMPARE(QString::fromStdString(valueOf(*env, "MAYBE")), "<none>");
    QCOMPARE(QString::fromStdString(valueOf(*env, "P_not a name")), "<none>");
    auto missing = makeEnvironment(*p, c, [](const ObjectRef&) { return api::ObjectPtr(); }, {}, context);
    QVERIFY(!missing.ok());
    QCOMPARE(QString::fromStdString(missing.status().message), "configmap \"cfg\" not found");
  }

  void downwardTextsAreEscaped() {
    auto p = pod("  containers: [{name: c, image: i}]\n");
    auto labels = fieldValue(*p, "metadata.labels", {});
    QVERIFY(labels.ok());
    QCOMPARE(QString::fromStdString(*labels), "app=\"web\"\ntier=\"a\\\"b\"");
    QVERIFY(!fieldValue(*p, "spec.nothing", {}).ok());
  }

  void payloadIsSwappedAtOnce() {
    QTemporaryDir dir;
    auto folder = dir.path().toStdString() + "/v";
    auto t = WallTime(1700000000s);
    auto first = writePayload(folder, {{"a", {"1", 0644}}, {"sub/b", {"2", 0400}}}, {}, t);
    QVERIFY2(first.ok() && *first, first.ok() ? "unchanged" : first.status().message.c_str());
    QCOMPARE(QString::fromStdString(readFile(folder + "/a")), "1");
    QCOMPARE(QString::fromStdString(readFile(folder + "/sub/b")), "2");
    struct stat st{};
    QCOMPARE(::stat((folder + "/sub/b").c_str(), &st), 0);
    QCOMPARE(int(st.st_mode & 0777), 0400);
    auto link = QFileInfo(QString::fromStdString(folder) + "/..data").symLinkTarget();
    auto same = writePayload(folder, {{"a", {"1", 0644}}, {"sub/b", {"2", 0400}}}, {}, t + 1s);
    QVERIFY(same.ok() && !*same);
    auto changed = writePayload(folder, {{"a", {"3", 0644}}}, {}, t + 2s);
    QVERIFY(changed.ok() && *changed);
    QCOMPARE(QString::fromStdString(readFile(folder + "/a")), "3");
    QVERIFY(!QFileInfo::exists(QString::fromStdString(folder) + "/sub"));
    QVERIFY(!QFileInfo::exists(link));  // the old files are gone
    QCOMPARE(QDir(QString::fromStdString(folder)).entryList(QDir::AllEntries | QDir::Hidden | QDir::System | QDir::NoDotAndDotDot).size(), 3);
  }

  void payloadPathsStayInside() {
    QTemporaryDir dir;
    for (auto* bad : {"../x", "/etc/passwd", "a/../../b", "..x", "a//b", ""})
      QVERIFY2(!writePayload(dir.path().toStdString() + "/v", {{bad, {"1", 0644}}}, {}, WallTime(1s)).ok(), bad);
    QVERIFY(checkPayloadPath("a/b..c/.d").empty());
  }

  void removingNeverLeavesTheTree() {
    QTemporaryDir dir;
    auto base = dir.path().toStdString();
    QVERIFY(makeFolders(base + "/keep").ok() && makeFolders(base + "/tree/deep").ok());
    QVERIFY(writeFile(base + "/keep/file", "x").ok());
    QCOMPARE(::symlink((base + "/keep").c_str(), (base + "/tree/deep/link").c_str()), 0);
    QVERIFY(removeTree(base + "/tree").ok());
    QVERIFY(!exists(base + "/tree") && exists(base + "/keep/file"));
    QVERIFY(removeTree(base + "/tree").ok());
  }

  void credentialsFitTheirRegistry() {
    std::string config = R"({"auths":{"https://index.docker.io/v1/":{"auth":"dXNlcjpwYXNz"},"reg.lab:5000":{"username":"u","password":"p"}}})";
    QCOMPARE(QString::fromStdString(authFor(config, "web:1").userName), "user");
    QCOMPARE(QString::fromStdString(authFor(config, "web:1").password), "pass");
    QCOMPARE(QString::fromStdString(authFor(config, "reg.lab:5000/a/b:2").userName), "u");
    QVERIFY(authFor(config, "other.lab/a").userName.empty());
    QVERIFY(authFor("{", "web").userName.empty());
  }

  void volumesAreMadeAndFollowTheirObjects() {
    World w(5, "");
    auto& [dir, sim, api, volumes] = w;
    auto p = pod(R"Y(
  containers: [{name: c, image: i, volumeMounts: [{name: cfg, mountPath: /cfg}, {name: tmp, mountPath: /tmp, subPath: ../x}]}]
  volumes:
  - {name: cfg, configMap: {name: cfg}}
  - {name: tmp, emptyDir: {}}
  - {name: down, downwardAPI: {items: [{path: who, fieldRef: {fieldPath: metadata.name}}]}}
)Y");
    std::optional<Result<>> answer;
    volumes->prepare(p, [&](Result<> r) { answer = std::move(r); });
    QVERIFY(sim->runUntil([&] { return answer.has_value(); }, 30s));
    QVERIFY(!answer->ok());
    QVERIFY(answer->status().message.find("configmap \"cfg\" not found") != std::string::npos);
    api.create("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: cfg, namespace: ns1}\ndata: {k: one}");
    // Its coming is told, so that the pod need not wait for its next try.
    bool told = false;
    volumes->onChange([&](const std::string& uid) { told = told || uid == "u-1"; });
    QVERIFY(sim->runUntil([&] { return told; }, 5s));
    answer.reset();
    volumes->prepare(p, [&](Result<> r) { answer = std::move(r); });
    QVERIFY(sim->runUntil([&] { return answer.has_value(); }, 30s));
    QVERIFY2(answer->ok(), answer->ok() ? "" : answer->status().message.c_str());
    auto base = dir.path().toStdString() + "/u-1/volumes";
    QCOMPARE(QString::fromStdString(readFile(base + "/cfg/k")), "one");
    QCOMPARE(QString::fromStdString(readFile(base + "/down/who")), "p");
    QVERIFY(exists(base + "/tmp"));
    api.edit(api.kind("", "configmaps"), "ns1/cfg", [](api::Json& o) { o.at("data").as_object()["k"] = "two"; });
    QVERIFY(sim->runUntil([&] { return readFile(base + "/cfg/k") == "two"; }, 5s));
    ContainerSpec spec;
    auto filled = volumes->fill(p, "c", 0, {{"10.1.1.1"}, "10.0.0.1"}, spec);
    QVERIFY(!filled.ok());  // a subPath that leaves its volume
    QVERIFY(filled.status().message.find("must stay inside") != std::string::npos);
    answer.reset();
    volumes->tearDown("u-1", [&](Result<> r) { answer = std::move(r); });
    QVERIFY(sim->runUntil([&] { return answer.has_value(); }, 5s));
    QVERIFY(answer->ok() && !exists(dir.path().toStdString() + "/u-1"));
    QVERIFY(sim->runUntil([&] { return api.openWatches() == 0; }, 5s));
  }

  void aClaimIsWaitedForAndItsFolderMade() {
    World w(6, "/pods");
    auto& [dir, sim, api, volumes] = w;
    auto p = pod(R"Y(
  containers: [{name: c, image: i, volumeMounts: [{name: data, mountPath: /data}]}]
  volumes: [{name: data, persistentVolumeClaim: {claimName: shop, readOnly: true}}]
)Y");
    std::optional<Result<>> answer;
    auto prepare = [&] {
      answer.reset();
      volumes->prepare(p, [&](Result<> r) { answer = std::move(r); });
    };
    prepare();
    QVERIFY(sim->runUntil([&] { return answer.has_value(); }, 30s));
    QCOMPARE(QString::fromStdString(answer->status().message), "persistentvolumeclaim \"shop\" not found");
    api.put(*api::parseYaml("apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: shop, namespace: ns1, uid: c-1}\nspec: {accessModes: [ReadWriteOnce]}"));
    prepare();
    QVERIFY(sim->runUntil([&] { return answer.has_value(); }, 30s));
    QCOMPARE(QString::fromStdString(answer->status().message), "persistentvolumeclaim \"shop\" is not bound");
    // Bound while it is waited for: no need for another try.
    auto folder = dir.path().toStdString() + "/disks/pvc-c-1";
    auto volume = fmt::format("apiVersion: v1\nkind: PersistentVolume\nmetadata: {{name: pvc-c-1, annotations: {{pv.kubernetes.io/provisioned-by: pilothouse.io/local}}}}\n"
                              "spec: {{local: {{path: {}}}, claimRef: {{namespace: ns1, name: shop, uid: c-1}}}}", folder);
    prepare();
    sim->runFor(2s);
    QVERIFY(!answer);
    api.put(*api::parseYaml(volume));
    api.edit(api.kind("", "persistentvolumeclaims"), "ns1/shop", [](api::Json& o) { o.at("spec").as_object()["volumeName"] = "pvc-c-1"; });
    QVERIFY(sim->runUntil([&] { return answer.has_value(); }, 5s));
    QVERIFY2(answer->ok(), answer->ok() ? "" : answer->status().message.c_str());
    struct stat st{};
    QVERIFY(::stat(folder.c_str(), &st) == 0 && (st.st_mode & 0777) == 0777);
    ContainerSpec spec;
    QVERIFY(volumes->fill(p, "c", 0, {{"10.1.1.1"}, "10.0.0.1"}, spec).ok());
    QCOMPARE(QString::fromStdString(spec.mounts.at(0).hostPath), QString::fromStdString(folder));
    QVERIFY(spec.mounts.at(0).readOnly);
    // What its owner made of the folder stays, and so does its data when the pod goes.
    QVERIFY(::chmod(folder.c_str(), 0700) == 0 && writeFile(folder + "/kept", "1").ok());
    prepare();
    QVERIFY(sim->runUntil([&] { return answer.has_value(); }, 5s));
    QVERIFY(::stat(folder.c_str(), &st) == 0 && (st.st_mode & 0777) == 0700);
    answer.reset();
    volumes->tearDown("u-1", [&](Result<> r) { answer = std::move(r); });
    QVERIFY(sim->runUntil([&] { return answer.has_value(); }, 5s));
    QCOMPARE(QString::fromStdString(readFile(folder + "/kept")), "1");
    QVERIFY(sim->runUntil([&] { return api.openWatches() == 0; }, 5s));
  }

  void whatIsNoFolderOfTheNodeIsRefused() {
    World w(7, "/pods");
    auto& [dir, sim, api, volumes] = w;
    auto p = pod("  containers: [{name: c, image: i}]\n  volumes: [{name: data, persistentVolumeClaim: {claimName: shop}}]\n");
    api.put(*api::parseYaml("apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: shop, namespace: ns1, uid: c-1}\nspec: {volumeName: v}"));
    auto tryWith = [&](const std::string& source) {
      api.put(*api::parseYaml("apiVersion: v1\nkind: PersistentVolume\nmetadata: {name: v}\nspec: {" + source + ", claimRef: {namespace: ns1, name: shop, uid: c-1}}"));
      sim->runFor(1s);
      std::optional<Result<>> answer;
      volumes->prepare(p, [&](Result<> r) { answer = std::move(r); });
      sim->runUntil([&] { return answer.has_value(); }, 30s);
      return !answer ? std::string("no answer") : answer->ok() ? std::string() : answer->status().message;
    };
    QVERIFY(tryWith("nfs: {server: s, path: /p}").find("of a type that this node does not support") != std::string::npos);
    // A disk that should be mounted there and is not: nothing is written beside it.
    auto missing = dir.path().toStdString() + "/not-mounted";
    QVERIFY(tryWith("local: {path: " + missing + "}").find("does not exist") != std::string::npos);
    QVERIFY(!exists(missing));
    QCOMPARE(tryWith("hostPath: {path: " + missing + ", type: DirectoryOrCreate}"), std::string());
    QVERIFY(exists(missing));
  }
};

QTEST_GUILESS_MAIN(VolumesTest)
#include "volumes_test.moc"
