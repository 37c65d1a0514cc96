#include <fmt/format.h>

#include <algorithm>

#include "engine/api/types/storage.h"
#include "engine/api/volumes.h"
#include "engine/controllers/common/pods.h"
#include "engine/controllers/volumebinding/volumebinding.h"

namespace ph::controllers {
namespace {

using api::core::PersistentVolume;
using api::core::PersistentVolumeClaim;
using api::storage::StorageClass;

constexpr const char* kBindCompleted = "pv.kubernetes.io/bind-completed";
constexpr const char* kBoundByController = "pv.kubernetes.io/bound-by-controller";
constexpr const char* kHostname = "kubernetes.io/hostname";
// Not in the agent's own folder: what was joined goes when a machine is removed, people's data stays.
constexpr std::string_view kFolder = "/var/lib/pilothouse-volumes";

// One look at one claim.
struct Look {
  const Snapshot& snapshot;
  const ObjectPtr& object;
  const PersistentVolumeClaim& claim;
  Plan& plan;

  const Kinds& kinds() const { return snapshot.kinds(); }
  void tell(const char* type, const char* reason, std::string message) const {
    plan.notes.push_back({client::ObjectReference::to(*object), type, reason, std::move(message)});
  }
};

JsonObject referenceTo(const api::Object& claim) {
  return {{"kind", "PersistentVolumeClaim"},
          {"apiVersion", "v1"},
          {"namespace", claim.ns()},
          {"name", claim.name()},
          {"uid", claim.uid()},
          {"resourceVersion", std::to_string(claim.revision())}};
}

JsonArray textsOf(const std::vector<std::string>& texts) { return JsonArray(texts.begin(), texts.end()); }

bool completed(const PersistentVolumeClaim& claim) { return claim.metadata.annotations.contains(kBindCompleted); }

// First the volume learns whose it is, then the claim: of two claims that want it, one gets it.
void take(const Look& look, const api::Object& volume) {
  look.plan.patch(volume, JsonObject{{"metadata", {{"annotations", {{kBoundByController, "yes"}}}}}, {"spec", {{"claimRef", referenceTo(*look.object)}}}});
}

void setPhase(const Look& look, const char* phase, const PersistentVolume* volume) {
  JsonObject status{{"phase", phase}};
  if (volume) {
    JsonObject capacity;
    if (auto size = volume->spec.capacity.find("storage"); size != volume->spec.capacity.end()) capacity["storage"] = size->second.text();
    status["capacity"] = std::move(capacity);
    status["accessModes"] = textsOf(volume->spec.accessModes);
  }
  look.plan.patchNewest(*look.object, JsonObject{{"status", std::move(status)}}, "status");
}

// The volume is the claim's: now the claim says so too.
void complete(const Look& look, const api::Object& volume) {
  bool named = look.claim.spec.volumeName == volume.name();
  if (!named || !completed(look.claim)) {
    JsonObject annotations{{kBindCompleted, "yes"}};
    if (!named) annotations[kBoundByController] = "yes";
    look.plan.patch(*look.object, JsonObject{{"metadata", {{"annotations", std::move(annotations)}}}, {"spec", {{"volumeName", volume.name()}}}});
  }
  if (look.claim.status.phase != "Bound") setPhase(look, "Bound", &volume.as<PersistentVolume>());
}

void lose(const Look& look, const char* reason, std::string why) {
  if (look.claim.status.phase == "Lost") return;
  setPhase(look, "Lost", nullptr);
  look.tell("Warning", reason, std::move(why));
}

// The claim names its volume: it was bound before, or somebody chose it.
void settle(const Look& look) {
  auto& name = look.claim.spec.volumeName;
  ObjectPtr object = look.snapshot.get(look.kinds().volumes, name);
  if (!object) {
    if (completed(look.claim)) lose(look, "ClaimLost", "the volume that the claim was bound to is gone, and its data may be too");
    return;
  }
  auto& volume = object->as<PersistentVolume>();
  if (!volume.spec.claimRef && !completed(look.claim)) {
    if (api::satisfies(*object, look.claim)) return take(look, *object);
    return look.tell("Warning", "VolumeMismatch", fmt::format("cannot bind to requested volume \"{}\": it is not what the claim asks for", name));
  }
  if (api::heldBy(volume, *look.object)) {
    if (volume.spec.claimRef->uid.empty()) return take(look, *object);
    return complete(look, *object);
  }
  if (completed(look.claim)) return lose(look, "ClaimMisbound", "the volume that the claim was bound to belongs to another claim now");
  look.tell("Warning", "FailedBinding", fmt::format("volume \"{}\" already bound to a different claim.", name));
}

// The node of a pod that uses the claim; null: none has one yet.
ObjectPtr consumersNode(const Look& look) {
  for (auto& [key, pod] : look.snapshot.all(look.kinds().pods).prefix(look.object->ns() + "/")) {
    auto& p = podOf(pod);
    if (p.spec.nodeName.empty() || !podActive(pod)) continue;
    auto names = api::claimsOf(pod->name(), p.spec);
    if (std::find(names.begin(), names.end(), look.object->name()) == names.end()) continue;
    if (auto node = look.snapshot.get(look.kinds().nodes, p.spec.nodeName)) return node;
  }
  return nullptr;
}

// The smallest that will do. Those that are this claim's already come first.
ObjectPtr findVolume(const Look& look, const ObjectPtr& node) {
  ObjectPtr best;
  auto size = [](const ObjectPtr& v) {
    auto& capacity = v->as<PersistentVolume>().spec.capacity;
    auto it = capacity.find("storage");
    return it == capacity.end() ? api::Quantity() : it->second;
  };
  for (auto& [name, volume] : look.snapshot.all(look.kinds().volumes)) {
    auto& v = volume->as<PersistentVolume>();
    if (v.spec.claimRef && api::heldBy(v, *look.object) && !volume->meta().deleting) return volume;
    if (!api::isFree(*volume) || !api::satisfies(*volume, look.claim)) continue;
    if (node && !api::reaches(v, node->meta().labels, node->name())) continue;
    if (!best || size(volume) < size(best)) best = volume;
  }
  return best;
}

Json volumeFor(const Look& look, const api::Object& classObject, const api::Object& node) {
  auto& storageClass = classObject.as<StorageClass>();
  std::string name = "pvc-" + look.object->uid();
  auto folder = storageClass.parameters.find("path");
  std::string root(folder == storageClass.parameters.end() ? kFolder : std::string_view(folder->second));
  std::string hostname(node.meta().label(kHostname));
  auto size = look.claim.spec.resources.requests.find("storage");
  JsonObject rule{{"key", kHostname}, {"operator", "In"}, {"values", JsonArray{hostname.empty() ? node.name() : hostname}}};
  JsonObject term{{"matchExpressions", JsonArray{std::move(rule)}}};
  JsonObject spec{{"capacity", {{"storage", size == look.claim.spec.resources.requests.end() ? "0" : size->second.text()}}},
                  {"accessModes", textsOf(look.claim.spec.accessModes)},
                  {"claimRef", referenceTo(*look.object)},
                  {"persistentVolumeReclaimPolicy", storageClass.reclaimPolicy.value_or("Delete")},
                  {"storageClassName", classObject.name()},
                  {"volumeMode", "Filesystem"},
                  {"local", {{"path", root + "/" + name}}},
                  {"nodeAffinity", {{"required", {{"nodeSelectorTerms", JsonArray{std::move(term)}}}}}}};
  return JsonObject{{"apiVersion", "v1"},
                    {"kind", "PersistentVolume"},
                    {"metadata", {{"name", name}, {"annotations", {{api::kProvisionedBy, api::kLocalProvisioner}}}}},
                    {"spec", std::move(spec)}};
}

void provision(const Look& look, const api::Object& classObject, const ObjectPtr& node) {
  if (look.claim.spec.volumeMode.value_or("Filesystem") != "Filesystem")
    return look.tell("Warning", "ProvisioningFailed", "a folder of a machine can't be a block device (volumeMode)");
  if (!node)
    return look.tell("Warning", "ProvisioningFailed", fmt::format("storage class \"{}\" needs volumeBindingMode WaitForFirstConsumer: its volumes are on "
                                                                  "the machine of the claim's first pod", classObject.name()));
  Step& step = look.plan.create(look.kinds().volumes, "", volumeFor(look, classObject, *node));
  auto about = client::ObjectReference::to(*look.object);
  step.ok = Note{about, "Normal", "ProvisioningSucceeded", fmt::format("Successfully provisioned volume pvc-{}", look.object->uid()), true};
  step.failed = Note{about, "Warning", "ProvisioningFailed", "failed to provision volume: "};
}

// The claim has no volume yet.
void bind(const Look& look) {
  std::string className = api::classOf(look.claim);
  ObjectPtr classObject = className.empty() ? nullptr : look.snapshot.get(look.kinds().storageClasses, className);
  bool waits = classObject && api::waitsForConsumer(classObject->as<StorageClass>());
  ObjectPtr node = waits ? consumersNode(look) : nullptr;
  if (ObjectPtr volume = waits && !node ? nullptr : findVolume(look, node)) {
    auto& ref = volume->as<PersistentVolume>().spec.claimRef;
    return ref && !ref->uid.empty() ? complete(look, *volume) : take(look, *volume);
  }
  if (look.claim.status.phase.empty()) setPhase(look, "Pending", nullptr);
  if (waits && !node) return look.tell("Normal", "WaitForFirstConsumer", "waiting for first consumer to be created before binding");
  if (className.empty())
    return look.tell("Normal", "FailedBinding", "no persistent volumes available for this claim and no storage class is set");
  if (!classObject)
    return look.tell("Warning", "ProvisioningFailed", fmt::format("storageclass.storage.k8s.io \"{}\" not found", className));
  auto& provisioner = classObject->as<StorageClass>().provisioner;
  if (provisioner == api::kLocalProvisioner) return provision(look, *classObject, node);
  if (provisioner == "kubernetes.io/no-provisioner")
    return look.tell("Normal", "FailedBinding", "no persistent volumes available for this claim, and its storage class makes none");
  look.tell("Normal", "ExternalProvisioning", fmt::format("waiting for a volume to be created by external provisioner \"{}\"", provisioner));
}

}  // namespace

Plan reconcileClaim(const Snapshot& snapshot, const Key& key, Moment) {
  Plan plan;
  ObjectPtr object = snapshot.get(snapshot.kinds().claims, key.text);
  if (!object || object->meta().deleting) return plan;
  Look look{snapshot, object, object->as<PersistentVolumeClaim>(), plan};
  if (look.claim.spec.volumeName.empty()) bind(look);
  else settle(look);
  return plan;
}

namespace {

void keysOfPod(const Snapshot&, const client::Change& change, Keys& keys) {
  // What counts of a pod is where it went.
  if (!change.now || podOf(change.now).spec.nodeName.empty()) return;
  if (change.old && !podOf(change.old).spec.nodeName.empty()) return;
  for (auto& name : api::claimsOf(change.now->name(), podOf(change.now).spec)) keys.push_back(change.now->ns() + "/" + name);
}

void unbound(const Snapshot& snapshot, std::string_view className, Keys& keys) {
  for (auto& [key, claim] : snapshot.all(snapshot.kinds().claims)) {
    auto& c = claim->as<PersistentVolumeClaim>();
    if (c.status.phase != "Bound" && api::classOf(c) == className) keys.push_back(key);
  }
}

void keysOfVolume(const Snapshot& snapshot, const client::Change& change, Keys& keys) {
  auto& volume = change.any()->as<PersistentVolume>();
  if (auto& ref = volume.spec.claimRef) keys.push_back(ref->namespace_ + "/" + ref->name);
  else if (change.now && api::isFree(*change.now)) unbound(snapshot, volume.spec.storageClassName, keys);
  // Claims that name it themselves.
  if (!change.old || !change.now)
    for (auto& [key, claim] : snapshot.all(snapshot.kinds().claims))
      if (claim->as<PersistentVolumeClaim>().spec.volumeName == change.any()->name()) keys.push_back(key);
}

}  // namespace

ControllerSpec claimBindingController(const Kinds& kinds) {
  ControllerSpec spec;
  spec.name = "persistentvolume-controller";
  spec.watches = {{kinds.claims, keySelf},
                  {kinds.pods, keysOfPod},
                  {kinds.volumes, keysOfVolume},
                  {kinds.storageClasses, [](const Snapshot& s, const client::Change& c, Keys& keys) { unbound(s, c.any()->name(), keys); }}};
  spec.reconcile = reconcileClaim;
  return spec;
}

}  // namespace ph::controllers
