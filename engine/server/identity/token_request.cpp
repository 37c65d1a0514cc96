#include "engine/server/identity/token_request.h"

#include "engine/api/codec.h"
#include "engine/api/types/core.h"
#include "engine/server/authz.h"
#include "engine/server/identity/token_authority.h"
#include "engine/server/json_util.h"
#include "engine/server/rbac/node_grants.h"
#include "engine/server/pending_write.h"

namespace ph::server {
namespace {

namespace v1 = api::core;
constexpr std::string_view kApiVersion = "authentication.k8s.io/v1";
constexpr int64_t kShortest = 600, kLongest = int64_t(1) << 32, kUsual = 3600;  // seconds
// What projected volumes ask for: a client that never reads its token again shall not fall over after an hour, so such a
// token lives on, and says when it should have been renewed (Kubernetes does the same).
constexpr int64_t kProjected = 3607, kProjectedLife = 365 * 24 * 3600;

struct Wanted {
  std::vector<std::string> audiences;
  int64_t seconds = kUsual;
  std::string kind, apiVersion, name, uid;  // of the bound object
};

Result<Json> readRequest(const Core& core, const ApiRequest& r) {
  PH_ASSIGN(Json tree, readBody(core, r, nullptr));
  auto* root = tree.if_object();
  if (!root) return Status::badRequest("TokenRequest in version \"v1\" cannot be handled as a TokenRequest: the body must be an object");
  auto version = textAt(root, "apiVersion"), kind = textAt(root, "kind");
  if ((!version.empty() && version != kApiVersion) || (!kind.empty() && kind != "TokenRequest"))
    return Status::badRequest("the body must be a TokenRequest of " + std::string(kApiVersion));
  auto* metadata = objectAt(tree, "metadata");
  auto name = textAt(metadata, "name"), ns = textAt(metadata, "namespace");
  if (!name.empty() && name != r.name)
    return Status::badRequest("the name of the object (" + std::string(name) + ") does not match the name on the URL (" + r.name + ")");
  if (!ns.empty() && ns != r.ns)
    return Status::badRequest("the namespace of the provided object does not match the namespace sent on the request");
  return tree;
}

Status malformed(const char* field) {
  return Status::badRequest(std::string("TokenRequest in version \"v1\" cannot be handled as a TokenRequest: ") + field +
                            " is of the wrong type");
}

Result<Wanted> wantedOf(const Json& tree, const ApiRequest& r) {
  Wanted w;
  auto* spec = objectAt(tree, "spec");
  if (auto* list = spec ? spec->if_contains("audiences") : nullptr; list && !list->is_null()) {
    if (!list->is_array()) return malformed("spec.audiences");
    for (auto& a : list->get_array()) {
      if (!a.is_string()) return malformed("spec.audiences");
      w.audiences.emplace_back(view(a.get_string()));
    }
  }
  if (auto* n = spec ? spec->if_contains("expirationSeconds") : nullptr; n && !n->is_null()) {
    if (!n->is_int64() && !n->is_uint64()) return malformed("spec.expirationSeconds");
    w.seconds = n->is_int64() ? n->get_int64() : int64_t(std::min<uint64_t>(n->get_uint64(), uint64_t(INT64_MAX)));
  }
  if (auto* m = spec ? spec->if_contains("boundObjectRef") : nullptr; m && !m->is_null()) {
    auto* ref = m->if_object();
    if (!ref) return malformed("spec.boundObjectRef");
    w.kind = textAt(ref, "kind");
    w.apiVersion = textAt(ref, "apiVersion");
    w.name = textAt(ref, "name");
    w.uid = textAt(ref, "uid");
  }
  api::ErrorList errors;
  if (w.seconds < kShortest)
    errors.invalidRaw("spec.expirationSeconds", std::to_string(w.seconds), "may not specify a duration less than 10 minutes");
  if (w.seconds > kLongest)
    errors.invalidRaw("spec.expirationSeconds", std::to_string(w.seconds), "may not specify a duration larger than 2^32 seconds");
  if (errors.empty()) return w;
  ResourceInfo info;
  info.group = "authentication.k8s.io";
  info.kind = "TokenRequest";
  return errors.toStatus(info, r.name);
}

// A node gets tokens only for pods that run on it.
Result<> checkNode(const ApiRequest& r, const Wanted& w, const api::Object* pod) {
  auto node = nodeOf(r.user);
  if (node.empty() || r.user.inGroup(kAdmins)) return {};
  const char* why = !pod || w.kind != "Pod"     ? "node requested token not bound to a pod"
                    : w.uid.empty()             ? "node requested token with a pod binding without a uid"
                    : nodeNameOf(*pod) != node  ? "node requested token bound to a pod scheduled on a different node"
                                                : nullptr;
  return why ? Result<>(forbidden(*r.info, r.name, why)) : Result<>();
}

Result<> bind(const Core& core, const ApiRequest& r, const Wanted& w, TokenClaims& claims) {
  if (w.kind.empty() && w.name.empty()) return checkNode(r, w, nullptr);
  const ResourceInfo* info = w.apiVersion != "v1"  ? nullptr
                             : w.kind == "Pod"     ? core.pods
                             : w.kind == "Node"    ? core.nodes
                             : w.kind == "Secret"  ? core.registry->find("", "v1", "secrets")
                                                   : nullptr;
  if (!info) return Status::badRequest("cannot bind token for serviceaccount \"" + r.name + "\" to object of kind " + w.apiVersion + ", Kind=" + w.kind);
  auto object = core.cache->get(*info, info->namespaced ? r.ns + "/" + w.name : w.name);
  if (!object) return notFound(*info, w.name);
  PH_TRY(checkNode(r, w, object.get()));
  if (!w.uid.empty() && w.uid != object->uid())
    return conflict(*info, w.name, "the UID in the bound object reference (" + w.uid + ") does not match the UID in record. " +
                                       "The object might have been deleted and then recreated");
  TokenRef ref{object->name(), object->uid()};
  if (w.kind == "Secret") {
    claims.secret = std::move(ref);
  } else if (w.kind == "Node") {
    claims.node = std::move(ref);
  } else {
    auto& spec = object->as<v1::Pod>().spec;
    if (spec.serviceAccountName != r.name)
      return Status::badRequest("cannot bind token for serviceaccount \"" + r.name +
                                "\" to pod running with different serviceaccount name.");
    claims.pod = std::move(ref);
    if (!spec.nodeName.empty()) {
      claims.node.name = spec.nodeName;
      if (auto node = core.cache->get(*core.nodes, spec.nodeName)) claims.node.uid = node->uid();
    }
  }
  return {};
}

int64_t secondsOf(WallTime t) { return std::chrono::floor<std::chrono::seconds>(t).time_since_epoch().count(); }

}  // namespace

bool isTokenRequest(const ApiRequest& r) {
  return r.subresource == "token" && r.info->group.empty() && r.info->kind == "ServiceAccount";
}

Result<WriteAnswer> createToken(const Core& core, const ApiRequest& r) {
  if (r.verb != Verb::Create) return Status::methodNotAllowed("a token can only be created");
  if (!core.tokens) return Status::unavailable("this server signs no tokens");
  PH_ASSIGN(Json tree, readRequest(core, r));
  auto account = core.cache->get(*r.info, r.key());
  if (!account) return notFound(*r.info, r.name);
  PH_ASSIGN(auto wanted, wantedOf(tree, r));
  if (wanted.audiences.empty()) wanted.audiences = core.tokens->audiences();

  TokenClaims claims;
  PH_TRY(bind(core, r, wanted, claims));
  claims.issuer = core.tokens->issuer();
  claims.id = core.executor->random().uuid();
  claims.ns = r.ns;
  claims.account = {account->name(), account->uid()};
  claims.audiences = wanted.audiences;
  auto now = secondsOf(core.now());
  claims.issued = claims.notBefore = now;
  claims.expires = now + wanted.seconds;
  auto told = claims.expires;
  if (wanted.seconds == kProjected && !claims.pod.empty() && wanted.audiences == core.tokens->audiences()) {
    claims.warnAfter = claims.expires;
    claims.expires = now + kProjectedLife;
  }
  std::string token;
  if (!r.options.dryRun) {
    PH_ASSIGN(token, core.tokens->issue(claims));
  }
  auto& root = tree.get_object();
  root["apiVersion"] = kApiVersion;
  root["kind"] = "TokenRequest";
  auto& metadata = makeObject(root, "metadata");
  metadata["name"] = r.name;
  metadata["namespace"] = r.ns;
  metadata["creationTimestamp"] = formatTime(core.now());
  auto& spec = makeObject(root, "spec");
  JsonArray audiences;
  for (auto& a : wanted.audiences) audiences.emplace_back(a);
  spec["audiences"] = std::move(audiences);
  spec["expirationSeconds"] = wanted.seconds;
  if (!spec.contains("boundObjectRef")) spec["boundObjectRef"] = nullptr;
  root["status"] = JsonObject{{"token", std::move(token)},
                              {"expirationTimestamp", formatTime(WallTime(std::chrono::seconds(told)))}};
  WriteAnswer answer;
  answer.code = 201;
  answer.text = api::toText(tree);
  return answer;
}

Result<std::string> secretToken(const Core& core, const api::Object& account, const std::string& secret) {
  if (!core.tokens) return Status::unavailable("this server signs no tokens");
  TokenClaims claims;
  claims.legacy = true;
  claims.issuer = kLegacyIssuer;
  claims.ns = account.ns();
  claims.account = {account.name(), account.uid()};
  claims.secret.name = secret;
  return core.tokens->issue(claims);
}

}  // namespace ph::server
