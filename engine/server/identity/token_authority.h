// TokenAuthority: signs service account tokens and says whose a token is. A bound token holds only while its account, and
// the pod, secret or node that it is bound to, exist with the same uid; that is looked up each time, the signature is
// checked once (the newest several thousand tokens are remembered by their hash).
// Threads: any thread; useStatic() before the first request. The core outlives it.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/net/signing.h"
#include "engine/server/api_request.h"
#include "engine/server/core.h"
#include "engine/server/identity/token_claims.h"

namespace ph::server {

struct Authenticated {
  User user;
  std::vector<std::string> audiences;  // those asked for that the token is meant for
};

class TokenAuthority {
 public:
  struct Options {
    std::string issuer = "https://kubernetes.default.svc.cluster.local";
    std::vector<std::string> audiences;  // this API's names; empty: the issuer
  };
  TokenAuthority(const Core& core, net::SigningKey key, Options options);
  TokenAuthority(const Core& core, net::SigningKey key) : TokenAuthority(core, std::move(key), Options()) {}

  const std::string& issuer() const { return options_.issuer; }
  const std::vector<std::string>& audiences() const { return options_.audiences; }

  Result<std::string> issue(const TokenClaims& claims) const { return encodeToken(claims, key_); }
  // 401 when it is unknown, malformed, at its end, meant for others, or what it is bound to is gone. Without `audiences`:
  // this API's.
  Result<Authenticated> authenticate(std::string_view token, const std::vector<std::string>& audiences = {}) const;
  // Tokens that are known by heart (the static file's) are asked first. They are meant for this API.
  using StaticTokens = std::function<std::optional<User>(std::string_view token)>;
  void useStatic(StaticTokens tokens) { static_ = std::move(tokens); }

  // OpenID Connect discovery: what others need to check tokens by themselves.
  std::string openIdConfiguration() const;
  std::string keySet() const { return "{\"keys\":[" + key_.jwk() + "]}"; }

 private:
  using ClaimsPtr = std::shared_ptr<const TokenClaims>;
  Result<ClaimsPtr> claimsOf(std::string_view token) const;
  Result<> stillBound(const TokenClaims& claims, std::string_view token) const;

  const Core& core_;
  const net::SigningKey key_;
  Options options_;
  const ResourceInfo* accounts_;
  const ResourceInfo* secrets_;
  StaticTokens static_;
  // Two generations: when the young one is full it becomes the old one, and the old one goes.
  static constexpr size_t kGeneration = 4096;
  mutable std::mutex mutex_;
  mutable std::unordered_map<std::string, ClaimsPtr> young_, old_;
};

}  // namespace ph::server
