#include "engine/controllers/namespaces/namespaces.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "engine/api/types/core.h"

namespace ph::controllers {

using api::core::Namespace;
using api::core::NamespaceCondition;
using api::core::NamespaceStatus;

namespace {

constexpr int kMostAtOnce = 500;
constexpr std::string_view kFinalizer = "kubernetes";

struct Remains {
  std::map<std::string, int> kinds;       // "pods." -> how many
  std::map<std::string, int> finalizers;  // name -> how many objects wait for it
  bool empty() const { return kinds.empty(); }
};

// Every namespaced kind once, as it is stored.
std::vector<const ResourceInfo*> namespacedKinds(const Snapshot& snapshot) {
  std::vector<const ResourceInfo*> out;
  for (auto* info : snapshot.registry().all()) {
    const ResourceInfo* stored = snapshot.registry().stored(*info);
    if (stored && stored->stored && stored->namespaced && std::find(out.begin(), out.end(), stored) == out.end())
      out.push_back(stored);
  }
  return out;
}

Remains deleteContent(const Snapshot& snapshot, const std::string& ns,
                      const std::vector<const ResourceInfo*>& kinds, Plan& plan) {
  Remains remains;
  std::string prefix = ns + "/";
  for (auto* kind : kinds) {
    for (auto& [key, object] : snapshot.all(kind).prefix(prefix)) {
      ++remains.kinds[kind->plural + "." + kind->group];
      for (auto& f : object->meta().finalizers) ++remains.finalizers[f];
      if (object->meta().deleting || plan.steps.size() >= size_t(kMostAtOnce)) continue;
      plan.remove(*object, {}, client::Propagation::Background);
    }
  }
  return remains;
}

std::string listed(const std::map<std::string, int>& counts, std::string_view each) {
  std::string out;
  for (auto& [name, n] : counts)
    out += fmt::format("{}{} has {} resource instances", out.empty() ? "" : ", ", name, n);
  return fmt::format("{}: {}", each, out);
}

void setCondition(NamespaceStatus& status, std::string type, bool bad, std::string reason,
                  std::string message, WallTime now) {
  NamespaceCondition c{type, bad ? "True" : "False", now, std::move(reason), std::move(message)};
  for (auto& have : status.conditions) {
    if (have.type != type) continue;
    if (have.status == c.status) c.lastTransitionTime = have.lastTransitionTime;
    have = std::move(c);
    return;
  }
  status.conditions.push_back(std::move(c));
}

void writeStatus(const ObjectPtr& object, const Remains& remains, const Key& key, WallTime now, Plan& plan) {
  NamespaceStatus status = object->as<Namespace>().status;
  status.phase = "Terminating";
  setCondition(status, "NamespaceDeletionDiscoveryFailure", false, "ResourcesDiscovered",
               "All resources successfully discovered", now);
  setCondition(status, "NamespaceDeletionGroupVersionParsingFailure", false, "ParsedGroupVersions",
               "All legacy kube types successfully parsed", now);
  bool failed = !key.lastError.empty();
  setCondition(
      status, "NamespaceDeletionContentFailure", failed, failed ? "ContentDeletionFailed" : "ContentDeleted",
      failed ? key.lastError : "All content successfully deleted, may be waiting on finalization", now);
  setCondition(status, "NamespaceContentRemaining", !remains.kinds.empty(),
               remains.kinds.empty() ? "ContentRemoved" : "SomeResourcesRemain",
               remains.kinds.empty() ? "All content successfully removed"
                                     : listed(remains.kinds, "Some resources are remaining"),
               now);
  setCondition(status, "NamespaceFinalizersRemaining", !remains.finalizers.empty(),
               remains.finalizers.empty() ? "ContentHasNoFinalizers" : "SomeFinalizersRemain",
               remains.finalizers.empty()
                   ? "All content-preserving finalizers finished"
                   : listed(remains.finalizers, "Some content in the namespace has finalizers remaining"),
               now);
  Json after = api::toJson(status);
  if (api::toJson(object->as<Namespace>().status) == after) return;
  plan.patchNewest(*object, JsonObject{{"status", std::move(after)}}, "status");
}

}  // namespace

Plan reconcileNamespace(const Snapshot& snapshot, const Key& key, Moment now) {
  Plan plan;
  ObjectPtr object = snapshot.get(snapshot.kinds().namespaces, key.text);
  if (!object || !object->meta().deleting) return plan;
  auto& finalizers = object->as<Namespace>().spec.finalizers;
  if (std::find(finalizers.begin(), finalizers.end(), kFinalizer) == finalizers.end()) return plan;
  auto kinds = namespacedKinds(snapshot);
  for (auto* kind : kinds) {
    if (snapshot.synced(kind)) continue;
    plan.lookAgain(std::chrono::seconds(1));  // a kind that has just come: its content is not known yet
    return plan;
  }
  Remains remains = deleteContent(snapshot, object->name(), kinds, plan);
  if (!remains.empty()) {
    bool more = plan.steps.size() >= size_t(kMostAtOnce);
    writeStatus(object, remains, key, now.wall, plan);
    plan.lookAgain(more ? Duration(std::chrono::milliseconds(10)) : Duration(std::chrono::seconds(5)));
    return plan;
  }
  // What was written just before the namespace began to go may not have reached us: ask.
  for (auto* kind : kinds) plan.absences.push_back({kind, object->name(), {}, {}});
  Json tree = object->tree();
  auto& list = tree.at("spec").at("finalizers").as_array();
  for (auto it = list.begin(); it != list.end();)
    it = it->as_string() == kFinalizer ? list.erase(it) : it + 1;
  Step& s = plan.steps.emplace_back();
  s.write.verb = client::Verb::Update;
  s.write.info = &object->info();
  s.write.name = object->name();
  s.write.subresource = "finalize";
  s.write.body = api::toText(tree);
  s.write.uid = object->uid();
  s.write.revision = object->revision();
  return plan;
}

ControllerSpec namespaceController(const Kinds& kinds) {
  ControllerSpec spec;
  spec.name = "namespace-controller";
  spec.watches = {{kinds.namespaces, keySelf},
                  {nullptr, [](const Snapshot& snapshot, const client::Change& c, Keys& keys) {
                     auto& ns = c.any()->ns();
                     if (ns.empty()) return;
                     ObjectPtr object = snapshot.get(snapshot.kinds().namespaces, ns);
                     if (object && object->meta().deleting) keys.push_back(ns);
                   }}};
  spec.reconcile = reconcileNamespace;
  spec.minInterval = std::chrono::milliseconds(20);
  return spec;
}

}  // namespace ph::controllers
