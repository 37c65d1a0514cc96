// The scheduler alone: how many pods a second it places on 5,000 nodes, in memory, decisions only.
#include <chrono>

#include "tests/bench/row.h"
#include "tests/unit/scheduler/builders.h"

using namespace ph;
using namespace ph::scheduler;

namespace {

constexpr int kNodes = 5000;

enum class Shape { Same, Distinct, Rules };

// The i-th pod of a shape: all alike; each with a request of its own; or with spreading and anti-affinity of 50 applications.
api::ObjectPtr podOf(Shape shape, int i) {
  std::string name = fmt::format("p{}", i);
  switch (shape) {
    case Shape::Same:
      return test::pod(name, "100m", R"({"metadata":{"ownerReferences":[{"apiVersion":"apps/v1","kind":"ReplicaSet","name":"r","uid":"r1","controller":true}]}})");
    case Shape::Distinct:
      return test::pod(name, fmt::format("{}m", 50 + i % 997), fmt::format(R"({{"metadata":{{"labels":{{"n":"{}"}}}}}})", i));
    case Shape::Rules: {
      std::string app = fmt::format("a{}", i % 50);
      return test::pod(name, "50m", fmt::format(R"({{"metadata":{{"labels":{{"app":"{0}"}}}},"spec":{{
        "topologySpreadConstraints":[{{"maxSkew":5,"topologyKey":"topology.kubernetes.io/zone","whenUnsatisfiable":"DoNotSchedule",
          "labelSelector":{{"matchLabels":{{"app":"{0}"}}}}}}],
        "affinity":{{"podAntiAffinity":{{"requiredDuringSchedulingIgnoredDuringExecution":[{{"topologyKey":"kubernetes.io/hostname",
          "labelSelector":{{"matchLabels":{{"app":"{0}"}}}}}}]}}}}}}}})", app));
    }
  }
  return nullptr;
}

double podsPerSecond(Shape shape, int pods) {
  auto random = seededRandom(1);
  Cluster cluster;
  Chooser chooser(defaultProfile(), *random);
  for (int i = 0; i < kNodes; ++i)
    cluster.setNode(test::node(fmt::format("n{}", i), fmt::format(R"({{"metadata":{{"labels":{{"topology.kubernetes.io/zone":"z{}"}}}},
      "status":{{"allocatable":{{"cpu":"32","memory":"64Gi"}}}}}})", i % 10)));
  std::vector<PodInfoPtr> queue;  // decoding is the queue's work, not the decision's
  for (int i = 0; i < pods; ++i) queue.push_back(podInfo(podOf(shape, i)));
  auto begin = std::chrono::steady_clock::now();
  int placed = 0;
  for (auto& pod : queue) {
    Verdict v = chooser.choose(*pod, cluster);
    if (v.slot < 0) continue;
    cluster.setPod(pod, v.node);
    ++placed;
  }
  double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  PH_CHECK(placed == pods);
  return pods / seconds;
}

}  // namespace

int main() {
  bench::row("scheduler, 5000 nodes, same spec", podsPerSecond(Shape::Same, 50000), "pods/s", ">= 50000");
  bench::row("scheduler, 5000 nodes, all distinct", podsPerSecond(Shape::Distinct, 10000), "pods/s", ">= 5000");
  bench::row("scheduler, 5000 nodes, affinity and spread", podsPerSecond(Shape::Rules, 5000), "pods/s", ">= 2000");
}
