#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "engine/api/quantity.h"
#include "engine/scheduler/plugins/plugins.h"

namespace ph::scheduler {
namespace {

// Calls `lack(resource name)` for each resource that the node is short of; stops when it answers false.
template <class Lack>
void shortages(const PodInfo& pod, const NodeInfo& node, Lack lack) {
  const Resources &want = pod.request, &have = node.allocatable, &used = node.requested;
  if (used.pods + want.pods > have.pods && !lack("")) return;
  if (want.milliCpu > 0 && want.milliCpu > have.milliCpu - used.milliCpu && !lack("cpu")) return;
  if (want.memory > 0 && want.memory > have.memory - used.memory && !lack("memory")) return;
  if (want.ephemeralStorage > 0 && want.ephemeralStorage > have.ephemeralStorage - used.ephemeralStorage &&
      !lack("ephemeral-storage"))
    return;
  for (auto& [name, amount] : want.scalars)
    if (amount > 0 && amount > have.scalar(name) - used.scalar(name) && !lack(name)) return;
}

class NodeResourcesFit : public FilterPlugin {
 public:
  std::string_view name() const override { return "NodeResourcesFit"; }
  uint32_t wakeOn() const override { return kNodeAdded | kNodeAllocatable | kPodGone; }
  bool prepare(const PodInfo&, Cluster&, PreparedPtr&) const override { return true; }
  bool fits(const PodInfo& pod, const Prepared*, const NodeInfo& node, int) const override {
    bool enough = true;
    shortages(pod, node, [&](std::string_view) { return enough = false; });
    return enough;
  }
  void reasons(const PodInfo& pod, const Prepared*, const NodeInfo& node, int,
               std::vector<std::string>& out) const override {
    shortages(pod, node, [&](std::string_view resource) {
      out.push_back(resource.empty() ? std::string("Too many pods") : "Insufficient " + std::string(resource));
      return true;
    });
  }
  Remedy remedy(const PodInfo& pod, const Prepared*, const NodeInfo& node, int) const override {
    Remedy all;
    shortages(pod, node, [&](std::string_view resource) {
      auto [want, have, used] = amounts(pod, node, resource);
      auto amount = [&](int64_t n) { return resource == "cpu" ? api::Quantity::fromMilli(n).text() : humanBytes(resource, n); };
      all.text += all.text.empty() ? "" : ", and ";
      if (resource.empty()) {
        all.text += fmt::format("let {} take more pods than {}", node.name, have);
        all.effort += 3;
      } else if (want > have) {
        all.text += fmt::format("ask for at most {} of {} ({} has no more)", amount(have), resource, node.name);
        all.effort += 3 + double(want - have) / double(want);
      } else {
        all.text += fmt::format("free {} of {} on {}", amount(want - (have - used)), resource, node.name);
        if (have > used) all.text += fmt::format(", or ask for at most {}", amount(have - used));
        all.effort += 1 + double(want - (have - used)) / double(want);
      }
      return true;
    });
    return all;
  }

 private:
  struct Amounts { int64_t want, have, used; };
  static Amounts amounts(const PodInfo& pod, const NodeInfo& node, std::string_view resource) {
    const Resources &want = pod.request, &have = node.allocatable, &used = node.requested;
    if (resource.empty()) return {want.pods, have.pods, used.pods};
    if (resource == "cpu") return {want.milliCpu, have.milliCpu, used.milliCpu};
    if (resource == "memory") return {want.memory, have.memory, used.memory};
    if (resource == "ephemeral-storage") return {want.ephemeralStorage, have.ephemeralStorage, used.ephemeralStorage};
    return {want.scalar(resource), have.scalar(resource), used.scalar(resource)};
  }
  static std::string humanBytes(std::string_view resource, int64_t n) {
    if (resource != "memory" && resource != "ephemeral-storage") return std::to_string(n);
    constexpr int64_t kMi = 1 << 20;
    return fmt::format("{}Mi", (n + kMi - 1) / kMi);
  }
};

struct Fractions { double cpu, memory; };  // used after placing the pod, 0..1

Fractions fractions(const PodInfo& pod, const NodeInfo& node) {
  auto part = [](int64_t used, int64_t all) { return all > 0 ? std::min(1.0, double(used) / double(all)) : 1.0; };
  return {part(node.scoredCpu + pod.scoredCpu, node.allocatable.milliCpu),
          part(node.scoredMemory + pod.scoredMemory, node.allocatable.memory)};
}

// Least allocated first spreads the load; most allocated first packs it (bin packing).
class ResourceScore : public ScorePlugin {
 public:
  explicit ResourceScore(Packing packing) : packing_(packing) {}
  std::string_view name() const override { return "NodeResourcesFit"; }
  double weight() const override { return 1; }
  bool prepare(const PodInfo&, Cluster&, PreparedPtr&) const override { return true; }
  double score(const PodInfo& pod, const Prepared*, const NodeInfo& node, int) const override {
    auto f = fractions(pod, node);
    double used = (f.cpu + f.memory) / 2;
    return 100 * (packing_ == Packing::Pack ? used : 1 - used);
  }

 private:
  Packing packing_;
};

// CPU and memory should be used up alike. The standard deviation of two fractions is half their distance.
class BalancedAllocation : public ScorePlugin {
 public:
  std::string_view name() const override { return "NodeResourcesBalancedAllocation"; }
  double weight() const override { return 1; }
  bool prepare(const PodInfo&, Cluster&, PreparedPtr&) const override { return true; }
  double score(const PodInfo& pod, const Prepared*, const NodeInfo& node, int) const override {
    auto f = fractions(pod, node);
    return 100 * (1 - std::fabs(f.cpu - f.memory) / 2);
  }
};

}  // namespace
std::unique_ptr<FilterPlugin> makeNodeResourcesFit() { return std::make_unique<NodeResourcesFit>(); }
std::unique_ptr<ScorePlugin> makeResourceScore(Packing packing) { return std::make_unique<ResourceScore>(packing); }
std::unique_ptr<ScorePlugin> makeBalancedAllocation() { return std::make_unique<BalancedAllocation>(); }
}  // namespace ph::scheduler
