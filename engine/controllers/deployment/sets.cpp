// Which ReplicaSet stands for which template, under which revision.
#include <algorithm>
#include <charconv>

#include "engine/api/conditions.h"
#include "engine/controllers/common/pods.h"
#include "engine/controllers/common/template_hash.h"
#include "engine/controllers/deployment/rollout.h"

namespace ph::controllers::deployment {

namespace {

using Annotations = decltype(api::meta::ObjectMeta::annotations);

// Annotations of a Deployment that its ReplicaSets do not inherit.
constexpr std::string_view kOwn[] = {"kubectl.kubernetes.io/last-applied-configuration",
                                     kRevision,
                                     kRevisionHistory,
                                     kDesired,
                                     kMax,
                                     "deprecated.deployment.rollback.to"};
constexpr size_t kMaxHistory = 2000;  // characters of the revision-history annotation

bool own(std::string_view key) {
  return std::find(std::begin(kOwn), std::end(kOwn), key) != std::end(kOwn);
}

int64_t toNumber(std::string_view text) {
  int64_t n = 0;
  std::from_chars(text.data(), text.data() + text.size(), n);
  return n;
}

std::string templateTextOf(const ObjectPtr& rs) {
  return templateText(rs->as<api::apps::ReplicaSet>().spec.template_);
}

// Changes of annotations as a merge patch object; empty: none. kubectl's change-cause comes along like any
// other.
JsonObject annotationChanges(const Rollout& r, const Annotations& have, int64_t revision) {
  JsonObject out;
  for (auto& [k, v] : r.d.metadata.annotations) {
    auto it = have.find(k);
    if (!own(k) && (it == have.end() || it->second != v)) out[k] = v;
  }
  auto it = have.find(kRevision);
  int64_t before = it == have.end() ? 0 : toNumber(it->second);
  if (before >= revision) return out;
  out[kRevision] = std::to_string(revision);
  if (before > 0) {  // the set comes back from history: kubectl shows its former numbers
    auto h = have.find(kRevisionHistory);
    std::string history = h == have.end() || h->second.empty() ? std::to_string(before)
                                                               : h->second + "," + std::to_string(before);
    while (history.size() > kMaxHistory && history.find(',') != history.npos)
      history.erase(0, history.find(',') + 1);
    out[kRevisionHistory] = std::move(history);
  }
  return out;
}

void noteRevision(Rollout& r, int64_t revision) {
  auto& have = r.d.metadata.annotations;
  auto it = have.find(kRevision);
  std::string text = std::to_string(revision);
  if (it != have.end() && it->second == text) return;
  r.plan.patchNewest(
      *r.object,
      JsonObject{{"metadata", JsonObject{{"annotations", JsonObject{{kRevision, std::move(text)}}}}}});
}

void keepCurrent(Rollout& r, int64_t newRevision) {
  Set& s = *r.current;
  s.annotations = annotationChanges(r, s.rs()->metadata.annotations, newRevision);
  s.minReady = s.rs()->spec.minReadySeconds != r.d.spec.minReadySeconds;
  int64_t revision = std::max(newRevision, revisionOf(*s.object));
  noteRevision(r, revision);
  if (r.hasDeadline() && !api::findCondition(r.status.conditions, "Progressing"))
    setCondition(r, "Progressing", "True", "FoundNewReplicaSet",
                 fmt::format("Found new replica set \"{}\"", s.name));
}

// The name is free, or taken by a set of another template: then the hash is made anew.
std::string freeHash(Rollout& r, const std::string& text) {
  int32_t collisions = r.status.collisionCount.value_or(0);
  for (;; ++collisions) {
    std::string hash = templateHash(text, collisions);
    if (r.snapshot.get(r.snapshot.kinds().replicaSets, r.object->ns() + "/" + r.object->name() + "-" + hash))
      continue;
    if (collisions) r.status.collisionCount = collisions;
    return hash;
  }
}

void createCurrent(Rollout& r, const std::string& text, int64_t newRevision) {
  std::string hash = freeHash(r, text);
  std::string name = r.object->name() + "-" + hash;
  int32_t replicas = newSetSize(r, 0);
  r.current = &r.sets.emplace_back();
  r.current->name = name;
  r.current->replicas = replicas;

  Json deployment = r.object->tree();
  Json pod = deployment.at("spec").at("template");
  auto ensure = [](JsonObject& in, std::string_view key) -> JsonObject& {
    Json& v = in[key];
    if (!v.is_object()) v = JsonObject{};
    return v.as_object();
  };
  JsonObject& labels = ensure(ensure(pod.as_object(), "metadata"), "labels");
  labels[kHashLabel] = hash;
  Json selector = deployment.at("spec").at("selector");
  ensure(selector.as_object(), "matchLabels")[kHashLabel] = hash;
  JsonObject annotations = annotationChanges(r, {}, newRevision);
  annotations[kDesired] = std::to_string(r.wanted());
  annotations[kMax] = std::to_string(r.wanted() + r.maxSurge());
  JsonObject spec{{"replicas", replicas}, {"selector", std::move(selector)}};
  if (r.d.spec.minReadySeconds) spec["minReadySeconds"] = r.d.spec.minReadySeconds;
  JsonObject meta{{"name", name},
                  {"namespace", r.object->ns()},
                  {"labels", labels},
                  {"annotations", std::move(annotations)},
                  {"ownerReferences", JsonArray{controllerReference(*r.object)}}};
  spec["template"] = std::move(pod);
  auto* kind = r.snapshot.kinds().replicaSets;
  Step& s = r.plan.create(kind, r.object->ns(),
                          JsonObject{{"apiVersion", kind->apiVersion()},
                                     {"kind", kind->kind},
                                     {"metadata", std::move(meta)},
                                     {"spec", std::move(spec)}});
  auto about = client::ObjectReference::to(*r.object);
  if (replicas > 0) {
    s.ok = Note{about, "Normal", "ScalingReplicaSet",
                fmt::format("Scaled up replica set {} from 0 to {}", name, replicas)};
    s.ok->whole = true;
  }
  s.failed = Note{about, "Warning", "ReplicaSetCreateError",
                  fmt::format("Failed to create new replica set \"{}\": ", name)};
  noteRevision(r, newRevision);
  if (!r.hasDeadline()) return;
  if (r.key.lastError.empty())
    setCondition(r, "Progressing", "True", "NewReplicaSetCreated",
                 fmt::format("Created new replica set \"{}\"", name));
  else
    setCondition(r, "Progressing", "False", "ReplicaSetCreateError",
                 fmt::format("Failed to create new replica set \"{}\": {}", name, r.key.lastError));
}

}  // namespace

int64_t revisionOf(const api::Object& object) {
  auto& annotations = object.as<api::apps::ReplicaSet>().metadata.annotations;
  auto it = annotations.find(kRevision);
  return it == annotations.end() ? 0 : toNumber(it->second);
}

std::string templateText(const api::core::PodTemplateSpec& pod) {
  auto it = pod.metadata.labels.find(kHashLabel);
  if (it == pod.metadata.labels.end()) return api::toText(api::toJson(pod));
  auto copy = pod;
  copy.metadata.labels.erase(std::string(kHashLabel));
  return api::toText(api::toJson(copy));
}

void syncSets(Rollout& r, bool create) {
  std::string text = templateText(r.d.spec.template_);
  r.current = nullptr;
  int64_t maxOld = 0;
  for (auto& s : r.sets) {
    if (!r.current && s.object && templateTextOf(s.object) == text)
      r.current = &s;  // the oldest that fits
    else if (s.object)
      maxOld = std::max(maxOld, revisionOf(*s.object));
  }
  if (r.current)
    keepCurrent(r, maxOld + 1);
  else if (create)
    createCurrent(r, text, maxOld + 1);
}

}  // namespace ph::controllers::deployment
