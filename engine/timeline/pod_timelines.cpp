#include "engine/timeline/pod_timelines.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <deque>
#include <unordered_map>

#include "engine/api/codec.h"
#include "engine/api/conditions.h"
#include "engine/api/types/apps.h"
#include "engine/api/types/core.h"
#include "engine/client/reflector.h"

namespace ph::timeline {
namespace {

namespace v1 = api::core;
using api::Json;
using api::JsonArray;
using api::JsonObject;
using client::Change;

constexpr size_t kKept = 2000;
constexpr auto kCrossing = std::chrono::seconds(2);  // how late news of one kind may be behind that of another

enum Step : size_t { kRequest, kStored, kController, kPodMade, kScheduled, kBound, kAgent, kContainer, kStarted, kInService, kSteps };
constexpr std::string_view kNames[kSteps] = {"Request", "Stored", "Controller", "PodMade", "Scheduled",
                                             "Bound",   "Agent",  "Container",  "Started", "InService"};

struct Record {
  std::string key, node, cause;
  WallTime made{};  // wall and monotonic time of one moment: the steps' wall times are made of both
  MonoTime madeMono{};
  std::array<std::optional<MonoTime>, kSteps> at;
  bool inEndpoints = false;
  std::string owner;  // uid
  Written own{};      // of the pod itself

  void reached(Step step, MonoTime when) {
    if (!at[step]) at[step] = when;
  }
};

// What last happened to a workload or its pods that may make new pods.
struct Cause {
  Written written;
  std::string text;
  bool made = false;  // it came to be then: it was before all that it owns, whatever state of it was seen first
};

// All containers run, or have run: an ended one was started as well.
bool hasStarted(const v1::Pod& pod) {
  auto& all = pod.status.containerStatuses;
  return !all.empty() && std::all_of(all.begin(), all.end(), [](auto& c) { return c.state.running || c.state.terminated || c.lastState.terminated; });
}
bool hasContainer(const v1::Pod& pod) {
  auto& all = pod.status.containerStatuses;
  return std::any_of(all.begin(), all.end(), [](auto& c) { return !c.containerID.empty(); });
}

class Timelines : public std::enable_shared_from_this<Timelines> {
 public:
  Timelines(client::Client& client, std::shared_ptr<Executor> executor, WrittenAt writtenAt)
      : client_(client), strand_(executor->strand()), writtenAt_(std::move(writtenAt)) {}

  void begin() {
    follow("", "pods", [](Timelines& t, const Change& c, bool fresh) { t.onPod(c, fresh); });
    follow("apps", "replicasets", [](Timelines& t, const Change& c, bool fresh) { t.onWorkload(c, fresh); });
    follow("apps", "deployments", [](Timelines& t, const Change& c, bool fresh) { t.onWorkload(c, fresh); });
    follow("", "endpoints", [](Timelines& t, const Change& c, bool fresh) { t.onEndpoints(c, fresh); });
  }

  void stop() {
    strand_->post([self = shared_from_this()] {
      for (auto& r : self->reflectors_) r->stop();
    });
  }

  void read(std::string ns, std::string name, std::function<void(Result<std::vector<Json>>)> done) {
    strand_->post([self = shared_from_this(), ns = std::move(ns), name = std::move(name), done = std::move(done)] {
      // A pod made again under its name hides the one before it.
      std::map<std::string, const Record*> newest;
      for (auto& uid : self->order_) {
        auto& record = self->records_.at(uid);
        auto slash = record.key.find('/');
        if (!ns.empty() && record.key.substr(0, slash) != ns) continue;
        if (!name.empty() && record.key.substr(slash + 1) != name) continue;
        newest[record.key] = &record;
      }
      std::vector<Json> out;
      for (auto& [key, record] : newest) out.push_back(tree(*record));
      done(std::move(out));
    });
  }

 private:
  using Handler = void (*)(Timelines&, const Change&, bool fresh);

  // `fresh`: it happened while we looked; what the first list brings has no known times.
  void follow(std::string_view group, std::string_view plural, Handler handler) {
    auto* info = client_.registry().storage(group, plural);
    if (!info) return;
    auto synced = std::make_shared<bool>(false);
    auto weak = weak_from_this();
    reflectors_.push_back(client::Reflector::start(client_, *info, strand_, {},
                                                   {.onChanges =
                                                        [weak, handler, synced](const std::vector<Change>& changes) {
                                                          auto self = weak.lock();
                                                          if (!self) return;
                                                          for (auto& c : changes) handler(*self, c, *synced);
                                                        },
                                                    .onSynced = [synced] { *synced = true; }}));
  }

  Written written(const api::Object& object) const {
    if (auto known = writtenAt_(object.revision())) return *known;
    MonoTime now = strand_->monoNow();
    return {now, now};
  }

  void onWorkload(const Change& c, bool fresh) {
    auto& object = *c.any();
    if (!c.now) {
      causes_.erase(object.uid());
      owners_.erase(object.uid());
      return;
    }
    if (!fresh) causes_[object.uid()];  // known; what made it is not
    if (!fresh || (c.old && c.old->meta().generation == c.now->meta().generation)) return;
    auto* owner = object.meta().controller();
    auto text = fmt::format("{} {} {}", object.info().kind, object.name(), c.old ? "changed" : "made");
    causes_[object.uid()] = {written(object), std::move(text), !c.old};
    if (owner) owners_[object.uid()] = owner->uid;
    explainAgain(object.uid());
  }

  // Each kind is watched by itself: a pod may be heard of before what made it.
  void explainAgain(const std::string& uid) {
    const MonoTime now = strand_->monoNow();
    auto& news = causes_.at(uid);
    for (auto it = order_.rbegin(); it != order_.rend(); ++it) {
      Record& record = records_.at(*it);
      if (now - record.madeMono > kCrossing) break;
      if (record.owner.empty() || (!news.made && news.written.asked > record.own.asked)) continue;
      auto above = owners_.find(record.owner);
      if (record.owner != uid && (above == owners_.end() || above->second != uid)) continue;
      auto direct = causes_.find(record.owner);
      if (direct == causes_.end() || direct->second.text.empty() || (!direct->second.made && direct->second.written.asked > record.own.asked)) continue;
      caused(record, record.own, direct->second, record.owner);
    }
  }

  void onPod(const Change& c, bool fresh) {
    auto& object = *c.any();
    if (!c.now) return podGone(object);
    auto& pod = object.as<v1::Pod>();
    if (!c.old && fresh) podMade(object);
    auto it = records_.find(object.uid());
    if (it == records_.end()) return;
    Record& record = it->second;
    Written when = written(object);
    if (!pod.spec.nodeName.empty() && record.node.empty()) {
      record.node = pod.spec.nodeName;
      record.reached(kScheduled, when.asked);
      record.reached(kBound, when.durable);
    }
    if (pod.status.startTime || !pod.status.hostIP.empty()) record.reached(kAgent, when.asked);
    if (hasContainer(pod)) record.reached(kContainer, when.asked);
    if (hasStarted(pod)) record.reached(kStarted, when.asked);
    if (api::conditionTrue(pod.status.conditions, "Ready")) record.reached(kInService, when.durable);
  }

  void podGone(const api::Object& object) {
    auto* owner = object.meta().controller();
    if (owner && causes_.contains(owner->uid)) {  // a workload that we know: the note goes with it
      MonoTime now = strand_->monoNow();
      causes_[owner->uid] = {{now, now}, fmt::format("Pod {} went away", object.name())};
    }
  }

  void podMade(const api::Object& object) {
    Record record;
    record.key = object.key();
    record.made = strand_->wallNow();
    record.madeMono = strand_->monoNow();
    Written own = written(object);
    record.at[kPodMade] = own.durable;
    record.at[kRequest] = own.asked;
    record.at[kStored] = own.durable;
    record.cause = "the pod was asked for";
    record.own = own;
    if (auto* owner = object.meta().controller()) {
      record.owner = owner->uid;
      if (auto direct = causes_.find(owner->uid); direct != causes_.end() && !direct->second.text.empty()) caused(record, own, direct->second, owner->uid);
    }
    auto [it, isNew] = records_.insert_or_assign(object.uid(), std::move(record));
    if (!isNew) return;
    order_.push_back(object.uid());
    if (order_.size() <= kKept) return;
    records_.erase(order_.front());
    order_.pop_front();
  }

  // The nearest cause is the controller's doing when something above it came before; else it is the request itself.
  void caused(Record& record, const Written& own, const Cause& direct, const std::string& directUid) {
    const Cause* first = &direct;
    record.at[kController] = own.asked;
    auto above = owners_.find(directUid);
    auto higher = above == owners_.end() ? causes_.end() : causes_.find(above->second);
    // A pod that went away, or the like, after the workload's last change has nothing to do with that change.
    if (higher != causes_.end() && !higher->second.text.empty() && !direct.text.starts_with("Pod ") &&
        (higher->second.made || higher->second.written.asked <= direct.written.asked)) {
      first = &higher->second;
      record.at[kController] = direct.written.durable;
    }
    record.at[kRequest] = std::min(first->written.asked, direct.written.asked);
    record.at[kStored] = std::min(first->written.durable, direct.written.durable);
    record.cause = first->text;
  }

  void onEndpoints(const Change& c, bool fresh) {
    if (!c.now || !fresh) return;
    Written when = written(*c.now);
    for (auto& subset : c.now->as<v1::Endpoints>().subsets)
      for (auto& address : subset.addresses) {
        if (!address.targetRef) continue;
        auto it = records_.find(address.targetRef->uid);
        if (it == records_.end() || std::exchange(it->second.inEndpoints, true)) continue;
        it->second.at[kInService] = when.durable;
      }
  }

  static Json tree(const Record& record) {
    JsonArray steps;
    auto slash = record.key.find('/');
    // Two writers' clocks are one, but their notes may cross: a step is never told as before the one it follows.
    std::optional<MonoTime> first, last;
    std::string_view step;
    for (size_t i = 0; i < kSteps; ++i) {
      if (!record.at[i]) continue;
      MonoTime when = last ? std::max(*last, *record.at[i]) : *record.at[i];
      if (!first) first = when;
      last = when;
      step = kNames[i];
      auto wall = record.made + std::chrono::duration_cast<std::chrono::microseconds>(when - record.madeMono);
      double ms = std::chrono::duration<double, std::milli>(when - *first).count();
      steps.push_back(JsonObject{{"name", step}, {"time", formatMicroTime(wall)}, {"milliseconds", ms}});
    }
    JsonObject status{{"step", step}, {"steps", std::move(steps)}, {"cause", record.cause}};
    if (first) status["seconds"] = fmt::format("{:.3f}", std::chrono::duration<double>(*last - *first).count());
    if (!record.node.empty()) status["node"] = record.node;
    return JsonObject{{"metadata", JsonObject{{"name", record.key.substr(slash + 1)}, {"namespace", record.key.substr(0, slash)},
                                              {"creationTimestamp", formatTime(record.made)}}},
                      {"status", std::move(status)}};
  }

  client::Client& client_;
  const std::shared_ptr<Executor> strand_;
  const WrittenAt writtenAt_;
  std::vector<std::shared_ptr<client::Reflector>> reflectors_;
  std::unordered_map<std::string, Record> records_;      // by the pod's uid
  std::deque<std::string> order_;                        // oldest first
  std::unordered_map<std::string, Cause> causes_;        // by the workload's uid; goes with it
  std::unordered_map<std::string, std::string> owners_;  // a workload's uid to its owner's
};

class Handle : public PodTimelines {
 public:
  explicit Handle(std::shared_ptr<Timelines> impl) : impl_(std::move(impl)) {}
  ~Handle() override { stop(); }
  void stop() override { impl_->stop(); }
  void read(std::string ns, std::string name, std::function<void(Result<std::vector<Json>>)> done) override {
    impl_->read(std::move(ns), std::move(name), std::move(done));
  }

 private:
  std::shared_ptr<Timelines> impl_;
};

}  // namespace

std::unique_ptr<PodTimelines> PodTimelines::start(client::Client& client, std::shared_ptr<Executor> executor, WrittenAt writtenAt) {
  auto impl = std::make_shared<Timelines>(client, std::move(executor), std::move(writtenAt));
  impl->begin();
  return std::make_unique<Handle>(std::move(impl));
}

}  // namespace ph::timeline
