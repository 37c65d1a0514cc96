#include "engine/controllers/daemonset/daemon_pod.h"

#include <algorithm>
#include <charconv>

#include "engine/api/node_match.h"
#include "engine/controllers/common/pods.h"
#include "engine/controllers/common/revisions.h"
#include "engine/controllers/replicaset/replicas.h"

namespace ph::controllers::daemonset {

using api::core::PodSpec;
using api::core::Taint;
using api::core::Toleration;

namespace {

constexpr std::string_view kFailures = "daemonset.pilothouse.io/failures";
constexpr std::string_view kNodeName = "metadata.name";

struct Tolerated {
  std::string_view key, effect;
};
// The loss of its node does not move a daemon pod: there is nowhere else for it to go.
constexpr Tolerated kAlways[] = {
    {"node.kubernetes.io/not-ready", "NoExecute"},      {"node.kubernetes.io/unreachable", "NoExecute"},
    {"node.kubernetes.io/disk-pressure", "NoSchedule"}, {"node.kubernetes.io/memory-pressure", "NoSchedule"},
    {"node.kubernetes.io/pid-pressure", "NoSchedule"},  {"node.kubernetes.io/unschedulable", "NoSchedule"}};
constexpr Tolerated kOnHostNetwork = {"node.kubernetes.io/network-unavailable", "NoSchedule"};

void add(std::vector<Toleration>& all, const Tolerated& t) {
  // In place of one that holds only for a time.
  std::erase_if(all, [&](auto& o) {
    return o.key == t.key && o.effect == t.effect && o.operator_ == "Exists" && o.value.empty();
  });
  Toleration& added = all.emplace_back();
  added.key = t.key;
  added.operator_ = "Exists";
  added.effect = t.effect;
}

const api::core::NodeSelector* requiredNodes(const PodSpec& spec) {
  return spec.affinity.orEmpty().nodeAffinity.orEmpty().requiredDuringSchedulingIgnoredDuringExecution.get();
}

}  // namespace

Demand::Demand(const PodSpec& spec) : spec_(spec), tolerations_(spec.tolerations) {
  for (auto& [key, value] : spec.nodeSelector) nodeSelector_.add({key, api::LabelSelector::Op::In, {value}});
  for (auto& t : kAlways) add(tolerations_, t);
  if (spec.hostNetwork) add(tolerations_, kOnHostNetwork);
}

Fit Demand::on(const ObjectPtr& node) const {
  if (!spec_.nodeName.empty() && spec_.nodeName != node->name()) return Fit::Never;
  if (!nodeSelector_.matches(node->meta().labels)) return Fit::Never;
  auto* required = requiredNodes(spec_);
  if (required && !api::nodeSelectorMatches(*required, node->meta().labels, node->name())) return Fit::Never;
  Fit fit = Fit::Run;
  for (auto& taint : node->as<api::core::Node>().spec.taints) {
    bool evicts = taint.effect == "NoExecute";
    if ((!evicts && taint.effect != "NoSchedule") || api::tolerates(tolerations_, taint)) continue;
    if (evicts) return Fit::Never;
    fit = Fit::Stay;
  }
  return fit;
}

std::string_view nodeOf(const ObjectPtr& pod) {
  auto& spec = podOf(pod).spec;
  if (!spec.nodeName.empty()) return spec.nodeName;
  auto* required = requiredNodes(spec);
  if (!required) return {};
  for (auto& term : required->nodeSelectorTerms)
    for (auto& r : term.matchFields)
      if (r.key == kNodeName && r.operator_ == "In" && r.values.size() == 1) return r.values[0];
  return {};
}

bool ended(const ObjectPtr& pod) {
  auto& phase = podOf(pod).status.phase;
  return phase == "Failed" || phase == "Succeeded";
}

int failuresBefore(const ObjectPtr& pod) {
  auto& notes = podOf(pod).metadata.annotations;
  auto it = notes.find(kFailures);
  int n = 0;
  if (it != notes.end()) std::from_chars(it->second.data(), it->second.data() + it->second.size(), n);
  return std::max(n, 0);
}

PodMaker::PodMaker(const api::Object& set, const std::string& hash, const Demand& demand)
    : pod_(replicas::podFrom(set)) {
  ensureObject(pod_.at("metadata").as_object(), "labels")[kRevisionHash] = hash;
  JsonArray tolerations;
  for (auto& t : demand.tolerations()) tolerations.push_back(api::toJson(t));
  pod_.at("spec").as_object()["tolerations"] = std::move(tolerations);
}

Json PodMaker::forNode(const std::string& node, int failures) const {
  Json pod = pod_;
  auto& spec = pod.at("spec").as_object();
  JsonObject rule{{"key", kNodeName}, {"operator", "In"}, {"values", JsonArray{Json(node)}}};
  // The template's own terms have been asked already; terms hold alternatively, so they must not stand
  // beside.
  ensureObject(ensureObject(spec, "affinity"), "nodeAffinity")["requiredDuringSchedulingIgnoredDuringExecution"] =
      JsonObject{{"nodeSelectorTerms", JsonArray{JsonObject{{"matchFields", JsonArray{std::move(rule)}}}}}};
  if (failures > 0)
    ensureObject(pod.at("metadata").as_object(), "annotations")[kFailures] = std::to_string(failures);
  return pod;
}

}  // namespace ph::controllers::daemonset
