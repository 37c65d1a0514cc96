#include "tests/support/fake_client.h"

#include <algorithm>

#include "engine/api/patch.h"
#include "engine/api/selector.h"

namespace ph::test {

using client::EventType;
using client::ListResult;
using client::Verb;
using client::WatchEvent;
using client::Write;

struct FakeClient::Stream {
  const ResourceInfo* info;
  client::WatchOptions options;
  api::LabelSelector labels;
  api::FieldSelector fields;
  std::shared_ptr<Executor> strand;
  std::function<void(std::vector<WatchEvent>)> onEvents;
  std::function<void(Status)> onEnd;
  std::vector<WatchEvent> queue;
  bool flushing = false, ended = false;
  bool wants(const ObjectPtr& o) const {
    return o && (options.ns.empty() || o->ns() == options.ns) && labels.matches(o->meta().labels) &&
           fields.matches(*o);
  }
};

namespace {

struct Handle : client::Watch {
  explicit Handle(std::function<void()> f) : drop(std::move(f)) {}
  ~Handle() override { drop(); }
  std::function<void()> drop;
};

std::string keyOf(const ResourceInfo& info, const std::string& ns, const std::string& name) {
  return info.namespaced ? ns + "/" + name : name;
}

JsonObject& objectAt(Json& tree, std::string_view key) {
  Json& v = tree.as_object()[key];
  if (!v.is_object()) v = JsonObject{};
  return v.as_object();
}

std::string textAt(const Json& tree, std::string_view path) {
  const Json* v = api::at(tree, path);
  return v && v->is_string() ? std::string(v->as_string()) : std::string();
}

Status notFound(const ResourceInfo& info, const std::string& name) {
  return Status::notFound(info.groupResource() + " \"" + name + "\" not found");
}

}  // namespace

FakeClient::FakeClient(std::shared_ptr<Executor> executor, std::shared_ptr<api::Registry> registry)
    : executor_(std::move(executor)), registry_(std::move(registry)) {}

FakeClient::~FakeClient() = default;

void FakeClient::later(std::function<void()> task) {
  Duration d = delay ? delay() : Duration::zero();
  if (d <= Duration::zero())
    executor_->post(std::move(task));
  else
    executor_->after(d, std::move(task)).detach();
}

// ---- requests: a way there, the work, a way back ----

void FakeClient::get(const ResourceInfo& info, std::string ns, std::string name,
                     client::Callback<ObjectPtr> done) {
  later([this, &info, ns, name, done = std::move(done)] {
    ObjectPtr o = find(&info, keyOf(info, ns, name));
    later([done, r = o ? Result<ObjectPtr>(o) : Result<ObjectPtr>(notFound(info, name))] { done(r); });
  });
}

void FakeClient::list(const ResourceInfo& info, client::ListOptions options,
                      client::Callback<ListResult> done) {
  later([this, &info, options, done = std::move(done)] {
    auto r = doList(info, options);
    later([done, r = std::move(r)] { done(r); });
  });
}

void FakeClient::write(Write write, client::Callback<ObjectPtr> done) {
  writeAll({std::move(write)},
           [done = std::move(done)](std::vector<Result<ObjectPtr>> r) { done(std::move(r[0])); });
}

void FakeClient::writeAll(std::vector<Write> writes,
                          std::function<void(std::vector<Result<ObjectPtr>>)> done) {
  later([this, writes = std::move(writes), done = std::move(done)]() mutable {
    std::vector<Result<ObjectPtr>> results;
    for (auto& w : writes) results.push_back(apply(std::move(w)));
    later([done, results = std::move(results)]() mutable { done(std::move(results)); });
  });
}

std::shared_ptr<void> FakeClient::raw(std::string, std::string path, std::string, std::string,
                                      std::function<void(std::string_view)>,
                                      client::Callback<std::string> done) {
  later([done = std::move(done), path] { done(Status::notFound("no such path here: " + path)); });
  return nullptr;
}

Result<ListResult> FakeClient::doList(const ResourceInfo& info, const client::ListOptions& o) {
  std::lock_guard lock(mutex_);
  if (onList)
    if (auto refused = onList(info)) return *refused;
  PH_ASSIGN(auto labels, api::LabelSelector::parse(o.labelSelector));
  PH_ASSIGN(auto fields, api::FieldSelector::parse(o.fieldSelector));
  client::ObjectMap objects = kinds_[info.keyPrefix()].objects;
  int64_t revision = revision_;
  std::string after;
  if (!o.continueToken.empty()) {
    auto colon = o.continueToken.find(':');
    revision = std::stoll(o.continueToken.substr(0, colon));
    after = o.continueToken.substr(colon + 1);
    auto it = pages_.find(info.keyPrefix() + std::to_string(revision));
    if (it == pages_.end()) return Status::expired("The provided continue parameter is too old");
    objects = it->second;
  }
  ListResult out;
  out.revision = revision;
  for (auto it = after.empty() ? objects.begin() : objects.upperBound(after); it != objects.end(); ++it) {
    auto& object = it->second;
    if (!o.ns.empty() && object->ns() != o.ns) continue;
    if (!labels.matches(object->meta().labels) || !fields.matches(*object)) continue;
    if (o.limit > 0 && int64_t(out.items.size()) == o.limit) {
      out.continueToken = std::to_string(revision) + ":" + out.items.back()->key();
      pages_[info.keyPrefix() + std::to_string(revision)] = objects;
      break;
    }
    out.items.push_back(object);
  }
  return out;
}

std::unique_ptr<client::Watch> FakeClient::watch(const ResourceInfo& info, client::WatchOptions options,
                                                 std::function<void(std::vector<WatchEvent>)> onEvents,
                                                 std::function<void(Status)> onEnd) {
  auto s = std::make_shared<Stream>();
  s->info = &info;
  s->strand = executor_->strand();
  s->onEvents = std::move(onEvents);
  s->onEnd = std::move(onEnd);
  auto end = [s](Status status) {
    s->ended = true;
    s->strand->post([s, status] { s->onEnd(status); });
  };
  std::lock_guard lock(mutex_);
  auto labels = api::LabelSelector::parse(options.labelSelector);
  auto fields = api::FieldSelector::parse(options.fieldSelector);
  auto refused = onWatch ? onWatch(info) : std::nullopt;
  if (refused) {
    end(*refused);
  } else if (!labels.ok() || !fields.ok()) {
    end(Status::badRequest("malformed selector"));
  } else if (options.revision && options.revision < compacted_) {
    end(Status::expired("too old resource version"));
  } else {
    s->labels = *labels;
    s->fields = *fields;
    s->options = options;
    streams_.push_back(s);
    for (auto& [event, old] : kinds_[info.keyPrefix()].history)
      if (event.revision > options.revision) publish(&info, event, old);
  }
  return std::make_unique<Handle>([this, s] {
    std::lock_guard lock(mutex_);
    s->ended = true;
    std::erase_if(streams_, [&](auto& weak) { return weak.expired() || weak.lock() == s; });
  });
}

// To all streams when it is new; during watch() the last stream alone takes its past (it is the only one to
// have none of it).
void FakeClient::publish(const ResourceInfo* info, WatchEvent event, const ObjectPtr& old) {
  for (auto& weak : streams_) {
    auto s = weak.lock();
    if (!s || s->ended || s->info->keyPrefix() != info->keyPrefix() || event.revision <= s->options.revision)
      continue;
    s->options.revision = event.revision;
    bool before = s->wants(old), now = event.type != EventType::Deleted && s->wants(event.object);
    if (!before && !now) continue;
    WatchEvent e = event;
    e.type = now ? (before ? EventType::Modified : EventType::Added) : EventType::Deleted;
    s->queue.push_back(std::move(e));
    if (std::exchange(s->flushing, true)) continue;
    later([this, s] {
      std::vector<WatchEvent> batch;
      {
        std::lock_guard lock(mutex_);
        s->flushing = false;
        if (s->ended) return;
        batch.swap(s->queue);
      }
      s->strand->post([s, batch = std::move(batch)]() mutable { s->onEvents(std::move(batch)); });
    });
  }
}

// ---- writes ----

Result<ObjectPtr> FakeClient::apply(Write w) {
  std::lock_guard lock(mutex_);
  std::optional<Status> refused = onWrite ? onWrite(w) : std::nullopt;
  auto r = refused ? Result<ObjectPtr>(*refused) : doWrite(w);
  log_.push_back({std::move(w), r.ok()});
  return r;
}

Result<ObjectPtr> FakeClient::doWrite(Write& w) {
  switch (w.verb) {
    case Verb::Create:
      if (w.subresource == "eviction") return evict(w);
      return w.subresource == "binding" ? bind(w) : doCreate(w);
    case Verb::Delete:
      return doDelete(w);
    default:
      return doUpdate(w);
  }
}

Result<ObjectPtr> FakeClient::doCreate(const Write& w) {
  PH_ASSIGN(Json tree, api::parseJson(w.body));
  const ResourceInfo& info = *w.info;
  auto& meta = objectAt(tree, "metadata");
  if (textAt(tree, "metadata.name").empty()) {
    std::string prefix = textAt(tree, "metadata.generateName");
    meta["name"] = w.name.empty() ? prefix + executor_->random().suffix() : w.name;
  }
  std::string name = textAt(tree, "metadata.name"), ns = w.ns;
  if (name.empty()) return Status::invalid("metadata.name: Required value: name or generateName is required");
  if (info.namespaced) meta["namespace"] = ns;
  ObjectPtr space = info.namespaced ? find(kind("", "namespaces"), ns) : nullptr;
  if (space && space->meta().deleting)
    return Status::forbidden("unable to create new content in namespace " + ns +
                             " because it is being terminated");
  if (find(&info, keyOf(info, ns, name)))
    return Status::alreadyExists(info.groupResource() + " \"" + name + "\" already exists");
  for (auto* field : {"resourceVersion", "deletionTimestamp", "deletionGracePeriodSeconds"})
    meta.erase(field);
  meta["uid"] = executor_->random().uuid();
  meta["creationTimestamp"] = formatTime(executor_->wallNow());
  if (info.generation) meta["generation"] = 1;
  if (info.hasStatus) tree.as_object().erase("status");
  if (info.plural == "namespaces") {
    objectAt(tree, "spec")["finalizers"] = JsonArray{"kubernetes"};
    objectAt(tree, "status")["phase"] = "Active";
  }
  if (info.plural == "pods") objectAt(tree, "status")["phase"] = "Pending";
  api::ErrorList errors;
  api::conform(tree, *info.type, errors, nullptr);
  if (!errors.empty()) return errors.toStatus(info, name);
  return commit(&info, std::move(tree), nullptr);
}

Result<ObjectPtr> FakeClient::doUpdate(const Write& w) {
  const ResourceInfo& info = *w.info;
  ObjectPtr old = find(&info, keyOf(info, w.ns, w.name));
  if (!old) return notFound(info, w.name);
  if ((!w.uid.empty() && old->uid() != w.uid) || (w.revision && old->revision() != w.revision))
    return Status::conflict(
        "the object has been modified; please apply your changes to the latest version and try again");
  PH_ASSIGN(Json body, api::parseJson(w.body));
  Json before = old->tree(), tree = before;
  if (w.verb == Verb::Update) {
    std::string revision = textAt(body, "metadata.resourceVersion");
    if (!revision.empty() && revision != std::to_string(old->revision()))
      return Status::conflict("the object has been modified");
    tree = std::move(body);
  } else if (w.patchType == client::PatchType::Merge) {
    api::applyMergePatch(tree, body);
  } else if (w.patchType == client::PatchType::Strategic) {
    PH_TRY(api::applyStrategicPatch(tree, body, *info.type));
  } else if (w.patchType == client::PatchType::Json) {
    PH_TRY(api::applyJsonPatch(tree, body));
  } else {
    return Status::unsupportedMediaType("this kind of patch is not known here");
  }
  // What this door may not change stays as it was.
  auto keep = [&](std::string_view field) {
    auto* v = before.as_object().if_contains(field);
    if (v)
      tree.as_object()[field] = *v;
    else
      tree.as_object().erase(field);
  };
  if (w.subresource == "status") {
    Json status = tree.as_object().contains("status") ? tree.at("status") : Json(JsonObject{});
    tree = before;
    tree.as_object()["status"] = std::move(status);
  } else if (w.subresource != "scale" && info.hasStatus) {
    keep("status");
  }
  if (info.plural == "namespaces" && w.subresource != "finalize")
    objectAt(tree, "spec")["finalizers"] = before.at("spec").at("finalizers");
  auto& meta = objectAt(tree, "metadata");
  auto& oldMeta = before.at("metadata").as_object();
  for (auto* field : {"uid", "name", "namespace", "creationTimestamp", "deletionTimestamp",
                      "deletionGracePeriodSeconds", "generation"})
    if (auto* v = oldMeta.if_contains(field))
      meta[field] = *v;
    else
      meta.erase(field);
  api::ErrorList errors;
  api::conform(tree, *info.type, errors, nullptr);
  if (!errors.empty()) return errors.toStatus(info, w.name);
  auto spec = [](Json& t) { return t.as_object().contains("spec") ? t.at("spec") : Json(); };
  if (info.generation && spec(tree) != spec(before))
    objectAt(tree, "metadata")["generation"] = old->meta().generation + 1;
  return finish(&info, std::move(tree), old);
}

Result<ObjectPtr> FakeClient::doDelete(const Write& w) {
  const ResourceInfo& info = *w.info;
  ObjectPtr old = find(&info, keyOf(info, w.ns, w.name));
  if (!old) return notFound(info, w.name);
  if ((!w.uid.empty() && old->uid() != w.uid) || (w.revision && old->revision() != w.revision))
    return Status::conflict("Precondition failed: the object is another one by now");
  Json tree = old->tree();
  auto& meta = objectAt(tree, "metadata");
  int64_t grace = w.gracePeriodSeconds.value_or(info.gracePeriodSeconds);
  if (info.plural == "pods") {
    auto* own = api::at(tree, "spec.terminationGracePeriodSeconds");
    if (!w.gracePeriodSeconds && own && own->is_int64()) grace = own->as_int64();
    std::string phase = textAt(tree, "status.phase");
    if (textAt(tree, "spec.nodeName").empty() || phase == "Succeeded" || phase == "Failed") grace = 0;
  } else {
    grace = 0;
  }
  auto add = [&](const char* finalizer) {
    Json& list = meta["finalizers"];
    if (!list.is_array()) list = JsonArray{};
    for (auto& f : list.as_array())
      if (f == finalizer) return;
    list.as_array().push_back(finalizer);
  };
  if (w.propagation == client::Propagation::Foreground) add("foregroundDeletion");
  if (w.propagation == client::Propagation::Orphan) add("orphan");
  bool finalizers = meta.contains("finalizers") && !meta["finalizers"].as_array().empty();
  bool spaceWaits = info.plural == "namespaces";
  if (old->meta().deleting && grace >= old->meta().deletionGraceSeconds && grace > 0) return old;
  if (grace == 0 && !finalizers && !spaceWaits) return erase(&info, std::move(tree), old);
  if (!old->meta().deleting)
    meta["deletionTimestamp"] = formatTime(executor_->wallNow() + std::chrono::seconds(grace));
  meta["deletionGracePeriodSeconds"] = grace;
  if (spaceWaits) objectAt(tree, "status")["phase"] = "Terminating";
  return finish(&info, std::move(tree), old);
}

Result<ObjectPtr> FakeClient::evict(const Write& w) {
  Write gone = w;
  gone.verb = Verb::Delete;
  gone.subresource.clear();
  if (auto body = api::parseJson(w.body); body.ok()) gone.uid = textAt(*body, "deleteOptions.preconditions.uid");
  return doDelete(gone);
}

Result<ObjectPtr> FakeClient::bind(const Write& w) {
  ObjectPtr old = find(w.info, keyOf(*w.info, w.ns, w.name));
  if (!old) return notFound(*w.info, w.name);
  if (!w.uid.empty() && old->uid() != w.uid) return Status::conflict("the pod is another one by now");
  PH_ASSIGN(Json body, api::parseJson(w.body));
  Json tree = old->tree();
  if (old->meta().deleting)
    return Status::conflict("pod " + w.name + " is being deleted, cannot be assigned to a host");
  if (!textAt(tree, "spec.nodeName").empty())
    return Status::conflict("pod " + w.name + " is already assigned to a node");
  objectAt(tree, "spec")["nodeName"] = textAt(body, "target.name");
  Json& conditions = objectAt(tree, "status")["conditions"];
  if (!conditions.is_array()) conditions = JsonArray{};
  auto& list = conditions.as_array();
  for (auto it = list.begin(); it != list.end();)
    it = it->at("type") == "PodScheduled" ? list.erase(it) : it + 1;
  list.push_back(JsonObject{{"type", "PodScheduled"},
                            {"status", "True"},
                            {"lastTransitionTime", formatTime(executor_->wallNow())}});
  return commit(w.info, std::move(tree), old);
}

// A deletion that waited for what this write took away is done.
ObjectPtr FakeClient::finish(const ResourceInfo* info, Json tree, const ObjectPtr& old) {
  auto& meta = objectAt(tree, "metadata");
  auto* finalizers = meta.if_contains("finalizers");
  bool waits = finalizers && finalizers->is_array() && !finalizers->as_array().empty();
  if (info->plural == "namespaces") {
    auto* own = api::at(tree, "spec.finalizers");
    waits = waits || (own && own->is_array() && !own->as_array().empty());
  }
  auto* grace = meta.if_contains("deletionGracePeriodSeconds");
  bool graceful = grace && grace->is_int64() && grace->as_int64() > 0;
  if (meta.contains("deletionTimestamp") && !waits && !graceful) return erase(info, std::move(tree), old);
  return commit(info, std::move(tree), old);
}

ObjectPtr FakeClient::commit(const ResourceInfo* info, Json tree, const ObjectPtr& old) {
  if (old) {
    Json before = old->tree();
    objectAt(tree, "metadata").erase("resourceVersion");
    objectAt(before, "metadata").erase("resourceVersion");
    if (before == tree) return old;
  }
  ObjectPtr object = api::Object::make(registry_->storage(info->group, info->plural), tree, ++revision_);
  kinds_[info->keyPrefix()].objects.assign(object->key(), object);
  publish(info, {old ? EventType::Modified : EventType::Added, object, revision_}, old);
  kinds_[info->keyPrefix()].history.push_back(
      {{old ? EventType::Modified : EventType::Added, object, revision_}, old});
  return object;
}

ObjectPtr FakeClient::erase(const ResourceInfo* info, Json tree, const ObjectPtr& old) {
  ObjectPtr object = api::Object::make(registry_->storage(info->group, info->plural), tree, ++revision_);
  kinds_[info->keyPrefix()].objects.erase(object->key());
  publish(info, {EventType::Deleted, object, revision_}, old);
  kinds_[info->keyPrefix()].history.push_back({{EventType::Deleted, object, revision_}, old});
  return object;
}

// ---- for the test ----

const ResourceInfo* FakeClient::kind(std::string_view group, std::string_view plural) const {
  const ResourceInfo* info = registry_->storage(group, plural);
  PH_CHECK(info);
  return info;
}

const ResourceInfo* FakeClient::kind(std::string_view plural) const {
  for (auto* info : registry_->all())
    if (info->plural == plural) return registry_->storage(info->group, plural);
  PH_CHECK_MSG(false, "no such kind");
}

ObjectPtr FakeClient::create(const std::string& yaml) {
  auto tree = api::parseYaml(yaml);
  PH_CHECK_MSG(tree.ok(), tree.ok() ? "" : tree.status().message);
  std::string apiVersion = textAt(*tree, "apiVersion");
  auto slash = apiVersion.find('/');
  Write w;
  w.info = registry_->findKind(slash == std::string::npos ? "" : apiVersion.substr(0, slash),
                               slash == std::string::npos ? apiVersion : apiVersion.substr(slash + 1),
                               textAt(*tree, "kind"));
  PH_CHECK(w.info);
  w.ns = textAt(*tree, "metadata.namespace");
  if (w.info->namespaced && w.ns.empty()) w.ns = "default";
  w.body = api::toText(*tree);
  std::lock_guard lock(mutex_);
  auto r = doWrite(w);
  PH_CHECK_MSG(r.ok(), r.ok() ? "" : r.status().message);
  return *r;
}

ObjectPtr FakeClient::put(const Json& object) {
  std::string apiVersion = textAt(object, "apiVersion");
  auto slash = apiVersion.find('/');
  auto* info = registry_->findKind(slash == std::string::npos ? "" : apiVersion.substr(0, slash),
                                   slash == std::string::npos ? apiVersion : apiVersion.substr(slash + 1),
                                   textAt(object, "kind"));
  PH_CHECK(info);
  std::lock_guard lock(mutex_);
  Json tree = object;
  auto& meta = objectAt(tree, "metadata");
  if (info->namespaced && textAt(tree, "metadata.namespace").empty()) meta["namespace"] = "default";
  std::string key = keyOf(*info, textAt(tree, "metadata.namespace"), textAt(tree, "metadata.name"));
  ObjectPtr old = find(info, key);
  if (!meta.contains("uid")) meta["uid"] = old ? old->uid() : executor_->random().uuid();
  if (!meta.contains("creationTimestamp"))
    meta["creationTimestamp"] = formatTime(old ? old->meta().created : executor_->wallNow());
  api::ErrorList errors;
  api::conform(tree, *info->type, errors, nullptr);
  PH_CHECK_MSG(errors.empty(), errors.toStatus(*info, key).message);
  return commit(info, std::move(tree), old);
}

ObjectPtr FakeClient::edit(const ResourceInfo* kind, const std::string& key,
                           const std::function<void(Json&)>& change) {
  std::lock_guard lock(mutex_);
  ObjectPtr old = find(kind, key);
  PH_CHECK_MSG(old, key);
  Json tree = old->tree();
  change(tree);
  return commit(kind, std::move(tree), old);
}

void FakeClient::remove(const ResourceInfo* kind, const std::string& key) {
  std::lock_guard lock(mutex_);
  if (ObjectPtr old = find(kind, key)) erase(kind, old->tree(), old);
}

ObjectPtr FakeClient::find(const ResourceInfo* kind, const std::string& key) const {
  std::lock_guard lock(mutex_);
  auto it = kinds_.find(kind->keyPrefix());
  return it == kinds_.end() ? nullptr : it->second.objects.get(key);
}

client::ObjectMap FakeClient::all(const ResourceInfo* kind) const {
  std::lock_guard lock(mutex_);
  auto it = kinds_.find(kind->keyPrefix());
  return it == kinds_.end() ? client::ObjectMap{} : it->second.objects;
}

int64_t FakeClient::revision() const {
  std::lock_guard lock(mutex_);
  return revision_;
}

void FakeClient::endWatches(Status status) {
  std::lock_guard lock(mutex_);
  for (auto& weak : std::exchange(streams_, {}))
    if (auto s = weak.lock(); s && !s->ended) {
      s->ended = true;
      s->strand->post([s, status] { s->onEnd(status); });
    }
}

void FakeClient::compact() {
  std::lock_guard lock(mutex_);
  compacted_ = revision_;
  pages_.clear();
  for (auto& [prefix, kind] : kinds_) kind.history.clear();
}

std::vector<FakeClient::Logged> FakeClient::writes() const {
  std::lock_guard lock(mutex_);
  return log_;
}

size_t FakeClient::openWatches() const {
  std::lock_guard lock(mutex_);
  size_t n = 0;
  for (auto& weak : streams_)
    if (auto s = weak.lock(); s && !s->ended) ++n;
  return n;
}

}  // namespace ph::test
