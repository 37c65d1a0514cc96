// At which of its own addresses a server is reached from other machines. Threads: any.
#pragma once

#include <string>
#include <vector>

namespace ph::runtime {

// `host`: what the server listens on. A wildcard gives the address that leads out of this machine, or else the first of an
// interface that is up; a loopback address or a name gives none.
std::vector<std::string> advertisedAddresses(const std::string& host);

}  // namespace ph::runtime
