// The OpenAPI documents of the registry: made when asked for, made anew when kinds came or went, let go when nobody asks.
// Threads: any.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "engine/api/openapi.h"
#include "engine/base/executor.h"

namespace ph::server {

class OpenApiCache : public std::enable_shared_from_this<OpenApiCache> {
 public:
  OpenApiCache(std::shared_ptr<api::Registry> registry, std::shared_ptr<Executor> executor);
  std::shared_ptr<const api::OpenApi> get();

 private:
  std::shared_ptr<api::Registry> registry_;
  std::shared_ptr<Executor> executor_;
  std::mutex mutex_;
  std::vector<const api::ResourceInfo*> kinds_;
  std::shared_ptr<const api::OpenApi> documents_;
  MonoTime restUntil_{};
  Timer idle_;
};

}  // namespace ph::server
