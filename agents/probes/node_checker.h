// NodeChecker: probes as kubelet makes them: HTTP and TCP from the node to the pod's address, commands inside the container.
// Threads: the node's strand.
#pragma once

#include <memory>

#include "agents/os/poller.h"
#include "agents/probes/probe_checker.h"
#include "engine/net/net.h"

namespace ph::agents {

class NodeChecker : public ProbeChecker, public std::enable_shared_from_this<NodeChecker> {
 public:
  NodeChecker(std::shared_ptr<net::Io> io, std::shared_ptr<Executor> strand, std::shared_ptr<Poller> poller, std::shared_ptr<Runtime> runtime);
  void check(const api::core::Probe& probe, const ProbeTarget& target, Done<ProbeOutcome> done) override;
  void hook(const api::core::LifecycleHandler& hook, const ProbeTarget& target, Duration limit, Done<ProbeOutcome> done) override;

 private:
  void http(const api::core::HTTPGetAction& action, const ProbeTarget& target, Duration timeout, Done<ProbeOutcome> done);
  void https(net::Request request, const std::string& endpoint, const std::string& url, Duration timeout, Done<ProbeOutcome> done);
  // Connects, sends `request` when there is one, and hands over the answer's first line.
  void tcp(const std::string& host, int port, std::string request, Duration timeout, std::function<void(Result<std::string>)> done);
  void exec(const std::vector<std::string>& command, const ProbeTarget& target, Duration timeout, Done<ProbeOutcome> done);
  void later(Done<ProbeOutcome> done, ProbeOutcome outcome);

  std::shared_ptr<net::Io> io_;
  std::shared_ptr<Executor> strand_;
  std::shared_ptr<Poller> poller_;
  std::shared_ptr<Runtime> runtime_;
};

// The status code in an answer's first line; 0: it is none. More lenient than a client that must take the whole answer: a probe asks
// only whether the application answers well.
int httpStatusOf(const std::string& firstLine);

// The number of a probe's port, which may be the name of one of the container's; 0: there is no such port.
int probePort(const api::IntOrString& port, const api::core::Container* container);

}  // namespace ph::agents
