// Randomness is injected: seeded in simulation, the kernel's in production.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace ph {

class Random {
 public:
  virtual ~Random() = default;
  virtual uint64_t next() = 0;  // uniform 64 bits; thread-safe in the system's, not in a seeded one
  uint64_t below(uint64_t n);   // uniform in [0, n); n > 0
  double unit();                // uniform in [0, 1)
  // Kubernetes' generated-name suffix: `n` of the letters bcdfghjklmnpqrstvwxz2456789.
  std::string suffix(int n = 5);
  std::string uuid();           // RFC 4122 version 4
  std::string hex(int bytes);
};

Random& systemRandom();  // thread-safe, cryptographic
std::unique_ptr<Random> seededRandom(uint64_t seed);

}  // namespace ph
