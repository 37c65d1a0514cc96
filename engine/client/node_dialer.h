// NodeDialer: the way to a node's agent (logs, exec, port-forward, stats), whatever carries it.
// Threads: any.
#pragma once

#include <memory>
#include <string>

#include "engine/net/net.h"

namespace ph::client {

class NodeDialer {
 public:
  virtual ~NodeDialer() = default;
  // An HTTP client whose requests reach the agent of this node; null when there is no way to it right now.
  virtual std::shared_ptr<net::HttpClient> agent(const std::string& node) = 0;
};

}  // namespace ph::client
