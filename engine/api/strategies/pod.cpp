#include <algorithm>

#include "engine/api/strategies/common.h"

namespace ph::api::strategies {

void podCells(const Json& pod, WallTime now, std::vector<Json>& out);  // pod_table.cpp

namespace {

void prepareCreate(Json& pod, const WriteContext&) {
  if (auto* spec = member(pod, "spec")) defaultPodSpec(*spec);
  auto* spec = at(pod, "spec");
  pod.get_object()["status"] = JsonObject{{"phase", "Pending"}, {"qosClass", spec ? qosClass(*spec) : "BestEffort"}};
}

void prepareUpdate(Json& pod, const Json& old, const WriteContext& context) {
  if (context.subresource == "status") {
    // What a pod is entitled to follows from its spec, whatever a status says.
    auto& status = ensureObject(pod, "status");
    if (auto* q = at(old, "status.qosClass")) status["qosClass"] = *q;
    return;
  }
  if (auto* spec = member(pod, "spec")) defaultPodSpec(*spec);
}

void validate(const Json& pod, const WriteContext& context, ErrorList& errors) {
  auto* spec = at(pod, "spec");
  if (!spec || context.subresource == "status") return;
  validatePodSpec(*spec, "spec", errors);
  if (context.operation == Operation::Create && !list(*spec, "ephemeralContainers").empty())
    errors.forbidden("spec.ephemeralContainers", "cannot be set on create");
}

// Takes over from the old spec what an update may change, so that whatever still differs is forbidden.
void forgiveImages(Json& spec, const Json& old, const char* group) {
  auto* now = member(spec, group);
  auto& before = list(old, group);
  if (!now || !now->is_array() || now->get_array().size() != before.size()) return;
  for (size_t i = 0; i < before.size(); ++i) {
    auto& c = now->get_array()[i];
    if (auto* image = at(before[i], "image"); c.is_object() && image) c.get_object()["image"] = *image;
  }
}

void forgive(JsonObject& spec, const Json& old, const char* field) {
  if (auto* before = at(old, field)) spec[field] = *before;
  else spec.erase(field);
}

void checkDeadline(const Json& spec, const Json& old, ErrorList& errors) {
  auto *now = at(spec, "activeDeadlineSeconds"), *before = at(old, "activeDeadlineSeconds");
  if (!before) return;
  if (!now) errors.invalidRaw("spec.activeDeadlineSeconds", "null", "must not update from a positive integer to nil value");
  else if (num(spec, "activeDeadlineSeconds") > num(old, "activeDeadlineSeconds"))
    errors.invalidRaw("spec.activeDeadlineSeconds", toText(*now), "must be less than or equal to previous value");
}

bool onlyAdds(const Json& spec, const Json& old) {
  auto &now = list(spec, "tolerations"), &before = list(old, "tolerations");
  return std::all_of(before.begin(), before.end(), [&](const Json& t) {
    return std::any_of(now.begin(), now.end(), [&](const Json& n) {
      if (n == t) return true;
      // How long a taint is borne may change.
      if (!n.is_object() || !t.is_object()) return false;
      Json a = n, b = t;
      a.get_object().erase("tolerationSeconds");
      b.get_object().erase("tolerationSeconds");
      return a == b;
    });
  });
}

// Debug containers: they come, and stay as they came for the pod's life.
void validateEphemeral(const Json& spec, const Json& old, ErrorList& errors) {
  auto &now = list(spec, "ephemeralContainers"), &before = list(old, "ephemeralContainers");
  for (auto& was : before) {
    auto name = text(str(was, "name"));
    auto it = std::find_if(now.begin(), now.end(), [&](const Json& c) { return str(c, "name") == name; });
    if (it == now.end())
      errors.forbidden("spec.ephemeralContainers", "existing ephemeral containers \"" + name + "\" may not be removed");
    else if (*it != was)
      errors.forbidden("spec.ephemeralContainers", "existing ephemeral containers \"" + name + "\" may not be changed");
  }
  std::vector<std::string> names;
  for (auto* group : {"containers", "initContainers"})
    for (auto& c : list(spec, group)) names.push_back(text(str(c, "name")));
  const auto fixed = names;
  for (size_t i = 0; i < now.size(); ++i) {
    auto& c = now[i];
    auto path = indexed("spec.ephemeralContainers", i);
    auto name = text(str(c, "name"));
    if (name.empty()) errors.required(path + ".name");
    else if (auto why = checkDnsLabel(name); !why.empty()) errors.invalid(path + ".name", name, why);
    else if (std::find(names.begin(), names.end(), name) != names.end()) errors.duplicate(path + ".name", name);
    names.push_back(name);
    if (str(c, "image").empty()) errors.required(path + ".image");
    auto target = text(str(c, "targetContainerName"));
    if (!target.empty() && std::find(fixed.begin(), fixed.end(), target) == fixed.end())
      errors.notFound(path + ".targetContainerName", target);
    for (auto* field : {"ports", "livenessProbe", "readinessProbe", "startupProbe", "lifecycle"})
      if (has(c, field)) errors.forbidden(path + "." + field, "cannot be set for an Ephemeral Container");
    if (!object(c, "resources").empty()) errors.forbidden(path + ".resources", "cannot be set for an Ephemeral Container");
  }
}

void validateUpdate(const Json& pod, const Json& old, const WriteContext& context, ErrorList& errors) {
  if (context.subresource == "ephemeralcontainers") {
    auto *now = at(pod, "spec"), *before = at(old, "spec");
    if (now && before) validateEphemeral(*now, *before, errors);
    return;
  }
  if (!context.subresource.empty()) return;
  auto *spec = at(pod, "spec"), *before = at(old, "spec");
  if (!spec || !before || *spec == *before) return;
  for (auto* group : {"containers", "initContainers"})
    if (list(*spec, group).size() != list(*before, group).size()) {
      errors.forbidden(std::string("spec.") + group, "pod updates may not add or remove containers");
      return;
    }
  checkDeadline(*spec, *before, errors);
  Json rest = *spec;
  forgiveImages(rest, *before, "containers");
  forgiveImages(rest, *before, "initContainers");
  auto& o = rest.get_object();
  forgive(o, *before, "activeDeadlineSeconds");
  if (onlyAdds(*spec, *before)) forgive(o, *before, "tolerations");
  if (num(*before, "terminationGracePeriodSeconds") < 0) forgive(o, *before, "terminationGracePeriodSeconds");
  if (list(*spec, "schedulingGates").size() < list(*before, "schedulingGates").size()) forgive(o, *before, "schedulingGates");
  if (rest == *before) return;
  std::string changed;
  auto& was = before->get_object();
  auto note = [&](boost::json::string_view key) { changed.append(changed.empty() ? "" : ", ").append(view(key)); };
  for (auto& kv : o) {
    auto* v = was.if_contains(kv.key());
    if (!v || *v != kv.value()) note(kv.key());
  }
  for (auto& kv : was)
    if (!o.contains(kv.key())) note(kv.key());
  errors.forbidden("spec",
                   "pod updates may not change fields other than `spec.containers[*].image`, `spec.initContainers[*].image`, "
                   "`spec.activeDeadlineSeconds` or `spec.tolerations` (only additions to existing tolerations); changed: " + changed);
}

constexpr std::string_view kSelectable[] = {"spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName", "spec.hostNetwork",
                                            "status.phase", "status.podIP", "status.nominatedNodeName", ""};

}  // namespace

const Strategy podStrategy{.prepareCreate = prepareCreate,
                           .prepareUpdate = prepareUpdate,
                           .validate = validate,
                           .validateUpdate = validateUpdate,
                           .cells = podCells,
                           .selectableFields = kSelectable};

}  // namespace ph::api::strategies
