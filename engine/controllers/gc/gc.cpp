#include "engine/controllers/gc/gc.h"

#include <algorithm>

namespace ph::controllers {

namespace {

constexpr std::string_view kForeground = "foregroundDeletion";
constexpr std::string_view kOrphan = "orphan";
constexpr int kMostAtOnce = 500;

bool has(const api::Object& object, std::string_view finalizer) {
  auto& all = object.meta().finalizers;
  return std::find(all.begin(), all.end(), finalizer) != all.end();
}

// It goes as soon as its blocking dependents are gone.
bool waiting(const api::Object& object) {
  return object.meta().deleting && has(object, kForeground);
}

ObjectPtr objectOf(const Snapshot& snapshot, const std::string& key) {
  auto bar = key.find('|');
  std::string_view prefix = std::string_view(key).substr(0, bar);
  // "/registry/GROUP/PLURAL/"
  auto parts = prefix.substr(std::string_view("/registry/").size());
  auto slash = parts.find('/');
  std::string_view group = parts.substr(0, slash), plural = parts.substr(slash + 1, parts.size() - slash - 2);
  const ResourceInfo* kind = snapshot.registry().storage(group == "core" ? "" : group, plural);
  return kind ? snapshot.get(kind, std::string_view(key).substr(bar + 1)) : nullptr;
}

Json metaPatch(JsonObject meta) {
  return JsonObject{{"metadata", std::move(meta)}};
}

void dropFinalizer(const ObjectPtr& object, std::string_view finalizer, Plan& plan) {
  JsonArray left;
  for (auto& f : object->meta().finalizers)
    if (f != finalizer) left.push_back(Json(f));
  plan.patch(*object, metaPatch({{"finalizers", left.empty() ? Json(nullptr) : Json(std::move(left))}}));
}

// Keeps the owner references for which `keep` holds.
template <class Keep>
void patchOwners(const ObjectPtr& object, Keep keep, Plan& plan) {
  Json tree = object->tree();
  JsonArray left;
  for (auto& o : tree.at("metadata").at("ownerReferences").as_array())
    if (keep(std::string_view(o.at("uid").as_string()))) left.push_back(o);
  plan.patch(*object, metaPatch({{"ownerReferences", left.empty() ? Json(nullptr) : Json(std::move(left))}}));
}

void orphanDependents(const Snapshot& snapshot, const ObjectPtr& object, Plan& plan) {
  int count = 0;
  for (auto& [kind, dependents] : snapshot.dependents(object->uid()))
    for (auto& [key, dependent] : dependents) {
      if (++count > kMostAtOnce) return;
      patchOwners(
          dependent, [&](std::string_view uid) { return uid != object->uid(); }, plan);
    }
  if (count == 0) dropFinalizer(object, kOrphan, plan);
}

void finishForeground(const Snapshot& snapshot, const ObjectPtr& object, Plan& plan) {
  for (auto& [kind, dependents] : snapshot.dependents(object->uid()))
    for (auto& [key, dependent] : dependents)
      for (auto& o : dependent->meta().owners)
        if (o.uid == object->uid() && o.blockOwnerDeletion) return;
  dropFinalizer(object, kForeground, plan);
}

struct Owners {
  std::vector<const api::OwnerRef*> gone, waiting;
  bool solid = false;    // someone lives who wants it
  bool unknown = false;  // someone whose kind is not (yet) known: wait
};

Owners classify(const Snapshot& snapshot, const ObjectPtr& object) {
  Owners out;
  for (auto& o : object->meta().owners) {
    const ResourceInfo* kind = snapshot.kindOf(o);
    bool crossing = kind && kind->namespaced && object->ns().empty();  // may not be: then nobody can tell
    if (!kind || crossing || !snapshot.synced(kind)) {
      out.unknown = true;
      continue;
    }
    ObjectPtr owner = snapshot.owner(o, object->ns());
    if (!owner)
      out.gone.push_back(&o);
    else if (waiting(*owner))
      out.waiting.push_back(&o);
    else
      out.solid = true;
  }
  return out;
}

void expectGone(const Snapshot& snapshot, const ObjectPtr& object, const Owners& owners, Plan& plan) {
  for (auto* o : owners.gone) {
    const ResourceInfo* kind = snapshot.kindOf(*o);
    plan.absences.push_back({kind, kind->namespaced ? object->ns() : std::string(), o->name, o->uid});
  }
}

// Two that wait for each other's end would wait for ever.
bool inCircle(const Snapshot& snapshot, const ObjectPtr& object) {
  for (auto& [kind, dependents] : snapshot.dependents(object->uid()))
    for (auto& [key, dependent] : dependents)
      if (waiting(*dependent)) return true;
  return false;
}

void attemptToDelete(const Snapshot& snapshot, const ObjectPtr& object, Plan& plan) {
  if (object->meta().owners.empty()) return;
  Owners owners = classify(snapshot, object);
  if (owners.gone.empty() && owners.waiting.empty()) {
    if (owners.unknown && !owners.solid) plan.lookAgain(std::chrono::seconds(5));
    return;
  }
  expectGone(snapshot, object, owners, plan);
  if (owners.solid || owners.unknown) {
    if (owners.unknown && !owners.solid) {
      plan.absences.clear();
      plan.lookAgain(std::chrono::seconds(5));
      return;
    }
    auto leaves = [&](std::string_view uid) {
      auto in = [&](auto& list) {
        return std::any_of(list.begin(), list.end(), [&](auto* o) { return o->uid == uid; });
      };
      return in(owners.gone) || in(owners.waiting);
    };
    patchOwners(
        object, [&](std::string_view uid) { return !leaves(uid); }, plan);
    return;
  }
  bool holds =
      !owners.waiting.empty() && !snapshot.dependents(object->uid()).empty() && !inCircle(snapshot, object);
  auto policy = has(*object, kOrphan)                ? client::Propagation::Orphan
                : has(*object, kForeground) || holds ? client::Propagation::Foreground
                                                     : client::Propagation::Background;
  plan.remove(*object, {}, policy);
}

}  // namespace

std::string gcKey(const api::Object& object) {
  return object.info().keyPrefix() + "|" + object.key();
}

Plan collectGarbage(const Snapshot& snapshot, const Key& key, Moment) {
  Plan plan;
  ObjectPtr object = objectOf(snapshot, key.text);
  if (!object) return plan;
  if (object->meta().deleting) {
    if (has(*object, kOrphan))
      orphanDependents(snapshot, object, plan);
    else if (has(*object, kForeground))
      finishForeground(snapshot, object, plan);
    return plan;
  }
  attemptToDelete(snapshot, object, plan);
  return plan;
}

void gcKeys(const Snapshot& snapshot, const client::Change& change, Keys& keys) {
  auto dependentsOf = [&](const ObjectPtr& owner) {
    for (auto& [kind, dependents] : snapshot.dependents(owner->uid()))
      for (auto& [key, dependent] : dependents) keys.push_back(gcKey(*dependent));
  };
  auto ownersOf = [&](const ObjectPtr& object) {
    for (auto& o : object->meta().owners)
      if (ObjectPtr owner = snapshot.owner(o, object->ns()); owner && owner->meta().deleting)
        keys.push_back(gcKey(*owner));
  };
  auto& [old, now] = change;
  if (old && (!now || now->uid() != old->uid())) {
    dependentsOf(old);
    ownersOf(old);
  }
  if (!now) return;
  bool fresh = !old || old->uid() != now->uid();
  auto sameOwners = [&] {
    auto &a = old->meta().owners, &b = now->meta().owners;
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](auto& x, auto& y) {
      return x.uid == y.uid && x.blockOwnerDeletion == y.blockOwnerDeletion;
    });
  };
  bool moved = !fresh && (old->meta().deleting != now->meta().deleting ||
                          old->meta().finalizers != now->meta().finalizers || !sameOwners());
  if (!fresh && !moved) return;
  if (!now->meta().owners.empty() || !now->meta().finalizers.empty()) keys.push_back(gcKey(*now));
  if (moved) {
    ownersOf(old);  // they may have waited for this one
    if (now->meta().deleting) dependentsOf(now);
  }
}

ControllerSpec gcController() {
  ControllerSpec spec;
  spec.name = "garbage-collector";
  spec.watches = {{nullptr, gcKeys}};
  spec.reconcile = collectGarbage;
  return spec;
}

}  // namespace ph::controllers
