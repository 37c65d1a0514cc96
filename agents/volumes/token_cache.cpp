#include "agents/volumes/token_cache.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/api/codec.h"
#include "engine/base/log.h"

namespace ph::agents {
namespace {

using namespace std::chrono_literals;
constexpr Duration kFirstBackoff = 500ms, kLongestBackoff = 30s;
constexpr Duration kDay = 24h;
constexpr int64_t kLongestLife = int64_t(1) << 32;  // seconds, as the API bounds it

std::string bodyOf(const TokenKey& key) {
  api::JsonObject spec{{"expirationSeconds", key.seconds},
                       {"boundObjectRef", api::JsonObject{{"apiVersion", "v1"}, {"kind", "Pod"}, {"name", key.pod}, {"uid", key.podUid}}}};
  if (!key.audience.empty()) spec["audiences"] = api::JsonArray{api::Json(key.audience)};
  return api::toText(api::JsonObject{{"apiVersion", "authentication.k8s.io/v1"}, {"kind", "TokenRequest"}, {"spec", std::move(spec)}});
}

}  // namespace

TokenCache::TokenCache(client::Client& client, std::shared_ptr<Executor> strand) : client_(client), strand_(std::move(strand)) {}

void TokenCache::acquire(const TokenKey& key) {
  if (held_[key].users++ == 0) fetch(key);
}

void TokenCache::release(const TokenKey& key) {
  auto it = held_.find(key);
  if (it != held_.end() && --it->second.users == 0) held_.erase(it);
}

const std::string* TokenCache::get(const TokenKey& key) const {
  auto it = held_.find(key);
  return it == held_.end() || it->second.token.empty() ? nullptr : &it->second.token;
}

std::string TokenCache::error(const TokenKey& key) const {
  auto it = held_.find(key);
  return it == held_.end() ? std::string() : it->second.error;
}

void TokenCache::fetch(const TokenKey& key) {
  std::weak_ptr<TokenCache> weak = weak_from_this();
  auto path = fmt::format("/api/v1/namespaces/{}/serviceaccounts/{}/token", key.ns, key.account);
  held_[key].request = client_.raw("POST", path, bodyOf(key), "application/json", nullptr,
                                   [weak, strand = strand_, key](Result<std::string> answer) {
                                     strand->post([weak, key, answer = std::move(answer)]() mutable {
                                       if (auto self = weak.lock()) self->answered(key, std::move(answer));
                                     });
                                   });
}

void TokenCache::answered(const TokenKey& key, Result<std::string> answer) {
  auto it = held_.find(key);
  if (it == held_.end()) return;
  auto& held = it->second;
  if (!answer.ok()) return failed(key, held, answer.status().message);
  auto tree = api::parseJson(*answer);
  auto* token = tree.ok() ? api::at(*tree, "status.token") : nullptr;
  if (!token || !token->is_string() || token->get_string().empty()) return failed(key, held, "the API's answer holds no token");
  // The API may have given another life than was asked for. Measured from now on, so that no two clocks are compared.
  auto* given = api::at(*tree, "spec.expirationSeconds");
  int64_t seconds = given && given->is_int64() ? given->get_int64() : key.seconds;
  seconds = std::clamp<int64_t>(seconds, 1, kLongestLife);
  held.token = token->get_string();
  held.error.clear();
  held.backoff = {};
  auto jitter = Duration(std::chrono::milliseconds(strand_->random().below(uint64_t(std::min<int64_t>(seconds * 10, 10000)) + 1)));
  later(key, held, std::max<Duration>(std::min<Duration>(std::chrono::seconds(seconds) / 5 * 4, kDay) - jitter, 1s));
  if (onChange_) onChange_(key);
}

void TokenCache::failed(const TokenKey& key, Held& held, std::string why) {
  if (held.error != why)
    PH_LOG(Warn, "volumes", "{}/{}: no token of service account {}: {}", key.ns, key.pod, key.account, why);
  held.error = std::move(why);
  held.backoff = held.backoff == Duration::zero() ? kFirstBackoff : std::min(held.backoff * 2, kLongestBackoff);
  later(key, held, held.backoff);
}

void TokenCache::later(const TokenKey& key, Held& held, Duration after) {
  std::weak_ptr<TokenCache> weak = weak_from_this();
  held.timer = strand_->after(after, [weak, key] {
    auto self = weak.lock();
    if (self && self->held_.count(key)) self->fetch(key);
  });
}

}  // namespace ph::agents
