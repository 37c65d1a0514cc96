// Kubernetes' own API server on etcd, in the engine's place: the design's targets come from it, and what it needs in a round tells
// how much the machine was able to do in that round. Both programs come from outside. Threads: as EngineUnderTest.
#pragma once

#include <memory>
#include <string>

#include "engine/net/net.h"
#include "tests/bench/engine_under_test.h"

namespace ph::bench {

class KubernetesUnderTest {
 public:
  // `programs`: the folder with etcd and kube-apiserver (of the releases up to 1.24). Waits until it can be written to.
  KubernetesUnderTest(const std::string& programs, const std::string& dataDir);

  double cpuSeconds() const { return etcd_->cpuSeconds() + server_->cpuSeconds(); }  // user and system, so far
  std::shared_ptr<net::HttpClient> client(const std::shared_ptr<net::Io>& io) const { return access_.client(io); }

 private:
  std::unique_ptr<Companion> etcd_, server_;  // ended in the other order
  Access access_;
};

}  // namespace ph::bench
