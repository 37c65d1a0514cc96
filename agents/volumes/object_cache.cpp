#include "agents/volumes/object_cache.h"

namespace ph::agents {

ObjectCache::ObjectCache(client::Client& client, std::shared_ptr<Executor> strand) : client_(client), strand_(std::move(strand)) {}

ObjectCache::~ObjectCache() {
  for (auto& [ref, f] : followed_) f.reflector->stop();
}

void ObjectCache::acquire(const ObjectRef& ref) {
  auto& f = followed_[ref];
  if (f.users++ > 0) return;
  client::Reflector::Options options;
  options.ns = ref.ns;
  options.fieldSelector = "metadata.name=" + ref.name;
  options.maxBackoff = std::chrono::seconds(5);
  std::weak_ptr<ObjectCache> weak = weak_from_this();
  auto tell = [weak, ref] {
    auto self = weak.lock();
    if (self && self->onChange_) self->onChange_(ref);
  };
  client::Reflector::Handlers handlers;
  handlers.onChanges = [tell](const std::vector<client::Change>&) { tell(); };
  handlers.onSynced = tell;
  auto* info = client_.registry().find("", "v1", ref.plural());
  f.reflector = client::Reflector::start(client_, *info, strand_, std::move(options), std::move(handlers));
}

void ObjectCache::release(const ObjectRef& ref) {
  auto it = followed_.find(ref);
  if (it == followed_.end() || --it->second.users > 0) return;
  it->second.reflector->stop();
  followed_.erase(it);
}

bool ObjectCache::known(const ObjectRef& ref) const {
  auto it = followed_.find(ref);
  return it != followed_.end() && it->second.reflector->synced();
}

api::ObjectPtr ObjectCache::get(const ObjectRef& ref) const {
  auto it = followed_.find(ref);
  return it == followed_.end() ? nullptr : it->second.reflector->get(ref.key());
}

std::string ObjectCache::error(const ObjectRef& ref) const {
  auto it = followed_.find(ref);
  return it == followed_.end() ? std::string() : it->second.reflector->lastError();
}

}  // namespace ph::agents
