// The blocking work on one machine, from the first connection to a started agent, and from there back to nothing.
// Threads: each call on one set-up thread; `progress` is called there.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/api/types/fleet.h"
#include "engine/base/result.h"
#include "engine/fleet/credentials.h"
#include "engine/fleet/preflight.h"
#include "engine/fleet/ssh_session.h"

namespace ph::fleet {

struct Access {  // how to come in; a copy of the Machine's words
  Endpoint endpoint;
  std::string hostKey;          // the fingerprint it must show; empty: not trusted yet
  std::string hostKeyTypeHint;  // type of the key seen last
  std::string identityFile, credential;
  Duration connectTimeout{};
};

struct JoinProgress {
  std::string phase, step;
  int percent = 0;
  // Set when known; kept by the receiver.
  HostKey hostKey;
  std::vector<api::fleet::MachineFinding> findings;
  Probe probe;
  bool hasProbe = false;
};
using OnProgress = std::function<void(const JoinProgress&)>;

struct JoinPlan {
  Access access;
  std::string node;
  std::string agentDir;
  std::vector<std::string> agentArguments;
  Neighbours neighbours;
};

struct Joined {
  std::unique_ptr<SshSession> session;
  HostKey hostKey;
  Probe probe;
};

// Connected, host key verified, logged in. A host key not trusted yet ends in kHostKeyUnknown (progress has told which).
Result<std::unique_ptr<SshSession>> enter(const Access& access, CredentialStore* credentials, std::shared_ptr<Cancel> cancel,
                                          const OnProgress& progress);
Result<Joined> join(const JoinPlan& plan, CredentialStore* credentials, std::shared_ptr<Cancel> cancel, const OnProgress& progress);

struct Removed {
  std::vector<std::string> left;  // what could not be removed
};
Result<Removed> removeFrom(const Access& access, const std::string& node, bool packages, CredentialStore* credentials,
                           std::shared_ptr<Cancel> cancel, const OnProgress& progress);

}  // namespace ph::fleet
