// AgentServer: what the engine asks a node for: logs, exec, attach, port-forward, proxying into the cluster's network, statistics,
// its pods, its health. HTTP/1.1 and HTTP/2, in clear text on a
// unix socket that only root may open, and with mutual TLS on a port where one is asked for.
// Threads: handle() from any; the work is done on the node's strand.
#pragma once

#include <memory>
#include <string>

#include "agents/pods/node_context.h"
#include "agents/pods/pod_manager.h"
#include "agents/serve/stats.h"
#include "engine/net/net.h"

namespace ph::agents {

class AgentServer : public std::enable_shared_from_this<AgentServer> {
 public:
  AgentServer(std::shared_ptr<net::Io> io, std::shared_ptr<NodeContext> node, std::shared_ptr<Executor> blocking, std::shared_ptr<PodManager> pods, std::string diskFolder);
  void handle(net::Request request, std::shared_ptr<net::Responder> responder);

 private:
  void route(const net::Request& request, const std::shared_ptr<net::Responder>& responder);
  void logs(const std::vector<std::string>& parts, const net::Request& request, const std::shared_ptr<net::Responder>& responder);
  void stream(const std::vector<std::string>& parts, const net::Request& request, const std::shared_ptr<net::Responder>& responder);
  void portForward(const std::vector<std::string>& parts, const net::Request& request, const std::shared_ptr<net::Responder>& responder);
  void proxy(const net::Request& request, const std::shared_ptr<net::Responder>& responder);
  void pods(const std::shared_ptr<net::Responder>& responder);

  const std::shared_ptr<net::Io> io_;
  std::shared_ptr<NodeContext> node_;
  std::shared_ptr<Executor> blocking_;
  std::weak_ptr<PodManager> pods_;
  std::shared_ptr<Stats> stats_;
};

}  // namespace ph::agents
