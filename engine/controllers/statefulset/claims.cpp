// The claims of a pod: made before it, kept when it goes, and, where the set says so, handed to an owner with which
// they go: the set, or the pod that is scaled away.
#include <fmt/format.h>

#include "engine/controllers/common/pods.h"
#include "engine/controllers/statefulset/look.h"

namespace ph::controllers::statefulset {

using ClaimTemplate = api::core::PersistentVolumeClaim;

namespace {

Json newClaim(const Look& l, const ClaimTemplate& from, const std::string& name) {
  JsonObject labels, annotations;
  for (auto& [k, v] : from.metadata.labels) labels[k] = v;
  for (auto& [k, v] : l.set.spec.selector.orEmpty().matchLabels) labels[k] = v;
  for (auto& [k, v] : from.metadata.annotations) annotations[k] = v;
  JsonObject meta{{"name", name}, {"namespace", l.object->ns()}, {"labels", std::move(labels)}};
  if (!annotations.empty()) meta["annotations"] = std::move(annotations);
  if (l.set.spec.persistentVolumeClaimRetentionPolicy.orEmpty().whenDeleted == "Delete")
    meta["ownerReferences"] = JsonArray{controllerReference(*l.object)};
  return JsonObject{{"apiVersion", "v1"},
                    {"kind", "PersistentVolumeClaim"},
                    {"metadata", std::move(meta)},
                    {"spec", api::toJson(from.spec)}};
}

void makeClaim(Look& l, const ClaimTemplate& from, const std::string& name, const std::string& pod) {
  Step& s = l.plan.create(l.snapshot.kinds().claims, l.object->ns(), newClaim(l, from, name));
  l.told(s, "Create", fmt::format("create Claim {} Pod {} in StatefulSet {}", name, pod, l.object->name()));
}

// It belongs to an earlier pod of that name, and is about to go after it.
bool isStale(const api::Object& claim, const std::string& pod) {
  for (auto& o : claim.meta().owners)
    if (o.kind == "Pod" && o.name == pod) return true;
  return false;
}

struct Owned {
  bool bySet = false, byPod = false;
  bool operator==(const Owned&) const = default;
};

Owned wantedOwners(const Look& l, int64_t ordinal) {
  auto& policy = l.set.spec.persistentVolumeClaimRetentionPolicy.orEmpty();
  bool byPod = policy.whenScaled == "Delete" && !l.wanted(ordinal);
  return {policy.whenDeleted == "Delete" && !byPod, byPod};
}

// True when its owners are as wanted. Owners that someone else gave it are left alone, and so is a claim that another
// controller owns.
bool keepOwners(Look& l, const ObjectPtr& claim, int64_t ordinal, const ObjectPtr& pod) {
  Owned has;
  for (auto& o : claim->meta().owners) {
    bool set = o.uid == l.object->uid(), ours = set || o.uid == pod->uid();
    if (ours != o.controller) return true;
    has.bySet |= set;
    has.byPod |= ours && !set;
  }
  Owned wanted = wantedOwners(l, ordinal);
  if (has == wanted) return true;
  Json tree = claim->tree();
  JsonArray owners;
  if (auto* all = api::at(tree, "metadata.ownerReferences"))
    for (auto& o : all->as_array())
      if (auto& uid = o.at("uid").as_string(); uid != l.object->uid() && uid != pod->uid()) owners.push_back(o);
  if (wanted.bySet) owners.push_back(controllerReference(*l.object));
  if (wanted.byPod) owners.push_back(controllerReference(*pod));
  Step& s = l.plan.patch(
      *claim, JsonObject{{"metadata", JsonObject{{"ownerReferences",
                                                  owners.empty() ? Json(nullptr) : Json(std::move(owners))}}}});
  l.told(s, "Update",
         fmt::format("update Claim {} of Pod {} in StatefulSet {}", claim->name(), pod->name(), l.object->name()));
  return false;
}

bool keepClaim(Look& l, const ClaimTemplate& from, int64_t ordinal, const ObjectPtr& pod) {
  std::string podName = l.podName(ordinal), name = claimName(from.metadata.name, podName);
  ObjectPtr claim = l.snapshot.get(l.snapshot.kinds().claims, l.object->ns() + "/" + name);
  if (!claim) {
    // A pod that has left Pending runs on what it has.
    bool needed = !pod || (l.wanted(ordinal) && podOf(pod).status.phase == "Pending");
    if (needed) makeClaim(l, from, name, podName);
    return !needed;
  }
  if (pod) return claim->meta().deleting || keepOwners(l, claim, ordinal, pod);
  if (!claim->meta().deleting) return !isStale(*claim, podName);
  l.blocked(podName, fmt::format("its claim {} is being deleted", name));
  return false;
}

}  // namespace

std::string claimName(std::string_view claimTemplate, const std::string& pod) {
  return std::string(claimTemplate) + "-" + pod;
}

bool keepClaims(Look& l, int64_t ordinal, const ObjectPtr& pod) {
  bool kept = true;
  for (auto& from : l.set.spec.volumeClaimTemplates) kept = keepClaim(l, from, ordinal, pod) && kept;
  return kept;
}

// A claim takes the place of a volume of the same name.
void addClaimedVolumes(const Look& l, const std::string& pod, JsonObject& spec) {
  auto& templates = l.set.spec.volumeClaimTemplates;
  if (templates.empty()) return;
  JsonArray volumes;
  for (auto& from : templates)
    volumes.push_back(
        JsonObject{{"name", from.metadata.name},
                   {"persistentVolumeClaim", JsonObject{{"claimName", claimName(from.metadata.name, pod)}}}});
  auto claimed = [&](const Json& volume) {
    for (auto& from : templates)
      if (volume.at("name").as_string() == from.metadata.name) return true;
    return false;
  };
  if (auto* own = spec.if_contains("volumes"))
    for (auto& volume : own->as_array())
      if (!claimed(volume)) volumes.push_back(std::move(volume));
  spec["volumes"] = std::move(volumes);
}

}  // namespace ph::controllers::statefulset
