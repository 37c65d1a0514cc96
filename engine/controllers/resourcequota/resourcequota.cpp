#include "engine/controllers/resourcequota/resourcequota.h"

#include <set>

#include "engine/api/quota_usage.h"

namespace ph::controllers {

using api::Amounts;
using api::QuotaRule;

namespace {

bool isPods(const Snapshot& snapshot, const ResourceInfo* kind) { return kind == snapshot.kinds().pods; }

Amounts used(const Snapshot& snapshot, const std::string& ns, const QuotaRule& rule) {
  std::set<const ResourceInfo*> kinds;
  for (auto& [name, amount] : rule.hard) {
    auto [group, plural] = api::countedFor(name);
    if (auto* kind = snapshot.registry().storage(group, plural)) kinds.insert(kind);
  }
  Amounts sum, out;
  std::string prefix = ns + "/";
  for (auto* kind : kinds)
    for (auto& [key, object] : snapshot.all(kind).prefix(prefix)) {
      auto* pod = isPods(snapshot, kind) ? &object->as<api::core::Pod>() : nullptr;
      if (rule.concerns(pod)) api::add(sum, rule.limited(api::usageOf(*object)));
    }
  for (auto& [name, amount] : rule.hard) {
    auto it = sum.find(name);
    out[name] = it == sum.end() ? api::Quantity() : it->second;
  }
  return out;
}

JsonObject texts(const Amounts& amounts) {
  JsonObject out;
  for (auto& [name, amount] : amounts) out[name] = amount.text();
  return out;
}

}  // namespace

Plan reconcileResourceQuota(const Snapshot& snapshot, const Key& key, Moment) {
  Plan plan;
  ObjectPtr object = snapshot.get(snapshot.kinds().resourceQuotas, key.text);
  if (!object || object->meta().deleting) return plan;
  auto& quota = object->as<api::core::ResourceQuota>();
  auto rule = QuotaRule::of(object->tree());
  auto now = used(snapshot, object->ns(), rule);
  if (quota.status.hard == rule.hard && quota.status.used == now) return plan;
  JsonObject hard = texts(rule.hard), uses = texts(now);
  for (auto& [name, amount] : quota.status.hard)
    if (!rule.hard.contains(name)) hard[name] = nullptr;
  for (auto& [name, amount] : quota.status.used)
    if (!now.contains(name)) uses[name] = nullptr;
  plan.patchNewest(*object, JsonObject{{"status", JsonObject{{"hard", std::move(hard)}, {"used", std::move(uses)}}}}, "status");
  return plan;
}

namespace {

// Of a kind that a quota can count: what came or went, and pods and services that changed. Costs a look into a map where there
// is no quota.
void keysOfAny(const Snapshot& snapshot, const client::Change& change, Keys& keys) {
  auto& any = *change.any();
  if (any.ns().empty()) return;
  auto& kinds = snapshot.kinds();
  auto* kind = &any.info();
  if (change.old && change.now) {
    if (kind == kinds.pods) {
      if (api::podEnded(change.old->as<api::core::Pod>()) == api::podEnded(change.now->as<api::core::Pod>())) return;
    } else if (kind != kinds.services && kind != kinds.claims) {
      return;
    }
  }
  std::string prefix = any.ns() + "/";
  for (auto& [key, quota] : snapshot.all(kinds.resourceQuotas).prefix(prefix)) keys.push_back(key);
}

}  // namespace

ControllerSpec resourceQuotaController(const Kinds& kinds) {
  ControllerSpec spec;
  spec.name = "resourcequota-controller";
  spec.watches = {{kinds.resourceQuotas, keySelf}, {nullptr, keysOfAny}};
  spec.reconcile = reconcileResourceQuota;
  // Many objects come at once; nobody needs each step.
  spec.minInterval = std::chrono::milliseconds(100);
  return spec;
}

}  // namespace ph::controllers
