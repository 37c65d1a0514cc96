#include "engine/server/watch_session.h"

#include <algorithm>

#include "engine/api/convert.h"
#include "engine/server/custom/versions.h"
#include "engine/server/call.h"
#include "engine/server/list_options.h"
#include "engine/server/rbac/node_grants.h"

namespace ph::server {
namespace {

constexpr size_t kInitialWindow = 512 * 1024;      // bytes on their way while the first state is sent
constexpr size_t kChunk = 64 * 1024;
constexpr size_t kSlowWatcher = 16 * 1024 * 1024;  // bytes a client may lag behind
constexpr auto kBookmarkEvery = std::chrono::seconds(55);

}  // namespace

std::optional<std::pair<Seen, ObjectPtr>> seenBy(const Filter& filter, const cache::Event& event) {
  if (filter.empty()) {
    Seen seen = event.type == cache::EventType::Added      ? Seen::Added
                : event.type == cache::EventType::Modified ? Seen::Modified
                                                           : Seen::Deleted;
    return std::pair(seen, event.object);
  }
  bool now = event.type != cache::EventType::Deleted && filter.matches(*event.object);
  bool before = event.old ? filter.matches(*event.old)
                          : event.type == cache::EventType::Deleted && filter.matches(*event.object);
  if (now) return std::pair(before ? Seen::Modified : Seen::Added, event.object);
  if (!before) return std::nullopt;
  // It left this watcher's sight: as it was last seen, at the revision that took it away.
  if (event.type == cache::EventType::Deleted) return std::pair(Seen::Deleted, event.object);
  return std::pair(Seen::Deleted, event.old->at(event.revision));
}

void indexWatch(const Core& core, const Filter& filter, cache::WatchRequest& watch) {
  if (watch.info != core.pods) return;
  auto node = filter.only("spec.nodeName");
  if (node.empty()) return;
  watch.index = nodeNameOf;
  watch.indexValue = node;
}

WatchSession::WatchSession(std::shared_ptr<Core> core, std::shared_ptr<EventEncoder> encoder,
                           std::shared_ptr<Metrics> metrics, ApiRequest request, Media media,
                           std::shared_ptr<net::Responder> responder)
    : core_(std::move(core)),
      encoder_(std::move(encoder)),
      metrics_(std::move(metrics)),
      request_(std::move(request)),
      stored_(core_->registry->stored(*request_.info)),
      media_(media),
      responder_(std::move(responder)) {}

Result<> WatchSession::choose() {
  auto& o = request_.options;
  if (!request_.name.empty()) {
    if (!o.fieldSelector.empty()) o.fieldSelector += ',';
    o.fieldSelector += "metadata.name=" + request_.name;
  }
  PH_ASSIGN(filter_, parseFilter(request_));
  PH_ASSIGN(int64_t asked, parseRevision(o.resourceVersion));
  PH_TRY(checkWatchOptions(o));
  if (int64_t current = core_->cache->revision(); asked > current) return tooLargeRevision(asked, current);
  sendInitial_ = o.sendInitialEvents ? *o.sendInitialEvents : asked == 0;
  markEnd_ = o.sendInitialEvents && *o.sendInitialEvents && o.allowBookmarks;
  prefix_ = request_.ns.empty() ? std::string() : request_.ns + "/";
  nextKey_ = prefix_;
  if (sendInitial_) {
    initial_ = core_->cache->snapshot(*stored_);
    seen_ = initial_.revision;
  } else {
    seen_ = asked ? asked : core_->cache->revision();
  }
  return {};
}

Result<> WatchSession::start() {
  PH_TRY(choose());
  metrics_->watchers(1);
  ring_ = encoder_->ring(*request_.info, media_);
  auto self = shared_from_this();
  responder_->onClose([self] { self->closed(); });
  responder_->onDrain([self] { self->pump(); });
  net::Headers headers;
  headers.add("content-type", std::string(media_.watchContentType()));
  headers.add("cache-control", "no-cache, private");
  if (auto& going = request_.info->deprecation; !going.empty()) headers.add("warning", warningValue(going));
  responder_->begin(200, std::move(headers));
  int64_t seconds = request_.options.timeoutSeconds;
  // Kubernetes ends watches after 30 to 60 minutes, so that clients spread over servers and notice lost connections.
  if (seconds <= 0) seconds = 1800 + int64_t(core_->executor->random().below(1800));
  {
    std::lock_guard lock(mutex_);
    if (!closed_) {
      deadline_ = core_->executor->after(std::chrono::seconds(seconds), [weak = weak_from_this()] {
        if (auto s = weak.lock()) s->timeUp();
      });
    }
  }
  pump();
  return {};
}

// The first state goes out as fast as the client takes it. Calls meet here from several threads: one pumps, the others
// only make it look again.
void WatchSession::pump() {
  if (pumping_.fetch_add(1, std::memory_order_acq_rel) != 0) return;
  int turns = 1;
  do {
    while (!initialDone_ && pumpSome()) {
    }
    turns = pumping_.fetch_sub(turns, std::memory_order_acq_rel) - turns;
  } while (turns > 0);
}

// False: nothing more to do now.
bool WatchSession::pumpSome() {
  if (responder_->buffered() > kInitialWindow) return false;
  std::string out;
  auto now = core_->now();
  auto at = initial_.objects.lowerBound(nextKey_);
  auto end = initial_.objects.end();
  for (; at != end && out.size() < kChunk; ++at) {
    if (!std::string_view(at->first).starts_with(prefix_)) {
      at = end;
      break;
    }
    if (filter_.matches(*at->second)) appendEvent(out, Seen::Added, *api::asVersion(at->second, newest(*core_->registry, *request_.info)), media_, now);
  }
  if (at != end) nextKey_ = at->first;
  bool done = at == end;
  if (done && markEnd_) out += bookmarkLine(*request_.info, seen_, media_, true);
  if (!out.empty()) responder_->write(net::makeBuffer(std::move(out)));
  if (!done) return true;
  initialDone_ = true;
  initial_ = {};
  goLive();
  return false;
}

void WatchSession::goLive() {
  cache::WatchRequest watch;
  watch.info = stored_;
  watch.ns = request_.ns;
  watch.after = seen_;
  indexWatch(*core_, filter_, watch);
  watch.onEvents = [self = shared_from_this()](std::vector<cache::EventPtr> events) { self->deliver(std::move(events)); };
  watch.onEnd = [weak = weak_from_this()](Status status) {
    if (auto self = weak.lock()) self->finish(status.isGone() ? errorLine(status, self->media_) : std::string());
  };
  auto handle = core_->cache->watch(std::move(watch));
  if (!handle.ok()) return finish(errorLine(handle.status(), media_));
  {
    std::lock_guard lock(mutex_);
    if (!closed_) handle_ = std::move(*handle);
  }
  if (request_.options.allowBookmarks) scheduleBookmark();
}

void WatchSession::deliver(std::vector<cache::EventPtr> events) {
  std::lock_guard order(order_);
  for (auto& event : events) {
    auto seen = seenBy(filter_, *event);
    if (!seen) continue;
    auto bytes = ring_->find(event->revision, seen->first);
    if (!bytes) {
      std::string line;
      line.reserve(seen->second->stored().size() + 96);
      appendEvent(line, seen->first, *api::asVersion(seen->second, newest(*core_->registry, *request_.info)), media_, core_->now());
      bytes = net::makeBuffer(std::move(line));
      ring_->keep(event->revision, seen->first, bytes);
    }
    responder_->write(std::move(bytes));
  }
  if (!events.empty()) seen_ = events.back()->revision;
  if (responder_->buffered() > kSlowWatcher) giveUp();
}

void WatchSession::scheduleBookmark() {
  std::lock_guard lock(mutex_);
  if (closed_) return;
  bookmark_ = core_->executor->after(kBookmarkEvery, [weak = weak_from_this()] {
    auto self = weak.lock();
    if (!self) return;
    self->sendBookmark();
    self->scheduleBookmark();
  });
}

// Only once live: before, the client has not seen all up to any revision.
void WatchSession::sendBookmark() {
  std::lock_guard order(order_);
  int64_t revision = seen_;
  {
    std::lock_guard lock(mutex_);
    if (!handle_) return;
    revision = std::max(revision, handle_->progress());
  }
  responder_->write(net::makeBuffer(bookmarkLine(*request_.info, revision, media_, false)));
}

// The client goes on from the last revision there is, not from the last change that concerned it.
void WatchSession::timeUp() {
  if (request_.options.allowBookmarks) sendBookmark();
  finish({});
}

void WatchSession::finish(std::string lastLine) {
  {
    std::lock_guard lock(mutex_);
    if (closed_) return;
  }
  if (!lastLine.empty()) responder_->write(net::makeBuffer(std::move(lastLine)));
  responder_->end();
  closed();
}

// It does not keep up: what waits for it goes, and it begins again from what it has seen.
void WatchSession::giveUp() {
  responder_->abort();
  closed();
}

void WatchSession::closed() {
  std::unique_ptr<cache::WatchHandle> handle;
  {
    std::lock_guard lock(mutex_);
    if (!closed_) metrics_->watchers(-1);
    closed_ = true;
    handle = std::move(handle_);
    deadline_.cancel();
    bookmark_.cancel();
  }
  // The handle goes here, outside the lock: its destructor may wait for nothing, but may call back.
}

}  // namespace ph::server
