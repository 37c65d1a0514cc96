// Cluster: the scheduler's picture of nodes and placed pods, kept up by events and by its own assumptions.
// A node lives in a slot; a journal names the slots that changed, so that cached answers are renewed only there.
// Pod counts over topologies (spreading, affinity) are kept up incrementally for the terms in use.
// Threads: none of its own; all calls on the scheduler's strand.
#pragma once

#include <deque>
#include <list>
#include <map>
#include <unordered_map>

#include "engine/scheduler/framework/volumes.h"

namespace ph::scheduler {

// The values of one node label over the slots.
struct Topology {
  std::string key;
  std::vector<int> domainOf;          // by slot; -1: the node lacks the label
  std::vector<std::string> values;    // by domain
  std::vector<int> nodes;             // by domain: how many nodes have it
  std::unordered_map<std::string, int> index;
};

// Pods matching a term, counted by the topology's domains.
struct TermCount {
  PodTerm term;
  Topology* topology = nullptr;
  std::vector<int> count;             // by domain
  int total = 0;
  std::list<std::string>::iterator order;  // in Cluster's list of least recently used terms
  int at(int slot) const {
    int d = topology->domainOf[size_t(slot)];
    return d < 0 || size_t(d) >= count.size() ? 0 : count[size_t(d)];
  }
};

class Cluster {
 public:
  // Nodes. Slots stay while a node lives.
  int setNode(const api::ObjectPtr& node);
  void removeNode(const std::string& name);
  int slotOf(const std::string& name) const;
  // Includes empty slots (node->object null), so that slots index it.
  const std::vector<std::unique_ptr<NodeInfo>>& nodes() const { return slots_; }
  size_t nodeCount() const { return bySlotName_.size(); }
  const NodeInfo* node(int slot) const { return slots_[size_t(slot)]->object ? slots_[size_t(slot)].get() : nullptr; }

  // Pods that occupy a node: bound, or assumed by us. A pod on a node that isn't known waits for it.
  void setPod(const PodInfoPtr& pod, const std::string& nodeName);
  void removePod(const std::string& uid);
  // Whether a pod of less priority than this stands anywhere.
  bool hasLower(int32_t priority) const { return !priorities_.empty() && priorities_.begin()->first < priority; }
  // Where a pod is counted; null when it isn't.
  const std::string* placeOf(const std::string& uid) const;

  // The journal: slots changed since a position. False when the position is too old (or the slots grew): renew everything.
  uint64_t journalEnd() const { return journalStart_ + journal_.size(); }
  bool changedSince(uint64_t position, std::vector<int>& out) const;

  // Counts for a term, made by one scan and kept up from then on; the kTerms used last are kept. The reference is good
  // until kTerms other terms have been asked for.
  const TermCount& countOf(const PodTerm& term);
  // Terms of required anti-affinity of placed pods: how many pods carrying the term stand in each domain.
  const std::vector<std::shared_ptr<TermCount>>& antiAffinityHolders() const { return holders_; }
  Topology& topology(const std::string& key);
  Volumes& volumes() { return volumes_; }

 private:
  static constexpr size_t kTerms = 512;
  static constexpr size_t kJournal = 65536;
  struct Place { PodInfoPtr pod; std::string node; };

  void touch(int slot);
  void count(const PodInfo& pod, int slot, int sign);
  static void bump(TermCount& t, int slot, int by);
  void assignDomain(Topology& t, int slot);
  void recount(Topology& t);
  void hold(const PodInfo& pod, int slot, int sign);

  std::vector<std::unique_ptr<NodeInfo>> slots_;
  std::vector<int> freeSlots_;
  std::unordered_map<std::string, int> bySlotName_;
  std::map<int32_t, size_t> priorities_;                                 // how many of places_ have it
  std::unordered_map<std::string, Place> places_;                        // by uid
  std::unordered_map<std::string, std::vector<std::string>> homeless_;   // node name -> uids that wait for it
  Volumes volumes_;
  std::deque<int> journal_;
  uint64_t journalStart_ = 0;
  std::unordered_map<std::string, std::unique_ptr<Topology>> topologies_;
  std::unordered_map<std::string, std::unique_ptr<TermCount>> counts_;   // by term id
  std::list<std::string> countOrder_;                                    // least recently used first
  std::vector<std::shared_ptr<TermCount>> holders_;
};

}  // namespace ph::scheduler
