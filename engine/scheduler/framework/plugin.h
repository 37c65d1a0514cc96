// The extension points. A plugin is a small file: what it refuses (with named reasons), what it prefers, and which events
// may change its mind. Reserve/Bind hooks attach in the same way when something needs them.
// Threads: plugins are immutable and pure; everything runs on the scheduler's strand.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/scheduler/framework/cluster.h"

namespace ph::scheduler {

// Bits: what can make an unschedulable pod schedulable.
enum Wake : uint32_t {
  kNodeAdded = 1,
  kNodeAllocatable = 2,
  kNodeLabels = 4,
  kNodeTaints = 8,      // taints, or unschedulable
  kPodGone = 16,        // a placed pod ended or was deleted
  kPodPlaced = 32,      // a pod was placed, or a placed pod's labels changed
  kVolumes = 64,        // a claim, a volume or a storage class came, went or changed
  kAnything = 0xffffffff,
};

// What a plugin worked out once for a pod (PreFilter / PreScore), read for each node.
struct Prepared {
  virtual ~Prepared() = default;
};
using PreparedPtr = std::unique_ptr<const Prepared>;

// What would make a pod fit a node that a plugin refuses. `effort` compares: 1 is a small change of one thing.
struct Remedy {
  std::string text;  // for people: "uncordon node-1"
  double effort = 0;
};

class FilterPlugin {
 public:
  virtual ~FilterPlugin() = default;
  virtual std::string_view name() const = 0;
  virtual uint32_t wakeOn() const = 0;
  // PreFilter: false when the plugin has nothing to say about this pod. May touch the cluster's counts.
  virtual bool prepare(const PodInfo& pod, Cluster& cluster, PreparedPtr& out) const = 0;
  // True when the answer for a node hangs on that node and the pod only, so that it can be cached until the node changes.
  virtual bool nodeLocal() const { return true; }
  virtual bool fits(const PodInfo& pod, const Prepared* prepared, const NodeInfo& node, int slot) const = 0;
  // Why not, in Kubernetes' words. Called only for a node that does not fit.
  virtual void reasons(const PodInfo& pod, const Prepared* prepared, const NodeInfo& node, int slot,
                       std::vector<std::string>& out) const = 0;
  // Called only for a node that does not fit; empty text: the plugin knows of none.
  virtual Remedy remedy(const PodInfo&, const Prepared*, const NodeInfo&, int) const { return {{}, 5}; }
};

enum class Normalize { None, UpToMax, Reverse };  // raw scores become 0..100: as they are; by the largest; the largest gets 0

class ScorePlugin {
 public:
  virtual ~ScorePlugin() = default;
  virtual std::string_view name() const = 0;
  virtual double weight() const = 0;
  virtual Normalize normalize() const { return Normalize::None; }
  virtual bool nodeLocal() const { return true; }  // with Normalize::None: cacheable by node
  virtual bool prepare(const PodInfo& pod, Cluster& cluster, PreparedPtr& out) const = 0;
  virtual double score(const PodInfo& pod, const Prepared* prepared, const NodeInfo& node, int slot) const = 0;
};

struct Profile {
  std::vector<std::unique_ptr<FilterPlugin>> filters;  // cheapest and likeliest to refuse first
  std::vector<std::unique_ptr<ScorePlugin>> scores;
};

}  // namespace ph::scheduler
