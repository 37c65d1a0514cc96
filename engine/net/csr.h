// Certificate requests (PKCS#10, PEM): what they ask for, and certificates made from them. Thread-safe, pure.
#pragma once

#include <string>
#include <vector>

#include "engine/net/pki.h"

namespace ph::net {

struct CertRequest {
  std::string commonName;
  std::vector<std::string> organizations;
  std::vector<std::string> dnsNames, ipAddresses, emails, uris;  // the alternative names
  bool otherNames = false;  // alternative names of other sorts
};

// 400 when it is no request in PEM (and nothing else), or is not signed by its own key.
Result<CertRequest> readCertRequest(const std::string& pem);

struct RequestedCert {
  WallTime notBefore{}, notAfter{};
  std::string keyUsage, extendedKeyUsage;  // OpenSSL's words, comma separated: "digitalSignature,keyEncipherment", "clientAuth"
};
// A certificate for the request's key, subject and alternative names (no other extension is taken over); never a CA's.
// It ends with the CA at the latest.
Result<std::string> signCertRequest(const KeyPair& ca, const std::string& requestPem, const RequestedCert& cert);

}  // namespace ph::net
