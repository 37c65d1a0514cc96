#include <algorithm>

#include "engine/scheduler/plugins/plugins.h"

namespace ph::scheduler {
namespace {

struct AffinityState : Prepared {
  std::vector<const TermCount*> affinity, antiAffinity;
  std::vector<std::shared_ptr<TermCount>> holders;  // anti-affinity of placed pods that names this pod
  bool firstOfItsKind = false;                      // nobody matches yet, and the pod matches its own terms
};

class InterPodAffinity : public FilterPlugin {
 public:
  std::string_view name() const override { return "InterPodAffinity"; }
  uint32_t wakeOn() const override { return kNodeAdded | kNodeLabels | kPodGone | kPodPlaced; }
  bool nodeLocal() const override { return false; }
  bool prepare(const PodInfo& pod, Cluster& cluster, PreparedPtr& out) const override {
    auto state = std::make_unique<AffinityState>();
    bool none = true, self = true;
    for (auto& term : pod.affinity) {
      state->affinity.push_back(&cluster.countOf(term));
      none = none && state->affinity.back()->total == 0;
      self = self && term.matches(pod.ns, pod.labels());
    }
    state->firstOfItsKind = none && self;
    for (auto& term : pod.antiAffinity) state->antiAffinity.push_back(&cluster.countOf(term));
    for (auto& holder : cluster.antiAffinityHolders())
      if (holder->term.matches(pod.ns, pod.labels())) state->holders.push_back(holder);
    if (state->affinity.empty() && state->antiAffinity.empty() && state->holders.empty()) return false;
    out = std::move(state);
    return true;
  }
  bool fits(const PodInfo&, const Prepared* prepared, const NodeInfo&, int slot) const override {
    return !why(prepared, slot);
  }
  void reasons(const PodInfo&, const Prepared* prepared, const NodeInfo&, int slot,
               std::vector<std::string>& out) const override {
    out.push_back(why(prepared, slot));
  }

 private:
  static const char* why(const Prepared* prepared, int slot) {
    auto& s = *static_cast<const AffinityState*>(prepared);
    for (auto& holder : s.holders)
      if (holder->at(slot) > 0) return "node(s) didn't satisfy existing pods anti-affinity rules";
    for (auto* count : s.antiAffinity)
      if (count->at(slot) > 0) return "node(s) didn't match pod anti-affinity rules";
    for (auto* count : s.affinity) {
      bool labelled = count->topology->domainOf[size_t(slot)] >= 0;
      if (!labelled || (count->at(slot) == 0 && !s.firstOfItsKind)) return "node(s) didn't match pod affinity rules";
    }
    return nullptr;
  }
};

struct PreferenceState : Prepared {
  std::vector<std::pair<const TermCount*, int>> terms;  // with the weight, negative for anti-affinity
  double lowest = 0;
};

class InterPodAffinityScore : public ScorePlugin {
 public:
  std::string_view name() const override { return "InterPodAffinity"; }
  double weight() const override { return 2; }
  Normalize normalize() const override { return Normalize::UpToMax; }
  bool nodeLocal() const override { return false; }
  bool prepare(const PodInfo& pod, Cluster& cluster, PreparedPtr& out) const override {
    if (pod.preferredAffinity.empty() && pod.preferredAntiAffinity.empty()) return false;
    auto state = std::make_unique<PreferenceState>();
    for (auto& t : pod.preferredAffinity) state->terms.emplace_back(&cluster.countOf(t), t.weight);
    for (auto& t : pod.preferredAntiAffinity) {
      auto& count = cluster.countOf(t);
      state->terms.emplace_back(&count, -t.weight);
      int most = count.count.empty() ? 0 : *std::max_element(count.count.begin(), count.count.end());
      state->lowest -= double(t.weight) * most;  // shifts all scores to zero or above
    }
    out = std::move(state);
    return true;
  }
  double score(const PodInfo&, const Prepared* prepared, const NodeInfo&, int slot) const override {
    auto& s = *static_cast<const PreferenceState*>(prepared);
    double sum = -s.lowest;
    for (auto& [count, weight] : s.terms) sum += double(weight) * count->at(slot);
    return sum;
  }
};

}  // namespace
std::unique_ptr<FilterPlugin> makeInterPodAffinity() { return std::make_unique<InterPodAffinity>(); }
std::unique_ptr<ScorePlugin> makeInterPodAffinityScore() { return std::make_unique<InterPodAffinityScore>(); }
}  // namespace ph::scheduler
