#include "engine/controllers/serviceaccount/secrets.h"

#include "engine/base/base64.h"
#include "engine/api/types/core.h"
#include "engine/base/log.h"

namespace ph::controllers {

namespace {

namespace v1 = api::core;
constexpr std::string_view kType = "kubernetes.io/service-account-token";
constexpr const char* kAccountName = "kubernetes.io/service-account.name";
constexpr const char* kAccountUid = "kubernetes.io/service-account.uid";

// Most secrets are others, and need not be decoded to know it.
bool isTokenSecret(const api::Object& secret) {
  return secret.stored().find(kType) != std::string::npos && secret.as<v1::Secret>().type == kType;
}

std::string annotation(const v1::Secret& secret, const char* key) {
  auto& all = secret.metadata.annotations;
  auto it = all.find(key);
  return it == all.end() ? std::string() : it->second;
}

}  // namespace

Plan reconcileTokenSecret(const Snapshot& snapshot, const Key& key, const std::string& rootCa, const SignSecretToken& sign) {
  Plan plan;
  auto& kinds = snapshot.kinds();
  ObjectPtr object = snapshot.get(kinds.secrets, key.text);
  if (!object || object->meta().deleting || !isTokenSecret(*object)) return plan;
  auto& secret = object->as<v1::Secret>();
  auto name = annotation(secret, kAccountName), uid = annotation(secret, kAccountUid);
  ObjectPtr account = snapshot.get(kinds.serviceAccounts, key.ns + "/" + name);
  if (!account || (!uid.empty() && account->uid() != uid)) {
    plan.absences.push_back({kinds.serviceAccounts, key.ns, name, uid});
    plan.remove(*object);
    return plan;
  }
  JsonObject data;
  auto has = [&](const char* name, const std::string* value) {
    auto it = secret.data.find(name);
    return it != secret.data.end() && (value ? it->second == *value : !it->second.empty());
  };
  if (!has("token", nullptr)) {
    auto token = sign(*account, object->name());
    if (!token.ok()) {
      PH_LOG(Error, "controllers", "{}: no token: {}", key.text, token.status().message);
      plan.lookAgain(std::chrono::seconds(30));
      return plan;
    }
    data["token"] = toBase64(*token);
  }
  if (!rootCa.empty() && !has("ca.crt", &rootCa)) data["ca.crt"] = toBase64(rootCa);
  if (!has("namespace", nullptr)) data["namespace"] = toBase64(key.ns);
  JsonObject change;
  if (!data.empty()) change["data"] = std::move(data);
  if (uid.empty()) change["metadata"] = JsonObject{{"annotations", JsonObject{{kAccountUid, account->uid()}}}};
  if (!change.empty()) plan.patch(*object, change);
  return plan;
}

Plan reconcileAccountSecret(const Snapshot& snapshot, const Key& key) {
  Plan plan;
  auto& kinds = snapshot.kinds();
  ObjectPtr account = snapshot.get(kinds.serviceAccounts, key.text);
  ObjectPtr ns = snapshot.get(kinds.namespaces, key.ns);
  if (!account || account->meta().deleting || !ns || ns->meta().deleting) return plan;
  if (!account->as<v1::ServiceAccount>().secrets.empty()) return plan;
  // A name that follows from the account: made again before the first one is seen here, it is no second one.
  std::string name = account->name() + "-token-" + account->uid().substr(0, 5);
  if (snapshot.get(kinds.secrets, key.ns + "/" + name)) {
    plan.patch(*account, JsonObject{{"secrets", JsonArray{JsonObject{{"name", name}}}}});
    return plan;
  }
  plan.create(kinds.secrets, key.ns,
              JsonObject{{"apiVersion", "v1"},
                         {"kind", "Secret"},
                         {"type", kType},
                         {"metadata", JsonObject{{"name", name},
                                                 {"namespace", key.ns},
                                                 {"annotations", JsonObject{{kAccountName, account->name()}, {kAccountUid, account->uid()}}}}}});
  return plan;
}

ControllerSpec accountSecretsController(const Kinds& kinds) {
  ControllerSpec spec;
  spec.name = "serviceaccount-secrets-controller";
  spec.watches = {{kinds.serviceAccounts, keySelf}, {kinds.secrets, [](const Snapshot&, const client::Change& c, Keys& keys) {
                     if (!isTokenSecret(*c.any())) return;
                     auto name = annotation(c.any()->as<v1::Secret>(), kAccountName);
                     if (!name.empty()) keys.push_back(c.any()->ns() + "/" + name);
                   }}};
  spec.reconcile = [](const Snapshot& snapshot, const Key& key, Moment) { return reconcileAccountSecret(snapshot, key); };
  return spec;
}

ControllerSpec tokenSecretsController(const Kinds& kinds, std::string rootCa, SignSecretToken sign) {
  ControllerSpec spec;
  spec.name = "serviceaccount-token-controller";
  spec.watches = {{kinds.secrets,
                   [](const Snapshot&, const client::Change& c, Keys& keys) {
                     if (c.now && isTokenSecret(*c.now)) keys.push_back(c.now->key());
                   }},
                  {kinds.serviceAccounts, [](const Snapshot& snapshot, const client::Change& c, Keys& keys) {
                     if (c.now && c.old && c.now->uid() == c.old->uid()) return;
                     auto& account = c.now ? *c.now : *c.old;
                     for (auto& [key, secret] : snapshot.all(snapshot.kinds().secrets).prefix(account.ns() + "/"))
                       if (isTokenSecret(*secret) && annotation(secret->as<v1::Secret>(), kAccountName) == account.name())
                         keys.push_back(key);
                   }}};
  spec.reconcile = [rootCa = std::move(rootCa), sign = std::move(sign)](const Snapshot& snapshot, const Key& key, Moment) {
    return reconcileTokenSecret(snapshot, key, rootCa, sign);
  };
  return spec;
}

}  // namespace ph::controllers
