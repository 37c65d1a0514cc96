#include "engine/server/custom/custom_kinds.h"

#include <algorithm>

#include "engine/api/codec.h"
#include "engine/api/custom/definition.h"
#include "engine/api/custom/kinds.h"
#include "engine/base/log.h"
#include "engine/server/json_util.h"
#include "engine/server/writes.h"

namespace ph::server {
namespace {

namespace custom = api::custom;
using cache::Decision;
using namespace std::chrono_literals;

constexpr size_t kDeletesAtOnce = 500;

std::string text(const Json& tree, std::string_view path) {
  auto* v = api::at(tree, path);
  return v && v->is_string() ? std::string(view(v->get_string())) : std::string();
}

bool holds(const std::vector<std::string>& list, std::string_view name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

// Names that the other definitions of the group have accepted.
custom::TakenNames takenBesides(const Core& core, const ResourceInfo& definitions, const Json& tree, std::string_view name) {
  custom::TakenNames taken;
  auto group = text(tree, "spec.group");
  for (auto& [key, object] : core.cache->snapshot(definitions).objects) {
    if (key == name) continue;
    Json other = object->tree();
    if (text(other, "spec.group") == group) custom::takeNames(other, taken);
  }
  return taken;
}

Decision noChange(const ObjectPtr& current) { return {Decision::Kind::NoChange, current}; }

}  // namespace

CustomKinds::CustomKinds(const std::shared_ptr<Core>& core, const ResourceInfo* definitions)
    : core_(core), definitions_(definitions), strand_(core->executor->strand()) {}

std::shared_ptr<CustomKinds> CustomKinds::make(const std::shared_ptr<Core>& core) {
  auto* info = core->registry->find("apiextensions.k8s.io", "v1", "customresourcedefinitions");
  if (!info) return nullptr;
  std::shared_ptr<CustomKinds> made(new CustomKinds(core, core->registry->stored(*info)));
  auto snapshot = core->cache->snapshot(*made->definitions_);
  std::vector<std::string> names;
  for (auto& [name, object] : snapshot.objects) {
    Json tree = object->tree();
    if (custom::conditionTrue(tree, "Established")) made->registerKinds(*core, name, tree);
    names.push_back(name);
  }
  made->watch(*core, snapshot.revision);
  // What an earlier run did not finish: names to accept, objects to delete.
  made->changed(std::move(names));
  return made;
}

void CustomKinds::watch(Core& core, int64_t after) {
  cache::WatchRequest request;
  request.info = definitions_;
  request.after = after;
  request.maxQueued = 1'000'000;
  request.onEvents = [weak = weak_from_this()](std::vector<cache::EventPtr> events) {
    auto self = weak.lock();
    if (!self) return;
    std::vector<std::string> names;
    for (auto& e : events) names.push_back(e->object->name());
    self->changed(std::move(names));
  };
  // Its revision is fresh and its queue long: it can't fall behind. Should it end nevertheless, begin anew.
  request.onEnd = [weak = weak_from_this()](Status status) {
    auto self = weak.lock();
    auto core = self ? self->core_.lock() : nullptr;
    if (!core) return;
    PH_LOG(Warn, "server", "the watch of custom resource definitions ended: {}", status.message);
    self->strand_->post([self, core] {
      auto snapshot = core->cache->snapshot(*self->definitions_);
      self->watch(*core, snapshot.revision);
      std::vector<std::string> names;
      for (auto& [name, object] : snapshot.objects) names.push_back(name);
      for (auto& [name, registered] : self->registered_) names.push_back(name);
      self->changed(std::move(names));
    });
  };
  auto handle = core.cache->watch(std::move(request));
  if (handle.ok()) watch_ = std::move(*handle);
  else PH_LOG(Error, "server", "custom resource definitions can't be watched: {}", handle.status().message);
}

void CustomKinds::changed(std::vector<std::string> names) {
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  for (auto& name : names)
    strand_->post([weak = weak_from_this(), name] {
      if (auto self = weak.lock()) self->process(name);
    });
}

void CustomKinds::again(const std::string& name, Duration after) {
  timers_[name] = strand_->after(after, [weak = weak_from_this(), name] {
    if (auto self = weak.lock()) self->process(name);
  });
}

void CustomKinds::process(const std::string& name) {
  auto core = core_.lock();
  if (!core) return;
  auto definition = core->cache->get(*definitions_, name);
  auto was = registered_.find(name);
  if (was != registered_.end() && (!definition || was->second.uid != definition->uid())) gone(*core, name);
  if (!definition) return;
  if (definition->meta().deleting) return terminate(*core, definition);
  accept(*core, definition);
}

// ---- coming and changing ------------------------------------------------------------------------------------------

void CustomKinds::accept(Core& core, const ObjectPtr& definition) {
  Json tree = definition->tree();
  bool changed = custom::acceptNames(tree, takenBesides(core, *definitions_, tree, definition->name()), core.now());
  if (custom::conditionTrue(tree, "Established")) registerKinds(core, definition->name(), tree);
  if (changed) writeNames(core, definition);
}

void CustomKinds::registerKinds(Core& core, const std::string& name, const Json& tree) {
  auto made = custom::kindsOf(tree);
  if (!made.ok()) {
    PH_LOG(Error, "server", "the kind of {} can't be served: {}", name, made.status().message);
    return;
  }
  auto group = text(tree, "spec.group"), plural = text(tree, "spec.names.plural");
  if (auto replaced = core.registry->replace(group, plural, std::move(*made)); !replaced.ok()) {
    PH_LOG(Error, "server", "the kind of {} can't be served: {}", name, replaced.status().message);
    return;
  }
  registered_[name] = {text(tree, "metadata.uid"), group, plural};
}

void CustomKinds::writeNames(Core& core, const ObjectPtr& definition) {
  cache::Mutation m;
  m.info = definitions_;
  m.key = definition->name();
  m.decide = [self = shared_from_this(), uid = definition->uid()](const ObjectPtr& current) -> Result<Decision> {
    auto core = self->core_.lock();
    if (!core || !current || current->uid() != uid || current->meta().deleting) return noChange(current);
    Json tree = current->tree();
    if (!custom::acceptNames(tree, takenBesides(*core, *self->definitions_, tree, current->name()), core->now())) return noChange(current);
    return Decision{Decision::Kind::Put, api::Object::make(self->definitions_, tree, 0)};
  };
  m.done = [self = shared_from_this(), name = definition->name()](Result<ObjectPtr> result) {
    if (!result.ok() && !result.status().isNotFound()) {
      PH_LOG(Warn, "server", "the status of {} can't be written: {}", name, result.status().message);
      self->strand_->post([self, name] { self->again(name, 1s); });
    }
  };
  core.cache->mutate(std::move(m));
}

// ---- going --------------------------------------------------------------------------------------------------------

bool CustomKinds::terminating(const ResourceInfo& info) const {
  std::lock_guard lock(mutex_);
  return terminating_.contains(info.groupResource());
}

void CustomKinds::terminate(Core& core, const ObjectPtr& definition) {
  auto& name = definition->name();
  if (!holds(definition->meta().finalizers, custom::kCleanupFinalizer)) return;  // others hold it; our part is done
  auto was = registered_.find(name);
  if (was == registered_.end()) return finish(core, name);
  auto* stored = core.registry->storage(was->second.group, was->second.plural);
  if (!stored) return finish(core, name);
  {
    std::lock_guard lock(mutex_);
    terminating_.insert(stored->groupResource());
  }
  if (core.cache->snapshot(*stored).objects.empty()) return finish(core, name);
  deleteObjects(core_.lock(), stored, name);
}

void CustomKinds::deleteObjects(const std::shared_ptr<Core>& core, const ResourceInfo* stored, const std::string& name) {
  std::vector<ApiRequest> deletes;
  for (auto& [key, object] : core->cache->snapshot(*stored).objects) {
    if (object->meta().deleting) continue;
    ApiRequest r;
    r.verb = Verb::Delete;
    r.info = stored;
    r.ns = object->ns();
    r.name = object->name();
    r.user = systemAdmin();
    r.internal = true;
    r.options.preconditionUid = object->uid();
    r.options.propagation = Propagation::Background;
    deletes.push_back(std::move(r));
    if (deletes.size() == kDeletesAtOnce) break;
  }
  // What is left waits for finalizers of others: looked at now and then.
  int tries = deletes.empty() ? ++tries_[name] : (tries_[name] = 0);
  if (deletes.empty()) return again(name, tries < 10 ? 100ms : tries < 50 ? 1s : 5s);
  writeAll(core, std::move(deletes), [self = shared_from_this(), name](std::vector<Result<WriteAnswer>>) {
    self->strand_->post([self, name] { self->process(name); });
  });
}

// All its objects are gone: takes the finalizer off, and with the last one the definition.
void CustomKinds::finish(Core& core, const std::string& name) {
  tries_.erase(name);
  cache::Mutation m;
  m.info = definitions_;
  m.key = name;
  m.decide = [self = shared_from_this()](const ObjectPtr& current) -> Result<Decision> {
    auto core = self->core_.lock();
    if (!core || !current || !current->meta().deleting || !holds(current->meta().finalizers, custom::kCleanupFinalizer)) return noChange(current);
    Json tree = current->tree();
    custom::setCondition(tree, "Terminating", false, "InstanceDeletionCompleted", "removed all instances", core->now());
    JsonArray left;
    for (auto& f : current->meta().finalizers)
      if (f != custom::kCleanupFinalizer) left.emplace_back(f);
    bool last = left.empty();
    auto& metadata = makeObject(tree, "metadata");
    if (last) metadata.erase("finalizers");
    else metadata["finalizers"] = std::move(left);
    return Decision{last ? Decision::Kind::Delete : Decision::Kind::Put, api::Object::make(self->definitions_, tree, 0)};
  };
  m.done = [self = shared_from_this(), name](Result<ObjectPtr> result) {
    if (!result.ok() && !result.status().isNotFound()) self->strand_->post([self, name] { self->again(name, 1s); });
  };
  core.cache->mutate(std::move(m));
}

void CustomKinds::gone(Core& core, const std::string& name) {
  auto was = registered_.extract(name);
  auto& [uid, group, plural] = was.mapped();
  timers_.erase(name);
  tries_.erase(name);
  if (auto* stored = core.registry->storage(group, plural)) {
    core.registry->remove(group, plural);
    sweep(core, *stored);
    core.cache->endWatches(*stored, Status::expired("the custom resource definition " + name + " was deleted"));
    std::lock_guard lock(mutex_);
    terminating_.erase(stored->groupResource());
  }
  othersOf(core, group, name);
}

// Objects whose creation was under way when the definition went.
void CustomKinds::sweep(Core& core, const ResourceInfo& stored) {
  for (auto& [key, object] : core.cache->snapshot(stored).objects) {
    cache::Mutation m;
    m.info = &stored;
    m.key = key;
    m.decide = [](const ObjectPtr& current) -> Result<Decision> {
      return current ? Decision{Decision::Kind::Delete, current} : noChange(current);
    };
    core.cache->mutate(std::move(m));
  }
}

Result<> checkKindStays(const Core& core, const ResourceInfo& info) {
  if (!info.custom) return {};
  if (!core.registry->find(info.group, info.version, info.plural)) return Status::notFound("the server could not find the requested resource");
  if (core.customKinds && core.customKinds->terminating(info))
    return Status::methodNotAllowed("create not allowed while custom resource definition is terminating");
  return {};
}

// Names have become free: others may have waited for them.
void CustomKinds::othersOf(Core& core, const std::string& group, const std::string& besides) {
  std::vector<std::string> names;
  for (auto& [name, object] : core.cache->snapshot(*definitions_).objects)
    if (name != besides && text(object->tree(), "spec.group") == group) names.push_back(name);
  changed(std::move(names));
}

}  // namespace ph::server
