// Certificates and keys (OpenSSL below). All texts are PEM. Thread-safe, pure.
#pragma once

#include <string>
#include <vector>

#include "engine/base/result.h"
#include "engine/base/time.h"

namespace ph::net {

struct KeyPair { std::string certPem, keyPem; };

struct CertSpec {
  std::string commonName;
  std::vector<std::string> organizations;
  std::vector<std::string> dnsNames;
  std::vector<std::string> ipAddresses;
  bool isCa = false, serverAuth = false, clientAuth = false;
  WallTime notBefore{};  // callers set these from their Clock (an hour back against skewed clocks)
  WallTime notAfter{};
};

Result<KeyPair> makeCa(const CertSpec& spec);                                   // P-256, self-signed
Result<KeyPair> issue(const KeyPair& ca, const CertSpec& spec);                 // new P-256 key
Result<WallTime> certExpiry(const std::string& certPem);
std::string sha256Hex(std::string_view bytes);

}  // namespace ph::net
