#include "engine/cache/core.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/api/restore.h"
#include "engine/base/log.h"
#include "engine/cache/history_fill.h"

namespace ph::cache {
namespace {

using namespace std::chrono_literals;

constexpr Duration kHousekeeping = 15s;
constexpr Duration kEventAge = 60s;
constexpr Duration kSnapshotAge = 5min;
constexpr Duration kHistoryAge = 5min;
constexpr int64_t kHistoryRevisions = 50000;
constexpr int64_t kWorthCompacting = 1000;  // fewer are left for later

Status closed() {
  return Status::unavailable("the engine is stopping");
}

// "/registry/GROUP/PLURAL/" of a store key; empty when it has another form.
std::string_view prefixOf(std::string_view key) {
  constexpr std::string_view kRoot = "/registry/";
  if (!key.starts_with(kRoot)) return {};
  size_t group = key.find('/', kRoot.size());
  size_t plural = group == key.npos ? key.npos : key.find('/', group + 1);
  return plural == key.npos ? std::string_view{} : key.substr(0, plural + 1);
}

const ResourceInfo* infoOf(const api::Registry& registry, std::string_view prefix) {
  prefix.remove_prefix(std::string_view("/registry/").size());
  prefix.remove_suffix(1);
  size_t slash = prefix.find('/');
  std::string_view group = prefix.substr(0, slash);
  return registry.storage(group == "core" ? std::string_view{} : group, prefix.substr(slash + 1));
}

}  // namespace

Core::Core(store::Store* store, std::shared_ptr<api::Registry> registry, std::shared_ptr<Executor> executor)
    : store_(store), registry_(std::move(registry)), executor_(std::move(executor)) {}

Result<> Core::load() {
  openedAt_ = store_->revision();
  revision_ = published_ = openedAt_;
  std::optional<Status> failure;
  PH_TRY(store_->load([&](store::Record record) { restore(std::move(record), failure); }));
  // Going on without it could take a part of the cluster for gone, and garbage-collect what belongs to it.
  if (failure) return *failure;
  // Held as long as the store is: its last callbacks come after the cache has gone.
  store_->afterEachCommit([self = shared_from_this()] { self->afterCommit(); });
  return {};
}

void Core::restore(store::Record record, std::optional<Status>& failure) {
  if (failure) return;
  std::string_view prefix = prefixOf(record.key);
  if (prefix.empty()) {
    PH_LOG(Warn, "cache", "the store holds {}, which names no object", record.key);
    return;
  }
  const ResourceInfo* info = nullptr;
  std::string_view rest;
  Kind* kind = kindOfKey(record.key, &rest, &info);
  if (!kind) {
    unknown_[std::string(prefix)].push_back(std::move(record));
    return;
  }
  auto object = api::restoreObject(info, *record.value, record.revision);
  if (object.ok())
    kind->restore(std::move(*object));
  else
    failure = Status::internal(
        fmt::format("{} in the store can't be read: {}", record.key, object.status().message));
}

Kind& Core::kind(const ResourceInfo& info) {
  {
    std::shared_lock lock(kindsMutex_);
    if (auto it = byInfo_.find(&info); it != byInfo_.end()) return *it->second;
  }
  std::string prefix = info.keyPrefix();
  std::unique_lock lock(kindsMutex_);
  auto& kind = kinds_[prefix];
  if (!kind) {
    kind = std::make_unique<Kind>(prefix, openedAt_, revision_, executor_);
    adopt(*kind, info);
  }
  byInfo_[&info] = kind.get();
  return *kind;
}

// Objects that were loaded before the registry knew their kind.
void Core::adopt(Kind& kind, const ResourceInfo& info) {
  auto it = unknown_.find(kind.prefix());
  if (it == unknown_.end()) return;
  const ResourceInfo* storage = infoOf(*registry_, kind.prefix());
  for (auto& record : it->second) {
    auto object = api::restoreObject(storage ? storage : &info, *record.value, record.revision);
    if (object.ok())
      kind.restore(std::move(*object));
    else
      PH_LOG(Error, "cache", "{} in the store can't be read: {}", record.key, object.status().message);
  }
  unknown_.erase(it);
}

Kind* Core::kindOfKey(std::string_view key, std::string_view* rest, const ResourceInfo** info) {
  std::string_view prefix = prefixOf(key);
  if (prefix.empty()) return nullptr;
  *rest = key.substr(prefix.size());
  *info = infoOf(*registry_, prefix);
  return *info ? &kind(**info) : nullptr;
}

void Core::close() {
  std::unique_lock lock(gate_);
  timer_.cancel();
  store_ = nullptr;
}

void Core::mutateAll(std::vector<Mutation> mutations) {
  std::vector<store::Txn> txns;
  txns.reserve(mutations.size());
  for (auto& mutation : mutations) {
    Kind& k = kind(*mutation.info);
    if (!k.enter(mutation)) continue;
    if (auto txn = decide(k, std::move(mutation))) txns.push_back(std::move(*txn));
  }
  submit(std::move(txns));
}

std::optional<store::Txn> Core::decide(Kind& kind, Mutation mutation) {
  ObjectPtr current = kind.get(mutation.key);
  Result<Decision> decided = mutation.decide(current);
  mutation.decide = nullptr;  // what it captured is no longer needed
  auto end = [&](Result<ObjectPtr> result) {
    finish(kind, std::move(mutation), std::move(result));
    return std::nullopt;
  };
  if (!decided.ok()) return end(std::move(decided).status());
  if (decided->kind == Decision::Kind::NoChange) return end(std::move(current));
  bool remove = decided->kind == Decision::Kind::Delete;
  if (remove && !current) return end(Status::notFound(mutation.key + " does not exist"));
  if (!remove && !decided->object) return end(Status::internal("nothing to store for " + mutation.key));

  store::Op op;
  op.key = kind.prefix() + mutation.key;
  op.expected = current ? current->revision() : 0;
  // The object's own bytes, kept alive by it.
  if (!remove) op.value = std::shared_ptr<const std::string>(decided->object, &decided->object->stored());
  store::Txn txn;
  txn.ops.push_back(std::move(op));
  auto pending =
      std::make_shared<Pending>(Pending{&kind, std::move(mutation), std::move(*decided), std::move(current)});
  txn.done = [self = shared_from_this(), pending](Result<std::vector<int64_t>> result) {
    self->committed(std::move(*pending), std::move(result));
  };
  return txn;
}

void Core::submit(std::vector<store::Txn> txns) {
  if (txns.empty()) return;
  if (withStore([&](store::Store& store) { store.commitAll(std::move(txns)); })) return;
  for (auto& txn : txns) txn.done(closed());
}

// On the store's thread, in revision order.
void Core::committed(Pending pending, Result<std::vector<int64_t>> result) {
  Kind& kind = *pending.kind;
  if (!result.ok()) {
    if (result.status().code == 503)
      withStore([&](store::Store& s) {
        if (!s.health().ok()) readOnly_ = true;
      });
    return finish(kind, std::move(pending.mutation), std::move(result).status());
  }
  int64_t revision = result->front();
  ObjectPtr object;
  if (pending.decision.kind == Decision::Kind::Put)
    object = kind.put(pending.mutation.key, pending.decision.object, revision);
  else
    object = kind.remove(pending.mutation.key,
                         pending.decision.object ? pending.decision.object : pending.current, revision);
  published_.store(revision, std::memory_order_release);
  committed_.push_back({&kind, std::move(pending.mutation), std::move(object)});
}

// Watchers are set going first: they have the longer way, and an answer takes its time to make.
void Core::afterCommit() {
  for (auto& each : committed_) each.kind->hub()->pass();  // the first of a kind passes on what all of them have published
  for (auto& [kind, mutation, object] : committed_) finish(*kind, std::move(mutation), std::move(object));
  committed_.clear();
}

// Answers, and gives the key to the next write in line: on the executor, for its decision may be long.
void Core::finish(Kind& kind, Mutation mutation, Result<ObjectPtr> result) {
  if (mutation.done) mutation.done(std::move(result));
  auto next = kind.leave(mutation.key);
  if (!next) return;
  auto shared = std::make_shared<Mutation>(std::move(*next));
  executor_->post([self = shared_from_this(), &kind, shared] { self->runNext(kind, std::move(*shared)); });
}

void Core::runNext(Kind& kind, Mutation mutation) {
  std::vector<store::Txn> txns;
  if (auto txn = decide(kind, std::move(mutation))) txns.push_back(std::move(*txn));
  submit(std::move(txns));
}

Result<> Core::checkWatch(Kind& kind, int64_t after) const {
  // A revision of another store, or of this one before an older copy was put back.
  if (after > revision())
    return Status::expired(
        fmt::format("The resourceVersion {} is too large (the newest is {}); list again", after, revision()));
  if (after >= kind.floor() || (kind.canFill() && after >= openedAt_ - kHistoryRevisions)) return {};
  return Status::expired(fmt::format("The resourceVersion {} is too old; list again", after));
}

void Core::beginWatch(const std::shared_ptr<Watcher>& watcher) {
  Kind& k = kind(*watcher->request().info);
  if (watcher->request().after < k.floor()) {
    std::unique_lock lock(fillMutex_);
    if (fill_ != FillState::Done) {
      waiting_.push_back(watcher);
      bool first = std::exchange(fill_, FillState::Running) == FillState::Never;
      lock.unlock();
      if (first) HistoryFill::start(shared_from_this());
      return;
    }
  }
  k.attach(watcher);
}

void Core::historyFilled(std::map<Kind*, std::vector<EventPtr>> events, int64_t floor) {
  std::vector<Kind*> all;
  {
    std::shared_lock lock(kindsMutex_);
    for (auto& [prefix, kind] : kinds_) all.push_back(kind.get());
  }
  for (auto* kind : all) kind->fill(std::move(events[kind]), floor);
  std::vector<std::shared_ptr<Watcher>> waiting;
  {
    std::lock_guard lock(fillMutex_);
    fill_ = FillState::Done;
    waiting.swap(waiting_);
  }
  for (auto& watcher : waiting) kind(*watcher->request().info).attach(watcher);
}

void Core::start() {
  withStore([&](store::Store&) {
    timer_ = executor_->after(kHousekeeping, [weak = weak_from_this()] {
      if (auto self = weak.lock()) self->housekeeping();
    });
  });
}

void Core::housekeeping() {
  MonoTime now = executor_->monoNow();
  std::vector<Kind*> all;
  {
    std::shared_lock lock(kindsMutex_);
    for (auto& [prefix, kind] : kinds_) all.push_back(kind.get());
  }
  for (auto* kind : all) kind->expire(now - kEventAge, now - kSnapshotAge);
  compactIfDue();
  start();
}

void Core::compactIfDue() {
  MonoTime now = executor_->monoNow();
  int64_t newest = revision();
  marks_.emplace_back(now, newest);
  int64_t target = newest - kHistoryRevisions;
  auto young =
      std::find_if(marks_.begin(), marks_.end(), [&](auto& mark) { return mark.first > now - kHistoryAge; });
  if (young != marks_.begin()) {
    target = std::max(target, std::prev(young)->second);
    marks_.erase(marks_.begin(), std::prev(young));
  }
  withStore([&](store::Store& store) {
    if (target < store.compactedRevision() + kWorthCompacting || compacting_.exchange(true)) return;
    store.compact(target, [self = shared_from_this()](Result<> result) {
      self->compacting_ = false;
      if (!result.ok() && result.status().code != 503)
        PH_LOG(Warn, "cache", "the store's history stays long: {}", result.status().message);
    });
  });
}

}  // namespace ph::cache
