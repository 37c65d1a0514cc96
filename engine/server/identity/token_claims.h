// What a service account's token says (RFC 7519, with Kubernetes' own claims), and its compact form.
// Threads: plain values, pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "engine/net/signing.h"

namespace ph::server {

struct TokenRef {
  std::string name, uid;
  bool empty() const { return name.empty(); }
};

struct TokenClaims {
  std::string issuer, id;                // id: "jti"
  std::string ns;
  TokenRef account, pod, secret, node;   // what it is bound to; a pod's node stands beside the pod
  std::vector<std::string> audiences;
  int64_t issued = 0, notBefore = 0, expires = 0, warnAfter = 0;  // seconds since the epoch; 0: none
  // A token kept in a Secret: no audience, no end.
  bool legacy = false;
};

inline constexpr std::string_view kLegacyIssuer = "kubernetes/serviceaccount";
inline constexpr size_t kLongestToken = 16 * 1024;

// "system:serviceaccount:NS:NAME"
std::string accountUser(std::string_view ns, std::string_view name);
// Signed, in compact form.
Result<std::string> encodeToken(const TokenClaims& claims, const net::SigningKey& key);
// Checks form and signature only: who it names, for whom and for how long it holds is for the caller to judge.
// 401 for whatever is not a token that this key signed.
Result<TokenClaims> decodeToken(std::string_view token, const net::SigningKey& key);

}  // namespace ph::server
