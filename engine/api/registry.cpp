#include "engine/api/registry.h"

#include <algorithm>
#include <deque>
#include <mutex>
#include <shared_mutex>
#include <unordered_map>

#include "engine/api/builtin.h"
#include "engine/api/convert.h"
#include "engine/api/custom/kind.h"

namespace ph::api {
namespace {

constexpr size_t kMaxResources = 10'000;

std::string join(std::string_view a, std::string_view b, std::string_view c) {
  std::string out;
  out.reserve(a.size() + b.size() + c.size() + 2);
  out.append(a).append(1, '\0').append(b).append(1, '\0').append(c);
  return out;
}

// Kubernetes' order of versions: GA before beta before alpha, higher numbers first, others last by name.
struct VersionRank {
  int stage;  // 3 GA, 2 beta, 1 alpha, 0 other
  long major, minor;
};

VersionRank rankOf(std::string_view v) {
  auto number = [&](size_t& i) {
    long n = 0;
    while (i < v.size() && isdigit(static_cast<unsigned char>(v[i])) && n < 1'000'000) n = n * 10 + (v[i++] - '0');
    return n;
  };
  if (v.size() < 2 || v[0] != 'v' || !isdigit(static_cast<unsigned char>(v[1]))) return {0, 0, 0};
  size_t i = 1;
  long major = number(i);
  if (i == v.size()) return {3, major, 0};
  for (auto [word, stage] : {std::pair<std::string_view, int>{"beta", 2}, {"alpha", 1}}) {
    if (v.substr(i, word.size()) != word) continue;
    i += word.size();
    return {stage, major, number(i)};
  }
  return {0, 0, 0};
}

bool versionBefore(const std::string& a, const std::string& b) {
  VersionRank x = rankOf(a), y = rankOf(b);
  if (x.stage != y.stage) return x.stage > y.stage;
  if (x.major != y.major) return x.major > y.major;
  if (x.minor != y.minor) return x.minor > y.minor;
  return a < b;
}

struct Snapshot {
  std::vector<const ResourceInfo*> all;
  std::unordered_map<std::string, const ResourceInfo*> byResource, byKind, byStorage, byStoredKind;

  void index() {
    byResource.clear();
    byKind.clear();
    byStorage.clear();
    byStoredKind.clear();
    for (auto* r : all)
      if (r->storedVersion) byStoredKind.emplace(r->storageGroupKind, r);
    for (auto* r : all) {
      byResource.emplace(join(r->group, r->version, r->plural), r);
      byKind.emplace(join(r->group, r->version, r->kind), r);
      auto kept = byStoredKind.find(r->storageGroupKind);
      byStorage.emplace(join(r->group, r->plural, ""), kept == byStoredKind.end() ? r : kept->second);
    }
  }
};

// Clients take the first group that has a name they look for ("events", "ingresses", "pods"), so those with the usual one lead.
int groupRank(const ResourceInfo& r) {
  if (r.group.empty()) return 0;
  if (r.group == "apps") return 1;
  return r.group == "extensions" || r.group == "metrics.k8s.io" ? 3 : 2;
}

// One set for the whole process: their addresses are the same in every registry, and outlive them all.
const std::vector<ResourceInfo>& builtins() {
  static const std::vector<ResourceInfo> all = [] {
    auto made = builtinResources();
    std::stable_sort(made.begin(), made.end(), [](auto& a, auto& b) { return groupRank(a) < groupRank(b); });
    for (auto& r : made) {
      r.strategy = strategyFor(r.storageGroupKind);
      if (!r.storedVersion) r.conversion = conversionFor(r.group, r.version, r.kind);
    }
    return made;
  }();
  return all;
}

class RegistryImpl : public Registry {
 public:
  RegistryImpl() {
    auto snapshot = std::make_shared<Snapshot>();
    for (auto& r : builtins()) snapshot->all.push_back(&r);
    snapshot->index();
    current_ = std::move(snapshot);
  }

  const ResourceInfo* find(std::string_view group, std::string_view version, std::string_view plural) const override {
    auto s = snapshot();
    return lookup(s->byResource, join(group, version, plural));
  }
  const ResourceInfo* findKind(std::string_view group, std::string_view version, std::string_view kind) const override {
    auto s = snapshot();
    return lookup(s->byKind, join(group, version, kind));
  }
  const ResourceInfo* storage(std::string_view group, std::string_view plural) const override {
    auto s = snapshot();
    return lookup(s->byStorage, join(group, plural, ""));
  }
  const ResourceInfo* stored(const ResourceInfo& info) const override {
    if (info.storedVersion) return &info;
    auto s = snapshot();
    auto* found = lookup(s->byStoredKind, info.storageGroupKind);
    return found ? found : &info;
  }
  std::vector<const ResourceInfo*> all() const override { return snapshot()->all; }

  std::vector<std::pair<std::string, std::vector<std::string>>> groupVersions() const override {
    std::vector<std::pair<std::string, std::vector<std::string>>> out;
    auto s = snapshot();
    for (auto* r : s->all) {
      if (r->custom && !r->custom->served) continue;
      auto it = std::find_if(out.begin(), out.end(), [&](auto& g) { return g.first == r->group; });
      if (it == out.end()) it = out.insert(out.end(), {r->group, {}});
      if (std::find(it->second.begin(), it->second.end(), r->version) == it->second.end()) it->second.push_back(r->version);
    }
    for (auto& g : out) std::sort(g.second.begin(), g.second.end(), versionBefore);
    return out;
  }

  Result<const ResourceInfo*> add(ResourceInfo info) override {
    if (!info.type) return Status::internal("a resource without a schema");
    std::unique_lock lock(mutex_);
    auto next = std::make_shared<Snapshot>(*current_);
    if (next->all.size() >= kMaxResources) return Status::tooManyRequests("too many kinds are registered", 1);
    auto* old = lookup(next->byResource, join(info.group, info.version, info.plural));
    if (old && old->builtin)
      return Status::alreadyExists(info.groupResource() + " is built in");
    auto* sameKind = lookup(next->byKind, join(info.group, info.version, info.kind));
    if (sameKind && sameKind != old) return Status::alreadyExists("kind " + info.kind + " of " + info.apiVersion() + " exists");
    const ResourceInfo* fresh = keep(std::move(info));
    auto at = std::find(next->all.begin(), next->all.end(), old);
    if (old && at != next->all.end()) *at = fresh;
    else next->all.push_back(fresh);
    next->index();
    current_ = std::move(next);
    return fresh;
  }

  Result<> replace(std::string_view group, std::string_view plural, std::vector<ResourceInfo> infos) override {
    std::unique_lock lock(mutex_);
    auto next = std::make_shared<Snapshot>(*current_);
    std::vector<const ResourceInfo*> old;
    size_t place = next->all.size();
    for (size_t i = next->all.size(); i-- > 0;) {
      auto* r = next->all[i];
      if (r->group != group || r->plural != plural) continue;
      if (r->builtin) return Status::alreadyExists(r->groupResource() + " is built in");
      old.push_back(r);
      place = i;
      next->all.erase(next->all.begin() + ptrdiff_t(i));
    }
    if (next->all.size() + infos.size() > kMaxResources) return Status::tooManyRequests("too many kinds are registered", 1);
    for (auto& info : infos) {
      if (!info.type) return Status::internal("a resource without a schema");
      for (auto* r : next->all)
        if (r->group == info.group && r->version == info.version && r->kind == info.kind)
          return Status::alreadyExists("kind " + info.kind + " of " + info.apiVersion() + " exists");
    }
    for (auto& info : infos) {
      auto same = std::find_if(old.begin(), old.end(), [&](auto* r) {
        return r->version == info.version && r->custom && info.custom && r->custom->identity() == info.custom->identity();
      });
      const ResourceInfo* entry = same == old.end() ? keep(std::move(info)) : *same;
      next->all.insert(next->all.begin() + ptrdiff_t(place++), entry);
    }
    next->index();
    current_ = std::move(next);
    return {};
  }

  void remove(std::string_view group, std::string_view plural) override {
    std::unique_lock lock(mutex_);
    auto next = std::make_shared<Snapshot>(*current_);
    std::erase_if(next->all, [&](auto* r) { return r->group == group && r->plural == plural && !r->builtin; });
    next->index();
    current_ = std::move(next);
  }

 private:
  const ResourceInfo* keep(ResourceInfo info) {
    if (!info.strategy) info.strategy = strategyFor("");
    if (info.storageGroupKind.empty()) info.storageGroupKind = info.group + "/" + info.kind;
    info.builtin = false;
    kept_.push_back(std::make_unique<ResourceInfo>(std::move(info)));
    return kept_.back().get();
  }

  static const ResourceInfo* lookup(const std::unordered_map<std::string, const ResourceInfo*>& map, const std::string& key) {
    auto it = map.find(key);
    return it == map.end() ? nullptr : it->second;
  }

  std::shared_ptr<const Snapshot> snapshot() const {
    std::shared_lock lock(mutex_);
    return current_;
  }

  mutable std::shared_mutex mutex_;  // of current_ and kept_
  std::shared_ptr<const Snapshot> current_;
  std::deque<std::unique_ptr<ResourceInfo>> kept_;  // replaced entries too: others may hold pointers
};

}  // namespace

bool allows(const ResourceInfo& info, std::string_view verb) {
  return info.verbs.empty() || std::find(info.verbs.begin(), info.verbs.end(), verb) != info.verbs.end();
}

std::shared_ptr<Registry> Registry::builtin() { return std::make_shared<RegistryImpl>(); }

}  // namespace ph::api
