// Addresses and descriptors. Threads: pure.
#pragma once

#include <string>

#include "engine/base/result.h"

namespace ph::net {

struct HostPort {
  std::string host;  // without brackets
  uint16_t port = 0;
};

// "HOST:PORT", "[V6]:PORT". 400 when malformed.
Result<HostPort> parseHostPort(const std::string& text);
// Bound, listening, non-blocking descriptors.
Result<int> listenOnTcp(const std::string& address, std::string& bound);
Result<int> listenOnUnix(const std::string& path);
// Starts connecting; the descriptor is non-blocking, writable when the outcome is known (see connectOutcome).
Result<int> connectToTcp(const std::string& numericHost, uint16_t port);
// The same on a non-blocking socket that has been made already; owned from here on.
Result<int> connectTcp(int fd, const std::string& numericHost, uint16_t port);
Result<int> connectToUnix(const std::string& path);
Result<> connectOutcome(int fd);
// Options of a TCP connection: no delay; dead peers are noticed. Harmless on others.
void tuneTcp(int fd);
// "10.0.0.1:51000", "[::1]:51000", "unix".
std::string peerAddress(int fd);
bool isNumericHost(const std::string& host);

}  // namespace ph::net
