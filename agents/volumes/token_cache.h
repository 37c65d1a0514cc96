// TokenCache: the service account tokens that this node's pods project, each bound to its pod, asked for when the first volume
// needs it and renewed while one does: at 80 % of its life, or after a day.
// Threads: the node's strand.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "engine/base/executor.h"
#include "engine/client/client.h"

namespace ph::agents {

struct TokenKey {
  std::string ns, account, pod, podUid, audience;  // without audience: the API's
  int64_t seconds = 3600;
  auto operator<=>(const TokenKey&) const = default;
};

class TokenCache : public std::enable_shared_from_this<TokenCache> {
 public:
  TokenCache(client::Client& client, std::shared_ptr<Executor> strand);

  void acquire(const TokenKey& key);
  void release(const TokenKey& key);
  // Null until the API gave one. It may be past its end while the API can't be reached: nobody has a better one.
  const std::string* get(const TokenKey& key) const;
  std::string error(const TokenKey& key) const;  // why there is none, or no newer one
  // Called when one came or was renewed.
  void onChange(std::function<void(const TokenKey&)> callback) { onChange_ = std::move(callback); }

 private:
  struct Held {
    int users = 0;
    std::string token, error;
    Duration backoff{};
    std::shared_ptr<void> request;  // dropping it cancels
    Timer timer;
  };
  void fetch(const TokenKey& key);
  void answered(const TokenKey& key, Result<std::string> answer);
  void failed(const TokenKey& key, Held& held, std::string why);
  void later(const TokenKey& key, Held& held, Duration after);

  client::Client& client_;
  std::shared_ptr<Executor> strand_;
  std::map<TokenKey, Held> held_;
  std::function<void(const TokenKey&)> onChange_;
};

}  // namespace ph::agents
