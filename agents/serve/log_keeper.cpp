#include "agents/serve/log_keeper.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <chrono>
#include <cstdio>

#include "engine/api/types/core.h"

namespace ph::agents {

std::string containerLog(const ConfigContext& config, const api::Object& pod, const std::string& container, uint32_t attempt) {
  return fmt::format("{}/{}/{}.log", podLogDirectory(config, pod), container, attempt);
}

void turnOver(const std::string& file, int keep) {
  std::remove(fmt::format("{}.{}", file, keep - 1).c_str());
  for (int i = keep - 2; i >= 1; --i) std::rename(fmt::format("{}.{}", file, i).c_str(), fmt::format("{}.{}", file, i + 1).c_str());
  std::rename(file.c_str(), (file + ".1").c_str());
}

LogKeeper::LogKeeper(std::shared_ptr<NodeContext> node, std::shared_ptr<Executor> blocking, std::shared_ptr<PodManager> pods, uint64_t maxBytes, int maxFiles)
    : node_(std::move(node)), blocking_(std::move(blocking)), pods_(pods), maxBytes_(maxBytes), maxFiles_(maxFiles) {}

void LogKeeper::start() {
  std::weak_ptr<LogKeeper> weak = weak_from_this();
  timer_ = node_->strand->after(std::chrono::seconds(10), [weak] {
    if (auto self = weak.lock()) {
      self->look();
      self->start();
    }
  });
}

void LogKeeper::look() {
  auto pods = pods_.lock();
  if (!pods) return;
  std::vector<std::pair<std::string, std::string>> running;  // file, container
  for (auto& [uid, worker] : pods->workers())
    for (auto& view : worker->view().main)
      if (view.running()) running.emplace_back(containerLog(node_->config, *worker->pod(), view.current->name, view.current->attempt), view.current->id);
  if (running.empty()) return;
  std::weak_ptr<LogKeeper> weak = weak_from_this();
  blocking_->post([weak, node = node_, running = std::move(running), maxBytes = maxBytes_, maxFiles = maxFiles_] {
    for (auto& [file, container] : running) {
      struct stat st{};
      if (::stat(file.c_str(), &st) != 0 || uint64_t(st.st_size) < maxBytes) continue;
      turnOver(file, maxFiles);
      node->strand->post([node, container = container] { node->runtime->reopenLog(container, [](Result<>) {}); });
    }
  });
}

}  // namespace ph::agents
