// How many pods each ReplicaSet gets when the Deployment's size changes.
#include <algorithm>
#include <charconv>
#include <cmath>

#include "engine/controllers/deployment/rollout.h"

namespace ph::controllers::deployment {

namespace {

std::optional<int32_t> numberIn(const Set& set, std::string_view annotation) {
  if (!set.object) return std::nullopt;
  auto& all = set.rs()->metadata.annotations;
  auto it = all.find(annotation);
  int32_t n = 0;
  if (it == all.end()) return std::nullopt;
  auto [end, error] = std::from_chars(it->second.data(), it->second.data() + it->second.size(), n);
  if (error != std::errc() || end != it->second.data() + it->second.size()) return std::nullopt;
  return n;
}

}  // namespace

void writeSets(Rollout& r) {
  for (auto& set : r.sets) {
    if (!set.object) continue;  // its creation says it all
    int32_t before = set.rs()->spec.replicas.value_or(1);
    bool resized = set.replicas != before;
    if (set.sized && numberIn(set, kDesired) != r.wanted())
      set.annotations[kDesired] = std::to_string(r.wanted());
    if (set.sized && numberIn(set, kMax) != r.wanted() + r.maxSurge())
      set.annotations[kMax] = std::to_string(r.wanted() + r.maxSurge());
    JsonObject body, spec;
    if (resized) spec["replicas"] = set.replicas;
    if (set.minReady) spec["minReadySeconds"] = r.d.spec.minReadySeconds;
    if (!spec.empty()) body["spec"] = std::move(spec);
    if (!set.annotations.empty()) body["metadata"] = JsonObject{{"annotations", std::move(set.annotations)}};
    if (body.empty()) continue;
    // A size is decided on what the sets' statuses say: it holds for this very version only.
    Step& s = resized ? r.plan.patch(*set.object, std::move(body))
                      : r.plan.patchNewest(*set.object, std::move(body));
    if (!resized) continue;
    s.ok = Note{client::ObjectReference::to(*r.object), "Normal", "ScalingReplicaSet",
                fmt::format("Scaled {} replica set {} from {} to {}", set.replicas > before ? "up" : "down",
                            set.name, before, set.replicas)};
    s.ok->whole = true;
  }
}

// Someone changed spec.replicas since the sets were last sized.
bool isScaling(const Rollout& r) {
  for (auto& s : r.sets) {
    auto desired = numberIn(s, kDesired);
    if (s.replicas > 0 && desired && *desired != r.wanted()) return true;
  }
  return false;
}

int32_t newSetSize(Rollout& r, int32_t now) {
  if (!r.rolling()) return r.wanted();
  int32_t all = 0;
  for (auto& s : r.sets) all += s.replicas;
  int32_t most = r.wanted() + r.maxSurge();
  if (all >= most) return now;
  return now + std::min(most - all, r.wanted() - now);
}

namespace {

// A set's share of a change, by its size among all (as annotated when it was last sized).
int32_t shareOf(const Rollout& r, const Set& s, int32_t toAdd, int32_t added) {
  if (s.replicas == 0 || toAdd == 0 || toAdd == added) return 0;
  int32_t share;
  if (r.wanted() == 0) {
    share = -s.replicas;
  } else {
    double most = r.wanted() + r.maxSurge();
    double before = numberIn(s, kMax).value_or(0) > 0 ? *numberIn(s, kMax) : std::max(1, r.d.status.replicas);
    share = int32_t(std::lround(s.replicas * most / before)) - s.replicas;
  }
  int32_t allowed = toAdd - added;
  return toAdd > 0 ? std::min(share, allowed) : std::max(share, allowed);
}

void shareOut(Rollout& r) {
  std::vector<Set*> sets = r.active();
  if (sets.empty()) return;
  int32_t total = 0;
  for (auto* s : sets) total += s->replicas;
  int32_t allowed = r.wanted() > 0 ? r.wanted() + r.maxSurge() : 0;
  int32_t toAdd = allowed - total;
  // The biggest first; of equals the newest when growing, the oldest when shrinking. The sets come oldest
  // first.
  if (toAdd > 0) std::reverse(sets.begin(), sets.end());
  std::stable_sort(sets.begin(), sets.end(), [](auto* a, auto* b) { return a->replicas > b->replicas; });
  std::vector<int32_t> sizes;
  int32_t added = 0;
  for (auto* s : sets) {
    int32_t share = shareOf(r, *s, toAdd, added);
    sizes.push_back(s->replicas + share);
    added += share;
  }
  sizes[0] = std::max(0, sizes[0] + toAdd - added);
  for (size_t i = 0; i < sets.size(); ++i) r.scale(*sets[i], sizes[i]);
}

}  // namespace

void scaleProportionally(Rollout& r) {
  auto active = r.active();
  if (active.size() <= 1) {
    Set* only = !active.empty()  ? active[0]
                : r.current      ? r.current
                : r.sets.empty() ? nullptr
                                 : &r.sets.back();
    if (only) r.scale(*only, r.wanted());
    return;
  }
  Set* current = r.current;
  bool saturated = current && current->replicas == r.wanted() && numberIn(*current, kDesired) == r.wanted() &&
                   current->status.availableReplicas == r.wanted();
  if (saturated) {
    for (auto* s : r.old())
      if (s->replicas > 0) r.scale(*s, 0);
    return;
  }
  if (r.rolling()) shareOut(r);
}

}  // namespace ph::controllers::deployment
