// Cluster addresses and node ports of services: given out once, however many create at the same time.
// Threads: all calls from any thread (one short lock).
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/api/schema.h"
#include "engine/base/random.h"
#include "engine/base/result.h"

namespace ph::server {

inline constexpr std::string_view kServiceRange = "10.96.0.0/16";
inline constexpr std::string_view kApiServiceAddress = "10.96.0.1";
inline constexpr std::string_view kDnsServiceAddress = "10.96.0.10";
inline constexpr uint16_t kFirstNodePort = 30000, kLastNodePort = 32767;

// "10.96.0.1" to a number; false when malformed.
bool parseIpv4(std::string_view text, uint32_t& out);
std::string formatIpv4(uint32_t address);

// What one service holds, or is about to.
struct ServiceClaim {
  std::vector<uint32_t> addresses;
  std::vector<std::pair<uint16_t, std::string>> ports;  // with the protocol
  bool empty() const { return addresses.empty() && ports.empty(); }
};
// What a stored service holds.
ServiceClaim claimOf(const api::Json& service);

class ServiceAddresses {
 public:
  // Takes a free address: a random one outside the first 256, so that names and requested low ones rarely meet.
  // Fails when the range is full.
  Result<std::string> takeAddress(Random& random);
  // A requested one. The Status' message says why not.
  Result<> takeAddress(std::string_view address);
  Result<uint16_t> takePort(Random& random, std::string_view protocol);
  Result<> takePort(uint16_t port, std::string_view protocol);
  void take(const ServiceClaim& claim);      // at start: no questions asked
  void release(const ServiceClaim& claim);
  size_t addressesInUse() const;

 private:
  static uint64_t portKey(uint16_t port, std::string_view protocol);
  mutable std::mutex mutex_;
  std::unordered_map<uint32_t, bool> addresses_;
  std::unordered_map<uint64_t, bool> ports_;
};

}  // namespace ph::server
