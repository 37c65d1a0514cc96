// PodSecurity: the levels that a namespace's labels set for its pods. `enforce` refuses, `warn` tells the client, `audit` tells
// the log. Workloads are never refused for their template, their pods are; but the client hears of it at once.
#include <algorithm>
#include <map>

#include "engine/api/codec.h"
#include "engine/base/log.h"
#include "engine/server/admission/pod_security/policy.h"
#include "engine/server/admission/steps.h"
#include "engine/server/json_util.h"

namespace ph::server::steps {
namespace {

using podsecurity::Level;
using podsecurity::Policy;
using podsecurity::Subject;

constexpr std::string_view kPrefix = "pod-security.kubernetes.io/";
constexpr size_t kMaxPodsLooked = 3000;  // when a namespace's label changes; as Kubernetes

// What the label says; a text that says nothing counts as the strictest, where it got in.
Policy policyOf(std::string_view level, std::string_view version) {
  Policy out;
  out.level = level.empty() ? Level::Privileged : podsecurity::parseLevel(level).value_or(Level::Restricted);
  out.minor = version.empty() ? podsecurity::kLatest : podsecurity::parseVersion(version).value_or(podsecurity::kLatest);
  return out;
}

Policy policyOf(const api::Meta& ns, std::string_view mode) {
  std::string key = std::string(kPrefix) + std::string(mode);
  auto level = ns.label(key);
  return level.empty() ? Policy{} : policyOf(level, ns.label(key + "-version"));
}

Policy policyOf(const Json& ns, const std::string& mode) {
  auto* labels = api::at(ns, "metadata.labels");
  auto* map = labels ? labels->if_object() : nullptr;
  auto key = std::string(kPrefix) + mode;
  return policyOf(textAt(map, key), textAt(map, key + "-version"));
}

const Json& orNothing(const Json* v) {
  static const Json nothing = JsonObject{};
  return v ? *v : nothing;
}

Subject subjectAt(const Json& object, std::string_view path) {
  std::string base(path);
  return {orNothing(api::at(object, base.empty() ? "metadata" : base + ".metadata")),
          orNothing(api::at(object, base.empty() ? "spec" : base + ".spec"))};
}

// Where a kind keeps its pod template; null: it has none.
const char* templateOf(const ResourceInfo& info) {
  static constexpr struct {
    std::string_view group, plural;
    const char* path;
  } kTemplates[] = {{"apps", "deployments", "spec.template"},        {"apps", "replicasets", "spec.template"},
                    {"apps", "statefulsets", "spec.template"},       {"apps", "daemonsets", "spec.template"},
                    {"batch", "jobs", "spec.template"},              {"batch", "cronjobs", "spec.jobTemplate.spec.template"},
                    {"", "replicationcontrollers", "spec.template"}, {"", "podtemplates", "template"}};
  for (auto& t : kTemplates)
    if (t.group == info.group && t.plural == info.plural) return t.path;
  return nullptr;
}

void tell(Admission& a, const api::Meta& ns, const Subject& subject) {
  if (auto warn = policyOf(ns, "warn"); warn.level != Level::Privileged)
    if (auto found = podsecurity::evaluate(warn, subject); !found.empty())
      a.warn("would violate PodSecurity \"" + warn.text() + "\": " + podsecurity::explain(found));
  if (auto audit = policyOf(ns, "audit"); audit.level != Level::Privileged)
    if (auto found = podsecurity::evaluate(audit, subject); !found.empty())
      PH_LOG(Info, "audit", "{} {}/{} would violate PodSecurity \"{}\": {}", a.info.groupResource(), a.request.ns,
             textAt(objectAt(a.object, "metadata"), "name"), audit.text(), podsecurity::explain(found));
}

Result<> judgePod(Admission& a, const api::Meta& ns) {
  auto subject = subjectAt(a.object, "");
  if (auto enforce = policyOf(ns, "enforce"); enforce.level != Level::Privileged)
    if (auto found = podsecurity::evaluate(enforce, subject); !found.empty())
      return a.refuse("violates PodSecurity \"" + enforce.text() + "\": " + podsecurity::explain(found));
  tell(a, ns, subject);
  return {};
}

// ---- the namespace's own labels -----------------------------------------------------------------------------------

Result<> checkLabels(Admission& a) {
  auto* labels = api::at(a.object, "metadata.labels");
  auto* map = labels ? labels->if_object() : nullptr;
  auto* oldLabels = a.old ? api::at(*a.old, "metadata.labels") : nullptr;
  auto* was = oldLabels ? oldLabels->if_object() : nullptr;
  api::ErrorList errors;
  for (auto mode : {"enforce", "audit", "warn"})
    for (auto suffix : {"", "-version"}) {
      auto key = std::string(kPrefix) + mode + suffix;
      auto* value = map ? map->if_contains(key) : nullptr;
      if (!value || (was && was->if_contains(key) && *was->if_contains(key) == *value)) continue;
      std::string text(textAt(map, key));
      auto field = "metadata.labels[" + key + "]";
      if (*suffix ? !podsecurity::parseVersion(text) : !podsecurity::parseLevel(text))
        errors.invalid(field, text,
                       *suffix ? "must be \"latest\" or \"v1.x\"" : "must be one of privileged, baseline, restricted");
    }
  if (errors.empty()) return {};
  return errors.toStatus(a.info, textAt(objectAt(a.object, "metadata"), "name"));
}

// Pods that are there already stay; whoever tightens the level hears which ones would not be let in again.
void tellOfExistingPods(Admission& a, const Policy& enforce) {
  std::string name(textAt(objectAt(a.object, "metadata"), "name")), prefix = name + "/";
  struct Group {
    std::string first;
    size_t count = 0;
  };
  std::map<std::string, Group> byReasons;
  auto snapshot = a.core.cache->snapshot(*a.core.pods);
  size_t looked = 0;
  bool more = false;
  for (auto& [key, pod] : snapshot.objects.prefix(prefix)) {
    if (++looked > kMaxPodsLooked) {
      more = true;
      break;
    }
    Json tree = pod->tree();
    auto found = podsecurity::evaluate(enforce, subjectAt(tree, ""));
    if (found.empty()) continue;
    auto& group = byReasons[podsecurity::reasons(found)];
    if (group.count++ == 0) group.first = pod->name();
  }
  if (byReasons.empty() && !more) return;
  if (more)
    a.warn("new PodSecurity enforce level only checked against the first " + std::to_string(kMaxPodsLooked) +
           " of the existing pods in namespace \"" + name + "\"");
  if (byReasons.empty()) return;
  a.warn("existing pods in namespace \"" + name + "\" violate the new PodSecurity enforce level \"" + enforce.text() + "\"");
  std::vector<std::string> lines;
  for (auto& [reasons, group] : byReasons) {
    auto who = group.first;
    if (group.count == 2) who += " (and 1 other pod)";
    if (group.count > 2) who += " (and " + std::to_string(group.count - 1) + " other pods)";
    lines.push_back(who + ": " + reasons);
  }
  std::sort(lines.begin(), lines.end());
  for (auto& line : lines) a.warn(line);
}

Result<> judgeNamespace(Admission& a) {
  PH_TRY(checkLabels(a));
  if (!a.old) return {};
  auto now = policyOf(a.object, "enforce"), before = policyOf(*a.old, "enforce");
  bool looser = now.level == Level::Privileged || (now.minor == before.minor && now.level <= before.level);
  if (now == before || looser) return {};
  tellOfExistingPods(a, now);
  return {};
}

}  // namespace

Result<> podSecurity(Admission& a) {
  if (&a.info == a.core.namespaces) return a.subresource().empty() ? judgeNamespace(a) : Result<>();
  bool pods = &a.info == a.core.pods;
  const char* path = pods ? nullptr : templateOf(a.info);
  if (!pods && !path) return {};
  // What an update of a pod may change has no bearing on its security, but for containers added to it.
  if (pods && a.old && a.subresource() != "ephemeralcontainers") return {};
  if (!pods && !a.subresource().empty()) return {};
  auto ns = a.core.cache->get(*a.core.namespaces, a.request.ns);
  if (!ns) return {};
  bool labelled = std::any_of(ns->meta().labels.begin(), ns->meta().labels.end(),
                              [](auto& l) { return l.first.starts_with(kPrefix); });
  if (!labelled) return {};
  if (pods) return judgePod(a, ns->meta());
  auto *now = api::at(a.object, path), *before = a.old ? api::at(*a.old, path) : nullptr;
  if (now && before && *now == *before) return {};
  tell(a, ns->meta(), subjectAt(a.object, path));
  return {};
}

}  // namespace ph::server::steps
