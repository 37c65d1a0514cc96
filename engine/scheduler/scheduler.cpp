#include "engine/scheduler/scheduler.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <deque>
#include <unordered_map>
#include <unordered_set>

#include "engine/api/codec.h"
#include "engine/api/types/policy.h"
#include "engine/base/log.h"
#include "engine/client/event_recorder.h"
#include "engine/client/reflector.h"
#include "engine/scheduler/framework/preemption.h"
#include "engine/scheduler/framework/queue.h"
#include "engine/scheduler/rebalancer.h"

namespace ph::scheduler {
namespace {

namespace core = api::core;

bool finished(const core::Pod& pod) { return pod.status.phase == "Succeeded" || pod.status.phase == "Failed"; }

bool sameTaints(const std::vector<core::Taint>& a, const std::vector<core::Taint>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](auto& x, auto& y) {
    return x.key == y.key && x.value == y.value && x.effect == y.effect;
  });
}

// Which waiting pods a change of a node may help. Heartbeats help nobody.
uint32_t nodeEvents(const api::ObjectPtr& before, const api::ObjectPtr& after) {
  if (!before) return kAnything;
  auto &a = before->as<core::Node>(), &b = after->as<core::Node>();
  uint32_t events = 0;
  if (!sameTaints(a.spec.taints, b.spec.taints) || a.spec.unschedulable != b.spec.unschedulable) events |= kNodeTaints;
  if (before->meta().labels != after->meta().labels) events |= kNodeLabels;
  if (a.status.allocatable != b.status.allocatable)
    events |= kNodeAllocatable;
  return events;
}

constexpr Duration kAskAgain = std::chrono::seconds(1);
constexpr int kMaxWhatIf = 1000;
constexpr size_t kDecisions = 1000;
constexpr size_t kNodesForRecords = 2000;  // nodes times waiting pods: a record of the best nodes costs about a millisecond

class SchedulerImpl : public Scheduler, public std::enable_shared_from_this<SchedulerImpl> {
 public:
  SchedulerImpl(client::Client& client, std::shared_ptr<Executor> executor, Options options)
      : client_(client),
        strand_(executor->strand()),
        options_(std::move(options)),
        chooser_(defaultProfile(options_.packing), strand_->random()),
        pods_(client.registry().storage("", "pods")),
        nodes_(client.registry().storage("", "nodes")),
        budgets_(client.registry().storage("policy", "poddisruptionbudgets")),
        storageKinds_{client.registry().storage("", "persistentvolumeclaims"), client.registry().storage("", "persistentvolumes"),
                      client.registry().storage("storage.k8s.io", "storageclasses")} {}

  void start() override {
    strand_->post([weak = weak_from_this()] {
      if (auto self = weak.lock()) self->begin();
    });
  }

  void stop() override {
    strand_->post([self = shared_from_this()] {
      self->stopped_ = true;
      self->timer_.cancel();
      if (self->podReflector_) self->podReflector_->stop();
      if (self->nodeReflector_) self->nodeReflector_->stop();
      if (self->budgetReflector_) self->budgetReflector_->stop();
      for (auto& reflector : self->storageReflectors_) reflector->stop();
      if (self->rebalancer_) self->rebalancer_->stop();
      if (self->events_) self->events_->stop();
    });
  }

  void explain(std::string podKey, size_t limit, std::function<void(Result<Explanation>)> done) override {
    strand_->post([self = shared_from_this(), podKey = std::move(podKey), limit, done = std::move(done)] {
      api::ObjectPtr pod = self->podReflector_ ? self->podReflector_->get(podKey) : nullptr;
      if (!pod) return done(Status::notFound(fmt::format("pods \"{}\" not found", podKey)));
      // As if the pod were not there yet: its own node must not count it twice.
      PodInfoPtr placed = podInfo(pod);
      auto open = std::make_shared<PodInfo>(*placed);
      open->nodeName.clear();
      const std::string* place = self->cluster_.placeOf(pod->uid());
      std::string node = place ? *place : std::string();
      Lifted lifted(*self, *placed);
      if (place) self->cluster_.removePod(pod->uid());
      Explanation d{podKey, pod->uid(), node, self->strand_->wallNow(), self->chooser_.matrix(*open, self->cluster_, limit)};
      if (!node.empty()) self->cluster_.setPod(placed, node);
      done(std::move(d));
    });
  }

  void lastDecision(std::string podKey, std::function<void(Result<Decision>)> done) override {
    strand_->post([self = shared_from_this(), podKey = std::move(podKey), done = std::move(done)] {
      auto it = self->decisions_.find(podKey);
      if (it == self->decisions_.end()) return done(Status::notFound(fmt::format("no decision about pods \"{}\" is kept", podKey)));
      done(it->second);
    });
  }

  void whatIf(api::ObjectPtr pod, int copies, std::function<void(std::vector<std::string>)> done) override {
    copies = std::clamp(copies, 0, kMaxWhatIf);
    strand_->post([self = shared_from_this(), pod = std::move(pod), copies, done = std::move(done)] {
      std::vector<std::string> places;
      Trial trial(*self);
      PodInfoPtr model = podInfo(pod);
      for (int i = 0; i < copies; ++i) places.push_back(trial.place(*model).node);
      done(std::move(places));
    });
  }

  void without(std::string node, std::function<void(Result<std::vector<Move>>)> done) override {
    strand_->post([self = shared_from_this(), node = std::move(node), done = std::move(done)] {
      int slot = self->cluster_.slotOf(node);
      if (slot < 0) return done(Status::notFound(fmt::format("nodes \"{}\" not found", node)));
      done(self->movesFrom(slot));
    });
  }

 private:
  void begin() {
    if (stopped_) return;
    events_ = client::EventRecorder::make(client_, strand_, {.component = options_.name});
    auto weak = weak_from_this();
    auto synced = [weak] {
      if (auto self = weak.lock()) self->kick();
    };
    nodeReflector_ = client::Reflector::start(client_, *nodes_, strand_, {},
                                              {.onChanges =
                                                   [weak](auto& changes) {
                                                     if (auto self = weak.lock()) self->onNodes(changes);
                                                   },
                                               .onSynced = synced});
    // Budgets only turn a choice among victims: nothing waits for them.
    budgetReflector_ = client::Reflector::start(client_, *budgets_, strand_, {}, {});
    for (auto* kind : storageKinds_)
      storageReflectors_.push_back(client::Reflector::start(client_, *kind, strand_, {},
                                                            {.onChanges =
                                                                 [weak, kind](auto& changes) {
                                                                   if (auto self = weak.lock()) self->onStorage(kind, changes);
                                                                 },
                                                             .onSynced = synced}));
    podReflector_ = client::Reflector::start(client_, *pods_, strand_, {},
                                             {.onChanges =
                                                  [weak](auto& changes) {
                                                    if (auto self = weak.lock()) self->onPods(changes);
                                                  },
                                              .onSynced = synced});
    rebalancer_ = std::make_shared<Rebalancer>(client_, strand_, events_, cluster_, chooser_,
                                               [this] { return !queue_.hasActive() && inFlight_.empty(); });
    rebalancer_->start();
  }

  void onNodes(const std::vector<client::Change>& changes) {
    uint32_t events = 0;
    for (auto& c : changes) {
      if (!c.now) {
        cluster_.removeNode(c.old->name());
        events |= kPodGone;  // spreading may look better without it
        continue;
      }
      uint32_t e = nodeEvents(c.old, c.now);
      if (e == 0 && c.old && c.old->as<core::Node>().status.images.size() == c.now->as<core::Node>().status.images.size())
        continue;  // a heartbeat: nothing that decides has changed
      cluster_.setNode(c.now);
      events |= e;
    }
    if (events) {
      queue_.wake(events, strand_->monoNow());
      kick();
    }
  }

  void onStorage(const client::ResourceInfo* kind, const std::vector<client::Change>& changes) {
    auto& volumes = cluster_.volumes();
    for (auto& c : changes) {
      const std::string& key = c.any()->key();
      if (kind == storageKinds_[0]) volumes.setClaim(key, c.now);
      else if (kind == storageKinds_[1]) volumes.setVolume(key, c.now);
      else volumes.setClass(key, c.now);
    }
    queue_.wake(kVolumes, strand_->monoNow());
    kick();
  }

  void onPods(const std::vector<client::Change>& changes) {
    uint32_t events = 0;
    for (auto& c : changes) {
      const api::ObjectPtr& object = c.any();
      auto& pod = object->as<core::Pod>();
      const std::string& uid = object->uid();
      if (c.old && c.now && c.old->uid() != uid) drop(c.old->uid());  // made again under its name between two looks
      if (!c.now || finished(pod)) {
        if (drop(uid)) events |= kPodGone;
      } else if (!pod.spec.nodeName.empty()) {
        queue_.remove(uid);
        denominate(uid);
        const std::string* place = cluster_.placeOf(uid);
        bool known = place != nullptr, ours = place && *place == pod.spec.nodeName;
        PodInfoPtr info = podInfo(object);
        cluster_.setPod(info, pod.spec.nodeName);
        if (inFlight_.erase(uid) > 0 && ours) sayScheduled(*info);
        if (!known) events |= kPodPlaced;
      } else if (wanted(pod) && !object->meta().deleting) {
        if (inFlight_.contains(uid)) continue;
        PodInfoPtr info = podInfo(object);
        // Those of the engine's last life keep their places too.
        const std::string before = c.old ? c.old->as<core::Pod>().status.nominatedNodeName : std::string();
        if (auto& node = pod.status.nominatedNodeName; node != before) node.empty() ? denominate(uid) : nominate(*info, node);
        queue_.add(std::move(info), strand_->monoNow());
      } else {
        queue_.remove(uid);
      }
    }
    if (events) queue_.wake(events, strand_->monoNow());
    kick();
  }

  // Where pods would go, one after another; they leave again with it.
  class Trial {
   public:
    explicit Trial(SchedulerImpl& scheduler) : scheduler_(scheduler) {}
    Trial(const Trial&) = delete;
    ~Trial() {
      for (auto& uid : placed_) scheduler_.cluster_.removePod(uid);
    }
    Verdict place(const PodInfo& model) {
      auto copy = std::make_shared<PodInfo>(model);
      copy->uid = fmt::format("what-if-{}", tried_++);
      copy->nodeName.clear();
      Verdict v = scheduler_.chooser_.choose(*copy, scheduler_.cluster_);
      if (v.slot < 0) return v;
      scheduler_.cluster_.setPod(copy, v.node);
      placed_.push_back(copy->uid);
      return v;
    }

   private:
    SchedulerImpl& scheduler_;
    std::vector<std::string> placed_;
    int tried_ = 0;
  };

  std::vector<Move> movesFrom(int slot) {
    const NodeInfo& info = *cluster_.node(slot);
    api::ObjectPtr node = info.object;
    std::vector<PodInfoPtr> pods;
    for (auto& pod : info.pods) {
      auto* owner = pod->object->meta().controller();
      if (!pod->nominated && (!owner || (owner->kind != "DaemonSet" && owner->kind != "Node"))) pods.push_back(pod);
    }
    std::sort(pods.begin(), pods.end(), [](auto& a, auto& b) {
      return a->priority != b->priority ? a->priority > b->priority : a->key < b->key;
    });
    if (pods.size() > size_t(kMaxWhatIf)) pods.resize(size_t(kMaxWhatIf));
    cluster_.removeNode(node->name());
    std::vector<Move> moves;
    {
      Trial trial(*this);
      for (auto& pod : pods) {
        Verdict v = trial.place(*pod);
        moves.push_back({pod->key, v.node, v.slot < 0 ? v.message() : std::string()});
      }
    }
    cluster_.setNode(node);  // its pods have waited for it
    return moves;
  }

  bool wanted(const core::Pod& pod) const {
    return (pod.spec.schedulerName.empty() || pod.spec.schedulerName == options_.name) && pod.spec.schedulingGates.empty();
  }

  bool drop(const std::string& uid) {
    queue_.remove(uid);
    inFlight_.erase(uid);
    denominate(uid);
    bool placed = cluster_.placeOf(uid) != nullptr;
    cluster_.removePod(uid);
    return placed;
  }

  void kick() {
    if (running_ || stopped_) return;
    running_ = true;
    strand_->post([weak = weak_from_this()] {
      if (auto self = weak.lock()) self->run();
    });
  }

  // Decides a batch, then lets others on the strand: events that arrived meanwhile are seen before the next batch.
  void run() {
    running_ = false;
    if (stopped_ || !nodeReflector_->synced() || !podReflector_->synced()) return;
    for (auto& reflector : storageReflectors_)
      if (!reflector->synced()) return;
    MonoTime now = strand_->monoNow();
    queue_.tick(now);
    std::vector<PodInfoPtr> bound;
    std::vector<client::Write> writes;
    for (int i = 0; i < options_.batch && int(inFlight_.size()) < options_.maxInFlight; ++i) {
      PodInfoPtr pod = queue_.pop();
      if (!pod) break;
      Lifted lifted(*this, *pod);
      Verdict verdict = chooser_.choose(*pod, cluster_);
      remember(*pod, verdict);
      if (verdict.slot < 0) {
        refuse(pod, verdict, preempt(*pod), now);
        continue;
      }
      nominated_.erase(pod->uid);
      cluster_.setPod(pod, verdict.node);  // assumed, until the watch confirms or the binding fails
      inFlight_.insert(pod->uid);
      writes.push_back(binding(*pod, verdict.node));
      bound.push_back(pod);
    }
    if (!writes.empty()) submit(std::move(bound), std::move(writes));
    if (queue_.hasActive() && int(inFlight_.size()) < options_.maxInFlight) kick();
    armTimer(now);
  }

  // Looking at every node for the record would halve the pace of a flood.
  void remember(const PodInfo& pod, const Verdict& verdict) {
    Decision decision{pod.key, pod.uid, strand_->wallNow(), verdict};
    if (verdict.slot >= 0 && cluster_.nodeCount() * queue_.size() <= kNodesForRecords) {
      Verdict whole = chooser_.explain(pod, cluster_);
      decision.verdict.reasons = std::move(whole.reasons);
      decision.verdict.best = std::move(whole.best);
      decision.verdict.feasible = whole.feasible;
      decision.verdict.looked = whole.looked;
    }
    auto [it, isNew] = decisions_.insert_or_assign(pod.key, std::move(decision));
    if (!isNew) return;
    decisionOrder_.push_back(pod.key);
    if (decisionOrder_.size() <= kDecisions) return;
    decisions_.erase(decisionOrder_.front());
    decisionOrder_.pop_front();
  }

  void armTimer(MonoTime now) {
    MonoTime due = queue_.nextDue();
    if (due == MonoTime::max()) return timer_.cancel();
    timer_ = strand_->after(due - now, [weak = weak_from_this()] {
      if (auto self = weak.lock()) self->kick();
    });
  }

  client::Write writeOf(client::Verb verb, const PodInfo& pod) const {
    client::Write w;
    w.verb = verb;
    w.info = pods_;
    w.ns = pod.ns;
    w.name = pod.object->name();
    w.uid = pod.uid;
    return w;
  }

  client::Write statusPatch(const PodInfo& pod, api::JsonObject status) const {
    client::Write w = writeOf(client::Verb::Patch, pod);
    w.subresource = "status";
    w.patchType = client::PatchType::Strategic;
    w.body = api::toText(api::Json{{"status", std::move(status)}});
    return w;
  }

  // A status of this one condition.
  api::JsonObject condition(const char* type, const char* value, const char* reason, const std::string& message) const {
    return {{"conditions",
             {{{"type", type},
               {"status", value},
               {"reason", reason},
               {"message", message},
               {"lastTransitionTime", formatTime(strand_->wallNow())}}}}};
  }

  client::Write binding(const PodInfo& pod, const std::string& node) const {
    client::Write w = writeOf(client::Verb::Create, pod);
    w.subresource = "binding";
    w.body = api::toText(api::Json{
        {"apiVersion", "v1"},
        {"kind", "Binding"},
        {"metadata", {{"name", pod.object->name()}, {"namespace", pod.ns}, {"uid", pod.uid}}},
        {"target", {{"apiVersion", "v1"}, {"kind", "Node"}, {"name", node}}},
    });
    return w;
  }

  void submit(std::vector<PodInfoPtr> pods, std::vector<client::Write> writes) {
    client_.writeAll(std::move(writes), [weak = weak_from_this(), strand = strand_,
                                         pods = std::move(pods)](std::vector<Result<client::ObjectPtr>> results) {
      strand->post([weak, pods, results = std::move(results)] {
        if (auto self = weak.lock()) self->onBound(pods, results);
      });
    });
  }

  void onBound(const std::vector<PodInfoPtr>& pods, const std::vector<Result<client::ObjectPtr>>& results) {
    MonoTime now = strand_->monoNow();
    bool freed = false;
    for (size_t i = 0; i < pods.size(); ++i) {
      auto& pod = pods[i];
      if (!inFlight_.contains(pod->uid)) continue;  // the watch was faster
      if (results[i].ok()) {
        bound(pod);
      } else if (results[i].status().code >= 500) {
        PH_LOG(Warn, "scheduler", "binding {}: {}", pod->key, results[i].status().message);
        verify(pod);
      } else {
        freed = unbound(pod, results[i].status(), now) || freed;
      }
    }
    if (freed) queue_.wake(kPodGone, now);
    kick();
  }

  void bound(const PodInfoPtr& pod) {
    inFlight_.erase(pod->uid);
    queue_.remove(pod->uid);
    sayScheduled(*pod);
  }

  void sayScheduled(const PodInfo& pod) {
    if (auto* place = cluster_.placeOf(pod.uid))
      events_->event(client::ObjectReference::to(*pod.object), "Normal", "Scheduled",
                     fmt::format("Successfully assigned {} to {}", pod.key, *place));
  }

  // The binding was not made. True when that gives room back.
  bool unbound(const PodInfoPtr& pod, const Status& status, MonoTime now) {
    inFlight_.erase(pod->uid);
    bool freed = cluster_.placeOf(pod->uid) != nullptr;
    cluster_.removePod(pod->uid);
    if (status.isNotFound()) queue_.remove(pod->uid);
    else queue_.retry(pod, now);
    return freed;
  }

  // Without a clear yes or no the binding may have been made: the pod is asked, and its room stays taken until it answers.
  void verify(const PodInfoPtr& pod) {
    client_.get(*pods_, pod->ns, pod->object->name(), [weak = weak_from_this(), strand = strand_, pod](Result<client::ObjectPtr> r) {
      strand->post([weak, pod, r = std::move(r)] {
        if (auto self = weak.lock()) self->onVerified(pod, r);
      });
    });
  }

  void onVerified(const PodInfoPtr& pod, const Result<client::ObjectPtr>& result) {
    if (stopped_ || !inFlight_.contains(pod->uid)) return;
    if (!result.ok() && !result.status().isNotFound()) {
      strand_->after(kAskAgain, [weak = weak_from_this(), pod] {
        if (auto self = weak.lock(); self && !self->stopped_ && self->inFlight_.contains(pod->uid)) self->verify(pod);
      }).detach();
      return;
    }
    MonoTime now = strand_->monoNow();
    bool gone = !result.ok() || (*result)->uid() != pod->uid;
    const std::string* node = gone ? nullptr : &(*result)->as<core::Pod>().spec.nodeName;
    if (node && !node->empty()) {
      cluster_.setPod(podInfo(*result), *node);
      bound(pod);
    } else if (unbound(pod, gone ? Status::notFound("") : Status::conflict(""), now)) {
      queue_.wake(kPodGone, now);
    }
    kick();
  }

  // A pod for which others were asked to leave a node. It stands there as a copy of another uid until it is bound.
  struct Nomination {
    PodInfoPtr copy;
    std::string node;
  };

  void nominate(const PodInfo& pod, const std::string& node) {
    denominate(pod.uid);
    auto copy = std::make_shared<PodInfo>(pod);
    copy->uid += " nominated";
    copy->nominated = true;
    cluster_.setPod(copy, node);
    nominated_[pod.uid] = {std::move(copy), node};
  }

  void denominate(const std::string& uid) {
    auto it = nominated_.find(uid);
    if (it == nominated_.end()) return;
    cluster_.removePod(it->second.copy->uid);
    nominated_.erase(it);
  }

  // The cluster as a pod sees it: without its own nomination, and those of less important pods.
  class Lifted {
   public:
    Lifted(SchedulerImpl& scheduler, const PodInfo& pod) : scheduler_(scheduler) {
      for (auto& [uid, n] : scheduler_.nominated_)
        if (uid == pod.uid || n.copy->priority < pod.priority) scheduler_.cluster_.removePod(n.copy->uid);
    }
    Lifted(const Lifted&) = delete;
    ~Lifted() {
      for (auto& [uid, n] : scheduler_.nominated_)
        if (!scheduler_.cluster_.placeOf(n.copy->uid)) scheduler_.cluster_.setPod(n.copy, n.node);
    }

   private:
    SchedulerImpl& scheduler_;
  };

  // Less important pods on their way out of a node.
  bool leaving(const std::string& node, int32_t priority) const {
    int slot = cluster_.slotOf(node);
    if (slot < 0) return false;
    auto& pods = cluster_.node(slot)->pods;
    return std::any_of(pods.begin(), pods.end(), [&](auto& p) { return p->priority < priority && !p->nominated && p->object->meta().deleting; });
  }

  std::vector<Budget> budgets() const {
    std::vector<Budget> out;
    for (auto& [key, object] : budgetReflector_->snapshot()) {
      auto& status = object->as<api::policy::PodDisruptionBudget>().status;
      auto selector = api::LabelSelector::fromJson(api::at(object->tree(), "spec.selector"));
      if (!selector.ok()) continue;
      Budget b{object->ns(), std::move(*selector), status.disruptionsAllowed, {}};
      for (auto& [name, since] : status.disruptedPods) b.disrupted.push_back(name);  // a map: sorted
      out.push_back(std::move(b));
    }
    return out;
  }

  // Asks less important pods to leave a node for this one. The node; empty: nothing would help, or it may not.
  std::string preempt(const PodInfo& pod) {
    auto& policy = pod.object->as<core::Pod>().spec.preemptionPolicy;
    auto known = nominated_.find(pod.uid);
    if (known != nominated_.end() && leaving(known->second.node, pod.priority)) return known->second.node;
    Preemption p;
    if (cluster_.hasLower(pod.priority) && (!policy || *policy != "Never")) p = findPreemption(pod, cluster_, chooser_, budgets());
    denominate(pod.uid);
    if (p.node.empty()) return {};
    nominate(pod, p.node);
    for (auto& victim : p.victims)
      if (!victim->object->meta().deleting) evict(*victim, pod, p.node);
    return p.node;
  }

  // As Kubernetes does it: a condition that says why, then an ordinary deletion with the pod's own grace.
  void evict(const PodInfo& victim, const PodInfo& by, const std::string& node) {
    events_->event(client::ObjectReference::to(*victim.object), "Normal", "Preempted", fmt::format("Preempted by {} on node {}", by.key, node));
    client::Write why = statusPatch(victim, condition("DisruptionTarget", "True", "PreemptionByScheduler",
                                                      fmt::format("{}: preempting to accommodate a higher priority pod", options_.name)));
    client::Write gone = writeOf(client::Verb::Delete, victim);
    client_.write(std::move(why), [weak = weak_from_this(), strand = strand_, gone = std::move(gone)](Result<client::ObjectPtr>) mutable {
      strand->post([weak, gone = std::move(gone)]() mutable {
        if (auto self = weak.lock(); self && !self->stopped_) self->remove(std::move(gone));
      });
    });
  }

  void remove(client::Write gone) {
    std::string key = gone.ns + "/" + gone.name;
    client_.write(std::move(gone), [key](Result<client::ObjectPtr> r) {
      if (!r.ok() && !r.status().isNotFound() && !r.status().isConflict())
        PH_LOG(Warn, "scheduler", "preempting {}: {}", key, r.status().message);
    });
  }

  // `nominee`: the node that others leave for it.
  void refuse(const PodInfoPtr& pod, const Verdict& verdict, const std::string& nominee, MonoTime now) {
    std::string message = verdict.message();
    queue_.unschedulable(pod, verdict.wakeOn | (nominee.empty() ? 0u : uint32_t(kPodGone)), now);
    events_->event(client::ObjectReference::to(*pod->object), "Warning", "FailedScheduling", message);
    // Status follows only when it says something new.
    auto& status = pod->object->as<core::Pod>().status;
    bool told = std::any_of(status.conditions.begin(), status.conditions.end(), [&](auto& c) {
      return c.type == "PodScheduled" && c.status == "False" && c.message == message;
    });
    if (told && status.nominatedNodeName == nominee) return;
    api::JsonObject body = condition("PodScheduled", "False", "Unschedulable", message);
    if (status.nominatedNodeName != nominee) body["nominatedNodeName"] = nominee.empty() ? api::Json(nullptr) : api::Json(nominee);
    client_.write(statusPatch(*pod, std::move(body)), [key = pod->key](Result<client::ObjectPtr> r) {
      if (!r.ok() && !r.status().isNotFound() && !r.status().isConflict())
        PH_LOG(Warn, "scheduler", "condition of {}: {}", key, r.status().message);
    });
  }

  client::Client& client_;
  const std::shared_ptr<Executor> strand_;
  const Options options_;
  Cluster cluster_;
  Chooser chooser_;
  SchedulingQueue queue_;
  const client::ResourceInfo *pods_, *nodes_, *budgets_;
  const std::array<const client::ResourceInfo*, 3> storageKinds_;  // claims, volumes, classes
  std::shared_ptr<client::Reflector> podReflector_, nodeReflector_, budgetReflector_;
  std::vector<std::shared_ptr<client::Reflector>> storageReflectors_;
  std::shared_ptr<client::EventRecorder> events_;
  std::shared_ptr<Rebalancer> rebalancer_;
  std::unordered_set<std::string> inFlight_;  // uids whose binding is under way
  std::unordered_map<std::string, Nomination> nominated_;  // by the pod's uid
  std::unordered_map<std::string, Decision> decisions_;  // by pod key
  std::deque<std::string> decisionOrder_;                // oldest first
  Timer timer_;
  bool running_ = false, stopped_ = false;
};

// The owner's handle: dropping it stops the scheduler; callbacks under way keep the rest alive.
class Handle : public Scheduler {
 public:
  explicit Handle(std::shared_ptr<SchedulerImpl> impl) : impl_(std::move(impl)) {}
  ~Handle() override { impl_->stop(); }
  void start() override { impl_->start(); }
  void stop() override { impl_->stop(); }
  void explain(std::string podKey, size_t limit, std::function<void(Result<Explanation>)> done) override {
    impl_->explain(std::move(podKey), limit, std::move(done));
  }
  void lastDecision(std::string podKey, std::function<void(Result<Decision>)> done) override {
    impl_->lastDecision(std::move(podKey), std::move(done));
  }
  void whatIf(api::ObjectPtr pod, int copies, std::function<void(std::vector<std::string>)> done) override {
    impl_->whatIf(std::move(pod), copies, std::move(done));
  }
  void without(std::string node, std::function<void(Result<std::vector<Move>>)> done) override {
    impl_->without(std::move(node), std::move(done));
  }

 private:
  std::shared_ptr<SchedulerImpl> impl_;
};

}  // namespace

std::unique_ptr<Scheduler> Scheduler::make(client::Client& client, std::shared_ptr<Executor> executor, Options options) {
  return std::make_unique<Handle>(std::make_shared<SchedulerImpl>(client, std::move(executor), std::move(options)));
}

}  // namespace ph::scheduler
