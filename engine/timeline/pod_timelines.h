// PodTimelines: the ten steps of each pod, from the request that caused it to its being in service, as the engine saw them.
// It only watches; nothing waits for it. The last 2,000 pods are kept, those that have gone too.
// Threads: all calls from any thread; the work is done on a strand. Answers come on the strand.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/executor.h"
#include "engine/client/client.h"

namespace ph::timeline {

// When a write was asked for and when it was durable.
struct Written {
  MonoTime asked{}, durable{};
};
// By the revision that the write got; nullopt when it is no longer known.
using WrittenAt = std::function<std::optional<Written>(int64_t revision)>;

class PodTimelines {
 public:
  virtual ~PodTimelines() = default;  // stops
  // `client` must outlive the executor's last task of this.
  static std::unique_ptr<PodTimelines> start(client::Client& client, std::shared_ptr<Executor> executor, WrittenAt writtenAt);
  virtual void stop() = 0;
  // PodTimeline objects (pilothouse.io/v1) of a namespace (empty: all), or the one of this name.
  virtual void read(std::string ns, std::string name, std::function<void(Result<std::vector<api::Json>>)> done) = 0;
};

}  // namespace ph::timeline
