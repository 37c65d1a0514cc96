// Engine: the whole control plane, started and stopped: store, cache, API server, controllers, scheduler, fleet.
// Used by the headless program and, in-process, by the desktop.
// Threads: start() and stop() block for a moment and belong on a thread that may; everything else from any thread.
#pragma once

#include <memory>
#include <string>

#include "engine/base/executor.h"
#include "engine/client/client.h"
#include "engine/fleet/credentials.h"
#include "engine/net/net.h"

namespace ph::runtime {

struct Options {
  std::string dataDir;
  std::string listen = "127.0.0.1:6443";  // port 0: a free one
  Duration nodeGrace = std::chrono::seconds(10);
  std::string agentDir;                   // where pilothouse-agent lies; empty: beside this program
  fleet::CredentialStore* credentials = nullptr;  // must outlive the engine; null: files in DIR/credentials
  std::string auditLog;                   // a file; empty: DIR/audit.log; "off": none
  int ioThreads = 2, workThreads = 2;
  bool accountSecrets = false;            // a lasting token for each service account, as before Kubernetes 1.24
  bool controllers = true, scheduler = true, fleet = true;
};

class Engine {
 public:
  virtual ~Engine() = default;  // stops
  // Ready when it returns: the defaults are there, and requests are answered.
  static Result<std::unique_ptr<Engine>> start(Options options);
  virtual void stop() = 0;
  virtual std::shared_ptr<client::Client> client() = 0;  // an administrator's
  virtual std::shared_ptr<Executor> executor() = 0;
  virtual std::shared_ptr<net::Io> io() = 0;
  virtual std::string address() const = 0;     // "127.0.0.1:6443"
  virtual std::string kubeconfig() const = 0;  // the path of the administrator's
};

// Copies an image archive into a data directory (also while an engine runs on it). Answers what it holds, for people.
Result<std::string> addImage(const std::string& dataDir, const std::string& file, const std::string& name);

}  // namespace ph::runtime
