// ServiceAccount: a pod runs as an account of its namespace, "default" unless it says otherwise, and finds the account's token.
#include "engine/server/admission/steps.h"

#include "engine/api/codec.h"
#include "engine/api/types/core.h"
#include "engine/server/json_util.h"

namespace ph::server::steps {
namespace {

namespace v1 = api::core;
constexpr std::string_view kTokenFolder = "/var/run/secrets/kubernetes.io/serviceaccount";
constexpr std::string_view kMirror = "kubernetes.io/config.mirror";
constexpr int64_t kTokenSeconds = 3607;  // by this number the token's maker knows what the token is for

JsonArray& arrayAt(JsonObject& parent, std::string_view key) {
  Json& m = parent[key];
  if (!m.is_array()) m.emplace_array();
  return m.get_array();
}

bool hasEntry(const JsonObject& parent, std::string_view list, std::string_view key, std::string_view value) {
  auto* m = parent.if_contains(list);
  if (!m || !m->is_array()) return false;
  for (auto& entry : m->get_array())
    if (textAt(entry.if_object(), key) == value) return true;
  return false;
}

JsonObject tokenVolume(const std::string& name) {
  JsonObject token{{"serviceAccountToken", JsonObject{{"expirationSeconds", kTokenSeconds}, {"path", "token"}}}};
  JsonObject ca{{"configMap", JsonObject{{"name", "kube-root-ca.crt"},
                                         {"items", JsonArray{JsonObject{{"key", "ca.crt"}, {"path", "ca.crt"}}}}}}};
  JsonObject ns{{"path", "namespace"},
                {"fieldRef", JsonObject{{"apiVersion", "v1"}, {"fieldPath", "metadata.namespace"}}}};
  JsonObject about{{"downwardAPI", JsonObject{{"items", JsonArray{std::move(ns)}}}}};
  return JsonObject{{"name", name},
                    {"projected", JsonObject{{"defaultMode", 0644},
                                             {"sources", JsonArray{std::move(token), std::move(ca), std::move(about)}}}}};
}

// Into every container that has nothing at that place yet.
void mountToken(Random& random, JsonObject& spec) {
  std::string name;
  for (auto list : {"initContainers", "containers"}) {
    auto* containers = spec.if_contains(list);
    if (!containers || !containers->is_array()) continue;
    for (auto& c : containers->get_array()) {
      auto* container = c.if_object();
      if (!container || hasEntry(*container, "volumeMounts", "mountPath", kTokenFolder)) continue;
      while (name.empty() || hasEntry(spec, "volumes", "name", name)) name = "kube-api-access-" + random.suffix();
      arrayAt(*container, "volumeMounts").push_back(JsonObject{{"name", name}, {"readOnly", true}, {"mountPath", kTokenFolder}});
    }
  }
  if (!name.empty()) arrayAt(spec, "volumes").push_back(tokenVolume(name));
}

Result<> mirrorPod(Admission& a, const JsonObject& spec) {
  if (textAt(&spec, "serviceAccountName").empty() || textAt(&spec, "serviceAccountName") == "default") return {};
  return forbidden(a.info, a.request.name, "a mirror pod may not reference service accounts");
}

}  // namespace

Result<> serviceAccount(Admission& a) {
  if (&a.info != a.core.pods || a.old) return {};
  auto& spec = makeObject(a.object, "spec");
  auto* metadata = objectAt(a.object, "metadata");
  if (auto* annotations = metadata ? metadata->if_contains("annotations") : nullptr;
      annotations && annotations->is_object() && annotations->get_object().contains(kMirror))
    return mirrorPod(a, spec);

  std::string name(textAt(&spec, "serviceAccountName"));
  if (name.empty()) name = textAt(&spec, "serviceAccount");
  if (name.empty()) name = "default";
  spec["serviceAccountName"] = name;
  spec["serviceAccount"] = name;
  auto* info = a.core.registry->find("", "v1", "serviceaccounts");
  auto account = a.core.cache->get(*info, a.request.ns + "/" + name);
  // Every namespace gets a default account, if need be a moment after its first pods. Nothing can have been set in it yet,
  // so they need not wait: their token is asked for later, by the node.
  if (!account && name != "default")
    return forbidden(a.info, a.request.name,
                     "error looking up service account " + a.request.ns + "/" + name + ": serviceaccount \"" + name + "\" not found");

  auto* sa = account ? &account->as<v1::ServiceAccount>() : nullptr;
  bool automount = !sa || !sa->automountServiceAccountToken || *sa->automountServiceAccountToken;
  if (auto* own = spec.if_contains("automountServiceAccountToken"); own && own->is_bool()) automount = own->get_bool();
  if (automount && a.core.tokens) mountToken(a.core.executor->random(), spec);
  if (sa && !sa->imagePullSecrets.empty()) {
    auto& own = arrayAt(spec, "imagePullSecrets");
    if (own.empty())
      for (auto& s : sa->imagePullSecrets) own.push_back(JsonObject{{"name", s.name}});
  }
  return {};
}

}  // namespace ph::server::steps
