// The node must reach the volumes of the pod's claims: those that are bound, and for the others one that could be. A claim
// that waits for its first pod is bound once the pod has its node, by the controllers.
#include <algorithm>

#include "engine/api/volumes.h"
#include "engine/scheduler/plugins/plugins.h"

namespace ph::scheduler {
namespace {

struct Needs : Prepared {
  std::vector<ClaimNeeds> claims;
};

bool reached(const ClaimNeeds& claim, const NodeInfo& node) {
  return claim.volumes.empty() || std::any_of(claim.volumes.begin(), claim.volumes.end(), [&](auto& v) {
           return api::reaches(v->template as<api::core::PersistentVolume>(), node.labels(), node.name);
         });
}

class VolumeBinding : public FilterPlugin {
 public:
  std::string_view name() const override { return "VolumeBinding"; }
  uint32_t wakeOn() const override { return kNodeAdded | kNodeLabels | kVolumes; }
  bool nodeLocal() const override { return false; }  // claims and volumes change, too
  bool prepare(const PodInfo& pod, Cluster& cluster, PreparedPtr& out) const override {
    if (pod.claims.empty()) return false;
    auto needs = std::make_unique<Needs>();
    for (auto& claim : pod.claims) needs->claims.push_back(cluster.volumes().needsOf(pod.ns, claim));
    out = std::move(needs);
    return true;
  }
  bool fits(const PodInfo&, const Prepared* prepared, const NodeInfo& node, int) const override {
    auto& claims = static_cast<const Needs*>(prepared)->claims;
    return std::all_of(claims.begin(), claims.end(), [&](auto& c) {
      return c.problem.empty() && (c.onlyNode.empty() || c.onlyNode == node.name) && reached(c, node);
    });
  }
  void reasons(const PodInfo&, const Prepared* prepared, const NodeInfo& node, int, std::vector<std::string>& out) const override {
    for (auto& c : static_cast<const Needs*>(prepared)->claims) {
      std::string why = c.problem;
      if (why.empty() && !reached(c, node))
        why = c.bound ? "node(s) didn't match PersistentVolume's node affinity" : "node(s) didn't find available persistent volumes to bind";
      if (why.empty() && !c.onlyNode.empty() && c.onlyNode != node.name) why = "node(s) aren't the one where another pod uses the claim";
      if (!why.empty() && std::find(out.begin(), out.end(), why) == out.end()) out.push_back(std::move(why));
    }
  }
};

}  // namespace
std::unique_ptr<FilterPlugin> makeVolumeBinding() { return std::make_unique<VolumeBinding>(); }
}  // namespace ph::scheduler
