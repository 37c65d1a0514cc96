// WatchSession: one client's watch: the state at the start when it asked for it, then live events, bookmarks, an end.
// It keeps itself alive until the client leaves, the time is up, or the client is too slow (bounded by what it has buffered).
// Threads: start() on any thread; then driven by net threads and the cache's executor.
#pragma once

#include <memory>
#include <mutex>

#include "engine/net/http.h"
#include "engine/server/event_encoder.h"
#include "engine/server/metrics.h"
#include "engine/server/reads.h"

namespace ph::server {

// Turns a cache event into what a watcher with this filter sees; nullopt: nothing.
std::optional<std::pair<Seen, ObjectPtr>> seenBy(const Filter& filter, const cache::Event& event);

// Lets the cache pick the events of watchers that want one node's pods, instead of every watcher looking at every event.
void indexWatch(const Core& core, const Filter& filter, cache::WatchRequest& watch);

class WatchSession : public std::enable_shared_from_this<WatchSession> {
 public:
  WatchSession(std::shared_ptr<Core> core, std::shared_ptr<EventEncoder> encoder,
               std::shared_ptr<Metrics> metrics, ApiRequest request, Media media,
               std::shared_ptr<net::Responder> responder);
  // Checks the request and begins the answer; a Status when it can't be watched (nothing was sent).
  Result<> start();

 private:
  Result<> choose();
  void pump();
  bool pumpSome();
  void goLive();
  void deliver(std::vector<cache::EventPtr> events);
  void scheduleBookmark();
  void sendBookmark();
  void timeUp();
  void finish(std::string lastLine);
  void giveUp();
  void closed();

  std::shared_ptr<Core> core_;
  std::shared_ptr<EventEncoder> encoder_;
  std::shared_ptr<Metrics> metrics_;
  ApiRequest request_;
  const ResourceInfo* stored_;  // the entry that the objects are kept under
  Media media_;
  std::shared_ptr<net::Responder> responder_;
  std::shared_ptr<EncodedRing> ring_;
  Filter filter_;
  cache::KindSnapshot initial_;
  bool sendInitial_ = false, markEnd_ = false;
  std::string nextKey_, prefix_;
  std::atomic<int> pumping_{0};
  bool initialDone_ = false;  // touched by the one that pumps

  std::mutex order_;  // events and bookmarks go out one after the other
  int64_t seen_ = 0;  // all events up to here were delivered; under order_ once live
  std::mutex mutex_;
  bool closed_ = false;
  std::unique_ptr<cache::WatchHandle> handle_;
  Timer deadline_, bookmark_;
};

}  // namespace ph::server
