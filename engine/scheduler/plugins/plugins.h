// The plugins in use, as a table.
#pragma once

#include "engine/scheduler/framework/plugin.h"

namespace ph::scheduler {

enum class Packing { Spread, Pack };  // least allocated first, or most allocated first (bin packing)

Profile defaultProfile(Packing packing = Packing::Spread);

std::unique_ptr<FilterPlugin> makeNodeName();
std::unique_ptr<FilterPlugin> makeNodeUnschedulable();
std::unique_ptr<FilterPlugin> makeTaintToleration();
std::unique_ptr<FilterPlugin> makeNodeAffinity();
std::unique_ptr<FilterPlugin> makeNodePorts();
std::unique_ptr<FilterPlugin> makeNodeResourcesFit();
std::unique_ptr<FilterPlugin> makeVolumeBinding();
std::unique_ptr<FilterPlugin> makePodTopologySpread();
std::unique_ptr<FilterPlugin> makeInterPodAffinity();

std::unique_ptr<ScorePlugin> makeResourceScore(Packing packing);
std::unique_ptr<ScorePlugin> makeBalancedAllocation();
std::unique_ptr<ScorePlugin> makeTaintScore();
std::unique_ptr<ScorePlugin> makeNodeAffinityScore();
std::unique_ptr<ScorePlugin> makeOwnerSpread();
std::unique_ptr<ScorePlugin> makeTopologySpreadScore();
std::unique_ptr<ScorePlugin> makeInterPodAffinityScore();
std::unique_ptr<ScorePlugin> makeImageLocality();

}  // namespace ph::scheduler
