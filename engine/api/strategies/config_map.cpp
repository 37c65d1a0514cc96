#include "engine/base/base64.h"
#include "engine/api/strategies/common.h"

namespace ph::api::strategies {
namespace {

constexpr size_t kMaxSize = 1 << 20;

void validate(const Json& cm, const WriteContext&, ErrorList& errors) {
  size_t total = 0;
  auto &data = object(cm, "data"), &binary = object(cm, "binaryData");
  for (auto& kv : data) {
    auto key = text(view(kv.key()));
    if (auto why = checkConfigKey(key); !why.empty()) errors.invalid("data[" + key + "]", key, why);
    if (binary.contains(kv.key())) errors.invalid("data[" + key + "]", key, "duplicate of key present in binaryData");
    if (kv.value().is_string()) total += kv.value().get_string().size();
  }
  for (auto& kv : binary) {
    auto key = text(view(kv.key()));
    if (auto why = checkConfigKey(key); !why.empty()) errors.invalid("binaryData[" + key + "]", key, why);
    if (kv.value().is_string()) total += base64Size(view(kv.value().get_string()));
  }
  if (total > kMaxSize) errors.tooLong("", kMaxSize);
}

void validateUpdate(const Json& cm, const Json& old, const WriteContext&, ErrorList& errors) {
  if (!flag(old, "immutable")) return;
  if (!flag(cm, "immutable")) errors.forbidden("immutable", "field is immutable when `immutable` is set");
  if (object(cm, "data") != object(old, "data")) errors.forbidden("data", "field is immutable when `immutable` is set");
  if (object(cm, "binaryData") != object(old, "binaryData")) errors.forbidden("binaryData", "field is immutable when `immutable` is set");
}

void cells(const Json& cm, WallTime, std::vector<Json>& out) {
  out.emplace_back(static_cast<int64_t>(object(cm, "data").size() + object(cm, "binaryData").size()));
}

}  // namespace

const Strategy configMapStrategy{.validate = validate, .validateUpdate = validateUpdate, .cells = cells};

}  // namespace ph::api::strategies
