// Signing keys for tokens (RFC 7515 to 7518): ES256 over P-256, RS256 over RSA. All texts are PEM or JSON.
// Threads: immutable; any thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "engine/base/result.h"

namespace ph::net {

class SigningKey {
 public:
  // A private key, P-256 or RSA of at least 2048 bits (PKCS#8, SEC 1 or PKCS#1).
  static Result<SigningKey> fromPem(const std::string& pem);
  static Result<std::string> makePem();  // a new P-256 key, PKCS#8

  std::string_view algorithm() const;             // "ES256", "RS256"
  const std::string& keyId() const { return id_; }  // the SHA-256 of the public key's SubjectPublicKeyInfo, base64url
  const std::string& jwk() const { return jwk_; }   // the public key as a JSON Web Key
  Result<std::string> sign(std::string_view bytes) const;               // in JOSE's form (for ES256: r and s, 32 bytes each)
  bool verify(std::string_view bytes, std::string_view signature) const;  // false for whatever is not this key's

 private:
  SigningKey() = default;
  std::shared_ptr<void> key_;  // EVP_PKEY
  bool rsa_ = false;
  std::string id_, jwk_;
};

std::string base64Url(std::string_view bytes);                    // without padding
bool base64UrlDecode(std::string_view text, std::string& out);    // false when malformed, or when it has padding

}  // namespace ph::net
