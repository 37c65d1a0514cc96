#include "engine/server/service_addresses.h"

#include <charconv>

namespace ph::server {
namespace {

constexpr uint32_t kBase = (10u << 24) | (96u << 16);
constexpr uint32_t kSize = 1u << 16;

}  // namespace

bool parseIpv4(std::string_view text, uint32_t& out) {
  out = 0;
  for (int i = 0; i < 4; ++i) {
    unsigned part = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), part);
    if (error != std::errc() || part > 255 || end == text.data()) return false;
    out = (out << 8) | part;
    text.remove_prefix(size_t(end - text.data()));
    if (i < 3) {
      if (text.empty() || text.front() != '.') return false;
      text.remove_prefix(1);
    }
  }
  return text.empty();
}

std::string formatIpv4(uint32_t a) {
  return std::to_string(a >> 24) + "." + std::to_string((a >> 16) & 255) + "." + std::to_string((a >> 8) & 255) + "." +
         std::to_string(a & 255);
}

ServiceClaim claimOf(const api::Json& service) {
  ServiceClaim claim;
  auto* root = service.if_object();
  auto* spec = root ? root->if_contains("spec") : nullptr;
  if (!spec || !spec->is_object()) return claim;
  auto& s = spec->get_object();
  if (auto* ip = s.if_contains("clusterIP"); ip && ip->is_string()) {
    uint32_t address = 0;
    if (parseIpv4(ip->get_string(), address)) claim.addresses.push_back(address);
  }
  if (auto* ports = s.if_contains("ports"); ports && ports->is_array()) {
    for (auto& port : ports->get_array()) {
      if (!port.is_object()) continue;
      auto* number = port.get_object().if_contains("nodePort");
      if (!number || !number->is_int64() || number->get_int64() <= 0) continue;
      auto* protocol = port.get_object().if_contains("protocol");
      claim.ports.emplace_back(uint16_t(number->get_int64()),
                               protocol && protocol->is_string() ? std::string(protocol->get_string()) : "TCP");
    }
  }
  return claim;
}

uint64_t ServiceAddresses::portKey(uint16_t port, std::string_view protocol) {
  return (uint64_t(port) << 8) | (protocol.empty() ? 'T' : uint8_t(protocol.front()));
}

Result<std::string> ServiceAddresses::takeAddress(Random& random) {
  std::lock_guard lock(mutex_);
  // Never the network, the broadcast, nor the two reserved ones (they lie within the first 256).
  constexpr uint32_t first = 256, last = kSize - 2;
  for (int i = 0; i < 64; ++i) {
    uint32_t address = kBase + first + uint32_t(random.below(last - first + 1));
    if (addresses_.emplace(address, true).second) return formatIpv4(address);
  }
  for (uint32_t i = 1; i <= last; ++i) {
    uint32_t address = kBase + i;
    if (i == 1 || i == 10) continue;
    if (addresses_.emplace(address, true).second) return formatIpv4(address);
  }
  return Status::internal("failed to allocate a serviceIP: the range " + std::string(kServiceRange) + " is full");
}

Result<> ServiceAddresses::takeAddress(std::string_view text) {
  uint32_t address = 0;
  if (!parseIpv4(text, address))
    return Status::invalid("must be a valid IP address, (e.g. 10.9.8.7)");
  if (address <= kBase || address >= kBase + kSize - 1)
    return Status::invalid("failed to allocate IP " + std::string(text) + ": the provided IP (" + std::string(text) +
                           ") is not in the valid range. The range of valid IPs is " + std::string(kServiceRange));
  std::lock_guard lock(mutex_);
  if (!addresses_.emplace(address, true).second)
    return Status::invalid("failed to allocate IP " + std::string(text) + ": provided IP is already allocated");
  return {};
}

Result<uint16_t> ServiceAddresses::takePort(Random& random, std::string_view protocol) {
  std::lock_guard lock(mutex_);
  constexpr uint32_t count = kLastNodePort - kFirstNodePort + 1;
  uint32_t start = uint32_t(random.below(count));
  for (uint32_t i = 0; i < count; ++i) {
    auto port = uint16_t(kFirstNodePort + (start + i) % count);
    if (ports_.emplace(portKey(port, protocol), true).second) return port;
  }
  return Status::internal("failed to allocate a nodePort: range is full");
}

Result<> ServiceAddresses::takePort(uint16_t port, std::string_view protocol) {
  if (port < kFirstNodePort || port > kLastNodePort)
    return Status::invalid("provided port is not in the valid range. The range of valid ports is 30000-32767");
  std::lock_guard lock(mutex_);
  if (!ports_.emplace(portKey(port, protocol), true).second) return Status::invalid("provided port is already allocated");
  return {};
}

void ServiceAddresses::take(const ServiceClaim& claim) {
  std::lock_guard lock(mutex_);
  for (auto a : claim.addresses) addresses_[a] = true;
  for (auto& [port, protocol] : claim.ports) ports_[portKey(port, protocol)] = true;
}

void ServiceAddresses::release(const ServiceClaim& claim) {
  std::lock_guard lock(mutex_);
  for (auto a : claim.addresses) addresses_.erase(a);
  for (auto& [port, protocol] : claim.ports) ports_.erase(portKey(port, protocol));
}

size_t ServiceAddresses::addressesInUse() const {
  std::lock_guard lock(mutex_);
  return addresses_.size();
}

}  // namespace ph::server
