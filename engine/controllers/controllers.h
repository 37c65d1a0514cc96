// All controllers of the engine, on one runner.
// Threads: start and the returned object's destruction from any thread; the controllers run on a strand of
// the executor.
#pragma once

#include <memory>
#include <string>

#include "engine/base/executor.h"
#include "engine/base/result.h"
#include "engine/client/client.h"
#include "engine/client/usage_source.h"
#include "engine/controllers/certificates/certificates.h"
#include "engine/controllers/node/lifecycle.h"
#include "engine/controllers/runner.h"
#include "engine/controllers/serviceaccount/secrets.h"

namespace ph::controllers {

struct Options {
  NodeLifecycleOptions node;
  std::string clusterCidr = "10.244.0.0/16";
  int nodeCidrPrefix = 24;
  Duration eventTtl = std::chrono::hours(1);
  size_t endedPods = 12500;  // ended pods kept
  std::string rootCa;       // PEM: what pods check the API's certificate against; empty: nobody is told
  CertificateOptions certificates;
  SignSecretToken secretToken;  // null: secrets of service accounts get no token
  bool accountSecrets = false;  // each account gets a secret with a token that never ends, as before Kubernetes 1.24
  std::shared_ptr<const client::UsageSource> usage;  // what pods use now; null: autoscalers know no metric
  Runner::Options runner;
};

class Controllers {
 public:
  explicit Controllers(std::shared_ptr<Runner> runner) : runner_(std::move(runner)) {}
  ~Controllers() { stop(); }
  Controllers(const Controllers&) = delete;
  Controllers& operator=(const Controllers&) = delete;

  // No new write begins once the executor has run what was posted; may be called twice.
  void stop() {
    if (runner_) runner_->stop();
  }
  bool synced() const { return runner_->synced(); }
  Runner::Stats stats() const { return runner_->stats(); }

 private:
  std::shared_ptr<Runner> runner_;
};

// The tables of specs, for tests that want fewer.
Result<std::vector<ControllerSpec>> allControllers(const Kinds& kinds, const Options& options);

// `client` must outlive the executor's tasks. Fails when an option makes no sense (the cluster's CIDR).
Result<std::unique_ptr<Controllers>> startControllers(client::Client& client,
                                                      std::shared_ptr<Executor> executor, Options options);

}  // namespace ph::controllers
