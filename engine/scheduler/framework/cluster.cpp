#include "engine/scheduler/framework/cluster.h"

#include <algorithm>

#include "engine/base/check.h"

namespace ph::scheduler {

int Cluster::slotOf(const std::string& name) const {
  auto it = bySlotName_.find(name);
  return it == bySlotName_.end() ? -1 : it->second;
}

void Cluster::touch(int slot) {
  journal_.push_back(slot);
  if (journal_.size() > kJournal) {
    journal_.pop_front();
    ++journalStart_;
  }
}

bool Cluster::changedSince(uint64_t position, std::vector<int>& out) const {
  if (position < journalStart_) return false;
  for (size_t i = size_t(position - journalStart_); i < journal_.size(); ++i) out.push_back(journal_[i]);
  return true;
}

int Cluster::setNode(const api::ObjectPtr& node) {
  int slot = slotOf(node->name());
  bool isNew = slot < 0;
  if (isNew) {
    if (freeSlots_.empty()) {
      slot = int(slots_.size());
      slots_.push_back(std::make_unique<NodeInfo>());
    } else {
      slot = freeSlots_.back();
      freeSlots_.pop_back();
    }
    bySlotName_[node->name()] = slot;
  }
  NodeInfo& info = *slots_[size_t(slot)];
  bool relabelled = isNew || info.labels() != node->meta().labels;
  info.setObject(node);
  if (relabelled)
    for (auto& [key, t] : topologies_) {
      int before = size_t(slot) < t->domainOf.size() ? t->domainOf[size_t(slot)] : -1;
      assignDomain(*t, slot);
      if (!info.pods.empty() && t->domainOf[size_t(slot)] != before) recount(*t);
    }
  if (isNew) {
    auto waiting = homeless_.find(node->name());
    if (waiting != homeless_.end()) {
      auto uids = std::move(waiting->second);
      homeless_.erase(waiting);
      for (auto& uid : uids) {
        auto place = places_.find(uid);
        if (place == places_.end() || place->second.node != node->name()) continue;
        info.addPod(place->second.pod);
        count(*place->second.pod, slot, 1);
      }
    }
  }
  touch(slot);
  return slot;
}

void Cluster::removeNode(const std::string& name) {
  int slot = slotOf(name);
  if (slot < 0) return;
  NodeInfo& info = *slots_[size_t(slot)];
  for (auto& pod : info.pods) {
    count(*pod, slot, -1);
    homeless_[name].push_back(pod->uid);
  }
  for (auto& [key, t] : topologies_) {
    int& domain = t->domainOf[size_t(slot)];
    if (domain >= 0) --t->nodes[size_t(domain)];
    domain = -1;
  }
  bySlotName_.erase(name);
  info = NodeInfo();
  freeSlots_.push_back(slot);
  touch(slot);
}

void Cluster::setPod(const PodInfoPtr& pod, const std::string& nodeName) {
  auto it = places_.find(pod->uid);
  if (it != places_.end()) {
    // An update of a pod that stays: only what counts is looked at anew.
    if (it->second.node == nodeName && it->second.pod->classKey == pod->classKey) {
      it->second.pod = pod;
      if (int slot = slotOf(nodeName); slot >= 0) slots_[size_t(slot)]->renewPod(pod);
      return;
    }
    removePod(pod->uid);
  }
  places_[pod->uid] = {pod, nodeName};
  ++priorities_[pod->priority];
  if (!pod->nominated) volumes_.use(*pod, nodeName, 1);
  int slot = slotOf(nodeName);
  if (slot < 0) {
    homeless_[nodeName].push_back(pod->uid);
    return;
  }
  slots_[size_t(slot)]->addPod(pod);
  count(*pod, slot, 1);
  touch(slot);
}

void Cluster::removePod(const std::string& uid) {
  auto it = places_.find(uid);
  if (it == places_.end()) return;
  Place place = std::move(it->second);
  places_.erase(it);
  if (auto p = priorities_.find(place.pod->priority); --p->second == 0) priorities_.erase(p);
  if (!place.pod->nominated) volumes_.use(*place.pod, place.node, -1);
  int slot = slotOf(place.node);
  if (slot < 0) {
    auto waiting = homeless_.find(place.node);
    if (waiting != homeless_.end()) {
      std::erase(waiting->second, uid);
      if (waiting->second.empty()) homeless_.erase(waiting);
    }
    return;
  }
  if (!slots_[size_t(slot)]->removePod(uid)) return;
  count(*place.pod, slot, -1);
  touch(slot);
}

const std::string* Cluster::placeOf(const std::string& uid) const {
  auto it = places_.find(uid);
  return it == places_.end() ? nullptr : &it->second.node;
}

void Cluster::bump(TermCount& t, int slot, int by) {
  int domain = t.topology->domainOf[size_t(slot)];
  if (domain < 0) return;
  if (t.count.size() < t.topology->values.size()) t.count.resize(t.topology->values.size());
  t.count[size_t(domain)] += by;
  t.total += by;
}

void Cluster::count(const PodInfo& pod, int slot, int sign) {
  for (auto& [id, t] : counts_)
    if (t->term.matches(pod.ns, pod.labels())) bump(*t, slot, sign);
  hold(pod, slot, sign);
}

void Cluster::hold(const PodInfo& pod, int slot, int sign) {
  for (auto& term : pod.antiAffinity) {
    auto it = std::find_if(holders_.begin(), holders_.end(), [&](auto& h) { return h->term.id == term.id; });
    if (it == holders_.end()) {
      auto t = std::make_shared<TermCount>();
      t->term = term;
      t->topology = &topology(term.topologyKey);
      it = holders_.insert(holders_.end(), t);
    }
    bump(**it, slot, sign);
    if ((*it)->total == 0) holders_.erase(it);
  }
}

Topology& Cluster::topology(const std::string& key) {
  auto& t = topologies_[key];
  if (!t) {
    t = std::make_unique<Topology>();
    t->key = key;
    for (size_t slot = 0; slot < slots_.size(); ++slot) assignDomain(*t, int(slot));
  }
  return *t;
}

void Cluster::assignDomain(Topology& t, int slot) {
  if (t.domainOf.size() < slots_.size()) t.domainOf.resize(slots_.size(), -1);
  int& domain = t.domainOf[size_t(slot)];
  if (domain >= 0) --t.nodes[size_t(domain)];
  domain = -1;
  const NodeInfo& node = *slots_[size_t(slot)];
  if (!node.object) return;
  auto& labels = node.labels();
  auto it = std::lower_bound(labels.begin(), labels.end(), t.key, [](auto& a, auto& b) { return a.first < b; });
  if (it == labels.end() || it->first != t.key) return;
  auto [found, isNew] = t.index.emplace(it->second, int(t.values.size()));
  if (isNew) {
    t.values.push_back(it->second);
    t.nodes.push_back(0);
  }
  domain = found->second;
  ++t.nodes[size_t(domain)];
}

// A node with pods changed its label: rare, so everything of that topology is counted anew.
void Cluster::recount(Topology& t) {
  auto again = [&](TermCount& c, auto&& matches) {
    c.count.assign(t.values.size(), 0);
    c.total = 0;
    for (size_t slot = 0; slot < slots_.size(); ++slot)
      for (auto& pod : slots_[slot]->pods)
        for (int n = matches(*pod); n > 0; --n) bump(c, int(slot), 1);
  };
  for (auto& [id, c] : counts_)
    if (c->topology == &t) again(*c, [&](const PodInfo& p) { return c->term.matches(p.ns, p.labels()) ? 1 : 0; });
  for (auto& h : holders_)
    if (h->topology == &t)
      again(*h, [&](const PodInfo& p) {
        return int(std::count_if(p.antiAffinity.begin(), p.antiAffinity.end(),
                                 [&](auto& term) { return term.id == h->term.id; }));
      });
}

const TermCount& Cluster::countOf(const PodTerm& term) {
  auto it = counts_.find(term.id);
  if (it != counts_.end()) {
    TermCount& t = *it->second;
    if (t.count.size() < t.topology->values.size()) t.count.resize(t.topology->values.size());
    countOrder_.splice(countOrder_.end(), countOrder_, t.order);
    return t;
  }
  if (counts_.size() >= kTerms) {
    counts_.erase(countOrder_.front());
    countOrder_.pop_front();
  }
  auto t = std::make_unique<TermCount>();
  t->term = term;
  t->topology = &topology(term.topologyKey);
  t->count.resize(t->topology->values.size());
  for (size_t slot = 0; slot < slots_.size(); ++slot)
    for (auto& pod : slots_[slot]->pods)
      if (term.matches(pod->ns, pod->labels())) bump(*t, int(slot), 1);
  t->order = countOrder_.insert(countOrder_.end(), term.id);
  return *(counts_[term.id] = std::move(t));
}

}  // namespace ph::scheduler
