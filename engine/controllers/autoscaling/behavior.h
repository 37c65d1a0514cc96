// How fast an autoscaler may follow its metrics: spec.behavior, the memory that it needs, and the bounds that it sets. Source of
// the rules: Kubernetes documents, "Horizontal Pod Autoscaling", configurable scaling behavior.
// Threads: plain values, pure functions.
#pragma once

#include <cstdint>
#include <deque>
#include <string_view>
#include <vector>

#include "engine/api/types/autoscaling_v2.h"
#include "engine/base/time.h"
#include "engine/controllers/autoscaling/replica_count.h"

namespace ph::controllers::autoscaling {

struct Policy {
  bool percent = false;  // else pods
  int64_t value = 0;
  Duration period{};
};

struct Rules {
  enum class Select { Most, Least, Disabled };
  Duration window{};  // of stabilization
  Select select = Select::Most;
  std::vector<Policy> policies;
};

struct Behavior {
  Rules up, down;
  Tolerance tolerance;
};

// Defaults stand where the spec says nothing; its times are kept within what Kubernetes allows (an hour's window, half an hour's
// period).
Behavior behaviorOf(const api::autoscaling_v2::HorizontalPodAutoscalerSpec& spec);

// What an autoscaler wanted and did lately, on the monotonic clock. Bounded: the oldest goes first.
class History {
 public:
  static constexpr size_t kMost = 1000;  // entries of each sort: an hour of looks is 240

  bool empty() const { return wanted_.empty(); }
  void wanted(MonoTime at, int32_t replicas);
  void scaled(MonoTime at, int32_t change);
  // Of what was wanted after `since`, and `also`.
  int32_t least(MonoTime since, int32_t also) const;
  int32_t most(MonoTime since, int32_t also) const;
  // The sum of the changes after `since`.
  int64_t changed(MonoTime since) const;

 private:
  struct Entry {
    MonoTime at{};
    int32_t n = 0;
  };
  static void add(std::deque<Entry>& to, Entry entry, Duration keep);
  std::deque<Entry> wanted_, changes_;
};

struct Bounded {
  int32_t replicas = 0;
  std::string_view reason, message;  // of a condition
};

// Holds `desired` against what was wanted within the windows, then remembers it. reason: ScaleUpStabilized, ScaleDownStabilized or
// ReadyForNewScale (unchanged).
Bounded stabilize(const Behavior& behavior, History& history, int32_t current, int32_t desired, MonoTime now);

// Within least and most, and no faster than the policies allow. reason: TooFewReplicas, TooManyReplicas, ScaleUpLimit,
// ScaleDownLimit or DesiredWithinRange (unchanged).
Bounded limit(const Behavior& behavior, const History& history, int32_t current, int32_t desired, int32_t least, int32_t most,
              MonoTime now);

}  // namespace ph::controllers::autoscaling
