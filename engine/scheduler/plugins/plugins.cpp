#include "engine/scheduler/plugins/plugins.h"

namespace ph::scheduler {

Profile defaultProfile(Packing packing) {
  Profile p;
  p.filters.push_back(makeNodeName());
  p.filters.push_back(makeNodeUnschedulable());
  p.filters.push_back(makeTaintToleration());
  p.filters.push_back(makeNodeAffinity());
  p.filters.push_back(makeNodePorts());
  p.filters.push_back(makeNodeResourcesFit());
  p.filters.push_back(makeVolumeBinding());
  p.filters.push_back(makePodTopologySpread());
  p.filters.push_back(makeInterPodAffinity());

  p.scores.push_back(makeResourceScore(packing));
  p.scores.push_back(makeBalancedAllocation());
  p.scores.push_back(makeTaintScore());
  p.scores.push_back(makeNodeAffinityScore());
  p.scores.push_back(makeOwnerSpread());
  p.scores.push_back(makeTopologySpreadScore());
  p.scores.push_back(makeInterPodAffinityScore());
  p.scores.push_back(makeImageLocality());
  return p;
}

}  // namespace ph::scheduler
