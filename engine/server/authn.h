// Authentication: who sends a request. Client certificates (CN is the user, O its groups), bearer tokens, and identities that
// the listener vouches for. Threads: immutable after load; any thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "engine/net/http.h"
#include "engine/server/api_request.h"

namespace ph::server {

class TokenAuthority;

class Authenticator {
 public:
  // Lines of `token,user,uid,"group1,group2"` as Kubernetes' static token file has them; uid and groups may be missing.
  // A missing file is an empty one.
  static Result<Authenticator> load(const std::string& tokensFile);
  // 401 when credentials are given but not known. Without any: system:anonymous.
  Result<User> authenticate(const net::Request& request) const;
  // Service accounts' tokens are known too, and the authority knows the file's.
  void use(std::shared_ptr<TokenAuthority> authority);
  size_t tokens() const { return tokens_->size(); }

 private:
  // By the token's SHA-256, so that a lookup's time tells nothing about a token.
  using Table = std::unordered_map<std::string, User>;
  std::shared_ptr<const Table> tokens_ = std::make_shared<Table>();
  std::shared_ptr<TokenAuthority> authority_;
};

}  // namespace ph::server
