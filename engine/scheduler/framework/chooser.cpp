#include "engine/scheduler/framework/chooser.h"

#include <fmt/format.h>

#include <algorithm>

namespace ph::scheduler {
namespace {

// In a large cluster enough feasible nodes do: a share that falls from 50 % to 5 % as the cluster grows, never below 100.
// Source: Kubernetes' percentageOfNodesToScore, adaptive default.
size_t feasibleWanted(size_t nodes) {
  constexpr size_t kAll = 100;
  if (nodes <= kAll) return nodes;
  size_t percent = std::max<size_t>(5, 50 - std::min<size_t>(45, nodes / 125));
  return std::max(kAll, nodes * percent / 100);
}

void normalise(Normalize how, std::vector<double>& scores) {
  if (how == Normalize::None || scores.empty()) return;
  double top = *std::max_element(scores.begin(), scores.end());
  for (double& s : scores) {
    if (how == Normalize::UpToMax) s = top > 0 ? 100 * s / top : 0;
    else s = top > 0 ? 100 * (top - s) / top : 100;
  }
}

}  // namespace

std::string Verdict::message() const {
  // Most frequent text order is Kubernetes': "COUNT REASON" strings, sorted.
  std::vector<std::string> parts;
  for (auto& [reason, count] : reasons) parts.push_back(fmt::format("{} {}", count, reason));
  std::sort(parts.begin(), parts.end());
  if (nodes == 0) return "no nodes available to schedule pods";
  return fmt::format("0/{} nodes are available: {}.", nodes, fmt::join(parts, ", "));
}

Chooser::Active Chooser::prepare(const PodInfo& pod, Cluster& cluster) const {
  Active active;
  for (auto& plugin : profile_.filters) {
    PreparedPtr prepared;
    if (!plugin->prepare(pod, cluster, prepared)) continue;
    active.cacheable = active.cacheable && plugin->nodeLocal();
    active.filters.push_back({plugin.get(), std::move(prepared)});
  }
  for (auto& plugin : profile_.scores) {
    PreparedPtr prepared;
    if (!plugin->prepare(pod, cluster, prepared)) continue;
    active.cacheable = active.cacheable && plugin->nodeLocal() && plugin->normalize() == Normalize::None;
    active.scores.push_back({plugin.get(), std::move(prepared)});
  }
  return active;
}

bool Chooser::fits(const Active& active, const PodInfo& pod, const NodeInfo& node, int slot) {
  return std::all_of(active.filters.begin(), active.filters.end(),
                     [&](auto& f) { return f.plugin->fits(pod, f.prepared.get(), node, slot); });
}

bool Chooser::fits(const PodInfo& pod, Cluster& cluster, int slot) const {
  for (auto& plugin : profile_.filters) {
    PreparedPtr prepared;
    if (plugin->prepare(pod, cluster, prepared) && !plugin->fits(pod, prepared.get(), *cluster.node(slot), slot)) return false;
  }
  return true;
}

std::vector<int> Chooser::whereLeavingHelps(const PodInfo& pod, Cluster& cluster) const {
  Active firm;
  for (auto& plugin : profile_.filters) {
    PreparedPtr prepared;
    if (!(plugin->wakeOn() & kPodGone) && plugin->prepare(pod, cluster, prepared)) firm.filters.push_back({plugin.get(), std::move(prepared)});
  }
  std::vector<int> out;
  for (size_t slot = 0; slot < cluster.nodes().size(); ++slot)
    if (auto* node = cluster.node(int(slot)); node && fits(firm, pod, *node, int(slot))) out.push_back(int(slot));
  return out;
}

double Chooser::localScore(const Active& active, const PodInfo& pod, const NodeInfo& node, int slot) {
  double total = 0;
  for (auto& s : active.scores) total += s.plugin->weight() * s.plugin->score(pod, s.prepared.get(), node, slot);
  return total;
}

std::vector<double> Chooser::totals(const Active& active, const PodInfo& pod, const Cluster& cluster,
                                    const std::vector<int>& among) {
  std::vector<double> totals(among.size(), 0), one(among.size());
  for (auto& s : active.scores) {
    for (size_t i = 0; i < among.size(); ++i)
      one[i] = s.plugin->score(pod, s.prepared.get(), *cluster.node(among[i]), among[i]);
    normalise(s.plugin->normalize(), one);
    for (size_t i = 0; i < among.size(); ++i) totals[i] += s.plugin->weight() * one[i];
  }
  return totals;
}

int Chooser::pick(const std::vector<int>& among, const std::vector<double>& totals) {
  double best = *std::max_element(totals.begin(), totals.end());
  auto equals = uint64_t(std::count(totals.begin(), totals.end(), best));
  uint64_t chosen = equals > 1 ? random_.below(equals) : 0;  // each of equals has the same chance
  for (size_t i = 0;; ++i)
    if (totals[i] == best && chosen-- == 0) return among[i];
}

int Chooser::chooseCached(const Active& active, const PodInfo& pod, Cluster& cluster, Verdict& verdict) {
  auto [it, isNew] = classes_.try_emplace(pod.classKey);
  ClassCache& cache = it->second;
  if (isNew) {
    cache.order = classOrder_.insert(classOrder_.end(), pod.classKey);
    if (classes_.size() > kClasses) {
      classes_.erase(classOrder_.front());
      classOrder_.pop_front();
    }
  } else {
    classOrder_.splice(classOrder_.end(), classOrder_, cache.order);
  }
  auto renew = [&](int slot) {
    const NodeInfo* node = cluster.node(slot);
    float& total = cache.total[size_t(slot)];
    cache.feasible -= total != kNoFit;
    total = node && fits(active, pod, *node, slot) ? float(localScore(active, pod, *node, slot)) : kNoFit;
    cache.feasible += total != kNoFit;
  };
  auto renewBlock = [&](size_t block) {
    auto from = cache.total.begin() + long(block * kBlock);
    auto to = cache.total.begin() + long(std::min(cache.total.size(), (block + 1) * kBlock));
    cache.best[block] = *std::max_element(from, to);
  };
  std::vector<int> changed;
  bool all = isNew || cache.total.size() != cluster.nodes().size() || !cluster.changedSince(cache.journal, changed);
  if (all) {
    cache.feasible = 0;
    cache.total.assign(cluster.nodes().size(), kNoFit);
    cache.best.assign((cache.total.size() + kBlock - 1) / kBlock, kNoFit);
    for (size_t slot = 0; slot < cache.total.size(); ++slot) renew(int(slot));
    for (size_t block = 0; block < cache.best.size(); ++block) renewBlock(block);
  } else {
    for (int slot : changed) renew(slot);
    for (int slot : changed) renewBlock(size_t(slot) / kBlock);
  }
  cache.journal = cluster.journalEnd();
  verdict.looked = verdict.nodes;
  verdict.feasible = cache.feasible;
  if (cache.feasible == 0) return -1;

  // The best of the blocks' best; among equals the first from a random place on.
  float best = *std::max_element(cache.best.begin(), cache.best.end());
  auto firstFrom = [&](const std::vector<float>& in, size_t from, size_t size) {
    size_t start = random_.below(size);
    for (size_t i = 0; i < size; ++i)
      if (size_t at = from + (start + i) % size; in[at] == best) return at;
    return from;
  };
  size_t block = firstFrom(cache.best, 0, cache.best.size());
  return int(firstFrom(cache.total, block * kBlock, std::min(kBlock, cache.total.size() - block * kBlock)));
}

int Chooser::chooseFully(const Active& active, const PodInfo& pod, Cluster& cluster, Verdict& verdict) {
  size_t slotCount = cluster.nodes().size(), wanted = feasibleWanted(cluster.nodeCount());
  std::vector<int> feasible;
  size_t seen = 0;
  for (; seen < slotCount && feasible.size() < wanted; ++seen) {
    int slot = int((start_ + seen) % slotCount);
    const NodeInfo* node = cluster.node(slot);
    if (!node) continue;
    ++verdict.looked;
    if (fits(active, pod, *node, slot)) feasible.push_back(slot);
  }
  if (slotCount > 0) start_ = (start_ + seen) % slotCount;
  verdict.feasible = int(feasible.size());
  return feasible.empty() ? -1 : pick(feasible, totals(active, pod, cluster, feasible));
}

void Chooser::collectReasons(const Active& active, const PodInfo& pod, const Cluster& cluster, Verdict& verdict) {
  std::vector<std::string> reasons;
  for (size_t slot = 0; slot < cluster.nodes().size(); ++slot) {
    const NodeInfo* node = cluster.node(int(slot));
    if (!node) continue;
    for (auto& f : active.filters) {
      if (f.plugin->fits(pod, f.prepared.get(), *node, int(slot))) continue;
      reasons.clear();
      f.plugin->reasons(pod, f.prepared.get(), *node, int(slot), reasons);
      for (auto& reason : reasons) ++verdict.reasons[reason];
      verdict.wakeOn |= f.plugin->wakeOn();
      break;  // the first that refuses speaks for the node
    }
  }
  if (verdict.nodes == 0) verdict.wakeOn = kNodeAdded;
}

Verdict Chooser::choose(const PodInfo& pod, Cluster& cluster) {
  Verdict verdict;
  verdict.nodes = int(cluster.nodeCount());
  Active active = prepare(pod, cluster);
  // A class of its own (no owner) is hardly asked again: a sample is cheaper than filling a cache. Small clusters don't care.
  bool cached = active.cacheable && (!pod.owner.empty() || cluster.nodeCount() <= 100);
  verdict.slot = cached ? chooseCached(active, pod, cluster, verdict) : chooseFully(active, pod, cluster, verdict);
  if (verdict.slot >= 0) verdict.node = cluster.node(verdict.slot)->name;
  else collectReasons(active, pod, cluster, verdict);
  return verdict;
}

Verdict Chooser::explain(const PodInfo& pod, Cluster& cluster) {
  Verdict verdict;
  verdict.nodes = verdict.looked = int(cluster.nodeCount());
  Active active = prepare(pod, cluster);
  std::vector<int> feasible;
  for (size_t slot = 0; slot < cluster.nodes().size(); ++slot)
    if (cluster.node(int(slot)) && fits(active, pod, *cluster.node(int(slot)), int(slot))) feasible.push_back(int(slot));
  verdict.feasible = int(feasible.size());
  collectReasons(active, pod, cluster, verdict);
  auto total = totals(active, pod, cluster, feasible);
  std::vector<size_t> order(feasible.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return total[a] > total[b]; });
  for (size_t i = 0; i < order.size() && i < 5; ++i) {
    int slot = feasible[order[i]];
    ScoredNode scored{cluster.node(slot)->name, total[order[i]], {}};
    for (auto& s : active.scores) {
      std::vector<double> one;
      for (int each : feasible) one.push_back(s.plugin->score(pod, s.prepared.get(), *cluster.node(each), each));
      normalise(s.plugin->normalize(), one);
      scored.plugins.emplace_back(s.plugin->name(), s.plugin->weight() * one[order[i]]);
    }
    verdict.best.push_back(std::move(scored));
  }
  if (!feasible.empty()) {
    verdict.slot = feasible[order[0]];
    verdict.node = cluster.node(verdict.slot)->name;
  }
  return verdict;
}

Matrix Chooser::matrix(const PodInfo& pod, Cluster& cluster, size_t limit) const {
  struct Refused {
    Matrix::Row row;
    Remedy remedy;
  };
  Matrix matrix;
  matrix.nodes = int(cluster.nodeCount());
  Active active = prepare(pod, cluster);
  for (auto& f : active.filters) matrix.filters.emplace_back(f.plugin->name());
  for (auto& s : active.scores) matrix.scores.emplace_back(s.plugin->name());
  std::vector<int> feasible;
  std::vector<Refused> refused;
  for (size_t slot = 0; slot < cluster.nodes().size(); ++slot) {
    const NodeInfo* node = cluster.node(int(slot));
    if (!node) continue;
    Refused r{{node->name, {}, {}, 0}, {}};
    for (auto& f : active.filters) {
      if (f.plugin->fits(pod, f.prepared.get(), *node, int(slot))) continue;
      std::vector<std::string> reasons;
      f.plugin->reasons(pod, f.prepared.get(), *node, int(slot), reasons);
      r.row.refusals.emplace_back(f.plugin->name(), fmt::format("{}", fmt::join(reasons, ", ")));
      Remedy remedy = f.plugin->remedy(pod, f.prepared.get(), *node, int(slot));
      // A node that several rules refuse has to be changed in several ways; one unknown way spoils them all.
      if (remedy.text.empty() || (r.row.refusals.size() > 1 && r.remedy.text.empty())) r.remedy.text.clear();
      else if (r.remedy.text != remedy.text) r.remedy.text += (r.remedy.text.empty() ? "" : "; ") + remedy.text;
      r.remedy.effort += remedy.effort;
    }
    if (r.row.refusals.empty()) feasible.push_back(int(slot));
    else refused.push_back(std::move(r));
  }
  matrix.feasible = int(feasible.size());

  std::vector<Matrix::Row> rows(feasible.size());
  for (size_t i = 0; i < feasible.size(); ++i) rows[i].node = cluster.node(feasible[i])->name;
  std::vector<double> one(feasible.size());
  for (auto& s : active.scores) {
    for (size_t i = 0; i < feasible.size(); ++i)
      one[i] = s.plugin->score(pod, s.prepared.get(), *cluster.node(feasible[i]), feasible[i]);
    normalise(s.plugin->normalize(), one);
    for (size_t i = 0; i < feasible.size(); ++i) {
      rows[i].scores.emplace_back(s.plugin->name(), s.plugin->weight() * one[i]);
      rows[i].total += s.plugin->weight() * one[i];
    }
  }
  std::sort(rows.begin(), rows.end(), [](auto& a, auto& b) { return a.total != b.total ? a.total > b.total : a.node < b.node; });
  std::sort(refused.begin(), refused.end(), [](auto& a, auto& b) {
    return a.remedy.effort != b.remedy.effort ? a.remedy.effort < b.remedy.effort : a.row.node < b.row.node;
  });
  if (feasible.empty())
    for (auto& r : refused)
      if (!r.remedy.text.empty()) {
        matrix.remedy = r.remedy;
        break;
      }
  for (auto& r : refused) rows.push_back(std::move(r.row));
  if (rows.size() > limit) rows.resize(limit);
  matrix.rows = std::move(rows);
  return matrix;
}

}  // namespace ph::scheduler
