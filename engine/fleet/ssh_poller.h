// SshPoller: one thread that serves all joined sessions: keep-alives, and the bridges between channels and local sockets.
// On each machine `pilothouse-agent bridge --listen` brings the agent's connections to the engine, and
// `pilothouse-agent bridge --connect`, started once a connection, takes the engine's to the agent.
// Threads: methods from any; callbacks come on the polling thread and must not block.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "engine/base/result.h"
#include "engine/base/time.h"
#include "engine/fleet/ssh_session.h"

namespace ph::fleet {

struct LinkSpec {
  std::string name;            // for the log
  std::string listenCommand;   // its output begins when an agent's connection does
  std::string connectCommand;
  int maxConnects = 7;         // sshd's MaxSessions is 10 unless said otherwise; one is for --listen, two are spare
  std::function<void(int fd)> onStream;           // an agent's connection: owns the descriptor
  std::function<void(std::string reason)> onLost;  // once, unless removed before
};

class SshPoller {
 public:
  using Id = uint64_t;
  virtual ~SshPoller() = default;  // closes all; no callback afterwards
  // `keepalive`: how often a session is looked at; `silence`: how long it may say nothing.
  static std::unique_ptr<SshPoller> make(Duration keepalive, Duration silence);
  // Takes over an authenticated session.
  virtual Id add(std::unique_ptr<SshSession> session, LinkSpec spec) = 0;
  virtual void remove(Id id) = 0;
  // A stream to the agent behind this link. 503 when the link is gone or has too many streams.
  virtual void dial(Id id, std::function<void(Result<int>)> done) = 0;
};

}  // namespace ph::fleet
