#include "engine/server/openapi_cache.h"

namespace ph::server {
namespace {
constexpr auto kIdle = std::chrono::minutes(2);
}

OpenApiCache::OpenApiCache(std::shared_ptr<api::Registry> registry, std::shared_ptr<Executor> executor)
    : registry_(std::move(registry)), executor_(std::move(executor)) {}

std::shared_ptr<const api::OpenApi> OpenApiCache::get() {
  auto kinds = registry_->all();
  std::lock_guard lock(mutex_);
  if (!documents_ || kinds != kinds_) {
    documents_ = std::make_shared<const api::OpenApi>(api::makeOpenApi(*registry_, "v1.32.0+pilothouse"));
    kinds_ = std::move(kinds);
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
