#include "engine/controllers/common/pods.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <tuple>

#include "engine/api/conditions.h"

namespace ph::controllers {

using api::core::Pod;

bool podActive(const ObjectPtr& object) {
  if (object->meta().deleting) return false;
  auto& phase = podOf(object).status.phase;
  return phase != "Succeeded" && phase != "Failed";
}

const api::core::PodCondition* podCondition(const Pod& pod, std::string_view type) {
  return api::findCondition(pod.status.conditions, type);
}

bool podReady(const ObjectPtr& pod) { return api::conditionTrue(podOf(pod).status.conditions, "Ready"); }

bool podAvailable(const ObjectPtr& pod, Duration minReady, WallTime now, std::optional<Duration>* until) {
  if (!podReady(pod)) return false;
  if (minReady <= Duration::zero()) return true;
  auto since = podCondition(podOf(pod), "Ready")->lastTransitionTime;
  if (!since) return false;
  Duration left = *since + std::chrono::duration_cast<WallTime::duration>(minReady) - now;
  if (left <= Duration::zero()) return true;
  if (until && (!*until || left < **until)) *until = left;
  return false;
}

namespace {

int64_t deletionCost(const Pod& pod) {
  auto it = pod.metadata.annotations.find("controller.kubernetes.io/pod-deletion-cost");
  int64_t cost = 0;
  if (it != pod.metadata.annotations.end())
    std::from_chars(it->second.data(), it->second.data() + it->second.size(), cost);
  return cost;
}

int phaseRank(const std::string& phase) {
  return phase == "Pending" || phase.empty() ? 0 : phase == "Running" ? 2 : 1;
}

// Smaller goes first.
auto deletionRank(const ObjectPtr& object, const std::map<std::string, int>& crowd) {
  const Pod& pod = podOf(object);
  bool ready = podReady(object);
  int64_t readySince = 0;
  if (ready)
    if (auto t = podCondition(pod, "Ready")->lastTransitionTime) readySince = t->time_since_epoch().count();
  int restarts = 0;
  for (auto& c : pod.status.containerStatuses) restarts = std::max(restarts, int(c.restartCount));
  auto at = crowd.find(pod.spec.nodeName);
  int neighbours = at == crowd.end() ? 0 : at->second;
  return std::make_tuple(!pod.spec.nodeName.empty(), phaseRank(pod.status.phase), ready, deletionCost(pod),
                         -neighbours, -readySince, -restarts,
                         -object->meta().created.time_since_epoch().count());
}

}  // namespace

void sortForDeletion(std::vector<ObjectPtr>& pods, const std::vector<ObjectPtr>& neighbours) {
  std::map<std::string, int> crowd;
  for (auto& p : neighbours)
    if (!podOf(p).spec.nodeName.empty()) ++crowd[podOf(p).spec.nodeName];
  std::vector<std::pair<decltype(deletionRank(pods[0], crowd)), ObjectPtr>> ranked;
  ranked.reserve(pods.size());
  for (auto& p : pods) ranked.emplace_back(deletionRank(p, crowd), p);
  std::stable_sort(ranked.begin(), ranked.end(), [](auto& a, auto& b) {
    return a.first != b.first ? a.first < b.first : a.second->name() < b.second->name();
  });
  for (size_t i = 0; i < pods.size(); ++i) pods[i] = std::move(ranked[i].second);
}

api::LabelSelector selectorOf(const api::meta::LabelSelector& selector) {
  using Selector = api::LabelSelector;
  Selector out;
  for (auto& [key, value] : selector.matchLabels) out.add({key, Selector::Op::In, {value}});
  for (auto& e : selector.matchExpressions) {
    auto op = e.operator_ == "In"       ? Selector::Op::In
              : e.operator_ == "NotIn"  ? Selector::Op::NotIn
              : e.operator_ == "Exists" ? Selector::Op::Exists
                                        : Selector::Op::DoesNotExist;
    out.add({e.key, op, e.values});
  }
  return out;
}

Json controllerReference(const api::Object& owner) {
  return JsonObject{{"apiVersion", owner.info().apiVersion()},
                    {"kind", owner.info().kind},
                    {"name", owner.name()},
                    {"uid", owner.uid()},
                    {"controller", true},
                    {"blockOwnerDeletion", true}};
}

void takeMeta(Json& from, std::initializer_list<std::string_view> fields, JsonObject& meta) {
  auto* its = from.as_object().if_contains("metadata");
  if (!its) return;
  for (auto field : fields)
    if (auto* v = its->as_object().if_contains(field)) meta[field] = std::move(*v);
}

JsonObject& ensureObject(JsonObject& in, std::string_view key) {
  Json& v = in[key];
  if (!v.is_object()) v = JsonObject{};
  return v.as_object();
}

namespace {

Json ownersOf(const api::Object& object) {
  Json tree = object.tree();
  auto* meta = tree.as_object().if_contains("metadata");
  auto* owners = meta ? meta->as_object().if_contains("ownerReferences") : nullptr;
  return owners && owners->is_array() ? *owners : Json(JsonArray{});
}

void patchOwners(const api::Object& object, Json owners, Plan& plan) {
  if (owners.as_array().empty()) owners = nullptr;
  plan.patch(object, JsonObject{{"metadata", JsonObject{{"ownerReferences", std::move(owners)}}}});
}

}  // namespace

std::vector<ObjectPtr> claim(const Snapshot& snapshot, const ObjectPtr& owner, const ResourceInfo* kind,
                             const api::LabelSelector& selector, Plan& plan) {
  std::vector<ObjectPtr> out;
  bool leaving = owner->meta().deleting;
  for (auto& [key, object] : snapshot.dependents(owner->uid(), kind)) {
    auto* controller = object->meta().controller();
    if (!controller || controller->uid != owner->uid()) continue;
    if (selector.matches(object->meta().labels)) {
      out.push_back(object);
    } else if (!leaving && !object->meta().deleting) {
      Json owners = ownersOf(*object);
      auto& list = owners.as_array();
      for (auto it = list.begin(); it != list.end();)
        it = it->as_object().at("uid").as_string() == owner->uid() ? list.erase(it) : it + 1;
      patchOwners(*object, std::move(owners), plan);
    }
  }
  if (leaving) return out;
  std::string prefix = owner->ns() + "/";
  for (auto& [key, object] : snapshot.uncontrolled(kind).prefix(prefix)) {
    if (object->meta().deleting || !selector.matches(object->meta().labels)) continue;
    Json owners = ownersOf(*object);
    owners.as_array().push_back(controllerReference(*owner));
    patchOwners(*object, std::move(owners), plan);
  }
  return out;
}

}  // namespace ph::controllers
