#include "engine/controllers/runner.h"

#include <algorithm>

#include "engine/base/log.h"

namespace ph::controllers {

using client::Change;
using client::WorkQueue;

struct Runner::Controller {
  ControllerSpec spec;
  std::unique_ptr<WorkQueue> queue;
  std::map<std::string, MonoTime> lastPlan;  // with minInterval only
  std::map<std::string, std::string> lastError;
};

struct Runner::Counters {
  std::atomic<uint64_t> reconciles{0}, writes{0}, conflicts{0}, failures{0}, clockJumps{0};
};

struct Flight {
  void* controller = nullptr;
  std::string key;
  Plan plan;
  bool failed = false;
  std::string error;  // the first that was not a mere conflict
  size_t unseen = 0;  // kinds whose revisions are still to be seen
  std::map<std::string, int64_t> revisions;
  bool landed = false;
};

void keySelf(const Snapshot&, const Change& change, Keys& keys) {
  keys.push_back(change.any()->key());
}

std::shared_ptr<Runner> Runner::make(client::Client& client, std::shared_ptr<Executor> executor,
                                     Options options) {
  return std::make_shared<Runner>(Private{}, client, executor->strand(), std::move(options));
}

Runner::Runner(Private, client::Client& client, std::shared_ptr<Executor> strand, Options options)
    : client_(client),
      strand_(std::move(strand)),
      options_(std::move(options)),
      snapshot_(client.registry()),
      recorder_(
          client::EventRecorder::make(client, strand_, {.component = "pilothouse", .host = options_.host})),
      counters_(std::make_unique<Counters>()) {}

Runner::~Runner() = default;

Runner::Stats Runner::stats() const {
  return {counters_->reconciles, counters_->writes, counters_->conflicts, counters_->failures,
          counters_->clockJumps};
}

void Runner::add(ControllerSpec spec) {
  auto c = std::make_unique<Controller>();
  c->spec = std::move(spec);
  c->queue = std::make_unique<WorkQueue>(strand_, WorkQueue::Options{}, [this] { schedulePump(); });
  controllers_.push_back(std::move(c));
}

void Runner::start() {
  strand_->post([self = shared_from_this()] {
    if (!self->stopped_) self->startKinds();
  });
}

void Runner::stop() {
  strand_->post([self = shared_from_this()] {
    self->stopped_ = true;
    self->ticker_.cancel();
    for (auto& [name, kind] : self->kinds_) {
      if (kind.reflector) kind.reflector->stop();
      kind.waiting.clear();
    }
    self->recorder_->stop();
    self->controllers_.clear();  // and their queues' timers
  });
}

void Runner::startKinds() {
  lastTick_ = now();
  snapshot_.setSteadySince(lastTick_.mono);
  for (auto& c : controllers_)
    for (auto& w : c->spec.watches)
      if (w.kind) startKind(w.kind);
  scanRegistry();
  ticker_ = strand_->after(options_.tick, [weak = weak_from_this()] {
    if (auto self = weak.lock()) self->tick();
  });
}

// Controllers of every kind follow the registry: custom kinds come while we run.
void Runner::scanRegistry() {
  bool any = false;
  for (auto& c : controllers_)
    for (auto& w : c->spec.watches) any = any || !w.kind;
  if (!any) return;
  for (auto* info : client_.registry().all()) {
    const ResourceInfo* stored = client_.registry().stored(*info);
    if (stored->stored) startKind(stored);
  }
}

void Runner::startKind(const ResourceInfo* kind) {
  KindState& state = kinds_[kind->keyPrefix()];
  if (state.reflector) return;
  for (auto& c : controllers_)
    for (auto& w : c->spec.watches)
      if (!w.kind || w.kind == kind) state.watchers.emplace_back(c.get(), &w);
  auto weak = weak_from_this();
  client::Reflector::Handlers h;
  h.onChanges = [weak, kind](const std::vector<Change>& changes) {
    if (auto self = weak.lock(); self && !self->stopped_) self->onChanges(kind, changes);
  };
  h.onSynced = [weak, kind] {
    if (auto self = weak.lock(); self && !self->stopped_) self->onSynced(kind);
  };
  h.onConnected = [weak, kind](bool up) {
    if (auto self = weak.lock(); self && !self->stopped_) self->onConnected(kind, up);
  };
  state.reflector = client::Reflector::start(client_, *kind, strand_, options_.reflector, std::move(h));
}

void Runner::onChanges(const ResourceInfo* kind, const std::vector<Change>& changes) {
  KindState& state = kinds_[kind->keyPrefix()];
  snapshot_.setObjects(kind, state.reflector->snapshot());
  MonoTime mono = strand_->monoNow();
  for (auto& c : changes) snapshot_.apply(kind, c, mono);
  Keys keys;
  for (auto& [controller, watch] : state.watchers) {
    keys.clear();
    for (auto& c : changes) watch->keys(snapshot_, c, keys);
    for (auto& k : keys)
      if (!controller->queue->add(k))
        PH_LOG(Error, "controllers", "{}: queue is full, {} dropped", controller->spec.name, k);
  }
  seen(state);
}

void Runner::onSynced(const ResourceInfo* kind) {
  snapshot_.setSynced(kind);
  if (synced_) return;
  for (auto& [name, kind] : kinds_)
    if (!kind.reflector || !kind.reflector->synced()) return;
  synced_ = true;
  // What was silent while we were not listening says nothing.
  snapshot_.setSteadySince(strand_->monoNow());
  for (auto& c : controllers_)
    for (auto& k : c->spec.initialKeys) c->queue->add(k);
  schedulePump();
}

void Runner::onConnected(const ResourceInfo* kind, bool up) {
  KindState& state = kinds_[kind->keyPrefix()];
  if (kind != snapshot_.kinds().leases) return;
  // A gap in the leases' stream: nobody can be blamed for what we could not see.
  if (up && state.everConnected) snapshot_.setSteadySince(strand_->monoNow());
  state.everConnected = true;
}

void Runner::schedulePump() {
  if (pumpPosted_ || stopped_ || !synced_) return;
  pumpPosted_ = true;
  strand_->post([weak = weak_from_this()] {
    auto self = weak.lock();
    if (!self) return;
    self->pumpPosted_ = false;
    if (!self->stopped_) self->pump();
  });
}

// Controllers take turns, one key each, so that a flood in one does not starve another.
void Runner::pump() {
  std::vector<Write> batch;
  std::vector<std::shared_ptr<Flight>> flights;
  int budget = options_.maxKeysPerTurn;
  size_t idle = 0;
  while (budget > 0 && idle < controllers_.size() && !full() && batch.size() < options_.maxBatchWrites) {
    Controller& c = *controllers_[nextController_++ % controllers_.size()];
    if (pumpOne(c, batch, flights)) {
      idle = 0;
      --budget;
    } else {
      ++idle;
    }
  }
  if (!batch.empty()) send(std::move(batch), std::move(flights));
  if (full()) return;  // the next answer goes on
  for (auto& c : controllers_)
    if (c->queue->ready()) return schedulePump();
}

bool Runner::pumpOne(Controller& c, std::vector<Write>& batch,
                     std::vector<std::shared_ptr<Flight>>& flights) {
  auto key = c.queue->take();
  if (!key) return false;
  Moment moment = now();
  if (c.spec.minInterval > Duration::zero()) {
    auto [it, fresh] = c.lastPlan.try_emplace(*key, moment.mono);
    if (!fresh) {
      Duration since = moment.mono - it->second;
      if (since < c.spec.minInterval) {
        c.queue->done(*key);
        c.queue->addAfter(*key, c.spec.minInterval - since);
        return true;
      }
      it->second = moment.mono;
    }
    if (c.lastPlan.size() > 10000)
      std::erase_if(c.lastPlan, [&](auto& e) { return moment.mono - e.second >= c.spec.minInterval; });
  }
  Key k = Key::parse(*key);
  k.failures = c.queue->failures(*key);
  if (auto it = c.lastError.find(*key); k.failures && it != c.lastError.end()) k.lastError = it->second;
  counters_->reconciles.fetch_add(1, std::memory_order_relaxed);
  auto flight = std::make_shared<Flight>();
  flight->controller = &c;
  flight->key = *key;
  flight->plan = c.spec.reconcile(snapshot_, k, moment);
  if (flight->plan.empty()) {
    land(*flight);
    return true;
  }
  if (!flight->plan.absences.empty()) {
    ++verifying_;
    verify(std::move(flight), 0);
    return true;
  }
  for (auto& step : flight->plan.steps) batch.push_back(std::move(step.write));
  flights.push_back(std::move(flight));
  return true;
}

// Asks for one absence after the other; the first that does not hold ends the flight.
void Runner::verify(std::shared_ptr<Flight> flight, size_t at) {
  if (at == flight->plan.absences.size()) {
    --verifying_;
    std::vector<Write> batch;
    for (auto& step : flight->plan.steps) batch.push_back(std::move(step.write));
    return send(std::move(batch), {std::move(flight)});
  }
  const Absence& a = flight->plan.absences[at];
  auto answer = [weak = weak_from_this(), strand = strand_, flight, at](Result<> gone) {
    strand->post([weak, flight, at, gone = std::move(gone)] {
      if (auto self = weak.lock(); self && !self->stopped_) self->verified(flight, at, gone);
    });
  };
  if (a.name.empty()) {
    client::ListOptions o;
    o.ns = a.ns;
    o.limit = 1;
    client_.list(*a.info, std::move(o), [answer](Result<client::ListResult> r) {
      if (!r.ok()) return answer(r.status());
      answer(r->items.empty() ? Result<>() : Status::conflict("there is more to delete"));
    });
    return;
  }
  client_.get(*a.info, a.ns, a.name, [answer, uid = a.uid](Result<ObjectPtr> r) {
    if (r.ok())
      return answer(uid.empty() || (*r)->uid() == uid ? Status::conflict("it is still there") : Result<>());
    answer(r.status().isNotFound() ? Result<>() : r.status());
  });
}

void Runner::verified(const std::shared_ptr<Flight>& flight, size_t at, Result<> gone) {
  if (gone.ok()) return verify(flight, at + 1);
  --verifying_;
  flight->failed = true;
  land(*flight);
  schedulePump();
}

void Runner::send(std::vector<Write> batch, std::vector<std::shared_ptr<Flight>> flights) {
  ++inFlight_;
  counters_->writes.fetch_add(batch.size(), std::memory_order_relaxed);
  size_t count = batch.size();
  client_.writeAll(std::move(batch), [weak = weak_from_this(), strand = strand_, flights = std::move(flights),
                                      count](std::vector<Result<ObjectPtr>> results) mutable {
    auto shared = std::make_shared<std::vector<Result<ObjectPtr>>>(std::move(results));
    strand->post([weak, flights, shared, count] {
      auto self = weak.lock();
      if (!self || self->stopped_) return;
      PH_CHECK(shared->size() == count);
      self->answered(flights, std::move(*shared));
    });
  });
}

void Runner::answered(std::vector<std::shared_ptr<Flight>> flights, std::vector<Result<ObjectPtr>> results) {
  --inFlight_;
  size_t at = 0;
  for (auto& flight : flights) {
    for (auto& step : flight->plan.steps)
      if (!stepDone(*flight, step, results[at++])) flight->failed = true;
    settle(flight);
  }
  schedulePump();
}

// False when the key is to be looked at again because of it.
bool Runner::stepDone(Flight& flight, const Step& step, const Result<ObjectPtr>& result) {
  auto& name = static_cast<Controller*>(flight.controller)->spec.name;
  auto tell = [&](const std::optional<Note>& note, const std::string& suffix) {
    if (note)
      recorder_->event(note->about, note->type, note->reason,
                       note->whole ? note->message : note->message + suffix, name);
  };
  if (result.ok()) {
    const ObjectPtr& object = *result;
    if (object) {
      int64_t& r = flight.revisions[object->info().keyPrefix()];
      r = std::max(r, object->revision());
    }
    tell(step.ok, object ? object->name() : std::string());
    return true;
  }
  const Status& status = result.status();
  if (status.isNotFound() && step.write.verb != client::Verb::Create)
    return true;  // gone: its event tells the rest
  if (status.isConflict()) {
    counters_->conflicts.fetch_add(1, std::memory_order_relaxed);
    PH_LOG(Debug, "controllers", "{}: {}: {}", name, flight.key, status.message);
  } else {
    counters_->failures.fetch_add(1, std::memory_order_relaxed);
    PH_LOG(Warn, "controllers", "{}: {}: {} {}", name, flight.key, status.reason, status.message);
    tell(step.failed, status.message);
    if (flight.error.empty()) flight.error = status.message;
  }
  return false;
}

// The flight lands when the reflectors have seen all that it wrote.
void Runner::settle(const std::shared_ptr<Flight>& flight) {
  for (auto& [prefix, revision] : flight->revisions) {
    auto it = kinds_.find(prefix);
    if (it == kinds_.end() || !it->second.reflector || it->second.reflector->revision() >= revision) continue;
    ++flight->unseen;
    it->second.waiting.emplace(revision, flight);
  }
  if (flight->unseen == 0) return land(*flight);
  strand_
      ->after(options_.settleLimit,
              [weak = weak_from_this(), weakFlight = std::weak_ptr(flight)] {
                auto self = weak.lock();
                auto f = weakFlight.lock();
                if (self && f && !self->stopped_ && !f->landed) self->land(*f);
              })
      .detach();
}

void Runner::seen(KindState& kind) {
  int64_t revision = kind.reflector->revision();
  while (!kind.waiting.empty() && kind.waiting.begin()->first <= revision) {
    auto flight = kind.waiting.begin()->second;
    kind.waiting.erase(kind.waiting.begin());
    if (--flight->unseen == 0 && !flight->landed) land(*flight);
  }
}

void Runner::land(Flight& flight) {
  flight.landed = true;
  auto& c = *static_cast<Controller*>(flight.controller);
  if (flight.failed) {
    if (!flight.error.empty()) c.lastError[flight.key] = flight.error;
    c.queue->addRateLimited(flight.key);
  } else {
    for (auto& note : flight.plan.notes)
      recorder_->event(note.about, note.type, note.reason, note.message, c.spec.name);
    c.lastError.erase(flight.key);
    c.queue->forget(flight.key);
    if (flight.plan.again) c.queue->addAfter(flight.key, *flight.plan.again);
  }
  c.queue->done(flight.key);
}

// Compares the clocks: when they disagree, or the tick comes late, this machine slept, or its clock was set,
// or we were kept from running. Whoever was silent meanwhile gets a whole new grace.
void Runner::tick() {
  if (stopped_) return;
  Moment moment = now();
  Duration mono = moment.mono - lastTick_.mono;
  Duration wall = moment.wall - lastTick_.wall;
  Duration apart = mono > wall ? mono - wall : wall - mono;
  if (mono > options_.tick + options_.tickSlack || apart > options_.tickSlack) {
    counters_->clockJumps.fetch_add(1, std::memory_order_relaxed);
    PH_LOG(
        Warn, "controllers",
        "clock jump or pause: {} ms by the wall, {} ms by the monotonic clock; nobody is judged for a while",
        wall / std::chrono::milliseconds(1), mono / std::chrono::milliseconds(1));
    snapshot_.setSteadySince(moment.mono);
    // A machine that slept: what was planned for a time of day (a CronJob, a deadline) may be due.
    for (auto& c : controllers_) c->queue->hurry();
  }
  lastTick_ = moment;
  if (++ticks_ % 5 == 0) scanRegistry();
  ticker_ = strand_->after(options_.tick, [weak = weak_from_this()] {
    if (auto self = weak.lock()) self->tick();
  });
}

}  // namespace ph::controllers
