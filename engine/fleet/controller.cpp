#include "engine/fleet/controller.h"

#include <fmt/format.h>

#include <future>

#include "engine/api/codec.h"
#include "engine/base/log.h"
#include "engine/fleet/status_words.h"

namespace ph::fleet {
namespace {

// The parts of a Machine that decide how it is reached: a change means a new connection.
std::string accessKeyOf(const api::fleet::MachineSpec& s) {
  std::string jumps;
  for (auto& j : s.jumpHosts) jumps += fmt::format("{}:{}@{};", j.address, j.port, j.user);
  return fmt::format("{}\n{}\n{}\n{}\n{}\n{}\n{}", s.address, s.port, s.user, s.hostKey, s.credentials.identityFile, s.credentials.name, jumps);
}

bool hasFinalizer(const api::Object& o) {
  for (auto& f : o.meta().finalizers)
    if (f == kFinalizer) return true;
  return false;
}

}  // namespace

Controller::Controller(client::Client& client, std::shared_ptr<Executor> executor, Options options)
    : client_(client), executor_(std::move(executor)), strand_(executor_->strand()), options_(std::move(options)) {
  auto& registry = client_.registry();
  machines_ = registry.find("fleet.pilothouse.io", "v1", "machines");
  nodes_ = registry.find("", "v1", "nodes");
  pods_ = registry.find("", "v1", "pods");
  leases_ = registry.find("coordination.k8s.io", "v1", "leases");
  PH_CHECK(machines_ && nodes_ && pods_ && leases_);
}

void Controller::start() {
  pool_ = makeThreadExecutor(options_.setupThreads, "fleet-setup");
  poller_ = SshPoller::make(options_.keepalive, options_.silence);
  events_ = client::EventRecorder::make(client_, strand_, {.component = "machine-controller"});
  std::weak_ptr<Controller> weak = weak_from_this();
  nodeCache_ = client::Reflector::start(client_, *nodes_, strand_, {}, {.onChanges = [weak](const std::vector<client::Change>& c) {
    if (auto self = weak.lock()) self->onNodes(c);
  }});
  machineCache_ = client::Reflector::start(client_, *machines_, strand_, {}, {.onChanges = [weak](const std::vector<client::Change>& c) {
    if (auto self = weak.lock()) self->onMachines(c);
  }});
}

void Controller::stop() {
  if (stopped_.exchange(true)) return;
  if (!pool_) return;
  machineCache_->stop();
  nodeCache_->stop();
  events_->stop();
  // What runs on the strand right now may still use the pool; whatever comes after it sees `stopped_`.
  auto passed = std::make_shared<std::promise<void>>();
  strand_->post([passed] { passed->set_value(); });
  passed->get_future().wait_for(std::chrono::seconds(2));
  std::unordered_map<std::string, Way> ways;
  {
    std::lock_guard lock(mutex_);
    for (auto& c : cancels_) c->cancel();
    ways.swap(ways_);
  }
  ways.clear();     // their connections end before the links do
  pool_.reset();    // waits for the set-up threads: their sockets are shut, so they come back at once
  poller_.reset();
}

std::shared_ptr<net::HttpClient> Controller::agent(const std::string& node) {
  std::lock_guard lock(mutex_);
  auto it = ways_.find(node);
  return it != ways_.end() && it->second.link->load() ? it->second.client : nullptr;
}

void Controller::post(std::function<void(Controller&)> task) {
  std::weak_ptr<Controller> weak = weak_from_this();
  strand_->post([weak, task = std::move(task)] {
    if (auto self = weak.lock(); self && !self->stopped_) task(*self);
  });
}

void Controller::onMachines(const std::vector<client::Change>& changes) {
  if (stopped_) return;
  for (auto& c : changes) {
    auto& r = records_[c.any()->name()];
    // A Machine made anew under the same name is another one.
    if (r && c.now && r->object && r->object->uid() != c.now->uid()) {
      abandon(r);
      r.reset();
    }
    if (!r) {
      r = std::make_shared<MachineRecord>();
      r->name = c.any()->name();
      if (c.now) r->status = c.now->as<api::fleet::Machine>().status;
    }
    if (c.now) {
      r->object = c.now;
      reconcile(r);
      continue;
    }
    abandon(r);
    r->object = nullptr;
    const std::string name = r->name;
    records_.erase(name);
    Way way;  // declared first: its client ends after the lock is given back
    std::lock_guard lock(mutex_);
    if (auto it = ways_.find(name); it != ways_.end()) {
      way = std::move(it->second);
      ways_.erase(it);
    }
  }
}

void Controller::onNodes(const std::vector<client::Change>& changes) {
  if (stopped_) return;
  for (auto& c : changes)
    if (auto it = records_.find(c.any()->name()); it != records_.end()) lookAtNode(it->second);
}

void Controller::reconcile(const Record& r) {
  if (r->object->meta().deleting) {
    if (hasFinalizer(*r->object) && r->doing != Doing::Removing) beginRemoval(r);
    return;
  }
  // Nothing is put on a machine before the Machine is held back from vanishing without us.
  if (!hasFinalizer(*r->object)) return addFinalizer(r);
  if (r->status.observedGeneration != r->object->meta().generation) {
    r->status.observedGeneration = r->object->meta().generation;
    r->statusDirty = true;
  }
  const std::string key = accessKeyOf(r->spec());
  if (key != r->accessKey) {
    const bool first = r->accessKey.empty();
    abandon(r);
    r->accessKey = key;
    r->failures = 0;
    if (!first) setCondition(r->status, "Connected", false, "SpecChanged", "the way to the machine was changed", now());
    r->waiting = false;
  }
  if (r->doing == Doing::Nothing && !r->waiting) beginJoin(r);
  if (r->doing == Doing::Linked) lookAtNode(r);
  flush(r);
}

void Controller::setPhase(const Record& r, const std::string& phase, const std::string& message) {
  r->status.phase = phase;
  r->status.message = message;
  r->statusDirty = true;
}

void Controller::setProgress(const Record& r, const std::string& step, int percent) {
  r->statusDirty = true;
  if (step.empty()) {
    r->status.progress = {};
    return;
  }
  api::fleet::MachineProgress p;
  p.step = step;
  p.percent = percent;
  r->status.progress = p;
}

// One write under way per machine; what changes meanwhile goes with the next.
void Controller::flush(const Record& r) {
  if (!r->statusDirty || r->statusWriting || !r->object || stopped_) return;
  r->statusDirty = false;
  std::string body = statusPatch(*r->object, r->status);
  if (body.empty()) return;
  r->statusWriting = true;
  client::Write w;
  w.verb = client::Verb::Patch;
  w.info = machines_;
  w.name = r->name;
  w.subresource = "status";
  w.uid = r->object->uid();
  w.body = std::move(body);
  write(std::move(w), [r](Controller& self, const Result<api::ObjectPtr>& result) {
    r->statusWriting = false;
    if (!r->object) return;
    if (result.ok()) {
      if (result.value()->revision() > r->object->revision() && result.value()->uid() == r->object->uid()) r->object = result.value();
      return self.flush(r);
    }
    if (result.status().isNotFound() || result.status().isConflict()) return;  // gone, or another Machine by now
    PH_LOG(Warn, "fleet", "{}: its status could not be written: {}", r->name, result.status().message);
    r->statusDirty = true;
    self.strand_->after(std::chrono::seconds(1), [weak = self.weak_from_this(), r] {
      if (auto c = weak.lock()) c->flush(r);
    }).detach();
  });
}

void Controller::addFinalizer(const Record& r) {
  if (r->finalizerAsked) return;
  r->finalizerAsked = true;
  api::JsonArray list;
  for (auto& f : r->object->meta().finalizers) list.emplace_back(f);
  list.emplace_back(kFinalizer);
  client::Write w;
  w.verb = client::Verb::Patch;
  w.info = machines_;
  w.name = r->name;
  w.uid = r->object->uid();
  w.revision = r->object->revision();
  w.body = api::toText(api::Json(api::JsonObject{{"metadata", api::JsonObject{{"finalizers", std::move(list)}}}}));
  write(std::move(w), [r](Controller& self, const Result<api::ObjectPtr>& result) {
    r->finalizerAsked = false;
    if (!r->object) return;
    // Its event brings us back; a conflict means that a newer version is on its way.
    if (result.ok() || result.status().isNotFound() || result.status().isConflict()) return;
    PH_LOG(Warn, "fleet", "{}: its finalizer could not be set: {}", r->name, result.status().message);
    self.strand_->after(std::chrono::seconds(1), [weak = self.weak_from_this(), r] {
      if (auto c = weak.lock(); c && r->object && !c->stopped_) c->reconcile(r);
    }).detach();
  });
}

void Controller::write(client::Write w, std::function<void(Controller&, const Result<api::ObjectPtr>&)> then) {
  std::weak_ptr<Controller> weak = weak_from_this();
  client_.write(std::move(w), [weak, then = std::move(then)](Result<api::ObjectPtr> result) {
    auto self = weak.lock();
    if (!self) return;
    self->post([then, result = std::move(result)](Controller& c) { then(c, result); });
  });
}

void Controller::event(const Record& r, bool warning, const std::string& reason, const std::string& message) {
  PH_LOG(Info, "fleet", "{}: {}: {}", r->name, reason, message);
  if (r->object) events_->event(client::ObjectReference::to(*r->object), warning ? "Warning" : "Normal", reason, message);
}

std::shared_ptr<Cancel> Controller::newCancel() {
  auto c = std::make_shared<Cancel>();
  std::lock_guard lock(mutex_);
  cancels_.insert(c);
  if (stopped_) c->cancel();
  return c;
}

void Controller::drop(const std::shared_ptr<Cancel>& cancel) {
  std::lock_guard lock(mutex_);
  cancels_.erase(cancel);
}

namespace {

class FleetImpl : public Fleet {
 public:
  FleetImpl(client::Client& client, std::shared_ptr<Executor> executor, Options options)
      : controller_(std::make_shared<Controller>(client, std::move(executor), std::move(options))) {}
  ~FleetImpl() override { controller_->stop(); }
  void start() override { controller_->start(); }
  void stop() override { controller_->stop(); }
  std::shared_ptr<net::HttpClient> agent(const std::string& node) override { return controller_->agent(node); }

 private:
  std::shared_ptr<Controller> controller_;
};

}  // namespace

std::unique_ptr<Fleet> Fleet::make(client::Client& client, std::shared_ptr<Executor> executor, Options options) {
  return std::make_unique<FleetImpl>(client, std::move(executor), std::move(options));
}

}  // namespace ph::fleet
