// Watch events as bytes: each is encoded once per media type and shared by all its watchers.
// Threads: all calls from any thread.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <mutex>

#include "engine/net/http.h"
#include "engine/server/core.h"
#include "engine/server/media.h"

namespace ph::server {

// The type that one watcher sees: its selectors may turn a change into an appearance or a disappearance.
enum class Seen : uint8_t { Added, Modified, Deleted, Bookmark, Error };

// Fresh encodings of one kind in one media type.
class EncodedRing {
 public:
  net::Buffer find(int64_t revision, Seen seen);
  void keep(int64_t revision, Seen seen, net::Buffer bytes);

 private:
  struct Slot {
    int64_t revision = 0;
    Seen seen = Seen::Added;
    net::Buffer bytes;
  };
  std::mutex mutex_;
  std::array<Slot, 128> slots_;
};

class EventEncoder {
 public:
  // The ring that all watchers of this kind and media type share (it goes with the last of them).
  std::shared_ptr<EncodedRing> ring(const ResourceInfo& info, const Media& media);

 private:
  std::mutex mutex_;
  std::map<std::pair<const ResourceInfo*, int>, std::weak_ptr<EncodedRing>> rings_;
};

// One event of a watch: a line {"type":...,"object":...}\n, or a frame of protobuf.
void appendEvent(std::string& out, Seen seen, const api::Object& object, const Media& media, WallTime now);
std::string bookmarkLine(const ResourceInfo& info, int64_t revision, const Media& media, bool endOfInitial);  // a frame in protobuf
std::string errorLine(const Status& status, const Media& media);

}  // namespace ph::server
