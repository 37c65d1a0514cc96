// LogKeeper: turns the logs of running containers over when they are large: 10 MB each, five of them.
// Threads: the node's strand; files are looked at on `blocking`.
#pragma once

#include <memory>
#include <string>

#include "agents/pods/node_context.h"
#include "agents/pods/pod_manager.h"

namespace ph::agents {

class LogKeeper : public std::enable_shared_from_this<LogKeeper> {
 public:
  LogKeeper(std::shared_ptr<NodeContext> node, std::shared_ptr<Executor> blocking, std::shared_ptr<PodManager> pods, uint64_t maxBytes = 10 << 20, int maxFiles = 5);
  void start();
  void look();  // now

 private:
  std::shared_ptr<NodeContext> node_;
  std::shared_ptr<Executor> blocking_;
  std::weak_ptr<PodManager> pods_;
  const uint64_t maxBytes_;
  const int maxFiles_;
  Timer timer_;
};

// Moves FILE to FILE.1, FILE.1 to FILE.2... and drops what is beyond `keep` files. Blocking.
void turnOver(const std::string& file, int keep);
// The path of a container's log.
std::string containerLog(const ConfigContext& config, const api::Object& pod, const std::string& container, uint32_t attempt);

}  // namespace ph::agents
