// QuotaLedger: what the ResourceQuotas of each namespace allow, what is used, and what writes under way are about to use.
// A write reserves what it adds before it is committed, under the namespace's lock and in all of its quotas at once, so no
// number of parallel writes exceeds one; when it commits, the reservation becomes use, and else it is given back.
// The use of each quota is counted once over the cache when the quota comes or changes (at its admission, not on the store's
// thread), then follows every commit; a commit that the count has seen already (by its revision) is not taken twice.
// Threads: all methods from any thread; each locks for a moment. A namespace without quotas costs a look into a map.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/api/quota_usage.h"
#include "engine/cache/cache.h"

namespace ph::server {

using api::Amounts;
using api::Json;
using api::ObjectPtr;
using api::QuotaRule;
using api::ResourceInfo;

// One quota's account.
struct QuotaAccount {
  std::string name;
  QuotaRule rule;
  bool live = false;                      // counted, and the quota is stored
  Amounts used, reserved;                 // of what the rule limits
  std::map<std::string, int64_t> since;   // by kind (groupResource): `used` follows commits after this revision
};

struct QuotaSpace {  // a namespace with quotas
  std::mutex mutex;
  std::vector<std::shared_ptr<QuotaAccount>> accounts;
};

// What one write reserved, or the account of the quota that it is about to store. Gives back when it goes.
struct QuotaHold {
  ~QuotaHold();
  void release();  // under the space's lock

  std::shared_ptr<QuotaSpace> space;
  std::vector<std::pair<std::shared_ptr<QuotaAccount>, Amounts>> reserved;
  std::shared_ptr<QuotaAccount> staged;
};

class QuotaLedger {
 public:
  // The cache must outlive every call but settle().
  QuotaLedger(const cache::Cache& cache, const api::Registry& registry) : cache_(cache), registry_(registry) {}

  // Accounts for the quotas that are stored. Before the first request.
  void load();
  // Reserves what a create (old: null) or update of an object adds. Null: nothing to reserve. A failure's message says why, as
  // Kubernetes words it; it is to be made a 403 about the object.
  Result<std::shared_ptr<QuotaHold>> reserve(const ResourceInfo& info, const std::string& ns, const Json& object, const Json* old);
  // An account for a quota that is about to be stored or changed.
  std::shared_ptr<QuotaHold> stage(const std::string& ns, const std::string& name, const Json& quota);
  // A write was committed: `now` is null when the object has gone. Called once for each commit, in order for each object.
  void settle(const std::string& ns, const ObjectPtr& old, const ObjectPtr& now, int64_t revision, std::shared_ptr<QuotaHold> hold);
  // For tests.
  Amounts used(const std::string& ns, const std::string& quota) const;

 private:
  std::shared_ptr<QuotaSpace> find(std::string_view ns) const;
  std::shared_ptr<QuotaSpace> open(const std::string& ns, std::shared_ptr<QuotaAccount> account);
  void close(const std::string& ns);
  void count(QuotaSpace& space, const std::string& ns, QuotaAccount& account);
  Amounts countKind(const ResourceInfo& info, const cache::KindSnapshot& snapshot, const std::string& ns, const QuotaRule& rule) const;
  void countLate(const ResourceInfo& info, const std::string& ns, QuotaAccount& account);

  const cache::Cache& cache_;
  const api::Registry& registry_;
  mutable std::shared_mutex mutex_;
  std::unordered_map<std::string, std::shared_ptr<QuotaSpace>> spaces_;
  std::atomic<size_t> spacesCount_{0};
};

// Is this the kind whose objects are quotas?
bool isQuota(const ResourceInfo& info);

}  // namespace ph::server
