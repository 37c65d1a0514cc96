// Chooser: filters and scores the nodes for a pod and names the winner, with an explanation.
// Pods of one class (PodInfo::classKey) share cached answers, renewed only for the nodes that changed since.
// Threads: none of its own; the scheduler's strand.
#pragma once

#include <list>

#include "engine/base/random.h"
#include "engine/scheduler/framework/plugin.h"

namespace ph::scheduler {

struct ScoredNode {
  std::string node;
  double total = 0;
  std::vector<std::pair<std::string, double>> plugins;  // weighted
};

struct Verdict {
  int slot = -1;                     // -1: fits nowhere
  std::string node;
  int nodes = 0, looked = 0, feasible = 0;
  std::map<std::string, int> reasons;  // refused nodes by reason; filled when nothing fits, or explain() is asked
  uint32_t wakeOn = 0;               // events that may help, by the plugins that refused
  std::vector<ScoredNode> best;      // explain() only: up to five
  // "0/3 nodes are available: 1 Insufficient cpu, 2 node(s) were unschedulable."
  std::string message() const;
};

// Every node against every rule: why here, why not there.
struct Matrix {
  struct Row {
    std::string node;
    // By filter plugin: why it refuses the node. Empty: the pod fits, and the scores say how well.
    std::vector<std::pair<std::string, std::string>> refusals;
    std::vector<std::pair<std::string, double>> scores;  // weighted, by score plugin
    double total = 0;
  };
  std::vector<std::string> filters, scores;  // the plugins that had a say
  std::vector<Row> rows;                     // nodes that fit, best first; then the others, those nearest to fitting first
  int nodes = 0, feasible = 0;               // of the whole cluster
  Remedy remedy;                             // nothing fits: the smallest change that would help; text empty when none is known
};

class Chooser {
 public:
  Chooser(Profile profile, Random& random) : profile_(std::move(profile)), random_(random) {}

  // The best node for the pod. Does not place it.
  Verdict choose(const PodInfo& pod, Cluster& cluster);
  // The same decision with every node looked at: refusals by reason, the best five with their scores by plugin.
  Verdict explain(const PodInfo& pod, Cluster& cluster);
  // Whether the pod fits this node as the cluster is now.
  bool fits(const PodInfo& pod, Cluster& cluster, int slot) const;
  // Slots of the nodes that no rule refuses for good: those that do may think otherwise when pods leave.
  std::vector<int> whereLeavingHelps(const PodInfo& pod, Cluster& cluster) const;
  // The whole decision, for at most `limit` nodes.
  Matrix matrix(const PodInfo& pod, Cluster& cluster, size_t limit) const;

 private:
  struct ActiveFilter { const FilterPlugin* plugin; PreparedPtr prepared; };
  struct ActiveScore { const ScorePlugin* plugin; PreparedPtr prepared; };
  struct Active {
    std::vector<ActiveFilter> filters;
    std::vector<ActiveScore> scores;
    bool cacheable = true;
  };
  struct ClassCache {
    uint64_t journal = 0;
    std::vector<float> total;   // by slot; kNoFit where the pod does not fit
    std::vector<float> best;    // the highest total of each block of kBlock slots
    int feasible = 0;
    std::list<std::string>::iterator order;
  };
  static constexpr float kNoFit = -1;
  static constexpr size_t kClasses = 256;
  static constexpr size_t kBlock = 64;

  Active prepare(const PodInfo& pod, Cluster& cluster) const;
  static bool fits(const Active& active, const PodInfo& pod, const NodeInfo& node, int slot);
  static double localScore(const Active& active, const PodInfo& pod, const NodeInfo& node, int slot);
  static std::vector<double> totals(const Active& active, const PodInfo& pod, const Cluster& cluster,
                                    const std::vector<int>& among);
  int chooseCached(const Active& active, const PodInfo& pod, Cluster& cluster, Verdict& verdict);
  int chooseFully(const Active& active, const PodInfo& pod, Cluster& cluster, Verdict& verdict);
  static void collectReasons(const Active& active, const PodInfo& pod, const Cluster& cluster, Verdict& verdict);
  int pick(const std::vector<int>& among, const std::vector<double>& totals);

  Profile profile_;
  Random& random_;
  size_t start_ = 0;  // where the next sample of a large cluster begins
  std::unordered_map<std::string, ClassCache> classes_;
  std::list<std::string> classOrder_;  // least recently used first
};

}  // namespace ph::scheduler
