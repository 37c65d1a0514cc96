#include "engine/cache/history_fill.h"

#include <algorithm>

#include "engine/api/restore.h"
#include "engine/base/log.h"

namespace ph::cache {

void HistoryFill::start(const std::shared_ptr<Core>& core) {
  auto fill = std::make_shared<HistoryFill>();
  fill->core_ = core;
  core->executor()->post([fill] { fill->begin(); });
}

void HistoryFill::begin() {
  auto core = core_.lock();
  if (!core) return;
  core->withStore([&](store::Store& store) {
    floor_ = std::max(store.compactedRevision(), core->openedAt() - kMaxRevisions);
  });
  at_ = floor_;
  step();
}

void HistoryFill::step() {
  auto core = core_.lock();
  if (!core) return;
  int read = 0;
  bool more = false;
  bool open = core->withStore([&](store::Store& store) {
    auto result = store.history(at_, [&](store::Record record) {
      if (record.revision > core->openedAt()) return false;
      at_ = record.revision;
      add(*core, store, record);
      more = ++read == kRecordsAStep;
      return !more;
    });
    if (result.ok()) return;
    // Compacted meanwhile: what was read up to there is of no use.
    PH_LOG(Warn, "cache", "reading history: {}", result.status().message);
    events_.clear();
    floor_ = core->openedAt();
    more = false;
  });
  if (open && more)
    core->executor()->post([self = shared_from_this()] { self->step(); });
  else
    core->historyFilled(std::move(events_), floor_);
}

void HistoryFill::add(Core& core, store::Store& store, const store::Record& record) {
  const ResourceInfo* info = nullptr;
  std::string_view rest;
  Kind* kind = core.kindOfKey(record.key, &rest, &info);
  if (!kind) return;
  ObjectPtr old = before(store, record, info);
  ObjectPtr object;
  if (record.value) {
    auto parsed = api::restoreObject(info, *record.value, record.revision);
    if (parsed.ok()) object = std::move(*parsed);
  } else if (old) {
    object = old->at(record.revision);
  }
  known_[record.key] = record.value ? object : nullptr;
  if (!object) return;
  EventType type = !record.value ? EventType::Deleted : old ? EventType::Modified : EventType::Added;
  events_[kind].push_back(
      std::make_shared<const Event>(Event{type, record.revision, std::move(object), std::move(old)}));
}

ObjectPtr HistoryFill::before(store::Store& store, const store::Record& record, const ResourceInfo* info) {
  if (auto it = known_.find(record.key); it != known_.end()) return it->second;
  if (record.revision - 1 < floor_) return nullptr;
  auto earlier = store.recordAt(record.key, record.revision - 1);
  if (!earlier.ok() || !*earlier || !(*earlier)->value) return nullptr;
  auto parsed = api::restoreObject(info, *(*earlier)->value, (*earlier)->revision);
  return parsed.ok() ? std::move(*parsed) : nullptr;
}

}  // namespace ph::cache
