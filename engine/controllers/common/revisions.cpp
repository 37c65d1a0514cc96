#include "engine/controllers/common/revisions.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "engine/api/types/apps.h"
#include "engine/api/types/core.h"
#include "engine/controllers/common/pods.h"
#include "engine/controllers/common/template_hash.h"

namespace ph::controllers {

namespace {

constexpr std::string_view kLastApplied = "kubectl.kubernetes.io/last-applied-configuration";
constexpr std::string_view kDirective = "$patch";

int64_t numberOf(const ObjectPtr& revision) {
  return revision->as<api::apps::ControllerRevision>().revision;
}

// The same for templates that mean the same, whatever the order of their fields.
std::string templateText(const Json& pod) {
  api::core::PodTemplateSpec typed;
  api::decodeLenient(pod, api::schemaOf<api::core::PodTemplateSpec>(), &typed);
  return api::toText(typed);
}

bool holds(const ObjectPtr& revision, const std::string& text) {
  Json pod = templateOf(*revision);
  return pod.is_object() && templateText(pod) == text;
}

// Of DaemonSets, the label that their pods carry; StatefulSets' revisions have one of their own.
std::string_view hashLabel(const api::Object& owner) {
  return owner.info().kind == "DaemonSet" ? kRevisionHash : "controller.kubernetes.io/hash";
}

// kubectl shows the change-cause that comes along.
JsonObject annotationsOf(const Json& owner) {
  JsonObject out;
  auto* all = api::at(owner, "metadata.annotations");
  if (!all || !all->is_object()) return out;
  for (auto& [key, value] : all->as_object())
    if (std::string_view(key) != kLastApplied) out[key] = value;
  return out;
}

Json inOrder(const Json& from) {
  if (auto* list = from.if_array()) {
    JsonArray out;
    for (auto& v : *list) out.push_back(inOrder(v));
    return out;
  }
  auto* object = from.if_object();
  if (!object) return from;
  std::map<std::string_view, const Json*> members;
  for (auto& kv : *object) members[kv.key()] = &kv.value();
  JsonObject out;
  for (auto& [key, value] : members) out[key] = inOrder(*value);
  return out;
}

// Byte for byte as Go writes its struct: that is how kubectl and other clients find the revision that a template is now.
Json asClientsWrite(Json pod) {
  auto& meta = pod.as_object()["metadata"];
  if (!meta.is_object()) meta.emplace_object();
  meta.as_object().emplace("creationTimestamp", nullptr);
  for (auto* containers : {"containers", "initContainers"}) {
    auto* spec = pod.as_object().if_contains("spec");
    auto* list = spec && spec->is_object() ? spec->as_object().if_contains(containers) : nullptr;
    if (!list || !list->is_array()) continue;
    for (auto& c : list->as_array())
      if (c.is_object()) c.as_object().emplace("resources", JsonObject());
  }
  return inOrder(pod);
}

void create(const Snapshot& snapshot, const api::Object& owner, Json tree, const std::string& hash,
            const History& history, Plan& plan) {
  Json pod = std::move(tree.at("spec").at("template"));
  JsonObject labels;
  if (auto* own = api::at(pod, "metadata.labels"); own && own->is_object()) labels = own->as_object();
  labels[hashLabel(owner)] = hash;
  // Undo puts the whole template back instead of merging into the one of now.
  pod.as_object()[kDirective] = "replace";
  JsonObject meta{{"name", history.currentName},
                  {"namespace", owner.ns()},
                  {"labels", std::move(labels)},
                  {"annotations", annotationsOf(tree)},
                  {"ownerReferences", JsonArray{controllerReference(owner)}}};
  auto* kind = snapshot.kinds().controllerRevisions;
  plan.create(kind, owner.ns(),
              JsonObject{{"apiVersion", kind->apiVersion()},
                         {"kind", kind->kind},
                         {"metadata", std::move(meta)},
                         {"data", JsonObject{{"spec", JsonObject{{"template", asClientsWrite(std::move(pod))}}}}},
                         {"revision", history.nextRevision}});
}

// The word for a template whose name is still free.
std::string freeHash(const Snapshot& snapshot, const api::Object& owner, const std::string& text,
                     int& collisions) {
  for (;; ++collisions) {
    std::string hash = templateHash(text, collisions);
    if (!snapshot.get(snapshot.kinds().controllerRevisions, owner.ns() + "/" + owner.name() + "-" + hash))
      return hash;
  }
}

}  // namespace

Json templateOf(const api::Object& revision) {
  auto* pod = api::at(revision.as<api::apps::ControllerRevision>().data, "spec.template");
  if (!pod || !pod->is_object()) return nullptr;
  Json out = *pod;
  auto& fields = out.as_object();
  if (auto it = fields.find(kDirective); it != fields.end()) fields.stable_erase(it);
  return out;
}

History keepHistory(const Snapshot& snapshot, const ObjectPtr& owner, const api::LabelSelector& selector,
                    int collisionCount, Plan& plan) {
  History h;
  h.collisionCount = collisionCount;
  size_t before = plan.steps.size();
  h.revisions = claim(snapshot, owner, snapshot.kinds().controllerRevisions, selector, plan);
  bool claiming = plan.steps.size() != before;
  std::sort(h.revisions.begin(), h.revisions.end(), [](auto& a, auto& b) {
    return std::tuple(numberOf(a), a->meta().created, a->name()) <
           std::tuple(numberOf(b), b->meta().created, b->name());
  });
  if (!h.revisions.empty()) h.nextRevision = numberOf(h.revisions.back()) + 1;

  Json tree = owner->tree();
  std::string text = templateText(tree.at("spec").at("template"));
  auto newest =
      std::find_if(h.revisions.rbegin(), h.revisions.rend(), [&](auto& r) { return holds(r, text); });
  bool leaving = owner->meta().deleting;
  if (newest != h.revisions.rend()) {
    h.current = *newest;
    h.currentName = h.current->name();
    if (newest != h.revisions.rbegin() && !leaving)
      plan.patch(*h.current, JsonObject{{"revision", h.nextRevision}});
    return h;
  }
  // One of those that are adopted may be it: the names are looked at when that is done.
  bool make = !claiming && !leaving;
  std::string hash =
      make ? freeHash(snapshot, *owner, text, h.collisionCount) : templateHash(text, collisionCount);
  h.currentName = owner->name() + "-" + hash;
  if (make) create(snapshot, *owner, std::move(tree), hash, h, plan);
  return h;
}

void trimHistory(const History& history, int limit, const std::set<std::string>& inUse, Plan& plan) {
  std::vector<ObjectPtr> idle;
  for (auto& r : history.revisions)
    if (r != history.current && !inUse.contains(r->name()) && !r->meta().deleting) idle.push_back(r);
  for (size_t i = 0; i + size_t(std::max(limit, 0)) < idle.size(); ++i) plan.remove(*idle[i]);
}

}  // namespace ph::controllers
