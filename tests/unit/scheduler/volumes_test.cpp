// Where pods with PersistentVolumeClaims may go.
#include <QTest>

#include "tests/unit/scheduler/builders.h"

using namespace ph;
using namespace ph::scheduler;
using test::node;
using test::pod;

namespace {

struct Bench {
  Bench() {
    cluster.setNode(node("a"));
    cluster.setNode(node("b"));
  }
  void claim(const std::string& name, std::string_view extra = {}) {
    put(test::make("persistentvolumeclaims",
                   {{"apiVersion", "v1"}, {"kind", "PersistentVolumeClaim"},
                    {"metadata", {{"name", name}, {"namespace", "default"}, {"uid", "c-" + name}}},
                    {"spec", {{"accessModes", {"ReadWriteOnce"}}, {"resources", {{"requests", {{"storage", "1Gi"}}}}}}}},
                   extra));
  }
  // A volume that only one node reaches.
  void volumeOn(const std::string& name, const std::string& node, std::string_view extra = {}) {
    put(test::make("persistentvolumes",
                   *api::parseJson(fmt::format(R"({{"apiVersion":"v1","kind":"PersistentVolume","metadata":{{"name":"{}","uid":"v-{}"}},
                       "spec":{{"capacity":{{"storage":"2Gi"}},"accessModes":["ReadWriteOnce"],"local":{{"path":"/data"}},
                       "nodeAffinity":{{"required":{{"nodeSelectorTerms":[{{"matchExpressions":[{{"key":"kubernetes.io/hostname","operator":"In","values":["{}"]}}]}}]}}}}}},
                       "status":{{"phase":"Available"}}}})", name, name, node)),
                   extra));
  }
  void storageClass(const std::string& name, const std::string& provisioner, const std::string& mode) {
    api::Json tree{{"apiVersion", "storage.k8s.io/v1"}, {"kind", "StorageClass"}, {"metadata", {{"name", name}}},
                   {"provisioner", provisioner}, {"volumeBindingMode", mode}};
    cluster.volumes().setClass(name, api::Object::make(test::registry().storage("storage.k8s.io", "storageclasses"), tree, 1));
  }
  std::string place(const std::string& name, const std::string& claim, std::string_view extra = {}) {
    auto info = podInfo(pod(name, {}, fmt::format(R"({{"spec":{{"volumes":[{{"name":"v","persistentVolumeClaim":{{"claimName":"{}"}}}}]{}}}}})", claim, extra)));
    Verdict v = chooser.choose(*info, cluster);
    if (v.slot < 0) return v.message();
    cluster.setPod(info, v.node);
    return v.node;
  }

  std::unique_ptr<Random> random = seededRandom(1);
  Cluster cluster;
  Chooser chooser{defaultProfile(), *random};

 private:
  void put(const api::ObjectPtr& object) {
    if (object->info().plural == "persistentvolumes") cluster.volumes().setVolume(object->key(), object);
    else cluster.volumes().setClaim(object->key(), object);
  }
};

std::string no(const std::string& why) { return "0/2 nodes are available: 2 " + why + "."; }

constexpr auto kLocal = R"({"spec":{"storageClassName":"local"}})";

}  // namespace

class SchedulerVolumesTest : public QObject {
  Q_OBJECT
 private slots:
  void aPodFollowsItsVolume() {
    Bench b;
    b.claim("data", R"({"spec":{"volumeName":"disk"},"status":{"phase":"Bound"}})");
    b.volumeOn("disk", "b", R"({"spec":{"claimRef":{"namespace":"default","name":"data","uid":"c-data"}},"status":{"phase":"Bound"}})");
    QCOMPARE(b.place("p", "data"), std::string("b"));
    QCOMPARE(b.place("q", "data", R"(,"nodeSelector":{"kubernetes.io/hostname":"a"})"),
             std::string("0/2 nodes are available: 1 node(s) didn't match PersistentVolume's node affinity, 1 node(s) didn't match Pod's node affinity/selector."));
  }

  void withoutItsClaimItWaits() {
    Bench b;
    QCOMPARE(b.place("p", "data"), no("persistentvolumeclaim \"data\" not found"));
    b.claim("data");
    QCOMPARE(b.place("p", "data"), no("pod has unbound immediate PersistentVolumeClaims"));
    b.claim("data", R"({"spec":{"volumeName":"disk"}})");
    b.volumeOn("disk", "a", R"({"spec":{"claimRef":{"namespace":"default","name":"other","uid":"c-other"}}})");
    QCOMPARE(b.place("p", "data"), no("pod has unbound immediate PersistentVolumeClaims"));
    b.claim("data", R"({"metadata":{"deletionTimestamp":"2026-01-01T00:00:00Z"}})");
    QCOMPARE(b.place("p", "data"), no("persistentvolumeclaim \"data\" is being deleted"));
    b.claim("data", R"({"spec":{"volumeName":"disk"},"status":{"phase":"Lost"}})");
    QCOMPARE(b.place("p", "data"), no("persistentvolumeclaim \"data\" bound to non-existent persistentvolume \"disk\""));
  }

  void theFirstPodDecidesWhereALocalVolumeWillBe() {
    Bench b;
    b.storageClass("local", std::string("pilothouse.io/local"), "WaitForFirstConsumer");
    b.claim("data", kLocal);
    std::string first = b.place("p", "data", R"(,"nodeSelector":{"kubernetes.io/hostname":"b"})");
    QCOMPARE(first, std::string("b"));
    QCOMPARE(b.place("q", "data"), std::string("b"));  // not bound yet, but where else?
    QCOMPARE(b.place("r", "data", R"(,"nodeSelector":{"kubernetes.io/hostname":"a"})"),
             std::string("0/2 nodes are available: 1 node(s) aren't the one where another pod uses the claim, 1 node(s) didn't match Pod's node affinity/selector."));
    b.cluster.removePod("p-p");
    b.cluster.removePod("p-q");
    QCOMPARE(b.place("r", "data", R"(,"nodeSelector":{"kubernetes.io/hostname":"a"})"), std::string("a"));
  }

  void volumesMadeBeforehandAreFoundWhereTheyAre() {
    Bench b;
    b.storageClass("local", "kubernetes.io/no-provisioner", "WaitForFirstConsumer");
    b.claim("data", kLocal);
    QCOMPARE(b.place("p", "data"), no("node(s) didn't find available persistent volumes to bind"));
    b.volumeOn("small", "a", R"({"spec":{"storageClassName":"local","capacity":{"storage":"100Mi"}}})");
    b.volumeOn("taken", "a", R"({"spec":{"storageClassName":"local","claimRef":{"namespace":"x","name":"y","uid":"z"}}})");
    b.volumeOn("released", "a", R"({"spec":{"storageClassName":"local"},"status":{"phase":"Released"}})");
    b.volumeOn("classless", "a");
    QCOMPARE(b.place("p", "data"), no("node(s) didn't find available persistent volumes to bind"));
    b.volumeOn("right", "b", R"({"spec":{"storageClassName":"local"}})");
    QCOMPARE(b.place("p", "data"), std::string("b"));
  }

  void aVolumeOfTheNetworkIsReachedFromEverywhere() {
    Bench b;
    b.claim("data", R"({"spec":{"volumeName":"nfs"},"status":{"phase":"Bound"}})");
    b.volumeOn("nfs", "nowhere", R"({"spec":{"nodeAffinity":null,"claimRef":{"namespace":"default","name":"data","uid":"c-data"}}})");
    QCOMPARE(b.place("p", "data", R"(,"nodeSelector":{"kubernetes.io/hostname":"a"})"), std::string("a"));
    QCOMPARE(b.place("q", "data", R"(,"nodeSelector":{"kubernetes.io/hostname":"b"})"), std::string("b"));
  }
};

QTEST_GUILESS_MAIN(SchedulerVolumesTest)
#include "volumes_test.moc"
