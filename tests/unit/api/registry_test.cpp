#include <QtTest>

#include "engine/api/registry.h"
#include "engine/api/types/apps.h"
#include "engine/api/types/autoscaling.h"
#include "engine/api/types/coordination.h"
#include "engine/api/types/core.h"
#include "engine/api/types/fleet.h"

using namespace ph;
using namespace ph::api;

class RegistryTest : public QObject {
  Q_OBJECT
 private slots:
  void builtInKinds() {
    auto registry = Registry::builtin();
    for (auto [group, version, plural, kind, namespaced] :
         std::initializer_list<std::tuple<const char*, const char*, const char*, const char*, bool>>{
             {"", "v1", "namespaces", "Namespace", false},
             {"", "v1", "nodes", "Node", false},
             {"", "v1", "pods", "Pod", true},
             {"", "v1", "configmaps", "ConfigMap", true},
             {"", "v1", "secrets", "Secret", true},
             {"", "v1", "services", "Service", true},
             {"", "v1", "endpoints", "Endpoints", true},
             {"", "v1", "serviceaccounts", "ServiceAccount", true},
             {"", "v1", "events", "Event", true},
             {"apps", "v1", "replicasets", "ReplicaSet", true},
             {"apps", "v1", "deployments", "Deployment", true},
             {"coordination.k8s.io", "v1", "leases", "Lease", true},
             {"fleet.pilothouse.io", "v1", "machines", "Machine", false}}) {
      auto* info = registry->find(group, version, plural);
      QVERIFY2(info, plural);
      QCOMPARE(info->kind, std::string(kind));
      QCOMPARE(info->namespaced, namespaced);
      QCOMPARE(registry->findKind(group, version, kind), info);
      QCOMPARE(registry->storage(group, plural), info);
      QVERIFY(info->type && info->strategy && info->builtin);
      QVERIFY(info->type->field("metadata"));
      QVERIFY(!info->columns.empty());
    }
    QVERIFY(!registry->find("", "v2", "pods"));
    QCOMPARE(registry->find("apps", "v1", "deployments")->keyPrefix(), std::string("/registry/apps/deployments/"));
    QCOMPARE(registry->find("", "v1", "pods")->keyPrefix(), std::string("/registry/core/pods/"));
  }

  void addingAndRemoving() {
    auto registry = Registry::builtin();
    static constexpr Type type{.name = "x", .form = Form::Object};
    for (const char* version : {"v1beta1", "v2alpha1", "v1", "v2"}) {
      ResourceInfo info;
      info.group = "example.com";
      info.version = version;
      info.kind = "Boat";
      info.plural = "boats";
      info.type = &type;
      info.storedVersion = info.version == "v2";
      auto added = registry->add(info);
      QVERIFY(added.ok());
      QCOMPARE(registry->find("example.com", version, "boats"), *added);
    }
    QCOMPARE(registry->storage("example.com", "boats")->version, std::string("v2"));
    auto groups = registry->groupVersions();
    auto it = std::find_if(groups.begin(), groups.end(), [](auto& g) { return g.first == "example.com"; });
    QVERIFY(it != groups.end());
    QCOMPARE(it->second, (std::vector<std::string>{"v2", "v1", "v1beta1", "v2alpha1"}));
    registry->remove("example.com", "boats");
    QVERIFY(!registry->find("example.com", "v1", "boats"));
  }

  void builtInsStay() {
    auto registry = Registry::builtin();
    ResourceInfo info = *registry->find("", "v1", "pods");
    QVERIFY(registry->add(info).status().isAlreadyExists());
    registry->remove("", "pods");
    QVERIFY(registry->find("", "v1", "pods"));
    info = *registry->find("", "v1", "pods");
    info.type = nullptr;
    QVERIFY(!registry->add(info).ok());
  }
};

QTEST_GUILESS_MAIN(RegistryTest)
#include "registry_test.moc"
