#include "engine/scheduler/rebalancer.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/api/codec.h"
#include "engine/api/conditions.h"
#include "engine/base/log.h"

namespace ph::scheduler {
namespace {

using namespace std::chrono_literals;
namespace core = api::core;

constexpr Duration kLook = 5s;
constexpr Duration kSettled = 60s;     // younger pods are left: a rollout, or an autoscaler, may be under way
constexpr Duration kAfterOne = 10s;    // until the copy in a moved one's place is seen
constexpr Duration kAfterRefusal = 1min;
constexpr size_t kTries = 64;          // places sought a look: some milliseconds in a large cluster
constexpr int32_t kSystemPriority = 2'000'000'000;  // Source: Kubernetes, system-cluster-critical

bool replaced(const api::OwnerRef& owner) {
  return owner.kind == "ReplicaSet" || owner.kind == "StatefulSet" || owner.kind == "ReplicationController";
}

std::string describe(const Relocation& r) {
  if (r.spreads())
    return fmt::format("Evicted from {}, which has {} copies of it: {} has {}", r.from, r.fromCopies, r.to, r.toCopies);
  return fmt::format("Evicted from {}, which is {:.0f} % full: {} has more room ({:.0f} %)", r.from, r.fromUse * 100, r.to, r.toUse * 100);
}

}  // namespace

Rebalancer::Rebalancer(client::Client& client, std::shared_ptr<Executor> strand, std::shared_ptr<client::EventRecorder> events,
                       Cluster& cluster, Chooser& chooser, std::function<bool()> quiet)
    : client_(client),
      strand_(std::move(strand)),
      events_(std::move(events)),
      cluster_(cluster),
      chooser_(chooser),
      quiet_(std::move(quiet)),
      pods_(client.registry().storage("", "pods")),
      namespaces_(client.registry().storage("", "namespaces")) {}

void Rebalancer::start() {
  reflector_ = client::Reflector::start(client_, *namespaces_, strand_, {}, {.onChanges = [weak = weak_from_this()](auto& changes) {
                                          if (auto self = weak.lock()) self->onNamespaces(changes);
                                        }});
}

void Rebalancer::stop() {
  stopped_ = true;
  timer_.cancel();
  if (reflector_) reflector_->stop();
}

void Rebalancer::onNamespaces(const std::vector<client::Change>& changes) {
  for (auto& c : changes) {
    if (c.now && c.now->meta().label(kRebalanceLabel) == "enabled") enabled_.insert(c.now->name());
    else enabled_.erase(c.any()->name());
  }
  arm();
}

// Nobody asks for it in most clusters: then nothing runs.
void Rebalancer::arm() {
  if (armed_ || stopped_ || enabled_.empty()) return;
  armed_ = true;
  timer_ = strand_->after(kLook, [weak = weak_from_this()] {
    auto self = weak.lock();
    if (!self) return;
    self->armed_ = false;
    self->look();
    self->arm();
  });
}

std::unordered_map<std::string, Rebalancer::Group> Rebalancer::groups() const {
  std::unordered_map<std::string, Group> out;
  for (auto& node : cluster_.nodes()) {
    if (!node->object) continue;
    for (auto& pod : node->pods) {
      if (pod->owner.empty() || !enabled_.contains(pod->ns)) continue;
      Group& group = out[pod->owner];
      ++group.pods;
      group.whole = group.whole && !pod->nominated && !pod->object->meta().deleting &&
                    api::conditionTrue(pod->object->as<core::Pod>().status.conditions, "Ready");
    }
  }
  return out;
}

bool Rebalancer::movable(const PodInfo& pod, const std::unordered_map<std::string, Group>& groups) const {
  auto& meta = pod.object->meta();
  auto* owner = meta.controller();
  if (!owner || !replaced(*owner) || !enabled_.contains(pod.ns) || meta.label(kRebalanceLabel) == "disabled") return false;
  if (pod.priority >= kSystemPriority || strand_->wallNow() - meta.created < kSettled || resting_.contains(pod.owner)) return false;
  auto group = groups.find(pod.owner);
  if (group == groups.end() || group->second.pods < 2 || !group->second.whole) return false;
  auto& volumes = pod.object->as<core::Pod>().spec.volumes;
  return std::none_of(volumes.begin(), volumes.end(), [](auto& v) { return v.emptyDir || v.hostPath; });
}

void Rebalancer::look() {
  if (stopped_ || evicting_ || !quiet_()) return;
  MonoTime now = strand_->monoNow();
  std::erase_if(resting_, [&](auto& r) { return r.second <= now; });
  auto known = groups();
  auto found = findRelocation(cluster_, chooser_, [&](const PodInfo& pod) { return movable(pod, known); }, kTries, skip_);
  if (found) evict(std::move(*found));
}

void Rebalancer::evict(Relocation r) {
  evicting_ = true;
  client::Write w;
  w.verb = client::Verb::Create;
  w.info = pods_;
  w.ns = r.pod->ns;
  w.name = r.pod->object->name();
  w.subresource = "eviction";
  w.body = api::toText(api::Json{{"apiVersion", "policy/v1"},
                                 {"kind", "Eviction"},
                                 {"metadata", {{"name", w.name}, {"namespace", w.ns}}},
                                 {"deleteOptions", {{"preconditions", {{"uid", r.pod->uid}}}}}});
  client_.write(std::move(w), [weak = weak_from_this(), strand = strand_, r = std::move(r)](Result<client::ObjectPtr> result) {
    strand->post([weak, r, refused = result.ok() ? std::nullopt : std::optional(result.status())] {
      auto self = weak.lock();
      if (!self || self->stopped_) return;
      self->evicting_ = false;
      self->resting_[r.pod->owner] = self->strand_->monoNow() + (refused ? kAfterRefusal : kAfterOne);
      if (!refused) self->events_->event(client::ObjectReference::to(*r.pod->object), "Normal", "Rebalanced", describe(r));
      else if (refused->code != 429 && !refused->isNotFound() && !refused->isConflict())
        PH_LOG(Warn, "scheduler", "moving {}: {}", r.pod->key, refused->message);
    });
  });
}

}  // namespace ph::scheduler
