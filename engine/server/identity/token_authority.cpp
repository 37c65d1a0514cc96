#include "engine/server/identity/token_authority.h"

#include <algorithm>

#include "engine/api/codec.h"
#include "engine/api/types/core.h"
#include "engine/net/pki.h"
#include "engine/server/authz.h"
#include "engine/server/json_util.h"

namespace ph::server {
namespace {

using std::chrono::seconds;
// A clock that was set back a little must not end all tokens of the last minute.
constexpr int64_t kEarly = 60;
// What is being deleted may still say goodbye.
constexpr auto kFarewell = seconds(60);

int64_t secondsOf(WallTime t) { return std::chrono::floor<seconds>(t).time_since_epoch().count(); }

std::vector<std::string> common(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  std::vector<std::string> out;
  for (auto& one : a)
    if (std::find(b.begin(), b.end(), one) != b.end()) out.push_back(one);
  return out;
}

// Takes as long for every difference.
bool sameSecret(std::string_view a, std::string_view b) {
  unsigned char different = a.size() != b.size();
  for (size_t i = 0; i < b.size(); ++i) different |= static_cast<unsigned char>((i < a.size() ? a[i] : 0) ^ b[i]);
  return different == 0;
}

User userOf(const TokenClaims& c) {
  User user;
  user.name = accountUser(c.ns, c.account.name);
  user.uid = c.account.uid;
  user.groups = {"system:serviceaccounts", "system:serviceaccounts:" + c.ns, std::string(kAuthenticated)};
  auto add = [&](const char* key, std::string value) {
    if (!value.empty()) user.extra.push_back({std::string("authentication.kubernetes.io/") + key, {std::move(value)}});
  };
  if (!c.id.empty()) add("credential-id", "JTI=" + c.id);
  add("node-name", c.node.name);
  add("node-uid", c.node.uid);
  add("pod-name", c.pod.name);
  add("pod-uid", c.pod.uid);
  return user;
}

}  // namespace

TokenAuthority::TokenAuthority(const Core& core, net::SigningKey key, Options options)
    : core_(core),
      key_(std::move(key)),
      options_(std::move(options)),
      accounts_(core.registry->find("", "v1", "serviceaccounts")),
      secrets_(core.registry->find("", "v1", "secrets")) {
  PH_CHECK(accounts_ && secrets_);
  if (options_.audiences.empty()) options_.audiences = {options_.issuer};
}

Result<TokenAuthority::ClaimsPtr> TokenAuthority::claimsOf(std::string_view token) const {
  if (token.size() > kLongestToken) return Status::unauthorized();
  auto hash = net::sha256Hex(token);
  {
    std::lock_guard lock(mutex_);
    if (auto found = young_.find(hash); found != young_.end()) return found->second;
    if (auto found = old_.find(hash); found != old_.end()) return found->second;
  }
  PH_ASSIGN(auto claims, decodeToken(token, key_));
  auto kept = std::make_shared<const TokenClaims>(std::move(claims));
  std::lock_guard lock(mutex_);
  if (young_.size() >= kGeneration) {
    old_ = std::move(young_);
    young_.clear();
  }
  young_.emplace(std::move(hash), kept);
  return ClaimsPtr(kept);
}

Result<> TokenAuthority::stillBound(const TokenClaims& c, std::string_view token) const {
  auto now = core_.now();
  auto there = [&](const ResourceInfo& info, const std::string& key, const std::string& uid) -> ObjectPtr {
    auto object = core_.cache->get(info, key);
    if (!object || (!uid.empty() && object->uid() != uid)) return nullptr;
    if (object->meta().deleting && now > object->meta().deletionTime + kFarewell) return nullptr;
    return object;
  };
  if (!there(*accounts_, c.ns + "/" + c.account.name, c.account.uid)) return Status::unauthorized();
  if (!c.pod.empty() && !there(*core_.pods, c.ns + "/" + c.pod.name, c.pod.uid)) return Status::unauthorized();
  // A pod's token says on which node the pod runs; only a token of the node itself falls with it.
  if (!c.node.empty() && c.pod.empty() && !there(*core_.nodes, c.node.name, c.node.uid)) return Status::unauthorized();
  if (c.secret.empty()) return c.legacy ? Result<>(Status::unauthorized()) : Result<>();
  auto secret = there(*secrets_, c.ns + "/" + c.secret.name, c.secret.uid);
  if (!secret || (c.legacy && secret->meta().deleting)) return Status::unauthorized();
  if (!c.legacy) return {};
  auto& data = secret->as<api::core::Secret>().data;
  auto kept = data.find("token");
  if (kept == data.end() || !sameSecret(kept->second, token)) return Status::unauthorized();
  return {};
}

Result<Authenticated> TokenAuthority::authenticate(std::string_view token, const std::vector<std::string>& audiences) const {
  auto& asked = audiences.empty() ? options_.audiences : audiences;
  if (static_)
    if (auto user = static_(token)) {
      auto meant = common(asked, options_.audiences);
      if (meant.empty()) return Status::unauthorized();
      return Authenticated{std::move(*user), std::move(meant)};
    }
  PH_ASSIGN(auto claims, claimsOf(token));
  auto& c = *claims;
  if (!c.legacy) {
    auto now = secondsOf(core_.now());
    if (c.issuer != options_.issuer || c.expires <= now || c.notBefore > now + kEarly) return Status::unauthorized();
  }
  auto meant = common(asked, c.legacy ? options_.audiences : c.audiences);
  if (meant.empty()) return Status::unauthorized();
  PH_TRY(stillBound(c, token));
  return Authenticated{userOf(c), std::move(meant)};
}

std::string TokenAuthority::openIdConfiguration() const {
  return api::toText(JsonObject{{"issuer", options_.issuer},
                                {"jwks_uri", options_.issuer + "/openid/v1/jwks"},
                                {"response_types_supported", JsonArray{"id_token"}},
                                {"subject_types_supported", JsonArray{"public"}},
                                {"id_token_signing_alg_values_supported", JsonArray{key_.algorithm()}}});
}

}  // namespace ph::server
