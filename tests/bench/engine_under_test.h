// The engine as its users run it: a process of its own, spoken to over TLS. For the benchmarks.
// Threads: make and use on one thread; clients() may be used from any.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "engine/net/net.h"

namespace ph::bench {

// Where a server listens, and who its administrator is.
struct Access {
  std::string endpoint, ca, cert, key;  // ADDRESS:PORT, then PEM
  // A client with a connection of its own.
  std::shared_ptr<net::HttpClient> client(const std::shared_ptr<net::Io>& io) const;
};

class EngineUnderTest {
 public:
  // Starts `pilothouse-engine serve` on a data directory (kept when it exists) and waits for its ready line.
  explicit EngineUnderTest(std::string dataDir);
  ~EngineUnderTest();  // SIGTERM, and waits

  double secondsToReady() const { return secondsToReady_; }
  double residentMiB() const;
  double cpuSeconds() const;  // user and system, so far
  std::string kubeconfig() const { return dataDir_ + "/admin.kubeconfig"; }
  std::shared_ptr<net::HttpClient> client(const std::shared_ptr<net::Io>& io) const { return access_.client(io); }
  pid_t pid() const { return pid_; }

 private:
  std::string dataDir_;
  Access access_;
  pid_t pid_ = -1;
  double secondsToReady_ = 0;
};

// Runs a program of ours beside the engine; ended with the object.
class Companion {
 public:
  explicit Companion(std::vector<std::string> command);
  ~Companion();
  double residentMiB() const;
  double cpuSeconds() const;

 private:
  pid_t pid_ = -1;
};

std::string binDir();       // build/release/bin, where this program stands one folder below
std::string temporaryDir(); // a fresh folder, removed when the program ends
double seconds();           // a steady clock

}  // namespace ph::bench
