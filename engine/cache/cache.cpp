#include "engine/cache/cache.h"

#include "engine/cache/core.h"

namespace ph::cache {
namespace {

class Handle : public WatchHandle {
 public:
  Handle(std::shared_ptr<Core> core, std::shared_ptr<WatchHub> hub, std::shared_ptr<Watcher> watcher)
      : core_(std::move(core)), hub_(std::move(hub)), watcher_(std::move(watcher)) {}
  ~Handle() override {
    watcher_->cancel();
    hub_->detach(watcher_.get());
  }
  int64_t progress() const override {
    // In this order: what was published before the first line has left the hub by the second, and the
    // watcher's queue by the third, or the answer is the careful one.
    int64_t published = core_->published();
    if (watcher_->begunAt() >= 0 && hub_->settled() && watcher_->idle())
      return std::max(published, watcher_->delivered());
    return std::max(watcher_->delivered(), watcher_->request().after);
  }

 private:
  std::shared_ptr<Core> core_;
  std::shared_ptr<WatchHub> hub_;
  std::shared_ptr<Watcher> watcher_;
};

class CacheImpl : public Cache {
 public:
  CacheImpl(std::shared_ptr<Core> core, std::shared_ptr<store::Store> store)
      : store_(std::move(store)), core_(std::move(core)) {}
  ~CacheImpl() override {
    core_->close();
    store_.reset();  // its last callbacks come here when this was its only owner
  }

  ObjectPtr get(const ResourceInfo& info, const std::string& key) const override {
    return core_->kind(info).get(key);
  }
  KindSnapshot snapshot(const ResourceInfo& info) const override { return core_->kind(info).snapshot(); }
  Result<KindSnapshot> snapshotAt(const ResourceInfo& info, int64_t revision) const override {
    return core_->kind(info).snapshotAt(revision);
  }
  int64_t revision() const override { return core_->revision(); }
  int64_t changedAt(const ResourceInfo& info) const override { return core_->kind(info).changedAt(); }
  void mutate(Mutation mutation) override {
    std::vector<Mutation> one;
    one.push_back(std::move(mutation));
    core_->mutateAll(std::move(one));
  }
  void mutateAll(std::vector<Mutation> mutations) override { core_->mutateAll(std::move(mutations)); }
  Result<std::unique_ptr<WatchHandle>> watch(WatchRequest request) override {
    Kind& kind = core_->kind(*request.info);
    PH_TRY(core_->checkWatch(kind, request.after));
    auto watcher = std::make_shared<Watcher>(std::move(request), core_->executor());
    auto handle = std::make_unique<Handle>(core_, kind.hub(), watcher);
    core_->beginWatch(watcher);
    return std::unique_ptr<WatchHandle>(std::move(handle));
  }
  void endWatches(const ResourceInfo& info, Status status) override { core_->kind(info).hub()->endAll(status); }
  bool readOnly() const override { return core_->readOnly(); }

 private:
  std::shared_ptr<store::Store> store_;
  std::shared_ptr<Core> core_;
};

}  // namespace

Result<std::unique_ptr<Cache>> Cache::open(std::shared_ptr<store::Store> store,
                                           std::shared_ptr<api::Registry> registry,
                                           std::shared_ptr<Executor> executor) {
  auto core = std::make_shared<Core>(store.get(), std::move(registry), std::move(executor));
  PH_TRY(core->load());
  core->start();
  return std::unique_ptr<Cache>(std::make_unique<CacheImpl>(std::move(core), std::move(store)));
}

}  // namespace ph::cache
