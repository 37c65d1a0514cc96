#include "engine/client/reflector.h"

#include <algorithm>

#include "engine/base/log.h"

namespace ph::client {

namespace {
// After so many watches in a row that brought nothing, the revision itself is doubted (a store put back from
// a backup).
constexpr int kFailuresBeforeList = 5;
// A watch that held this long was a good one, even when nothing happened on it.
constexpr Duration kGoodWatch = std::chrono::seconds(10);
}  // namespace

std::shared_ptr<Reflector> Reflector::start(Client& client, const ResourceInfo& info,
                                            std::shared_ptr<Executor> strand, Options options,
                                            Handlers handlers) {
  auto self = std::make_shared<Reflector>(Private{}, client, info, std::move(strand), std::move(options),
                                          std::move(handlers));
  self->strand_->post([weak = std::weak_ptr(self)] {
    if (auto s = weak.lock(); s && !s->stopped_) s->beginList();
  });
  return self;
}

Reflector::Reflector(Private, Client& client, const ResourceInfo& info, std::shared_ptr<Executor> strand,
                     Options options, Handlers handlers)
    : client_(client),
      info_(info),
      strand_(std::move(strand)),
      options_(std::move(options)),
      handlers_(std::move(handlers)) {}

Reflector::~Reflector() = default;

void Reflector::stop() {
  if (stopped_.exchange(true)) return;
  connected_ = false;
  // The watch is dropped on the strand: nothing else touches it there.
  strand_->post([self = shared_from_this()] {
    ++self->epoch_;
    self->watch_.reset();
    self->timer_.cancel();
    self->listed_.clear();
    self->handlers_ = {};
  });
}

ObjectMap Reflector::snapshot() const {
  std::lock_guard lock(mutex_);
  return objects_;
}

ObjectPtr Reflector::get(std::string_view key) const {
  std::lock_guard lock(mutex_);
  return objects_.get(key);
}

std::string Reflector::lastError() const {
  std::lock_guard lock(mutex_);
  return error_;
}

void Reflector::setConnected(bool up) {
  if (connected_.exchange(up) == up) return;
  if (handlers_.onConnected) handlers_.onConnected(up);
}

void Reflector::fail(const std::string& why) {
  {
    std::lock_guard lock(mutex_);
    if (error_ == why) return;
    error_ = why;
  }
  if (why.empty()) return;
  // Streams end in the best of houses; one that does not come back is worth a word.
  if (failures_ > 1)
    PH_LOG(Warn, "reflector", "{}: {}", info_.groupResource(), why);
  else
    PH_LOG(Debug, "reflector", "{}: {}", info_.groupResource(), why);
}

void Reflector::retry(bool listAgain, const std::string& why) {
  ++epoch_;
  watch_.reset();
  listed_.clear();
  setConnected(false);
  fail(why);
  Duration delay = options_.minBackoff * (int64_t(1) << std::min(failures_, 16));
  delay = std::min(delay, options_.maxBackoff);
  delay += Duration(int64_t(double(delay.count()) * 0.5 * strand_->random().unit()));
  ++failures_;
  timer_ = strand_->after(delay, [weak = weak_from_this(), epoch = epoch_, listAgain] {
    auto self = weak.lock();
    if (!self || !self->current(epoch)) return;
    listAgain || !self->synced_ ? self->beginList() : self->beginWatch();
  });
}

void Reflector::beginList() {
  ++epoch_;
  watch_.reset();
  listed_.clear();
  listPage({});
}

void Reflector::listPage(std::string token) {
  ListOptions o;
  o.ns = options_.ns;
  o.labelSelector = options_.labelSelector;
  o.fieldSelector = options_.fieldSelector;
  o.limit = options_.pageSize;
  o.continueToken = std::move(token);
  client_.list(info_, std::move(o),
               [weak = weak_from_this(), strand = strand_, epoch = epoch_](Result<ListResult> page) mutable {
                 auto shared = std::make_shared<Result<ListResult>>(std::move(page));
                 strand->post([weak, epoch, shared] {
                   if (auto self = weak.lock()) self->onPage(epoch, std::move(*shared));
                 });
               });
}

void Reflector::onPage(uint64_t epoch, Result<ListResult> page) {
  if (!current(epoch)) return;
  if (!page.ok()) return retry(true, "list: " + page.status().message);
  for (auto& item : page->items) listed_.push_back(std::move(item));
  if (listed_.size() > options_.maxObjects)
    return retry(true,
                 "more than " + std::to_string(options_.maxObjects) + " objects: the limit of this cache");
  if (!page->continueToken.empty()) return listPage(std::move(page->continueToken));
  replaceAll(std::exchange(listed_, {}), page->revision);
}

// The difference to what was known becomes changes, in key order.
void Reflector::replaceAll(std::vector<ObjectPtr> items, int64_t revision) {
  std::vector<std::pair<std::string, ObjectPtr>> now;
  now.reserve(items.size());
  for (auto& item : items) now.emplace_back(item->key(), std::move(item));
  std::sort(now.begin(), now.end(), [](auto& a, auto& b) { return a.first < b.first; });
  std::vector<Change> changes;
  {
    std::lock_guard lock(mutex_);
    ObjectMap before = objects_;
    auto old = before.begin();
    auto gone = [&](const ObjectMap::Iterator& it) {
      changes.push_back({it->second, nullptr});
      objects_.erase(it->first);
    };
    for (auto& [key, object] : now) {
      while (old != before.end() && old->first < key) gone(old++);
      if (old != before.end() && old->first == key) {
        if (old->second->revision() != object->revision()) {
          changes.push_back({old->second, object});
          objects_.assign(key, object);
        }
        ++old;
      } else {
        changes.push_back({nullptr, object});
        objects_.assign(key, object);
      }
    }
    while (old != before.end()) gone(old++);
  }
  revision_.store(revision, std::memory_order_release);
  auto keep = shared_from_this();
  if (!changes.empty() && handlers_.onChanges) handlers_.onChanges(changes);
  if (!stopped_ && !synced_.exchange(true) && handlers_.onSynced) handlers_.onSynced();
  if (!stopped_) beginWatch();
}

void Reflector::beginWatch() {
  ++epoch_;
  watch_.reset();
  WatchOptions o;
  o.ns = options_.ns;
  o.labelSelector = options_.labelSelector;
  o.fieldSelector = options_.fieldSelector;
  o.revision = revision_;
  watchBegan_ = strand_->monoNow();
  auto weak = weak_from_this();
  watch_ = client_.watch(
      info_, std::move(o),
      [weak, strand = strand_, epoch = epoch_, pending = pending_,
       limit = options_.maxPending](std::vector<WatchEvent> events) {
        size_t waiting = pending->fetch_add(events.size()) + events.size();
        if (waiting > limit) {
          pending->fetch_sub(events.size());
          strand->post([weak, epoch] {
            auto self = weak.lock();
            if (self && self->current(epoch))
              self->retry(true, "events came faster than they could be handled");
          });
          return;
        }
        strand->post(
            [weak, epoch, pending, batch = std::make_shared<std::vector<WatchEvent>>(std::move(events))] {
              pending->fetch_sub(batch->size());
              if (auto self = weak.lock()) self->onEvents(epoch, std::move(*batch));
            });
      },
      [weak, strand = strand_, epoch = epoch_](Status status) {
        strand->post([weak, epoch, status = std::move(status)] {
          if (auto self = weak.lock()) self->onEnd(epoch, status);
        });
      });
  setConnected(true);
}

void Reflector::onEvents(uint64_t epoch, std::vector<WatchEvent> events) {
  if (!current(epoch) || events.empty()) return;
  std::vector<Change> changes;
  int64_t revision = revision_;
  size_t size;
  {
    std::lock_guard lock(mutex_);
    for (auto& e : events) {
      revision = std::max(revision, e.revision ? e.revision : e.object ? e.object->revision() : 0);
      if (e.type == EventType::Bookmark || !e.object) continue;
      std::string key = e.object->key();
      if (e.type == EventType::Deleted) {
        if (auto old = objects_.erase(key)) changes.push_back({std::move(*old), nullptr});
      } else {
        auto old = objects_.assign(std::move(key), e.object);
        changes.push_back({old ? std::move(*old) : nullptr, std::move(e.object)});
      }
    }
    size = objects_.size();
  }
  revision_.store(revision, std::memory_order_release);
  failures_ = 0;
  fail({});
  auto keep = shared_from_this();
  if (!changes.empty() && handlers_.onChanges) handlers_.onChanges(changes);
  if (!stopped_ && size > options_.maxObjects && current(epoch))
    retry(true, "more than " + std::to_string(options_.maxObjects) + " objects: the limit of this cache");
}

void Reflector::onEnd(uint64_t epoch, const Status& status) {
  if (!current(epoch)) return;
  if (strand_->monoNow() - watchBegan_ >= kGoodWatch) failures_ = 0;
  if (status.isGone()) return retry(true, {});
  retry(failures_ >= kFailuresBeforeList,
        status.message.empty() ? "watch ended" : "watch: " + status.message);
}

}  // namespace ph::client
