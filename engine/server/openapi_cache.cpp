#include "engine/server/openapi_cache.h"

#include <algorithm>

namespace ph::server {
namespace {
constexpr auto kIdle = std::chrono::minutes(2);
// While kinds keep changing, making documents takes a part of one thread only, and what is answered may be this old.
constexpr int kRest = 1;  // times as long as making them took
constexpr Duration kLongestRest = std::chrono::seconds(5);
}

OpenApiCache::OpenApiCache(std::shared_ptr<api::Registry> registry, std::shared_ptr<Executor> executor)
    : registry_(std::move(registry)), executor_(std::move(executor)) {}

std::shared_ptr<const api::OpenApi> OpenApiCache::get() {
  auto kinds = registry_->all();
  std::lock_guard lock(mutex_);
  auto begun = executor_->monoNow();
  if (!documents_ || (kinds != kinds_ && begun >= restUntil_)) {
    documents_ = std::make_shared<const api::OpenApi>(api::makeOpenApi(*registry_, "v1.32.0+pilothouse"));
    kinds_ = std::move(kinds);
    auto done = executor_->monoNow();
    restUntil_ = done + std::min<Duration>((done - begun) * kRest, kLongestRest);
  }
  idle_ = executor_->after(kIdle, [weak = weak_from_this()] {
    auto self = weak.lock();
    if (!self) return;
    std::lock_guard lock(self->mutex_);
    self->documents_.reset();
  });
  return documents_;
}

}  // namespace ph::server
