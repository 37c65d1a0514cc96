#include "engine/base/base64.h"
#include "engine/api/strategies/common.h"

namespace ph::api::strategies {
namespace {

constexpr size_t kMaxSize = 1 << 20;

// stringData is only a way to write: it goes into data and is never stored.
void mergeStringData(Json& secret) {
  auto* o = secret.if_object();
  auto* plain = o ? o->if_contains("stringData") : nullptr;
  if (!plain) return;
  Json texts = std::move(*plain);
  o->stable_erase(o->find("stringData"));
  if (!texts.is_object() || texts.get_object().empty()) return;
  auto& data = ensureObject(secret, "data");
  for (auto& kv : texts.get_object())
    if (kv.value().is_string()) data[kv.key()] = toBase64(view(kv.value().get_string()));
}

void prepareCreate(Json& secret, const WriteContext&) { mergeStringData(secret); }
void prepareUpdate(Json& secret, const Json&, const WriteContext&) { mergeStringData(secret); }

void needKey(const Json& secret, const char* key, ErrorList& errors) {
  if (!object(secret, "data").contains(key)) errors.required(std::string("data[") + key + "]");
}

void needJson(const Json& secret, const char* key, ErrorList& errors) {
  auto* v = object(secret, "data").if_contains(key);
  if (!v || !v->is_string()) return errors.required(std::string("data[") + key + "]");
  auto plain = fromBase64(view(v->get_string()));
  if (!plain || !parseJson(*plain).ok()) errors.invalid(std::string("data[") + key + "]", "<secret contents redacted>", "must be valid JSON");
}

void validateByType(const Json& secret, ErrorList& errors) {
  auto type = str(secret, "type");
  auto& data = object(secret, "data");
  if (type == "kubernetes.io/service-account-token") {
    auto& annotations = object(secret, "metadata.annotations");
    auto* name = annotations.if_contains("kubernetes.io/service-account.name");
    if (!name || !name->is_string() || name->get_string().empty()) errors.required("metadata.annotations[kubernetes.io/service-account.name]");
  } else if (type == "kubernetes.io/dockercfg") {
    needJson(secret, ".dockercfg", errors);
  } else if (type == "kubernetes.io/dockerconfigjson") {
    needJson(secret, ".dockerconfigjson", errors);
  } else if (type == "kubernetes.io/tls") {
    needKey(secret, "tls.crt", errors);
    needKey(secret, "tls.key", errors);
  } else if (type == "kubernetes.io/ssh-auth") {
    auto* key = data.if_contains("ssh-privatekey");
    if (!key || !key->is_string() || key->get_string().empty()) errors.required("data[ssh-privatekey]");
  } else if (type == "kubernetes.io/basic-auth") {
    if (!data.contains("username") && !data.contains("password")) {
      errors.required("data[username]");
      errors.required("data[password]");
    }
  }
}

void validate(const Json& secret, const WriteContext&, ErrorList& errors) {
  size_t total = 0;
  for (auto& kv : object(secret, "data")) {
    auto key = text(view(kv.key()));
    if (auto why = checkConfigKey(key); !why.empty()) errors.invalid("data[" + key + "]", key, why);
    if (kv.value().is_string()) total += base64Size(view(kv.value().get_string()));
  }
  if (total > kMaxSize) errors.tooLong("data", kMaxSize);
  validateByType(secret, errors);
}

void validateUpdate(const Json& secret, const Json& old, const WriteContext&, ErrorList& errors) {
  immutable(secret, old, "type", errors);
  if (!flag(old, "immutable")) return;
  if (!flag(secret, "immutable")) errors.forbidden("immutable", "field is immutable when `immutable` is set");
  if (object(secret, "data") != object(old, "data")) errors.forbidden("data", "field is immutable when `immutable` is set");
}

void cells(const Json& secret, WallTime, std::vector<Json>& out) { out.emplace_back(static_cast<int64_t>(object(secret, "data").size())); }

constexpr std::string_view kSelectable[] = {"type", ""};

}  // namespace

const Strategy secretStrategy{.prepareCreate = prepareCreate,
                              .prepareUpdate = prepareUpdate,
                              .validate = validate,
                              .validateUpdate = validateUpdate,
                              .cells = cells,
                              .selectableFields = kSelectable};

}  // namespace ph::api::strategies
