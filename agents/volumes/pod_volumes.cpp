#include "agents/volumes/pod_volumes.h"

#include <fmt/format.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "agents/os/files.h"
#include "engine/api/codec.h"
#include "engine/api/volumes.h"
#include "engine/base/log.h"

namespace ph::agents {

using std::chrono::seconds;
namespace core = api::core;

namespace {

template <class F> void eachContainer(const core::PodSpec& spec, F f) {
  for (auto& c : spec.initContainers) f(c);
  for (auto& c : spec.containers) f(c);
}

// Every ConfigMap, Secret and claim that the pod names.
std::set<ObjectRef> referencesOf(const api::Object& pod) {
  std::set<ObjectRef> out;
  auto& spec = pod.as<core::Pod>().spec;
  auto add = [&](bool secret, const std::string& name) {
    if (!name.empty()) out.insert(ObjectRef::keys(secret, pod.ns(), name));
  };
  for (auto& v : spec.volumes) {
    if (v.configMap) add(false, v.configMap->name);
    if (v.secret) add(true, v.secret->secretName);
    if (v.projected)
      for (auto& s : v.projected->sources) {
        if (s.configMap) add(false, s.configMap->name);
        if (s.secret) add(true, s.secret->name);
      }
  }
  eachContainer(spec, [&](const core::Container& c) {
    for (auto& from : c.envFrom) {
      if (from.configMapRef) add(false, from.configMapRef->name);
      if (from.secretRef) add(true, from.secretRef->name);
    }
    for (auto& e : c.env) {
      if (!e.valueFrom) continue;
      if (e.valueFrom->configMapKeyRef) add(false, e.valueFrom->configMapKeyRef->name);
      if (e.valueFrom->secretKeyRef) add(true, e.valueFrom->secretKeyRef->name);
    }
  });
  for (auto& s : spec.imagePullSecrets) add(true, s.name);
  for (auto& name : api::claimsOf(pod.name(), spec)) out.insert({ObjectRef::Kind::Claim, pod.ns(), name});
  return out;
}

TokenKey tokenKey(const api::Object& pod, const core::ServiceAccountTokenProjection& source) {
  auto& account = pod.as<core::Pod>().spec.serviceAccountName;
  return {pod.ns(), account.empty() ? "default" : account, pod.name(), pod.uid(), source.audience, source.expirationSeconds ? *source.expirationSeconds : 3600};
}

// Every token that the pod's volumes hold.
std::set<TokenKey> tokensOf(const api::Object& pod) {
  std::set<TokenKey> out;
  for (auto& v : pod.as<core::Pod>().spec.volumes)
    if (v.projected)
      for (auto& s : v.projected->sources)
        if (s.serviceAccountToken) out.insert(tokenKey(pod, *s.serviceAccountToken));
  return out;
}

// Makes `held` what is `wanted`.
template <class Cache, class T> void follow(Cache& cache, std::set<T>& held, std::set<T> wanted) {
  for (auto& one : wanted)
    if (!held.count(one)) cache.acquire(one);
  for (auto& one : held)
    if (!wanted.count(one)) cache.release(one);
  held = std::move(wanted);
}

std::optional<int64_t> groupOf(const api::Object& pod) {
  auto& sc = pod.as<core::Pod>().spec.securityContext;
  return sc && sc->fsGroup ? std::optional<int64_t>(*sc->fsGroup) : std::nullopt;
}

}  // namespace

bool holdsSecrets(const core::Volume& volume) {
  if (volume.secret) return true;
  if (volume.projected)
    for (auto& s : volume.projected->sources)
      if (s.secret || s.serviceAccountToken) return true;
  return false;
}

PodVolumes::PodVolumes(client::Client& client, std::shared_ptr<Executor> strand, std::shared_ptr<Executor> blocking, VolumeOptions options)
    : strand_(std::move(strand)), blocking_(std::move(blocking)), options_(std::move(options)), cache_(std::make_shared<ObjectCache>(client, strand_)),
      tokens_(std::make_shared<TokenCache>(client, strand_)) {}

void PodVolumes::start() {
  std::weak_ptr<PodVolumes> weak = weak_from_this();
  cache_->onChange([weak](const ObjectRef& ref) {
    if (auto self = weak.lock()) self->changed(ref);
  });
  tokens_->onChange([weak](const TokenKey& key) {
    if (auto self = weak.lock()) self->renewed(key);
  });
}

std::string PodVolumes::volumeFolder(const std::string& uid, const std::string& name, bool secret) const {
  return podFolder(uid) + (secret ? "/secrets/" : "/volumes/") + name;
}

DownwardContext PodVolumes::downward(const PodAddresses& addresses) const {
  return {options_.nodeName, addresses, options_.cpuMilli, options_.memoryBytes, options_.diskBytes};
}

Result<> PodVolumes::addKeys(Payload& payload, const ObjectRef& ref, const std::vector<core::KeyToPath>& items, bool optional, mode_t mode) const {
  auto object = cache_->get(ref);
  if (!object) {
    if (optional) return {};
    auto why = cache_->known(ref) ? std::string() : cache_->error(ref);
    return Status::notFound(ref.text() + (why.empty() ? " not found" : " can't be read: " + why));
  }
  auto all = contents(*object, ref.secret());
  if (items.empty())
    for (auto& [key, value] : all) payload[key] = {value, mode};
  for (auto& item : items) {
    auto it = all.find(item.key);
    if (it != all.end()) payload[item.path] = {it->second, item.mode ? mode_t(*item.mode) : mode};
    else if (!optional) return Status::notFound(fmt::format("{} has no key \"{}\"", ref.text(), item.key));
  }
  return {};
}

Result<> PodVolumes::addDownward(Payload& payload, const api::Object& pod, const std::vector<core::DownwardAPIVolumeFile>& items, mode_t mode) const {
  for (auto& item : items) {
    Result<std::string> value = std::string();
    if (item.fieldRef) value = fieldValue(pod, item.fieldRef->fieldPath, downward({}));
    else if (item.resourceFieldRef) value = resourceValue(pod.as<core::Pod>().spec, "", *item.resourceFieldRef, downward({}));
    if (!value.ok()) return std::move(value).status();
    payload[item.path] = {*value, item.mode ? mode_t(*item.mode) : mode};
  }
  return {};
}

Result<> PodVolumes::addToken(Payload& payload, const api::Object& pod, const core::ServiceAccountTokenProjection& source, mode_t mode) const {
  auto key = tokenKey(pod, source);
  auto* token = tokens_->get(key);
  if (!token) return Status::unavailable(fmt::format("no token of service account \"{}\" yet: {}", key.account, tokens_->error(key)));
  // With a group of its own the pod's processes read it by that group, and nobody else does.
  payload[source.path] = {*token, groupOf(pod) ? mode_t(0600) : mode};
  return {};
}

api::ObjectPtr PodVolumes::volumeOf(const std::string& ns, const std::string& claim) const {
  auto object = cache_->get({ObjectRef::Kind::Claim, ns, claim});
  if (!object) return nullptr;
  auto& name = object->as<core::PersistentVolumeClaim>().spec.volumeName;
  auto volume = name.empty() ? nullptr : cache_->get({ObjectRef::Kind::Volume, "", name});
  return volume && api::heldBy(volume->as<core::PersistentVolume>(), *object) ? volume : nullptr;
}

Result<> PodVolumes::planClaim(Plan& plan, const std::string& ns, const std::string& claim) const {
  auto object = volumeOf(ns, claim);
  if (!object) return Status::notFound(fmt::format("persistentvolumeclaim \"{}\" has no volume", claim));
  auto& volume = object->as<core::PersistentVolume>();
  auto path = api::folderOf(volume);
  if (path.empty() || volume.spec.volumeMode.value_or("Filesystem") != "Filesystem")
    return Status::invalid(fmt::format("persistentvolume \"{}\" is of a type that this node does not support", object->name()));
  plan.kind = Plan::Kind::HostPath;
  plan.hostPath = path;
  auto by = volume.metadata.annotations.find(api::kProvisionedBy);
  if (by != volume.metadata.annotations.end() && by->second == api::kLocalProvisioner) plan.kind = Plan::Kind::LocalFolder;
  else if (volume.spec.hostPath) plan.hostType = volume.spec.hostPath->type.value_or("");
  else plan.hostType = "Directory";
  return {};
}

Result<PodVolumes::Plan> PodVolumes::planVolume(const api::Object& pod, const core::Volume& v) const {
  Plan plan;
  plan.name = v.name;
  auto modeOf = [](const std::optional<int32_t>& mode) { return mode_t(mode ? *mode : 0644); };
  auto isTrue = [](const std::optional<bool>& b) { return b && *b; };
  if (v.emptyDir) {
    plan.kind = v.emptyDir->medium == "Memory" ? Plan::Kind::Memory : Plan::Kind::EmptyDir;
    if (v.emptyDir->sizeLimit) plan.sizeLimit = v.emptyDir->sizeLimit->units();
  } else if (v.hostPath) {
    plan.kind = Plan::Kind::HostPath;
    plan.hostPath = v.hostPath->path;
    if (v.hostPath->type) plan.hostType = *v.hostPath->type;
  } else if (v.configMap) {
    plan.kind = Plan::Kind::Payload;
    PH_TRY(addKeys(plan.payload, ObjectRef::keys(false, pod.ns(), v.configMap->name), v.configMap->items, isTrue(v.configMap->optional), modeOf(v.configMap->defaultMode)));
  } else if (v.secret) {
    plan.kind = Plan::Kind::SecretPayload;
    PH_TRY(addKeys(plan.payload, ObjectRef::keys(true, pod.ns(), v.secret->secretName), v.secret->items, isTrue(v.secret->optional), modeOf(v.secret->defaultMode)));
  } else if (v.downwardAPI) {
    plan.kind = Plan::Kind::Payload;
    PH_TRY(addDownward(plan.payload, pod, v.downwardAPI->items, modeOf(v.downwardAPI->defaultMode)));
  } else if (v.projected) {
    plan.kind = holdsSecrets(v) ? Plan::Kind::SecretPayload : Plan::Kind::Payload;
    auto mode = modeOf(v.projected->defaultMode);
    for (auto& s : v.projected->sources) {
      if (s.configMap) PH_TRY(addKeys(plan.payload, ObjectRef::keys(false, pod.ns(), s.configMap->name), s.configMap->items, isTrue(s.configMap->optional), mode));
      if (s.secret) PH_TRY(addKeys(plan.payload, ObjectRef::keys(true, pod.ns(), s.secret->name), s.secret->items, isTrue(s.secret->optional), mode));
      if (s.downwardAPI) PH_TRY(addDownward(plan.payload, pod, s.downwardAPI->items, mode));
      if (s.serviceAccountToken) PH_TRY(addToken(plan.payload, pod, *s.serviceAccountToken, mode));
    }
  } else if (auto claim = api::claimOf(pod.name(), v); !claim.empty()) {
    PH_TRY(planClaim(plan, pod.ns(), claim));
  } else {
    return Status::invalid(fmt::format("volume \"{}\" is of a type that this node does not support", v.name));
  }
  return plan;
}

Result<std::vector<PodVolumes::Plan>> PodVolumes::plan(const api::Object& pod) const {
  std::vector<Plan> plans;
  for (auto& v : pod.as<core::Pod>().spec.volumes) {
    auto one = planVolume(pod, v);
    if (!one.ok()) {
      auto status = std::move(one).status();
      status.message = fmt::format("MountVolume.SetUp failed for volume \"{}\": {}", v.name, status.message);
      return status;
    }
    plans.push_back(std::move(*one));
  }
  return plans;
}

void PodVolumes::prepare(api::ObjectPtr pod, Done<void> done) {
  auto uid = pod->uid();
  auto& entry = pods_[uid];
  entry.waiting = std::move(done);
  update(std::move(pod));
  std::weak_ptr<PodVolumes> weak = weak_from_this();
  // What is not known by then is told as missing; the worker asks again.
  entry.deadline = strand_->after(seconds(20), [weak, uid] {
    auto self = weak.lock();
    if (!self) return;
    auto it = self->pods_.find(uid);
    if (it == self->pods_.end() || !it->second.waiting) return;
    if (auto what = self->missing(it->second); !what.empty()) self->answer(uid, Status::timeout(what));
  });
  tryPrepare(uid);
}

void PodVolumes::update(api::ObjectPtr pod) {
  auto it = pods_.find(pod->uid());
  if (it == pods_.end()) return;
  auto& entry = it->second;
  bool labels = entry.object && entry.object->meta().labels != pod->meta().labels;
  entry.object = std::move(pod);
  follow(*tokens_, entry.tokens, tokensOf(*entry.object));
  follow(*cache_, entry.refs, wantedBy(*entry.object));
  if (entry.made && labels) make(entry.object->uid());
}

// What the pod names, and the volumes that its claims name.
std::set<ObjectRef> PodVolumes::wantedBy(const api::Object& pod) const {
  auto out = referencesOf(pod);
  for (auto& claim : api::claimsOf(pod.name(), pod.as<core::Pod>().spec)) {
    auto object = cache_->get({ObjectRef::Kind::Claim, pod.ns(), claim});
    auto name = object ? object->as<core::PersistentVolumeClaim>().spec.volumeName : std::string();
    if (!name.empty()) out.insert({ObjectRef::Kind::Volume, "", name});
  }
  return out;
}

// What prepare() still waits for, in words; empty: nothing.
std::string PodVolumes::missing(const Pod& pod) const {
  auto because = [](const std::string& why) { return why.empty() ? why : ": " + why; };
  for (auto& ref : pod.refs)
    if (!cache_->known(ref)) return fmt::format("{} can't be read yet{}", ref.text(), because(cache_->error(ref)));
  for (auto& claim : api::claimsOf(pod.object->name(), pod.object->as<core::Pod>().spec)) {
    if (!cache_->get({ObjectRef::Kind::Claim, pod.object->ns(), claim})) return fmt::format("persistentvolumeclaim \"{}\" not found", claim);
    if (!volumeOf(pod.object->ns(), claim)) return fmt::format("persistentvolumeclaim \"{}\" is not bound", claim);
  }
  for (auto& key : pod.tokens)
    if (!tokens_->get(key)) return fmt::format("there is no token of service account \"{}\" yet{}", key.account, because(tokens_->error(key)));
  return {};
}

void PodVolumes::tryPrepare(const std::string& uid) {
  auto it = pods_.find(uid);
  if (it == pods_.end() || !it->second.waiting || !missing(it->second).empty()) return;
  make(uid);
}

void PodVolumes::renewed(const TokenKey& key) {
  auto it = pods_.find(key.podUid);
  if (it == pods_.end() || !it->second.tokens.count(key)) return;
  if (it->second.waiting) tryPrepare(key.podUid);
  else if (it->second.made) make(key.podUid);
}

void PodVolumes::changed(const ObjectRef& ref) {
  std::vector<std::string> concerned;
  for (auto& [uid, pod] : pods_)
    if (pod.refs.count(ref)) concerned.push_back(uid);
  for (auto& uid : concerned) {
    auto& pod = pods_[uid];
    if (ref.kind == ObjectRef::Kind::Claim) follow(*cache_, pod.refs, wantedBy(*pod.object));
    if (pod.waiting) tryPrepare(uid);
    else if (pod.made) make(uid);
    if (onChange_) onChange_(uid);
  }
}

void PodVolumes::answer(const std::string& uid, Result<> result) {
  auto it = pods_.find(uid);
  if (it == pods_.end() || !it->second.waiting) return;
  it->second.deadline.cancel();
  auto done = std::move(it->second.waiting);
  it->second.waiting = nullptr;
  strand_->post([done = std::move(done), result = std::move(result)]() mutable { done(std::move(result)); });
}

void PodVolumes::make(const std::string& uid) {
  auto& entry = pods_[uid];
  if (entry.busy) {
    entry.again = true;
    return;
  }
  auto plans = plan(*entry.object);
  if (!plans.ok()) return answer(uid, std::move(plans).status());
  entry.busy = true;
  std::weak_ptr<PodVolumes> weak = weak_from_this();
  blocking_->post([weak, strand = strand_, uid, folder = podFolder(uid), group = groupOf(*entry.object), now = strand_->wallNow(), plans = std::move(*plans)] {
    auto result = makeAll(folder, plans, group, now);
    strand->post([weak, uid, result = std::move(result)]() mutable {
      auto self = weak.lock();
      if (!self) return;
      auto it = self->pods_.find(uid);
      if (it == self->pods_.end()) return;
      it->second.busy = false;
      if (result.ok()) it->second.made = true;
      else PH_LOG(Warn, "volumes", "{}: {}", it->second.object->key(), result.status().message);
      self->answer(uid, std::move(result));
      if (std::exchange(it->second.again, false)) self->make(uid);
    });
  });
}

Result<> PodVolumes::makeAll(const std::string& folder, const std::vector<Plan>& plans, std::optional<int64_t> group, WallTime now) {
  PH_TRY(makeFolders(folder, 0750));
  bool secrets = std::any_of(plans.begin(), plans.end(), [](auto& p) { return p.kind == Plan::Kind::SecretPayload; });
  auto secretFolder = folder + "/secrets";
  if (secrets && mountsBelow(secretFolder).empty()) {
    PH_TRY(makeFolders(secretFolder, 0755));
    if (::mount("tmpfs", secretFolder.c_str(), "tmpfs", MS_NOSUID | MS_NODEV, "mode=755,size=16m") != 0) return fileError("mount a tmpfs on", secretFolder, errno);
  }
  for (auto& p : plans) {
    auto made = makeOne(folder, p, group, now);
    if (made.ok()) continue;
    auto status = std::move(made).status();
    status.message = fmt::format("MountVolume.SetUp failed for volume \"{}\": {}", p.name, status.message);
    return status;
  }
  return {};
}

namespace {

Result<> checkHostPath(const std::string& path, const std::string& type) {
  struct stat st{};
  bool there = ::stat(path.c_str(), &st) == 0;
  if (type == "DirectoryOrCreate" && !there) return makeFolders(path);
  if (type == "FileOrCreate" && !there) return writeFile(path, "");
  if (type.empty()) return {};
  if (!there) return Status::notFound(fmt::format("hostPath type check failed: {} does not exist", path));
  bool right = type.rfind("Directory", 0) == 0 ? S_ISDIR(st.st_mode) : type.rfind("File", 0) == 0 ? S_ISREG(st.st_mode) : type == "Socket" ? S_ISSOCK(st.st_mode)
             : type == "CharDevice" ? S_ISCHR(st.st_mode) : type == "BlockDevice" ? S_ISBLK(st.st_mode) : false;
  if (!right) return Status::invalid(fmt::format("hostPath type check failed: {} is not a {}", path, type));
  return {};
}

Result<> openToAll(const std::string& path, std::optional<int64_t> group) {
  if (::chmod(path.c_str(), group ? 02777 : 0777) != 0) return fileError("open", path, errno);
  if (group && ::chown(path.c_str(), uid_t(-1), gid_t(*group)) != 0) return fileError("give", path, errno);
  return {};
}

// Open to all users the first time; what its owners make of it later stays.
Result<> makeLocalFolder(const std::string& path, std::optional<int64_t> group) {
  if (exists(path)) return {};
  PH_TRY(makeFolders(path));
  return openToAll(path, group);
}

}  // namespace

Result<> PodVolumes::makeOne(const std::string& folder, const Plan& plan, std::optional<int64_t> group, WallTime now) {
  if (plan.kind == Plan::Kind::HostPath) return checkHostPath(plan.hostPath, plan.hostType);
  if (plan.kind == Plan::Kind::LocalFolder) return makeLocalFolder(plan.hostPath, group);
  bool secret = plan.kind == Plan::Kind::SecretPayload;
  auto where = folder + (secret ? "/secrets/" : "/volumes/") + plan.name;
  if (secret || plan.kind == Plan::Kind::Payload) {
    auto written = writePayload(where, plan.payload, group, now);
    return written.ok() ? Result<>() : Result<>(std::move(written).status());
  }
  if (exists(where) && (plan.kind == Plan::Kind::EmptyDir || !mountsBelow(where).empty())) return {};
  PH_TRY(makeFolders(where));
  if (plan.kind == Plan::Kind::Memory) {
    auto options = plan.sizeLimit > 0 ? fmt::format("mode=777,size={}", plan.sizeLimit) : std::string("mode=777");
    if (::mount("tmpfs", where.c_str(), "tmpfs", MS_NOSUID | MS_NODEV, options.c_str()) != 0) return fileError("mount a tmpfs on", where, errno);
  }
  return openToAll(where, group);
}

void PodVolumes::tearDown(std::string uid, Done<void> done) {
  if (auto it = pods_.find(uid); it != pods_.end()) {
    follow(*cache_, it->second.refs, {});
    follow(*tokens_, it->second.tokens, {});
    pods_.erase(it);
  }
  blocking_->post([strand = strand_, folder = podFolder(uid), done = std::move(done)] {
    auto result = unmountBelow(folder);
    if (result.ok()) result = removeTree(folder);
    strand->post([done, result = std::move(result)]() mutable { done(std::move(result)); });
  });
}

std::vector<std::string> PodVolumes::known() { return listFolder(options_.folder); }

ImageAuth PodVolumes::imageAuth(const api::ObjectPtr& pod, const std::string& image) {
  for (auto& ref : pod->as<core::Pod>().spec.imagePullSecrets) {
    auto object = cache_->get(ObjectRef::keys(true, pod->ns(), ref.name));
    if (!object) continue;
    auto& data = object->as<core::Secret>().data;
    auto it = data.find(".dockerconfigjson");
    if (it == data.end()) continue;
    auto auth = authFor(it->second, image);
    if (!auth.userName.empty()) return auth;
  }
  return {};
}

}  // namespace ph::agents
