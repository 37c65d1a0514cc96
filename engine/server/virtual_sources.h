// Virtual kinds whose answers come from parts of the engine that the server does not know (scheduler, metrics): the runtime
// names who answers. The server does the rest: selectors, tables, media types, authorization.
// Threads: all calls from any thread. A source is called on any thread and answers once, on any thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <shared_mutex>
#include <string>
#include <vector>

#include "engine/server/api_request.h"

namespace ph::server {

struct VirtualSource {
  // The objects of a namespace (empty: of all, or cluster-scoped); with a name, only that one (or none). Each is a whole tree
  // without apiVersion and kind.
  using Trees = std::vector<Json>;
  std::function<void(std::string ns, std::string name, std::function<void(Result<Trees>)> done)> read;
  // The body fits its schema; the answer is the body with its status.
  std::function<void(std::string ns, Json body, std::function<void(Result<Json>)> done)> create;
};

class VirtualSources {
 public:
  void set(std::string storageGroupKind, VirtualSource source) {
    std::unique_lock lock(mutex_);
    sources_[std::move(storageGroupKind)] = std::make_shared<const VirtualSource>(std::move(source));
  }
  // Before what answers goes away.
  void remove(std::string_view storageGroupKind) {
    std::unique_lock lock(mutex_);
    if (auto it = sources_.find(storageGroupKind); it != sources_.end()) sources_.erase(it);
  }
  std::shared_ptr<const VirtualSource> find(std::string_view storageGroupKind) const {
    std::shared_lock lock(mutex_);
    auto it = sources_.find(storageGroupKind);
    return it == sources_.end() ? nullptr : it->second;
  }

 private:
  mutable std::shared_mutex mutex_;
  std::map<std::string, std::shared_ptr<const VirtualSource>, std::less<>> sources_;
};

}  // namespace ph::server
