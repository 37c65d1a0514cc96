#include "engine/server/admission/quota_ledger.h"

#include <algorithm>
#include <set>

#include "engine/api/codec.h"
#include "engine/server/json_util.h"

namespace ph::server {

using api::core::Pod;

namespace {

bool isCore(const ResourceInfo& info, std::string_view plural) { return info.group.empty() && info.plural == plural; }
bool isPods(const ResourceInfo& info) { return isCore(info, "pods"); }

// The kinds whose updates may use more than before.
bool growsByUpdate(const ResourceInfo& info) { return isCore(info, "services") || isCore(info, "persistentvolumeclaims"); }

Amounts usageIn(const QuotaRule& rule, const api::Object& object) {
  const Pod* pod = isPods(object.info()) ? &object.as<Pod>() : nullptr;
  if (!rule.concerns(pod)) return {};
  return rule.limited(api::usageOf(object));
}

// A pod's use changes by an update only when it ends, or its scopes do.
bool sameUse(const ObjectPtr& old, const ObjectPtr& now) {
  if (!old || !now) return false;
  if (old == now) return true;
  if (!isPods(now->info())) return !growsByUpdate(now->info());
  auto &a = old->as<Pod>(), &b = now->as<Pod>();
  return api::podEnded(a) == api::podEnded(b) && a.spec.activeDeadlineSeconds == b.spec.activeDeadlineSeconds;
}

Amounts onlyMore(Amounts amounts) {
  std::erase_if(amounts, [](auto& kv) { return kv.second.isZero() || kv.second.negative(); });
  return amounts;
}

Amounts partOf(const Amounts& whole, const std::set<std::string>& names) {
  Amounts out;
  for (auto& name : names) {
    auto it = whole.find(name);
    out[name] = it == whole.end() ? api::Quantity() : it->second;
  }
  return out;
}

// Why the account has no room for it; empty: it has.
std::string exceeded(const QuotaAccount& account, const Amounts& wanted) {
  Amounts taken = account.used;
  api::add(taken, account.reserved);
  std::set<std::string> over;
  for (auto& [name, amount] : wanted) {
    auto it = taken.find(name);
    auto after = it == taken.end() ? amount : it->second + amount;
    if (account.rule.hard.at(name) < after) over.insert(name);
  }
  if (over.empty()) return {};
  return "exceeded quota: " + account.name + ", requested: " + api::amountsText(partOf(wanted, over)) +
         ", used: " + api::amountsText(partOf(taken, over)) + ", limited: " + api::amountsText(partOf(account.rule.hard, over));
}

}  // namespace

bool isQuota(const ResourceInfo& info) { return isCore(info, "resourcequotas"); }

QuotaHold::~QuotaHold() {
  if (!space || (reserved.empty() && !staged)) return;
  std::lock_guard lock(space->mutex);
  release();
  // The quota was not stored after all.
  if (staged && !staged->live) std::erase(space->accounts, staged);
}

void QuotaHold::release() {
  for (auto& [account, amounts] : reserved) api::subtract(account->reserved, amounts);
  reserved.clear();
}

std::shared_ptr<QuotaSpace> QuotaLedger::find(std::string_view ns) const {
  if (spacesCount_.load(std::memory_order_acquire) == 0) return nullptr;
  std::shared_lock lock(mutex_);
  auto it = spaces_.find(std::string(ns));
  return it == spaces_.end() ? nullptr : it->second;
}

// The namespace's space, with the account in it: from now on it hears of commits.
std::shared_ptr<QuotaSpace> QuotaLedger::open(const std::string& ns, std::shared_ptr<QuotaAccount> account) {
  std::unique_lock lock(mutex_);
  auto& space = spaces_[ns];
  if (!space) space = std::make_shared<QuotaSpace>();
  spacesCount_.store(spaces_.size(), std::memory_order_release);
  std::lock_guard inner(space->mutex);
  space->accounts.push_back(std::move(account));
  return space;
}

// Forgets a namespace that has no account left. Accounts are added under the same lock, so none is lost.
void QuotaLedger::close(const std::string& ns) {
  std::unique_lock lock(mutex_);
  auto it = spaces_.find(ns);
  if (it == spaces_.end()) return;
  {
    std::lock_guard inner(it->second->mutex);
    if (!it->second->accounts.empty()) return;
  }
  spaces_.erase(it);
  spacesCount_.store(spaces_.size(), std::memory_order_release);
}

Amounts QuotaLedger::countKind(const ResourceInfo&, const cache::KindSnapshot& snapshot, const std::string& ns,
                               const QuotaRule& rule) const {
  Amounts sum;
  std::string prefix = ns + "/";
  for (auto& [key, object] : snapshot.objects.prefix(prefix)) api::add(sum, usageIn(rule, *object));
  return sum;
}

void QuotaLedger::count(QuotaSpace& space, const std::string& ns, QuotaAccount& account) {
  std::vector<std::pair<const ResourceInfo*, cache::KindSnapshot>> kinds;
  {
    std::lock_guard lock(space.mutex);
    for (auto& [name, amount] : account.rule.hard) {
      auto [group, plural] = api::countedFor(name);
      auto* info = registry_.storage(group, plural);
      if (!info || account.since.contains(info->groupResource())) continue;
      kinds.emplace_back(info, cache_.snapshot(*info));
      account.since[info->groupResource()] = kinds.back().second.revision;
    }
  }
  Amounts sum;
  for (auto& [info, snapshot] : kinds) api::add(sum, countKind(*info, snapshot, ns, account.rule));
  std::lock_guard lock(space.mutex);
  api::add(account.used, sum);
}

// A kind that the registry did not know when the quota was counted. The space is locked.
void QuotaLedger::countLate(const ResourceInfo& info, const std::string& ns, QuotaAccount& account) {
  auto resource = info.groupResource();
  if (account.since.contains(resource) || !account.rule.hard.contains("count/" + resource)) return;
  auto snapshot = cache_.snapshot(info);
  account.since[resource] = snapshot.revision;
  api::add(account.used, countKind(info, snapshot, ns, account.rule));
}

void QuotaLedger::load() {
  auto* quotas = registry_.storage("", "resourcequotas");
  if (!quotas) return;
  for (auto& [key, quota] : cache_.snapshot(*quotas).objects) {
    auto hold = stage(quota->ns(), quota->name(), quota->tree());
    settle(quota->ns(), nullptr, quota, quota->revision(), std::move(hold));
  }
}

std::shared_ptr<QuotaHold> QuotaLedger::stage(const std::string& ns, const std::string& name, const Json& quota) {
  auto hold = std::make_shared<QuotaHold>();
  hold->staged = std::make_shared<QuotaAccount>();
  hold->staged->name = name;
  hold->staged->rule = QuotaRule::of(quota);
  hold->space = open(ns, hold->staged);
  count(*hold->space, ns, *hold->staged);
  return hold;
}

Result<std::shared_ptr<QuotaHold>> QuotaLedger::reserve(const ResourceInfo& info, const std::string& ns, const Json& object,
                                                        const Json* old) {
  auto space = find(ns);
  if (!space || (old && !growsByUpdate(info))) return std::shared_ptr<QuotaHold>();
  Pod pod;
  bool isPod = isPods(info);
  if (isPod) api::decodeLenient(object, *info.type, &pod);
  Amounts usage = isPod ? api::podUsage(pod) : api::usageOf(info, object);
  if (old) api::subtract(usage, api::usageOf(info, *old));
  usage = onlyMore(std::move(usage));
  if (usage.empty()) return std::shared_ptr<QuotaHold>();

  std::vector<std::pair<std::shared_ptr<QuotaAccount>, Amounts>> wanted;
  std::lock_guard lock(space->mutex);
  for (auto& account : space->accounts) {
    if (!account->live || !account->rule.concerns(isPod ? &pod : nullptr)) continue;
    if (isPod)
      if (auto missing = api::unspecified(account->rule, pod); !missing.empty())
        return Status::forbidden("failed quota: " + account->name + ": must specify " + missing);
    auto amounts = account->rule.limited(usage);
    if (amounts.empty()) continue;
    countLate(info, ns, *account);
    if (auto why = exceeded(*account, amounts); !why.empty()) return Status::forbidden(why);
    wanted.emplace_back(account, std::move(amounts));
  }
  if (wanted.empty()) return std::shared_ptr<QuotaHold>();
  for (auto& [account, amounts] : wanted) api::add(account->reserved, amounts);
  auto hold = std::make_shared<QuotaHold>();
  hold->space = space;
  hold->reserved = std::move(wanted);
  return hold;
}

void QuotaLedger::settle(const std::string& ns, const ObjectPtr& old, const ObjectPtr& now, int64_t revision,
                         std::shared_ptr<QuotaHold> hold) {
  auto space = hold && hold->space ? hold->space : find(ns);
  if (!space) return;
  auto& any = now ? now : old;
  if (!any) return;
  bool gone = false;
  {
    std::lock_guard lock(space->mutex);
    if (hold) hold->release();
    if (!sameUse(old, now)) {
      auto resource = any->info().groupResource();
      for (auto& account : space->accounts) {
        auto since = account->since.find(resource);
        if (since == account->since.end() || revision <= since->second) continue;
        if (old) api::subtract(account->used, usageIn(account->rule, *old));
        if (now) api::add(account->used, usageIn(account->rule, *now));
      }
    }
    if (isQuota(any->info())) {
      auto same = [&](auto& a) { return a->live && a->name == any->name(); };
      bool replaced = hold && hold->staged && now;
      if (!now || replaced) std::erase_if(space->accounts, same);
      if (replaced) hold->staged->live = true;
      gone = !now;
      // Kubernetes names the first quota that has no room: let it be the same one each time.
      std::sort(space->accounts.begin(), space->accounts.end(), [](auto& a, auto& b) { return a->name < b->name; });
    }
  }
  hold.reset();
  if (gone) close(ns);
}

Amounts QuotaLedger::used(const std::string& ns, const std::string& quota) const {
  auto space = find(ns);
  if (!space) return {};
  std::lock_guard lock(space->mutex);
  for (auto& account : space->accounts)
    if (account->live && account->name == quota) return account->used;
  return {};
}

}  // namespace ph::server
