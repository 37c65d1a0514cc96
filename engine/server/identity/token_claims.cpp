#include "engine/server/identity/token_claims.h"

#include "engine/api/codec.h"
#include "engine/server/json_util.h"

namespace ph::server {
namespace {

constexpr std::string_view kOwnClaims = "kubernetes.io";
constexpr std::string_view kLegacyPrefix = "kubernetes.io/serviceaccount/";

JsonObject refJson(const TokenRef& ref) {
  JsonObject out{{"name", ref.name}};
  if (!ref.uid.empty()) out["uid"] = ref.uid;
  return out;
}

TokenRef refAt(const JsonObject* own, std::string_view key) {
  auto* m = own ? own->if_contains(key) : nullptr;
  auto* ref = m ? m->if_object() : nullptr;
  return {std::string(textAt(ref, "name")), std::string(textAt(ref, "uid"))};
}

JsonObject boundClaims(const TokenClaims& c) {
  JsonObject own{{"namespace", c.ns}, {"serviceaccount", refJson(c.account)}};
  if (!c.pod.empty()) own["pod"] = refJson(c.pod);
  if (!c.secret.empty()) own["secret"] = refJson(c.secret);
  if (!c.node.empty()) own["node"] = refJson(c.node);
  if (c.warnAfter) own["warnafter"] = c.warnAfter;
  JsonArray audiences;
  for (auto& a : c.audiences) audiences.emplace_back(a);
  JsonObject out{{"aud", std::move(audiences)}, {"exp", c.expires}, {"iat", c.issued},
                 {"iss", c.issuer},             {"jti", c.id},      {"nbf", c.notBefore}};
  out[kOwnClaims] = std::move(own);
  return out;
}

JsonObject legacyClaims(const TokenClaims& c) {
  std::string prefix(kLegacyPrefix);
  JsonObject out{{"iss", kLegacyIssuer}};
  out[prefix + "namespace"] = c.ns;
  out[prefix + "secret.name"] = c.secret.name;
  out[prefix + "service-account.name"] = c.account.name;
  out[prefix + "service-account.uid"] = c.account.uid;
  return out;
}

TokenClaims readLegacy(const JsonObject& payload) {
  TokenClaims c;
  c.legacy = true;
  auto text = [&](const char* name) { return std::string(textAt(&payload, std::string(kLegacyPrefix) + name)); };
  c.ns = text("namespace");
  c.secret.name = text("secret.name");
  c.account = {text("service-account.name"), text("service-account.uid")};
  return c;
}

TokenClaims readBound(const JsonObject& payload) {
  TokenClaims c;
  auto* m = payload.if_contains(kOwnClaims);
  auto* own = m ? m->if_object() : nullptr;
  c.id = textAt(&payload, "jti");
  c.ns = textAt(own, "namespace");
  c.account = refAt(own, "serviceaccount");
  c.pod = refAt(own, "pod");
  c.secret = refAt(own, "secret");
  c.node = refAt(own, "node");
  c.warnAfter = intAt(own, "warnafter");
  c.issued = intAt(&payload, "iat");
  c.notBefore = intAt(&payload, "nbf");
  c.expires = intAt(&payload, "exp");
  auto* aud = payload.if_contains("aud");
  if (auto* one = aud ? aud->if_string() : nullptr) c.audiences.emplace_back(view(*one));
  if (auto* list = aud ? aud->if_array() : nullptr)
    for (auto& a : *list)
      if (auto* s = a.if_string()) c.audiences.emplace_back(view(*s));
  return c;
}

// A part of the token as a JSON object.
Result<JsonObject> readPart(std::string_view part) {
  std::string text;
  if (!net::base64UrlDecode(part, text)) return Status::unauthorized();
  std::vector<std::string> duplicates;
  auto tree = api::parseJson(text, &duplicates);
  // Two readings of one token are one too many.
  if (!tree.ok() || !tree->is_object() || !duplicates.empty()) return Status::unauthorized();
  return std::move(tree->get_object());
}

}  // namespace

std::string accountUser(std::string_view ns, std::string_view name) {
  return "system:serviceaccount:" + std::string(ns) + ":" + std::string(name);
}

Result<std::string> encodeToken(const TokenClaims& c, const net::SigningKey& key) {
  JsonObject header{{"alg", key.algorithm()}, {"kid", key.keyId()}};
  auto payload = c.legacy ? legacyClaims(c) : boundClaims(c);
  payload["sub"] = accountUser(c.ns, c.account.name);
  auto text = net::base64Url(api::toText(Json(std::move(header)))) + "." + net::base64Url(api::toText(Json(std::move(payload))));
  PH_ASSIGN(auto signature, key.sign(text));
  return text + "." + net::base64Url(signature);
}

Result<TokenClaims> decodeToken(std::string_view token, const net::SigningKey& key) {
  size_t first = token.find('.');
  size_t second = first == std::string_view::npos ? first : token.find('.', first + 1);
  if (token.size() > kLongestToken || second == std::string_view::npos || token.find('.', second + 1) != std::string_view::npos)
    return Status::unauthorized();
  PH_ASSIGN(auto header, readPart(token.substr(0, first)));
  auto kid = textAt(&header, "kid");
  // The key decides the algorithm, never the token; and what must be understood ("crit") is not.
  if (textAt(&header, "alg") != key.algorithm() || (!kid.empty() && kid != key.keyId()) || header.contains("crit"))
    return Status::unauthorized();
  std::string signature;
  if (!net::base64UrlDecode(token.substr(second + 1), signature) || !key.verify(token.substr(0, second), signature))
    return Status::unauthorized();
  PH_ASSIGN(auto payload, readPart(token.substr(first + 1, second - first - 1)));
  auto issuer = textAt(&payload, "iss");
  auto c = issuer == kLegacyIssuer ? readLegacy(payload) : readBound(payload);
  c.issuer = issuer;
  if (c.ns.empty() || c.account.empty() || c.account.uid.empty() || textAt(&payload, "sub") != accountUser(c.ns, c.account.name))
    return Status::unauthorized();
  return c;
}

}  // namespace ph::server
