// Backoff: Kubernetes' doubling wait between attempts at one thing. The first repetition is immediate, then 10 s, 20 s... to
// 5 min; forgotten after twice the maximum without a failure.
// Threads: a plain value.
#pragma once

#include <algorithm>
#include <chrono>

#include "engine/base/time.h"

namespace ph::agents {

struct BackoffLimits {
  Duration initial = std::chrono::seconds(10);
  Duration max = std::chrono::minutes(5);
};

class Backoff {
 public:
  // How long after a failure at `failed` the next attempt has to wait, seen from `now`; zero: it may go at once.
  Duration remaining(MonoTime failed, MonoTime now) const {
    if (wait_ == Duration::zero()) return {};
    auto due = failed + wait_;
    return due > now ? due - now : Duration::zero();
  }
  // An attempt after a failure at `failed` begins.
  void next(MonoTime failed, MonoTime now, const BackoffLimits& limits) {
    if (wait_ != Duration::zero() && failed - last_ > 2 * limits.max) wait_ = {};
    wait_ = wait_ == Duration::zero() ? limits.initial : std::min<Duration>(wait_ * 2, limits.max);
    last_ = now;
  }
  void reset() { wait_ = {}; }
  Duration wait() const { return wait_; }

 private:
  Duration wait_{};
  MonoTime last_{};
};

}  // namespace ph::agents
