// Fleet: the Machine controller. It reaches machines over SSH, makes each a Node (preflight, packages, agent), carries all
// traffic between engine and agent inside that one SSH connection, and takes machines out again without a trace.
// A few threads do blocking set-up; one more thread polls all sessions; decisions are made on the executor.
// Threads: start() and stop() once each, from one thread; agent() from any.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "engine/base/executor.h"
#include "engine/client/client.h"
#include "engine/client/node_dialer.h"
#include "engine/fleet/credentials.h"
#include "engine/net/net.h"

namespace ph::fleet {

struct Options {
  // Holds pilothouse-agent (this box's architecture, or amd64), pilothouse-agent-amd64, pilothouse-agent-arm64.
  std::string agentDir;
  // Serves a stream that an agent opened to the engine (net::Server::serve); owns the descriptor. Any thread.
  std::function<void(int fd, net::Peer peer)> acceptStream;
  // Looked up on the set-up threads; must outlive the fleet. Null: only identity files and the ssh-agent.
  CredentialStore* credentials = nullptr;
  std::shared_ptr<net::Io> io;  // for the clients that agent() hands out
  int setupThreads = 8;         // machines that can be set up, or taken out, at once
  Duration connectTimeout = std::chrono::seconds(8);
  Duration keepalive = std::chrono::seconds(1);        // look at each session this often; a question every second time
  Duration silence = std::chrono::milliseconds(4500);  // a session that says nothing for so long is dead
  Duration joinTimeout = std::chrono::seconds(90);     // from the agent's start to a ready Node
  Duration podsGoneTimeout = std::chrono::seconds(45); // removal: for pods to end in order
  Duration removalTimeout = std::chrono::seconds(60);  // removal: for a machine that can't be reached
  std::string agentSocket = "/run/pilothouse/agent.sock";    // on the machine: the agent serves here
  std::string engineSocket = "/run/pilothouse/engine.sock";  // on the machine: the engine appears here
};

class Fleet : public client::NodeDialer {
 public:
  // `client` must outlive the fleet.
  static std::unique_ptr<Fleet> make(client::Client& client, std::shared_ptr<Executor> executor, Options options);
  virtual void start() = 0;
  // Closes all sessions; the machines and their pods run on. Waits for set-up threads to let go (a second or two at most).
  virtual void stop() = 0;
};

}  // namespace ph::fleet
